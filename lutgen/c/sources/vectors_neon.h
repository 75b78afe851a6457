/* Vectors of 16 bytes with NEON of 64-bit ARM, in the words of lanes_vectors.h. */
#ifndef LUTGEN_VECTORS_NEON_H
#define LUTGEN_VECTORS_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

enum { VECTOR_BYTES = 16, VECTOR_PARTS = 1 };

typedef uint8x16_t vector;

/* Vectors as such of another type of numbers, and back. */
#define AS(type, a) vreinterpretq_##type##_u8(a)
#define FROM(type, a) vreinterpretq_u8_##type(a)
#define BINARY(function, type, found, a, b) FROM(found, function(AS(type, a), AS(type, b)))

static ALWAYS_INLINE vector v_load(const void *from)
{
    return vld1q_u8((const uint8_t *)from);
}

static ALWAYS_INLINE void v_store(void *to, vector values)
{
    vst1q_u8((uint8_t *)to, values);
}

/* 128 bits from each place: there is one. */
#define v_load_parts(low, high) ((void)(high), v_load(low))

/* Sixteen bytes to be looked up. */
#define v_table(table) v_load(table)
#define v_look_up(table, at) vqtbl1q_u8(table, at)

/* Numbers of 16 bits as such of 32. */
static ALWAYS_INLINE vector v_load_wide(const int16_t *from)
{
    return FROM(s32, vmovl_s16(vld1_s16(from)));
}

static ALWAYS_INLINE void v_store_wide(int32_t *to, vector values)
{
    vst1q_s32(to, vmovl_s16(vget_low_s16(AS(s16, values))));
    vst1q_s32(to + 4, vmovl_high_s16(AS(s16, values)));
}

/* Numbers of 8 bits as such of 16: the first and the second half of all. */
#define v_widened_low(values) FROM(s16, vmovl_s8(vget_low_s8(AS(s8, values))))
#define v_widened_high(values) FROM(s16, vmovl_high_s8(AS(s8, values)))

/* Two numbers of 16 bits from each of several places. */
static ALWAYS_INLINE vector v_pairs_at(const uint16_t *from, vector at)
{
    uint32_t place[4];
    uint32_t pair[4];

    v_store(place, at);
    for (int k = 0; k < 4; k++) {
        memcpy(&pair[k], from + place[k], sizeof pair[k]);
    }
    return v_load(pair);
}

/* Sums of two products each. */
static ALWAYS_INLINE vector v_dot_16(vector a, vector b)
{
    const int32x4_t low = vmull_s16(vget_low_s16(AS(s16, a)), vget_low_s16(AS(s16, b)));
    const int32x4_t high = vmull_high_s16(AS(s16, a), AS(s16, b));

    return FROM(s32, vpaddq_s32(low, high));
}

/* Sum of products of 32 taps, eight of each row. */
static ALWAYS_INLINE int32_t v_dot(const int16_t *taps, const int16_t *a, const int16_t *b,
                                   const int16_t *c, const int16_t *d)
{
    const int16_t *const row[4] = {a, b, c, d};
    int32x4_t sum = vdupq_n_s32(0);

    for (int k = 0; k < 4; k++) {
        const int16x8_t tap = vld1q_s16(taps + 8 * k);
        const int16x8_t sample = vld1q_s16(row[k]);

        sum = vmlal_s16(sum, vget_low_s16(sample), vget_low_s16(tap));
        sum = vmlal_high_s16(sum, sample, tap);
    }
    return vaddvq_s32(sum);
}

/* Upper halves of products. */
static ALWAYS_INLINE vector v_mul_high_16(vector a, vector b)
{
    const int32x4_t low = vmull_s16(vget_low_s16(AS(s16, a)), vget_low_s16(AS(s16, b)));
    const int32x4_t high = vmull_high_s16(AS(s16, a), AS(s16, b));

    return FROM(s16, vuzp2q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high)));
}

static ALWAYS_INLINE vector v_mul_high_u16(vector a, vector b)
{
    const uint32x4_t low = vmull_u16(vget_low_u16(AS(u16, a)), vget_low_u16(AS(u16, b)));
    const uint32x4_t high = vmull_high_u16(AS(u16, a), AS(u16, b));

    return FROM(u16, vuzp2q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high)));
}

/* Numbers of half as many bits, the nearest ones that there are. */
static ALWAYS_INLINE vector v_pack_16(vector a, vector b)
{
    return FROM(s8, vqmovn_high_s16(vqmovn_s16(AS(s16, a)), AS(s16, b)));
}

