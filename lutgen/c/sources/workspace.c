#include "workspace.h"

enum { ALIGNMENT = 64 };

/* Take `count` things of `bytes` each from what is left; `*at` counts on past the workspace's end. */
static void *part(uint8_t *base, uint64_t *at, uint64_t count, uint64_t bytes)
{
    void *const found = base ? base + *at : NULL;

    *at += (count * bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return found;
}

int lutgen_has_lanes(const struct lutgen_frame *frame,
                     const struct lutgen_lanes_functions *functions)
{
    return functions->lanes && frame->coder == 0 && frame->tile_width == 0 &&
           frame->width >= LEAST_LANE_WIDTH * frame->channels;
}

/* Divide a workspace, or, without one, only say how many bytes it must have. */
static uint64_t divide(const struct lutgen_model *model, const struct lutgen_frame *frame,
                       uint8_t *base, struct lutgen_work *work)
{
    const struct lutgen_lanes_functions *functions = lutgen_lanes_best();
    const uint64_t lanes = functions->lanes;
    const int has_lanes = lutgen_has_lanes(frame, functions);
    const uint64_t groups = has_lanes ? lanes * frame->channels / GROUP + SLOTS_MORE : 1;
    const uint64_t samples = groups * lutgen_largest_unit(frame);
    uint64_t at = 0;

    work->functions = functions;
    work->rows.width = frame->tile_width ? frame->tile_width : frame->width;
    work->rows.stride = work->rows.width + 2 * PAD;
    work->rows.channels = frame->channels;
    work->rows.mask = (frame->channels > 1 ? ROWS_OF_COLOUR : ROWS) - 1;
    for (int p = 0; p < PLANES; p++) {
        work->rows.plane[p] =
            part(base, &at, (uint64_t)(work->rows.mask + 1) * work->rows.stride, sizeof(int32_t));
    }
    work->folded = part(base, &at, samples, sizeof(uint16_t));
    work->code = part(base, &at, samples, sizeof(uint32_t));
    for (unsigned k = 0; k < (has_lanes ? MOST_UNITS : 1u); k++) {
        work->payload[k] =
            part(base, &at, (uint64_t)lutgen_largest_payload(frame) + ROOM_BEFORE, 1);
    }
    if (has_lanes) {
        work->taps_stride = frame->width + TAP_PAD;
        for (uint32_t n = 0; n < frame->channels; n++) {
            struct lutgen_lane_channel *channel = &work->lanes.channel[n];

            work->taps[n] = part(base, &at, lanes * work->taps_stride, sizeof(int16_t));
            channel->planes = part(
                base, &at, frame->channels > 1 ? functions->colour_bytes : functions->gray_bytes, 1);
            channel->plan = part(base, &at, functions->plan_bytes, 1);
            for (int k = 0; k < LINES; k++) {
                channel->line[k] = part(base, &at, frame->width, sizeof(int32_t));
            }
        }
    }
    at += lutgen_place_token_tans(model, frame->coder, base ? base + at : NULL, &work->tans);
    return at;
}

uint64_t lutgen_work_bytes(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    struct lutgen_work work;

    return divide(model, frame, NULL, &work) + ALIGNMENT;
}

void lutgen_use(const struct lutgen_model *model, const struct lutgen_frame *frame,
                void *workspace, struct lutgen_work *work)
{
    uint8_t *base = workspace;

    base += (ALIGNMENT - (uintptr_t)workspace % ALIGNMENT) % ALIGNMENT;
    divide(model, frame, base, work);
}
