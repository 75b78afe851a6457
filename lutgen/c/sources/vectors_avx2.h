/* Vectors of 32 bytes with AVX2, in the words of lanes_vectors.h.  Packing and unpacking, as look-ups,
 * are of each half on its own. */
#ifndef LUTGEN_VECTORS_AVX2_H
#define LUTGEN_VECTORS_AVX2_H

#include <immintrin.h>
#include <stdint.h>

enum { VECTOR_BYTES = 32, VECTOR_PARTS = 2 };

typedef __m256i vector;

static ALWAYS_INLINE vector v_load(const void *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

static ALWAYS_INLINE void v_store(void *to, vector values)
{
    _mm256_storeu_si256((__m256i *)to, values);
}

/* 128 bits from each of two places. */
static ALWAYS_INLINE vector v_load_parts(const void *low, const void *high)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
        _mm_loadu_si128((const __m128i *)high), 1);
}

/* Sixteen bytes to be looked up. */
static ALWAYS_INLINE vector v_table(const uint8_t *table)
{
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)table));
}

/* Numbers of 16 bits as such of 32. */
static ALWAYS_INLINE vector v_load_wide(const int16_t *from)
{
    return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)from));
}

static ALWAYS_INLINE void v_store_wide(int32_t *to, vector values)
{
    v_store(to, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(values)));
    v_store(to + 8, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(values, 1)));
}

/* Numbers of 8 bits as such of 16: the first and the second half of all. */
static ALWAYS_INLINE vector v_widened_low(vector values)
{
    return _mm256_cvtepi8_epi16(_mm256_castsi256_si128(values));
}

static ALWAYS_INLINE vector v_widened_high(vector values)
{
    return _mm256_cvtepi8_epi16(_mm256_extracti128_si256(values, 1));
}

/* Two numbers of 16 bits from each of several places. */
static ALWAYS_INLINE vector v_pairs_at(const uint16_t *from, vector at)
{
    return _mm256_i32gather_epi32((const int *)(const void *)from, at, 2);
}

/* Sum of products of 32 taps, eight of each row. */
static ALWAYS_INLINE int32_t v_dot(const int16_t *taps, const int16_t *a, const int16_t *b,
                                   const int16_t *c, const int16_t *d)
{
    const vector sums = _mm256_add_epi32(_mm256_madd_epi16(v_load_parts(a, b), v_load(taps)),
                                         _mm256_madd_epi16(v_load_parts(c, d), v_load(taps + 16)));
    __m128i sum =
        _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));

    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    return _mm_cvtsi128_si32(sum);
}

/* As numbers of floating point, their bits. */
static ALWAYS_INLINE vector v_float_32(vector a)
{
    return _mm256_castps_si256(_mm256_cvtepi32_ps(a));
}

static ALWAYS_INLINE vector v_shl_16_by(vector a, int count)
{
    return _mm256_sll_epi16(a, _mm_cvtsi32_si128(count));
}

static ALWAYS_INLINE vector v_sar_16_by(vector a, int count)
{
    return _mm256_sra_epi16(a, _mm_cvtsi32_si128(count));
}

/* Where the mask is set the first, elsewhere the second. */
static ALWAYS_INLINE vector v_select(vector mask, vector yes, vector no)
{
    return _mm256_blendv_epi8(no, yes, mask);
}

static ALWAYS_INLINE int v_any(vector mask)
{
    return _mm256_movemask_epi8(mask);
}

#define v_look_up(table, at) _mm256_shuffle_epi8(table, at)
#define v_zero() _mm256_setzero_si256()
#define v_all_8(a) _mm256_set1_epi8(a)
#define v_all_16(a) _mm256_set1_epi16(a)
#define v_all_32(a) _mm256_set1_epi32(a)
#define v_and(a, b) _mm256_and_si256(a, b)
#define v_or(a, b) _mm256_or_si256(a, b)
#define v_xor(a, b) _mm256_xor_si256(a, b)
#define v_andnot(a, b) _mm256_andnot_si256(a, b)
#define v_add_8(a, b) _mm256_add_epi8(a, b)
#define v_add_16(a, b) _mm256_add_epi16(a, b)
#define v_add_32(a, b) _mm256_add_epi32(a, b)
#define v_add_saturated_16(a, b) _mm256_adds_epi16(a, b)
#define v_sub_16(a, b) _mm256_sub_epi16(a, b)
#define v_sub_32(a, b) _mm256_sub_epi32(a, b)
#define v_abs_16(a) _mm256_abs_epi16(a)
#define v_min_16(a, b) _mm256_min_epi16(a, b)
#define v_max_16(a, b) _mm256_max_epi16(a, b)
#define v_min_u16(a, b) _mm256_min_epu16(a, b)
#define v_mul_16(a, b) _mm256_mullo_epi16(a, b)
#define v_mul_high_16(a, b) _mm256_mulhi_epi16(a, b)
#define v_mul_high_u16(a, b) _mm256_mulhi_epu16(a, b)
#define v_dot_16(a, b) _mm256_madd_epi16(a, b)
#define v_greater_8(a, b) _mm256_cmpgt_epi8(a, b)
#define v_greater_16(a, b) _mm256_cmpgt_epi16(a, b)
#define v_greater_32(a, b) _mm256_cmpgt_epi32(a, b)
#define v_equal_16(a, b) _mm256_cmpeq_epi16(a, b)
#define v_shl_16(a, count) _mm256_slli_epi16(a, count)
#define v_sar_16(a, count) _mm256_srai_epi16(a, count)
#define v_shr_16(a, count) _mm256_srli_epi16(a, count)
#define v_shl_32(a, count) _mm256_slli_epi32(a, count)
#define v_sar_32(a, count) _mm256_srai_epi32(a, count)
#define v_shr_32(a, count) _mm256_srli_epi32(a, count)
#define v_pack_16(a, b) _mm256_packs_epi16(a, b)
#define v_pack_u16(a, b) _mm256_packus_epi16(a, b)
#define v_pack_32(a, b) _mm256_packs_epi32(a, b)
#define v_low_8(a, b) _mm256_unpacklo_epi8(a, b)
#define v_high_8(a, b) _mm256_unpackhi_epi8(a, b)
#define v_low_16(a, b) _mm256_unpacklo_epi16(a, b)
#define v_high_16(a, b) _mm256_unpackhi_epi16(a, b)
#define v_low_32(a, b) _mm256_unpacklo_epi32(a, b)
#define v_high_32(a, b) _mm256_unpackhi_epi32(a, b)
#define v_low_64(a, b) _mm256_unpacklo_epi64(a, b)
#define v_high_64(a, b) _mm256_unpackhi_epi64(a, b)

#endif
