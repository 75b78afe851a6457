/* Part of lanes_body.h with AVX2 alone, for gray of 8 bits: tokens of the rows of eight groups at once.
 *
 * While all lanes have a sample, states and places in the payloads stand in registers, of the groups
 * in the order 0, 1, 4, 5, 2, 3, 6, 7: so they come from rows and go to rows by unpacking alone.  Of
 * a sample at most 20 bits are read, which any four bytes hold from any bit of the first on. */

#define GROUPS (LANES / GROUP)

static const uint8_t NAME(group_at)[GROUPS] = {0, 1, 4, 5, 2, 3, 6, 7};

/* What is read of eight groups; places count bits from `base` on. */
struct NAME(readers) {
    const uint8_t *base;
    uint32_t state[GROUPS];
    int32_t at[GROUPS];
    int32_t last[GROUPS]; /* place from which a step's bits may reach the payload's end */
};

/* Bytes that a step's bits are read from: 4 samples of 20 bits, and what is read beyond. */
enum { NAME(STEP_BYTES) = 16 };

/* Begin to read where groups are; returns 0 if one is not of tokens, or is at its end. */
static int NAME(begin_readers)(const struct lutgen_lanes *lanes, struct NAME(readers) *readers)
{
    readers->base = lanes->group[lanes->slot[0]].bits.data;
    for (uint32_t k = 0; k < GROUPS; k++) {
        const struct lutgen_lane_group *group =
            &lanes->group[lanes->slot[GROUP * NAME(group_at)[k]]];
        const ptrdiff_t at = (group->bits.data - readers->base) * 8 - group->bits.held;
        const ptrdiff_t last = (group->bits.end - readers->base - NAME(STEP_BYTES)) * 8;

        if (!group->state || at > last || last > INT32_MAX / 2) {
            return 0;
        }
        readers->state[k] = group->state;
        readers->at[k] = (int32_t)at;
        readers->last[k] = (int32_t)last;
    }
    return 1;
}

/* Put groups to where readers are. */
static void NAME(end_readers)(struct lutgen_lanes *lanes, const struct NAME(readers) *readers)
{
    for (uint32_t k = 0; k < GROUPS; k++) {
        struct lutgen_lane_group *group =
            &lanes->group[lanes->slot[GROUP * NAME(group_at)[k]]];
        const int32_t bytes = readers->at[k] >> 3;

        group->state = readers->state[k];
        begin_bits(&group->bits, readers->base + bytes, group->bits.end);
        refill(&group->bits);
        (void)take(&group->bits, (uint32_t)(readers->at[k] - 8 * bytes));
    }
}

/* Row `of_group` of each group, of rows of 16 bits. */
static ALWAYS_INLINE __m256i NAME(rows_of)(const int16_t *rows, int of_group)
{
    const __m256i low = _mm256_srli_epi64(v_load(rows), 16 * of_group);
    const __m256i high = _mm256_srli_epi64(v_load(rows + 16), 16 * of_group);

    return _mm256_and_si256(
        _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high),
                                              0x88)),
        _mm256_set1_epi32(0xffff));
}

/* How many of the first 32 tokens end at or before a slot, less one is given. */
static ALWAYS_INLINE int NAME(token_at)(const uint16_t *cumulative, const int32_t *behind)
{
    return __builtin_popcount(
        ended_avx2(cumulative + 1, _mm256_set1_epi16((int16_t)*behind)));
}

/* Start and end of a token's interval. */
static ALWAYS_INLINE int NAME(interval_at)(const uint16_t *cumulative, int token)
{
    int both;

    memcpy(&both, cumulative + token, sizeof both);
    return both;
}