static ALWAYS_INLINE vector v_pack_u16(vector a, vector b)
{
    return vqmovun_high_s16(vqmovun_s16(AS(s16, a)), AS(s16, b));
}

static ALWAYS_INLINE vector v_pack_32(vector a, vector b)
{
    return FROM(s16, vqmovn_high_s32(vqmovn_s32(AS(s32, a)), AS(s32, b)));
}

/* As numbers of floating point, their bits. */
#define v_float_32(a) FROM(f32, vcvtq_f32_s32(AS(s32, a)))
#define v_shl_16_by(a, count) FROM(s16, vshlq_s16(AS(s16, a), vdupq_n_s16((int16_t)(count))))
#define v_sar_16_by(a, count) FROM(s16, vshlq_s16(AS(s16, a), vdupq_n_s16((int16_t)-(count))))

/* Where the mask is set the first, elsewhere the second. */
#define v_select(mask, yes, no) vbslq_u8(mask, yes, no)
#define v_any(mask) (vmaxvq_u8(mask) != 0)

#define v_zero() vdupq_n_u8(0)
#define v_all_8(a) FROM(s8, vdupq_n_s8(a))
#define v_all_16(a) FROM(s16, vdupq_n_s16(a))
#define v_all_32(a) FROM(s32, vdupq_n_s32(a))
#define v_and(a, b) vandq_u8(a, b)
#define v_or(a, b) vorrq_u8(a, b)
#define v_xor(a, b) veorq_u8(a, b)
#define v_andnot(a, b) vbicq_u8(b, a)
#define v_abs_16(a) FROM(s16, vabsq_s16(AS(s16, a)))
#define v_shl_16(a, count) FROM(s16, vshlq_n_s16(AS(s16, a), count))
#define v_sar_16(a, count) FROM(s16, vshrq_n_s16(AS(s16, a), count))
#define v_shr_16(a, count) FROM(u16, vshrq_n_u16(AS(u16, a), count))
#define v_shl_32(a, count) FROM(s32, vshlq_n_s32(AS(s32, a), count))
#define v_sar_32(a, count) FROM(s32, vshrq_n_s32(AS(s32, a), count))
#define v_shr_32(a, count) FROM(u32, vshrq_n_u32(AS(u32, a), count))
#define v_add_8(a, b) BINARY(vaddq_s8, s8, s8, a, b)
#define v_add_16(a, b) BINARY(vaddq_s16, s16, s16, a, b)
#define v_add_32(a, b) BINARY(vaddq_s32, s32, s32, a, b)
#define v_add_saturated_16(a, b) BINARY(vqaddq_s16, s16, s16, a, b)
#define v_sub_16(a, b) BINARY(vsubq_s16, s16, s16, a, b)
#define v_sub_32(a, b) BINARY(vsubq_s32, s32, s32, a, b)
#define v_min_16(a, b) BINARY(vminq_s16, s16, s16, a, b)
#define v_max_16(a, b) BINARY(vmaxq_s16, s16, s16, a, b)
#define v_min_u16(a, b) BINARY(vminq_u16, u16, u16, a, b)
#define v_mul_16(a, b) BINARY(vmulq_s16, s16, s16, a, b)
#define v_greater_8(a, b) vcgtq_s8(AS(s8, a), AS(s8, b))
#define v_greater_16(a, b) BINARY(vcgtq_s16, s16, u16, a, b)
#define v_greater_32(a, b) BINARY(vcgtq_s32, s32, u32, a, b)
#define v_equal_16(a, b) BINARY(vceqq_s16, s16, u16, a, b)
#define v_low_8(a, b) BINARY(vzip1q_s8, s8, s8, a, b)
#define v_high_8(a, b) BINARY(vzip2q_s8, s8, s8, a, b)
#define v_low_16(a, b) BINARY(vzip1q_s16, s16, s16, a, b)
#define v_high_16(a, b) BINARY(vzip2q_s16, s16, s16, a, b)
#define v_low_32(a, b) BINARY(vzip1q_s32, s32, s32, a, b)
#define v_high_32(a, b) BINARY(vzip2q_s32, s32, s32, a, b)
#define v_low_64(a, b) BINARY(vzip1q_s64, s64, s64, a, b)
#define v_high_64(a, b) BINARY(vzip2q_s64, s64, s64, a, b)

#endif
