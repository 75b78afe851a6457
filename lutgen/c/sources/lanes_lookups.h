/* Part of lanes_body.h with vectors: the predictor's tree, and the sums of the others.
 *
 * A question is asked as `least > feature`, so that features are read by the comparison itself: its
 * mask is set where the answer is no. */

struct NAME(node) {
    int32_t least; /* number that is above the threshold, four times */
    uint16_t feature;
    uint16_t below;
    uint16_t above;
};

struct NAME(tree) {
    int32_t least[LUTGEN_PINS];
    uint16_t feature[LUTGEN_PINS];
    uint16_t run; /* trees from this one on whose sum fits into 8 bits */
    uint8_t value[LUTGEN_ENTRIES]; /* in the order of addresses, see tree_value */
};

/* Features and leaves by where they stand from the first on. */
struct NAME(tree_plan) {
    struct NAME(node) node[MOST_NODES];
    struct NAME(tree) tree[MOST_TREES];
};

/* A question whose answer is always no is one about the least feature. */
static void NAME(prepare_question)(unsigned feature, unsigned threshold, uint16_t *at,
                                   int32_t *least)
{
    const int never = threshold == 255;

    *at = (uint16_t)((never ? LUTGEN_MOST_FEATURES : feature) * LANES);
    *least = (int32_t)(((threshold + (never ? 0u : 1u)) ^ 128u) * 0x01010101u);
}

static void NAME(prepare_trees)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                                struct NAME(tree_plan) *plan)
{
    const unsigned trees = (unsigned)tables->corrections + tables->scales;
    int high = 0; /* what the sums from the present run's first tree on can be */
    int low = 0;
    unsigned first = 0;

    for (unsigned n = 0; n < tables->nodes; n++) {
        const int16_t *child = tables->child[n];
        const int last = tables->nodes - 1; /* leaves stand behind the nodes */

        plan->node[n].below = (uint16_t)((child[0] < 0 ? last - child[0] : child[0]) * LANES);
        plan->node[n].above = (uint16_t)((child[1] < 0 ? last - child[1] : child[1]) * LANES);
        NAME(prepare_question)(tables->node[n][0], tables->node[n][1], &plan->node[n].feature,
                               &plan->node[n].least);
    }
    for (unsigned leaf = 0; leaf <= tables->nodes; leaf++) {
        memset(p->leaf[tables->nodes + leaf], (int)leaf, LANES);
    }
    for (unsigned t = 0; t < trees; t++) {
        int most = -128;
        int least = 127;

        for (unsigned pin = 0; pin < LUTGEN_PINS; pin++) {
            NAME(prepare_question)(tables->tree[t].feature[pin], tables->tree[t].threshold[pin],
                                   &plan->tree[t].feature[pin], &plan->tree[t].least[pin]);
        }
        for (unsigned address = 0; address < LUTGEN_ENTRIES; address++) {
            const int value = tables->value[t][address];

            plan->tree[t].value[(address & 48u) | ((address + 1) & 15u)] = (uint8_t)value;
            most = value > most ? value : most;
            least = value < least ? value : least;
        }
        if (t == tables->corrections || high + most > 127 || low + least < -128) {
            first = t;
            high = low = 0;
        }
        high += most;
        low += least;
        for (unsigned k = first; k <= t; k++) {
            plan->tree[k].run = (uint16_t)(t + 1 - k);
        }
    }
}

/* Which lanes answer no. */
static ALWAYS_INLINE vector NAME(no)(int32_t least, const int8_t *feature)
{
    return v_greater_8(v_all_32(least), v_load(feature));
}

/* The leaf of each lane is that of node 0: nodes are resolved from the last one up. */
static void NAME(find_leaves)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                              const struct NAME(tree_plan) *plan)
{
    const int8_t *feature = p->feature[0];
    uint8_t *leaf = p->leaf[0];
    uint8_t *to = p->leaf[tables->nodes];

    for (const struct NAME(node) *node = plan->node + tables->nodes; node-- > plan->node;) {
        const vector no = NAME(no)(node->least, feature + node->feature);

        to -= LANES;
        v_store(to, v_select(no, v_load(leaf + node->below), v_load(leaf + node->above)));
    }
}

/* A tree's numbers: four lookups by the first four answers, of which the others choose.  Masks are
 * added up to 15 less the address, negated: -(15 - a) is a + 1 in four bits. */
static ALWAYS_INLINE vector NAME(tree_value)(const struct NAME(tree) *tree, const int8_t *feature)
{
    const vector fourth = NAME(no)(tree->least[3], feature + tree->feature[3]);
    const vector third = NAME(no)(tree->least[2], feature + tree->feature[2]);
    const vector second = NAME(no)(tree->least[1], feature + tree->feature[1]);
    const vector first = NAME(no)(tree->least[0], feature + tree->feature[0]);
    const vector fifth = NAME(no)(tree->least[4], feature + tree->feature[4]);
    const vector sixth = NAME(no)(tree->least[5], feature + tree->feature[5]);
    const vector two = v_add_8(v_add_8(fourth, fourth), third);
    const vector three = v_add_8(v_add_8(two, two), second);
    const vector four = v_add_8(v_add_8(three, three), first);
    const vector address = v_and(four, v_all_8(15));
    const vector a = v_look_up(v_table(tree->value), address);
    const vector b = v_look_up(v_table(tree->value + 16), address);
    const vector c = v_look_up(v_table(tree->value + 32), address);
    const vector d = v_look_up(v_table(tree->value + 48), address);

    return v_select(sixth, v_select(fifth, a, b), v_select(fifth, c, d));
}

/* Sums of the trees `begin` to `end`. */
static void NAME(sum_trees)(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                            struct NAME(planes) *p, const struct NAME(tree_plan) *plan,
                            ELEMENT *sum)
{
    const int8_t *feature = p->feature[0];
    const struct NAME(tree) *tree = plan->tree + begin;
    const struct NAME(tree) *behind = plan->tree + end;
    vector low = v_zero();
    vector high = v_zero();

    (void)tables;
    while (tree < behind) {
        const struct NAME(tree) *last = tree + tree->run - 1;
        vector total = NAME(tree_value)(tree, feature);

        while (tree < last) {
            total = v_add_8(total, NAME(tree_value)(++tree, feature));
        }
        tree++;
#if NARROW
        /* Features of 16 bits have been packed. */
        low = v_add_16(low,
                       v_sar_16(v_low_8(total, total), 8));
        high = v_add_16(high,
                        v_sar_16(v_high_8(total, total), 8));
#else
        low = v_add_16(low, v_widened_low(total));
        high = v_add_16(high, v_widened_high(total));
#endif
    }
#if NARROW
    v_store(sum, low);
    v_store(sum + LANES_16, high);
#else
    v_store_wide(sum, low);
    v_store_wide(sum + LANES_16, high);
#endif
}
