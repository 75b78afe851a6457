/* lutgen-c: an example of the library, which codes PGM, PPM and PAM files of 8 to 16 bits. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lutgen.h"
#include "lutgen_models.h"
#include "pnm.h"
#include "threads.h"

static const char usage[] =
    "lutgen-c encode [--model NAME] [--cfa RGGB|BGGR|GRBG|GBRG] [--near N] [--strip-height R]\n"
    "                [--tile-width W] [--slabs 1|2|4|8] [--tans L] [--threads N] IN OUT.lgc\n"
    "                IN: PGM, PPM or PAM, raw\n"
    "lutgen-c decode [--threads N] IN.lgc OUT\n"
    "                OUT: gray and colour filter arrays: PGM, RGB: PPM, alpha: PAM\n"
    "lutgen-c info IN.lgc\n";

static const char *const patterns[] = {"RGGB", "BGGR", "GRBG", "GBRG"};
enum { PATTERNS = 4, MOST = 65535 };

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

/* Whether a model codes such samples, of some size. */
static int takes(const struct lutgen_model *model, enum lutgen_pixels pixels, uint32_t depth)
{
    struct lutgen_frame frame;

    lutgen_default_frame(&frame, model, pixels, 2, 2, depth, 0, 1);
    return lutgen_model_takes(model, pixels) && lutgen_check_frame(&frame) == LUTGEN_SUCCESS;
}

