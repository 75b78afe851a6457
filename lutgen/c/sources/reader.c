/* Where the strips of a file are: by its index, or, if that is damaged, one behind the other. */

#include <string.h>

#include "container.h"
#include "planes.h"

/* Whether the index is sound: its checksum, and that its strips fill the file. */
static int sound_index(const struct lutgen_reader *reader, uint32_t strips)
{
    const uint8_t *index = reader->file + reader->index;
    uint64_t end = LUTGEN_HEADER_BYTES;

    if (lutgen_index_crc(&reader->frame, index, 4 * (size_t)strips) !=
        lutgen_get_32(index + 4 * (size_t)strips)) {
        return 0;
    }
    for (size_t k = 0; k < strips; k++) {
        end += lutgen_get_32(index + 4 * k);
    }
    return end == reader->index;
}

enum lutgen_status lutgen_open(struct lutgen_reader *reader, const struct lutgen_model *model,
                               const uint8_t *file, size_t bytes)
{
    enum lutgen_status status = lutgen_read_frame(file, bytes, &reader->frame);
    size_t index;

    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    if (memcmp(lutgen_model_hash(model), reader->frame.model_hash, 8) != 0) {
        return LUTGEN_OTHER_MODEL;
    }
    if (!lutgen_takes(model, &reader->frame)) {
        return LUTGEN_OTHER_PIXELS;
    }
    index = lutgen_index_bytes(&reader->frame);
    if (bytes < index || bytes - index < LUTGEN_HEADER_BYTES) {
        return LUTGEN_CUT_SHORT;
    }
    reader->file = file;
    reader->index = bytes - index;
    reader->next = LUTGEN_HEADER_BYTES;
    reader->number = 0;
    reader->indexed = index == 0 || sound_index(reader, lutgen_strips(&reader->frame));
    return LUTGEN_SUCCESS;
}

enum lutgen_status lutgen_next_strip(struct lutgen_reader *reader, struct lutgen_strip *strip)
{
    const struct lutgen_frame *frame = &reader->frame;
    const uint32_t strips = lutgen_strips(frame);
    const uint32_t of_image = lutgen_strips_of_image(frame);

    if (reader->number == strips) {
        return LUTGEN_END;
    }
    strip->number = reader->number++;
    strip->image = strip->number / of_image;
    lutgen_rows_of(frame, strip->number, &strip->top, &strip->rows);
    strip->offset = reader->next;
    strip->limit = reader->index;
    strip->ends = reader->indexed || reader->number == strips;
    if (reader->indexed) {
        if (strips > 1) {
            strip->limit = strip->offset +
                           lutgen_get_32(reader->file + reader->index + 4 * (size_t)strip->number);
        }
        reader->next = strip->limit;
    } else if (lutgen_check_strip(reader, strip, &reader->next) != LUTGEN_SUCCESS) {
        reader->next = reader->index;
    }
    return LUTGEN_SUCCESS;
}
