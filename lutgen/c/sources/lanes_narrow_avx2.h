/* Part of lanes_body.h with AVX2 and quantities of 16 bits: from neighbours to features, the first
 * prediction and the row of the token tables, sixteen lanes in a register. */

/* Quantities are weighed in pairs: those of the sample's own plane, five of each reference. */
#undef BLOCKS
#define BLOCKS (COLOUR ? 5 : 3)

/* A feature of one difference or of many. */
struct NAME(divided) {
    uint16_t a; /* where the first difference's quantities stand */
    uint16_t b;
    uint16_t to;
    uint16_t gain;
    uint16_t next; /* further differences, in `term` */
    uint16_t end;
};

/* Quantities by where they stand from the first on. */
struct NAME(feature_plan) {
    /* Early and late ones, of each the kinds: one difference, its size, more differences, sizes. */
    struct NAME(divided) divided[LUTGEN_MOST_FEATURES];
    unsigned kind_end[2][KINDS];
    struct {
        uint16_t a;
        uint16_t b;
    } term[MOST_TERMS];
    struct {
        uint16_t a[2];
        uint16_t b[2];
        int32_t weights;
    } weight[(MOST_WEIGHTS + 1) / 2];
    unsigned weights;
    uint16_t pair[BLOCKS * 4]; /* the first of two quantities */
    int32_t taps[MOST_NODES + 1][BLOCKS * 4];
};

/* Coefficients of two quantities that follow one another. */
static int32_t NAME(both)(int first, int second)
{
    return (int32_t)((uint32_t)(uint16_t)first | (uint32_t)second << 16);
}

static void NAME(prepare_features)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                                   struct NAME(feature_plan) *plan)
{
    enum { OWN = (Q_NNNE + 2) / 2, OTHER = (R_ERROR + 1) / 2 };
    unsigned count = 0;

    (void)p;
    for (unsigned k = 0; k < tables->feature[tables->part[4]].first; k++) {
        plan->term[k].a = (uint16_t)(tables->term[k][0] * LANES);
        plan->term[k].b = (uint16_t)(tables->term[k][1] * LANES);
    }
    for (unsigned part = 0; part < 2; part++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            for (unsigned j = tables->part[2 * part]; j < tables->part[2 * part + 1]; j++) {
                const struct lutgen_feature *f = &tables->feature[j];
                struct NAME(divided) *d = &plan->divided[count];

                if (kind != (f->absolute ? 1u : 0u) + (f[1].first - f[0].first > 1 ? 2u : 0u)) {
                    continue;
                }
                d->a = plan->term[f[0].first].a;
                d->b = plan->term[f[0].first].b;
                d->to = (uint16_t)(j * LANES);
                d->gain = f->gain;
                d->next = (uint16_t)(f[0].first + 1u);
                d->end = f[1].first;
                count++;
            }
            plan->kind_end[part][kind] = count;
        }
    }
    plan->weights = (tables->weights + 1u) / 2;
    for (unsigned k = 0; k < 2 * plan->weights; k++) {
        const int is = k < tables->weights;

        plan->weight[k / 2].a[k % 2] =
            (uint16_t)(is ? tables->weight[k].minuend * LANES : Q_ZERO * LANES);
        plan->weight[k / 2].b[k % 2] =
            (uint16_t)(is ? tables->weight[k].subtrahend * LANES : Q_ZERO * LANES);
    }
    for (unsigned k = 0; k < plan->weights; k++) {
        plan->weight[k].weights =
            NAME(both)(tables->weight[2 * k].weight,
                       2 * k + 1 < tables->weights ? tables->weight[2 * k + 1].weight : 0);
    }
    memset(plan->pair, 0, sizeof plan->pair);
    memset(plan->taps, 0, sizeof plan->taps);
    for (unsigned k = 0; k < OWN; k++) {
        plan->pair[k] = (uint16_t)(2 * k * LANES);
    }
    for (unsigned leaf = 0; leaf <= tables->nodes; leaf++) {
        const int16_t *own = tables->taps[leaf];
        int32_t *taps = plan->taps[leaf];

        taps[0] = NAME(both)(tables->median[leaf], own[lutgen_tap_place[0]]);
        for (unsigned k = 1; k < OWN; k++) {
            const unsigned second = 2 * k; /* of the two, counted from Q_W on */

            taps[k] = NAME(both)(own[lutgen_tap_place[second - 1]],
                                 second <= Q_NNNE - Q_W ? own[lutgen_tap_place[second]] : 0);
        }
#if COLOUR
        for (unsigned r = 0; r < tables->references; r++) {
            const int16_t *others = tables->reference_taps[leaf][r];

            for (unsigned k = 0; k < OTHER; k++) {
                const unsigned second = 2 * k + 1;

                plan->pair[OWN + r * OTHER + k] =
                    (uint16_t)((QUANTITIES + r * OF_ONE + 2 * k) * LANES);
                taps[OWN + r * OTHER + k] = NAME(both)(
                    others[lutgen_reference_tap_place[second - 1]],
                    second < LEVELS_OF_ONE ? others[lutgen_reference_tap_place[second]]
                                           : tables->reference_error[leaf][r]);
            }
        }
#endif
    }
}

