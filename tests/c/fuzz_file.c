/* A target that decodes whole files. */
#include <stdlib.h>

#include "fuzz.h"
#include "stale.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lutgen_model *model;
    uint8_t *const file = fuzz_file(data, size, &model);
    struct lutgen_frame frame;

    if (lutgen_read_frame(file, size, &frame) == LUTGEN_SUCCESS &&
        lutgen_decoded_bytes(&frame) <= MOST_BYTES) {
        const size_t bytes = lutgen_decoded_bytes(&frame);
        const size_t room = lutgen_workspace_bytes(model, &frame);
        void *const samples = malloc(bytes);
        void *const workspace = stale_workspace(room);

        (void)lutgen_decode(model, file, size, samples, bytes, NULL, NULL, workspace, room);
        free(samples);
        free(workspace);
    }
    free(file);
    return 0;
}
