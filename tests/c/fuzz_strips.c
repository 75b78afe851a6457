/* A target that decodes strips one by one, the last one first, into memory of their own whose rows
 * have a gap, and tries workspace and output that are a byte too small. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "stale.h"

enum { GAP = 3, MOST_STRIPS = 64 };

static void decode_strip(const struct lutgen_model *model, const struct lutgen_reader *reader,
                         const struct lutgen_strip *strip)
{
    const struct lutgen_frame *const frame = &reader->frame;
    const size_t width = (size_t)strip->columns * lutgen_image_channels(frame);
    const size_t bytes = lutgen_sample_bytes(frame);
    const size_t stride = width + GAP;
    const size_t room = lutgen_workspace_bytes(model, frame);
    uint8_t *const samples = malloc(((strip->rows - 1) * stride + width) * bytes);
    void *const workspace = stale_workspace(room);

    for (size_t y = 0; y + 1 < strip->rows; y++) { /* a pattern that no call may touch */
        memset(samples + (y * stride + width) * bytes, 0xa5, GAP * bytes);
    }
    if (lutgen_decode_strip(model, reader, strip, samples, stride, workspace, room - 1) !=
        LUTGEN_SMALL_WORKSPACE) {
        abort();
    }
    (void)lutgen_decode_strip(model, reader, strip, samples, stride, workspace, room);
    for (size_t y = 0; y + 1 < strip->rows; y++) {
        for (size_t k = 0; k < GAP * bytes; k++) {
            if (samples[(y * stride + width) * bytes + k] != 0xa5) {
                abort();
            }
        }
    }
    free(samples);
    free(workspace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lutgen_model *model;
    uint8_t *const file = fuzz_file(data, size, &model);
    static struct lutgen_strip strips[MOST_STRIPS];
    struct lutgen_reader reader;

    if (lutgen_open(&reader, model, file, size) == LUTGEN_SUCCESS &&
        lutgen_decoded_bytes(&reader.frame) <= MOST_BYTES) {
        size_t count = 0;

        while (count < MOST_STRIPS &&
               lutgen_next_strip(&reader, &strips[count]) == LUTGEN_SUCCESS) {
            count++;
        }
        while (count-- > 0) {
            decode_strip(model, &reader, &strips[count]);
        }
    }
    free(file);
    return 0;
}
