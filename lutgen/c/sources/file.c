/* Whole files in memory, and what does not look at samples. */

#include <string.h>

#include "arithmetic.h"
#include "container.h"
#include "planes.h"

enum { NARROW = 128, TILE = 64, LARGE_TILE = 4096 };

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
        return "the file is of another version of the format than 2";
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

/* Row `top` of an image among those of all. */
static size_t row_number(const struct lutgen_frame *frame, uint32_t image, uint32_t top)
{
    return (size_t)image * lutgen_image_height(frame) + top;
}

enum lutgen_status lutgen_decode(const struct lutgen_model *model, const uint8_t *file,
                                 size_t bytes, void *samples, size_t samples_bytes,
                                 lutgen_damage *damage, void *user, void *workspace,
                                 size_t workspace_bytes)
{
    struct lutgen_reader reader;
    struct lutgen_strip strip;
    enum lutgen_status result = lutgen_open(&reader, model, file, bytes);

    if (result != LUTGEN_SUCCESS) {
        return result;
    }
    if (workspace_bytes < lutgen_workspace_bytes(&reader.frame)) {
        return LUTGEN_SMALL_WORKSPACE;
    }
    if (samples_bytes < lutgen_decoded_bytes(&reader.frame)) {
        return LUTGEN_SMALL_OUTPUT;
    }
    while (lutgen_next_strip(&reader, &strip) == LUTGEN_SUCCESS) {
        const size_t row = row_number(&reader.frame, strip.image, strip.top);
        const size_t stride = lutgen_row_samples(&reader.frame);
        uint8_t *const at =
            (uint8_t *)samples + row * stride * lutgen_sample_bytes(&reader.frame);
        const enum lutgen_status status = lutgen_decode_strip(model, &reader, &strip, at, stride,
                                                              workspace, workspace_bytes);

        if (status != LUTGEN_SUCCESS) {
            result = LUTGEN_DAMAGED_STRIPS;
            if (!reader.indexed) {
                reader.next = reader.index; /* where the next one begins is not known */
            }
            if (damage) {
                damage(user, &strip, status);
            }
        }
    }
    return result;
}

enum lutgen_status lutgen_encode(const struct lutgen_model *model,
                                 const struct lutgen_frame *frame, const void *samples,
                                 uint8_t *file, size_t file_bytes, size_t *used, void *workspace,
                                 size_t workspace_bytes)
{
    struct lutgen_frame own = *frame;
    const size_t stride = lutgen_row_samples(frame);
    uint32_t strips;
    uint8_t *sizes;
    uint8_t *at = file + LUTGEN_HEADER_BYTES;

    memcpy(own.model_hash, model->hash, sizeof own.model_hash);
    if (lutgen_check_frame(&own) != LUTGEN_SUCCESS) {
        return LUTGEN_BAD_ARGUMENT;
    }
    if (file_bytes < LUTGEN_HEADER_BYTES ||
        file_bytes - LUTGEN_HEADER_BYTES < lutgen_index_bytes(&own)) {
        return LUTGEN_SMALL_OUTPUT;
    }
    lutgen_write_header(&own, file);
    strips = lutgen_strips(&own);
    sizes = file + file_bytes - lutgen_index_bytes(&own); /* moved to its place at the end */
    for (uint32_t k = 0; k < strips; k++) {
        uint32_t top;
        uint32_t rows;
        size_t row;
        size_t bytes = 0;
        enum lutgen_status status;

        lutgen_rows_of(&own, k, &top, &rows);
        row = row_number(&own, k / lutgen_strips_of_image(&own), top);
        status = lutgen_encode_strip(
            model, &own, k, (const uint8_t *)samples + row * stride * lutgen_sample_bytes(&own),
            stride, at, (size_t)(sizes - at), &bytes, workspace, workspace_bytes);
        if (status != LUTGEN_SUCCESS) {
            return status;
        }
        at += bytes;
        if (strips > 1) {
            lutgen_put_32(sizes + 4 * (size_t)k, (uint32_t)bytes);
        }
    }
    if (strips > 1) {
        const size_t index = 4 * (size_t)strips;

        memmove(at, sizes, index);
        lutgen_put_32(at + index, lutgen_index_crc(&own, at, index));
        at += index + CRC_BYTES;
    }
    *used = (size_t)(at - file);
    return LUTGEN_SUCCESS;
}
