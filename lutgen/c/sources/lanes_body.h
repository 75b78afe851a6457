/* See lanes.h.  With the parts that it includes this is compiled for ELEMENT, the type of
 * quantities, into functions called NAME(...); NARROW says that it has 16 bits, COLOUR that there are
 * several channels.  Loops over lanes are for the compiler's vectoriser: nothing in them depends on
 * another lane. */

/* Channels, by how many columns a row of a channel is behind the one above, what samples are above
 * the values that are kept, and steps that are looked back. */
#undef CHANNELS
#undef ROW_LAG
#undef LEVEL
#undef HISTORY
#undef LANE_ROWS
#undef LANE_READERS
#if COLOUR
#define CHANNELS(lanes) ((lanes)->plane.channels)
#define ROW_LAG(lanes) (LAG * (lanes)->plane.channels)
#define LEVEL(p, l) ((p)->level[l])
#define HISTORY 64
#else
#define CHANNELS(lanes) ((void)(lanes), 1u)
#define ROW_LAG(lanes) ((void)(lanes), (uint32_t)LAG)
#define LEVEL(p, l) 0
#define HISTORY 16
#endif

#include "lanes_planes.h"
#ifdef LANE_VECTORS
#include "lanes_codes.h"
#include "lanes_lookups.h"
#else
#include "lanes_trees.h"
#endif
#if defined(LANE_VECTORS) && NARROW
#include "lanes_narrow.h"
#if defined(LANE_TOKENS) && !COLOUR
#define LANE_READERS
#include LANE_TOKENS
#endif
#else
#define LANE_ROWS
#include "lanes_features.h"
#endif
#include "lanes_plan.h"
#include "lanes_borders.h"

/* All predictions of a channel's step. */
static void NAME(predict_step)(const struct lutgen_lanes *lanes,
                               const struct lutgen_lane_channel *channel)
{
    const struct lutgen_tables *tables = channel->tables;
    const struct NAME(plan) *plan = channel->plan;
    struct NAME(planes) *p = channel->planes;
    const unsigned trees = (unsigned)tables->corrections + tables->scales;
    const uint32_t height = lanes->plane.height / CHANNELS(lanes);
    const uint32_t starting = channel->clock.x / ROW_LAG(lanes);
    const uint32_t column = channel->clock.x % ROW_LAG(lanes);
    const int lossless = lanes->samples.step == 1;
    struct NAME(part) part[2];

    NAME(active)(lanes, &channel->clock, ROW_LAG(lanes), LANES, height, part);
    NAME(gather)(p, plan, tables->references, lanes->i);
    if (starting < part[0].end && column < BESIDE && part[0].first + starting > 0) {
        NAME(mend_left)(lanes, p, plan, tables->references, lanes->i, starting, column);
    }
    if (part[0].first == 0 && part[0].begin == 0) {
        NAME(mend_first)(lanes, p, plan, tables->references, lanes->i);
    }
    NAME(look)(p, lossless);
    NAME(measure)(tables, p, &plan->features);
    NAME(divide)(tables, tables->part[0], tables->part[1], p, &plan->features);
    NAME(fill_special)(tables, p);
    NAME(find_leaves)(tables, p, &plan->trees);
    NAME(predict_first)(lanes, channel, p, &plan->features, part);
    NAME(divide)(tables, tables->part[2], tables->part[3], p, &plan->features);
    NAME(fill_level)(tables, lanes->samples.depth, p);
    NAME(sum_trees)(tables, 0, tables->corrections, p, &plan->trees, p->correction);
    NAME(sum_trees)(tables, tables->corrections, trees, p, &plan->trees, p->scale);
    NAME(aim_all)(lanes, tables, p);
    if (!lossless) {
        for (uint32_t k = 0; k < LANES; k++) {
            struct lutgen_prediction found;

            aim(tables, &lanes->samples, p->final[k],
                p->scale[k] + p->logarithm[k] * SCALE_STEP, 0, &found);
            p->whole[k] = (ELEMENT)found.whole;
            p->rest[k] = (ELEMENT)found.rest;
            p->row[k] = (ELEMENT)found.row;
        }
    }
}

/* Begin the row of the planes whose turn it is, and predict all. */
static void NAME(begin_step)(struct lutgen_lanes *lanes)
{
    const uint32_t row = lanes->clock.x / LAG;
    const uint32_t y = lanes->clock.first + row;

    if (lanes->t == 0) {
        NAME(begin_strip)(lanes);
    }
    if (lanes->clock.x % LAG == 0 && row < LANES * CHANNELS(lanes) && y < lanes->plane.height) {
        lanes->start[row] = row_start(&lanes->plane, y);
        lanes->slot[row] = (uint8_t)(y / GROUP % lanes->slots);
    }
    for (unsigned n = 0; n < CHANNELS(lanes) && lanes->t >= LAG * n; n++) {
        NAME(predict_step)(lanes, &lanes->channel[n]);
    }
}

