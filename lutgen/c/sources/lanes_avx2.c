/* lanes_body.h for processors with AVX2, which is asked for at run time. */

#include "lanes.h"

#ifdef LUTGEN_AVX2

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt")
#endif

#include <immintrin.h>
#include <float.h>
#include <string.h>

#include "payload.h"

#define LANES 32

enum { KINDS = 4 }; /* of features that are differences */

static inline __m256i load(const void *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

static inline __m256i load_twice(const void *from)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)from));
}

static inline void store(void *to, __m256i values)
{
    _mm256_storeu_si256((__m256i *)to, values);
}

static inline void store_wide(int32_t *to, __m256i values)
{
    store(to, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(values)));
    store(to + 8, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(values, 1)));
}

#include "payload_avx2.h"

/* By registers, as what is written by half of one cannot be read at once. */
static inline void copy(void *to, const void *from, size_t bytes)
{
    for (size_t k = 0; k < bytes; k += 32) {
        store((uint8_t *)to + k, load((const uint8_t *)from + k));
    }
}

/* 128 bits from each of two places. */
static inline __m256i load_halves(const void *low, const void *high)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
        _mm_loadu_si128((const __m128i *)high), 1);
}

/* Sum of products of 32 taps, eight of each row. */
static inline int32_t dot_avx2(const int16_t *taps, const int16_t *a, const int16_t *b,
                               const int16_t *c, const int16_t *d)
{
    const __m256i near_rows = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)a)),
        _mm_loadu_si128((const __m128i *)(const void *)b), 1);
    const __m256i far_rows = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)c)),
        _mm_loadu_si128((const __m128i *)(const void *)d), 1);
    const __m256i sums = _mm256_add_epi32(_mm256_madd_epi16(near_rows, load(taps)),
                                          _mm256_madd_epi16(far_rows, load(taps + 16)));
    __m128i sum =
        _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));

    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    return _mm_cvtsi128_si32(sum);
}

/* Which of 32 intervals end at or before a slot. */
static inline uint32_t ended_avx2(const uint16_t *end, __m256i behind)
{
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_packs_epi16(_mm256_cmpgt_epi16(behind, load(end)),
                           _mm256_cmpgt_epi16(behind, load(end + 16))));
}

/* The token whose interval a slot is in: as many as end at or before it. */
static inline uint32_t find_token_avx2(const struct lutgen_tables *tables, uint32_t row,
                                       uint32_t slot)
{
    const uint16_t *end = tables->cumulative[row] + 1;
    const __m256i behind = _mm256_set1_epi16((int16_t)(slot + 1));
    const uint32_t few = (uint32_t)__builtin_popcount(ended_avx2(end, behind));

    return few < 32 ? few : 32 + (uint32_t)__builtin_popcount(ended_avx2(end + 32, behind));
}

/* Eight lanes of what folded residuals are coded as; `at` is where intervals of tokens stand. */
static inline __m256i codes_avx2(const uint16_t *cumulative, __m256i at, __m256i raw)
{
    const __m256i both = _mm256_i32gather_epi32((const int *)(const void *)cumulative, at, 2);
    const __m256i start = _mm256_and_si256(both, _mm256_set1_epi32(0xffff));
    const __m256i less = _mm256_add_epi32(start, _mm256_set1_epi32(1));
    const __m256i frequency = _mm256_sub_epi32(_mm256_srli_epi32(both, 16), less);

    return _mm256_or_si256(_mm256_or_si256(start, _mm256_slli_epi32(frequency, FREQUENCY_AT)),
                           _mm256_slli_epi32(raw, RAW_AT));
}

#define FIND_TOKEN find_token_avx2
#define LANE_CODES
#define COPY_LANES(to, from) copy(to, from, sizeof(to))
#define LANE_AVX2
#define LANE_DOT dot_avx2

#define ELEMENT int16_t
#define NARROW 1
#define COLOUR 0
#define NAME(x) x##_avx2_16
#include "lanes_body.h"
#undef COLOUR
#undef NAME

#define COLOUR 1
#define NAME(x) x##_avx2_colour_16
#include "lanes_body.h"
#undef ELEMENT
#undef NARROW
#undef COLOUR
#undef NAME

#define COLOUR 0
#define ELEMENT int32_t
#define NARROW 0
#define NAME(x) x##_avx2_32
#include "lanes_body.h"
#undef COLOUR
#undef NAME

#define COLOUR 1
#define NAME(x) x##_avx2_colour
#include "lanes_body.h"

static void write_payloads_avx2(struct lutgen_payload *payload, unsigned units, uint32_t most)
{
    begin_payloads(payload, units);
    if (units == UNITS && most < 256) {
        while (put_all_avx2(payload) > LEAST_STEPS) {
        }
    }
    end_payloads(payload, units);
}

const struct lutgen_lanes_functions lutgen_lanes_avx2 = {
    .lanes = LANES,
    .decode_16 = decode_avx2_16,
    .decode_32 = decode_avx2_32,
    .decode_colour_16 = decode_avx2_colour_16,
    .decode_colour = decode_avx2_colour,
    .encode_16 = encode_avx2_16,
    .encode_32 = encode_avx2_32,
    .encode_colour_16 = encode_avx2_colour_16,
    .encode_colour = encode_avx2_colour,
    .write_payloads = write_payloads_avx2,
};

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
