/* The quantities that a sample's context is made of; lutgen/model/predictive/neighbourhood.py. */
#ifndef LUTGEN_NEIGHBOURHOOD_H
#define LUTGEN_NEIGHBOURHOOD_H

#include <stdint.h>

#include "arithmetic.h"

/* All quantities are whole numbers in 1/8 of a sample. */
enum { FRACTION_BITS = 3 };

enum quantity {
    Q_MED, Q_W, Q_WW, Q_WWW, Q_N, Q_NW, Q_NWW, Q_NWWW, Q_NE, Q_NEE, Q_NEEE, Q_NN, Q_NNW, Q_NNWW,
    Q_NNE, Q_NNEE, Q_NNN, Q_NNNW, Q_NNNE, /* taps of the linear predictors so far */
    Q_EW, Q_EWW, Q_EN, Q_ENW, Q_ENE, Q_ENEE, Q_ENN, /* errors */
    Q_ENERGY_W, Q_ENERGY_NE, Q_ENERGY_NEEE, Q_ZERO, Q_P,
    QUANTITIES
};

/* What a quantity is read from: samples, errors or energies, some rows above, some columns away. */
enum { SAMPLES, ERRORS, ENERGIES, PLANES };
struct lutgen_place {
    int8_t plane;
    int8_t above;
    int8_t column;
};
enum {
    FIRST_PLACE = Q_W,
    PLACES = Q_ENERGY_NEEE - Q_W + 1,
    MOST_PLACES = PLACES + 32 /* with those of two reference planes */
};
static const struct lutgen_place lutgen_places[PLACES] = {
    {SAMPLES, 0, -1}, {SAMPLES, 0, -2}, {SAMPLES, 0, -3},
    {SAMPLES, 1, 0}, {SAMPLES, 1, -1}, {SAMPLES, 1, -2}, {SAMPLES, 1, -3},
    {SAMPLES, 1, 1}, {SAMPLES, 1, 2}, {SAMPLES, 1, 3},
    {SAMPLES, 2, 0}, {SAMPLES, 2, -1}, {SAMPLES, 2, -2}, {SAMPLES, 2, 1}, {SAMPLES, 2, 2},
    {SAMPLES, 3, 0}, {SAMPLES, 3, -1}, {SAMPLES, 3, 1},
    {ERRORS, 0, -1}, {ERRORS, 0, -2}, {ERRORS, 1, 0}, {ERRORS, 1, -1}, {ERRORS, 1, 1},
    {ERRORS, 1, 2}, {ERRORS, 2, 0},
    {ENERGIES, 0, -1}, {ENERGIES, 1, 1}, {ENERGIES, 1, 3},
};

/* Differences that are counted, and where surroundings are plain: few of them are not zero, and
 * those are large. */
enum { COUNTED = 8, MOST_CHANGES = 5, SHARP = 8 << FRACTION_BITS };
static const uint8_t lutgen_counted[COUNTED][2] = {
    {Q_W, Q_WW}, {Q_W, Q_NW}, {Q_N, Q_NW}, {Q_N, Q_NE},
    {Q_NE, Q_NEE}, {Q_N, Q_NN}, {Q_NW, Q_NNW}, {Q_NE, Q_NNE},
};

/* Columns on either side of a row that hold what stands beyond its ends, and rows that are kept,
 * powers of two: up to four that are being coded, and three above, of one plane or up to four. */
enum { PAD = 4, ROWS = 8, ROWS_OF_COLOUR = 16 };

/* The rows of one strip: samples, errors, energies, of each the last few rows of `stride`.  Rows of
 * several channels are those of their planes in turn, and rows above are so many before. */
struct lutgen_rows {
    int32_t *plane[PLANES];
    uint32_t width;
    uint32_t stride; /* width + 2 PAD */
    uint32_t channels;
    uint32_t mask;   /* rows that are kept, less one */
};

/* What is looked at and written while a row is being coded. */
struct lutgen_row {
    const int32_t *place[MOST_PLACES]; /* of the first sample, see locate; then reference.h's */
    int32_t *now[PLANES];
    const int32_t *above; /* energies of the row above, or NULL */
};

