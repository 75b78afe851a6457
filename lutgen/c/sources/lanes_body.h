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
    NAME(measure)(tables, p, plan);
    NAME(divide)(tables, tables->part[0], tables->part[1], p, plan);
    NAME(fill_special)(tables, p);
    NAME(find_leaves)(tables, p, plan);
    NAME(predict_first)(lanes, channel, part);
    NAME(divide)(tables, tables->part[2], tables->part[3], p, plan);
    NAME(fill_level)(tables, lanes->samples.depth, p);
    NAME(ask)(trees, p, plan);
    LOOK_UP(tables, 0, tables->corrections, (const uint8_t(*)[LANES])p->address, p->correction);
    LOOK_UP(tables, tables->corrections, trees, (const uint8_t(*)[LANES])p->address, p->scale);
    NAME(aim_all)(lanes, tables, p);
    if (!lossless) {
        for (uint32_t k = 0; k < LANES; k++) {
            struct lutgen_prediction found;

            aim(tables, &lanes->samples, p->final[k],
                p->scale[k] + p->logarithm[k] * SCALE_STEP, 0, &found);
            p->whole[k] = found.whole;
            p->rest[k] = found.rest;
            p->row[k] = (int32_t)found.row;
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

/* Decode a row's sample of a step; returns 0 if its residual is out of its range. */
static inline int NAME(decode_sample)(struct lutgen_lanes *lanes, uint32_t row)
{
    const int32_t most = lanes->samples.most;
    const struct lutgen_tables *tables = NAME(channel_of)(lanes, row)->tables;
    struct NAME(planes) *p = NAME(channel_of)(lanes, row)->planes;
    struct lutgen_lane_group *group = &lanes->group[lanes->slot[row]];
    const uint32_t k = NAME(lane_of)(lanes, row);
    int32_t folded = 0;

    if (group->state) {
        const uint32_t table = (uint32_t)p->row[k];
        const uint32_t token = FIND_TOKEN(tables, table, group->state & SLOT_MASK);

        folded = (int32_t)take_residual(tables->cumulative[table], token, &group->bits,
                                        &group->state);
    } else if (group->plain) {
        refill(&group->bits);
        folded = (int32_t)take(&group->bits, group->plain);
    }
    p->sample[k] = (ELEMENT)lesser(
        unfold(lesser(folded, most), p->whole[k], p->rest[k], most) * lanes->samples.step,
        lanes->samples.maximum);
    return folded <= most;
}

/* Write the samples of a step into the picture. */
static void NAME(put_samples)(const struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
    const struct lutgen_plane *plane = &lanes->plane;

    for (uint32_t row = part->begin; row < part->end; row++) {
        const struct NAME(planes) *p = NAME(channel_of)(lanes, row)->planes;
        const size_t x = part->x - LAG * row;

        put_sample(plane, lanes->start[row], COLOUR ? x * plane->step : x,
                   p->sample[NAME(lane_of)(lanes, row)]);
    }
}

/* Keep the samples of a step for predictions of rows below. */
static void NAME(put_taps)(const struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
    const ELEMENT bias = (ELEMENT)lanes->bias;

    for (uint32_t row = part->begin; row < part->end; row++) {
        const struct lutgen_lane_channel *channel = NAME(channel_of)(lanes, row);
        const struct NAME(planes) *p = channel->planes;
        const uint32_t k = NAME(lane_of)(lanes, row);

        channel->taps[k][part->x - LAG * row] =
            (int16_t)(p->sample[k] - (LEVEL(p, k) >> FRACTION_BITS) - bias);
    }
}

static int NAME(decode)(struct lutgen_lanes *lanes, uint32_t end)
{
    int sound = 1;

    while (lanes->t < end) {
        struct NAME(part) part[2];

        NAME(active)(lanes, &lanes->clock, LAG, LANES * CHANNELS(lanes), lanes->plane.height, part);
        NAME(begin_step)(lanes);
        for (int n = 0; n < 2; n++) {
            /* Rows of different groups after one another, as they do not wait for each other. */
            for (uint32_t of_group = 0; of_group < GROUP; of_group++) {
                const uint32_t before = (part[n].begin + GROUP - 1 - of_group) / GROUP * GROUP;

                for (uint32_t row = before + of_group; row < part[n].end; row += GROUP) {
                    sound &= NAME(decode_sample)(lanes, row);
                }
            }
            NAME(put_samples)(lanes, &part[n]);
            NAME(put_taps)(lanes, &part[n]);
        }
        NAME(end_step)(lanes);
    }
    return sound;
}

/* Fold the residuals of a step. */
static void NAME(encode_rows)(struct lutgen_lanes *lanes, const struct NAME(part) *part)
{
    const struct lutgen_plane *plane = &lanes->plane;

    for (uint32_t row = part->begin; row < part->end; row++) {
        struct lutgen_lane_group *group = &lanes->group[lanes->slot[row]];
        const struct lutgen_lane_channel *channel = NAME(channel_of)(lanes, row);
        struct NAME(planes) *p = channel->planes;
        const uint32_t k = NAME(lane_of)(lanes, row);
        const size_t at = (size_t)(part->x - LAG * row) * (COLOUR ? plane->step : 1);
        int32_t restored;
        const int32_t index =
            quantised(&lanes->samples, sample_at(plane, lanes->start[row], at), &restored);

        group->folded[group->count] =
            (uint16_t)fold(index, p->whole[k], p->rest[k], lanes->samples.most);
        group->row[group->count++] =
            (uint16_t)((COLOUR ? channel->tables->first_row : 0) + p->row[k]);
        p->sample[k] = (ELEMENT)restored;
    }
}

static int NAME(encode)(struct lutgen_lanes *lanes, uint32_t end)
{
    while (lanes->t < end) {
        struct NAME(part) part[2];

        NAME(active)(lanes, &lanes->clock, LAG, LANES * CHANNELS(lanes), lanes->plane.height, part);
        NAME(begin_step)(lanes);
        for (int n = 0; n < 2; n++) {
            NAME(encode_rows)(lanes, &part[n]);
            NAME(put_taps)(lanes, &part[n]);
        }
        NAME(end_step)(lanes);
    }
    return 1;
}
