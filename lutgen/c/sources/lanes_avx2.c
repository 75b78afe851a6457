/* lanes_body.h for processors with AVX2, which is asked for at run time. */

#include "lanes.h"

#ifdef LUTGEN_AVX2

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,lzcnt")
#endif

#include <immintrin.h>
#include <string.h>

/* Sums of the trees `begin` to `end`: a table of 64 numbers is four of the sixteen that a shuffle
 * looks up in.  An address of another one gets its upper bit set, for which a shuffle gives 0. */
static void look_up_avx2(const struct lutgen_model *model, unsigned begin, unsigned end,
                         const uint8_t (*address)[LANES], int32_t sum[LANES])
{
    const __m256i first = _mm256_setr_m128i(_mm_setzero_si128(), _mm_set1_epi8(16));
    const __m256i second = _mm256_setr_m128i(_mm_set1_epi8(32), _mm_set1_epi8(48));
    const __m256i others = _mm256_set1_epi8(112);
    __m256i total = _mm256_setzero_si256();

    for (unsigned t = begin; t < end; t++) {
        const __m256i *table = (const __m256i *)(const void *)model->value[t];
        const __m256i at =
            _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)address[t]));
        const __m256i a = _mm256_adds_epu8(_mm256_xor_si256(at, first), others);
        const __m256i b = _mm256_adds_epu8(_mm256_xor_si256(at, second), others);
        const __m256i found = _mm256_or_si256(_mm256_shuffle_epi8(_mm256_loadu_si256(table), a),
                                              _mm256_shuffle_epi8(_mm256_loadu_si256(table + 1), b));
        const __m128i value =
            _mm_or_si128(_mm256_castsi256_si128(found), _mm256_extracti128_si256(found, 1));

        total = _mm256_add_epi16(total, _mm256_cvtepi8_epi16(value));
    }
    _mm256_storeu_si256((__m256i *)(void *)sum,
                        _mm256_cvtepi16_epi32(_mm256_castsi256_si128(total)));
    _mm256_storeu_si256((__m256i *)(void *)(sum + 8),
                        _mm256_cvtepi16_epi32(_mm256_extracti128_si256(total, 1)));
}

#define LOOK_UP look_up_avx2

#define ELEMENT int16_t
#define NARROW 1
#define NAME(x) x##_avx2_16
#include "lanes_body.h"
#undef ELEMENT
#undef NARROW
#undef NAME

#define ELEMENT int32_t
#define NARROW 0
#define NAME(x) x##_avx2_32
#include "lanes_body.h"

const struct lutgen_lanes_functions lutgen_lanes_avx2 = {
    decode_avx2_16, decode_avx2_32, encode_avx2_16, encode_avx2_32,
};

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
