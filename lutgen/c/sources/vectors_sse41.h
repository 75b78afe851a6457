/* Vectors of 16 bytes with SSE4.1, in the words of lanes_vectors.h. */
#ifndef LUTGEN_VECTORS_SSE41_H
#define LUTGEN_VECTORS_SSE41_H

#include <smmintrin.h>
#include <stdint.h>
#include <string.h>

enum { VECTOR_BYTES = 16, VECTOR_PARTS = 1 };

typedef __m128i vector;

static ALWAYS_INLINE vector v_load(const void *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

static ALWAYS_INLINE void v_store(void *to, vector values)
{
    _mm_storeu_si128((__m128i *)to, values);
}

/* 128 bits from each place: there is one. */
#define v_load_parts(low, high) ((void)(high), v_load(low))

/* Sixteen bytes to be looked up. */
#define v_table(table) v_load(table)

/* Numbers of 16 bits as such of 32. */
static ALWAYS_INLINE vector v_load_wide(const int16_t *from)
{
    return _mm_cvtepi16_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from));
}

static ALWAYS_INLINE void v_store_wide(int32_t *to, vector values)
{
    v_store(to, _mm_cvtepi16_epi32(values));
    v_store(to + 4, _mm_cvtepi16_epi32(_mm_unpackhi_epi64(values, values)));
}

/* Numbers of 8 bits as such of 16: the first and the second half of all. */
#define v_widened_low(values) _mm_cvtepi8_epi16(values)
#define v_widened_high(values) _mm_cvtepi8_epi16(_mm_unpackhi_epi64(values, values))

/* Two numbers of 16 bits from each of several places. */
static ALWAYS_INLINE vector v_pairs_at(const uint16_t *from, vector at)
{
    int32_t pair[4];

    memcpy(&pair[0], from + _mm_extract_epi32(at, 0), sizeof pair[0]);
    memcpy(&pair[1], from + _mm_extract_epi32(at, 1), sizeof pair[0]);
    memcpy(&pair[2], from + _mm_extract_epi32(at, 2), sizeof pair[0]);
    memcpy(&pair[3], from + _mm_extract_epi32(at, 3), sizeof pair[0]);
    return _mm_setr_epi32(pair[0], pair[1], pair[2], pair[3]);
}

/* Sum of products of 32 taps, eight of each row. */
static ALWAYS_INLINE int32_t v_dot(const int16_t *taps, const int16_t *a, const int16_t *b,
                                   const int16_t *c, const int16_t *d)
{
    const vector ab = _mm_add_epi32(_mm_madd_epi16(v_load(a), v_load(taps)),
                                    _mm_madd_epi16(v_load(b), v_load(taps + 8)));
    const vector cd = _mm_add_epi32(_mm_madd_epi16(v_load(c), v_load(taps + 16)),
                                    _mm_madd_epi16(v_load(d), v_load(taps + 24)));
    vector sum = _mm_add_epi32(ab, cd);

    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    return _mm_cvtsi128_si32(sum);
}

/* As numbers of floating point, their bits. */
#define v_float_32(a) _mm_castps_si128(_mm_cvtepi32_ps(a))
#define v_shl_16_by(a, count) _mm_sll_epi16(a, _mm_cvtsi32_si128(count))
#define v_sar_16_by(a, count) _mm_sra_epi16(a, _mm_cvtsi32_si128(count))

/* Where the mask is set the first, elsewhere the second. */
#define v_select(mask, yes, no) _mm_blendv_epi8(no, yes, mask)
#define v_any(mask) _mm_movemask_epi8(mask)

#define v_look_up(table, at) _mm_shuffle_epi8(table, at)
#define v_zero() _mm_setzero_si128()
#define v_all_8(a) _mm_set1_epi8(a)
#define v_all_16(a) _mm_set1_epi16(a)
#define v_all_32(a) _mm_set1_epi32(a)
#define v_and(a, b) _mm_and_si128(a, b)
#define v_or(a, b) _mm_or_si128(a, b)
#define v_xor(a, b) _mm_xor_si128(a, b)
#define v_andnot(a, b) _mm_andnot_si128(a, b)
#define v_add_8(a, b) _mm_add_epi8(a, b)
#define v_add_16(a, b) _mm_add_epi16(a, b)
#define v_add_32(a, b) _mm_add_epi32(a, b)
#define v_add_saturated_16(a, b) _mm_adds_epi16(a, b)
#define v_sub_16(a, b) _mm_sub_epi16(a, b)
#define v_sub_32(a, b) _mm_sub_epi32(a, b)
#define v_abs_16(a) _mm_abs_epi16(a)
#define v_min_16(a, b) _mm_min_epi16(a, b)
#define v_max_16(a, b) _mm_max_epi16(a, b)
#define v_min_u16(a, b) _mm_min_epu16(a, b)
#define v_mul_16(a, b) _mm_mullo_epi16(a, b)
#define v_mul_high_16(a, b) _mm_mulhi_epi16(a, b)
#define v_mul_high_u16(a, b) _mm_mulhi_epu16(a, b)
#define v_dot_16(a, b) _mm_madd_epi16(a, b)
#define v_greater_8(a, b) _mm_cmpgt_epi8(a, b)
#define v_greater_16(a, b) _mm_cmpgt_epi16(a, b)
#define v_greater_32(a, b) _mm_cmpgt_epi32(a, b)
#define v_equal_16(a, b) _mm_cmpeq_epi16(a, b)
#define v_shl_16(a, count) _mm_slli_epi16(a, count)
#define v_sar_16(a, count) _mm_srai_epi16(a, count)
#define v_shr_16(a, count) _mm_srli_epi16(a, count)
#define v_shl_32(a, count) _mm_slli_epi32(a, count)
#define v_sar_32(a, count) _mm_srai_epi32(a, count)
#define v_shr_32(a, count) _mm_srli_epi32(a, count)
#define v_pack_16(a, b) _mm_packs_epi16(a, b)
#define v_pack_u16(a, b) _mm_packus_epi16(a, b)
#define v_pack_32(a, b) _mm_packs_epi32(a, b)
#define v_low_8(a, b) _mm_unpacklo_epi8(a, b)
#define v_high_8(a, b) _mm_unpackhi_epi8(a, b)
#define v_low_16(a, b) _mm_unpacklo_epi16(a, b)
#define v_high_16(a, b) _mm_unpackhi_epi16(a, b)
#define v_low_32(a, b) _mm_unpacklo_epi32(a, b)
#define v_high_32(a, b) _mm_unpackhi_epi32(a, b)
#define v_low_64(a, b) _mm_unpacklo_epi64(a, b)
#define v_high_64(a, b) _mm_unpackhi_epi64(a, b)

#endif
