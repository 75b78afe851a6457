/* The calls of lutgen.h for whole files and for strips; profile.h says what codes them. */

#include <string.h>

#include "arithmetic.h"
#include "bytes.h"
#include "container.h"
#include "planes.h"
#include "profile.h"
#include "tile_model.h"

enum { NARROW = 128, TILE = 64, LARGE_TILE = 4096, SMALL_TILE = 32 };

int lutgen_api_major(void)
{
    return LUTGEN_API_MAJOR;
}

const uint8_t *lutgen_model_hash(const struct lutgen_model *model)
{
    return model->hash;
}

const char *lutgen_status_text(enum lutgen_status status)
{
    switch (status) {
    case LUTGEN_SUCCESS:
        return "all is well";
    case LUTGEN_END:
        return "there is no further strip";
    case LUTGEN_BAD_ARGUMENT:
        return "a field of the frame or a sample is out of its range";
    case LUTGEN_SMALL_WORKSPACE:
        return "the workspace is too small";
    case LUTGEN_SMALL_OUTPUT:
        return "the output is too small";
    case LUTGEN_NO_LGC:
        return "the file does not begin with LGC";
    case LUTGEN_OTHER_VERSION:
        return "the file is of a version of the format that is not known, or not the model's";
    case LUTGEN_OTHER_MODEL:
        return "the file was written with another model";
    case LUTGEN_BAD_HEADER:
        return "a field of the header is out of its range";
    case LUTGEN_CUT_SHORT:
        return "the file is cut short";
    case LUTGEN_BAD_LENGTH:
        return "the length of a payload is out of its range";
    case LUTGEN_BAD_CHECKSUM:
        return "the checksum of a strip is wrong";
    case LUTGEN_BAD_PAYLOAD:
        return "a payload is damaged";
    case LUTGEN_BAD_END:
        return "a strip does not end where the next one begins";
    case LUTGEN_DAMAGED_STRIPS:
        return "some strips are damaged";
    case LUTGEN_OTHER_PIXELS:
        return "the model does not code images of so many channels, or of a colour filter array";
    }
    return "unknown status";
}

void lutgen_default_frame(struct lutgen_frame *frame, const struct lutgen_model *model,
                          enum lutgen_pixels pixels, uint32_t width, uint32_t height,
                          uint32_t depth, uint32_t shift, uint32_t images)
{
    const int cfa = (uint32_t)pixels >= FIRST_CFA;

    memcpy(frame->model_hash, model->hash, sizeof frame->model_hash);
    frame->version = model->profile->version;
    frame->channels = cfa ? LUTGEN_MOST_PLANES : (uint32_t)pixels;
    frame->order = cfa ? (uint32_t)pixels : 0;
    if (cfa) { /* half an odd side is refused like none */
        width = width % 2 ? 0 : width / 2;
        height = height % 2 ? 0 : height / 2;
    }
    frame->width = width;
    frame->height = height;
    frame->depth = depth;
    frame->shift = shift;
    frame->max_error = 0;
    frame->strip_height = height;
    frame->tile_width = 0;
    frame->images = images;
    frame->slabs = 1;
    frame->levels = 0;
    frame->coder = 0;
    if (model->tiles) {
        frame->strip_height = SMALL_TILE;
        frame->tile_width = SMALL_TILE;
        frame->levels = model->tiles->levels;
        return;
    }
    if (width > 0 && width < NARROW) {
        const uint32_t rows = LARGE_TILE / width > TILE ? LARGE_TILE / width : TILE;

        frame->strip_height = height < rows ? height : rows;
        frame->tile_width = width;
    }
}

void lutgen_significant_bits(const uint16_t *samples, size_t count, uint32_t declared,
                             uint32_t *depth, uint32_t *shift)
{
    uint32_t used = 0;
    uint32_t top = declared;
    uint32_t zeros = 0;

    for (size_t k = 0; k < count; k++) {
        used |= samples[k];
    }
    if (declared >= 16) {
        top = used >> 9 ? leading_one(used) + 1 : 9;
    }
    while (used && !(used >> zeros & 1u)) {
        zeros++;
    }
    *shift = zeros < top - 8 ? zeros : top - 8;
    *depth = top - *shift;
}

