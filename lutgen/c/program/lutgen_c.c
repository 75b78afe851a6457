/* lutgen-c: an example of the library, which codes PGM files of 8 to 16 bits. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lutgen.h"
#include "lutgen_models.h"
#include "pgm.h"

static const char usage[] =
    "lutgen-c encode [--model NAME] [--near N] [--strip-height R] [--tile-width W] IN.pgm OUT.lgc\n"
    "lutgen-c decode IN.lgc OUT.pgm\n"
    "lutgen-c info IN.lgc\n";

static int failed(const char *file, const char *why)
{
    fprintf(stderr, "error: %s: %s\n", file, why);
    return 1;
}

/* All of a file, from malloc; NULL if it cannot be read. */
static uint8_t *read_all(const char *name, size_t *bytes)
{
    FILE *file = fopen(name, "rb");
    uint8_t *data = NULL;
    long size;

    if (file && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        *bytes = (size_t)size;
        data = malloc(*bytes ? *bytes : 1);
        if (data && fread(data, 1, *bytes, file) != *bytes) {
            free(data);
            data = NULL;
        }
    }
    if (file) {
        fclose(file);
    }
    return data;
}

static int write_all(const char *name, const uint8_t *data, size_t bytes)
{
    FILE *file = fopen(name, "wb");
    int whole;

    if (!file) {
        return 0;
    }
    whole = fwrite(data, 1, bytes, file) == bytes;
    return fclose(file) == 0 && whole;
}

static const struct lutgen_model *named(const char *name)
{
    for (size_t k = 0; k < lutgen_models_count; k++) {
        if (!name || strcmp(lutgen_models[k].name, name) == 0) {
            return lutgen_models[k].model;
        }
    }
    return NULL;
}

static const struct lutgen_model *model_of(const struct lutgen_frame *frame)
{
    for (size_t k = 0; k < lutgen_models_count; k++) {
        if (memcmp(lutgen_model_hash(lutgen_models[k].model), frame->model_hash, 8) == 0) {
            return lutgen_models[k].model;
        }
    }
    return NULL;
}

struct options {
    const char *model;
    unsigned long near_lossless;
    unsigned long strip_height;
    unsigned long tile_width;
    int tiles; /* whether a tile width is given */
};

static int encode(const struct options *options, const char *in, const char *out)
{
    const struct lutgen_model *model = named(options->model);
    struct lutgen_frame frame;
    struct pgm images;
    size_t bytes = 0;
    uint8_t *data = read_all(in, &bytes);
    uint32_t depth = 8;
    uint32_t shift = 0;
    uint8_t *file;
    void *workspace;
    size_t bound;
    enum lutgen_status status;

    if (!model) {
        return failed(options->model, "no model of this library has that name");
    }
    if (!data) {
        return failed(in, "cannot be read");
    }
    if (!pgm_read(data, bytes, &images)) {
        return failed(in, "must be one or many raw PGM images of one size");
    }
    free(data);
    if (images.top > 255) {
        uint32_t declared = 9;

        while (images.top >> declared) {
            declared++;
        }
        lutgen_significant_bits(images.samples,
                                (size_t)images.images * images.width * images.height, declared,
                                &depth, &shift);
    }
    lutgen_default_frame(&frame, model, images.width, images.height, depth, shift, images.images);
    frame.max_error = (uint32_t)(options->near_lossless >> shift);
    if (options->strip_height && options->strip_height < frame.height) {
        frame.strip_height = (uint32_t)options->strip_height;
    }
    if (options->tiles) {
        frame.tile_width = options->tile_width < frame.width ? (uint32_t)options->tile_width
                                                             : frame.width;
    }
    if (lutgen_check_frame(&frame) != LUTGEN_SUCCESS) {
        return failed(in, lutgen_status_text(LUTGEN_BAD_ARGUMENT));
    }
    bound = lutgen_encoded_bound(&frame);
    file = malloc(bound);
    workspace = malloc(lutgen_workspace_bytes(&frame));
    if (!file || !workspace) {
        return failed(in, "too large for the memory");
    }
    status = lutgen_encode(model, &frame, images.samples, file, bound, &bytes, workspace,
                           lutgen_workspace_bytes(&frame));
    if (status != LUTGEN_SUCCESS) {
        return failed(in, lutgen_status_text(status));
    }
    if (!write_all(out, file, bytes)) {
        return failed(out, "cannot be written");
    }
    free(file);
    free(workspace);
    free(images.samples);
    return 0;
}