/* Channel and lane of a row of the block. */
static inline const struct lutgen_lane_channel *NAME(channel_of)(const struct lutgen_lanes *lanes,
                                                                 uint32_t row)
{
    return &lanes->channel[COLOUR ? lanes->channel_of[row] : 0];
}

static inline uint32_t NAME(lane_of)(const struct lutgen_lanes *lanes, uint32_t row)
{
    return COLOUR ? lanes->lane_of[row] : row;
}

/* Decode a row's folded residual; its group's window is refilled only if `first`, as it holds the bits
 * of two. */
static inline void NAME(decode_row)(struct lutgen_lanes *lanes, uint32_t row, int first)
{
    const struct lutgen_tables *tables = NAME(channel_of)(lanes, row)->tables;
    struct NAME(planes) *p = NAME(channel_of)(lanes, row)->planes;
    struct lutgen_lane_group *group = &lanes->group[lanes->slot[row]];
    const uint32_t k = NAME(lane_of)(lanes, row);
    uint32_t folded = 0;

    if (first) {
        refill(&group->bits);
    }
    if (group->state) {
        const uint32_t table = (uint32_t)p->row[k];
        const uint32_t token = FIND_TOKEN(tables, table, group->state & SLOT_MASK);

        folded = take_residual(tables->cumulative[table], token, &group->bits, &group->state);
    } else if (group->plain) {
        folded = take(&group->bits, group->plain);
    }
    p->folded[k] = (ELEMENT)folded;
}

/* Decode the folded residuals of a step.  Rows of different groups come after one another, as they do
 * not wait for each other. */
static void NAME(decode_rows)(struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
    const uint32_t begin = (part->begin + GROUP - 1) / GROUP * GROUP; /* of groups with all rows */
    const uint32_t end = part->end / GROUP * GROUP;

    for (uint32_t row = part->begin; row < part->end && (row < begin || begin > end); row++) {
        NAME(decode_row)(lanes, row, 1);
    }
    for (uint32_t of_group = 0; of_group < GROUP; of_group++) {
        for (uint32_t row = begin + of_group; row < end; row += GROUP) {
            NAME(decode_row)(lanes, row, !(of_group & 1u));
        }
    }
    for (uint32_t row = end; row < part->end && begin <= end; row++) {
        NAME(decode_row)(lanes, row, 1);
    }
}

/* Samples of all lanes from their folded residuals; returns 0 if one is out of its range. */
static int NAME(unfold)(const struct lutgen_samples *samples, struct NAME(planes) *restrict p)
{
    const ELEMENT most = (ELEMENT)samples->most;
    const ELEMENT step = (ELEMENT)samples->step;
    const ELEMENT maximum = (ELEMENT)samples->maximum;
    ELEMENT wrong[LANES];
    ELEMENT any = 0;

    EACH_LANE(l) {
        const ELEMENT whole = p->whole[l];
        const ELEMENT other = (ELEMENT)(most - whole);
        const ELEMENT room = whole < other ? whole : other;
        /* Those of 16 bits may have become negative. */
        const ELEMENT out = p->folded[l] > most || p->folded[l] < 0 ? -1 : 0;
        const ELEMENT folded = (ELEMENT)(p->folded[l] & ~out);
        const ELEMENT beyond = folded > (ELEMENT)(2 * room) ? -1 : 0;
        const ELEMENT near_size = (ELEMENT)((ELEMENT)(folded + 1) >> 1);
        const ELEMENT size = (ELEMENT)(((folded - room) & beyond) | (near_size & ~beyond));
        const ELEMENT odd = (ELEMENT)-(folded & 1);
        const ELEMENT near_up = (ELEMENT)(odd ^ (p->rest[l] < 0 ? -1 : 0));
        const ELEMENT far_up = whole == room ? -1 : 0;
        const ELEMENT down = (ELEMENT) ~((far_up & beyond) | (near_up & ~beyond));
        const ELEMENT index = (ELEMENT)(whole + ((size ^ down) - down));
        const ELEMENT sample = (ELEMENT)(index * step);

        p->sample[l] = sample < maximum ? sample : maximum;
        wrong[l] = out;
    }
    for (int l = 0; l < LANES; l++) {
        any |= wrong[l];
    }
    return any == 0;
}