static ALWAYS_INLINE __m256i NAME(size_of_difference)(const ELEMENT *a, const ELEMENT *b)
{
    return _mm256_abs_epi16(_mm256_sub_epi16(load(a), load(b)));
}

/* Median, changes, and whether surroundings are plain; the differences are lutgen_counted. */
static void NAME(look)(struct NAME(planes) *p, int lossless)
{
    const __m256i too_many = _mm256_set1_epi16(lossless ? MOST_CHANGES + 1 : 0);
    const __m256i zero = _mm256_setzero_si256();

    for (int l = 0; l < LANES; l += 16) {
        const __m256i w = load(p->quantity[Q_W] + l);
        const __m256i n = load(p->quantity[Q_N] + l);
        const __m256i plane =
            _mm256_sub_epi16(_mm256_add_epi16(w, n), load(p->quantity[Q_NW] + l));
        __m256i total = zero;
        __m256i count = _mm256_set1_epi16(COUNTED);

        store(p->quantity[Q_MED] + l,
              _mm256_min_epi16(_mm256_max_epi16(plane, _mm256_min_epi16(w, n)),
                               _mm256_max_epi16(w, n)));
#define COUNT(k)                                                                                   \
    {                                                                                              \
        const __m256i size = NAME(size_of_difference)(p->quantity[lutgen_counted[k][0]] + l,       \
                                                      p->quantity[lutgen_counted[k][1]] + l);      \
                                                                                                   \
        total = _mm256_add_epi16(total, size);                                                     \
        count = _mm256_add_epi16(count, _mm256_cmpeq_epi16(size, zero));                           \
    }
        COUNT(0)
        COUNT(1)
        COUNT(2)
        COUNT(3)
        COUNT(4)
        COUNT(5)
        COUNT(6)
        COUNT(7)
#undef COUNT
        store(p->changes + l, count);
        store(p->plain + l,
              _mm256_andnot_si256(_mm256_cmpgt_epi16(_mm256_slli_epi16(count, 6), total),
                                  _mm256_cmpgt_epi16(too_many, count)));
    }
}

/* Two to the power of numbers from 0 to 15, or to 16 less them, but to none above 15. */
static ALWAYS_INLINE __m256i NAME(power)(__m256i exponent, int negated)
{
    const __m128i up = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i up_high = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, -128);
    const __m128i down = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, -128, 64, 32, 16, 8, 4, 2);
    const __m128i down_high = _mm_setr_epi8(0, -128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0);
    const __m256i low = _mm256_broadcastsi128_si256(negated ? down : up);
    const __m256i high = _mm256_broadcastsi128_si256(negated ? down_high : up_high);
    const __m256i first = _mm256_or_si256(exponent, _mm256_set1_epi16(-32768));
    const __m256i second =
        _mm256_or_si256(_mm256_slli_epi16(exponent, 8), _mm256_set1_epi16(128));

    return _mm256_or_si256(_mm256_shuffle_epi8(low, first), _mm256_shuffle_epi8(high, second));
}

/* What sixteen lanes are divided by, from scales of lanes 0 to 3 and 8 to 11, and of those between;
 * returns which have great factors.  A number of floating point has the logarithm in its upper bits. */
