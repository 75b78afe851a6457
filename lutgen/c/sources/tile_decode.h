#ifndef LUTGEN_TILE_DECODE_H
#define LUTGEN_TILE_DECODE_H

#include "profile.h"

/* Strips of tiles: see struct lutgen_profile. */
void lutgen_decode_tile_strips(const struct lutgen_model *model,
                               const struct lutgen_reader *reader,
                               const struct lutgen_strip *strips, uint32_t count, void *samples,
                               size_t stride, void *workspace, enum lutgen_status *status);

#endif
