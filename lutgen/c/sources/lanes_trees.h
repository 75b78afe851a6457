/* Part of lanes_body.h: the predictor's tree, and the sums of the others. */

struct NAME(tree_plan) {
    int8_t node_threshold[MOST_NODES][LANES];
    int8_t threshold[MOST_TREES][LUTGEN_PINS][LANES];
    struct {
        const uint8_t *below;
        const uint8_t *above;
        const int8_t *feature;
    } node[MOST_NODES];
    const int8_t *feature[MOST_TREES][LUTGEN_PINS];
    int32_t value[MOST_TREES][LUTGEN_ENTRIES];
};

static void NAME(prepare_trees)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                                struct NAME(tree_plan) *plan)
{
    const unsigned trees = (unsigned)tables->corrections + tables->scales;

    for (unsigned n = 0; n < tables->nodes; n++) {
        const int16_t *child = tables->child[n];
        const int last = tables->nodes - 1; /* leaves stand behind the nodes */

        plan->node[n].below = p->leaf[child[0] < 0 ? last - child[0] : child[0]];
        plan->node[n].above = p->leaf[child[1] < 0 ? last - child[1] : child[1]];
        plan->node[n].feature = p->feature[tables->node[n][0]];
        memset(plan->node_threshold[n], tables->node[n][1] ^ 128, LANES);
    }
    for (unsigned leaf = 0; leaf <= tables->nodes; leaf++) {
        memset(p->leaf[tables->nodes + leaf], (int)leaf, LANES);
    }
    for (unsigned t = 0; t < trees; t++) {
        for (unsigned pin = 0; pin < LUTGEN_PINS; pin++) {
            plan->feature[t][pin] = p->feature[tables->tree[t].feature[pin]];
            memset(plan->threshold[t][pin], tables->tree[t].threshold[pin] ^ 128, LANES);
        }
        for (unsigned k = 0; k < LUTGEN_ENTRIES; k++) {
            plan->value[t][k] = tables->value[t][k];
        }
    }
}

/* The leaf of each lane is that of node 0: nodes are resolved from the last one up. */
static void NAME(find_leaves)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                              const struct NAME(tree_plan) *restrict plan)
{
    for (unsigned n = tables->nodes; n-- > 0;) {
        const int8_t *restrict feature = ALIGNED(plan->node[n].feature);
        const int8_t *restrict threshold = ALIGNED(plan->node_threshold[n]);
        const uint8_t *restrict below = ALIGNED(plan->node[n].below);
        const uint8_t *restrict above = ALIGNED(plan->node[n].above);
        uint8_t *restrict leaf = ALIGNED(p->leaf[n]);

        EACH_LANE(l) {
            const uint8_t up = feature[l] > threshold[l] ? 255 : 0;

            leaf[l] = (uint8_t)(((above[l] ^ below[l]) & up) ^ below[l]);
        }
    }
}

/* Addresses of the trees `begin` to `end`. */
static void NAME(ask)(unsigned begin, unsigned end, const struct NAME(tree_plan) *restrict plan,
                      uint8_t (*restrict to)[LANES])
{
    for (unsigned t = begin; t < end; t++) {
        const int8_t *restrict a = ALIGNED(plan->feature[t][0]);
        const int8_t *restrict b = ALIGNED(plan->feature[t][1]);
        const int8_t *restrict c = ALIGNED(plan->feature[t][2]);
        const int8_t *restrict d = ALIGNED(plan->feature[t][3]);
        const int8_t *restrict e = ALIGNED(plan->feature[t][4]);
        const int8_t *restrict f = ALIGNED(plan->feature[t][5]);
        const int8_t *restrict above = ALIGNED(plan->threshold[t][0]);
        uint8_t *restrict address = ALIGNED(to[t]);

        EACH_LANE(l) {
            address[l] = (uint8_t)((a[l] > above[l] ? 1 : 0) | (b[l] > above[LANES + l] ? 2 : 0) |
                                   (c[l] > above[2 * LANES + l] ? 4 : 0) |
                                   (d[l] > above[3 * LANES + l] ? 8 : 0) |
                                   (e[l] > above[4 * LANES + l] ? 16 : 0) |
                                   (f[l] > above[5 * LANES + l] ? 32 : 0));
        }
    }
}

/* Sums of the trees `begin` to `end`. */
SCALAR static void NAME(sum_trees)(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                            struct NAME(planes) *p, const struct NAME(tree_plan) *restrict plan,
                            ELEMENT *restrict sum)
{
    (void)tables;
    NAME(ask)(begin, end, plan, p->address);
    for (unsigned l = 0; l < LANES; l += 8) {
        const int32_t *restrict value = plan->value[begin];
        const uint8_t *restrict address = p->address[begin] + l;
        int32_t a = 0;
        int32_t b = 0;
        int32_t c = 0;
        int32_t d = 0;
        int32_t e = 0;
        int32_t f = 0;
        int32_t g = 0;
        int32_t h = 0;

        for (unsigned t = begin; t < end; t++) {
            a += value[address[0]];
            b += value[address[1]];
            c += value[address[2]];
            d += value[address[3]];
            e += value[address[4]];
            f += value[address[5]];
            g += value[address[6]];
            h += value[address[7]];
            value += LUTGEN_ENTRIES;
            address += LANES;
        }
        sum[l] = (ELEMENT)a;
        sum[l + 1] = (ELEMENT)b;
        sum[l + 2] = (ELEMENT)c;
        sum[l + 3] = (ELEMENT)d;
        sum[l + 4] = (ELEMENT)e;
        sum[l + 5] = (ELEMENT)f;
        sum[l + 6] = (ELEMENT)g;
        sum[l + 7] = (ELEMENT)h;
    }
}
