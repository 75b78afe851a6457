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

/* Number of raw bits behind a token, and its residual with these bits zero. */
static const uint8_t lutgen_raw_bits[64] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0,  2,  2,  2,  2,  3,  3,
    3, 3, 4, 4, 4, 4, 5, 5, 5, 5,  6,  6,  6,  6,  7,  7,  7,  7,  8,  8,  8,  8,
    9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 11, 12, 12, 12, 12, 13, 13, 13, 13,
};
static const uint16_t lutgen_residual[64] = {
    0,     1,     2,     3,     4,     5,     6,     7,     8,     9,     10,    11,    12,
    13,    14,    15,    16,    20,    24,    28,    32,    40,    48,    56,    64,    80,
    96,    112,   128,   160,   192,   224,   256,   320,   384,   448,   512,   640,   768,
    896,   1024,  1280,  1536,  1792,  2048,  2560,  3072,  3584,  4096,  5120,  6144,  7168,
    8192,  10240, 12288, 14336, 16384, 20480, 24576, 28672, 32768, 40960, 49152, 57344,
};

#endif
