/* The decoder as a page of a browser calls it: one file at a time, memory laid out by the page.
 *
 * The page grows the memory of the module behind `page_memory`, puts a file there, opens it, and has
 * it decoded to where it likes.  Numbers are what JavaScript has: sizes as double, which holds all
 * that 32 bits of addresses can. */
#include "lutgen.h"
#include "lutgen_models.h"

#define EXPORT __attribute__((visibility("default")))

extern unsigned char __heap_base;

/* The file that is open. */
static const uint8_t *file_bytes;
static size_t file_size;
static struct lutgen_frame frame;
static const struct lutgen_model *model;
static uint32_t damaged;

enum page_fact {
    PAGE_WIDTH,
    PAGE_HEIGHT,
    PAGE_CHANNELS,
    PAGE_IMAGES,
    PAGE_DEPTH,
    PAGE_SHIFT,
    PAGE_NEAR,
    PAGE_STRIPS,
    PAGE_SAMPLE_BYTES,
    PAGE_DECODED_BYTES,
    PAGE_WORKSPACE_BYTES,
    PAGE_DAMAGED
};

/* Where memory begins that nothing of the module uses. */
EXPORT unsigned char *page_memory(void)
{
    return &__heap_base;
}

static int same_hash(const uint8_t *first, const uint8_t *second)
{
    for (size_t k = 0; k < sizeof frame.model_hash; k++)
        if (first[k] != second[k])
            return 0;
    return 1;
}

/* Read the header of a file that stays at `file`, and find its model. */
EXPORT enum lutgen_status page_open(const uint8_t *file, size_t bytes)
{
    enum lutgen_status status = lutgen_read_frame(file, bytes, &frame);

    if (status != LUTGEN_SUCCESS)
        return status;
    model = NULL;
    for (size_t k = 0; k < lutgen_models_count; k++)
        if (same_hash(lutgen_model_hash(lutgen_models[k].model), frame.model_hash))
            model = lutgen_models[k].model;
    if (model == NULL)
        return LUTGEN_OTHER_MODEL;
    file_bytes = file;
    file_size = bytes;
    damaged = 0;
    return LUTGEN_SUCCESS;
}

/* What is known of the open file. */
EXPORT double page_fact(enum page_fact fact)
{
    switch (fact) {
    case PAGE_WIDTH:
        return lutgen_image_width(&frame);
    case PAGE_HEIGHT:
        return lutgen_image_height(&frame);
    case PAGE_CHANNELS:
        return lutgen_image_channels(&frame);
    case PAGE_IMAGES:
        return frame.images;
    case PAGE_DEPTH:
        return frame.depth;
    case PAGE_SHIFT:
        return frame.shift;
    case PAGE_NEAR:
        return (double)frame.max_error * (double)(1u << frame.shift);
    case PAGE_STRIPS:
        return lutgen_strips(&frame);
    case PAGE_SAMPLE_BYTES:
        return (double)lutgen_sample_bytes(&frame);
    case PAGE_DECODED_BYTES:
        return (double)lutgen_decoded_bytes(&frame);
    case PAGE_WORKSPACE_BYTES:
        return (double)lutgen_workspace_bytes(model, &frame);
    case PAGE_DAMAGED:
        return damaged;
    }
    return -1;
}

/* Name of the open file's model. */
EXPORT const char *page_model(void)
{
    for (size_t k = 0; k < lutgen_models_count; k++)
        if (lutgen_models[k].model == model)
            return lutgen_models[k].name;
    return "";
}

static void count_damage(void *user, const struct lutgen_strip *strip, enum lutgen_status status)
{
    (void)user;
    (void)strip;
    (void)status;
    damaged++;
}

/* Decode the open file; damaged strips are black and counted. */
EXPORT enum lutgen_status page_decode(void *samples, void *workspace)
{
    enum lutgen_status status;

    damaged = 0;
    status = lutgen_decode(model, file_bytes, file_size, samples, lutgen_decoded_bytes(&frame),
                           count_damage, NULL, workspace, lutgen_workspace_bytes(model, &frame));
    return status == LUTGEN_DAMAGED_STRIPS ? LUTGEN_SUCCESS : status;
}

/* What to tell of a status. */
EXPORT const char *page_status_text(enum lutgen_status status)
{
    return lutgen_status_text(status);
}