static ALWAYS_INLINE __m256i NAME(normalise)(struct NAME(planes) *p, int l, __m256i even,
                                             __m256i odd)
{
    const __m256i zero_of_float = _mm256_set1_epi16(127 << OCTAVE_BITS);
    const __m256i two = _mm256_set1_epi16(2);
    const __m256i low =
        _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(even)), 23 - OCTAVE_BITS);
    const __m256i high =
        _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(odd)), 23 - OCTAVE_BITS);
    const __m256i logarithm = _mm256_sub_epi16(_mm256_packs_epi32(low, high), zero_of_float);
    const __m256i exponent = _mm256_sub_epi16(_mm256_srai_epi16(logarithm, OCTAVE_BITS),
                                              _mm256_set1_epi16(LEAST_EXPONENT));
    /* A feature v is v >> exponent.  The upper half of a product with 2 to the 16 - exponent is just
     * that, but the two greatest factors would be no numbers of 16 bits: there v is clamped, which
     * the feature is anyway, and multiplied by 4 before. */
    const __m256i great = _mm256_cmpgt_epi16(two, exponent);
    const __m256i shift = _mm256_add_epi16(exponent, _mm256_and_si256(great, two));

    store(p->logarithm + l, logarithm);
    store(p->exponent + l, NAME(power)(exponent, 0));
    store(p->factor + l, NAME(power)(shift, 1));
    store(p->before + l,
          _mm256_sub_epi16(_mm256_set1_epi16(1),
                           _mm256_add_epi16(great, _mm256_add_epi16(great, great))));
    store(p->limit + l, _mm256_blendv_epi8(_mm256_set1_epi16(-1), _mm256_set1_epi16(1023), great));
    return great;
}

/* S, its logarithm, and what features are divided by. */
static void NAME(measure)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                          const struct NAME(feature_plan) *plan)
{
    const ELEMENT *quantity = p->quantity[0];
    __m256i even = _mm256_set1_epi32(tables->least);
    __m256i odd = even;
    __m256i even_high = even; /* of lanes 16 to 31 */
    __m256i odd_high = even;

    for (unsigned k = 0; k < plan->weights; k++) {
        const ELEMENT *a = quantity + plan->weight[k].a[0];
        const ELEMENT *b = quantity + plan->weight[k].b[0];
        const ELEMENT *c = quantity + plan->weight[k].a[1];
        const ELEMENT *d = quantity + plan->weight[k].b[1];
        const __m256i weights = _mm256_set1_epi32(plan->weight[k].weights);
        const __m256i ab = NAME(size_of_difference)(a, b);
        const __m256i cd = NAME(size_of_difference)(c, d);
        const __m256i ab_high = NAME(size_of_difference)(a + 16, b + 16);
        const __m256i cd_high = NAME(size_of_difference)(c + 16, d + 16);

        even = _mm256_add_epi32(even, _mm256_madd_epi16(_mm256_unpacklo_epi16(ab, cd), weights));
        odd = _mm256_add_epi32(odd, _mm256_madd_epi16(_mm256_unpackhi_epi16(ab, cd), weights));
        even_high = _mm256_add_epi32(
            even_high, _mm256_madd_epi16(_mm256_unpacklo_epi16(ab_high, cd_high), weights));
        odd_high = _mm256_add_epi32(
            odd_high, _mm256_madd_epi16(_mm256_unpackhi_epi16(ab_high, cd_high), weights));
    }
    p->great = _mm256_movemask_epi8(_mm256_or_si256(NAME(normalise)(p, 0, even, odd),
                                                    NAME(normalise)(p, 16, even_high, odd_high)));
}

