/* Strips of a file by threads: a helper for programs, which the library leaves them to. */
#ifndef LUTGEN_C_THREADS_H
#define LUTGEN_C_THREADS_H

#include <stddef.h>
#include <stdint.h>

#include "lutgen.h"

/* Both are called as lutgen_encode and lutgen_decode, but take memory from malloc: a workspace for each
 * of `threads` threads and, to encode, lutgen_strip_bound() bytes for each strip;
 * LUTGEN_SMALL_WORKSPACE says that there was none.  Without POSIX threads one strip is coded after the
 * other.
 *
 * Of version 1 a call for a whole file decodes tiles of many strips side by side: threads pay where a
 * row has many tiles. */
enum lutgen_status encode_by_threads(const struct lutgen_model *model,
                                     const struct lutgen_frame *frame, const void *samples,
                                     uint8_t *file, size_t file_bytes, size_t *used,
                                     unsigned threads);

/* `damage` is called in the order of the strips, when all have been decoded. */
enum lutgen_status decode_by_threads(const struct lutgen_model *model, const uint8_t *file,
                                     size_t bytes, void *samples, size_t samples_bytes,
                                     lutgen_damage *damage, void *user, unsigned threads);

#endif
