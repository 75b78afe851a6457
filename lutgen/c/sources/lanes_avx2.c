/* lanes_body.h for processors with AVX2, which is asked for at run time. */

#include "lanes.h"

#ifdef LUTGEN_AVX2

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt")
#endif

#include "vectors_avx2.h"
#include "payload.h"
#include "payload_avx2.h"

/* Which of 32 intervals end at or before a slot. */
static inline uint32_t ended_avx2(const uint16_t *end, __m256i behind)
{
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_packs_epi16(_mm256_cmpgt_epi16(behind, v_load(end)),
                           _mm256_cmpgt_epi16(behind, v_load(end + 16))));
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

#define FIND_TOKEN find_token_avx2
#define LANE_TOKENS "lanes_tokens_avx2.h"
#include "lanes_vectors.h"

static void write_payloads_avx2(struct lutgen_payload *payload, unsigned units, uint32_t most)
{
    begin_payloads(payload, units);
    if (units == UNITS && most < 256) {
        while (put_all_avx2(payload) > LEAST_STEPS) {
        }
    }
    end_payloads(payload, units);
}

const struct lutgen_lanes_functions lutgen_lanes_avx2 = LANES_FUNCTIONS(write_payloads_avx2);

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