/* Write the samples of a step into the picture. */
static void NAME(put_samples)(const struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
    const struct lutgen_plane *plane = &lanes->plane;
#if COLOUR
    for (uint32_t row = part->begin; row < part->end; row++) {
        const struct NAME(planes) *p = NAME(channel_of)(lanes, row)->planes;

        put_sample(plane, lanes->start[row], (size_t)(part->x - LAG * row) * plane->step,
                   p->sample[NAME(lane_of)(lanes, row)]);
    }
#else
    const struct NAME(planes) *p = lanes->channel[0].planes;
    /* From a lane's sample to the next lane's: a number, which may be below 0, not a pointer. */
    const size_t next = plane->stride - LAG;
    size_t at =
        part->x + part->begin * next + (size_t)part->first * plane->stride + plane->offset[0];

    if (plane->bytes == 1) {
        uint8_t *samples = plane->samples;

        for (uint32_t k = part->begin; k < part->end; k++, at += next) {
            samples[at] = (uint8_t)p->sample[k];
        }
    } else {
        uint16_t *samples = plane->samples;

        for (uint32_t k = part->begin; k < part->end; k++, at += next) {
            samples[at] = (uint16_t)((uint32_t)p->sample[k] << plane->shift);
        }
    }
#endif
}

/* Keep the samples of a step as rows, where predictions of rows below look at them. */
static void NAME(put_taps)(const struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
#ifdef LANE_ROWS
    const ELEMENT bias = (ELEMENT)lanes->bias;

    for (uint32_t row = part->begin; row < part->end; row++) {
        const struct lutgen_lane_channel *channel = NAME(channel_of)(lanes, row);
        const struct NAME(planes) *p = channel->planes;
        const uint32_t k = NAME(lane_of)(lanes, row);

        channel->taps[k][part->x - LAG * row] =
            (int16_t)(p->sample[k] - (LEVEL(p, k) >> FRACTION_BITS) - bias);
    }
#else
    (void)lanes;
    (void)part;
#endif
}

static int NAME(decode)(struct lutgen_lanes *lanes, uint32_t end)
{
    int sound = 1;
#ifdef LANE_READERS
    struct NAME(readers) readers;
    int reading = 0;
#endif

    while (lanes->t < end) {
        struct NAME(part) part[2];

        NAME(active)(lanes, &lanes->clock, LAG, LANES * CHANNELS(lanes), lanes->plane.height, part);
        NAME(begin_step)(lanes);
#ifdef LANE_READERS
        if (part[0].begin == 0 && part[0].end == LANES && lanes->samples.depth == 8 &&
            (reading || NAME(begin_readers)(lanes, &readers))) {
            reading = NAME(read_all)(lanes->channel[0].tables, &readers,
                                     lanes->channel[0].planes);
            if (!reading || lanes->t + 1 == end || part[0].x + 1 == lanes->plane.width) {
                NAME(end_readers)(lanes, &readers);
                reading = 0;
            }
        } else
#endif
        {
            NAME(decode_rows)(lanes, &part[0]);
            NAME(decode_rows)(lanes, &part[1]);
        }
        for (unsigned n = 0; n < CHANNELS(lanes); n++) {
            sound &= NAME(unfold)(&lanes->samples, lanes->channel[n].planes);
        }
        for (int n = 0; n < 2; n++) {
            NAME(put_samples)(lanes, &part[n]);
            NAME(put_taps)(lanes, &part[n]);
        }
        NAME(end_step)(lanes);
    }
    return sound;
}

/* Take the samples of a step from the picture. */
static void NAME(take_samples)(const struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
    const struct lutgen_plane *plane = &lanes->plane;
#if COLOUR
    for (uint32_t row = part->begin; row < part->end; row++) {
        struct NAME(planes) *p = NAME(channel_of)(lanes, row)->planes;
        const size_t at = (size_t)(part->x - LAG * row) * plane->step;

        p->sample[NAME(lane_of)(lanes, row)] = (ELEMENT)sample_at(plane, lanes->start[row], at);
    }
#else
    struct NAME(planes) *p = lanes->channel[0].planes;
    /* From a lane's sample to the next lane's: a number, which may be below 0, not a pointer. */
    const size_t next = plane->stride - LAG;
    size_t at =
        part->x + part->begin * next + (size_t)part->first * plane->stride + plane->offset[0];

    if (plane->bytes == 1) {
        const uint8_t *samples = plane->samples;

        for (uint32_t k = part->begin; k < part->end; k++, at += next) {
            p->sample[k] = samples[at];
        }
    } else {
        const uint16_t *samples = plane->samples;

        for (uint32_t k = part->begin; k < part->end; k++, at += next) {
            p->sample[k] = (ELEMENT)(samples[at] >> plane->shift);
        }
    }
#endif
}

