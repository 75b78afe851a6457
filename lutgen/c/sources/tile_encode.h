#ifndef LUTGEN_TILE_ENCODE_H
#define LUTGEN_TILE_ENCODE_H

#include "profile.h"

/* A strip of tiles: see struct lutgen_profile. */
enum lutgen_status lutgen_encode_tile_strip(const struct lutgen_model *model,
                                            const struct lutgen_frame *frame, uint32_t number,
                                            const void *samples, size_t stride, uint8_t *out,
                                            size_t out_bytes, size_t *used, void *workspace);

#endif
