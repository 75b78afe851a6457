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
#include "lanes_borders.h"
#include "lanes_predict.h"

/* All predictions of step t of a channel, which is i of the planes. */
static void NAME(predict_step)(const struct lutgen_lanes *lanes,
                               const struct lutgen_lane_channel *channel, uint32_t i, uint32_t t)
{
    const struct lutgen_tables *tables = channel->tables;
    const uint32_t starting = t / ROW_LAG(lanes);
    const struct NAME(plan) *plan = channel->plan;
    struct NAME(planes) *p = channel->planes;
    const unsigned trees = (unsigned)tables->corrections + tables->scales;
    const int lossless = lanes->samples.step == 1;
    uint32_t begin;
    uint32_t end;

    NAME(active)(lanes, t, ROW_LAG(lanes), lanes->rows, &begin, &end);
    NAME(gather)(p, plan, tables->references, i);
    if (starting < end && t % ROW_LAG(lanes) < 3) {
        NAME(mend_left)(lanes, p, plan, tables->references, i, starting, t % ROW_LAG(lanes));
    }
    if (lanes->y == 0 && begin == 0) {
        NAME(mend_first)(lanes, p, plan, tables->references, i);
    }
    NAME(look)(p, lossless);
    NAME(measure)(tables, p, plan);
    NAME(divide)(tables, tables->part[0], tables->part[1], p, plan);
    NAME(fill_special)(tables, p);
    NAME(find_leaves)(tables, p, plan);
    NAME(predict_first)(lanes, channel, t, begin, end);
    NAME(divide)(tables, tables->part[2], tables->part[3], p, plan);
    NAME(fill_level)(tables, lanes->samples.depth, p);
    NAME(ask)(trees, p, plan);
    LOOK_UP(tables, 0, tables->corrections, (const uint8_t(*)[LANES])p->address, p->correction);
    LOOK_UP(tables, tables->corrections, trees, (const uint8_t(*)[LANES])p->address, p->scale);
    NAME(aim_all)(lanes, tables, p);
    if (!lossless) {
        for (uint32_t k = begin; k < end; k++) {
            struct lutgen_prediction found;

            aim(tables, &lanes->samples, p->final[k],
                p->scale[k] + p->logarithm[k] * SCALE_STEP, 0, &found);
            p->whole[k] = found.whole;
            p->rest[k] = found.rest;
            p->row[k] = (int32_t)found.row;
        }
    }
}

