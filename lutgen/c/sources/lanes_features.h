/* Part of lanes_body.h: from neighbours to features, the first prediction and the row of the token
 * tables. */

struct NAME(feature_plan) {
    struct {
        const ELEMENT *a;
        const ELEMENT *b;
    } term[MOST_TERMS];
    struct {
        const ELEMENT *a;
        const ELEMENT *b;
        ELEMENT weight[LANES];
    } weight[MOST_WEIGHTS];
    /* Of differences, and of their sizes. */
    struct {
        ELEMENT low[LANES];
        ELEMENT high[LANES];
        int8_t added[LANES];
    } kind[2];
    ELEMENT gain[8][LANES];
};

static void NAME(prepare_features)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                                   struct NAME(feature_plan) *plan)
{
    for (unsigned k = 0; k < tables->feature[tables->part[4]].first; k++) {
        plan->term[k].a = p->quantity[tables->term[k][0]];
        plan->term[k].b = p->quantity[tables->term[k][1]];
    }
    for (unsigned k = 0; k < tables->weights; k++) {
        plan->weight[k].a = p->quantity[tables->weight[k].minuend];
        plan->weight[k].b = p->quantity[tables->weight[k].subtrahend];
        for (int l = 0; l < LANES; l++) {
            plan->weight[k].weight[l] = (ELEMENT)tables->weight[k].weight;
        }
    }
    for (int l = 0; l < LANES; l++) {
        for (int sizes = 0; sizes < 2; sizes++) {
            plan->kind[sizes].low[l] = sizes ? 0 : -128;
            plan->kind[sizes].high[l] = sizes ? 255 : 127;
            plan->kind[sizes].added[l] = sizes ? -128 : 0;
        }
        for (int gain = 0; gain < 8; gain++) {
            plan->gain[gain][l] = (ELEMENT)(1 << gain);
        }
    }
}

static inline ELEMENT NAME(size)(ELEMENT a, ELEMENT b)
{
    const ELEMENT d = (ELEMENT)(a - b);
    const ELEMENT e = (ELEMENT)(b - a);

    return d > e ? d : e;
}

/* Median, changes, and whether surroundings are plain; the differences are lutgen_counted. */
static void NAME(look)(struct NAME(planes) *restrict p, int lossless)
{
    const ELEMENT most = (ELEMENT)(lossless ? MOST_CHANGES : -1);

    EACH_LANE(l) {
        const ELEMENT w = p->quantity[Q_W][l];
        const ELEMENT n = p->quantity[Q_N][l];
        const ELEMENT low = w < n ? w : n;
        const ELEMENT high = w < n ? n : w;
        const ELEMENT plane = (ELEMENT)(w + n - p->quantity[Q_NW][l]);
        const ELEMENT above = plane > low ? plane : low;

        p->quantity[Q_MED][l] = above < high ? above : high;
    }
    EACH_LANE(l) {
        const ELEMENT w = p->quantity[Q_W][l];
        const ELEMENT n = p->quantity[Q_N][l];
        const ELEMENT nw = p->quantity[Q_NW][l];
        const ELEMENT ne = p->quantity[Q_NE][l];
        const ELEMENT a = NAME(size)(w, p->quantity[Q_WW][l]);
        const ELEMENT b = NAME(size)(w, nw);
        const ELEMENT c = NAME(size)(n, nw);
        const ELEMENT d = NAME(size)(n, ne);
        const ELEMENT e = NAME(size)(ne, p->quantity[Q_NEE][l]);
        const ELEMENT f = NAME(size)(n, p->quantity[Q_NN][l]);
        const ELEMENT g = NAME(size)(nw, p->quantity[Q_NNW][l]);
        const ELEMENT h = NAME(size)(ne, p->quantity[Q_NNE][l]);
        const ELEMENT total = (ELEMENT)(a + b + c + d + e + f + g + h);
        const ELEMENT count = (ELEMENT)((a != 0) + (b != 0) + (c != 0) + (d != 0) + (e != 0) +
                                        (f != 0) + (g != 0) + (h != 0));
        const ELEMENT few = count <= most ? -1 : 0;
        const ELEMENT sharp = total >= (ELEMENT)(SHARP * count) ? -1 : 0;

        p->changes[l] = count;
        p->plain[l] = few & sharp;
    }
}