/* The model of a name, or the first one that codes such samples. */
static const struct lutgen_model *named(const char *name, enum lutgen_pixels pixels,
                                        uint32_t depth)
{
    for (size_t k = 0; k < lutgen_models_count; k++) {
        if (name ? strcmp(lutgen_models[k].name, name) == 0
                 : takes(lutgen_models[k].model, pixels, depth)) {
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
    const char *cfa; /* pattern of a colour filter array */
    unsigned long near_lossless;
    unsigned long strip_height;
    unsigned long tile_width;
    unsigned long slabs;
    unsigned long tans; /* logarithm of its states, 0 for rANS */
    unsigned long threads;
    int tiles; /* whether a tile width is given */
};

/* What pixels are by the name of their pattern, which is one. */
static enum lutgen_pixels pattern_of(const char *name)
{
    int k = 0;

    while (k < PATTERNS - 1 && strcmp(patterns[k], name) != 0) {
        k++;
    }
    return (enum lutgen_pixels)(LUTGEN_RGGB + k);
}

static int is_pattern(const char *name)
{
    return strcmp(patterns[pattern_of(name) - LUTGEN_RGGB], name) == 0;
}

/* A height or width of the picture as a frame has it: at most `most`, squares of an array. */
static uint32_t cut(unsigned long size, const char *cfa, uint32_t most)
{
    const unsigned long found = cfa ? (size + 1) / 2 : size;

    return found < most ? (uint32_t)found : most;
}

static int encode(const struct options *options, const char *in, const char *out)
{
    const struct lutgen_model *model;
    struct lutgen_frame frame;
    struct pnm images;
    enum lutgen_pixels pixels;
    size_t bytes = 0;
    uint8_t *data = read_all(in, &bytes);
    uint32_t depth = 8;
    uint32_t shift = 0;
    uint8_t *file;
    void *workspace;
    size_t bound;
    enum lutgen_status status;

    if (!data) {
        return failed(in, "cannot be read");
    }
    if (!pnm_read(data, bytes, &images)) {
        return failed(in, "must be one or many raw PGM, PPM or PAM images of one size");
    }
    free(data);
    pixels = (enum lutgen_pixels)images.channels;
    if (options->cfa) {
        if (images.channels != 1 || images.width % 2 || images.height % 2) {
            return failed(in, "a colour filter array must be a PGM whose sides are even");
        }
        pixels = pattern_of(options->cfa);
    }
    if (images.top > 255) {
        uint32_t declared = 9;

        while (images.top >> declared) {
            declared++;
        }
        lutgen_significant_bits(images.samples,
                                (size_t)images.images * images.width * images.height *
                                    images.channels,
                                declared, &depth, &shift);
    }
    model = named(options->model, pixels, depth);
    if (!model) {
        return failed(options->model ? options->model : in,
                      options->model ? "no model of this library has that name"
                                     : "no model of this library codes such images");
    }
    lutgen_default_frame(&frame, model, pixels, images.width, images.height, depth, shift,
                         images.images);
    frame.max_error = (uint32_t)(options->near_lossless >> shift);
    frame.coder = (uint32_t)options->tans;
    if (options->strip_height) {
        frame.strip_height =
            cut(options->strip_height, options->cfa, frame.version == 1 ? MOST : frame.height);
    }
    if (options->tiles) {
        frame.tile_width =
            cut(options->tile_width, options->cfa, frame.version == 1 ? MOST : frame.width);
    }
    frame.slabs = (uint32_t)options->slabs;
    if (frame.slabs > 1 && frame.version == 2 && !options->tiles) {
        frame.tile_width = 0;
        frame.strip_height = options->strip_height ? frame.strip_height : frame.height;
    }
    if (lutgen_check_frame(&frame) != LUTGEN_SUCCESS) {
        return failed(in, lutgen_status_text(LUTGEN_BAD_ARGUMENT));
    }
    frame.order = lutgen_best_order(&frame, images.samples, lutgen_row_samples(&frame));
    bound = lutgen_encoded_bound(&frame);
    file = malloc(bound);
    workspace = malloc(lutgen_workspace_bytes(model, &frame));
    if (!file || !workspace) {
        return failed(in, "too large for the memory");
    }
    status = options->threads > 1
                 ? encode_by_threads(model, &frame, images.samples, file, bound, &bytes,
                                     (unsigned)options->threads)
                 : lutgen_encode(model, &frame, images.samples, file, bound, &bytes, workspace,
                                 lutgen_workspace_bytes(model, &frame));
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
    fprintf(stderr, "%s: rows %lu to %lu, columns %lu to %lu of image %lu are missing: %s\n",
            (const char *)user, (unsigned long)strip->top,
            (unsigned long)(strip->top + strip->rows - 1), (unsigned long)strip->left,
            (unsigned long)(strip->left + strip->columns - 1), (unsigned long)strip->image,
            lutgen_status_text(status));
}

static int decode(const struct options *options, const char *in, const char *out)
{
    const struct lutgen_model *model;
    struct lutgen_frame frame;
    struct pnm images;
    size_t bytes = 0;
    uint8_t *data = read_all(in, &bytes);
    uint8_t *file;
    void *workspace;
    size_t size;
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
    images.width = lutgen_image_width(&frame);
    images.height = lutgen_image_height(&frame);
    images.channels = lutgen_image_channels(&frame);
    images.images = frame.images;
    images.top = (1u << (frame.depth + frame.shift)) - 1;
    images.samples = malloc(lutgen_decoded_bytes(&frame));
    workspace = malloc(lutgen_workspace_bytes(model, &frame));
    if (!images.samples || !workspace) {
        return failed(in, "too large for the memory");
    }
    size = lutgen_decoded_bytes(&frame);
    status = options->threads > 1
                 ? decode_by_threads(model, data, bytes, images.samples, size, tell,
                                     (void *)(uintptr_t)in, (unsigned)options->threads)
                 : lutgen_decode(model, data, bytes, images.samples, size, tell,
                                 (void *)(uintptr_t)in, workspace,
                                 lutgen_workspace_bytes(model, &frame));
    if (status != LUTGEN_SUCCESS && status != LUTGEN_DAMAGED_STRIPS) {
        return failed(in, lutgen_status_text(status));
    }
    file = pnm_write(&images, &bytes);
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
    uint32_t square;

    if (!data) {
        return failed(in, "cannot be read");
    }
    status = lutgen_read_frame(data, bytes, &frame);
    free(data);
    if (status != LUTGEN_SUCCESS) {
        return failed(in, lutgen_status_text(status));
    }
    square = lutgen_image_height(&frame) / frame.height; /* rows of the image that a row is */
    printf("version %lu\nimages %lu\nwidth %lu\nheight %lu\nchannels %lu\npattern %s\ndepth %lu\nshift %lu\n"
           "near %lu\nstrip height %lu\ntile width %lu\nslabs %lu\nlevels %lu\ncoder %lu\nstrips %lu\n"
           "model is known %d\n",
           (unsigned long)frame.version, (unsigned long)frame.images, (unsigned long)lutgen_image_width(&frame),
           (unsigned long)lutgen_image_height(&frame),
           (unsigned long)lutgen_image_channels(&frame),
           frame.order >= LUTGEN_RGGB ? patterns[frame.order - LUTGEN_RGGB] : "none",
           (unsigned long)frame.depth, (unsigned long)frame.shift, (unsigned long)frame.max_error,
           (unsigned long)(square * frame.strip_height), (unsigned long)(square * frame.tile_width),
           (unsigned long)frame.slabs,
           (unsigned long)frame.levels, (unsigned long)frame.coder,
           (unsigned long)lutgen_strips(&frame), model_of(&frame) != NULL);
    return 0;
}

/* A number up to MOST of the command line; returns 0 if it is none. */
static int number(const char *text, unsigned long *value)
{
    char *end;

    *value = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *value <= MOST;
}

int main(int argc, char **argv)
{
    struct options options = {NULL, NULL, 0, 0, 0, 1, 0, 1, 0};
    int at = 2;
    int sound = 1;

    for (; sound && argc > 1 && at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--model") == 0) {
            options.model = argv[at + 1];
        } else if (strcmp(argv[at], "--cfa") == 0) {
            options.cfa = argv[at + 1];
            sound = is_pattern(options.cfa);
        } else if (strcmp(argv[at], "--near") == 0) {
            sound = number(argv[at + 1], &options.near_lossless);
        } else if (strcmp(argv[at], "--strip-height") == 0) {
            sound = number(argv[at + 1], &options.strip_height);
        } else if (strcmp(argv[at], "--slabs") == 0) {
            sound = number(argv[at + 1], &options.slabs);
        } else if (strcmp(argv[at], "--tans") == 0) {
            sound = number(argv[at + 1], &options.tans);
        } else if (strcmp(argv[at], "--threads") == 0) {
            sound = number(argv[at + 1], &options.threads);
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
    if (sound && argc - at == 2 && strcmp(argv[1], "decode") == 0) {
        return decode(&options, argv[at], argv[at + 1]);
    }
    if (argc == 3 && strcmp(argv[1], "info") == 0) {
        return info(argv[2]);
    }
    fputs(usage, stderr);
    return 2;
}
