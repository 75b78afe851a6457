/* Intervals of symbols by class: of a table head, of a Laplace head, and of the last pixel of a
 * block whose average is known; lutgen/model/{head,constraint}.py. */
#ifndef LUTGEN_TILE_HEAD_H
#define LUTGEN_TILE_HEAD_H

#include "arithmetic.h"
#include "tile_work.h"

enum {
    LUTGEN_CANDIDATES = 4,
    TOP_EXPONENT = 11, /* of the heaviest candidate's weight */
    LUTGEN_STATE_BITS = LUTGEN_PROB_BITS + 2 /* of rANS, below the leading one */
};

/* Where the interval of a symbol of a class begins, or, of symbol 256, ends. */
static inline uint32_t bound_of(const struct lutgen_tile_model *model, uint32_t row,
                                uint32_t symbol)
{
    const uint32_t location = row % LUTGEN_LOCATIONS;

    if (model->classes) {
        return model->cumulative[row][symbol];
    }
    if (symbol % LUTGEN_SYMBOLS == 0) {
        return symbol << (LUTGEN_PROB_BITS - 8);
    }
    return model->distribution[row / LUTGEN_LOCATIONS][LUTGEN_LOCATIONS + 2 * symbol - 1 -
                                                       location] +
           symbol;
}

/* The symbol whose interval holds a slot. */
static inline uint32_t symbol_of(const struct lutgen_tile_model *model, uint32_t row,
                                 uint32_t slot)
{
    uint32_t symbol = 0;

    if (model->classes) {
        const uint16_t *const cumulative = model->cumulative[row];
        const uint32_t first = slot >> (LUTGEN_PROB_BITS - LUTGEN_GUESS_BITS);
        uint32_t last =
            first + 1 < 1u << LUTGEN_GUESS_BITS ? model->guess[row][first + 1] : LUTGEN_SYMBOLS - 1;

        symbol = model->guess[row][first];
        while (symbol < last) { /* seldom: most slots are those of likely symbols */
            const uint32_t middle = (symbol + last + 1) / 2;

            if (cumulative[middle] <= slot) {
                symbol = middle;
            } else {
                last = middle - 1;
            }
        }
        return symbol;
    }
    for (uint32_t bit = LUTGEN_SYMBOLS / 2; bit; bit >>= 1) {
        symbol += bound_of(model, row, symbol + bit) <= slot ? bit : 0;
    }
    return symbol;
}

/* Whether a pixel of a level is the last of a block, so that its average leaves four values. */
static inline int ends_block(const struct lutgen_tile_model *model, uint32_t level, uint32_t y,
                             uint32_t x)
{
    return model->constraint && level < model->levels && (y & x & 1u);
}

/* The first candidate of such a pixel, which may be below 0, and the bounds of all. */
int32_t lutgen_candidates(const struct lutgen_tile_model *model,
                          const struct lutgen_tile_planes *planes, const struct lutgen_tile *tile,
                          uint32_t level, uint32_t y, uint32_t x, uint32_t row,
                          uint32_t bounds[LUTGEN_CANDIDATES + 1]);

#endif
