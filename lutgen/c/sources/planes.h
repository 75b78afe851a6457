/* Planes of colour images as rows: which plane comes first, and where its samples are;
 * lutgen/codec/predictive/planes.py.
 *
 * An image of several channels is coded like a gray one of as many rows more: row y of the plane
 * that is coded first, of the second, and so on, then row y + 1.  A colour filter array is an image
 * of half the sides whose four planes are the places of a square: both greens, red and blue.
 * Nothing is moved: rows of planes are read and written where they are in the picture. */
#ifndef LUTGEN_PLANES_H
#define LUTGEN_PLANES_H

#include "lutgen.h"
#include "unit.h"

enum { ORDERS = 6, FIRST_CFA = 8, CFAS = 4 };

/* Whether images are colour filter arrays; then each row of pixels is two of the picture. */
static inline int is_cfa(const struct lutgen_frame *frame)
{
    return frame->channels == LUTGEN_MOST_PLANES && frame->order >= FIRST_CFA;
}

/* Whether the order of the planes is one that so many channels may have. */
int lutgen_sound_order(const struct lutgen_frame *frame);

/* LUTGEN_SUCCESS if files of such a frame can be of the model, whose hash they have. */
enum lutgen_status lutgen_takes(const struct lutgen_model *model, const struct lutgen_frame *frame);

/* The samples of a strip of so many rows of the picture. */
struct lutgen_plane lutgen_plane_of(const struct lutgen_frame *frame, void *samples,
                                    size_t stride, uint32_t rows);

#endif