/* Residuals of one row of each group. */
static ALWAYS_INLINE __m256i NAME(residuals)(const uint16_t *cumulative, const uint8_t *base,
                                             __m256i row, __m256i *state, __m256i *at)
{
    const __m256i swapped = _mm256_setr_epi8(
        3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9,
        8, 15, 14, 13, 12);
    const __m256i slot = _mm256_and_si256(*state, _mm256_set1_epi32(SLOT_MASK));
    const __m256i first = _mm256_add_epi32(_mm256_slli_epi32(row, 6), row);
    const __m256i bytes = _mm256_i32gather_epi32((const int *)(const void *)base,
                                                 _mm256_srai_epi32(*at, 3), 1);
    const __m256i window = _mm256_sllv_epi32(_mm256_shuffle_epi8(bytes, swapped),
                                             _mm256_and_si256(*at, _mm256_set1_epi32(7)));
    int32_t behind[GROUPS];
    int32_t from[GROUPS];
    __m256i interval;
    __m256i token;

    v_store(behind, _mm256_add_epi32(slot, _mm256_set1_epi32(1)));
    v_store(from, first);
#define FIND(k)                                                                                    \
    const uint16_t *const of_##k = cumulative + from[k];                                           \
    const int token_##k = NAME(token_at)(of_##k, &behind[k]);
    {
        FIND(0)
        FIND(1)
        FIND(2)
        FIND(3)
        FIND(4)
        FIND(5)
        FIND(6)
        FIND(7)
        interval = _mm256_setr_epi32(
            NAME(interval_at)(of_0, token_0), NAME(interval_at)(of_1, token_1),
            NAME(interval_at)(of_2, token_2), NAME(interval_at)(of_3, token_3),
            NAME(interval_at)(of_4, token_4), NAME(interval_at)(of_5, token_5),
            NAME(interval_at)(of_6, token_6), NAME(interval_at)(of_7, token_7));
        token = _mm256_setr_epi32(token_0, token_1, token_2, token_3, token_4, token_5, token_6,
                                  token_7);
    }
#undef FIND
    {
        const __m256i start = _mm256_and_si256(interval, _mm256_set1_epi32(0xffff));
        const __m256i frequency = _mm256_sub_epi32(_mm256_srli_epi32(interval, 16), start);
        const __m256i next = _mm256_add_epi32(
            _mm256_madd_epi16(frequency, _mm256_srli_epi32(*state, LUTGEN_PROB_BITS)),
            _mm256_sub_epi32(slot, start));
        /* As a number of floating point this has the place of its leading one above. */
        const __m256i leading = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(next)), 23);
        const __m256i count = _mm256_sub_epi32(_mm256_set1_epi32(127 + STATE_BITS), leading);
        const __m256i exact = _mm256_cmpgt_epi32(_mm256_set1_epi32(EXACT), token);
        const __m256i raw = _mm256_andnot_si256(
            exact, _mm256_sub_epi32(_mm256_srli_epi32(token, MANTISSA_BITS),
                                    _mm256_set1_epi32(MANTISSA_BITS)));
        const __m256i mantissa =
            _mm256_or_si256(_mm256_and_si256(token, _mm256_set1_epi32(3)), _mm256_set1_epi32(4));
        const __m256i least = _mm256_blendv_epi8(_mm256_sllv_epi32(mantissa, raw), token, exact);
        const __m256i total = _mm256_add_epi32(count, raw);
        const __m256i both =
            _mm256_srlv_epi32(window, _mm256_sub_epi32(_mm256_set1_epi32(32), total));
        const __m256i high = _mm256_srlv_epi32(both, count);

        *at = _mm256_add_epi32(*at, total);
        *state = _mm256_or_si256(_mm256_sllv_epi32(next, count),
                                 _mm256_xor_si256(both, _mm256_sllv_epi32(high, count)));
        return _mm256_or_si256(least, high);
    }
}

/* Decode the residuals of a step of all lanes; returns whether the next step may be read likewise. */
static int NAME(read_all)(const struct lutgen_tables *tables, struct NAME(readers) *readers,
                          struct NAME(planes) *p)
{
    const uint16_t *cumulative = tables->cumulative[0];
    const uint8_t *base = readers->base;
    __m256i state = v_load(readers->state);
    __m256i at = v_load(readers->at);
    const __m256i a =
        NAME(residuals)(cumulative, base, NAME(rows_of)(p->row, 0), &state, &at);
    const __m256i b =
        NAME(residuals)(cumulative, base, NAME(rows_of)(p->row, 1), &state, &at);
    const __m256i c =
        NAME(residuals)(cumulative, base, NAME(rows_of)(p->row, 2), &state, &at);
    const __m256i d =
        NAME(residuals)(cumulative, base, NAME(rows_of)(p->row, 3), &state, &at);
    const __m256i ab = _mm256_or_si256(a, _mm256_slli_epi32(b, 16));
    const __m256i cd = _mm256_or_si256(c, _mm256_slli_epi32(d, 16));

    v_store(readers->state, state);
    v_store(readers->at, at);
    v_store(p->folded, _mm256_unpacklo_epi32(ab, cd));
    v_store(p->folded + 16, _mm256_unpackhi_epi32(ab, cd));
    return _mm256_testz_si256(_mm256_cmpgt_epi32(at, v_load(readers->last)),
                              _mm256_set1_epi32(-1));
}
