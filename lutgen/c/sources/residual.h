/* From a sample to its folded residual, its token and raw bits, and back;
 * lutgen/model/predictive/residual.py. */
#ifndef LUTGEN_RESIDUAL_H
#define LUTGEN_RESIDUAL_H

#include "arithmetic.h"

enum { EXACT_BITS = 4, EXACT = 1 << EXACT_BITS, MANTISSA_BITS = 2, MOST_RAW_BITS = 13 };

/* Folded residual, 0 to `maximum`. */
static inline uint32_t fold(int32_t sample, int32_t whole, int32_t rest, int32_t maximum)
{
    const int32_t residual = rest < 0 ? whole - sample : sample - whole;
    const int32_t size = absolute(residual);
    const int32_t room = lesser(whole, maximum - whole);

    if (size > room) {
        return (uint32_t)(room + size);
    }
    return (uint32_t)(2 * size - (residual > 0));
}

/* The sample of a folded residual that is at most `maximum`. */
static inline int32_t unfold(int32_t folded, int32_t whole, int32_t rest, int32_t maximum)
{
    const int32_t room = lesser(whole, maximum - whole);
    const int beyond = folded > 2 * room;
    const int32_t size = beyond ? folded - room : (folded + 1) >> 1;
    const int up = beyond ? whole == room : (folded & 1) != (rest < 0);

    return up ? whole + size : whole - size;
}

/* Token of a folded residual; `*raw` becomes the number of its raw bits, its lowest ones. */
static inline uint32_t token_of(uint32_t folded, uint32_t *raw)
{
    const uint32_t exponent = leading_one(folded | EXACT);
    const uint32_t bits = exponent - MANTISSA_BITS;

    if (folded < EXACT) {
        *raw = 0;
        return folded;
    }
    *raw = bits;
    return EXACT + ((exponent - EXACT_BITS) << MANTISSA_BITS) +
           ((folded >> bits) & ((1u << MANTISSA_BITS) - 1));
}

/* Number of raw bits behind a token; `*folded` becomes its residual with these bits zero. */
static inline uint32_t raw_bits_of(uint32_t token, uint32_t *folded)
{
    const uint32_t above = token - EXACT;
    const uint32_t raw = (above >> MANTISSA_BITS) + EXACT_BITS - MANTISSA_BITS;

    if (token < EXACT) {
        *folded = token;
        return 0;
    }
    *folded = ((1u << MANTISSA_BITS) + (above & ((1u << MANTISSA_BITS) - 1))) << raw;
    return raw;
}

#endif
