#include "planes.h"

#include "arithmetic.h"
#include "profile.h"

/* Channels of red, green and blue in the order of coding, by the order's number. */
static const uint8_t orders[ORDERS][LUTGEN_COLOURS] = {
    {1, 0, 2}, {1, 2, 0}, {0, 1, 2}, {0, 2, 1}, {2, 1, 0}, {2, 0, 1},
};

/* Places of a square, 2 * row + column, of the greens, red and blue: of RGGB, BGGR, GRBG, GBRG. */
static const uint8_t places[CFAS][LUTGEN_MOST_PLANES] = {
    {1, 2, 0, 3}, {1, 2, 3, 0}, {0, 3, 1, 2}, {0, 3, 2, 1},
};

int lutgen_sound_order(const struct lutgen_frame *frame)
{
    if (frame->channels == LUTGEN_MOST_PLANES && frame->order >= FIRST_CFA) {
        return frame->order < FIRST_CFA + CFAS;
    }
    return frame->order < (frame->channels >= LUTGEN_COLOURS ? ORDERS : 1);
}

int lutgen_model_takes(const struct lutgen_model *model, enum lutgen_pixels pixels)
{
    const int array = (uint32_t)pixels >= FIRST_CFA;

    if (array || model->planes == LUTGEN_MOST_PLANES) {
        return array && model->planes == LUTGEN_MOST_PLANES;
    }
    return pixels == LUTGEN_GRAY || model->planes == LUTGEN_COLOURS;
}

enum lutgen_status lutgen_takes(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    const uint32_t pixels = is_cfa(frame) ? frame->order : frame->channels;

    if (frame->version != model->profile->version) {
        return LUTGEN_OTHER_VERSION;
    }
    if (!lutgen_model_takes(model, (enum lutgen_pixels)pixels)) {
        return LUTGEN_OTHER_PIXELS;
    }
    return model->profile->takes(model, frame);
}

uint32_t lutgen_image_width(const struct lutgen_frame *frame)
{
    return is_cfa(frame) ? 2 * frame->width : frame->width;
}

uint32_t lutgen_image_height(const struct lutgen_frame *frame)
{
    return is_cfa(frame) ? 2 * frame->height : frame->height;
}

uint32_t lutgen_image_channels(const struct lutgen_frame *frame)
{
    return is_cfa(frame) ? 1 : frame->channels;
}

size_t lutgen_row_samples(const struct lutgen_frame *frame)
{
    return (size_t)lutgen_image_width(frame) * lutgen_image_channels(frame);
}

size_t lutgen_sample_bytes(const struct lutgen_frame *frame)
{
    return frame->depth + frame->shift > 8 ? 2 : 1;
}

uint32_t lutgen_plane_rows(const struct lutgen_frame *frame, uint32_t rows)
{
    return is_cfa(frame) ? rows / 2 * LUTGEN_MOST_PLANES : rows * frame->channels;
}

struct lutgen_plane lutgen_plane_of(const struct lutgen_frame *frame, void *samples,
                                    size_t stride, uint32_t rows)
{
    struct lutgen_plane plane = {0};

    plane.samples = samples;
    plane.stride = is_cfa(frame) ? 2 * stride : stride;
    plane.width = frame->width;
    plane.height = lutgen_plane_rows(frame, rows);
    plane.bytes = (uint32_t)lutgen_sample_bytes(frame);
    plane.shift = frame->shift;
    plane.channels = frame->channels;
    plane.step = is_cfa(frame) ? 2 : frame->channels;
    for (uint32_t k = 0; k < frame->channels; k++) {
        if (is_cfa(frame)) {
            const uint32_t place = places[frame->order - FIRST_CFA][k];

            plane.offset[k] = place / 2 * stride + place % 2;
        } else {
            plane.offset[k] = frame->channels >= LUTGEN_COLOURS && k < LUTGEN_COLOURS
                                  ? orders[frame->order][k]
                                  : k;
        }
    }
    return plane;
}

/* Order of the planes. */

/* Sum of the absolute residuals of medians, borders left out, of a channel, or, if `other` is not
 * the same, of its difference to that one. */
static uint64_t cost(const struct lutgen_plane *picture, uint32_t channel, uint32_t other)
{
    uint64_t total = 0;

    for (uint32_t y = 1; y < picture->height; y++) {
        const size_t stride = picture->stride * picture->bytes;
        const uint8_t *now = (const uint8_t *)picture->samples + y * stride;
        const uint8_t *above = now - stride;
        int32_t west = 0;
        int32_t corner = 0;

        for (uint32_t x = 0; x < picture->width; x++) {
            const size_t at = (size_t)x * picture->step;
            int32_t value = (int32_t)sample_at(picture, now, at + channel);
            int32_t north = (int32_t)sample_at(picture, above, at + channel);

            if (other != channel) {
                value -= (int32_t)sample_at(picture, now, at + other);
                north -= (int32_t)sample_at(picture, above, at + other);
            }
            if (x > 0) {
                total += (uint32_t)absolute(value - median(west, north, corner));
            }
            west = value;
            corner = north;
        }
    }
    return total;
}

uint32_t lutgen_best_order(const struct lutgen_frame *frame, const void *samples, size_t stride)
{
    uint64_t own[LUTGEN_COLOURS];
    uint64_t between[LUTGEN_COLOURS]; /* the two others, by the channel that is not one of them */
    uint64_t usual = 0;
    uint64_t least = 0;
    uint32_t best = 0;
    struct lutgen_plane picture;

    if (frame->channels < LUTGEN_COLOURS || is_cfa(frame)) {
        return frame->order;
    }
    picture = lutgen_plane_of(frame, (void *)(uintptr_t)samples, stride, frame->height);
    picture.height = frame->height;
    for (uint32_t k = 0; k < LUTGEN_COLOURS; k++) {
        own[k] = cost(&picture, k, k);
        between[k] = cost(&picture, (k + 1) % LUTGEN_COLOURS, (k + 2) % LUTGEN_COLOURS);
    }
    for (uint32_t n = 0; n < ORDERS; n++) {
        /* Differences to the first plane are those that the last and the second are not part of. */
        const uint64_t sum = own[orders[n][0]] + between[orders[n][1]] + between[orders[n][2]];

        if (n == 0) {
            usual = least = sum;
        } else if (sum < least) {
            least = sum;
            best = n;
        }
    }
    return 50 * least < 49 * usual ? best : 0; /* worth two per cent */
}