/* The same of all channels that have begun. */
static void NAME(predict_all)(const struct lutgen_lanes *lanes, uint32_t i, uint32_t t)
{
    for (unsigned n = 0; n < CHANNELS(lanes) && t >= LAG * n; n++) {
        NAME(predict_step)(lanes, &lanes->channel[n], i, t - LAG * n);
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

/* Decode the samples of step t of one group; returns 0 if a residual is out of its range. */
static inline int NAME(decode_group)(const struct lutgen_lanes *lanes,
                                     struct lutgen_lane_group *group, uint32_t begin, uint32_t end)
{
    const int32_t most = lanes->samples.most;
    const int32_t step = lanes->samples.step;
    const int32_t maximum = lanes->samples.maximum;
    struct lutgen_bits bits = group->bits;
    uint32_t state = group->state;
    int sound = 1;

    for (uint32_t row = begin; row < end; row++) {
        const struct lutgen_tables *tables = NAME(channel_of)(lanes, row)->tables;
        struct NAME(planes) *p = NAME(channel_of)(lanes, row)->planes;
        const uint32_t k = NAME(lane_of)(lanes, row);
        int32_t folded = 0;

        if (state) {
            const uint32_t table = (uint32_t)p->row[k];
            const uint32_t token = FIND_TOKEN(tables, table, state & SLOT_MASK);

            folded = (int32_t)take_residual(tables->cumulative[table], token, &bits, &state);
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
static void NAME(put_samples)(const struct lutgen_lanes *lanes, uint32_t t, uint32_t begin,
                              uint32_t end)
{
    const struct lutgen_plane *plane = &lanes->plane;
#if COLOUR
    for (uint32_t row = begin; row < end; row++) {
        const struct NAME(planes) *p = lanes->channel[lanes->channel_of[row]].planes;

        put_sample(plane, lanes->start[row], (size_t)(t - LAG * row) * plane->step,
                   p->sample[lanes->lane_of[row]]);
    }
#else
    const struct NAME(planes) *p = lanes->channel[0].planes;
    const size_t next = plane->stride - LAG; /* from a lane's sample to the next lane's */

    if (plane->bytes == 1) {
        uint8_t *to = (uint8_t *)plane->samples + t + begin * next;

        for (uint32_t k = begin; k < end; k++, to += next) {
            *to = (uint8_t)p->sample[k];
        }
    } else {
        uint16_t *to = (uint16_t *)plane->samples + t + begin * next;

        for (uint32_t k = begin; k < end; k++, to += next) {
            *to = (uint16_t)((uint32_t)p->sample[k] << plane->shift);
        }
    }
#endif
}

/* Keep the samples of step t for predictions of rows below. */
static void NAME(put_taps)(const struct lutgen_lanes *lanes, uint32_t t, uint32_t begin,
                           uint32_t end)
{
    const ELEMENT bias = (ELEMENT)lanes->bias;

    for (uint32_t row = begin; row < end; row++) {
        const struct lutgen_lane_channel *channel = NAME(channel_of)(lanes, row);
        const struct NAME(planes) *p = channel->planes;
        const uint32_t k = NAME(lane_of)(lanes, row);

        channel->taps[k + 3][t - LAG * row] =
            (int16_t)(p->sample[k] - (LEVEL(p, k) >> FRACTION_BITS) - bias);
    }
}

static int NAME(decode)(struct lutgen_lanes *lanes)
{
    const uint32_t steps = NAME(steps)(lanes);
    uint32_t i = NAME(begin_block)(lanes);
    int sound = 1;

    for (uint32_t t = 0; t < steps; t++) {
        uint32_t begin;
        uint32_t end;

        NAME(active)(lanes, t, LAG, lanes->plane.height, &begin, &end);
        NAME(predict_all)(lanes, i, t);
        for (uint32_t row = begin; row < end;) {
            const uint32_t g = row / GROUP;
            const uint32_t behind = (g + 1) * GROUP < end ? (g + 1) * GROUP : end;

            sound &= NAME(decode_group)(lanes, &lanes->group[g], row, behind);
            row = behind;
        }
        NAME(put_samples)(lanes, t, begin, end);
        NAME(put_taps)(lanes, t, begin, end);
        i = NAME(end_step)(lanes, i, t);
    }
    return sound;
}

static int NAME(encode)(struct lutgen_lanes *lanes)
{
    const struct lutgen_plane *plane = &lanes->plane;
    const uint32_t steps = NAME(steps)(lanes);
    uint32_t i = NAME(begin_block)(lanes);

    for (uint32_t t = 0; t < steps; t++) {
        uint32_t begin;
        uint32_t end;

        NAME(active)(lanes, t, LAG, plane->height, &begin, &end);
        NAME(predict_all)(lanes, i, t);
        for (uint32_t row = begin; row < end; row++) {
            struct lutgen_lane_group *group = &lanes->group[row / GROUP];
            const struct lutgen_lane_channel *channel = NAME(channel_of)(lanes, row);
            struct NAME(planes) *p = channel->planes;
            const uint32_t k = NAME(lane_of)(lanes, row);
            const size_t at = (size_t)(t - LAG * row) * (COLOUR ? plane->step : 1);
            int32_t restored;
            const int32_t index =
                quantised(&lanes->samples, sample_at(plane, lanes->start[row], at), &restored);

            group->folded[group->count] =
                (uint16_t)fold(index, p->whole[k], p->rest[k], lanes->samples.most);
            group->row[group->count++] =
                (uint16_t)((COLOUR ? channel->tables->first_row : 0) + p->row[k]);
            p->sample[k] = (ELEMENT)restored;
        }
        NAME(put_taps)(lanes, t, begin, end);
        i = NAME(end_step)(lanes, i, t);
    }
    return 1;
}
