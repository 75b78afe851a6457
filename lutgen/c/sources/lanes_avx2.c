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
#include <string.h>

#define LANES 32

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

/* Sums of the trees `begin` to `end`: a table of 64 numbers is four of the sixteen that a shuffle
 * looks up in.  An address of another one gets its upper bit set, for which a shuffle gives 0. */
static void look_up_avx2(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                         const uint8_t (*address)[LANES], int32_t sum[LANES])
{
    const __m256i second = _mm256_set1_epi8(16);
    const __m256i third = _mm256_set1_epi8(32);
    const __m256i fourth = _mm256_set1_epi8(48);
    const __m256i others = _mm256_set1_epi8(112);
    __m256i low = _mm256_setzero_si256();
    __m256i high = _mm256_setzero_si256();

    for (unsigned t = begin; t < end; t++) {
        const int8_t *value = tables->value[t];
        const __m256i at = load(address[t]);
        const __m256i a = _mm256_adds_epu8(at, others);
        const __m256i b = _mm256_adds_epu8(_mm256_xor_si256(at, second), others);
        const __m256i c = _mm256_adds_epu8(_mm256_xor_si256(at, third), others);
        const __m256i d = _mm256_adds_epu8(_mm256_xor_si256(at, fourth), others);
        const __m256i found = _mm256_or_si256(
            _mm256_or_si256(_mm256_shuffle_epi8(load_twice(value), a),
                            _mm256_shuffle_epi8(load_twice(value + 16), b)),
            _mm256_or_si256(_mm256_shuffle_epi8(load_twice(value + 32), c),
                            _mm256_shuffle_epi8(load_twice(value + 48), d)));

        low = _mm256_add_epi16(low, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(found)));
        high = _mm256_add_epi16(high, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(found, 1)));
    }
    store_wide(sum, low);
    store_wide(sum + 16, high);
}

/* to = feature > threshold ? above : below */
static inline void choose_avx2(uint8_t *to, const int8_t *feature, const int8_t *threshold,
                               const uint8_t *above, const uint8_t *below)
{
    const __m256i up = _mm256_cmpgt_epi8(load(feature), load(threshold));

    store(to, _mm256_blendv_epi8(load(below), load(above), up));
}

/* Sixteen lanes of a sum of differences of terms, as a feature before it is clamped. */
static inline __m256i divided_avx2(const int16_t *const *term, int terms, int absolutes,
                                   __m128i gain, size_t l, const int16_t *limit,
                                   const int16_t *before, const int16_t *factor)
{
    __m256i total = _mm256_sub_epi16(load(term[0] + l), load(term[1] + l));

    if (absolutes) {
        total = _mm256_abs_epi16(total);
        for (int k = 1; k < terms; k++) {
            total = _mm256_add_epi16(total, _mm256_abs_epi16(_mm256_sub_epi16(
                                                load(term[2 * k] + l), load(term[2 * k + 1] + l))));
        }
    } else {
        for (int k = 1; k < terms; k++) {
            total = _mm256_add_epi16(
                total, _mm256_sub_epi16(load(term[2 * k] + l), load(term[2 * k + 1] + l)));
        }
    }
    total = _mm256_sll_epi16(total, gain);
    total = _mm256_min_epi16(total, load(limit + l));
    total = _mm256_max_epi16(total, _mm256_sub_epi16(_mm256_setzero_si256(), load(limit + l)));
    total = _mm256_mullo_epi16(total, load(before + l));
    total = _mm256_mulhi_epi16(total, load(factor + l));
    return absolutes ? _mm256_sub_epi16(total, _mm256_set1_epi16(128)) : total;
}

/* A feature, which packing clamps to a byte. */
static inline void divide_avx2(int8_t *to, const int16_t *const *term, int terms, int absolutes,
                               int gain, const int16_t *limit, const int16_t *before,
                               const int16_t *factor)
{
    const __m128i places = _mm_cvtsi32_si128(gain);
    const __m256i low =
        divided_avx2(term, terms, absolutes, places, 0, limit, before, factor);
    const __m256i high =
        divided_avx2(term, terms, absolutes, places, 16, limit, before, factor);

    store(to, _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8));
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

/* The token whose interval a slot is in: as many as end at or before it. */
static inline uint32_t find_token_avx2(const struct lutgen_tables *tables, uint32_t row,
                                       uint32_t slot)
{
    const uint16_t *end = tables->cumulative[row] + 1;
    const __m256i behind = _mm256_set1_epi16((int16_t)(slot + 1));
    const __m256i low = _mm256_packs_epi16(_mm256_cmpgt_epi16(behind, load(end)),
                                           _mm256_cmpgt_epi16(behind, load(end + 16)));
    const __m256i high = _mm256_packs_epi16(_mm256_cmpgt_epi16(behind, load(end + 32)),
                                            _mm256_cmpgt_epi16(behind, load(end + 48)));
    const uint64_t below = (uint32_t)_mm256_movemask_epi8(low);
    const uint64_t above = (uint32_t)_mm256_movemask_epi8(high);

    return (uint32_t)__builtin_popcountll(below | above << 32);
}

#define LOOK_UP look_up_avx2
#define FIND_TOKEN find_token_avx2
#define LANE_CHOOSE choose_avx2
#define LANE_DIVIDE divide_avx2
#define LANE_DOT dot_avx2

#define ELEMENT int16_t
#define NARROW 1
#define COLOUR 0
#define NAME(x) x##_avx2_16
#include "lanes_body.h"
#undef ELEMENT
#undef NARROW
#undef NAME

#define ELEMENT int32_t
#define NARROW 0
#define NAME(x) x##_avx2_32
#include "lanes_body.h"
#undef COLOUR
#undef NAME

#define COLOUR 1
#define NAME(x) x##_avx2_colour
#include "lanes_body.h"

const struct lutgen_lanes_functions lutgen_lanes_avx2 = {
    LANES,         decode_avx2_16,     decode_avx2_32,     encode_avx2_16,
    encode_avx2_32, decode_avx2_colour, encode_avx2_colour,
};

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