/* Sixteen lanes of a feature before it is clamped. */
static ALWAYS_INLINE __m256i NAME(divided_by)(const struct NAME(divided) *d, const ELEMENT *quantity,
                                       const struct NAME(feature_plan) *plan, int kind, int great,
                                       const struct NAME(planes) *p, int l, __m256i factor)
{
    const int absolute = kind & 1;
    __m256i total = _mm256_sub_epi16(load(quantity + d->a + l), load(quantity + d->b + l));

    total = absolute ? _mm256_abs_epi16(total) : total;
    for (unsigned k = d->next; kind > 1 && k < d->end; k++) {
        const __m256i next = _mm256_sub_epi16(load(quantity + plan->term[k].a + l),
                                              load(quantity + plan->term[k].b + l));

        total = _mm256_add_epi16(total, absolute ? _mm256_abs_epi16(next) : next);
    }
    total = _mm256_sll_epi16(total, _mm_cvtsi32_si128(d->gain));
    if (great && absolute) {
        total = _mm256_min_epu16(total, load(p->limit + l));
    } else if (great) {
        const __m256i limit = _mm256_srli_epi16(load(p->limit + l), 1);

        total = _mm256_min_epi16(total, limit);
        total = _mm256_max_epi16(total, _mm256_sub_epi16(_mm256_setzero_si256(), limit));
    }
    if (great) {
        total = _mm256_mullo_epi16(total, load(p->before + l));
    }
    return absolute ? _mm256_mulhi_epu16(total, factor) : _mm256_mulhi_epi16(total, factor);
}

/* All features of a kind; `great` says whether it has to be looked at. */
static ALWAYS_INLINE const struct NAME(divided) *
NAME(divide_kind)(const struct NAME(divided) *d, unsigned end, struct NAME(planes) *p,
                  const struct NAME(feature_plan) *plan, int kind, int great)
{
    const __m256i factor = load(p->factor);
    const __m256i factors = load(p->factor + 16);
    const __m256i middle = _mm256_set1_epi8(-128);

    for (; d < plan->divided + end; d++) {
        const __m256i low =
            NAME(divided_by)(d, p->quantity[0], plan, kind, great, p, 0, factor);
        const __m256i high =
            NAME(divided_by)(d, p->quantity[0], plan, kind, great, p, 16, factors);

        store(p->feature[0] + d->to,
              kind & 1 ? _mm256_xor_si256(_mm256_packus_epi16(low, high), middle)
                       : _mm256_packs_epi16(low, high));
    }
    return d;
}

static ALWAYS_INLINE void NAME(divide_all)(unsigned part, struct NAME(planes) *p,
                                    const struct NAME(feature_plan) *plan, int great)
{
    const unsigned *end = plan->kind_end[part];
    const struct NAME(divided) *d = plan->divided + (part ? plan->kind_end[0][KINDS - 1] : 0);

    d = NAME(divide_kind)(d, end[0], p, plan, 0, great);
    d = NAME(divide_kind)(d, end[1], p, plan, 1, great);
    d = NAME(divide_kind)(d, end[2], p, plan, 2, great);
    (void)NAME(divide_kind)(d, end[3], p, plan, 3, great);
}

/* Features `begin` to `end`, which are differences divided by the scale. */
static void NAME(divide)(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                         struct NAME(planes) *p, const struct NAME(feature_plan) *plan)
{
    const unsigned part = begin == tables->part[0] ? 0 : 1;

    (void)end;
    if (p->great) {
        NAME(divide_all)(part, p, plan, 1);
    } else {
        NAME(divide_all)(part, p, plan, 0);
    }
}

/* Scale and changes as features. */
static void NAME(fill_special)(const struct lutgen_tables *tables, struct NAME(planes) *p)
{
    const __m256i least = _mm256_set1_epi16(LEAST_EXPONENT << OCTAVE_BITS);

    for (unsigned j = tables->part[1]; j < tables->part[2]; j++) {
        const ELEMENT *from = tables->feature[j].changes ? p->changes : p->logarithm;
        __m256i low = load(from);
        __m256i high = load(from + 16);

        if (!tables->feature[j].changes) {
            low = _mm256_srai_epi16(_mm256_sub_epi16(low, least), 1);
            high = _mm256_srai_epi16(_mm256_sub_epi16(high, least), 1);
        }
        store(p->feature[j], _mm256_xor_si256(_mm256_packus_epi16(low, high), _mm256_set1_epi8(-128)));
    }
}

/* Products of four pairs of quantities and their coefficients, of which two lanes each stand in a
 * register; the sums are of lanes 0 to 3 and 8 to 11, or of those between. */
