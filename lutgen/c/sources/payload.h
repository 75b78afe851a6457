/* Writing payloads, from the last residual to the first.  This is compiled with the code for AVX2, too,
 * as what it includes. */
#ifndef LUTGEN_PAYLOAD_H
#define LUTGEN_PAYLOAD_H

#include "row_coder.h"

/* State from which the last sample's token is decoded: the one with most zeros at its end. */
static inline uint32_t last_state(uint32_t start, uint32_t freq)
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
static ALWAYS_INLINE uint32_t push(uint32_t *state, uint32_t start, uint32_t freq, uint32_t *count)
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

/* Code the last residual that is not coded yet; `first` if none is. */
static ALWAYS_INLINE void put_last(struct lutgen_payload *p, int first)
{
    const uint32_t code = p->code[--p->count];
    const uint32_t start = code & SLOT_MASK;
    const uint32_t freq = (code >> FREQUENCY_AT & SLOT_MASK) + 1;
    const uint32_t raw = code >> RAW_AT;
    uint64_t value = p->folded[p->count] & ((1u << raw) - 1);
    uint32_t n = 0;

    /* What is pushed last is read first: the raw bits come before those of the state. */
    if (first) {
        p->state = last_state(start, freq);
    } else {
        const uint32_t low = push(&p->state, start, freq, &n);

        value = value << n | low;
    }
    p->held |= value << p->bits;
    p->bits += n + raw;
}

/* Move whole bytes of what is held before the payload. */
static ALWAYS_INLINE void drain(struct lutgen_payload *p)
{
    const uint32_t bytes = p->bits >> 3;

    uint8_t *at = p->at - 8;

    at[0] = (uint8_t)(p->held >> 56);
    at[1] = (uint8_t)(p->held >> 48 & 255u);
    at[2] = (uint8_t)(p->held >> 40 & 255u);
    at[3] = (uint8_t)(p->held >> 32 & 255u);
    at[4] = (uint8_t)(p->held >> 24 & 255u);
    at[5] = (uint8_t)(p->held >> 16 & 255u);
    at[6] = (uint8_t)(p->held >> 8 & 255u);
    at[7] = (uint8_t)(p->held & 255u);
    p->at -= bytes;
    p->held = p->held >> 4 * bytes >> 4 * bytes;
    p->bits &= 7u;
}

/* Leave out zeros at the end of a payload that has no byte yet. */
static inline void trim(struct lutgen_payload *p)
{
    while (p->at == p->end && p->bits && !(p->held & 1u)) {
        p->held >>= 1;
        p->bits--;
    }
}

/* Before anything is coded; of none but zeros nothing will be. */
static inline void clear_payload(struct lutgen_payload *p)
{
    uint16_t any = 0;

    p->at = p->end;
    p->held = 0;
    p->bits = 0;
    p->state = 0;
    for (size_t k = 0; k < p->count; k++) {
        any |= p->folded[k];
    }
    if (!any) {
        p->count = 0;
    }
}

/* Code residuals until there is a byte. */
static inline void begin_payload(struct lutgen_payload *p)
{
    clear_payload(p);
    while (p->count > 0 && p->at == p->end) {
        put_last(p, !p->state);
        trim(p);
        drain(p);
    }
}

/* Put the first state, of so many bits below its leading one, where all is coded. */
static inline void finish_payload(struct lutgen_payload *p, uint32_t state_bits)
{
    if (!p->state || p->at < p->start) {
        return;
    }
    p->held |= (uint64_t)p->state << p->bits;
    p->bits += state_bits + 1;
    trim(p);
    drain(p);
    if (p->bits) {
        *--p->at = (uint8_t)p->held;
    }
}

/* Code all that is left. */
static inline void end_payload(struct lutgen_payload *p)
{
    while (p->count > 0 && p->at >= p->start) {
        put_last(p, 0);
        drain(p);
    }
    finish_payload(p, STATE_BITS);
}

static inline void begin_payloads(struct lutgen_payload *payload, unsigned units)
{
    for (unsigned k = 0; k < units; k++) {
        begin_payload(&payload[k]);
    }
}

/* Two units side by side, neither of which waits for the other, as long as both have residuals. */
static inline void put_pair(struct lutgen_payload *a, struct lutgen_payload *b)
{
    struct lutgen_payload first = *a;
    struct lutgen_payload second = *b;

    /* What is held has room for two residuals of each. */
    while (first.count > 1 && second.count > 1 && first.at >= first.start &&
           second.at >= second.start) {
        put_last(&first, 0);
        put_last(&second, 0);
        put_last(&first, 0);
        put_last(&second, 0);
        drain(&first);
        drain(&second);
    }
    *a = first;
    *b = second;
}

/* Code all that is left of units that have begun. */
static inline void end_payloads(struct lutgen_payload *payload, unsigned units)
{
    for (unsigned k = 0; k + 1 < units; k += 2) {
        put_pair(&payload[k], &payload[k + 1]);
    }
    for (unsigned k = 0; k < units; k++) {
        end_payload(&payload[k]);
    }
}

#endif
