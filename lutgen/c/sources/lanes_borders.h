/* Part of lanes_body.h: neighbours, what stands beyond the sides of rows, and keeping samples. */

/* Copy all neighbours of step i of the planes: row k's into lane k. */
static void NAME(gather)(struct NAME(planes) *p, const struct NAME(plan) *plan,
                         unsigned references, uint32_t i)
{
    const ELEMENT *from = (const ELEMENT *)(const void *)p->kept + i * (LANES + BEFORE);

    for (int k = 0; k < PLACES; k++) {
        memcpy(p->quantity[FIRST_PLACE + k], from + plan->place[k], sizeof p->quantity[0]);
    }
#if COLOUR
    for (unsigned r = 0; r < references; r++) {
        from = (const ELEMENT *)(const void *)plan->reference[r].planes->kept;
        from += i * (LANES + BEFORE);
        for (unsigned k = 0; k < OF_ONE; k++) {
            memcpy(p->quantity[QUANTITIES + r * OF_ONE + k], from + plan->reference[r].place[k],
                   sizeof p->quantity[0]);
        }
    }
    if (references) {
        memcpy(p->level, p->quantity[QUANTITIES + (references - 1) * OF_ONE + R_X],
               sizeof p->level);
    }
#else
    (void)references;
#endif
}

/* Left of its first column, row k sees the first samples of the rows above. */
static void NAME(mend_left)(const struct lutgen_lanes *lanes, struct NAME(planes) *p,
                            const struct NAME(plan) *plan, unsigned references, uint32_t i,
                            uint32_t k, uint32_t x)
{
    for (int n = 0; n < PLACES; n++) {
        const struct lutgen_place *at = &lutgen_places[n];
        const uint32_t above = (uint32_t)at->above;

        if ((int)x + at->column < 0 && above > 0 && lanes->y + k > 0) {
            p->quantity[FIRST_PLACE + n][k] =
                p->kept[at->plane][i - ROW_LAG(lanes) * above - x][BEFORE + k - above];
        }
    }
#if COLOUR
    for (unsigned r = 0; r < references; r++) {
        for (unsigned n = 0; n < OF_ONE; n++) {
            const struct lutgen_place *at = &lutgen_reference_places[n];
            const uint32_t above = (uint32_t)at->above;
            const uint32_t first = i - plan->reference[r].before - ROW_LAG(lanes) * above - x;

            if ((int)x + at->column < 0 && above > 0 && lanes->y + k > 0) {
                p->quantity[QUANTITIES + r * OF_ONE + n][k] =
                    plan->reference[r].planes->kept[at->plane][first][BEFORE + k - above];
            }
        }
    }
#else
    (void)plan;
    (void)references;
#endif
}

/* In the first row of a strip all that is above is W. */
static void NAME(mend_first)(const struct lutgen_lanes *lanes, struct NAME(planes) *p,
                             const struct NAME(plan) *plan, unsigned references, uint32_t i)
{
    const ELEMENT west = p->kept[ENERGIES][i - 1][BEFORE];

    for (int n = 0; n < PLACES; n++) {
        const struct lutgen_place *at = &lutgen_places[n];

        if (at->above > 0) {
            p->quantity[FIRST_PLACE + n][0] = p->kept[at->plane][i - 1][BEFORE];
        }
    }
#if COLOUR
    for (unsigned r = 0; r < references; r++) {
        for (unsigned n = 0; n < OF_ONE; n++) {
            const struct lutgen_place *at = &lutgen_reference_places[n];

            if (at->above > 0) {
                p->quantity[QUANTITIES + r * OF_ONE + n][0] =
                    plan->reference[r]
                        .planes->kept[at->plane][i - plan->reference[r].before - 1][BEFORE];
            }
        }
    }
#else
    (void)plan;
    (void)references;
#endif
    p->kept[ENERGIES][i - ROW_LAG(lanes) + 3][BEFORE - 1] = west;
    p->kept[ENERGIES][i - ROW_LAG(lanes) + 2][BEFORE - 1] = west;
}