/* Number of a strip's first sample among those of all images, without gaps. */
static size_t first_sample(const struct lutgen_frame *frame, const struct lutgen_strip *strip)
{
    const size_t row = (size_t)strip->image * lutgen_image_height(frame) + strip->top;

    return row * lutgen_row_samples(frame) + (size_t)strip->left * lutgen_image_channels(frame);
}

size_t lutgen_workspace_bytes(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    uint64_t bytes;

    if (lutgen_takes(model, frame) != LUTGEN_SUCCESS) {
        return 0;
    }
    bytes = model->profile->workspace_bytes(model, frame);
    return bytes > SIZE_MAX ? SIZE_MAX : (size_t)bytes;
}

/* Prepare a workspace for frames that the model codes. */
static enum lutgen_status begin(const struct lutgen_model *model, const struct lutgen_frame *frame,
                                void *workspace, size_t bytes)
{
    const enum lutgen_status status = lutgen_takes(model, frame);

    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    if (workspace == NULL || bytes < lutgen_workspace_bytes(model, frame)) {
        return LUTGEN_SMALL_WORKSPACE;
    }
    model->profile->begin(model, frame, workspace);
    return LUTGEN_SUCCESS;
}

/* Where a sample is that has so many before it. */
static uint8_t *sample_byte(const struct lutgen_frame *frame, void *samples, size_t number)
{
    return (uint8_t *)samples + number * lutgen_sample_bytes(frame);
}

/* Make the samples of a strip 0. */
static void blank(const struct lutgen_frame *frame, const struct lutgen_strip *strip,
                  void *samples, size_t stride)
{
    const size_t width = (size_t)strip->columns * lutgen_image_channels(frame);

    for (uint32_t y = 0; y < strip->rows; y++) {
        memset(sample_byte(frame, samples, y * stride), 0, width * lutgen_sample_bytes(frame));
    }
}

enum lutgen_status lutgen_decode_strip(const struct lutgen_model *model,
                                       const struct lutgen_reader *reader,
                                       const struct lutgen_strip *strip, void *samples,
                                       size_t stride, void *workspace, size_t workspace_bytes)
{
    enum lutgen_status status = begin(model, &reader->frame, workspace, workspace_bytes);

    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    model->profile->decode(model, reader, strip, 1, samples, stride, workspace, &status);
    if (status != LUTGEN_SUCCESS) {
        blank(&reader->frame, strip, samples, stride);
    }
    return status;
}

/* Fill in as many strips as are decoded best at once, if there are as many. */
static uint32_t next_strips(const struct lutgen_model *model, struct lutgen_reader *reader,
                            struct lutgen_strip *strips)
{
    uint32_t count = 0;

    while (count < model->profile->strips_at_once &&
           lutgen_next_strip(reader, &strips[count]) == LUTGEN_SUCCESS) {
        count++;
    }
    return count;
}

enum lutgen_status lutgen_decode(const struct lutgen_model *model, const uint8_t *file,
                                 size_t bytes, void *samples, size_t samples_bytes,
                                 lutgen_damage *damage, void *user, void *workspace,
                                 size_t workspace_bytes)
{
    struct lutgen_reader reader;
    struct lutgen_strip strips[LUTGEN_MOST_STRIPS];
    enum lutgen_status found[LUTGEN_MOST_STRIPS];
    enum lutgen_status result = lutgen_open(&reader, model, file, bytes);
    size_t stride;
    uint32_t count;

    if (result == LUTGEN_SUCCESS) {
        result = begin(model, &reader.frame, workspace, workspace_bytes);
    }
    if (result != LUTGEN_SUCCESS) {
        return result;
    }
    if (samples_bytes < lutgen_decoded_bytes(&reader.frame)) {
        return LUTGEN_SMALL_OUTPUT;
    }
    stride = lutgen_row_samples(&reader.frame);
    while ((count = next_strips(model, &reader, strips)) > 0) {
        const size_t first = first_sample(&reader.frame, &strips[0]);

        model->profile->decode(model, &reader, strips, count,
                               sample_byte(&reader.frame, samples, first), stride, workspace,
                               found);
        for (uint32_t k = 0; k < count; k++) {
            const struct lutgen_strip *const strip = &strips[k];
            const size_t number = first_sample(&reader.frame, strip);

            if (found[k] == LUTGEN_SUCCESS) {
                continue;
            }
            blank(&reader.frame, strip, sample_byte(&reader.frame, samples, number), stride);
            result = LUTGEN_DAMAGED_STRIPS;
            if (!reader.indexed) {
                reader.next = reader.index; /* where the next one begins is not known */
            }
            if (damage) {
                damage(user, strip, found[k]);
            }
        }
    }
    return result;
}

