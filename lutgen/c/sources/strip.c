/* Strips of models of profile predictive: units to payloads and back, in the caller's memory. */

#include <string.h>

#include "bytes.h"
#include "container.h"
#include "crc32.h"
#include "planes.h"
#include "profile.h"
#include "workspace.h"

/* Rows of a unit's tile, which may be narrower than others. */
static struct lutgen_rows rows_of(const struct lutgen_rows *rows, uint32_t columns)
{
    struct lutgen_rows found = *rows;

    found.width = columns;
    return found;
}

/* Strips whose rows are coded side by side, by lanes. */

/* The tables of a channel: of two, gray and alpha, both have those of gray. */
static const struct lutgen_tables *tables_of(const struct lutgen_model *model,
                                             const struct lutgen_frame *frame, uint32_t channel)
{
    return model->plane[frame->channels >= LUTGEN_COLOURS ? channel : 0];
}

static int use_lanes(const struct lutgen_model *model, const struct lutgen_frame *frame,
                     const struct lutgen_work *work)
{
    for (uint32_t n = 0; n < frame->channels; n++) {
        if (frame->depth > tables_of(model, frame, n)->lane_depth) {
            return 0;
        }
    }
    return lutgen_has_lanes(frame, work->functions);
}

static void begin_lanes(const struct lutgen_model *model, const struct lutgen_frame *frame,
                        const struct lutgen_plane *plane, struct lutgen_work *work)
{
    const uint32_t lanes_of_channel = work->functions->lanes;
    const uint32_t rows = lanes_of_channel * frame->channels;
    struct lutgen_lanes *lanes = &work->lanes;
    const struct lutgen_lane_clock start = {0, 0};

    lanes->samples = samples_of(frame->depth, frame->max_error);
    lanes->bias = frame->depth == 16 ? 32768 : 0;
    lanes->plane = *plane;
    lanes->period = (uint32_t)greater((int32_t)(LAG * rows), (int32_t)plane->width + 2 * BESIDE);
    lanes->t = 0;
    lanes->clock = start;
    lanes->slots = rows / GROUP + SLOTS_MORE;
    for (uint32_t n = 0; n < frame->channels; n++) {
        lanes->channel[n].tables = tables_of(model, frame, n);
        lanes->channel[n].clock = start;
        lanes->channel[n].reference[0] = &lanes->channel[n ? n - 1 : 0];
        lanes->channel[n].reference[1] = &lanes->channel[0];
        for (unsigned k = 0; k < lanes_of_channel; k++) {
            lanes->channel[n].taps[k] = work->taps[n] + k * work->taps_stride;
        }
        memset(work->taps[n], 0, lanes_of_channel * work->taps_stride * sizeof(int16_t));
        /* Lanes without a sample are computed like others, and may look at lines before anything has
         * been put aside: what stands there must be a quantity, or sums would overflow. */
        for (int k = 0; k < LINES; k++) {
            memset(lanes->channel[n].line[k], 0, plane->width * sizeof(int32_t));
        }
    }
    for (uint32_t row = 0; row < rows; row++) {
        lanes->channel_of[row] = (uint8_t)(row % frame->channels);
        lanes->lane_of[row] = (uint8_t)(row / frame->channels);
    }
}

/* Step at which a row of planes begins. */
static uint32_t row_begins(const struct lutgen_lanes *lanes, uint32_t y)
{
    const uint32_t rows = (lanes->slots - SLOTS_MORE) * GROUP; /* of a block */

    return y / rows * lanes->period + y % rows * LAG;
}

/* The same of a group, and the step behind its last. */
static uint32_t group_begins(const struct lutgen_lanes *lanes, uint32_t g)
{
    return row_begins(lanes, GROUP * g);
}

static uint32_t group_ends(const struct lutgen_lanes *lanes, uint32_t g)
{
    const uint32_t behind = (g + 1) * GROUP;
    const uint32_t height = lanes->plane.height;

    return row_begins(lanes, (behind < height ? behind : height) - 1) + lanes->plane.width;
}

/* Whether quantities of all channels fit into 16 bits. */
static int is_narrow(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    for (uint32_t n = 0; n < frame->channels; n++) {
        if (frame->depth > tables_of(model, frame, n)->narrow_depth) {
            return 0;
        }
    }
    return 1;
}

