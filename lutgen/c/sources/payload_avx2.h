/* Writing the payloads of eight units side by side with AVX2, whose residuals are less than 256: a sample
 * then has at most 20 bits, which with 7 that are held fit into 32. */
#ifndef LUTGEN_PAYLOAD_AVX2_H
#define LUTGEN_PAYLOAD_AVX2_H

#include <string.h>

enum { UNITS = 8, MOST_STEP_BYTES = 4, LEAST_STEPS = 32 };

/* States, bits that are held, how many, and where payloads begin so far, from a base on. */
struct writers_avx2 {
    __m256i state;
    __m256i held;
    __m256i bits;
    __m256i at;
};

/* The lowest bits of numbers. */
static ALWAYS_INLINE __m256i lowest_avx2(__m256i number, __m256i bits)
{
    return _mm256_andnot_si256(_mm256_sllv_epi32(_mm256_set1_epi32(-1), bits), number);
}

/* Code one residual of each unit; see put_last and drain. */
static ALWAYS_INLINE void put_eight_avx2(struct writers_avx2 *w, __m256i code, __m256i folded,
                                         uint8_t *base)
{
    const __m256i swapped = _mm256_setr_epi8(
        3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9,
        8, 15, 14, 13, 12);
    const __m256i slots = _mm256_set1_epi32(SLOT_MASK);
    const __m256i one = _mm256_set1_epi32(1);
    const __m256i start = _mm256_and_si256(code, slots);
    const __m256i frequency = _mm256_add_epi32(
        _mm256_and_si256(_mm256_srli_epi32(code, FREQUENCY_AT), slots), one);
    const __m256i raw = _mm256_srli_epi32(code, RAW_AT);
    /* As a number of floating point a frequency has the place of its leading one above. */
    const __m256i leading =
        _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(frequency)), 23);
    const __m256i fewest = _mm256_sub_epi32(
        _mm256_set1_epi32(STATE_BITS - QUOTIENT_BITS - 1 + 127), leading);
    const __m256i limit = _mm256_slli_epi32(frequency, QUOTIENT_BITS + 1);
    const __m256i below = _mm256_cmpgt_epi32(limit, _mm256_srlv_epi32(w->state, fewest));
    const __m256i n = _mm256_add_epi32(_mm256_add_epi32(fewest, one), below);
    const __m256i x = _mm256_srlv_epi32(w->state, n);
    const __m256i seven = _mm256_sub_epi32(limit, frequency);
    const __m256i six = _mm256_sub_epi32(seven, frequency);
    const __m256i five = _mm256_sub_epi32(six, frequency);
    const __m256i quotient = _mm256_add_epi32(
        _mm256_add_epi32(_mm256_set1_epi32(7), _mm256_cmpgt_epi32(five, x)),
        _mm256_add_epi32(_mm256_cmpgt_epi32(six, x), _mm256_cmpgt_epi32(seven, x)));
    const __m256i value =
        _mm256_or_si256(_mm256_sllv_epi32(lowest_avx2(folded, raw), n), lowest_avx2(w->state, n));
    int32_t at[UNITS];
    uint32_t word[UNITS];

    w->state = _mm256_add_epi32(
        _mm256_add_epi32(_mm256_slli_epi32(quotient, LUTGEN_PROB_BITS), start),
        _mm256_sub_epi32(x, _mm256_madd_epi16(quotient, frequency)));
    w->held = _mm256_or_si256(w->held, _mm256_sllv_epi32(value, w->bits));
    w->bits = _mm256_add_epi32(w->bits, _mm256_add_epi32(n, raw));
    v_store(at, w->at);
    v_store(word, _mm256_shuffle_epi8(w->held, swapped));
    for (int k = 0; k < UNITS; k++) {
        memcpy(base + at[k] - 4, &word[k], 4);
    }
    w->at = _mm256_sub_epi32(w->at, _mm256_srli_epi32(w->bits, 3));
    w->held = _mm256_srlv_epi32(w->held, _mm256_andnot_si256(_mm256_set1_epi32(7), w->bits));
    w->bits = _mm256_and_si256(w->bits, _mm256_set1_epi32(7));
}

/* Code residuals of eight units that have all begun, as long as all have some and are sure to have room;
 * returns how many of each. */
static size_t put_all_avx2(struct lutgen_payload *payload)
{
    uint8_t *const base = payload[0].start;
    const uint32_t *const code = payload[0].code;
    const uint16_t *const folded = payload[0].folded;
    struct writers_avx2 w;
    int32_t number[5][UNITS]; /* state, held, bits, at, and the residual behind the next one */
    size_t steps = payload[0].count;
    __m256i next;

    for (int k = 0; k < UNITS; k++) {
        const struct lutgen_payload *p = &payload[k];
        const size_t room = (size_t)(p->at - p->start) / MOST_STEP_BYTES;

        number[0][k] = (int32_t)p->state;
        number[1][k] = (int32_t)p->held;
        number[2][k] = (int32_t)p->bits;
        number[3][k] = (int32_t)(p->at - base);
        number[4][k] = (int32_t)(p->code - code + (ptrdiff_t)p->count);
        steps = p->count < steps ? p->count : steps;
        steps = room < steps ? room : steps;
    }
    w.state = v_load(number[0]);
    w.held = v_load(number[1]);
    w.bits = v_load(number[2]);
    w.at = v_load(number[3]);
    next = v_load(number[4]);
    for (size_t k = 0; k < steps; k++) {
        next = _mm256_sub_epi32(next, _mm256_set1_epi32(1));
        put_eight_avx2(&w, _mm256_i32gather_epi32((const int *)(const void *)code, next, 4),
                       _mm256_i32gather_epi32((const int *)(const void *)folded, next, 2), base);
    }
    v_store(number[0], w.state);
    v_store(number[1], w.held);
    v_store(number[2], w.bits);
    v_store(number[3], w.at);
    for (int k = 0; k < UNITS; k++) {
        payload[k].state = (uint32_t)number[0][k];
        payload[k].held = (uint32_t)number[1][k];
        payload[k].bits = (uint32_t)number[2][k];
        payload[k].at = base + number[3][k];
        payload[k].count -= steps;
    }
    return steps;
}

#endif
