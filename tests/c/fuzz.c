/* A target for libFuzzer or AFL++: decodes whatever it gets, by the model of the library whose number
 * is in the first byte of the hash.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -I src src/[!.]*.c fuzz.c -o fuzz
 *
 * Chance does not find the hash of a model or a checksum, so these are made right first: hash and
 * version always, the checksum of the last strip if the last byte is odd.  With -DSTANDALONE it is a
 * program that decodes files of a corpus, one after the other. */

#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "lutgen.h"
#include "lutgen_models.h"

enum { MOST_BYTES = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t number = size >= LUTGEN_HEADER_BYTES ? data[4] % lutgen_models_count : 0;
    const struct lutgen_model *model = lutgen_models[number].model;
    uint8_t *file = malloc(size ? size : 1);
    struct lutgen_frame frame;

    memcpy(file, data, size);
    if (size >= LUTGEN_HEADER_BYTES) {
        memcpy(file, "LGC\2", 4);
        memcpy(file + 4, lutgen_model_hash(model), 8);
    }
    if (lutgen_read_frame(file, size, &frame) == LUTGEN_SUCCESS &&
        lutgen_decoded_bytes(&frame) <= MOST_BYTES) {
        const size_t bytes = lutgen_decoded_bytes(&frame);
        const size_t end = size - lutgen_index_bytes(&frame);
        void *samples = malloc(bytes);
        void *workspace = malloc(lutgen_workspace_bytes(&frame));

        if ((data[size - 1] & 1) && end >= LUTGEN_HEADER_BYTES + CRC_BYTES) {
            const uint8_t *strip = file + LUTGEN_HEADER_BYTES;
            const size_t length = end - CRC_BYTES - LUTGEN_HEADER_BYTES;

            lutgen_put_32(file + end - CRC_BYTES,
                          lutgen_crc32(lutgen_strip_crc(&frame, 0), strip, length));
        }
        (void)lutgen_decode(model, file, size, samples, bytes, NULL, NULL, workspace,
                            lutgen_workspace_bytes(&frame));
        free(samples);
        free(workspace);
    }
    free(file);
    return 0;
}

#ifdef STANDALONE
#include <stdio.h>

int main(int argc, char **argv)
{
    static uint8_t data[1 << 20];

    for (int k = 1; k < argc; k++) {
        FILE *file = fopen(argv[k], "rb");

        if (!file) {
            return 1;
        }
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
        fclose(file);
    }
    printf("%d files\n", argc - 1);
    return 0;
}
#endif
