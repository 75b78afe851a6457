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

/* First state of a payload of which nothing has been read, or 0 of one without a one in its first byte;
 * it has `state_bits` below its leading one. */
static inline uint32_t begin_state(struct lutgen_bits *bits, uint32_t state_bits)
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
    return take(bits, state_bits + 1);
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

/* The folded residual of a token that has been found; the state becomes that behind it.  It takes 27
 * bits at most, so a window holds the bits of two. */
static inline uint32_t take_residual(const uint16_t *cumulative, uint32_t token,
                                     struct lutgen_bits *bits, uint32_t *state)
{
    const uint32_t start = cumulative[token];
    const uint32_t freq = cumulative[token + 1] - start;
    const uint32_t next = freq * (*state >> LUTGEN_PROB_BITS) + (*state & SLOT_MASK) - start;
    const uint32_t count = STATE_BITS - leading_one(next);
    const uint32_t total = count + lutgen_raw_bits[token];
    const uint32_t both = (uint32_t)(bits->window >> 32 >> (32 - total));

    bits->window <<= total;
    bits->held -= (int32_t)total;
    *state = next << count | (both & ((1u << count) - 1));
    return lutgen_residual[token] | both >> count;
}

/* One sample's folded residual. */
static inline uint32_t next_residual(const struct lutgen_tables *tables, struct lutgen_bits *bits,
                                     uint32_t *state, uint32_t row)
{
    const uint32_t token = find_token(tables, row, *state & SLOT_MASK);

    refill(bits);
    return take_residual(tables->cumulative[row], token, bits, state);
}

/* What a residual is coded as: where the interval of its token starts, its frequency less one, and the
 * number of its raw bits. */
enum { FREQUENCY_AT = 14, RAW_AT = 28 };

static inline uint32_t code_of(const uint16_t *cumulative, uint32_t folded)
{
    uint32_t raw;
    const uint32_t token = token_of(folded, &raw);
    const uint32_t start = cumulative[token];

    return start | (cumulative[token + 1] - start - 1) << FREQUENCY_AT | raw << RAW_AT;
}

/* A payload that is written, from its end on, in memory that has ROOM_BEFORE bytes more before
 * `start`. */
struct lutgen_payload {
    uint8_t *start; /* where it may begin at most */
    uint8_t *at;    /* its first byte so far; before `start` if there was no room */
    uint8_t *end;
    const uint16_t *folded; /* residuals of the unit, ... */
    const uint32_t *code;   /* ... and what they are coded as */
    size_t count;           /* of those that are not coded yet */
    uint64_t held;          /* bits before the payload's first byte, lowest ones last */
    uint32_t bits;
    uint32_t state;
};
enum { ROOM_BEFORE = 16 };

/* Code up to MOST_UNITS units side by side, whose residuals are at most `most`; `folded`, `code`, `count`,
 * `start` and `end` are given. */
typedef void lutgen_write_payloads(struct lutgen_payload *payload, unsigned units, uint32_t most);
enum { MOST_UNITS = 8 };

lutgen_write_payloads lutgen_write_payloads_portable;

/* Write folded residuals of `bits` bits each. */
void lutgen_write_plain(const uint16_t *folded, size_t count, uint32_t bits, uint8_t *out);

#endif
