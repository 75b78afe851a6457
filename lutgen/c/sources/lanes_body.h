/* See lanes.h.  Compiled for ELEMENT, the type of quantities, into functions called NAME(...);
 * NARROW says that it has 16 bits.  Loops over lanes are for the compiler's vectoriser: nothing in
 * them depends on another lane. */

struct NAME(planes) {
    ELEMENT quantity[QUANTITIES][LANES];
    int8_t feature[LUTGEN_MOST_FEATURES][LANES]; /* less 128 */
    uint8_t leaf[2 * MOST_NODES + 1][LANES];     /* that a node leads to; then all leaves */
    uint8_t address[MOST_TREES][LANES];
    int32_t scale[LANES];                        /* what trees add to the logarithm */
    int32_t logarithm[LANES];
    int32_t unit[LANES];                         /* two to the shift that divides features */
    ELEMENT plain[LANES];                        /* -1 or 0 */
    ELEMENT changes[LANES];
    ELEMENT limit[LANES];                        /* see measure */
    ELEMENT least[LANES];
    ELEMENT factor[LANES];                       /* of 32 bits: the shift */
    ELEMENT before[LANES];
    int32_t correction[LANES];
    int32_t final[LANES];
    int32_t whole[LANES];
    int32_t rest[LANES];
    int32_t row[LANES];
    ELEMENT sample[LANES];
    ELEMENT kept[PLANES][HISTORY + STEPS][LANES + BEFORE];
};

/* The model as loops over lanes want it: where operands are, and constants once for each lane. */
struct NAME(plan) {
    struct {
        const ELEMENT *a;
        const ELEMENT *b;
    } term[MOST_TERMS];
    struct {
        const ELEMENT *a;
        const ELEMENT *b;
        ELEMENT weight[LANES];
    } weight[MOST_WEIGHTS];
    struct {
        const uint8_t *below;
        const uint8_t *above;
        const int8_t *feature;
        int8_t threshold[LANES];
    } node[MOST_NODES];
    struct {
        const int8_t *feature[LUTGEN_PINS];
        int8_t threshold[LUTGEN_PINS][LANES];
    } tree[MOST_TREES];
    /* Of signed features, and of sums of absolute values. */
    struct {
        ELEMENT low[LANES];
        ELEMENT high[LANES];
        ELEMENT unsign[LANES];
        int8_t added[LANES];
    } kind[2];
    ELEMENT gain[8][LANES];
    int32_t place[PLACES]; /* of neighbours, from their step's own place in the first plane on */
};

static void NAME(prepare)(const struct lutgen_model *model, struct NAME(planes) *p,
                          struct NAME(plan) *plan)
{
    const unsigned trees = (unsigned)model->corrections + model->scales;

    for (int k = 0; k < PLACES; k++) {
        const struct lutgen_place *at = &lutgen_places[k];

        plan->place[k] = (at->plane * (HISTORY + STEPS) + at->column - LAG * at->above) *
                             (LANES + BEFORE) +
                         BEFORE - at->above;
    }
    for (unsigned k = 0; k < model->feature[model->part[4]].first; k++) {
        plan->term[k].a = p->quantity[model->term[k][0]];
        plan->term[k].b = p->quantity[model->term[k][1]];
    }
    for (unsigned k = 0; k < model->weights; k++) {
        plan->weight[k].a = p->quantity[model->weight[k].minuend];
        plan->weight[k].b = p->quantity[model->weight[k].subtrahend];
        for (int l = 0; l < LANES; l++) {
            plan->weight[k].weight[l] = (ELEMENT)model->weight[k].weight;
        }
    }
    for (unsigned n = 0; n < model->nodes; n++) {
        const int16_t *child = model->child[n];
        const int last = model->nodes - 1; /* leaves stand behind the nodes */

        plan->node[n].below = p->leaf[child[0] < 0 ? last - child[0] : child[0]];
        plan->node[n].above = p->leaf[child[1] < 0 ? last - child[1] : child[1]];
        plan->node[n].feature = p->feature[model->node[n][0]];
        memset(plan->node[n].threshold, model->node[n][1] ^ 128, LANES);
    }
    for (unsigned leaf = 0; leaf <= model->nodes; leaf++) {
        memset(p->leaf[model->nodes + leaf], (int)leaf, LANES);
    }
    for (unsigned t = 0; t < trees; t++) {
        for (unsigned pin = 0; pin < LUTGEN_PINS; pin++) {
            plan->tree[t].feature[pin] = p->feature[model->tree[t].feature[pin]];
            memset(plan->tree[t].threshold[pin], model->tree[t].threshold[pin] ^ 128, LANES);
        }
    }
    for (int l = 0; l < LANES; l++) {
        for (int absolutes = 0; absolutes < 2; absolutes++) {
            plan->kind[absolutes].low[l] = absolutes ? 0 : -128;
            plan->kind[absolutes].high[l] = absolutes ? 255 : 127;
            plan->kind[absolutes].added[l] = absolutes ? -128 : 0;
            plan->kind[absolutes].unsign[l] = absolutes ? -1 : 0;
        }
        for (int gain = 0; gain < 8; gain++) {
            plan->gain[gain][l] = (ELEMENT)(1 << gain);
        }
    }
}

