#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "container.h"
#include "crc32.h"

enum { BYTES_OF_NAME = 4, BYTES_OF_HASH = 8 };

uint8_t *fuzz_file(const uint8_t *data, size_t size, const struct lutgen_model **model)
{
    const size_t number = size > BYTES_OF_NAME ? data[BYTES_OF_NAME] % lutgen_models_count : 0;
    uint8_t *file = malloc(size ? size : 1);
    struct lutgen_frame frame;
    size_t header;
    size_t end;

    *model = lutgen_models[number].model;
    if (size) {
        memcpy(file, data, size);
    }
    if (size < BYTES_OF_NAME + BYTES_OF_HASH) {
        return file;
    }
    lutgen_default_frame(&frame, *model, LUTGEN_GRAY, 8, 8, 8, 0, 1);
    memcpy(file, "LGC", 3);
    file[3] = (uint8_t)frame.version;
    memcpy(file + BYTES_OF_NAME, lutgen_model_hash(*model), BYTES_OF_HASH);
    if (frame.version == 1 || lutgen_read_frame(file, size, &frame) != LUTGEN_SUCCESS) {
        return file;
    }
    header = lutgen_header_bytes(&frame);
    end = size - lutgen_index_bytes(&frame);
    if ((data[size - 1] & 1) && end <= size && end >= header + CRC_BYTES) {
        lutgen_put_32(file + end - CRC_BYTES,
                      lutgen_crc32(lutgen_strip_crc(&frame, lutgen_strips(&frame) - 1),
                                   file + header, end - CRC_BYTES - header));
    }
    return file;
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
