/* lanes_body.h with vectors: lanes are the bytes of one, so that features of all are one vector.
 *
 * Vectors of a processor are those of vectors_avx2.h, vectors_sse41.h or vectors_neon.h, which give the
 * same words their meaning: v_add_16 adds numbers of 16 bits, v_greater_8 makes masks, v_look_up finds
 * bytes in a table of sixteen, v_low_16 has numbers of two vectors in turn.  A vector has parts
 * of 128 bits, within which it is packed and unpacked. */

#include <float.h>
#include <string.h>

enum {
    LANES_16 = VECTOR_BYTES / 2, /* lanes of a vector of numbers of 16 bits */
    LANES_32 = VECTOR_BYTES / 4,
    KINDS = 4                    /* of features that are differences */
};

/* By vectors, as what is written by half of one cannot be read at once. */
static inline void copy(void *to, const void *from, size_t bytes)
{
    for (size_t k = 0; k < bytes; k += VECTOR_BYTES) {
        v_store((uint8_t *)to + k, v_load((const uint8_t *)from + k));
    }
}

#define LANES VECTOR_BYTES
#define LANE_VECTORS
#define COPY_LANES(to, from) copy(to, from, sizeof(to))
#ifndef FIND_TOKEN
#define FIND_TOKEN find_token
#endif
#include "lanes_kinds.h"