static inline int32_t *row_of(const struct lutgen_rows *rows, int plane, uint32_t y)
{
    return rows->plane[plane] + (size_t)(y & rows->mask) * rows->stride + PAD;
}

/* Put what stands left of row y, and of the row above, whose first sample is known; `middle` is what
 * stands left of the strip's first sample. */
static inline void begin_row(const struct lutgen_rows *rows, uint32_t y, int32_t middle)
{
    const int32_t first[PLANES] = {middle << FRACTION_BITS, 0, 0};

    for (int p = 0; p < PLANES; p++) {
        int32_t *now = row_of(rows, p, y);
        int32_t *above = y < rows->channels ? NULL : row_of(rows, p, y - rows->channels);
        const int32_t left = above ? above[0] : first[p];

        for (int k = 1; k <= PAD; k++) {
            now[-k] = left;
            if (above) {
                above[-k] = left;
            }
        }
    }
}

/* Put what stands right of row y, now that its last is known. */
static inline void end_row(const struct lutgen_rows *rows, uint32_t y)
{
    for (int p = 0; p < PLANES; p++) {
        int32_t *last = row_of(rows, p, y) + rows->width - 1;

        for (int k = 1; k <= PAD; k++) {
            last[k] = last[0];
        }
    }
}

/* Where a place is for the first sample of row y, if those of its own row are of row `own`. */
static inline const int32_t *located(const struct lutgen_rows *rows, uint32_t y, uint32_t own,
                                     const struct lutgen_place *at)
{
    const uint32_t above = (uint32_t)at->above * rows->channels;

    if (y < rows->channels && above > 0) {
        return row_of(rows, at->plane, own) - 1;
    }
    return row_of(rows, at->plane, own < above ? own % rows->channels : own - above) + at->column;
}

/* Fill in where the neighbours of the first sample of row y stand; those of a sample further right
 * are as much further. */
static inline void locate(const struct lutgen_rows *rows, uint32_t y, struct lutgen_row *row)
{
    for (int k = 0; k < PLACES; k++) {
        row->place[k] = located(rows, y, y, &lutgen_places[k]);
    }
    for (int p = 0; p < PLANES; p++) {
        row->now[p] = row_of(rows, p, y);
    }
    row->above = y < rows->channels ? NULL : row_of(rows, ENERGIES, y - rows->channels);
}

/* Fill in all quantities but the prediction for the sample in column x. */
static inline void gather(const struct lutgen_row *row, uint32_t x, int32_t *quantity)
{
    for (int k = 0; k < PLACES; k++) {
        quantity[FIRST_PLACE + k] = row->place[k][x];
    }
    quantity[Q_MED] = median(quantity[Q_W], quantity[Q_N], quantity[Q_NW]);
    quantity[Q_ZERO] = 0;
}

static inline int32_t changes(const int32_t *quantity)
{
    int32_t count = 0;

    for (int k = 0; k < COUNTED; k++) {
        count += quantity[lutgen_counted[k][0]] != quantity[lutgen_counted[k][1]];
    }
    return count;
}

static inline int is_plain(const int32_t *quantity)
{
    int32_t count = 0;
    int32_t total = 0;

    for (int k = 0; k < COUNTED; k++) {
        const int32_t size =
            absolute(quantity[lutgen_counted[k][0]] - quantity[lutgen_counted[k][1]]);

        count += size != 0;
        total += size;
    }
    return count <= MOST_CHANGES && total >= SHARP * count;
}

/* Keep a sample less `level`, which is in 1/8, once it is known, with its error and energy. */
static inline void keep(const struct lutgen_row *row, uint32_t x, int32_t sample,
                        int32_t prediction, int32_t level)
{
    int32_t *energy = row->now[ENERGIES] + x;
    const int32_t value = (sample << FRACTION_BITS) - level;
    const int32_t error = value - prediction;
    const int32_t west = energy[-1];
    const int32_t north = row->above ? greater(row->above[x + 2], row->above[x + 3]) : west;

    row->now[SAMPLES][x] = value;
    row->now[ERRORS][x] = error;
    energy[0] = (west + ((2 * absolute(error) + north) >> 1)) >> 1;
}

#endif
