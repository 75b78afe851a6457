/* What a workspace for tiles is divided into. */
#ifndef LUTGEN_TILE_WORK_H
#define LUTGEN_TILE_WORK_H

#include "circuit.h"
#include "tans.h"
#include "tile_planes.h"

/* A symbol to be coded: where its interval begins and how long it is.  Of tANS the length may be 0:
 * then `start` is the symbol itself, which is escaped. */
struct lutgen_interval {
    uint16_t start;
    uint16_t length;
    uint16_t row; /* class of a table head */
};

/* A tile that is being decoded. */
struct lutgen_lane {
    const uint8_t *payload;
    uint32_t bits;  /* of the payload */
    uint32_t at;    /* bits that have been read, or more if it had too few */
    uint32_t state;
    uint32_t y;     /* of the next pixel */
    uint32_t x;
    uint8_t strip;
    uint8_t sound;
    uint8_t *out;   /* where the image has the tile's first pixel */
};

struct lutgen_tile_work {
    struct lutgen_tile_planes planes;
    struct lutgen_tans tans;
    struct lutgen_tile *tile; /* as many as are decoded at once */
    struct lutgen_lane *lane;
    uint8_t *pixels; /* planes of all of them */
    uint8_t *priors;
    uint64_t *word; /* of a network */
    struct lutgen_interval *interval; /* of all levels of a tile */
    uint8_t *payload;
};

/* Divide a workspace; without one, only say how many bytes it must have. */
uint64_t lutgen_divide_tile_work(const struct lutgen_model *model, const struct lutgen_frame *frame,
                                 uint8_t *base, struct lutgen_tile_work *work);

#endif