#if NARROW && FLT_RADIX == 2 && FLT_MANT_DIG == 24 && FLT_MAX_EXP == 128
/* Logarithms of scales, which numbers of floating point have in their upper bits, and powers of two
 * made likewise. */
static void NAME(normalise)(struct NAME(planes) *restrict p, const int32_t scale[LANES])
{
    float number[LANES];
    int32_t bits[LANES];
    int32_t exponent[LANES];
    float up[LANES];
    float down[LANES];
    ELEMENT great[LANES];
    ELEMENT any = 0;

    EACH_LANE(l) {
        number[l] = (float)scale[l];
    }
    memcpy(bits, number, sizeof bits);
    EACH_LANE(l) {
        p->logarithm[l] = (ELEMENT)((bits[l] >> (23 - OCTAVE_BITS)) - (127 << OCTAVE_BITS));
    }
    EACH_LANE(l) {
        exponent[l] = (bits[l] >> 23) - 127 - LEAST_EXPONENT;
    }
    EACH_LANE(l) {
        bits[l] = (127 + exponent[l]) << 23;
    }
    memcpy(up, bits, sizeof bits);
    EACH_LANE(l) {
        p->unit[l] = (int32_t)up[l];
    }
    /* A feature v is v >> exponent.  The upper half of a product with 2 to the 16 - exponent is just
     * that, but the two greatest factors would be no numbers of 16 bits: there v is clamped, which
     * the feature is anyway, and multiplied by 4 before. */
    EACH_LANE(l) {
        bits[l] = (127 + 16 - (exponent[l] > 2 ? exponent[l] : 2)) << 23;
    }
    memcpy(down, bits, sizeof bits);
    EACH_LANE(l) {
        p->factor[l] = (ELEMENT)(int32_t)down[l];
    }
    EACH_LANE(l) {
        great[l] = exponent[l] < 2 ? -1 : 0;
    }
    for (int l = 0; l < LANES; l++) {
        any |= great[l];
    }
    p->great = any;
    if (any) {
        EACH_LANE(l) {
            const ELEMENT least = exponent[l] < 1 ? -1 : 0;

            p->before[l] = (ELEMENT)(1 - great[l] - 2 * least);
            p->limit[l] = (ELEMENT)(32767 - (31744 & great[l]));
        }
    }
}

#else

/* Logarithms of scales and powers of two by steps to the leading one. */
static void NAME(normalise)(struct NAME(planes) *restrict p, int32_t scale[LANES])
{
    int32_t power[LANES]; /* two to the number of places from the leading one to bit 30 */
    int32_t unit[LANES];
    int32_t logarithm[LANES];

    EACH_LANE(l) {
        power[l] = 1;
        unit[l] = 1 << (30 - LEAST_EXPONENT);
        logarithm[l] = 30 << OCTAVE_BITS;
    }
    for (int step = 16; step > 0; step >>= 1) {
        const int32_t least = 1 << (31 - step);

        EACH_LANE(l) {
            const int32_t small = scale[l] < least ? -1 : 0;

            /* Unsigned, as what is not taken may be too large. */
            scale[l] = (scale[l] & ~small) | ((int32_t)((uint32_t)scale[l] << step) & small);
            power[l] = (power[l] & ~small) | ((int32_t)((uint32_t)power[l] << step) & small);
            unit[l] = (unit[l] & ~small) | ((unit[l] >> step) & small);
            logarithm[l] -= (step << OCTAVE_BITS) & small;
        }
    }
    EACH_LANE(l) {
        p->logarithm[l] = (ELEMENT)(logarithm[l] + (scale[l] >> (30 - OCTAVE_BITS) & 15));
        p->unit[l] = unit[l];
    }
    p->great = 0;
#if NARROW
    EACH_LANE(l) {
        const int32_t factor = power[l] >> LEAST_EXPONENT;

        p->factor[l] = (ELEMENT)(factor < 16384 ? factor : 16384);
        p->before[l] = (ELEMENT)(factor < 16384 ? 1 : factor >> 14);
        p->limit[l] = factor > 16384 ? 1023 : 32767;
    }
    for (int l = 0; l < LANES; l++) {
        p->great |= p->before[l] - 1;
    }
#else
    EACH_LANE(l) {
        p->factor[l] = (p->logarithm[l] >> OCTAVE_BITS) - LEAST_EXPONENT;
    }
#endif
}
#endif