/* Keep the samples of a step with their errors and energies. */
static void NAME(keep_step)(struct NAME(planes) *restrict p, uint32_t i, uint32_t row_lag)
{
    const ELEMENT *restrict west = p->kept[ENERGIES][i - 1] + BEFORE;
    const ELEMENT *restrict near_north = p->kept[ENERGIES][i - row_lag + 2] + BEFORE - 1;
    const ELEMENT *restrict far_north = p->kept[ENERGIES][i - row_lag + 3] + BEFORE - 1;
    ELEMENT *restrict sample = p->kept[SAMPLES][i] + BEFORE;
    ELEMENT *restrict error = p->kept[ERRORS][i] + BEFORE;
    ELEMENT *restrict energy = p->kept[ENERGIES][i] + BEFORE;

    EACH_LANE(l) {
        const ELEMENT value = (ELEMENT)(p->sample[l] * (1 << FRACTION_BITS) - LEVEL(p, l));
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
static void NAME(feed)(const struct lutgen_lanes *lanes, const struct lutgen_lane_channel *channel,
                       uint32_t i, int32_t t)
{
    struct NAME(planes) *p = channel->planes;
    static const uint8_t plane_of[LINES] = {SAMPLES, SAMPLES, SAMPLES, ERRORS, ERRORS, ENERGIES};
    static const uint8_t above_of[LINES] = {1, 2, 3, 1, 2, 1};
    const int32_t last = (int32_t)lanes->plane.width - 1;

    for (int n = 0; n < LINES; n++) {
        const ELEMENT *line = channel->line[n];
        const int above = above_of[n];
        const int32_t x = t + (int32_t)ROW_LAG(lanes) * above;

        p->kept[plane_of[n]][i][BEFORE - above] = line[clamped(x, 0, last)];
    }
}

/* The first row stands for those above it. */
static void NAME(mirror)(struct NAME(planes) *p, uint32_t i, uint32_t row_lag)
{
    for (int n = 0; n < PLANES; n++) {
        for (uint32_t above = 1; above <= 2; above++) {
            p->kept[n][i - row_lag * above][BEFORE - above] = p->kept[n][i][BEFORE];
        }
    }
}

/* Put what stands left of the row that begins next, and right of the one that has ended. */
static void NAME(pad)(const struct lutgen_lanes *lanes, struct NAME(planes) *p, uint32_t i,
                      uint32_t t)
{
    const uint32_t lag = ROW_LAG(lanes);
    const uint32_t next = t / lag + 1;
    const uint32_t width = lanes->plane.width;

    if (next < LANES && t % lag >= lag - 3) {
        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE + next] = p->kept[n][i - t % lag][BEFORE + next - 1];
        }
    }
    if (t >= width && (t - width) % lag < 3 && (t - width) / lag < LANES) {
        const uint32_t k = (t - width) / lag;

        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE + k] = p->kept[n][i - 1][BEFORE + k];
        }
    }
}

/* Write what the next block looks at of the last three rows of a full block. */
static void NAME(put_lines)(const struct lutgen_lanes *lanes,
                            const struct lutgen_lane_channel *channel, uint32_t i, uint32_t t)
{
    const struct NAME(planes) *p = channel->planes;

    for (uint32_t above = 1; above <= 3; above++) {
        const uint32_t k = LANES - above;
        const uint32_t x = t - ROW_LAG(lanes) * k;

        if (t >= ROW_LAG(lanes) * k && x < lanes->plane.width) {
            ((ELEMENT *)channel->line[above - 1])[x] = p->kept[SAMPLES][i][BEFORE + k];
            if (above < 3) {
                ((ELEMENT *)channel->line[2 + above])[x] = p->kept[ERRORS][i][BEFORE + k];
            }
            if (above == 1) {
                ((ELEMENT *)channel->line[5])[x] = p->kept[ENERGIES][i][BEFORE + k];
            }
        }
    }
}

