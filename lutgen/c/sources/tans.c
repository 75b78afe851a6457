#include "tans.h"

#include "arithmetic.h"

enum {
    FLOOR_SHARE = 64, /* parts of the unit that a head sets aside for each symbol; one is left */
    DUE_BITS = 40,
    KEPT = 3, /* symbols that deserve the third part of a state are kept */
    WEIGHTS = FLOOR_SHARE * ((1 << LUTGEN_PROB_BITS) - LUTGEN_SYMBOLS) + LUTGEN_SYMBOLS
};

/* Weights of the symbols, and which of them have states of their own: `kept`.  The others, if there
 * are any, share the escape, whose weight is the sum of theirs. */
static void weigh(const uint16_t *cumulative, uint32_t bits, uint32_t weight[LUTGEN_ESCAPE + 1],
                  uint8_t kept[LUTGEN_ESCAPE + 1])
{
    const uint32_t states = 1u << bits;
    const uint32_t most = states - (states >> 7);
    uint32_t count = 0;

    for (uint32_t s = 0; s < LUTGEN_SYMBOLS; s++) {
        weight[s] = FLOOR_SHARE * (uint32_t)(cumulative[s + 1] - cumulative[s] - 1) + 1;
        kept[s] = (uint64_t)KEPT * weight[s] * states >= WEIGHTS;
        count += kept[s];
    }
    if (count < LUTGEN_SYMBOLS) {
        for (; count > most; count--) { /* the rarest give way, of equals the last */
            uint32_t rarest = LUTGEN_ESCAPE;

            for (uint32_t s = 0; s < LUTGEN_SYMBOLS; s++) {
                if (kept[s] && (rarest == LUTGEN_ESCAPE || weight[s] <= weight[rarest])) {
                    rarest = s;
                }
            }
            kept[rarest] = 0;
        }
    }
    weight[LUTGEN_ESCAPE] = 0;
    for (uint32_t s = 0; s < LUTGEN_SYMBOLS; s++) {
        weight[LUTGEN_ESCAPE] += kept[s] ? 0 : weight[s];
    }
    kept[LUTGEN_ESCAPE] = weight[LUTGEN_ESCAPE] > 0;
}

/* Number of states of each symbol, by Webster's method. */
static void deal(const uint32_t *weight, const uint8_t *kept, uint32_t bits,
                 uint32_t number[LUTGEN_ESCAPE + 1])
{
    const uint32_t states = 1u << bits;
    const uint32_t least = states >> 7; /* of the escape */
    uint32_t set_aside = kept[LUTGEN_ESCAPE] ? least : 0;
    uint32_t dealt = 0;
    uint32_t share;

    for (uint32_t s = 0; s <= LUTGEN_ESCAPE; s++) {
        set_aside += kept[s];
    }
    share = set_aside < states ? states - set_aside : 0;
    for (uint32_t s = 0; s <= LUTGEN_ESCAPE; s++) {
        const uint32_t own = (uint32_t)((uint64_t)weight[s] * share / WEIGHTS);
        const uint32_t at_least = s == LUTGEN_ESCAPE ? least : 1;

        number[s] = !kept[s] ? 0 : own > at_least ? own : at_least;
        dealt += number[s];
    }
    for (; dealt < states; dealt++) {
        uint32_t best = LUTGEN_ESCAPE + 1;

        for (uint32_t s = 0; s <= LUTGEN_ESCAPE; s++) {
            if (kept[s] && (best > LUTGEN_ESCAPE || (uint64_t)weight[s] * (2 * number[best] + 1) >
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
    const uint32_t states = 1u << tans->bits;
    const uint32_t shift = DUE_BITS - tans->bits;

    for (uint32_t k = 0; k < states; k++) {
        tans->count[k] = 0;
    }
    for (uint32_t s = 0; s <= LUTGEN_ESCAPE; s++) {
        for (uint32_t k = 0; k < number[s]; k++) {
            tans->count[((uint64_t)(2 * k + 1) << DUE_BITS) / (2 * number[s]) >> shift]++;
        }
    }
    for (uint32_t k = 0, before = 0; k < states; k++) {
        const uint32_t here = tans->count[k];

        tans->count[k] = (uint16_t)before;
        before += here;
    }
    for (uint32_t s = 0; s <= LUTGEN_ESCAPE; s++) {
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

static void make(const struct lutgen_tile_model *model, const struct lutgen_tans *tans,
                 uint32_t row, uint8_t what)
{
    uint16_t *const cumulative = tans->cumulative[row];
    uint16_t *const table = tables_of(tans, row);
    uint32_t weight[LUTGEN_ESCAPE + 1];
    uint32_t number[LUTGEN_ESCAPE + 1];
    uint8_t kept[LUTGEN_ESCAPE + 1];

    weigh(model->cumulative[row], tans->bits, weight, kept);
    deal(weight, kept, tans->bits, number);
    order(tans, number);
    cumulative[0] = 0;
    for (uint32_t s = 0; s <= LUTGEN_ESCAPE; s++) {
        cumulative[s + 1] = (uint16_t)(cumulative[s] + number[s]);
    }
    for (uint32_t k = 0; k <= LUTGEN_ESCAPE; k++) {
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

const uint16_t (*lutgen_tans_decoder(const struct lutgen_tile_model *model,
                                     const struct lutgen_tans *tans, uint32_t row))[2]
{
    if (tans->made[row] != LUTGEN_MADE_FOR_DECODER) {
        make(model, tans, row, LUTGEN_MADE_FOR_DECODER);
    }
    return (const uint16_t (*)[2])tables_of(tans, row);
}

const uint16_t *lutgen_tans_encoder(const struct lutgen_tile_model *model,
                                    const struct lutgen_tans *tans, uint32_t row)
{
    if (tans->made[row] != LUTGEN_MADE_FOR_ENCODER) {
        make(model, tans, row, LUTGEN_MADE_FOR_ENCODER);
    }
    return tables_of(tans, row);
}
