/* Part of lanes_body.h: model and planes as loops over lanes want them. */

struct NAME(plan) {
    struct NAME(tree_plan) trees;
    struct NAME(feature_plan) features;
#if COLOUR
    int32_t place[PLACES]; /* of neighbours, from their step's own place in the first plane on */
    struct {
        const struct NAME(planes) *planes;
        uint32_t before; /* steps that it is ahead */
        int32_t place[OF_ONE];
    } reference[LUTGEN_MOST_REFERENCES];
#endif
};

/* Where a neighbour stands, counted from its step's own place in the first plane. */
static inline int32_t NAME(place_of)(const struct lutgen_lanes *lanes, const struct lutgen_place *at)
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

#if COLOUR
    for (int k = 0; k < PLACES; k++) {
        plan->place[k] = NAME(place_of)(lanes, &lutgen_places[k]);
    }
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
    memset(p->feature[LUTGEN_MOST_FEATURES], -128, LANES);
    NAME(prepare_trees)(tables, p, &plan->trees);
    NAME(prepare_features)(tables, p, &plan->features);
}