/* Folded residuals of all lanes, whose samples become those that a decoder will have. */
static void NAME(fold)(const struct lutgen_samples *samples, struct NAME(planes) *restrict p)
{
    const ELEMENT most = (ELEMENT)samples->most;

    if (samples->step > 1) {
        for (int l = 0; l < LANES; l++) {
            int32_t restored;

            p->folded[l] = (ELEMENT)quantised(samples, (uint32_t)p->sample[l], &restored);
            p->sample[l] = (ELEMENT)restored;
        }
    } else {
        memcpy(p->folded, p->sample, sizeof p->folded);
    }
    EACH_LANE(l) {
        const ELEMENT whole = p->whole[l];
        const ELEMENT other = (ELEMENT)(most - whole);
        const ELEMENT room = whole < other ? whole : other;
        const ELEMENT sign = p->rest[l] < 0 ? -1 : 0;
        const ELEMENT residual = (ELEMENT)(((p->folded[l] - whole) ^ sign) - sign);
        const ELEMENT size = residual < 0 ? (ELEMENT)-residual : residual;
        const ELEMENT positive = residual > 0 ? 1 : 0;
        const ELEMENT beyond = size > room ? -1 : 0;

        p->folded[l] = (ELEMENT)(((room + size) & beyond) | ((2 * size - positive) & ~beyond));
    }
}

/* What the folded residuals of all lanes are coded as. */
static void NAME(find_codes)(const struct lutgen_tables *tables, struct NAME(planes) *p)
{
#ifdef LANE_VECTORS
    NAME(codes)(tables, p);
#else
    for (int l = 0; l < LANES; l++) {
        p->code[l] = code_of(tables->cumulative[p->row[l]], (uint32_t)p->folded[l]);
    }
#endif
}

/* Put a row's code down for its group. */
static inline void NAME(put_row)(struct lutgen_lanes *lanes, uint32_t row)
{
    struct lutgen_lane_group *group = &lanes->group[lanes->slot[row]];
    const struct NAME(planes) *p = NAME(channel_of)(lanes, row)->planes;
    const uint32_t k = NAME(lane_of)(lanes, row);

    group->folded[group->count] = (uint16_t)p->folded[k];
    group->code[group->count++] = p->code[k];
}

/* The same of four rows of a group of gray. */
static inline void NAME(put_group)(struct lutgen_lanes *lanes, uint32_t row)
{
    struct lutgen_lane_group *group = &lanes->group[lanes->slot[row]];
    const struct NAME(planes) *p = lanes->channel[0].planes;
    uint16_t *folded = group->folded + group->count;

    memcpy(group->code + group->count, p->code + row, GROUP * sizeof(uint32_t));
#if NARROW
    memcpy(folded, p->folded + row, GROUP * sizeof(uint16_t));
#else
    for (uint32_t k = 0; k < GROUP; k++) {
        folded[k] = (uint16_t)p->folded[row + k];
    }
#endif
    group->count += GROUP;
}

/* The same of all rows. */
static void NAME(put_rows)(struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
    for (uint32_t row = part->begin; row < part->end;) {
        if (!COLOUR && row % GROUP == 0 && row + GROUP <= part->end) {
            NAME(put_group)(lanes, row);
            row += GROUP;
        } else {
            NAME(put_row)(lanes, row++);
        }
    }
}

static int NAME(encode)(struct lutgen_lanes *lanes, uint32_t end)
{
    while (lanes->t < end) {
        struct NAME(part) part[2];

        NAME(active)(lanes, &lanes->clock, LAG, LANES * CHANNELS(lanes), lanes->plane.height, part);
        NAME(begin_step)(lanes);
        for (int n = 0; n < 2; n++) {
            NAME(take_samples)(lanes, &part[n]);
        }
        for (unsigned n = 0; n < CHANNELS(lanes); n++) {
            NAME(fold)(&lanes->samples, lanes->channel[n].planes);
            NAME(find_codes)(lanes->channel[n].tables, lanes->channel[n].planes);
        }
        for (int n = 0; n < 2; n++) {
            NAME(put_rows)(lanes, &part[n]);
            NAME(put_taps)(lanes, &part[n]);
        }
        NAME(end_step)(lanes);
    }
    return 1;
}
