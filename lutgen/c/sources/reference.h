/* What a sample knows of the planes of its image that are coded before its own;
 * lutgen/model/predictive/reference.py.
 *
 * A plane with reference planes holds differences: a sample less that of the first plane at its
 * place, its *level*. */
#ifndef LUTGEN_REFERENCE_H
#define LUTGEN_REFERENCE_H

#include "model.h"
#include "neighbourhood.h"

/* Quantities of a reference plane; those of the plane before come first, then those of the first
 * plane where that is another one.  Linear predictors weigh samples, and the error at the place. */
enum { OF_ONE = 16, LEVELS_OF_ONE = 9, R_X = 0, R_ERROR = LEVELS_OF_ONE };
enum { ALL_QUANTITIES = QUANTITIES + LUTGEN_MOST_REFERENCES * OF_ONE };

/* Where they are read from; "above" counts rows of the plane. */
static const struct lutgen_place lutgen_reference_places[OF_ONE] = {
    {SAMPLES, 0, 0}, {SAMPLES, 0, -1}, {SAMPLES, 0, 1}, {SAMPLES, 1, 0}, {SAMPLES, 1, -1},
    {SAMPLES, 1, 1}, {SAMPLES, 0, -2}, {SAMPLES, 0, 2}, {SAMPLES, 2, 0},
    {ERRORS, 0, 0}, {ERRORS, 0, -1}, {ERRORS, 0, 1}, {ERRORS, 1, 0}, {ERRORS, 0, 2},
    {ENERGIES, 0, 0}, {ENERGIES, 0, 2},
};

/* Fill in where the values of reference planes stand, see `locate`. */
static inline void locate_references(const struct lutgen_rows *rows, uint32_t y,
                                     unsigned references, struct lutgen_row *row)
{
    const int32_t **place = row->place + PLACES;

    for (unsigned r = 0; r < references; r++) {
        const uint32_t own = r ? y - y % rows->channels : y - 1;

        for (int k = 0; k < OF_ONE; k++) {
            *place++ = located(rows, y, own, &lutgen_reference_places[k]);
        }
    }
}

/* Fill in what is known of reference planes. */
static inline void gather_references(const struct lutgen_row *row, uint32_t x,
                                     unsigned references, int32_t *quantity)
{
    for (unsigned k = 0; k < references * OF_ONE; k++) {
        quantity[QUANTITIES + k] = row->place[PLACES + k][x];
    }
}

/* What a plane's samples are above the values that its rows hold; 0 of the first plane. */
static inline int32_t level_of(const int32_t *quantity, unsigned references)
{
    return references ? quantity[QUANTITIES + (references - 1) * OF_ONE + R_X] : 0;
}

#endif
