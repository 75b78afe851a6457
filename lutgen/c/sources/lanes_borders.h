/* Part of lanes_body.h: neighbours, what stands beyond the sides of rows, and keeping samples. */

/* Copy all neighbours of step i of the planes: row k's into lane k. */
static void NAME(gather)(struct NAME(planes) *p, const struct NAME(plan) *plan,
                         unsigned references, uint32_t i)
{
    const ELEMENT *from = (const ELEMENT *)(const void *)p->kept + i * (LANES + BEFORE);

#if COLOUR
    for (int k = 0; k < PLACES; k++) {
        COPY_LANES(p->quantity[FIRST_PLACE + k], from + plan->place[k]);
    }
    for (unsigned r = 0; r < references; r++) {
        from = (const ELEMENT *)(const void *)plan->reference[r].planes->kept;
        from += i * (LANES + BEFORE);
        for (unsigned k = 0; k < OF_ONE; k++) {
            COPY_LANES(p->quantity[QUANTITIES + r * OF_ONE + k],
                       from + plan->reference[r].place[k]);
        }
    }
    if (references) {
        COPY_LANES(p->level, p->quantity[QUANTITIES + (references - 1) * OF_ONE + R_X]);
    }
#else
    UNROLLED for (int k = 0; k < PLACES; k++) {
        COPY_LANES(p->quantity[FIRST_PLACE + k], from + NAME(place_of)(NULL, &lutgen_places[k]));
    }
    (void)plan;
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

        if ((int)x + at->column < 0 && above > 0) {
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

            if ((int)x + at->column < 0 && above > 0) {
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

/* Put the rows above lane 0 left of it, as they are at a channel's step, which is i.  They are
 * ahead of it, so they turn to the next block's before it does. */
static void NAME(feed)(const struct lutgen_lanes *lanes, const struct lutgen_lane_channel *channel,
                       uint32_t i)
{
    struct NAME(planes) *p = channel->planes;
    static const uint8_t plane_of[LINES] = {SAMPLES, SAMPLES, SAMPLES, ERRORS, ERRORS, ENERGIES};
    static const uint8_t above_of[LINES] = {1, 2, 3, 1, 2, 1};
    const int32_t last = (int32_t)lanes->plane.width - 1;

    if (channel->clock.first > 0 && channel->clock.x + 3 * ROW_LAG(lanes) < lanes->plane.width) {
        UNROLLED for (int n = 0; n < LINES; n++) {
            const ELEMENT *line = channel->line[n];

            p->kept[plane_of[n]][i][BEFORE - above_of[n]] =
                line[channel->clock.x + ROW_LAG(lanes) * above_of[n]];
        }
        return;
    }
    for (int n = 0; n < LINES; n++) {
        const ELEMENT *line = channel->line[n];
        const uint32_t above = above_of[n];
        int32_t x = (int32_t)(channel->clock.x + ROW_LAG(lanes) * above);

        if ((uint32_t)x + BESIDE >= lanes->period) {
            x -= (int32_t)lanes->period;
        } else if (channel->clock.first == 0) {
            continue;
        }
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

/* Put what stands right of a row that has ended `past` steps and BESIDE columns ago at most. */
static inline void NAME(pad_right)(struct NAME(planes) *p, uint32_t i, uint32_t lag, uint32_t past)
{
    const uint32_t k = past / lag;

    if (past % lag < BESIDE && k < LANES) {
        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE + k] = p->kept[n][i - 1][BEFORE + k];
        }
    }
}

/* Put what stands left of the row that begins next, and right of those that have ended. */
static void NAME(pad)(const struct lutgen_lanes *lanes, const struct lutgen_lane_channel *channel,
                      uint32_t i)
{
    static const uint8_t line_of[PLANES] = {0, 3, 5};
    struct NAME(planes) *p = channel->planes;
    const uint32_t lag = ROW_LAG(lanes);
    const uint32_t x = channel->clock.x;
    const uint32_t next = x / lag + 1;
    const uint32_t width = lanes->plane.width;

    if (x + BESIDE >= lanes->period) {
        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE] = ((const ELEMENT *)channel->line[line_of[n]])[0];
        }
    } else if (next < LANES && x % lag >= lag - BESIDE) {
        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE + next] = p->kept[n][i - x % lag][BEFORE + next - 1];
        }
    }
    if (x >= width) {
        NAME(pad_right)(p, i, lag, x - width);
    }
    if (channel->clock.first > 0) {
        NAME(pad_right)(p, i, lag, x + lanes->period - width);
    }
}

