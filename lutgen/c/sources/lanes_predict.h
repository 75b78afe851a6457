/* Part of lanes_body.h: from neighbours to the prediction and the row of the token tables. */

static inline ELEMENT NAME(size)(ELEMENT a, ELEMENT b)
{
    const ELEMENT d = (ELEMENT)(a - b);

    return d < 0 ? (ELEMENT)-d : d;
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

/* S, its logarithm, and what features are divided by. */
static void NAME(measure)(const struct lutgen_tables *tables, struct NAME(planes) *restrict p,
                          const struct NAME(plan) *restrict plan)
{
    int32_t scale[LANES];
    int32_t power[LANES]; /* two to the number of places from the leading one to bit 30 */
    int32_t unit[LANES];
    int32_t logarithm[LANES];

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
        p->logarithm[l] = logarithm[l] + (scale[l] >> (30 - OCTAVE_BITS) & 15);
    }
#if NARROW
    /* A feature v is v >> shift.  The upper half of a product with 2 to the 16 - shift is just that,
     * but the two greatest factors would be no numbers of 16 bits: there v is clamped, which the
     * feature is anyway, and multiplied by 4 before. */
    EACH_LANE(l) {
        const int32_t factor = power[l] >> LEAST_EXPONENT;
        const int32_t great = factor > 16384 ? -1 : 0;

        p->factor[l] = (ELEMENT)((factor >> 2 & great) | (factor & ~great));
        p->before[l] = (ELEMENT)(1 + (3 & great));
        p->limit[l] = (ELEMENT)(32767 - (31744 & great));
        p->least[l] = (ELEMENT)(-32767 + (31744 & great));
    }
#endif
    EACH_LANE(l) {
#if !NARROW
        p->factor[l] = (p->logarithm[l] >> OCTAVE_BITS) - LEAST_EXPONENT;
#endif
        p->unit[l] = unit[l];
    }
}

#if !NARROW || !defined(LANE_DIVIDE)
/* A sum of differences as a feature. */
static inline int8_t NAME(divided)(ELEMENT total, ELEMENT gain, ELEMENT low, ELEMENT high,
                                   ELEMENT limit, ELEMENT least, ELEMENT before, ELEMENT factor)
{
    ELEMENT v = (ELEMENT)(total * gain);

#if NARROW
    v = v > limit ? limit : v;
    v = v < least ? least : v;
    v = (ELEMENT)(v * before);
    v = (ELEMENT)((int32_t)v * factor >> 16);
#else
    (void)limit;
    (void)least;
    (void)before;
    v = v >> factor;
#endif
    v = v < low ? low : v;
    v = v > high ? high : v;
    return (int8_t)v;
}

/* Features `begin` to `end`, which are differences divided by the scale. */
static void NAME(divide)(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                         struct NAME(planes) *restrict p, const struct NAME(plan) *restrict plan)
{
    const ELEMENT *restrict limit = p->limit;
    const ELEMENT *restrict least = p->least;
    const ELEMENT *restrict before = p->before;
    const ELEMENT *restrict factor = p->factor;

    for (unsigned j = begin; j < end; j++) {
        const struct lutgen_feature *f = &tables->feature[j];
        const ELEMENT *restrict gain = plan->gain[f->gain];
        const ELEMENT *restrict low = plan->kind[f->absolute].low;
        const ELEMENT *restrict high = plan->kind[f->absolute].high;
        const int8_t *restrict added = plan->kind[f->absolute].added;
        const ELEMENT *restrict unsign = plan->kind[f->absolute].unsign;
        const ELEMENT *restrict a = plan->term[f[0].first].a;
        const ELEMENT *restrict b = plan->term[f[0].first].b;
        int8_t *restrict feature = p->feature[j];
        ELEMENT total[LANES];

        if (f[0].first + 1u == f[1].first) {
            EACH_LANE(l) {
                const ELEMENT d = (ELEMENT)(a[l] - b[l]);
                const ELEMENT sign = (ELEMENT)((d < 0 ? -1 : 0) & unsign[l]);
                const ELEMENT v = (ELEMENT)((d ^ sign) - sign);

                feature[l] = (int8_t)(added[l] + NAME(divided)(v, gain[l], low[l], high[l], limit[l],
                                                               least[l], before[l], factor[l]));
            }
            continue;
        }
        memset(total, 0, sizeof total);
        for (unsigned k = f[0].first; k < f[1].first; k++) {
            const ELEMENT *restrict c = plan->term[k].a;
            const ELEMENT *restrict d = plan->term[k].b;

            EACH_LANE(l) {
                const ELEMENT e = (ELEMENT)(c[l] - d[l]);
                const ELEMENT sign = (ELEMENT)((e < 0 ? -1 : 0) & unsign[l]);

                total[l] = (ELEMENT)(total[l] + (ELEMENT)((e ^ sign) - sign));
            }
        }
        EACH_LANE(l) {
            feature[l] = (int8_t)(added[l] + NAME(divided)(total[l], gain[l], low[l], high[l],
                                                           limit[l], least[l], before[l],
                                                           factor[l]));
        }
    }
}