static void tell(void *user, const struct lutgen_strip *strip, enum lutgen_status status)
{
    fprintf(stderr, "%s: rows %lu to %lu of image %lu are missing: %s\n", (const char *)user,
            (unsigned long)strip->top, (unsigned long)(strip->top + strip->rows - 1),
            (unsigned long)strip->image, lutgen_status_text(status));
}

static int decode(const char *in, const char *out)
{
    const struct lutgen_model *model;
    struct lutgen_frame frame;
    struct pgm images;
    size_t bytes = 0;
    uint8_t *data = read_all(in, &bytes);
    uint8_t *file;
    void *workspace;
    enum lutgen_status status;

    if (!data) {
        return failed(in, "cannot be read");
    }
    status = lutgen_read_frame(data, bytes, &frame);
    if (status != LUTGEN_SUCCESS) {
        return failed(in, lutgen_status_text(status));
    }
    model = model_of(&frame);
    if (!model) {
        return failed(in, "was written with a model that this library does not have");
    }
    images.width = frame.width;
    images.height = frame.height;
    images.images = frame.images;
    images.top = (1u << (frame.depth + frame.shift)) - 1;
    images.samples = malloc(lutgen_decoded_bytes(&frame));
    workspace = malloc(lutgen_workspace_bytes(&frame));
    if (!images.samples || !workspace) {
        return failed(in, "too large for the memory");
    }
    status = lutgen_decode(model, data, bytes, images.samples, lutgen_decoded_bytes(&frame), tell,
                           (void *)(uintptr_t)in, workspace, lutgen_workspace_bytes(&frame));
    if (status != LUTGEN_SUCCESS && status != LUTGEN_DAMAGED_STRIPS) {
        return failed(in, lutgen_status_text(status));
    }
    file = pgm_write(&images, &bytes);
    if (!file || !write_all(out, file, bytes)) {
        return failed(out, "cannot be written");
    }
    free(file);
    free(workspace);
    free(images.samples);
    free(data);
    return status != LUTGEN_SUCCESS;
}

static int info(const char *in)
{
    struct lutgen_frame frame;
    size_t bytes = 0;
    uint8_t *data = read_all(in, &bytes);
    enum lutgen_status status;

    if (!data) {
        return failed(in, "cannot be read");
    }
    status = lutgen_read_frame(data, bytes, &frame);
    free(data);
    if (status != LUTGEN_SUCCESS) {
        return failed(in, lutgen_status_text(status));
    }
    printf("images %lu\nwidth %lu\nheight %lu\ndepth %lu\nshift %lu\nnear %lu\n"
           "strip height %lu\ntile width %lu\nstrips %lu\nmodel is known %d\n",
           (unsigned long)frame.images, (unsigned long)frame.width, (unsigned long)frame.height,
           (unsigned long)frame.depth, (unsigned long)frame.shift, (unsigned long)frame.max_error,
           (unsigned long)frame.strip_height, (unsigned long)frame.tile_width,
           (unsigned long)lutgen_strips(&frame), model_of(&frame) != NULL);
    return 0;
}

/* A number up to 65,535 of the command line; returns 0 if it is none. */
static int number(const char *text, unsigned long *value)
{
    char *end;

    *value = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *value <= 65535;
}

int main(int argc, char **argv)
{
    struct options options = {NULL, 0, 0, 0, 0};
    int at = 2;
    int sound = 1;

    for (; sound && argc > 1 && at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--model") == 0) {
            options.model = argv[at + 1];
        } else if (strcmp(argv[at], "--near") == 0) {
            sound = number(argv[at + 1], &options.near_lossless);
        } else if (strcmp(argv[at], "--strip-height") == 0) {
            sound = number(argv[at + 1], &options.strip_height);
        } else if (strcmp(argv[at], "--tile-width") == 0) {
            options.tiles = 1;
            sound = number(argv[at + 1], &options.tile_width);
        } else {
            sound = 0;
        }
    }
    if (sound && argc - at == 2 && strcmp(argv[1], "encode") == 0) {
        return encode(&options, argv[at], argv[at + 1]);
    }
    if (argc == 4 && strcmp(argv[1], "decode") == 0) {
        return decode(argv[2], argv[3]);
    }
    if (argc == 3 && strcmp(argv[1], "info") == 0) {
        return info(argv[2]);
    }
    fputs(usage, stderr);
    return 2;
}