/* The code for a frame's channels and depth. */
static lutgen_lanes_code *lanes_code(const struct lutgen_model *model,
                                     const struct lutgen_frame *frame,
                                     const struct lutgen_lanes_functions *of, int encode)
{
    const int narrow = is_narrow(model, frame);

    if (frame->channels > 1) {
        return narrow && of->decode_colour_16
                   ? (encode ? of->encode_colour_16 : of->decode_colour_16)
                   : (encode ? of->encode_colour : of->decode_colour);
    }
    return narrow ? (encode ? of->encode_16 : of->decode_16)
                  : (encode ? of->encode_32 : of->decode_32);
}

/* Decode a strip by lanes, whose lengths and checksum are right. */
static enum lutgen_status decode_lanes(const struct lutgen_model *model,
                                       const struct lutgen_reader *reader,
                                       const struct lutgen_strip *strip,
                                       const struct lutgen_frame *frame,
                                       const struct lutgen_plane *plane, struct lutgen_work *work)
{
    const uint32_t groups = lutgen_units(frame, plane->height);
    lutgen_lanes_code *const code = lanes_code(model, frame, work->functions, 0);
    struct lutgen_lanes *lanes = &work->lanes;
    struct lutgen_walk walk = {reader->file + strip->offset, reader->file + strip->limit, 0};

    begin_lanes(model, frame, plane, work);
    for (uint32_t g = 0; g < groups; g++) {
        struct lutgen_lane_group *group = &lanes->group[g % lanes->slots];
        const uint32_t end =
            g + 1 < groups ? group_begins(lanes, g + 1) : group_ends(lanes, g);
        struct lutgen_unit unit;
        const uint8_t *payload = NULL;

        lutgen_unit_at(frame, plane->height, g, &unit);
        (void)lutgen_next_payload(&walk, &unit, &payload);
        begin_bits(&group->bits, payload, walk.at);
        group->plain = walk.length == unit.most ? lutgen_plain_bits(frame) : 0;
        group->state = group->plain ? 0 : begin_state(&group->bits, STATE_BITS);
        if (!code(lanes, end)) {
            return LUTGEN_BAD_PAYLOAD;
        }
    }
    return LUTGEN_SUCCESS;
}

/* Decode a strip whose lengths and checksum are right. */
static enum lutgen_status decode_units(const struct lutgen_reader *reader,
                                       const struct lutgen_strip *strip,
                                       const struct lutgen_frame *frame,
                                       const struct lutgen_plane *plane,
                                       const struct lutgen_work *work)
{
    const struct lutgen_samples samples = samples_of(frame->depth, frame->max_error);
    const uint32_t units = lutgen_units(frame, plane->height);
    struct lutgen_walk walk = {reader->file + strip->offset, reader->file + strip->limit, 0};

    for (uint32_t k = 0; k < units; k++) {
        struct lutgen_unit unit;
        struct lutgen_rows rows;
        struct lutgen_bits bits;
        const uint8_t *payload = NULL;
        uint32_t plain;

        lutgen_unit_at(frame, plane->height, k, &unit);
        (void)lutgen_next_payload(&walk, &unit, &payload);
        rows = rows_of(&work->rows, unit.columns);
        begin_bits(&bits, payload, walk.at);
        plain = walk.length == unit.most ? lutgen_plain_bits(frame) : 0;
        if (!lutgen_decode_unit(&work->tans, &samples, &rows, plane, &unit, &bits, plain)) {
            return LUTGEN_BAD_PAYLOAD;
        }
    }
    return LUTGEN_SUCCESS;
}

static enum lutgen_status decode_strip(const struct lutgen_model *model,
                                       const struct lutgen_reader *reader,
                                       const struct lutgen_strip *strip, void *samples,
                                       size_t stride, struct lutgen_work *work)
{
    const struct lutgen_frame frame = lutgen_slab_of(&reader->frame, strip->number);
    const struct lutgen_plane plane = lutgen_plane_of(&frame, samples, stride, strip->rows);
    size_t after = 0;
    enum lutgen_status status = lutgen_check_strip(reader, strip, &after);

    if (status == LUTGEN_SUCCESS) {
        status = use_lanes(model, &frame, work)
                     ? decode_lanes(model, reader, strip, &frame, &plane, work)
                     : decode_units(reader, strip, &frame, &plane, work);
    }
    if (status == LUTGEN_SUCCESS && strip->ends && after != strip->limit) {
        status = LUTGEN_BAD_END;
    }
    return status;
}

