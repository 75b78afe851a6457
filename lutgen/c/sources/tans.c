#include "tans.h"

#include <string.h>

#include "arithmetic.h"
#include "model.h"

enum {
    FLOOR_SHARE = 64, /* parts of the unit that is set aside for each symbol; one is left */
    DUE_BITS = 40,
    KEPT = 3, /* symbols that deserve the third part of a state are kept */
    WITH_ESCAPE = LUTGEN_MOST_SYMBOLS + 1
};

uint64_t lutgen_place_tans(uint8_t *base, uint32_t bits, uint32_t symbols, uint32_t least,
                           uint32_t rows, struct lutgen_tans *tans)
{
    const uint64_t states = (uint64_t)1 << bits;
    const uint64_t numbers = (uint64_t)rows * (symbols + 2 + 2 * states) + 2 * states;
    uint16_t *const number = base ? (uint16_t *)(void *)(base + states * sizeof(uint64_t)) : NULL;

    tans->bits = bits;
    tans->symbols = symbols;
    tans->least = least;
    tans->rows = rows;
    if (bits == 0) {
        return 0;
    }
    if (base) {
        tans->due = (uint64_t *)(void *)base;
        tans->symbol = number;
        tans->count = number + states;
        tans->states = number + 2 * states;
        tans->cumulative = tans->states + 2 * rows * states;
        tans->made = (uint8_t *)(number + numbers);
    }
    return states * sizeof(uint64_t) + numbers * sizeof(uint16_t) + rows;
}

void lutgen_begin_tans(const struct lutgen_tans *tans)
{
    if (tans->bits) {
        memset(tans->made, LUTGEN_MADE_NONE, tans->rows);
    }
}

/* Sum of the weights of all symbols. */
static uint32_t weights(const struct lutgen_tans *tans)
{
    return FLOOR_SHARE * ((1u << LUTGEN_PROB_BITS) - tans->symbols) + tans->symbols;
}

/* Weights of the symbols, and which of them have states of their own: `kept`.  The others, if there
 * are any, share the escape, whose weight is the sum of theirs. */
static void weigh(const struct lutgen_tans *tans, const uint16_t *cumulative,
                  uint32_t weight[WITH_ESCAPE], uint8_t kept[WITH_ESCAPE])
{
    const uint32_t escape = tans->symbols;
    const uint32_t states = 1u << tans->bits;
    const uint32_t most = states - tans->least;
    uint32_t count = 0;

    for (uint32_t s = 0; s < escape; s++) {
        weight[s] = FLOOR_SHARE * (uint32_t)(cumulative[s + 1] - cumulative[s] - 1) + 1;
        kept[s] = (uint64_t)KEPT * weight[s] * states >= weights(tans);
        count += kept[s];
    }
    if (count < escape) {
        for (; count > most; count--) { /* the rarest give way, of equals the last */
            uint32_t rarest = escape;

            for (uint32_t s = 0; s < escape; s++) {
                if (kept[s] && (rarest == escape || weight[s] <= weight[rarest])) {
                    rarest = s;
                }
            }
            kept[rarest] = 0;
        }
    }
    weight[escape] = 0;
    for (uint32_t s = 0; s < escape; s++) {
        weight[escape] += kept[s] ? 0 : weight[s];
    }
    kept[escape] = weight[escape] > 0;
}

/* Number of states of each symbol, by Webster's method. */
static void deal(const struct lutgen_tans *tans, const uint32_t *weight, const uint8_t *kept,
                 uint32_t number[WITH_ESCAPE])
{
    const uint32_t escape = tans->symbols;
    const uint32_t states = 1u << tans->bits;
    const uint32_t least = tans->least;
    uint32_t set_aside = kept[escape] ? least : 0;
    uint32_t dealt = 0;
    uint32_t share;

    for (uint32_t s = 0; s <= escape; s++) {
        set_aside += kept[s];
    }
    share = set_aside < states ? states - set_aside : 0;
    for (uint32_t s = 0; s <= escape; s++) {
        const uint32_t own = (uint32_t)((uint64_t)weight[s] * share / weights(tans));
        const uint32_t at_least = s == escape ? least : 1;

        number[s] = !kept[s] ? 0 : own > at_least ? own : at_least;
        dealt += number[s];
    }
    for (; dealt < states; dealt++) {
        uint32_t best = escape + 1;

        for (uint32_t s = 0; s <= escape; s++) {
            if (kept[s] && (best > escape || (uint64_t)weight[s] * (2 * number[best] + 1) >
                                                        (uint64_t)weight[best] *
                                                            (2 * number[s] + 1))) {
                best = s;
            }
        }
        number[best]++;
    }
}