#else

/* Features `begin` to `end`, which are differences divided by the scale. */
static void NAME(divide)(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                         struct NAME(planes) *restrict p, const struct NAME(plan) *restrict plan)
{
    for (unsigned j = begin; j < end; j++) {
        const struct lutgen_feature *f = &tables->feature[j];

        LANE_DIVIDE(p->feature[j], &plan->term[f[0].first].a, f[1].first - f[0].first, f->absolute,
                    f->gain, p->limit, p->before, p->factor);
    }
}
#endif

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

/* The leaf of each lane is that of node 0: nodes are resolved from the last one up. */
static void NAME(find_leaves)(const struct lutgen_tables *tables, struct NAME(planes) *restrict p,
                              const struct NAME(plan) *restrict plan)
{
    for (unsigned n = tables->nodes; n-- > 0;) {
        const int8_t *restrict feature = plan->node[n].feature;
        const int8_t *restrict threshold = plan->node[n].threshold;
#ifdef LANE_CHOOSE
        LANE_CHOOSE(p->leaf[n], feature, threshold, plan->node[n].above, plan->node[n].below);
#else
        uint8_t below[LANES];
        uint8_t above[LANES];
        uint8_t leaf[LANES];

        memcpy(below, plan->node[n].below, LANES);
        memcpy(above, plan->node[n].above, LANES);
        EACH_LANE(l) {
            const uint8_t up = feature[l] > threshold[l] ? 255 : 0;

            leaf[l] = (uint8_t)(((above[l] ^ below[l]) & up) ^ below[l]);
        }
        memcpy(p->leaf[n], leaf, LANES);
#endif
    }
}

/* Sum of products of taps and coefficients of lane k, whose sample is in column x. */
static inline int32_t NAME(dot)(const struct lutgen_lane_channel *channel, const int16_t *taps,
                                uint32_t k, uint32_t x)
{
#ifdef LANE_DOT
    return LANE_DOT(taps, channel->taps[k] + x - 3, channel->taps[(k - 1) % LANES] + x - 3,
                    channel->taps[(k - 2) % LANES] + x - 3, channel->taps[(k - 3) % LANES] + x - 3);
#else
    int16_t around[32];
    int32_t total = 0;

    for (uint32_t above = 0; above < 4; above++) {
        memcpy(around + 8 * above, channel->taps[(k - above) % LANES] + x - 3, 8 * sizeof around[0]);
    }
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
                                const struct NAME(part) part[2])
{
    const struct lutgen_tables *tables = channel->tables;
    struct NAME(planes) *restrict p = channel->planes;
    const int32_t most = lanes->samples.maximum << FRACTION_BITS;
    const int32_t bias =
        COLOUR && tables->references ? 0 : lanes->bias * (1 << FRACTION_BITS);
    int32_t sum[LANES] = {0};
    int32_t weight[LANES] = {0}; /* of the median */

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

/* Addresses of all trees. */
static void NAME(ask)(unsigned trees, struct NAME(planes) *restrict p,
                      const struct NAME(plan) *restrict plan)
{
    for (unsigned t = 0; t < trees; t++) {
        const int8_t *restrict a = plan->tree[t].feature[0];
        const int8_t *restrict b = plan->tree[t].feature[1];
        const int8_t *restrict c = plan->tree[t].feature[2];
        const int8_t *restrict d = plan->tree[t].feature[3];
        const int8_t *restrict e = plan->tree[t].feature[4];
        const int8_t *restrict f = plan->tree[t].feature[5];
        const int8_t(*restrict above)[LANES] = plan->tree[t].threshold;
        uint8_t *restrict address = p->address[t];

        EACH_LANE(l) {
            address[l] = (uint8_t)((a[l] > above[0][l] ? 1 : 0) | (b[l] > above[1][l] ? 2 : 0) |
                                   (c[l] > above[2][l] ? 4 : 0) | (d[l] > above[3][l] ? 8 : 0) |
                                   (e[l] > above[4][l] ? 16 : 0) | (f[l] > above[5][l] ? 32 : 0));
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

        p->final[l] = low < most ? low : most;
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

        p->whole[l] = whole;
        p->rest[l] = rest;
        p->row[l] = class * LUTGEN_TABLES + ((plain & 2) | (far & ~plain));
    }
}