/* Prepare a channel's planes for its first step, which is i. */
static void NAME(begin_channel)(const struct lutgen_lanes *lanes, unsigned number, uint32_t step)
{
    const struct lutgen_lane_channel *channel = &lanes->channel[number];
    struct NAME(planes) *p = channel->planes;
    const int32_t middle =
        channel->tables->references ? 0 : 1 << (lanes->samples.depth - 1 + FRACTION_BITS);
    const ELEMENT first[PLANES] = {(ELEMENT)middle, 0, 0};
    static const uint8_t line_of[PLANES] = {0, 3, 5};

    if (lanes->y == 0) {
        memset(p, 0, sizeof *p);
        NAME(prepare)(lanes, number);
    }
    for (uint32_t back = HISTORY - 2; back > 0; back--) {
        const uint32_t i = step - back;

        if (lanes->y > 0) {
            NAME(feed)(lanes, channel, i, -(int32_t)back);
        }
        for (int n = 0; n < PLANES && back <= 3; n++) {
            p->kept[n][i][BEFORE] =
                lanes->y > 0 ? ((const ELEMENT *)channel->line[line_of[n]])[0] : first[n];
        }
        if (lanes->y == 0 && back <= 3) {
            NAME(mirror)(p, i, ROW_LAG(lanes));
        }
    }
}

/* Prepare all planes for step 0; returns it. */
static uint32_t NAME(begin_block)(const struct lutgen_lanes *lanes)
{
    for (unsigned n = 0; n < CHANNELS(lanes); n++) {
        NAME(begin_channel)(lanes, n, HISTORY + LAG * n);
    }
    return HISTORY;
}

/* Everything behind the samples of a channel's step t, which is i of the planes. */
static void NAME(end_channel)(const struct lutgen_lanes *lanes,
                              const struct lutgen_lane_channel *channel, uint32_t i, uint32_t t)
{
    struct NAME(planes) *p = channel->planes;

    NAME(keep_step)(p, i, ROW_LAG(lanes));
    NAME(pad)(lanes, p, i, t);
    if (lanes->y == 0) {
        NAME(mirror)(p, i, ROW_LAG(lanes));
    } else {
        NAME(feed)(lanes, channel, i, (int32_t)t);
    }
    if (lanes->rows == LANES) {
        NAME(put_lines)(lanes, channel, i, t);
    }
}

/* The same of all channels; returns the next step of the planes. */
static uint32_t NAME(end_step)(const struct lutgen_lanes *lanes, uint32_t i, uint32_t t)
{
    for (unsigned n = 0; n < CHANNELS(lanes) && t >= LAG * n; n++) {
        NAME(end_channel)(lanes, &lanes->channel[n], i, t - LAG * n);
    }
    if (++i < HISTORY + STEPS) {
        return i;
    }
    for (unsigned n = 0; n < CHANNELS(lanes); n++) {
        struct NAME(planes) *p = lanes->channel[n].planes;

        for (int k = 0; k < PLANES; k++) {
            memcpy(p->kept[k], p->kept[k] + STEPS, sizeof p->kept[k][0] * HISTORY);
        }
    }
    return HISTORY;
}

/* Steps of a block. */
static uint32_t NAME(steps)(const struct lutgen_lanes *lanes)
{
    return lanes->plane.width + LAG * (lanes->plane.height - 1);
}

/* Of `height` rows, each `lag` columns behind the one above, the first that is within the picture at
 * step t, and the one behind the last. */
static void NAME(active)(const struct lutgen_lanes *lanes, uint32_t t, uint32_t lag,
                         uint32_t height, uint32_t *begin, uint32_t *end)
{
    const uint32_t last = t / lag + 1;

    *begin = t < lanes->plane.width ? 0 : (t - lanes->plane.width) / lag + 1;
    *end = last < height ? last : height;
}
