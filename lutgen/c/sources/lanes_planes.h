/* Part of lanes_body.h: what is held of each lane, and the model as loops over lanes want it. */

struct NAME(planes) {
    ELEMENT quantity[COLOUR ? ALL_QUANTITIES : QUANTITIES][LANES];
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
#if COLOUR
    ELEMENT level[LANES]; /* what samples are above the values that are kept */
#endif
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
#if COLOUR
    struct {
        const struct NAME(planes) *planes;
        uint32_t before; /* steps that it is ahead */
        int32_t place[OF_ONE];
    } reference[LUTGEN_MOST_REFERENCES];
#endif
};

/* Where a neighbour stands, counted from its step's own place in the first plane. */
static int32_t NAME(place_of)(const struct lutgen_lanes *lanes, const struct lutgen_place *at)
{
    return (at->plane * (HISTORY + STEPS) + at->column - (int32_t)ROW_LAG(lanes) * at->above) *
               (LANES + BEFORE) +
           BEFORE - at->above;
}

static void NAME(prepare)(const struct lutgen_lanes *lanes, unsigned number)
{
    const struct lutgen_lane_channel *channel = &lanes->channel[number];
    const struct lutgen_tables *tables = channel->tables;
    struct NAME(planes) *p = channel->planes;
    struct NAME(plan) *plan = channel->plan;
    const unsigned trees = (unsigned)tables->corrections + tables->scales;

    for (int k = 0; k < PLACES; k++) {
        plan->place[k] = NAME(place_of)(lanes, &lutgen_places[k]);
    }
#if COLOUR
    for (unsigned r = 0; r < tables->references; r++) {
        const struct lutgen_lane_channel *other = channel->reference[r];

        plan->reference[r].planes = other->planes;
        plan->reference[r].before = LAG * (number - (unsigned)(other - lanes->channel));
        for (int k = 0; k < OF_ONE; k++) {
            plan->reference[r].place[k] =
                NAME(place_of)(lanes, &lutgen_reference_places[k]) -
                (int32_t)plan->reference[r].before * (LANES + BEFORE);
        }
    }
#endif
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
    for (unsigned n = 0; n < tables->nodes; n++) {
        const int16_t *child = tables->child[n];
        const int last = tables->nodes - 1; /* leaves stand behind the nodes */

        plan->node[n].below = p->leaf[child[0] < 0 ? last - child[0] : child[0]];
        plan->node[n].above = p->leaf[child[1] < 0 ? last - child[1] : child[1]];
        plan->node[n].feature = p->feature[tables->node[n][0]];
        memset(plan->node[n].threshold, tables->node[n][1] ^ 128, LANES);
    }
    for (unsigned leaf = 0; leaf <= tables->nodes; leaf++) {
        memset(p->leaf[tables->nodes + leaf], (int)leaf, LANES);
    }
    for (unsigned t = 0; t < trees; t++) {
        for (unsigned pin = 0; pin < LUTGEN_PINS; pin++) {
            plan->tree[t].feature[pin] = p->feature[tables->tree[t].feature[pin]];
            memset(plan->tree[t].threshold[pin], tables->tree[t].threshold[pin] ^ 128, LANES);
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
