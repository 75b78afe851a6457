/* A unit of a strip, a group of rows or a tile: its samples to folded residuals and back. */
#ifndef LUTGEN_UNIT_H
#define LUTGEN_UNIT_H

#include "predict.h"
#include "row_coder.h"

/* By how many columns each row of a group is behind the one above, and rows of a group. */
enum { LAG = 4, GROUP = 4 };

/* Where a unit's samples are in memory. */
struct lutgen_plane {
    void *samples; /* the first one */
    size_t stride;
    uint32_t width;
    uint32_t height;
    uint32_t bytes; /* of a sample */
    uint32_t shift;
};

static inline uint32_t sample_at(const struct lutgen_plane *plane, uint32_t y, uint32_t x)
{
    const size_t at = y * plane->stride + x;

    return plane->bytes == 1 ? ((const uint8_t *)plane->samples)[at]
                             : (uint32_t)((const uint16_t *)plane->samples)[at] >> plane->shift;
}

static inline void put_sample(const struct lutgen_plane *plane, uint32_t y, uint32_t x,
                              int32_t sample)
{
    const size_t at = y * plane->stride + x;

    if (plane->bytes == 1) {
        ((uint8_t *)plane->samples)[at] = (uint8_t)sample;
    } else {
        ((uint16_t *)plane->samples)[at] = (uint16_t)((uint32_t)sample << plane->shift);
    }
}

/* Index of a sample, and the sample that a decoder will have for it. */
static inline int32_t quantised(const struct lutgen_samples *samples, uint32_t sample,
                                int32_t *restored)
{
    int32_t index = (int32_t)sample;

    if (samples->step > 1) {
        index = (index + (samples->step >> 1)) / samples->step;
    }
    *restored = lesser(index * samples->step, samples->maximum);
    return index;
}

/* Fill in the folded residuals and table rows of a unit, in the order of its payload, whose first
 * row is row y of its strip or tile. */
void lutgen_model_unit(const struct lutgen_model *model, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, uint32_t y, uint32_t lag,
                       const struct lutgen_plane *plane, uint16_t *folded, uint16_t *row);

/* Decode a unit from bits, its payload; `plain` is how many bits a folded residual has if they are
 * plain, else 0.  Returns 0 if a residual is out of its range. */
int lutgen_decode_unit(const struct lutgen_model *model, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, uint32_t y, uint32_t lag,
                       const struct lutgen_plane *plane, struct lutgen_bits *bits,
                       uint32_t plain);

#endif