/* S, its logarithm, and what features are divided by. */
static void NAME(measure)(const struct lutgen_tables *tables, struct NAME(planes) *restrict p,
                          const struct NAME(feature_plan) *restrict plan)
{
    int32_t scale[LANES];

    EACH_LANE(l) {
        scale[l] = tables->least;
    }
    for (unsigned k = 0; k < tables->weights; k++) {
        const ELEMENT *restrict a = plan->weight[k].a;
        const ELEMENT *restrict b = plan->weight[k].b;
        const ELEMENT *restrict weight = plan->weight[k].weight;

        EACH_LANE(l) {
            scale[l] += (int32_t)NAME(size)(a[l], b[l]) * weight[l];
        }
    }
    NAME(normalise)(p, scale);
}

/* Features `begin` to `end`, which are differences divided by the scale.  Of numbers of 16 bits each
 * step is a loop of its own, so that they stay such. */
static void NAME(divide)(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                         struct NAME(planes) *restrict p,
                         const struct NAME(feature_plan) *restrict plan)
{
    const ELEMENT *restrict factor = ALIGNED(p->factor);

    for (unsigned j = begin; j < end; j++) {
        const struct lutgen_feature *f = &tables->feature[j];
        const ELEMENT *restrict gain = plan->gain[f->gain];
        const ELEMENT *restrict low = plan->kind[f->absolute].low;
        const ELEMENT *restrict high = plan->kind[f->absolute].high;
        const int8_t *restrict added = plan->kind[f->absolute].added;
        const ELEMENT *restrict a = ALIGNED(plan->term[f[0].first].a);
        const ELEMENT *restrict b = ALIGNED(plan->term[f[0].first].b);
        int8_t *restrict feature = ALIGNED(p->feature[j]);
        ELEMENT v[LANES];

#if !NARROW
        if (f[1].first == f[0].first + 1u && f->absolute) {
            EACH_LANE(l) {
                const ELEMENT w = NAME(size)(a[l], b[l]) * gain[l] >> factor[l];

                feature[l] = (int8_t)((w < 255 ? w : 255) - 128);
            }
            continue;
        }
        if (f[1].first == f[0].first + 1u) {
            EACH_LANE(l) {
                const ELEMENT w = (a[l] - b[l]) * gain[l] >> factor[l];
                const ELEMENT above = w > -128 ? w : -128;

                feature[l] = (int8_t)(above < 127 ? above : 127);
            }
            continue;
        }
#endif
        if (f->absolute) {
            EACH_LANE(l) {
                v[l] = NAME(size)(a[l], b[l]);
            }
        } else {
            EACH_LANE(l) {
                v[l] = (ELEMENT)(a[l] - b[l]);
            }
        }
        for (unsigned k = f[0].first + 1u; k < f[1].first; k++) {
            const ELEMENT *restrict c = ALIGNED(plan->term[k].a);
            const ELEMENT *restrict d = ALIGNED(plan->term[k].b);

            if (f->absolute) {
                EACH_LANE(l) {
                    v[l] = (ELEMENT)(v[l] + NAME(size)(c[l], d[l]));
                }
            } else {
                EACH_LANE(l) {
                    v[l] = (ELEMENT)(v[l] + (ELEMENT)(c[l] - d[l]));
                }
            }
        }
#if NARROW
        EACH_LANE(l) {
            v[l] = (ELEMENT)(v[l] * gain[l]);
        }
        if (p->great) {
            const ELEMENT *restrict limit = ALIGNED(p->limit);
            const ELEMENT *restrict before = ALIGNED(p->before);

            EACH_LANE(l) {
                const ELEMENT least = (ELEMENT)-limit[l];
                const ELEMENT above = v[l] > least ? v[l] : least;

                v[l] = above < limit[l] ? above : limit[l];
            }
            EACH_LANE(l) {
                v[l] = (ELEMENT)(v[l] * before[l]);
            }
        }
        EACH_LANE(l) {
            v[l] = (ELEMENT)((int32_t)v[l] * factor[l] >> 16);
        }
        EACH_LANE(l) {
            v[l] = v[l] > low[l] ? v[l] : low[l];
        }
        EACH_LANE(l) {
            v[l] = v[l] < high[l] ? v[l] : high[l];
        }
        EACH_LANE(l) {
            feature[l] = (int8_t)((int8_t)(v[l] & 255) + added[l]);
        }
#else
        EACH_LANE(l) {
            const ELEMENT w = v[l] * gain[l] >> factor[l];
            const ELEMENT above = w > low[l] ? w : low[l];

            feature[l] = (int8_t)((above < high[l] ? above : high[l]) + added[l]);
        }
#endif
    }
}