static void decode(const struct lutgen_model *model, const struct lutgen_reader *reader,
                   const struct lutgen_strip *strips, uint32_t count, void *samples, size_t stride,
                   void *workspace, enum lutgen_status *status)
{
    uint8_t *at = samples;
    struct lutgen_work work;

    lutgen_use(model, &reader->frame, workspace, &work);
    for (uint32_t k = 0; k < count; k++) {
        status[k] = decode_strip(model, reader, &strips[k], at, stride, &work);
        at += strips[k].rows * stride * lutgen_sample_bytes(&reader->frame);
    }
}

/* Whether all samples are in the frame's range and have its zeros below. */
static int in_range(const struct lutgen_frame *frame, const void *samples, size_t stride,
                    uint32_t rows)
{
    const uint32_t allowed = ((1u << frame->depth) - 1) << frame->shift;
    const size_t count = lutgen_row_samples(frame);

    if (lutgen_sample_bytes(frame) == 1) {
        return 1;
    }
    for (uint32_t y = 0; y < rows; y++) {
        const uint16_t *row = (const uint16_t *)samples + y * stride;
        uint32_t used = 0;

        for (size_t x = 0; x < count; x++) {
            used |= row[x];
        }
        if (used & ~allowed) {
            return 0;
        }
    }
    return 1;
}

/* Bytes of a payload's length, less that of the one before. */
static uint8_t *put_length(uint8_t *out, int64_t change)
{
    uint64_t number = change >= 0 ? 2 * (uint64_t)change : 2 * (uint64_t)-change - 1;

    for (; number >= 128; number >>= 7) {
        *out++ = (uint8_t)(number & 127u) | 128u;
    }
    *out++ = (uint8_t)number;
    return out;
}

/* The bytes of a strip that have been written. */
struct lutgen_out {
    uint8_t *first;
    uint8_t *at;
    uint8_t *end;
    size_t before; /* bytes of the payload before */
};

/* Write length and payload of a unit that has been coded; returns 0 if there is no room. */
static int put_unit(const struct lutgen_frame *frame, const struct lutgen_unit *unit,
                    const uint16_t *folded, const struct lutgen_payload *payload,
                    struct lutgen_out *out)
{
    const size_t least = (size_t)unit->least;
    const size_t most = (size_t)unit->most;
    size_t bytes = payload->at < payload->start ? most : (size_t)(payload->end - payload->at);
    size_t zeros = 0;

    if (bytes < least) {
        zeros = least - bytes;
        bytes = least;
    }
    if ((uint64_t)(out->end - out->at) < (uint64_t)bytes + LENGTH_BYTES + CRC_BYTES) {
        return 0;
    }
    out->at = put_length(out->at, (int64_t)bytes - (int64_t)out->before);
    out->before = bytes;
    if (bytes >= most) {
        lutgen_write_plain(folded, (size_t)unit->rows * unit->columns, lutgen_plain_bits(frame),
                           out->at);
    } else {
        memcpy(out->at, payload->at, bytes - zeros);
        memset(out->at + bytes - zeros, 0, zeros);
    }
    out->at += bytes;
    return 1;
}

/* A unit whose residuals are known. */
struct lutgen_coded {
    struct lutgen_unit unit;
    const uint16_t *folded;
    const uint32_t *code;
};

/* Code and write units, up to MOST_UNITS; returns 0 if there is no room. */
static int put_units(const struct lutgen_frame *frame, const struct lutgen_coded *coded,
                     unsigned units, const struct lutgen_work *work, struct lutgen_out *out)
{
    const uint32_t most = (uint32_t)samples_of(frame->depth, frame->max_error).most;
    struct lutgen_payload payload[MOST_UNITS] = {{0}};

    for (unsigned k = 0; k < units; k++) {
        payload[k].start = work->payload[k] + ROOM_BEFORE;
        payload[k].end = payload[k].start + (size_t)coded[k].unit.most;
        payload[k].folded = coded[k].folded;
        payload[k].code = coded[k].code;
        payload[k].count = (size_t)coded[k].unit.rows * coded[k].unit.columns;
    }
    if (work->tans.tables.bits) {
        for (unsigned k = 0; k < units; k++) {
            lutgen_write_tans_payload(&work->tans, &payload[k]);
        }
    } else {
        work->functions->write_payloads(payload, units, most);
    }
    for (unsigned k = 0; k < units; k++) {
        if (!put_unit(frame, &coded[k].unit, coded[k].folded, &payload[k], out)) {
            return 0;
        }
    }
    return 1;
}

static int encode_units(const struct lutgen_frame *frame, const struct lutgen_plane *plane,
                        const struct lutgen_work *work,
                        struct lutgen_out *out)
{
    const struct lutgen_samples samples = samples_of(frame->depth, frame->max_error);
    const uint32_t units = lutgen_units(frame, plane->height);