/* Copy all neighbours of step i of the planes: row k's into lane k. */
static void NAME(gather)(struct NAME(planes) *p, const struct NAME(plan) *plan, uint32_t i)
{
    const ELEMENT *from = (const ELEMENT *)(const void *)p->kept + i * (LANES + BEFORE);

    for (int k = 0; k < PLACES; k++) {
        memcpy(p->quantity[FIRST_PLACE + k], from + plan->place[k], sizeof p->quantity[0]);
    }
}

/* Left of its first column, row k sees the first samples of the rows above. */
static void NAME(mend_left)(struct NAME(planes) *p, uint32_t i, uint32_t y, uint32_t k, uint32_t x)
{
    for (int n = 0; n < PLACES; n++) {
        const struct lutgen_place *at = &lutgen_places[n];
        const uint32_t above = (uint32_t)at->above;

        if ((int)x + at->column < 0 && above > 0 && y + k > 0) {
            p->quantity[FIRST_PLACE + n][k] =
                p->kept[at->plane][i - LAG * above - x][BEFORE + k - above];
        }
    }
}

/* In the first row of a strip all that is above is W. */
static void NAME(mend_first)(struct NAME(planes) *p, uint32_t i)
{
    for (int n = 0; n < PLACES; n++) {
        const struct lutgen_place *at = &lutgen_places[n];

        if (at->above > 0) {
            p->quantity[FIRST_PLACE + n][0] = p->kept[at->plane][i - 1][BEFORE];
        }
    }
    p->kept[ENERGIES][i - 1][BEFORE - 1] = p->kept[ENERGIES][i - 1][BEFORE];
    p->kept[ENERGIES][i - 2][BEFORE - 1] = p->kept[ENERGIES][i - 1][BEFORE];
}

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
static void NAME(measure)(const struct lutgen_model *model, struct NAME(planes) *restrict p,
                          const struct NAME(plan) *restrict plan)
{
    int32_t scale[LANES];
    int32_t power[LANES]; /* two to the number of places from the leading one to bit 30 */
    int32_t unit[LANES];
    int32_t logarithm[LANES];

    EACH_LANE(l) {
        scale[l] = model->least;
    }
    for (unsigned k = 0; k < model->weights; k++) {
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
static void NAME(divide)(const struct lutgen_model *model, unsigned begin, unsigned end,
                         struct NAME(planes) *restrict p, const struct NAME(plan) *restrict plan)
{
    const ELEMENT *restrict limit = p->limit;
    const ELEMENT *restrict least = p->least;
    const ELEMENT *restrict before = p->before;
    const ELEMENT *restrict factor = p->factor;

    for (unsigned j = begin; j < end; j++) {
        const struct lutgen_feature *f = &model->feature[j];
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
static void NAME(divide)(const struct lutgen_model *model, unsigned begin, unsigned end,
                         struct NAME(planes) *restrict p, const struct NAME(plan) *restrict plan)
{
    for (unsigned j = begin; j < end; j++) {
        const struct lutgen_feature *f = &model->feature[j];

        LANE_DIVIDE(p->feature[j], &plan->term[f[0].first].a, f[1].first - f[0].first, f->absolute,
                    f->gain, p->limit, p->before, p->factor);
    }
}
#endif

/* Scale and changes as features. */
static void NAME(fill_special)(const struct lutgen_model *model, struct NAME(planes) *restrict p)
{
    for (unsigned j = model->part[1]; j < model->part[2]; j++) {
        const int changes = model->feature[j].changes;

        EACH_LANE(l) {
            const int32_t half = (p->logarithm[l] - (LEAST_EXPONENT << OCTAVE_BITS)) >> 1;
            const int32_t size = half < 255 ? half : 255;
            const int32_t count = p->changes[l];

            p->feature[j][l] = (int8_t)((changes ? count : size) - 128);
        }
    }
}

/* The leaf of each lane is that of node 0: nodes are resolved from the last one up. */
static void NAME(find_leaves)(const struct lutgen_model *model, struct NAME(planes) *restrict p,
                              const struct NAME(plan) *restrict plan)
{
    for (unsigned n = model->nodes; n-- > 0;) {
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
static inline int32_t NAME(dot)(const struct lutgen_lanes *lanes, const int16_t *taps, uint32_t k,
                                uint32_t x)
{
#ifdef LANE_DOT
    return LANE_DOT(taps, lanes->taps[k + 3] + x - 3, lanes->taps[k + 2] + x - 3,
                    lanes->taps[k + 1] + x - 3, lanes->taps[k] + x - 3);
#else
    int16_t around[32];
    int32_t total = 0;

    for (uint32_t above = 0; above < 4; above++) {
        memcpy(around + 8 * above, lanes->taps[k + 3 - above] + x - 3, 8 * sizeof around[0]);
    }
    for (int n = 0; n < 32; n++) {
        total += (int32_t)around[n] * taps[n];
    }
    return total;
#endif
}

/* First predictions: from rows as in the picture, or, where neighbours are beyond the sides or above
 * the strip, from quantities. */
static void NAME(predict_first)(const struct lutgen_lanes *lanes, struct NAME(planes) *restrict p,
                                uint32_t t, uint32_t begin, uint32_t end)
{
    const struct lutgen_model *model = lanes->model;
    const int32_t most = lanes->samples.maximum << FRACTION_BITS;
    const uint32_t width = lanes->plane.width;
    const uint8_t *leaf = p->leaf[0];
    int32_t sum[LANES] = {0};
    int32_t weight[LANES] = {0}; /* of the median */

    for (uint32_t k = begin; k < end; k++) {
        const uint32_t x = t - LAG * k;
        const int16_t *taps = model->taps[leaf[k]];
        int32_t total = 0;

        if (x >= 3 && x + 3 < width && lanes->y + k >= 3) {
            total = NAME(dot)(lanes, taps, k, x) * (1 << FRACTION_BITS);
        } else {
            for (unsigned n = 0; n <= Q_NNNE - Q_W; n++) {
                total += taps[lutgen_tap_place[n]] *
                         (p->quantity[Q_W + n][k] - lanes->bias * (1 << FRACTION_BITS));
            }
        }
        sum[k] = total;
        weight[k] = model->median[leaf[k]];
    }
    EACH_LANE(l) {
        const int32_t bias = lanes->bias * (1 << FRACTION_BITS);
        const int32_t middle = p->quantity[Q_MED][l];
        const int32_t total = sum[l] + weight[l] * (middle - bias);
        const int32_t first = ((total + (1 << (COEFFICIENT_BITS - 1))) >> COEFFICIENT_BITS) + bias;
        const int32_t low = first > 0 ? first : 0;
        const int32_t high = low < most ? low : most;
        const int32_t plain = p->plain[l];

        p->quantity[Q_P][l] = (ELEMENT)((middle & plain) | (high & ~plain));
    }
}

/* Level of the first prediction. */
static void NAME(fill_level)(const struct lutgen_model *model, int32_t depth,
                             struct NAME(planes) *restrict p)
{
    for (unsigned j = model->part[3]; j < model->part[4]; j++) {
        EACH_LANE(l) {
            p->feature[j][l] = (int8_t)((p->quantity[Q_P][l] >> (depth + FRACTION_BITS - 7)) - 128);
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
static void NAME(aim_all)(const struct lutgen_lanes *lanes, struct NAME(planes) *restrict p)
{
    const struct lutgen_model *model = lanes->model;
    const int32_t most = lanes->samples.maximum << FRACTION_BITS;
    const int32_t classes = model->classes - 1;
    const int32_t origin = model->origin;

    EACH_LANE(l) {
        const int32_t plain = p->plain[l];
        const int32_t moved = (p->correction[l] * p->unit[l] >> CORRECTION_BITS) & ~plain;
        const int32_t first = p->quantity[Q_P][l];
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

/* All predictions of step t; row k's neighbours are those of step i of the planes. */
static void NAME(predict_step)(const struct lutgen_lanes *lanes, struct NAME(planes) *p,
                               uint32_t i, uint32_t t, uint32_t begin, uint32_t end)
{
    const struct lutgen_model *model = lanes->model;
    const uint32_t starting = t / LAG;
    const struct NAME(plan) *plan = lanes->plan;
    const unsigned trees = (unsigned)model->corrections + model->scales;
    const int lossless = lanes->samples.step == 1;

    NAME(gather)(p, plan, i);
    if (starting < end && t % LAG < 3) {
        NAME(mend_left)(p, i, lanes->y, starting, t % LAG);
    }
    if (lanes->y == 0 && begin == 0) {
        NAME(mend_first)(p, i);
    }
    NAME(look)(p, lossless);
    NAME(measure)(model, p, plan);
    NAME(divide)(model, model->part[0], model->part[1], p, plan);
    NAME(fill_special)(model, p);
    NAME(find_leaves)(model, p, plan);
    NAME(predict_first)(lanes, p, t, begin, end);
    NAME(divide)(model, model->part[2], model->part[3], p, plan);
    NAME(fill_level)(model, lanes->samples.depth, p);
    NAME(ask)(trees, p, plan);
    LOOK_UP(model, 0, model->corrections, (const uint8_t(*)[LANES])p->address, p->correction);
    LOOK_UP(model, model->corrections, trees, (const uint8_t(*)[LANES])p->address, p->scale);
    NAME(aim_all)(lanes, p);
    if (!lossless) {
        for (uint32_t k = begin; k < end; k++) {
            struct lutgen_prediction found;

            aim(model, &lanes->samples, p->final[k],
                p->scale[k] + p->logarithm[k] * SCALE_STEP, 0, &found);
            p->whole[k] = found.whole;
            p->rest[k] = found.rest;
            p->row[k] = (int32_t)found.row;
        }
    }
}

/* Keep the samples of a step with their errors and energies. */
static void NAME(keep_step)(struct NAME(planes) *restrict p, uint32_t i)
{
    const ELEMENT *restrict west = p->kept[ENERGIES][i - 1] + BEFORE;
    const ELEMENT *restrict near_north = p->kept[ENERGIES][i - 2] + BEFORE - 1;
    const ELEMENT *restrict far_north = p->kept[ENERGIES][i - 1] + BEFORE - 1;
    ELEMENT *restrict sample = p->kept[SAMPLES][i] + BEFORE;
    ELEMENT *restrict error = p->kept[ERRORS][i] + BEFORE;
    ELEMENT *restrict energy = p->kept[ENERGIES][i] + BEFORE;

    EACH_LANE(l) {
        const ELEMENT value = (ELEMENT)(p->sample[l] * (1 << FRACTION_BITS));
        const ELEMENT e = (ELEMENT)(value - p->quantity[Q_P][l]);
        const ELEMENT size = e < 0 ? (ELEMENT)-e : e;
        const ELEMENT north = near_north[l] > far_north[l] ? near_north[l] : far_north[l];
        const ELEMENT half = (ELEMENT)((ELEMENT)(2 * size + north) >> 1);

        sample[l] = value;
        error[l] = e;
        energy[l] = (ELEMENT)((ELEMENT)(west[l] + half) >> 1);
    }
}

/* Put rows above the block left of lane 0, as they are at step t. */
static void NAME(feed)(const struct lutgen_lanes *lanes, struct NAME(planes) *p, uint32_t i,
                       int32_t t)
{
    static const uint8_t plane_of[LINES] = {SAMPLES, SAMPLES, SAMPLES, ERRORS, ERRORS, ENERGIES};
    static const uint8_t above_of[LINES] = {1, 2, 3, 1, 2, 1};
    const int32_t last = (int32_t)lanes->plane.width - 1;

    for (int n = 0; n < LINES; n++) {
        const ELEMENT *line = lanes->line[n];
        const int above = above_of[n];

        p->kept[plane_of[n]][i][BEFORE - above] = line[clamped(t + LAG * above, 0, last)];
    }
}

/* The first row stands for those above it. */
static void NAME(mirror)(struct NAME(planes) *p, uint32_t i)
{
    for (int n = 0; n < PLANES; n++) {
        for (uint32_t above = 1; above <= 2; above++) {
            p->kept[n][i - LAG * above][BEFORE - above] = p->kept[n][i][BEFORE];
        }
    }
}

/* Put what stands left of the row that begins next, and right of the one that has ended. */
static void NAME(pad)(const struct lutgen_lanes *lanes, struct NAME(planes) *p, uint32_t i,
                      uint32_t t)
{
    const uint32_t next = t / LAG + 1;
    const uint32_t width = lanes->plane.width;

    if (next < LANES && t % LAG > 0) {
        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE + next] = p->kept[n][i - t % LAG][BEFORE + next - 1];
        }
    }
    if (t >= width && (t - width) % LAG < 3 && (t - width) / LAG < LANES) {
        const uint32_t k = (t - width) / LAG;

        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE + k] = p->kept[n][i - 1][BEFORE + k];
        }
    }
}

/* Write what the next block looks at of the last three rows of a full block. */
static void NAME(put_lines)(const struct lutgen_lanes *lanes, const struct NAME(planes) *p,
                            uint32_t i, uint32_t t)
{
    for (uint32_t above = 1; above <= 3; above++) {
        const uint32_t k = LANES - above;
        const uint32_t x = t - LAG * k;

        if (t >= LAG * k && x < lanes->plane.width) {
            ((ELEMENT *)lanes->line[above - 1])[x] = p->kept[SAMPLES][i][BEFORE + k];
            if (above < 3) {
                ((ELEMENT *)lanes->line[2 + above])[x] = p->kept[ERRORS][i][BEFORE + k];
            }
            if (above == 1) {
                ((ELEMENT *)lanes->line[5])[x] = p->kept[ENERGIES][i][BEFORE + k];
            }
        }
    }
}

/* Prepare the planes for step 0; returns it. */
static uint32_t NAME(begin_block)(const struct lutgen_lanes *lanes, struct NAME(planes) *p)
{
    const int32_t middle = 1 << (lanes->samples.depth - 1 + FRACTION_BITS);
    const ELEMENT first[PLANES] = {(ELEMENT)middle, 0, 0};
    static const uint8_t line_of[PLANES] = {0, 3, 5};

    if (lanes->y == 0) {
        memset(p, 0, sizeof *p);
        NAME(prepare)(lanes->model, p, lanes->plan);
    }
    for (uint32_t back = HISTORY - 2; back > 0; back--) {
        const uint32_t i = HISTORY - back;

        if (lanes->y > 0) {
            NAME(feed)(lanes, p, i, -(int32_t)back);
        }
        for (int n = 0; n < PLANES && back <= 3; n++) {
            p->kept[n][i][BEFORE] =
                lanes->y > 0 ? ((const ELEMENT *)lanes->line[line_of[n]])[0] : first[n];
        }
        if (lanes->y == 0 && back <= 3) {
            NAME(mirror)(p, i);
        }
    }
    return HISTORY;
}

/* Everything behind the samples of a step: returns the next step of the planes. */
static uint32_t NAME(end_step)(const struct lutgen_lanes *lanes, struct NAME(planes) *p,
                               uint32_t i, uint32_t t)
{
    NAME(keep_step)(p, i);
    NAME(pad)(lanes, p, i, t);
    if (lanes->y == 0) {
        NAME(mirror)(p, i);
    } else {
        NAME(feed)(lanes, p, i, (int32_t)t);
    }
    if (lanes->plane.height == LANES) {
        NAME(put_lines)(lanes, p, i, t);
    }
    if (++i < HISTORY + STEPS) {
        return i;
    }
    for (int n = 0; n < PLANES; n++) {
        memcpy(p->kept[n], p->kept[n] + STEPS, sizeof p->kept[n][0] * HISTORY);
    }
    return HISTORY;
}

/* Steps of a block. */
static uint32_t NAME(steps)(const struct lutgen_lanes *lanes)
{
    return lanes->plane.width + LAG * (lanes->plane.height - 1);
}

/* The first lane that is within the picture at step t, and the one behind the last. */
static void NAME(active)(const struct lutgen_lanes *lanes, uint32_t t, uint32_t *begin,
                         uint32_t *end)
{
    const uint32_t last = t / LAG + 1;

    *begin = t < lanes->plane.width ? 0 : (t - lanes->plane.width) / LAG + 1;
    *end = last < lanes->plane.height ? last : lanes->plane.height;
}

/* Decode the samples of step t of one group; returns 0 if a residual is out of its range. */
static inline int NAME(decode_group)(const struct lutgen_lanes *lanes, struct NAME(planes) *p,
                                     struct lutgen_lane_group *group, uint32_t begin, uint32_t end)
{
    const struct lutgen_model *model = lanes->model;
    const int32_t most = lanes->samples.most;
    const int32_t step = lanes->samples.step;
    const int32_t maximum = lanes->samples.maximum;
    struct lutgen_bits bits = group->bits;
    uint32_t state = group->state;
    int sound = 1;

    for (uint32_t k = begin; k < end; k++) {
        int32_t folded = 0;

        if (state) {
            const uint32_t row = (uint32_t)p->row[k];
            const uint32_t token = FIND_TOKEN(model, row, state & SLOT_MASK);

            folded = (int32_t)take_residual(model->cumulative[row], token, &bits, &state);
        } else if (group->plain) {
            refill(&bits);
            folded = (int32_t)take(&bits, group->plain);
        }
        sound &= folded <= most;
        p->sample[k] = (ELEMENT)lesser(
            unfold(lesser(folded, most), p->whole[k], p->rest[k], most) * step, maximum);
    }
    group->bits = bits;
    group->state = state;
    return sound;
}

/* Write the samples of step t into the picture. */
static void NAME(put_samples)(const struct lutgen_lanes *lanes, const struct NAME(planes) *p,
                              uint32_t t, uint32_t begin, uint32_t end)
{
    const struct lutgen_plane plane = lanes->plane;
    const size_t next = plane.stride - LAG; /* from a lane's sample to the next lane's */

    if (plane.bytes == 1) {
        uint8_t *to = (uint8_t *)plane.samples + t + begin * next;

        for (uint32_t k = begin; k < end; k++, to += next) {
            *to = (uint8_t)p->sample[k];
        }
    } else {
        uint16_t *to = (uint16_t *)plane.samples + t + begin * next;

        for (uint32_t k = begin; k < end; k++, to += next) {
            *to = (uint16_t)((uint32_t)p->sample[k] << plane.shift);
        }
    }
}

/* Keep the samples of step t for predictions of rows below. */
static void NAME(put_taps)(const struct lutgen_lanes *lanes, const struct NAME(planes) *p,
                           uint32_t t, uint32_t begin, uint32_t end)
{
    const ELEMENT bias = (ELEMENT)lanes->bias;

    for (uint32_t k = begin; k < end; k++) {
        lanes->taps[k + 3][t - LAG * k] = (int16_t)(p->sample[k] - bias);
    }
}

static int NAME(decode)(struct lutgen_lanes *lanes)
{
    struct NAME(planes) *p = lanes->planes;
    const uint32_t steps = NAME(steps)(lanes);
    uint32_t i = NAME(begin_block)(lanes, p);
    int sound = 1;

    for (uint32_t t = 0; t < steps; t++) {
        uint32_t begin;
        uint32_t end;

        NAME(active)(lanes, t, &begin, &end);
        NAME(predict_step)(lanes, p, i, t, begin, end);
        for (uint32_t k = begin; k < end;) {
            const uint32_t g = k / GROUP;
            const uint32_t behind = (g + 1) * GROUP < end ? (g + 1) * GROUP : end;

            sound &= NAME(decode_group)(lanes, p, &lanes->group[g], k, behind);
            k = behind;
        }
        NAME(put_samples)(lanes, p, t, begin, end);
        NAME(put_taps)(lanes, p, t, begin, end);
        i = NAME(end_step)(lanes, p, i, t);
    }
    return sound;
}

static int NAME(encode)(struct lutgen_lanes *lanes)
{
    struct NAME(planes) *p = lanes->planes;
    const uint32_t steps = NAME(steps)(lanes);
    uint32_t i = NAME(begin_block)(lanes, p);

    for (uint32_t t = 0; t < steps; t++) {
        uint32_t begin;
        uint32_t end;

        NAME(active)(lanes, t, &begin, &end);
        NAME(predict_step)(lanes, p, i, t, begin, end);
        for (uint32_t k = begin; k < end; k++) {
            struct lutgen_lane_group *group = &lanes->group[k / GROUP];
            int32_t restored;
            const int32_t index =
                quantised(&lanes->samples, sample_at(&lanes->plane, k, t - LAG * k), &restored);

            group->folded[group->count] =
                (uint16_t)fold(index, p->whole[k], p->rest[k], lanes->samples.most);
            group->row[group->count++] = (uint16_t)p->row[k];
            p->sample[k] = (ELEMENT)restored;
        }
        NAME(put_taps)(lanes, p, t, begin, end);
        i = NAME(end_step)(lanes, p, i, t);
    }
    return 1;
}