/* Scale and changes as features. */
static void NAME(fill_special)(const struct lutgen_tables *tables, struct NAME(planes) *restrict p)
{
    for (unsigned j = tables->part[1]; j < tables->part[2]; j++) {
        const int changes = tables->feature[j].changes;

        EACH_LANE(l) {
            const int32_t half = (p->logarithm[l] - (LEAST_EXPONENT << OCTAVE_BITS)) >> 1;
            const int32_t size = half < 255 ? half : 255;
            const int32_t count = p->changes[l];

            p->feature[j][l] = (int8_t)((changes ? count : size) - 128);
        }
    }
}

/* Sum of products of taps and coefficients of lane k, whose sample is in column x. */
static inline int32_t NAME(dot)(const struct lutgen_lane_channel *channel, const int16_t *taps,
                                uint32_t k, uint32_t x)
{
#ifdef LANE_VECTORS
    return v_dot(taps, channel->taps[k] + x - 3, channel->taps[(k - 1) % LANES] + x - 3,
                    channel->taps[(k - 2) % LANES] + x - 3, channel->taps[(k - 3) % LANES] + x - 3);
#else
    int16_t around[32];
    int32_t total = 0;

    memcpy(around, channel->taps[k] + x - 3, 8 * sizeof around[0]);
    memcpy(around + 8, channel->taps[(k - 1) % LANES] + x - 3, 8 * sizeof around[0]);
    memcpy(around + 16, channel->taps[(k - 2) % LANES] + x - 3, 8 * sizeof around[0]);
    memcpy(around + 24, channel->taps[(k - 3) % LANES] + x - 3, 8 * sizeof around[0]);
    for (int n = 0; n < 32; n++) {
        total += (int32_t)around[n] * taps[n];
    }
    return total;
#endif
}

/* Sum of products of lane k, whose sample is in column x: from rows as in the picture, or, where
 * neighbours are beyond the sides or above the strip, from quantities. */
static inline int32_t NAME(linear)(const struct lutgen_lanes *lanes,
                                   const struct lutgen_lane_channel *channel, uint32_t k,
                                   uint32_t x, uint32_t y)
{
    const struct lutgen_tables *tables = channel->tables;
    const struct NAME(planes) *p = channel->planes;
    const unsigned leaf = p->leaf[0][k];
    const int16_t *taps = tables->taps[leaf];
    const int32_t bias =
        COLOUR && tables->references ? 0 : lanes->bias * (1 << FRACTION_BITS);
    const int has_taps = !COLOUR || !tables->references || lanes->samples.depth <= MOST_TAP_DEPTH;
    int32_t total = 0;

    if (has_taps && x >= BESIDE && x + BESIDE < lanes->plane.width && y >= BESIDE) {
        total = NAME(dot)(channel, taps, k, x);
#if COLOUR
        for (unsigned r = 0; r < tables->references; r++) {
            total += NAME(dot)(channel->reference[r], tables->reference_taps[leaf][r], k, x);
        }
#endif
        total *= 1 << FRACTION_BITS;
    } else {
        for (unsigned n = 0; n <= Q_NNNE - Q_W; n++) {
            total += taps[lutgen_tap_place[n]] * (p->quantity[Q_W + n][k] - bias);
        }
#if COLOUR
        for (unsigned r = 0; r < tables->references; r++) {
            const int16_t *others = tables->reference_taps[leaf][r];

            for (unsigned n = 0; n < LEVELS_OF_ONE; n++) {
                total += others[lutgen_reference_tap_place[n]] *
                         p->quantity[QUANTITIES + r * OF_ONE + n][k];
            }
        }
#endif
    }
#if COLOUR
    for (unsigned r = 0; r < tables->references; r++) {
        total += tables->reference_error[leaf][r] *
                 p->quantity[QUANTITIES + r * OF_ONE + R_ERROR][k];
    }
#endif
    return total;
}

