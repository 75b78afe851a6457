/* Payloads of units: tokens by rANS and raw bits, in one string of bits;
 * lutgen/codec/predictive/row_coder.py. */
#ifndef LUTGEN_ROW_CODER_H
#define LUTGEN_ROW_CODER_H

#include "model.h"
#include "residual.h"

enum {
    STATE_BITS = 16,          /* of a state below its leading one */
    FIRST_STATE = 1 << STATE_BITS,
    QUOTIENT_BITS = 2,        /* of a quotient below its leading one */
    SLOT_MASK = (1 << LUTGEN_PROB_BITS) - 1,
    WINDOW_BYTES = 8          /* bytes that a reader looks at at once */
};

/* A string of bits being read, behind which there are zeros. */
struct lutgen_bits {
    const uint8_t *data;
    const uint8_t *end;
    uint64_t window; /* the next bits, from the top down */
    int32_t held;    /* how many of them */
};

static inline void begin_bits(struct lutgen_bits *bits, const uint8_t *data, const uint8_t *end)
{
    bits->data = data;
    bits->end = end;
    bits->window = 0;
    bits->held = 0;
}

/* Have at least 56 bits in the window. */
static inline void refill(struct lutgen_bits *bits)
{
    if (bits->end - bits->data >= WINDOW_BYTES) {
        const uint8_t *at = bits->data;
        const uint64_t next = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 |
                              (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
                              (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
                              (uint64_t)at[6] << 8 | (uint64_t)at[7];

        /* Bits below whole bytes are there twice, and the same. */
        bits->window |= next >> bits->held;
        bits->data += (63 - bits->held) >> 3;
        bits->held |= 56;
        return;
    }
    while (bits->held <= 56) {
        if (bits->data < bits->end) {
            bits->window |= (uint64_t)*bits->data++ << (56 - bits->held);
        }
        bits->held += 8;
    }
}

/* Take `count` bits, 0 to 32, of a window that has them. */
static inline uint32_t take(struct lutgen_bits *bits, uint32_t count)
{
    const uint32_t value = (uint32_t)(bits->window >> 32 >> (32 - count));

    bits->window <<= count;
    bits->held -= (int32_t)count;
    return value;
}

/* First state of a payload of which nothing has been read, or 0 of one without a one in its first byte. */
static inline uint32_t begin_state(struct lutgen_bits *bits)
{
    if (bits->data == bits->end || *bits->data == 0) {
        return 0;
    }
    refill(bits);
    while (!(bits->window >> 63)) {
        bits->window <<= 1;
        bits->held--;
    }
    refill(bits);
    return take(bits, STATE_BITS + 1);
}

/* The token whose interval a slot is in. */
static inline uint32_t find_token(const struct lutgen_tables *tables, uint32_t row, uint32_t slot)
{
    const uint16_t *cumulative = tables->cumulative[row];
    uint32_t token = tables->guess[row][slot >> (LUTGEN_PROB_BITS - LUTGEN_GUESS_BITS)];

    /* Most often the token is one of two; a branch for each would be guessed wrongly. */
    token += cumulative[token + 1] <= slot;
    while (cumulative[token + 1] <= slot) {
        token++;
    }
    return token;
}

/* The folded residual of a token that has been found; the state becomes that behind it. */
static inline uint32_t take_residual(const uint16_t *cumulative, uint32_t token,
                                     struct lutgen_bits *bits, uint32_t *state)
{
    const uint32_t start = cumulative[token];
    const uint32_t freq = cumulative[token + 1] - start;
    const uint32_t next = freq * (*state >> LUTGEN_PROB_BITS) + (*state & SLOT_MASK) - start;
    const uint32_t count = STATE_BITS - leading_one(next);
    uint32_t folded;

    refill(bits);
    folded = lutgen_residual[token] | take(bits, lutgen_raw_bits[token]);
    *state = next << count | take(bits, count);
    return folded;
}

/* One sample's folded residual. */
static inline uint32_t next_residual(const struct lutgen_tables *tables, struct lutgen_bits *bits,
                                     uint32_t *state, uint32_t row)
{
    const uint32_t token = find_token(tables, row, *state & SLOT_MASK);

    return take_residual(tables->cumulative[row], token, bits, state);
}

/* Longest payload that need not be looked at again: that of plain bits. */
struct lutgen_payload {
    uint8_t *start; /* where it may begin at most */
    uint8_t *at;    /* its first byte so far: it is written from its end */
    uint8_t *end;
};

/* Code a unit's folded residuals, whose `row` are those of `cumulative`, see lutgen_payload; returns
 * 0 if there is no room. */
int lutgen_write_payload(const uint16_t (*cumulative)[LUTGEN_TOKENS + 1], const uint16_t *folded,
                         const uint16_t *row, size_t count, struct lutgen_payload *payload);

/* Write folded residuals of `bits` bits each. */
void lutgen_write_plain(const uint16_t *folded, size_t count, uint32_t bits, uint8_t *out);

#endif
