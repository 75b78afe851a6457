/* Small functions of whole numbers.
 *
 * Right shifts of negative numbers round down, as with every compiler that is known; left shifts
 * are of numbers that are not negative, else a multiplication stands in their place. */
#ifndef LUTGEN_ARITHMETIC_H
#define LUTGEN_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

#if (-1 >> 1) != -1
#error "lutgen needs right shifts that round down"
#endif

/* For functions that are fast only as part of the loop that they are called in. */
#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

static inline int32_t lesser(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t greater(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline int32_t clamped(int32_t value, int32_t least, int32_t most)
{
    return lesser(greater(value, least), most);
}

static inline int32_t absolute(int32_t value)
{
    return value < 0 ? -value : value;
}

/* The median of W, N and W + N - NW, the prediction of JPEG-LS. */
static inline int32_t median(int32_t west, int32_t north, int32_t corner)
{
    return clamped(west + north - corner, lesser(west, north), greater(west, north));
}

/* Number of the leading one; of 0 it is 0. */
static inline uint32_t leading_one(uint32_t value)
{
#if defined(__GNUC__)
    return 31u ^ (uint32_t)__builtin_clz(value | 1u);
#else
    uint32_t exponent = 0;

    for (uint32_t step = 16; step > 0; step >>= 1) {
        if (value >> (exponent + step)) {
            exponent += step;
        }
    }
    return exponent;
#endif
}

/* 16 times the logarithm of a number from 16 on, linear between powers of two. */
static inline int32_t log2_of(uint32_t value)
{
    const uint32_t exponent = leading_one(value);

    return (int32_t)((exponent << 4) + ((value >> (exponent - 4)) & 15u));
}

#endif
