/* tANS: a table of 2^L states for each class, made when the class is met first;
 * lutgen/codec/tans.py. */
#ifndef LUTGEN_TANS_H
#define LUTGEN_TANS_H

#include <stddef.h>
#include <stdint.h>

enum { LUTGEN_MOST_SYMBOLS = 256, LUTGEN_LEAST_TANS = 8, LUTGEN_MOST_TANS = 12 };

/* Tables in the caller's workspace; `bits` is 0 if there are none, as of rANS.  The symbol behind the
 * last one is the escape, which stands for those that have no states. */
struct lutgen_tans {
    uint32_t bits;
    uint32_t symbols;
    uint32_t least;      /* states that an escape has at least */
    uint32_t rows;
    uint8_t *made;       /* by row: what has been made, see below */
    uint16_t *cumulative; /* of each row: states of the symbols before each, see lutgen_tans_row */
    uint16_t *states;    /* of all rows: two of each state */
    uint64_t *due;       /* room to order states */
    uint16_t *symbol;
    uint16_t *count;
};

enum { LUTGEN_MADE_NONE, LUTGEN_MADE_FOR_DECODER, LUTGEN_MADE_FOR_ENCODER };

/* Place tables of `rows` rows in memory that is aligned to eight bytes, or, without memory, only
 * return how many bytes of it they take. */
uint64_t lutgen_place_tans(uint8_t *base, uint32_t bits, uint32_t symbols, uint32_t least,
                           uint32_t rows, struct lutgen_tans *tans);

/* Forget what is in the memory. */
void lutgen_begin_tans(const struct lutgen_tans *tans);

/* `symbols` + 2 numbers, once the row's table has been made. */
static inline const uint16_t *lutgen_tans_row(const struct lutgen_tans *tans, uint32_t row)
{
    return tans->cumulative + (size_t)row * (tans->symbols + 2);
}

/* The decoder's: symbol and reduced state of each state of a row, whose symbols have these
 * cumulative frequencies. */
const uint16_t (*lutgen_tans_decoder(const struct lutgen_tans *tans, uint32_t row,
                                     const uint16_t *frequencies))[2];

/* The encoder's: of symbol s, place `cumulative[s] + x - f` has the state behind x in [f, 2 f). */
const uint16_t *lutgen_tans_encoder(const struct lutgen_tans *tans, uint32_t row,
                                    const uint16_t *frequencies);

#endif
