/* Pixels of a tile and of its smaller levels, with borders of zeros as wide as a window reaches. */
#ifndef LUTGEN_TILE_PLANES_H
#define LUTGEN_TILE_PLANES_H

#include "tile_model.h"

enum { LUTGEN_MOST_LEVELS = 3, LUTGEN_MOST_TILE = 64 };

static inline uint32_t half_of(uint32_t side)
{
    return (side + 1) / 2;
}

/* Where the levels of a frame's tiles are in the planes of a tile. */
struct lutgen_tile_planes {
    uint32_t levels;                          /* with the tile itself */
    uint32_t stride[LUTGEN_MOST_LEVELS + 1];  /* bytes of a row */
    size_t first[LUTGEN_MOST_LEVELS + 1];     /* byte of the first pixel */
    size_t bytes;
};

void lutgen_place_planes(const struct lutgen_tile_model *model, const struct lutgen_frame *frame,
                         struct lutgen_tile_planes *planes);

/* A tile while it is coded. */
struct lutgen_tile {
    uint8_t *pixels;
    uint8_t *priors; /* guesses at the pixels, from those of the next level */
    uint32_t width[LUTGEN_MOST_LEVELS + 1];
    uint32_t height[LUTGEN_MOST_LEVELS + 1];
};

/* Clear the planes of a tile of such sides. */
void lutgen_begin_tile(const struct lutgen_tile_planes *planes, uint32_t width, uint32_t height,
                       struct lutgen_tile *tile);

/* Make the smaller levels from the tile's pixels. */
void lutgen_pool_tile(const struct lutgen_tile_planes *planes, const struct lutgen_tile *tile);

/* Steps from a pixel to its features in a plane that begins so many bytes behind its own. */
void lutgen_steps(const int8_t (*offset)[2], uint32_t features, uint32_t stride, ptrdiff_t plane,
                  int32_t *step);

#endif