/* Whether all is well to encode strip `number` of a frame. */
static enum lutgen_status check_strip(const struct lutgen_model *model,
                                      const struct lutgen_frame *frame, uint32_t number)
{
    enum lutgen_status status;

    if (lutgen_check_frame(frame) != LUTGEN_SUCCESS || number >= lutgen_strips(frame)) {
        return LUTGEN_BAD_ARGUMENT;
    }
    status = lutgen_takes(model, frame);
    return status == LUTGEN_SUCCESS || status == LUTGEN_OTHER_PIXELS ? status : LUTGEN_BAD_ARGUMENT;
}

enum lutgen_status lutgen_encode_strip(const struct lutgen_model *model,
                                       const struct lutgen_frame *frame, uint32_t number,
                                       const void *samples, size_t stride, uint8_t *out,
                                       size_t out_bytes, size_t *used, void *workspace,
                                       size_t workspace_bytes)
{
    enum lutgen_status status = check_strip(model, frame, number);

    if (status == LUTGEN_SUCCESS) {
        status = begin(model, frame, workspace, workspace_bytes);
    }
    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    return model->profile->encode(model, frame, number, samples, stride, out, out_bytes, used,
                                  workspace);
}

enum lutgen_status lutgen_encode(const struct lutgen_model *model,
                                 const struct lutgen_frame *frame, const void *samples,
                                 uint8_t *file, size_t file_bytes, size_t *used, void *workspace,
                                 size_t workspace_bytes)
{
    struct lutgen_frame own = *frame;
    const size_t stride = lutgen_row_samples(frame);
    size_t index;
    uint32_t strips;
    uint8_t *sizes;
    uint8_t *at;
    enum lutgen_status status;

    memcpy(own.model_hash, model->hash, sizeof own.model_hash);
    status = check_strip(model, &own, 0);
    if (status == LUTGEN_SUCCESS) {
        status = begin(model, &own, workspace, workspace_bytes);
    }
    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    index = lutgen_index_bytes(&own);
    if (file_bytes < lutgen_header_bytes(&own) ||
        file_bytes - lutgen_header_bytes(&own) < index) {
        return LUTGEN_SMALL_OUTPUT;
    }
    lutgen_write_header(&own, file);
    at = file + lutgen_header_bytes(&own);
    strips = lutgen_strips(&own);
    sizes = file + file_bytes - index; /* moved to its place at the end */
    for (uint32_t k = 0; k < strips; k++) {
        struct lutgen_strip strip;
        size_t bytes = 0;

        lutgen_place_strip(&own, k, &strip);
        status = model->profile->encode(
            model, &own, k,
            (const uint8_t *)samples + first_sample(&own, &strip) * lutgen_sample_bytes(&own),
            stride, at, (size_t)(sizes - at), &bytes, workspace);
        if (status != LUTGEN_SUCCESS) {
            return status;
        }
        at += bytes;
        if (index) {
            lutgen_put_32(sizes + 4 * (size_t)k, (uint32_t)bytes);
        }
    }
    if (index) {
        memmove(at, sizes, index - CRC_BYTES);
        lutgen_put_32(at + index - CRC_BYTES, lutgen_index_crc(&own, at, index - CRC_BYTES));
        at += index;
    }
    *used = (size_t)(at - file);
    return LUTGEN_SUCCESS;
}
