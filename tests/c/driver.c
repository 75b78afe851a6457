/* Codes many cases in one process: orders from standard input, answers to standard output.
 *
 * An order is 18 numbers of four bytes, in the machine's order, and bytes: what is to be done, the
 * model, the frame's 14 numbers, how the strips are walked over, how many bytes follow.  An
 * answer is the status, how many strips are damaged, and their numbers; then how many bytes follow,
 * and the bytes.  All memory has just the size that the library asks for, and workspaces what another call may
 * have left there. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lutgen.h"
#include "lutgen_models.h"
#include "stale.h"

enum { ENCODE, DECODE, NUMBERS = 18, FRAME = 2, BY_STRIPS = 16, BYTES = 17, BEST_ORDER = 99 };

static uint32_t damaged[1 << 16];
static uint32_t damaged_count;

static void tell(void *user, const struct lutgen_strip *strip, enum lutgen_status status)
{
    (void)user;
    (void)status;
    damaged[damaged_count++] = strip->number;
}

static void put(uint32_t value)
{
    fwrite(&value, sizeof value, 1, stdout);
}

static void answer(enum lutgen_status status, const uint8_t *data, size_t bytes)
{
    put((uint32_t)status);
    put(damaged_count);
    fwrite(damaged, sizeof damaged[0], damaged_count, stdout);
    put((uint32_t)bytes);
    if (bytes) {
        fwrite(data, 1, bytes, stdout);
    }
}

/* Where a strip's first sample is among those of all images. */
static size_t first_byte(const struct lutgen_frame *frame, const struct lutgen_strip *strip)
{
    const size_t row = (size_t)strip->image * lutgen_image_height(frame) + strip->top;

    return (row * lutgen_row_samples(frame) + (size_t)strip->left * lutgen_image_channels(frame)) *
           lutgen_sample_bytes(frame);
}

/* Strips from the last to the first, each into memory of its own. */
static enum lutgen_status encode_strips(const struct lutgen_model *model,
                                        const struct lutgen_frame *frame, const uint8_t *samples,
                                        uint8_t *file, size_t *used)
{
    const uint32_t strips = lutgen_strips(frame);
    const size_t stride = lutgen_row_samples(frame);
    uint32_t *sizes = malloc(strips * sizeof *sizes);
    uint8_t **parts = malloc(strips * sizeof *parts);
    enum lutgen_status status = lutgen_write_header(frame, file);

    *used = lutgen_header_bytes(frame);
    for (uint32_t k = strips; k-- > 0;) {
        struct lutgen_strip strip;
        void *workspace = stale_workspace(lutgen_workspace_bytes(model, frame));
        size_t bytes = 0;

        lutgen_place_strip(frame, k, &strip);
        parts[k] = malloc(lutgen_strip_bound(frame));
        if (status == LUTGEN_SUCCESS) {
            status = lutgen_encode_strip(
                model, frame, k, samples + first_byte(frame, &strip), stride,
                parts[k], lutgen_strip_bound(frame), &bytes, workspace,
                lutgen_workspace_bytes(model, frame));
        }
        sizes[k] = (uint32_t)bytes;
        free(workspace);
    }
    for (uint32_t k = 0; k < strips; k++) {
        memcpy(file + *used, parts[k], sizes[k]);
        *used += sizes[k];
        free(parts[k]);
    }
    lutgen_write_index(frame, sizes, file + *used);
    *used += lutgen_index_bytes(frame);
    free(sizes);
    free(parts);
    return status;
}

static void encode(const struct lutgen_model *model, struct lutgen_frame *frame,
                   const uint8_t *samples, int by_strips)
{
    const size_t bound = lutgen_encoded_bound(frame);
    uint8_t *file = malloc(bound);
    void *workspace;
    size_t used = 0;
    enum lutgen_status status;

    memcpy(frame->model_hash, lutgen_model_hash(model), sizeof frame->model_hash);
    if (frame->order == BEST_ORDER) {
        frame->order = 0;
        frame->order = lutgen_best_order(frame, samples, lutgen_row_samples(frame));
    }
    workspace = stale_workspace(lutgen_workspace_bytes(model, frame));
    if (by_strips) {
        status = encode_strips(model, frame, samples, file, &used);
    } else {
        status = lutgen_encode(model, frame, samples, file, bound, &used, workspace,
                               lutgen_workspace_bytes(model, frame));
    }
    answer(status, file, status == LUTGEN_SUCCESS ? used : 0);
    free(file);
    free(workspace);
}