/* First predictions. */
static void NAME(predict_first)(const struct lutgen_lanes *lanes,
                                const struct lutgen_lane_channel *channel,
                                struct NAME(planes) *restrict p,
                                const struct NAME(feature_plan) *restrict plan,
                                const struct NAME(part) part[2])
{
    const struct lutgen_tables *tables = channel->tables;
    const int32_t most = lanes->samples.maximum << FRACTION_BITS;
    const int32_t bias =
        COLOUR && tables->references ? 0 : lanes->bias * (1 << FRACTION_BITS);
    int32_t sum[LANES] = {0};
    int32_t weight[LANES] = {0}; /* of the median */

    (void)plan;
    for (int n = 0; n < 2; n++) {
        for (uint32_t k = part[n].begin; k < part[n].end; k++) {
            sum[k] = NAME(linear)(lanes, channel, k, part[n].x - ROW_LAG(lanes) * k,
                                  part[n].first + k);
            weight[k] = tables->median[p->leaf[0][k]];
        }
    }
    EACH_LANE(l) {
        const int32_t middle = p->quantity[Q_MED][l];
        const int32_t total = sum[l] + weight[l] * (middle - bias);
        const int32_t first = ((total + (1 << (COEFFICIENT_BITS - 1))) >> COEFFICIENT_BITS) + bias;
        const int32_t plain = p->plain[l];
        const int32_t value = (middle & plain) | (first & ~plain);
        const int32_t least = -LEVEL(p, l);
        const int32_t low = value > least ? value : least;

        p->quantity[Q_P][l] = (ELEMENT)(low < most + least ? low : most + least);
    }
}

/* Level of the first prediction. */
static void NAME(fill_level)(const struct lutgen_tables *tables, int32_t depth,
                             struct NAME(planes) *restrict p)
{
    for (unsigned j = tables->part[3]; j < tables->part[4]; j++) {
        EACH_LANE(l) {
            const int32_t level = p->quantity[Q_P][l] + LEVEL(p, l);

            p->feature[j][l] = (int8_t)((level >> (depth + FRACTION_BITS - 7)) - 128);
        }
    }
}

/* Corrected predictions, what they point at, and table rows. */
static void NAME(aim_all)(const struct lutgen_lanes *lanes, const struct lutgen_tables *tables,
                          struct NAME(planes) *restrict p)
{
    const int32_t most = lanes->samples.maximum << FRACTION_BITS;
    const int32_t classes = tables->classes - 1;
    const int32_t origin = tables->origin;

    EACH_LANE(l) {
        const int32_t plain = p->plain[l];
        const int32_t moved = (p->correction[l] * p->unit[l] >> CORRECTION_BITS) & ~plain;
        const int32_t first = p->quantity[Q_P][l] + LEVEL(p, l);
        const int32_t low = first + moved > 0 ? first + moved : 0;

        p->final[l] = (ELEMENT)(low < most ? low : most);
    }
    EACH_LANE(l) {
        const int32_t whole = (p->final[l] + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
        const int32_t rest = p->final[l] - (whole << FRACTION_BITS);
        const int32_t scale = p->scale[l] + p->logarithm[l] * SCALE_STEP;
        const int32_t above = (scale - origin) >> CLASS_BITS;
        const int32_t low = above > 0 ? above : 0;
        const int32_t class = low < classes ? low : classes;
        const int32_t plain = p->plain[l];
        const int32_t far = (rest < -1 ? 1 : 0) | (rest > 1 ? 1 : 0);

        p->whole[l] = (ELEMENT)whole;
        p->rest[l] = (ELEMENT)rest;
        p->row[l] = (ELEMENT)(class * LUTGEN_TABLES + ((plain & 2) | (far & ~plain)));
    }
}
