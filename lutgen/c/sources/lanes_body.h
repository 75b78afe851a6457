/* See lanes.h.  With the parts that it includes this is compiled for ELEMENT, the type of
 * quantities, into functions called NAME(...); NARROW says that it has 16 bits.  Loops over lanes are
 * for the compiler's vectoriser: nothing in them depends on another lane. */

#include "lanes_planes.h"
#include "lanes_borders.h"
#include "lanes_predict.h"

/* All predictions of step t; row k's neighbours are those of step i of the planes. */
static void NAME(predict_step)(const struct lutgen_lanes *lanes, struct NAME(planes) *p,
                               uint32_t i, uint32_t t, uint32_t begin, uint32_t end)
{
    const struct lutgen_tables *tables = lanes->tables;
    const uint32_t starting = t / LAG;
    const struct NAME(plan) *plan = lanes->plan;
    const unsigned trees = (unsigned)tables->corrections + tables->scales;
    const int lossless = lanes->samples.step == 1;

    NAME(gather)(p, plan, i);
    if (starting < end && t % LAG < 3) {
        NAME(mend_left)(p, i, lanes->y, starting, t % LAG);
    }
    if (lanes->y == 0 && begin == 0) {
        NAME(mend_first)(p, i);
    }
    NAME(look)(p, lossless);
    NAME(measure)(tables, p, plan);
    NAME(divide)(tables, tables->part[0], tables->part[1], p, plan);
    NAME(fill_special)(tables, p);
    NAME(find_leaves)(tables, p, plan);
    NAME(predict_first)(lanes, p, t, begin, end);
    NAME(divide)(tables, tables->part[2], tables->part[3], p, plan);
    NAME(fill_level)(tables, lanes->samples.depth, p);
    NAME(ask)(trees, p, plan);
    LOOK_UP(tables, 0, tables->corrections, (const uint8_t(*)[LANES])p->address, p->correction);
    LOOK_UP(tables, tables->corrections, trees, (const uint8_t(*)[LANES])p->address, p->scale);
    NAME(aim_all)(lanes, p);
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

/* Decode the samples of step t of one group; returns 0 if a residual is out of its range. */
static inline int NAME(decode_group)(const struct lutgen_lanes *lanes, struct NAME(planes) *p,
                                     struct lutgen_lane_group *group, uint32_t begin, uint32_t end)
{
    const struct lutgen_tables *tables = lanes->tables;
    const int32_t most = lanes->samples.most;
    const int32_t step = lanes->samples.step;
    const int32_t maximum = lanes->samples.maximum;
    struct lutgen_bits bits = group->bits;
    uint32_t state = group->state;
    int sound = 1;

    for (uint32_t k = begin; k < end; k++) {
        int32_t folded = 0;

        if (state) {
            const uint32_t row = (uint32_t)p->row[k];
            const uint32_t token = FIND_TOKEN(tables, row, state & SLOT_MASK);

            folded = (int32_t)take_residual(tables->cumulative[row], token, &bits, &state);
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
static void NAME(put_samples)(const struct lutgen_lanes *lanes, const struct NAME(planes) *p,
                              uint32_t t, uint32_t begin, uint32_t end)
{
    const struct lutgen_plane plane = lanes->plane;
    const size_t next = plane.stride - LAG; /* from a lane's sample to the next lane's */

    if (plane.bytes == 1) {
        uint8_t *to = (uint8_t *)plane.samples + t + begin * next;

        for (uint32_t k = begin; k < end; k++, to += next) {
            *to = (uint8_t)p->sample[k];
        }
    } else {
        uint16_t *to = (uint16_t *)plane.samples + t + begin * next;

        for (uint32_t k = begin; k < end; k++, to += next) {
            *to = (uint16_t)((uint32_t)p->sample[k] << plane.shift);
        }
    }
}

/* Keep the samples of step t for predictions of rows below. */
static void NAME(put_taps)(const struct lutgen_lanes *lanes, const struct NAME(planes) *p,
                           uint32_t t, uint32_t begin, uint32_t end)
{
    const ELEMENT bias = (ELEMENT)lanes->bias;

    for (uint32_t k = begin; k < end; k++) {
        lanes->taps[k + 3][t - LAG * k] = (int16_t)(p->sample[k] - bias);
    }
}

static int NAME(decode)(struct lutgen_lanes *lanes)
{
    struct NAME(planes) *p = lanes->planes;
    const uint32_t steps = NAME(steps)(lanes);
    uint32_t i = NAME(begin_block)(lanes, p);
    int sound = 1;

    for (uint32_t t = 0; t < steps; t++) {
        uint32_t begin;
        uint32_t end;

        NAME(active)(lanes, t, &begin, &end);
        NAME(predict_step)(lanes, p, i, t, begin, end);
        for (uint32_t k = begin; k < end;) {
            const uint32_t g = k / GROUP;
            const uint32_t behind = (g + 1) * GROUP < end ? (g + 1) * GROUP : end;

            sound &= NAME(decode_group)(lanes, p, &lanes->group[g], k, behind);
            k = behind;
        }
        NAME(put_samples)(lanes, p, t, begin, end);
        NAME(put_taps)(lanes, p, t, begin, end);
        i = NAME(end_step)(lanes, p, i, t);
    }
    return sound;
}

static int NAME(encode)(struct lutgen_lanes *lanes)
{
    const struct lutgen_plane *plane = &lanes->plane;
    struct NAME(planes) *p = lanes->planes;
    const uint32_t steps = NAME(steps)(lanes);
    uint32_t i = NAME(begin_block)(lanes, p);

    for (uint32_t t = 0; t < steps; t++) {
        uint32_t begin;
        uint32_t end;

        NAME(active)(lanes, t, &begin, &end);
        NAME(predict_step)(lanes, p, i, t, begin, end);
        for (uint32_t k = begin; k < end; k++) {
            struct lutgen_lane_group *group = &lanes->group[k / GROUP];
            int32_t restored;
            const uint8_t *line = (const uint8_t *)plane->samples + k * plane->stride * plane->bytes;
            const int32_t index =
                quantised(&lanes->samples, sample_at(plane, line, t - LAG * k), &restored);

            group->folded[group->count] =
                (uint16_t)fold(index, p->whole[k], p->rest[k], lanes->samples.most);
            group->row[group->count++] = (uint16_t)p->row[k];
            p->sample[k] = (ELEMENT)restored;
        }
        NAME(put_taps)(lanes, p, t, begin, end);
        i = NAME(end_step)(lanes, p, i, t);
    }
    return 1;
}