static enum lutgen_status decode_strips(const struct lutgen_model *model, const uint8_t *file,
                                        size_t bytes, uint8_t *samples)
{
    struct lutgen_reader reader;
    enum lutgen_status status = lutgen_open(&reader, model, file, bytes);
    const struct lutgen_frame *frame = &reader.frame;
    struct lutgen_strip *strips;
    uint32_t count = 0;

    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    strips = malloc(lutgen_strips(frame) * sizeof *strips);
    while (lutgen_next_strip(&reader, &strips[count]) != LUTGEN_END) {
        count++;
    }
    while (count-- > 0) {
        const struct lutgen_strip *strip = &strips[count];
        const size_t line = lutgen_row_samples(frame) * lutgen_sample_bytes(frame);
        const size_t stride = (size_t)strip->columns * lutgen_image_channels(frame);
        const size_t width = stride * lutgen_sample_bytes(frame);
        uint8_t *part = malloc(strip->rows * width);
        void *workspace = stale_workspace(lutgen_workspace_bytes(model, frame));
        const enum lutgen_status found =
            lutgen_decode_strip(model, &reader, strip, part, stride, workspace,
                                lutgen_workspace_bytes(model, frame));

        if (found != LUTGEN_SUCCESS) {
            status = LUTGEN_DAMAGED_STRIPS;
            tell(NULL, strip, found);
        }
        for (uint32_t y = 0; y < strip->rows; y++) {
            memcpy(samples + first_byte(frame, strip) + y * line, part + y * width, width);
        }
        free(part);
        free(workspace);
    }
    free(strips);
    return status;
}

static void decode(const struct lutgen_model *model, const uint8_t *file, size_t bytes,
                   int by_strips)
{
    struct lutgen_frame frame;
    enum lutgen_status status = lutgen_read_frame(file, bytes, &frame);
    uint8_t *samples;
    void *workspace;
    size_t size;

    if (status != LUTGEN_SUCCESS) {
        answer(status, NULL, 0);
        return;
    }
    size = lutgen_decoded_bytes(&frame);
    samples = malloc(size);
    workspace = stale_workspace(lutgen_workspace_bytes(model, &frame));
    if (by_strips) {
        status = decode_strips(model, file, bytes, samples);
    } else {
        status = lutgen_decode(model, file, bytes, samples, size, tell, NULL, workspace,
                               lutgen_workspace_bytes(model, &frame));
    }
    answer(status, samples,
           status == LUTGEN_SUCCESS || status == LUTGEN_DAMAGED_STRIPS ? size : 0);
    free(samples);
    free(workspace);
}

int main(void)
{
    uint32_t number[NUMBERS];

    while (fread(number, sizeof number[0], NUMBERS, stdin) == NUMBERS) {
        const struct lutgen_model *model = lutgen_models[number[1]].model;
        const uint32_t *const of = number + FRAME;
        struct lutgen_frame frame = {{0},   of[0], of[1], of[2], of[3],  of[4],  of[5],
                                     of[6], of[7], of[8], of[9], of[10], of[11], of[12], of[13]};
        uint8_t *data = malloc(number[BYTES]);

        if (fread(data, 1, number[BYTES], stdin) != number[BYTES]) {
            return 1;
        }
        damaged_count = 0;
        if (number[0] == ENCODE) {
            encode(model, &frame, data, (int)number[BY_STRIPS]);
        } else {
            decode(model, data, number[BYTES], (int)number[BY_STRIPS]);
        }
        free(data);
    }
    return 0;
}