static ALWAYS_INLINE __m256i NAME(weigh_four)(const struct NAME(feature_plan) *plan, int block, int most,
                                       const ELEMENT *quantity, int odd, __m256i a, __m256i b,
                                       __m256i c, __m256i d, __m256i sum)
{
    const __m256i ab = _mm256_unpacklo_epi32(a, b);
    const __m256i cd = _mm256_unpacklo_epi32(c, d);
    const __m256i ab_high = _mm256_unpackhi_epi32(a, b);
    const __m256i cd_high = _mm256_unpackhi_epi32(c, d);
    const __m256i taps[4] = {
        _mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd),
        _mm256_unpacklo_epi64(ab_high, cd_high), _mm256_unpackhi_epi64(ab_high, cd_high),
    };

#define ADD_PAIR(k)                                                                                \
    if (k < most) {                                                                                \
        const ELEMENT *at = quantity + (COLOUR ? plan->pair[4 * block + k]                         \
                                               : (8 * block + 2 * k) * LANES);                     \
        const __m256i first = load(at);                                                            \
        const __m256i second = load(at + LANES);                                                   \
                                                                                                   \
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(odd ? _mm256_unpackhi_epi16(first, second)   \
                                                          : _mm256_unpacklo_epi16(first, second),  \
                                                      taps[k]));                                   \
    }
    ADD_PAIR(0)
    ADD_PAIR(1)
    ADD_PAIR(2)
    ADD_PAIR(3)
#undef ADD_PAIR
    (void)plan;
    return sum;
}

/* First predictions, in 1/128, of eight of sixteen lanes. */
static ALWAYS_INLINE __m256i NAME(weigh)(const struct NAME(feature_plan) *plan, const ELEMENT *quantity,
                                  const uint8_t *leaf, int odd)
{
    /* Leaves are packed: those of lanes 8 to 15 stand sixteen places further on. */
    const int32_t *a = plan->taps[leaf[4 * odd]];
    const int32_t *b = plan->taps[leaf[4 * odd + 1]];
    const int32_t *c = plan->taps[leaf[4 * odd + 2]];
    const int32_t *d = plan->taps[leaf[4 * odd + 3]];
    const int32_t *e = plan->taps[leaf[4 * odd + 16]];
    const int32_t *f = plan->taps[leaf[4 * odd + 17]];
    const int32_t *g = plan->taps[leaf[4 * odd + 18]];
    const int32_t *h = plan->taps[leaf[4 * odd + 19]];
    __m256i sum = _mm256_set1_epi32(1 << (COEFFICIENT_BITS - 1));

#define ADD_BLOCK(k, most)                                                                         \
    sum = NAME(weigh_four)(plan, k, most, quantity, odd, load_halves(a + 4 * k, e + 4 * k),        \
                           load_halves(b + 4 * k, f + 4 * k), load_halves(c + 4 * k, g + 4 * k),   \
                           load_halves(d + 4 * k, h + 4 * k), sum);
    ADD_BLOCK(0, 4)
    ADD_BLOCK(1, 4)
#if COLOUR
    ADD_BLOCK(2, 4)
    ADD_BLOCK(3, 4)
    ADD_BLOCK(4, 4)
#else
    ADD_BLOCK(2, 2)
#endif
#undef ADD_BLOCK
    return _mm256_srai_epi32(sum, COEFFICIENT_BITS);
}

/* First predictions. */
static void NAME(predict_first)(const struct lutgen_lanes *lanes,
                                const struct lutgen_lane_channel *channel, struct NAME(planes) *p,
                                const struct NAME(feature_plan) *plan,
                                const struct NAME(part) part[2])
{
    const __m256i most = _mm256_set1_epi16((int16_t)(lanes->samples.maximum << FRACTION_BITS));

    (void)channel;
    (void)part;
    for (int l = 0; l < LANES; l += 16) {
        const ELEMENT *quantity = p->quantity[0] + l;
        const uint8_t *leaf = p->leaf[0] + l / 2;
        const __m256i even = NAME(weigh)(plan, quantity, leaf, 0);
        const __m256i odd = NAME(weigh)(plan, quantity, leaf, 1);
        __m256i value = _mm256_blendv_epi8(_mm256_packs_epi32(even, odd),
                                           load(p->quantity[Q_MED] + l), load(p->plain + l));
#if COLOUR
        const __m256i level = load(p->level + l);

        value = _mm256_max_epi16(value, _mm256_sub_epi16(_mm256_setzero_si256(), level));
        value = _mm256_min_epi16(value, _mm256_sub_epi16(most, level));
#else
        value = _mm256_min_epi16(_mm256_max_epi16(value, _mm256_setzero_si256()), most);
#endif
        store(p->quantity[Q_P] + l, value);
    }
}

