/* Where the strips of a file are: by its index, or, if that is damaged, one behind the other. */

#include <string.h>

#include "bytes.h"
#include "container.h"
#include "model.h"
#include "planes.h"
#include "tile_container.h"

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

/* Whether all packets of tiles are there, and nothing behind them. */
static enum lutgen_status check_packets(const struct lutgen_reader *reader)
{
    const struct lutgen_frame *frame = &reader->frame;
    const uint32_t strips = lutgen_strips(frame);
    const uint8_t *at = reader->file + reader->next;
    const uint8_t *const end = reader->file + reader->index;

    for (uint32_t k = 0; k < strips; k++) {
        struct lutgen_strip strip;
        enum lutgen_status status;

        lutgen_place_strip(frame, k, &strip);
        status = lutgen_skip_packets(frame, &at, end, strip.rows);
        if (status != LUTGEN_SUCCESS) {
            return status;
        }
    }
    return at == end ? LUTGEN_SUCCESS : LUTGEN_BAD_END;
}

enum lutgen_status lutgen_open(struct lutgen_reader *reader, const struct lutgen_model *model,
                               const uint8_t *file, size_t bytes)
{
    enum lutgen_status status = lutgen_read_frame(file, bytes, &reader->frame);
    size_t header;
    size_t index;

    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    if (memcmp(model->hash, reader->frame.model_hash, 8) != 0) {
        return LUTGEN_OTHER_MODEL;
    }
    status = lutgen_takes(model, &reader->frame);
    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    header = lutgen_header_bytes(&reader->frame);
    index = lutgen_index_bytes(&reader->frame);
    if (bytes < index || bytes - index < header) {
        return LUTGEN_CUT_SHORT;
    }
    reader->file = file;
    reader->index = bytes - index;
    reader->next = header;
    reader->number = 0;
    if (lutgen_has_tiles(&reader->frame)) {
        reader->indexed = 1; /* all packets are known to be there */
        return check_packets(reader);
    }
    reader->indexed = index == 0 || sound_index(reader, lutgen_strips(&reader->frame));
    return LUTGEN_SUCCESS;
}

enum lutgen_status lutgen_next_strip(struct lutgen_reader *reader, struct lutgen_strip *strip)
{
    const struct lutgen_frame *frame = &reader->frame;
    const uint32_t strips = lutgen_strips(frame);

    if (reader->number == strips) {
        return LUTGEN_END;
    }
    lutgen_place_strip(frame, reader->number++, strip);
    strip->offset = reader->next;
    strip->limit = reader->index;
    strip->ends = reader->indexed || reader->number == strips;
    if (lutgen_has_tiles(frame)) {
        const uint8_t *at = reader->file + reader->next;

        (void)lutgen_skip_packets(frame, &at, reader->file + reader->index, strip->rows);
        strip->limit = (size_t)(at - reader->file);
        reader->next = strip->limit;
    } else if (strips == 1) {
        reader->next = strip->limit;
    } else if (reader->indexed) {
        strip->limit = strip->offset +
                       lutgen_get_32(reader->file + reader->index + 4 * (size_t)strip->number);
        reader->next = strip->limit;
    } else if (lutgen_check_strip(reader, strip, &reader->next) != LUTGEN_SUCCESS) {
        reader->next = reader->index;
    }
    return LUTGEN_SUCCESS;
}
