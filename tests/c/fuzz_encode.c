/* A target that encodes samples by any frame and model, and stops if they are not decoded again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "stale.h"

enum {
    OF_MODEL, OF_PIXELS, OF_WIDTH, OF_HEIGHT, OF_DEPTH, OF_SHIFT, OF_ERROR, OF_STRIP, OF_TILE,
    OF_IMAGES, OF_CODER, OF_ORDER, OF_SLABS, FIELDS
};

static const uint8_t kinds[] = {LUTGEN_GRAY, LUTGEN_GRAY_ALPHA, LUTGEN_RGB, LUTGEN_RGBA,
                                LUTGEN_RGGB, LUTGEN_BGGR,       LUTGEN_GRBG, LUTGEN_GBRG};

static uint32_t sample_at(const void *samples, size_t bytes, size_t k)
{
    return bytes == 1 ? ((const uint8_t *)samples)[k] : ((const uint16_t *)samples)[k];
}

/* Fill samples of a frame with bytes that come again and again. */
static void fill(const struct lutgen_frame *frame, void *samples, const uint8_t *data, size_t size)
{
    const size_t bytes = lutgen_sample_bytes(frame);
    const size_t count = lutgen_decoded_bytes(frame) / bytes;
    const uint32_t most = (1u << frame->depth) - 1;

    for (size_t k = 0; k < count; k++) {
        const uint32_t high = size ? data[k % size] : 0;
        const uint32_t low = size ? data[(k + 1) % size] : 0;
        const uint32_t value = (bytes == 1 ? high : high << 8 | low) & most;

        if (bytes == 1) {
            ((uint8_t *)samples)[k] = (uint8_t)value;
        } else {
            ((uint16_t *)samples)[k] = (uint16_t)(value << frame->shift);
        }
    }
}

static void check(const struct lutgen_frame *frame, const void *samples, const void *again)
{
    const size_t bytes = lutgen_sample_bytes(frame);
    const size_t count = lutgen_decoded_bytes(frame) / bytes;
    const uint32_t most = frame->max_error << frame->shift;

    for (size_t k = 0; k < count; k++) {
        const uint32_t a = sample_at(samples, bytes, k);
        const uint32_t b = sample_at(again, bytes, k);

        if ((a > b ? a - b : b - a) > most) {
            abort();
        }
    }
}

static void code(const struct lutgen_model *model, const struct lutgen_frame *frame,
                 const uint8_t *data, size_t size)
{
    const size_t bytes = lutgen_decoded_bytes(frame);
    const size_t bound = lutgen_encoded_bound(frame);
    const size_t room = lutgen_workspace_bytes(model, frame);
    void *const samples = malloc(bytes);
    void *const again = malloc(bytes);
    uint8_t *const file = malloc(bound);
    void *const workspace = stale_workspace(room);
    size_t used = 0;

    fill(frame, samples, data, size);
    if (lutgen_encode(model, frame, samples, file, bound, &used, workspace, room) ==
        LUTGEN_SUCCESS) {
        if (lutgen_decode(model, file, used, again, bytes, NULL, NULL, workspace, room) !=
            LUTGEN_SUCCESS) {
            abort();
        }
        check(frame, samples, again);
        if (lutgen_encode(model, frame, samples, file, used - 1, &used, workspace, room) !=
            LUTGEN_SMALL_OUTPUT) {
            abort();
        }
    }
    free(samples);
    free(again);
    free(file);
    free(workspace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lutgen_model *model;
    struct lutgen_frame frame;

    if (size < FIELDS) {
        return 0;
    }
    model = lutgen_models[data[OF_MODEL] % lutgen_models_count].model;
    lutgen_default_frame(&frame, model,
                         (enum lutgen_pixels)kinds[data[OF_PIXELS] % sizeof kinds],
                         data[OF_WIDTH], data[OF_HEIGHT] % 64, 8 + data[OF_DEPTH] % 9,
                         data[OF_SHIFT] % 9, 1 + data[OF_IMAGES] % 3);
    frame.max_error = data[OF_ERROR];
    frame.strip_height = data[OF_STRIP] ? data[OF_STRIP] : frame.strip_height;
    frame.tile_width = data[OF_TILE] != 255 ? data[OF_TILE] : frame.tile_width;
    frame.coder = data[OF_CODER];
    frame.slabs = data[OF_SLABS] % 10;
    frame.order = frame.order ? frame.order : data[OF_ORDER];
    if (lutgen_check_frame(&frame) == LUTGEN_SUCCESS && lutgen_decoded_bytes(&frame) <= MOST_BYTES) {
        code(model, &frame, data + FIELDS, size - FIELDS);
    }
    return 0;
}