/* Put aside what lane 0 will look at of the last three rows of a block. */
static void NAME(put_lines)(const struct lutgen_lanes *lanes,
                            const struct lutgen_lane_channel *channel, uint32_t i)
{
    const struct NAME(planes) *p = channel->planes;

    for (uint32_t above = 1; above <= 3; above++) {
        const uint32_t k = LANES - above;
        const uint32_t behind = ROW_LAG(lanes) * k;
        const uint32_t x =
            channel->clock.x - behind + (channel->clock.x < behind ? lanes->period : 0);

        if (x < lanes->plane.width) {
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

/* Prepare a channel's planes for its first step, which is `step`. */
static void NAME(begin_channel)(const struct lutgen_lanes *lanes, unsigned number, uint32_t step)
{
    const struct lutgen_lane_channel *channel = &lanes->channel[number];
    struct NAME(planes) *p = channel->planes;
    const int32_t middle =
        channel->tables->references ? 0 : 1 << (lanes->samples.depth - 1 + FRACTION_BITS);
    const ELEMENT first[PLANES] = {(ELEMENT)middle, 0, 0};

    memset(p, 0, sizeof *p);
    NAME(prepare)(lanes, number);
    for (uint32_t i = step - BESIDE; i < step; i++) {
        for (int n = 0; n < PLANES; n++) {
            p->kept[n][i][BEFORE] = first[n];
        }
        NAME(mirror)(p, i, ROW_LAG(lanes));
    }
}

/* Prepare all planes for step 0. */
static void NAME(begin_strip)(struct lutgen_lanes *lanes)
{
    for (unsigned n = 0; n < CHANNELS(lanes); n++) {
        NAME(begin_channel)(lanes, n, HISTORY + LAG * n);
    }
    lanes->i = HISTORY;
}

/* Turn a clock to the next step; `rows` are those of a block. */
static inline void NAME(tick)(struct lutgen_lane_clock *clock, uint32_t period, uint32_t rows)
{
    if (++clock->x == period) {
        clock->x = 0;
        clock->first += rows;
    }
}

/* Everything behind the samples of a channel's step, which is i of the planes. */
static void NAME(end_channel)(const struct lutgen_lanes *lanes, struct lutgen_lane_channel *channel,
                              uint32_t i)
{
    struct NAME(planes) *p = channel->planes;

    NAME(keep_step)(p, i, ROW_LAG(lanes));
    NAME(pad)(lanes, channel, i);
    NAME(put_lines)(lanes, channel, i);
    if (channel->clock.first == 0 && channel->clock.x < lanes->plane.width + BESIDE) {
        NAME(mirror)(p, i, ROW_LAG(lanes));
    }
    NAME(feed)(lanes, channel, i);
    NAME(tick)(&channel->clock, lanes->period, LANES);
}

/* The same of all channels that have begun. */
static void NAME(end_step)(struct lutgen_lanes *lanes)
{
    for (unsigned n = 0; n < CHANNELS(lanes) && lanes->t >= LAG * n; n++) {
        NAME(end_channel)(lanes, &lanes->channel[n], lanes->i);
    }
    NAME(tick)(&lanes->clock, lanes->period, LANES * CHANNELS(lanes));
    lanes->t++;
    if (++lanes->i < HISTORY + STEPS) {
        return;
    }
    for (unsigned n = 0; n < CHANNELS(lanes); n++) {
        struct NAME(planes) *p = lanes->channel[n].planes;

        for (int k = 0; k < PLANES; k++) {
            memcpy(p->kept[k], p->kept[k] + STEPS, sizeof p->kept[k][0] * HISTORY);
        }
    }
    lanes->i = HISTORY;
}
