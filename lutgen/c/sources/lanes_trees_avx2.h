/* Part of lanes_body.h with AVX2: the predictor's tree, and the sums of the others.
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
static ALWAYS_INLINE __m256i NAME(no)(int32_t least, const int8_t *feature)
{
    return _mm256_cmpgt_epi8(_mm256_set1_epi32(least), load(feature));
}

/* The leaf of each lane is that of node 0: nodes are resolved from the last one up. */
static void NAME(find_leaves)(const struct lutgen_tables *tables, struct NAME(planes) *p,
                              const struct NAME(tree_plan) *plan)
{
    const int8_t *feature = p->feature[0];
    uint8_t *leaf = p->leaf[0];
    uint8_t *to = p->leaf[tables->nodes];

    for (const struct NAME(node) *node = plan->node + tables->nodes; node-- > plan->node;) {
        const __m256i no = NAME(no)(node->least, feature + node->feature);

        to -= LANES;
        store(to, _mm256_blendv_epi8(load(leaf + node->above), load(leaf + node->below), no));
    }
}

/* A tree's numbers: four lookups by the first four answers, of which the others choose.  Masks are
 * added up to 15 less the address, negated: -(15 - a) is a + 1 in four bits. */
static ALWAYS_INLINE __m256i NAME(tree_value)(const struct NAME(tree) *tree, const int8_t *feature)
{
    const __m256i fourth = NAME(no)(tree->least[3], feature + tree->feature[3]);
    const __m256i third = NAME(no)(tree->least[2], feature + tree->feature[2]);
    const __m256i second = NAME(no)(tree->least[1], feature + tree->feature[1]);
    const __m256i first = NAME(no)(tree->least[0], feature + tree->feature[0]);
    const __m256i fifth = NAME(no)(tree->least[4], feature + tree->feature[4]);
    const __m256i sixth = NAME(no)(tree->least[5], feature + tree->feature[5]);
    const __m256i two = _mm256_add_epi8(_mm256_add_epi8(fourth, fourth), third);
    const __m256i three = _mm256_add_epi8(_mm256_add_epi8(two, two), second);
    const __m256i four = _mm256_add_epi8(_mm256_add_epi8(three, three), first);
    const __m256i address = _mm256_and_si256(four, _mm256_set1_epi8(15));
    const __m256i a = _mm256_shuffle_epi8(load_twice(tree->value), address);
    const __m256i b = _mm256_shuffle_epi8(load_twice(tree->value + 16), address);
    const __m256i c = _mm256_shuffle_epi8(load_twice(tree->value + 32), address);
    const __m256i d = _mm256_shuffle_epi8(load_twice(tree->value + 48), address);

    return _mm256_blendv_epi8(_mm256_blendv_epi8(d, c, fifth), _mm256_blendv_epi8(b, a, fifth),
                              sixth);
}

/* Sums of the trees `begin` to `end`. */
static void NAME(sum_trees)(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                            struct NAME(planes) *p, const struct NAME(tree_plan) *plan,
                            ELEMENT *sum)
{
    const int8_t *feature = p->feature[0];
    const struct NAME(tree) *tree = plan->tree + begin;
    const struct NAME(tree) *behind = plan->tree + end;
    __m256i low = _mm256_setzero_si256();
    __m256i high = _mm256_setzero_si256();

    (void)tables;
    while (tree < behind) {
        const struct NAME(tree) *last = tree + tree->run - 1;
        __m256i total = NAME(tree_value)(tree, feature);

        while (tree < last) {
            total = _mm256_add_epi8(total, NAME(tree_value)(++tree, feature));
        }
        tree++;
#if NARROW
        /* Features of 16 bits have been packed. */
        low = _mm256_add_epi16(low,
                               _mm256_srai_epi16(_mm256_unpacklo_epi8(total, total), 8));
        high = _mm256_add_epi16(high,
                                _mm256_srai_epi16(_mm256_unpackhi_epi8(total, total), 8));
#else
        low = _mm256_add_epi16(low, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(total)));
        high = _mm256_add_epi16(high, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(total, 1)));
#endif
    }
#if NARROW
    store(sum, low);
    store(sum + 16, high);
#else
    store_wide(sum, low);
    store_wide(sum + 16, high);
#endif
}