/* Sixteen lanes of the first prediction of a sample. */
static ALWAYS_INLINE __m256i NAME(first_of)(const struct NAME(planes) *p, int l)
{
    return COLOUR ? _mm256_add_epi16(load(p->quantity[Q_P] + l), load(p->level + l))
                  : load(p->quantity[Q_P] + l);
}

/* Level of the first prediction. */
static void NAME(fill_level)(const struct lutgen_tables *tables, int32_t depth,
                             struct NAME(planes) *p)
{
    const __m128i places = _mm_cvtsi32_si128(depth + FRACTION_BITS - 7);
    const __m256i low = _mm256_sra_epi16(NAME(first_of)(p, 0), places);
    const __m256i high = _mm256_sra_epi16(NAME(first_of)(p, 16), places);
    const __m256i level = _mm256_xor_si256(_mm256_packus_epi16(low, high), _mm256_set1_epi8(-128));

    for (unsigned j = tables->part[3]; j < tables->part[4]; j++) {
        store(p->feature[j], level);
    }
}

/* Corrected predictions, what they point at, and table rows. */
static void NAME(aim_all)(const struct lutgen_lanes *lanes, const struct lutgen_tables *tables,
                          struct NAME(planes) *p)
{
    const __m256i most = _mm256_set1_epi16((int16_t)(lanes->samples.maximum << FRACTION_BITS));
    const __m256i classes = _mm256_set1_epi16((int16_t)(tables->classes - 1));
    const __m256i origin = _mm256_set1_epi16(tables->origin);
    const __m256i zero = _mm256_setzero_si256();
    const __m256i one = _mm256_set1_epi16(1);

    for (int l = 0; l < LANES; l += 16) {
        const __m256i plain = load(p->plain + l);
        const __m256i correction = load(p->correction + l);
        const __m256i unit = load(p->exponent + l);
        const __m256i logarithm = load(p->logarithm + l);
        __m256i even = _mm256_madd_epi16(_mm256_unpacklo_epi16(correction, zero),
                                         _mm256_unpacklo_epi16(unit, zero));
        __m256i odd = _mm256_madd_epi16(_mm256_unpackhi_epi16(correction, zero),
                                        _mm256_unpackhi_epi16(unit, zero));
        const __m256i moved = _mm256_packs_epi32(_mm256_srai_epi32(even, CORRECTION_BITS),
                                                 _mm256_srai_epi32(odd, CORRECTION_BITS));
        const __m256i sum =
            _mm256_adds_epi16(NAME(first_of)(p, l), _mm256_andnot_si256(plain, moved));
        const __m256i final = _mm256_min_epi16(_mm256_max_epi16(sum, zero), most);
        const __m256i whole = _mm256_srai_epi16(
            _mm256_add_epi16(final, _mm256_set1_epi16(1 << (FRACTION_BITS - 1))), FRACTION_BITS);
        const __m256i rest = _mm256_sub_epi16(final, _mm256_slli_epi16(whole, FRACTION_BITS));
        const __m256i scale =
            _mm256_add_epi16(load(p->scale + l), _mm256_add_epi16(logarithm, logarithm));
        const __m256i above =
            _mm256_srai_epi16(_mm256_sub_epi16(scale, origin), CLASS_BITS);
        const __m256i class = _mm256_min_epi16(_mm256_max_epi16(above, zero), classes);
        const __m256i far = _mm256_and_si256(_mm256_cmpgt_epi16(_mm256_abs_epi16(rest), one), one);
        const __m256i table =
            _mm256_blendv_epi8(far, _mm256_set1_epi16(LUTGEN_TABLES - 1), plain);

        store(p->final + l, final);
        store(p->whole + l, whole);
        store(p->rest + l, rest);
        store(p->row + l, _mm256_add_epi16(table, _mm256_add_epi16(
                                                      class, _mm256_add_epi16(class, class))));
    }
}
