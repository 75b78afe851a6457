/* A unit of a strip, a group of rows or a tile: its samples to folded residuals and back. */
#ifndef LUTGEN_UNIT_H
#define LUTGEN_UNIT_H

#include "container.h"
#include "predict.h"
#include "row_coder.h"
#include "token_tans.h"

/* Where the samples of a strip are in memory, as rows of its planes in turn (planes.h). */
struct lutgen_plane {
    void *samples; /* the first one */
    size_t stride; /* from a row of pixels to the next, in samples */
    uint32_t width;
    uint32_t height; /* rows of all planes */
    uint32_t bytes;  /* of a sample */
    uint32_t shift;
    uint32_t channels;
    uint32_t step;                     /* from a sample of a plane to the next, in samples */
    size_t offset[LUTGEN_MOST_PLANES]; /* of the first sample of each plane */
};

/* The first sample of a row. */
static inline void *row_start(const struct lutgen_plane *plane, uint32_t y)
{
    const size_t at = y / plane->channels * plane->stride + plane->offset[y % plane->channels];

    return (uint8_t *)plane->samples + at * plane->bytes;
}

/* A sample of a row; `at` is its column times the plane's step. */
static inline uint32_t sample_at(const struct lutgen_plane *plane, const void *row, size_t at)
{
    return plane->bytes == 1 ? ((const uint8_t *)row)[at]
                             : (uint32_t)((const uint16_t *)row)[at] >> plane->shift;
}

static inline void put_sample(const struct lutgen_plane *plane, void *row, size_t at,
                              int32_t sample)
{
    if (plane->bytes == 1) {
        ((uint8_t *)row)[at] = (uint8_t)sample;
    } else {
        ((uint16_t *)row)[at] = (uint16_t)((uint32_t)sample << plane->shift);
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

/* Fill in the folded residuals of a unit and what they are coded as, see code_of, or of tANS
 * row_of_plane, in the order of its payload; `rows` are those of its strip or tile. */
void lutgen_model_unit(const struct lutgen_token_tans *tans, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, const struct lutgen_plane *plane,
                       const struct lutgen_unit *unit, uint16_t *folded, uint32_t *code);

/* Decode a unit from bits, its payload; `plain` is how many bits a folded residual has if they are
 * plain, else 0.  Returns 0 if a residual is out of its range. */
int lutgen_decode_unit(const struct lutgen_token_tans *tans, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, const struct lutgen_plane *plane,
                       const struct lutgen_unit *unit, struct lutgen_bits *bits, uint32_t plain);

#endif