    for (uint32_t k = 0; k < units; k++) {
        struct lutgen_coded coded = {.folded = work->folded, .code = work->code};
        struct lutgen_rows rows;

        lutgen_unit_at(frame, plane->height, k, &coded.unit);
        rows = rows_of(&work->rows, coded.unit.columns);
        lutgen_model_unit(&work->tans, &samples, &rows, plane, &coded.unit, work->folded,
                          work->code);
        if (!put_units(frame, &coded, 1, work, out)) {
            return 0;
        }
    }
    return 1;
}

static int encode_lanes(const struct lutgen_model *model, const struct lutgen_frame *frame,
                        const struct lutgen_plane *plane, struct lutgen_work *work,
                        struct lutgen_out *out)
{
    const uint32_t groups = lutgen_units(frame, plane->height);
    const size_t largest = lutgen_largest_unit(frame);
    lutgen_lanes_code *const code = lanes_code(model, frame, work->functions, 1);
    struct lutgen_lanes *lanes = &work->lanes;
    uint32_t begun = 0;

    begin_lanes(model, frame, plane, work);
    for (uint32_t g = 0; g < groups; g += MOST_UNITS) {
        const unsigned count = groups - g < MOST_UNITS ? (unsigned)(groups - g) : MOST_UNITS;
        const uint32_t end = group_ends(lanes, g + count - 1);
        struct lutgen_coded coded[MOST_UNITS];

        for (; begun < groups && group_begins(lanes, begun) < end; begun++) {
            const uint32_t slot = begun % lanes->slots;

            (void)code(lanes, group_begins(lanes, begun));
            lanes->group[slot].folded = work->folded + slot * largest;
            lanes->group[slot].code = work->code + slot * largest;
            lanes->group[slot].count = 0;
        }
        (void)code(lanes, end);
        for (unsigned k = 0; k < count; k++) {
            const struct lutgen_lane_group *group = &lanes->group[(g + k) % lanes->slots];

            lutgen_unit_at(frame, plane->height, g + k, &coded[k].unit);
            coded[k].folded = group->folded;
            coded[k].code = group->code;
        }
        if (!put_units(frame, coded, count, work, out)) {
            return 0;
        }
    }
    return 1;
}

static enum lutgen_status encode(const struct lutgen_model *model,
                                 const struct lutgen_frame *whole, uint32_t number,
                                 const void *samples, size_t stride, uint8_t *out,
                                 size_t out_bytes, size_t *used, void *workspace)
{
    const struct lutgen_frame frame = lutgen_slab_of(whole, number);
    struct lutgen_plane plane;
    struct lutgen_work work;
    struct lutgen_out bytes = {out, out, out + out_bytes, 0};
    struct lutgen_strip strip;
    int done;

    lutgen_use(model, whole, workspace, &work);
    lutgen_place_strip(whole, number, &strip);
    plane = lutgen_plane_of(&frame, (void *)(uintptr_t)samples, stride, strip.rows);
    if (!in_range(&frame, samples, stride, strip.rows)) {
        return LUTGEN_BAD_ARGUMENT;
    }
    done = use_lanes(model, &frame, &work) ? encode_lanes(model, &frame, &plane, &work, &bytes)
                                           : encode_units(&frame, &plane, &work, &bytes);
    if (!done) {
        return LUTGEN_SMALL_OUTPUT;
    }
    lutgen_put_32(bytes.at, lutgen_crc32(lutgen_strip_crc(whole, number), out,
                                         (size_t)(bytes.at - out)));
    *used = (size_t)(bytes.at - out) + CRC_BYTES;
    return LUTGEN_SUCCESS;
}

static uint64_t workspace_bytes(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    return lutgen_work_bytes(model, frame);
}

static enum lutgen_status takes(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    (void)model;
    (void)frame;
    return LUTGEN_SUCCESS; /* all that its pixels do not rule out */
}

static void begin(const struct lutgen_model *model, const struct lutgen_frame *frame,
                  void *workspace)
{
    struct lutgen_work work;

    lutgen_use(model, frame, workspace, &work);
    lutgen_begin_tans(&work.tans.tables);
}

const struct lutgen_profile lutgen_predictive_profile = {
    .version = 2,
    .strips_at_once = 1,
    .workspace_bytes = workspace_bytes,
    .takes = takes,
    .begin = begin,
    .decode = decode,
    .encode = encode,
};
