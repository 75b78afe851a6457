/* Part of lanes_body.h with vectors and quantities of 16 bits: from neighbours to features, the first
 * prediction and the row of the token tables, LANES_16 lanes in a vector. */

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

static ALWAYS_INLINE vector NAME(size_of_difference)(const ELEMENT *a, const ELEMENT *b)
{
    return v_abs_16(v_sub_16(v_load(a), v_load(b)));
}

/* Median, changes, and whether surroundings are plain; the differences are lutgen_counted. */
static void NAME(look)(struct NAME(planes) *p, int lossless)
{
    const vector too_many = v_all_16(lossless ? MOST_CHANGES + 1 : 0);
    const vector zero = v_zero();

    for (int l = 0; l < LANES; l += LANES_16) {
        const vector w = v_load(p->quantity[Q_W] + l);
        const vector n = v_load(p->quantity[Q_N] + l);
        const vector plane =
            v_sub_16(v_add_16(w, n), v_load(p->quantity[Q_NW] + l));
        vector total = zero;
        vector count = v_all_16(COUNTED);

        v_store(p->quantity[Q_MED] + l,
                v_min_16(v_max_16(plane, v_min_16(w, n)), v_max_16(w, n)));
#define COUNT(k)                                                                                   \
    {                                                                                              \
        const vector size = NAME(size_of_difference)(p->quantity[lutgen_counted[k][0]] + l,        \
                                                     p->quantity[lutgen_counted[k][1]] + l);       \
                                                                                                   \
        total = v_add_16(total, size);                                                             \
        count = v_add_16(count, v_equal_16(size, zero));                                           \
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
        v_store(p->changes + l, count);
        v_store(p->plain + l,
                v_andnot(v_greater_16(v_shl_16(count, 6), total),
                         v_greater_16(too_many, count)));
    }
}

/* Two to the power of numbers from 0 to 15, or to 16 less them, but to none above 15. */
static ALWAYS_INLINE vector NAME(power)(vector exponent, int negated)
{
    static const uint8_t up[] = {1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t up_high[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128};
    static const uint8_t down[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 64, 32, 16, 8, 4, 2};
    static const uint8_t down_high[] = {0, 128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0};
    const vector low = v_table(negated ? down : up);
    const vector high = v_table(negated ? down_high : up_high);
    const vector first = v_or(exponent, v_all_16(-32768));
    const vector second =
        v_or(v_shl_16(exponent, 8), v_all_16(128));

    return v_or(v_look_up(low, first), v_look_up(high, second));
}

/* What LANES_16 lanes are divided by, from scales of lanes as of weigh_four, and of the others;
 * returns which have great factors.  A number of floating point has the logarithm in its upper bits. */
static ALWAYS_INLINE vector NAME(normalise)(struct NAME(planes) *p, int l, vector even,
                                            vector odd)
{
    const vector zero_of_float = v_all_16(127 << OCTAVE_BITS);
    const vector two = v_all_16(2);
    const vector low =
        v_shr_32(v_float_32(even), 23 - OCTAVE_BITS);
    const vector high =
        v_shr_32(v_float_32(odd), 23 - OCTAVE_BITS);
    const vector logarithm = v_sub_16(v_pack_32(low, high), zero_of_float);
    const vector exponent = v_sub_16(v_sar_16(logarithm, OCTAVE_BITS),
                                     v_all_16(LEAST_EXPONENT));
    /* A feature v is v >> exponent.  The upper half of a product with 2 to the 16 - exponent is just
     * that, but the two greatest factors would be no numbers of 16 bits: there v is clamped, which
     * the feature is anyway, and multiplied by 4 before. */
    const vector great = v_greater_16(two, exponent);
    const vector shift = v_add_16(exponent, v_and(great, two));

    v_store(p->logarithm + l, logarithm);
    v_store(p->exponent + l, NAME(power)(exponent, 0));
    v_store(p->factor + l, NAME(power)(shift, 1));
    v_store(p->before + l,
            v_sub_16(v_all_16(1), v_add_16(great, v_add_16(great, great))));
    v_store(p->limit + l, v_select(great, v_all_16(1023), v_all_16(-1)));
    return great;
}

/* S, its logarithm, and what features are divided by. */
static void NAME(measure)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                          const struct NAME(feature_plan) *plan)
{
    const ELEMENT *quantity = p->quantity[0];
    vector even = v_all_32(tables->least);
    vector odd = even;
    vector even_high = even; /* of the lanes of a second vector */
    vector odd_high = even;

    for (unsigned k = 0; k < plan->weights; k++) {
        const ELEMENT *a = quantity + plan->weight[k].a[0];
        const ELEMENT *b = quantity + plan->weight[k].b[0];
        const ELEMENT *c = quantity + plan->weight[k].a[1];
        const ELEMENT *d = quantity + plan->weight[k].b[1];
        const vector weights = v_all_32(plan->weight[k].weights);
        const vector ab = NAME(size_of_difference)(a, b);
        const vector cd = NAME(size_of_difference)(c, d);
        const vector ab_high = NAME(size_of_difference)(a + LANES_16, b + LANES_16);
        const vector cd_high = NAME(size_of_difference)(c + LANES_16, d + LANES_16);

        even = v_add_32(even, v_dot_16(v_low_16(ab, cd), weights));
        odd = v_add_32(odd, v_dot_16(v_high_16(ab, cd), weights));
        even_high = v_add_32(even_high, v_dot_16(v_low_16(ab_high, cd_high), weights));
        odd_high = v_add_32(odd_high, v_dot_16(v_high_16(ab_high, cd_high), weights));
    }
    p->great = v_any(v_or(NAME(normalise)(p, 0, even, odd),
                          NAME(normalise)(p, LANES_16, even_high, odd_high)));
}

/* LANES_16 lanes of a feature before it is clamped. */
static ALWAYS_INLINE vector NAME(divided_by)(const struct NAME(divided) *d, const ELEMENT *quantity,
                                             const struct NAME(feature_plan) *plan, int kind,
                                             int great, const struct NAME(planes) *p, int l,
                                             vector factor)
{
    const int absolute = kind & 1;
    vector total = v_sub_16(v_load(quantity + d->a + l), v_load(quantity + d->b + l));

    total = absolute ? v_abs_16(total) : total;
    for (unsigned k = d->next; kind > 1 && k < d->end; k++) {
        const vector next = v_sub_16(v_load(quantity + plan->term[k].a + l),
                                     v_load(quantity + plan->term[k].b + l));

        total = v_add_16(total, absolute ? v_abs_16(next) : next);
    }
    total = v_shl_16_by(total, d->gain);
    if (great && absolute) {
        total = v_min_u16(total, v_load(p->limit + l));
    } else if (great) {
        const vector limit = v_shr_16(v_load(p->limit + l), 1);

        total = v_min_16(total, limit);
        total = v_max_16(total, v_sub_16(v_zero(), limit));
    }
    if (great) {
        total = v_mul_16(total, v_load(p->before + l));
    }
    return absolute ? v_mul_high_u16(total, factor) : v_mul_high_16(total, factor);
}

/* All features of a kind; `great` says whether it has to be looked at. */
static ALWAYS_INLINE const struct NAME(divided) *
NAME(divide_kind)(const struct NAME(divided) *d, unsigned end, struct NAME(planes) *p,
                  const struct NAME(feature_plan) *plan, int kind, int great)
{
    const vector factor = v_load(p->factor);
    const vector factors = v_load(p->factor + LANES_16);
    const vector middle = v_all_8(-128);
    int8_t *const feature = p->feature[0];

    for (; d < plan->divided + end; d++) {
        const vector low =
            NAME(divided_by)(d, p->quantity[0], plan, kind, great, p, 0, factor);
        const vector high =
            NAME(divided_by)(d, p->quantity[0], plan, kind, great, p, LANES_16, factors);

        v_store(feature + d->to,
                kind & 1 ? v_xor(v_pack_u16(low, high), middle) : v_pack_16(low, high));
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
    const vector least = v_all_16(LEAST_EXPONENT << OCTAVE_BITS);

    for (unsigned j = tables->part[1]; j < tables->part[2]; j++) {
        const ELEMENT *from = tables->feature[j].changes ? p->changes : p->logarithm;
        vector low = v_load(from);
        vector high = v_load(from + LANES_16);

        if (!tables->feature[j].changes) {
            low = v_sar_16(v_sub_16(low, least), 1);
            high = v_sar_16(v_sub_16(high, least), 1);
        }
        v_store(p->feature[j], v_xor(v_pack_u16(low, high), v_all_8(-128)));
    }
}

/* Products of four pairs of quantities and their coefficients, of which one lane each stands in a
 * part of a vector; the sums are of lanes 0 to 3 and, of two parts, 8 to 11, or of those behind. */
static ALWAYS_INLINE vector NAME(weigh_four)(const struct NAME(feature_plan) *plan, int block,
                                             int most, const ELEMENT *quantity, int odd, vector a,
                                             vector b, vector c, vector d, vector sum)
{
    const vector ab = v_low_32(a, b);
    const vector cd = v_low_32(c, d);
    const vector ab_high = v_high_32(a, b);
    const vector cd_high = v_high_32(c, d);
    const vector taps[4] = {
        v_low_64(ab, cd), v_high_64(ab, cd),
        v_low_64(ab_high, cd_high), v_high_64(ab_high, cd_high),
    };

#define ADD_PAIR(k)                                                                                \
    if (k < most) {                                                                                \
        const ELEMENT *at = quantity + (COLOUR ? plan->pair[4 * block + k]                         \
                                        : (8 * block + 2 * k) * LANES);                            \
        const vector first = v_load(at);                                                           \
        const vector second = v_load(at + LANES);                                                  \
                                                                                                   \
        sum = v_add_32(sum, v_dot_16(odd ? v_high_16(first, second) : v_low_16(first, second),     \
                                     taps[k]));                                                    \
    }
    ADD_PAIR(0)
    ADD_PAIR(1)
    ADD_PAIR(2)
    ADD_PAIR(3)
#undef ADD_PAIR
    (void)plan;
    return sum;
}

/* First predictions, in 1/128, of half of the lanes of a vector. */
static ALWAYS_INLINE vector NAME(weigh)(const struct NAME(feature_plan) *plan,
                                        const ELEMENT *quantity, const uint8_t *leaf, int odd)
{
    /* Leaves are packed: those of a second part stand sixteen places further on. */
    enum { SECOND = 16 * (VECTOR_PARTS - 1) };
    const int32_t *a = plan->taps[leaf[4 * odd]];
    const int32_t *b = plan->taps[leaf[4 * odd + 1]];
    const int32_t *c = plan->taps[leaf[4 * odd + 2]];
    const int32_t *d = plan->taps[leaf[4 * odd + 3]];
    const int32_t *e = plan->taps[leaf[4 * odd + SECOND]];
    const int32_t *f = plan->taps[leaf[4 * odd + 1 + SECOND]];
    const int32_t *g = plan->taps[leaf[4 * odd + 2 + SECOND]];
    const int32_t *h = plan->taps[leaf[4 * odd + 3 + SECOND]];
    vector sum = v_all_32(1 << (COEFFICIENT_BITS - 1));

#define ADD_BLOCK(k, most)                                                                         \
    sum = NAME(weigh_four)(plan, k, most, quantity, odd, v_load_parts(a + 4 * k, e + 4 * k),       \
                           v_load_parts(b + 4 * k, f + 4 * k), v_load_parts(c + 4 * k, g + 4 * k), \
                           v_load_parts(d + 4 * k, h + 4 * k), sum);
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
    return v_sar_32(sum, COEFFICIENT_BITS);
}

/* First predictions. */
static void NAME(predict_first)(const struct lutgen_lanes *lanes,
                                const struct lutgen_lane_channel *channel, struct NAME(planes) *p,
                                const struct NAME(feature_plan) *plan,
                                const struct NAME(part) part[2])
{
    const vector most = v_all_16((int16_t)(lanes->samples.maximum << FRACTION_BITS));

    (void)channel;
    (void)part;
    for (int l = 0; l < LANES; l += LANES_16) {
        const ELEMENT *quantity = p->quantity[0] + l;
        const uint8_t *leaf = p->leaf[0] + l / VECTOR_PARTS;
        const vector even = NAME(weigh)(plan, quantity, leaf, 0);
        const vector odd = NAME(weigh)(plan, quantity, leaf, 1);
        vector value = v_select(v_load(p->plain + l), v_load(p->quantity[Q_MED] + l),
                                v_pack_32(even, odd));
#if COLOUR
        const vector level = v_load(p->level + l);

        value = v_max_16(value, v_sub_16(v_zero(), level));
        value = v_min_16(value, v_sub_16(most, level));
#else
        value = v_min_16(v_max_16(value, v_zero()), most);
#endif
        v_store(p->quantity[Q_P] + l, value);
    }
}

/* LANES_16 lanes of the first prediction of a sample. */
static ALWAYS_INLINE vector NAME(first_of)(const struct NAME(planes) *p, int l)
{
    return COLOUR ? v_add_16(v_load(p->quantity[Q_P] + l), v_load(p->level + l))
                  : v_load(p->quantity[Q_P] + l);
}

/* Level of the first prediction. */
static void NAME(fill_level)(const struct lutgen_tables *tables, int32_t depth,
                             struct NAME(planes) *p)
{
    const int places = depth + FRACTION_BITS - 7;
    const vector low = v_sar_16_by(NAME(first_of)(p, 0), places);
    const vector high = v_sar_16_by(NAME(first_of)(p, LANES_16), places);
    const vector level = v_xor(v_pack_u16(low, high), v_all_8(-128));

    for (unsigned j = tables->part[3]; j < tables->part[4]; j++) {
        v_store(p->feature[j], level);
    }
}

/* Corrected predictions, what they point at, and table rows. */
static void NAME(aim_all)(const struct lutgen_lanes *lanes, const struct lutgen_tables *tables,
                          struct NAME(planes) *p)
{
    const vector most = v_all_16((int16_t)(lanes->samples.maximum << FRACTION_BITS));
    const vector classes = v_all_16((int16_t)(tables->classes - 1));
    const vector origin = v_all_16(tables->origin);
    const vector zero = v_zero();
    const vector one = v_all_16(1);

    for (int l = 0; l < LANES; l += LANES_16) {
        const vector plain = v_load(p->plain + l);
        const vector correction = v_load(p->correction + l);
        const vector unit = v_load(p->exponent + l);
        const vector logarithm = v_load(p->logarithm + l);
        vector even = v_dot_16(v_low_16(correction, zero),
                               v_low_16(unit, zero));
        vector odd = v_dot_16(v_high_16(correction, zero),
                              v_high_16(unit, zero));
        const vector moved = v_pack_32(v_sar_32(even, CORRECTION_BITS),
                                       v_sar_32(odd, CORRECTION_BITS));
        const vector sum =
            v_add_saturated_16(NAME(first_of)(p, l), v_andnot(plain, moved));
        const vector final = v_min_16(v_max_16(sum, zero), most);
        const vector whole = v_sar_16(
            v_add_16(final, v_all_16(1 << (FRACTION_BITS - 1))), FRACTION_BITS);
        const vector rest = v_sub_16(final, v_shl_16(whole, FRACTION_BITS));
        const vector scale =
            v_add_16(v_load(p->scale + l), v_add_16(logarithm, logarithm));
        const vector above =
            v_sar_16(v_sub_16(scale, origin), CLASS_BITS);
        const vector class = v_min_16(v_max_16(above, zero), classes);
        const vector far = v_and(v_greater_16(v_abs_16(rest), one), one);
        const vector table =
            v_select(plain, v_all_16(LUTGEN_TABLES - 1), far);

        v_store(p->final + l, final);
        v_store(p->whole + l, whole);
        v_store(p->rest + l, rest);
        v_store(p->row + l, v_add_16(table, v_add_16(
                                                      class, v_add_16(class, class))));
    }
}