/* The states of a class in their order, by when they are due, of equals the smaller symbol first:
 * `tans->symbol`.  They come symbol by symbol, are put down near their places, and moved there. */
static void order(const struct lutgen_tans *tans, const uint32_t *number)
{
    const uint32_t escape = tans->symbols;
    const uint32_t states = 1u << tans->bits;
    const uint32_t shift = DUE_BITS - tans->bits;

    for (uint32_t k = 0; k < states; k++) {
        tans->count[k] = 0;
    }
    for (uint32_t s = 0; s <= escape; s++) {
        for (uint32_t k = 0; k < number[s]; k++) {
            tans->count[((uint64_t)(2 * k + 1) << DUE_BITS) / (2 * number[s]) >> shift]++;
        }
    }
    for (uint32_t k = 0, before = 0; k < states; k++) {
        const uint32_t here = tans->count[k];

        tans->count[k] = (uint16_t)before;
        before += here;
    }
    for (uint32_t s = 0; s <= escape; s++) {
        for (uint32_t k = 0; k < number[s]; k++) {
            const uint64_t due = ((uint64_t)(2 * k + 1) << DUE_BITS) / (2 * number[s]);
            const uint32_t place = tans->count[due >> shift]++;

            tans->due[place] = due;
            tans->symbol[place] = (uint16_t)s;
        }
    }
    for (uint32_t k = 1; k < states; k++) {
        const uint64_t due = tans->due[k];
        const uint16_t symbol = tans->symbol[k];
        uint32_t at = k;

        for (; at > 0 && tans->due[at - 1] > due; at--) {
            tans->due[at] = tans->due[at - 1];
            tans->symbol[at] = tans->symbol[at - 1];
        }
        tans->due[at] = due;
        tans->symbol[at] = symbol;
    }
}

static uint16_t *tables_of(const struct lutgen_tans *tans, uint32_t row)
{
    return tans->states + ((size_t)row << (tans->bits + 1));
}

static void make(const struct lutgen_tans *tans, uint32_t row, const uint16_t *frequencies,
                 uint8_t what)
{
    const uint32_t escape = tans->symbols;
    uint16_t *const cumulative = tans->cumulative + (size_t)row * (escape + 2);
    uint16_t *const table = tables_of(tans, row);
    uint32_t weight[WITH_ESCAPE];
    uint32_t number[WITH_ESCAPE];
    uint8_t kept[WITH_ESCAPE];

    weigh(tans, frequencies, weight, kept);
    deal(tans, weight, kept, number);
    order(tans, number);
    cumulative[0] = 0;
    for (uint32_t s = 0; s <= escape; s++) {
        cumulative[s + 1] = (uint16_t)(cumulative[s] + number[s]);
    }
    for (uint32_t k = 0; k <= escape; k++) {
        weight[k] = 0; /* from here on: states that a symbol has had */
    }
    for (uint32_t k = 0; k < 1u << tans->bits; k++) {
        const uint32_t s = tans->symbol[k];
        const uint32_t had = weight[s]++;

        if (what == LUTGEN_MADE_FOR_ENCODER) {
            table[cumulative[s] + had] = (uint16_t)k;
        } else {
            table[2 * k] = (uint16_t)s;
            table[2 * k + 1] = (uint16_t)(number[s] + had);
        }
    }
    tans->made[row] = what;
}

const uint16_t (*lutgen_tans_decoder(const struct lutgen_tans *tans, uint32_t row,
                                     const uint16_t *frequencies))[2]
{
    if (tans->made[row] != LUTGEN_MADE_FOR_DECODER) {
        make(tans, row, frequencies, LUTGEN_MADE_FOR_DECODER);
    }
    return (const uint16_t (*)[2])tables_of(tans, row);
}

const uint16_t *lutgen_tans_encoder(const struct lutgen_tans *tans, uint32_t row,
                                    const uint16_t *frequencies)
{
    if (tans->made[row] != LUTGEN_MADE_FOR_ENCODER) {
        make(tans, row, frequencies, LUTGEN_MADE_FOR_ENCODER);
    }
    return tables_of(tans, row);
}
