/* tANS: a table of 2^L states for each class, made when the class is met first;
 * lutgen/codec/tans.py. */
#ifndef LUTGEN_TANS_H
#define LUTGEN_TANS_H

#include "tile_model.h"

enum {
    LUTGEN_ESCAPE = LUTGEN_SYMBOLS, /* a symbol that stands for those that have no states */
    LUTGEN_RAW_BITS = 8,            /* of a symbol behind its escape */
    LUTGEN_TANS_ROW = LUTGEN_SYMBOLS + 2
};

/* Tables in the caller's workspace; `bits` is 0 if there are none, as of rANS. */
struct lutgen_tans {
    uint32_t bits;
    uint8_t *made;                          /* by class: what has been made, see below */
    uint16_t (*cumulative)[LUTGEN_TANS_ROW]; /* states of the symbols before each */
    uint16_t *states;                       /* of all classes: two of each state */
    uint64_t *due;                          /* room to order states */
    uint16_t *symbol;
    uint16_t *count;
};

enum { LUTGEN_MADE_NONE, LUTGEN_MADE_FOR_DECODER, LUTGEN_MADE_FOR_ENCODER };

/* The decoder's: symbol and reduced state of each state of a class. */
const uint16_t (*lutgen_tans_decoder(const struct lutgen_tile_model *model,
                                     const struct lutgen_tans *tans, uint32_t row))[2];

/* The encoder's: of symbol s, place `cumulative[s] + x - f` has the state behind x in [f, 2 f). */
const uint16_t *lutgen_tans_encoder(const struct lutgen_tile_model *model,
                                    const struct lutgen_tans *tans, uint32_t row);

#endif
