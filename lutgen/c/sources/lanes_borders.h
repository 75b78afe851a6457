/* Part of lanes_body.h: neighbours, what stands beyond the sides of rows, and keeping samples. */

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
        NAME(prepare)(lanes->tables, p, lanes->plan);
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
