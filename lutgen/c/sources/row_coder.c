#include "row_coder.h"

/* State from which the last sample's token is decoded: the one with most zeros at its end. */
static uint32_t last_state(uint32_t start, uint32_t freq)
{
    uint32_t bit = 0;

    while (bit < LUTGEN_PROB_BITS) {
        const uint32_t above =
            ((start >> (bit + 1)) + ((start & ((2u << bit) - 1)) != 0)) << (bit + 1);

        if (above >= start + freq) {
            break;
        }
        bit++;
    }
    return (1u << (LUTGEN_PROB_BITS + QUOTIENT_BITS)) +
           (((start + (1u << bit) - 1) >> bit) << bit);
}

/* Code a token; `*count` becomes how many bits leave the state, which are returned. */
static inline uint32_t push(uint32_t *state, uint32_t start, uint32_t freq, uint32_t *count)
{
    const uint32_t limit = freq << (QUOTIENT_BITS + 1);
    uint32_t n = STATE_BITS - leading_one(limit);
    uint32_t bits;
    uint32_t x;
    uint32_t quotient;

    n += *state >> n >= limit;
    bits = *state & ((1u << n) - 1);
    x = *state >> n; /* 4 freq to 8 freq - 1 */
    quotient = 4u + (x >= 5 * freq) + (x >= 6 * freq) + (x >= 7 * freq);
    *state = (quotient << LUTGEN_PROB_BITS) + x - quotient * freq + start;
    *count = n;
    return bits;
}

/* Move 32 bits of the `*count`, less than 64, that are held before the payload, if there are. */
static inline int drain_words(struct lutgen_payload *payload, uint64_t *held, uint32_t *count)
{
    if (*count >= 32) {
        if (payload->at - payload->start < 4) {
            return 0;
        }
        payload->at -= 4;
        payload->at[0] = (uint8_t)(*held >> 24 & 255u);
        payload->at[1] = (uint8_t)(*held >> 16 & 255u);
        payload->at[2] = (uint8_t)(*held >> 8 & 255u);
        payload->at[3] = (uint8_t)(*held & 255u);
        *held >>= 32;
        *count -= 32;
    }
    return 1;
}

/* Move whole bytes likewise. */
static inline int drain(struct lutgen_payload *payload, uint64_t *held, uint32_t *count)
{
    while (*count >= 8) {
        if (payload->at == payload->start) {
            return 0;
        }
        *--payload->at = (uint8_t)(*held & 255u);
        *held >>= 8;
        *count -= 8;
    }
    return 1;
}

int lutgen_write_payload(const uint16_t (*cumulative)[LUTGEN_TOKENS + 1], const uint16_t *folded,
                         const uint16_t *row, size_t count, struct lutgen_payload *payload)
{
    uint64_t held = 0;
    uint32_t bits = 0;
    uint32_t state = 0;
    uint16_t any = 0;

    payload->at = payload->end;
    for (size_t k = 0; k < count; k++) {
        any |= folded[k];
    }
    if (!any) {
        return 1;
    }
    for (size_t k = count; k-- > 0;) {
        uint32_t raw;
        const uint32_t token = token_of(folded[k], &raw);
        const uint32_t start = cumulative[row[k]][token];
        const uint32_t freq = cumulative[row[k]][token + 1] - start;

        if (k == count - 1) {
            state = last_state(start, freq);
        } else {
            uint32_t n;

            held |= (uint64_t)push(&state, start, freq, &n) << bits;
            bits += n;
        }
        /* What is pushed last is read first: the raw bits come before those of the state. */
        held |= (uint64_t)(folded[k] & ((1u << raw) - 1)) << bits;
        bits += raw;
        if (payload->at == payload->end) { /* zeros at the end are left out */
            while (bits && !(held & 1u)) {
                held >>= 1;
                bits--;
            }
        }
        if (!drain_words(payload, &held, &bits)) {
            return 0;
        }
    }
    held |= (uint64_t)state << bits;
    bits += STATE_BITS + 1;
    if (payload->at == payload->end) {
        while (!(held & 1u)) {
            held >>= 1;
            bits--;
        }
    }
    if (!drain(payload, &held, &bits)) {
        return 0;
    }
    if (bits) {
        if (payload->at == payload->start) {
            return 0;
        }
        *--payload->at = (uint8_t)held;
    }
    return 1;
}

void lutgen_write_plain(const uint16_t *folded, size_t count, uint32_t bits, uint8_t *out)
{
    uint32_t held = 0;
    uint32_t n = 0;

    for (size_t k = 0; k < count; k++) {
        held = held << bits | folded[k];
        n += bits;
        while (n >= 8) {
            n -= 8;
            *out++ = (uint8_t)(held >> n);
        }
        held &= (1u << n) - 1;
    }
    if (n) {
        *out = (uint8_t)(held << (8 - n));
    }
}
