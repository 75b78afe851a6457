#include "container.h"

#include <string.h>

#include "arithmetic.h"
#include "bytes.h"
#include "crc32.h"
#include "planes.h"
#include "tans.h"
#include "tile_container.h"

enum { MOST_SIDE = 65535, LEAST_DEPTH = 8, MOST_DEPTH = 16, MOST_ERROR = 255 };
enum { VERSION = 2 };
enum { ORDER_AT = 4, SLABS_AT = 4 }; /* bits of bytes of the header */
enum { MOST_CHANNELS = 4, MOST_SLABS = 8 };

/* Header. */

static void pack(const struct lutgen_frame *frame, uint8_t header[LUTGEN_HEADER_BYTES])
{
    memcpy(header, "LGC", 3);
    header[3] = (uint8_t)frame->version;
    memcpy(header + 4, frame->model_hash, 8);
    if (lutgen_has_tiles(frame)) {
        lutgen_pack_tile_header(frame, header);
        return;
    }
    lutgen_put_16(header + 12, frame->width);
    lutgen_put_16(header + 14, frame->height);
    header[16] = (uint8_t)frame->depth;
    header[17] = (uint8_t)frame->shift;
    header[18] = (uint8_t)(frame->channels | frame->order << ORDER_AT);
    header[19] = (uint8_t)frame->max_error;
    header[20] = (uint8_t)(frame->coder | leading_one(frame->slabs) << SLABS_AT);
    lutgen_put_16(header + 21, frame->strip_height);
    lutgen_put_16(header + 23, frame->tile_width);
    lutgen_put_32(header + 25, frame->images);
}

size_t lutgen_header_bytes(const struct lutgen_frame *frame)
{
    return lutgen_has_tiles(frame) ? LUTGEN_TILE_HEADER_BYTES : LUTGEN_HEADER_BYTES;
}

enum lutgen_status lutgen_write_header(const struct lutgen_frame *frame, uint8_t *header)
{
    const enum lutgen_status status = lutgen_check_frame(frame);

    if (status == LUTGEN_SUCCESS) {
        pack(frame, header);
    }
    return status;
}

uint32_t lutgen_strips_of_image(const struct lutgen_frame *frame)
{
    return (frame->height + frame->strip_height - 1) / frame->strip_height * frame->slabs;
}

uint32_t lutgen_strips(const struct lutgen_frame *frame)
{
    return frame->images * lutgen_strips_of_image(frame);
}

static int within(uint32_t value, uint32_t least, uint32_t most)
{
    return least <= value && value <= most;
}

/* Whether each slab has a column at least. */
static int sound_slabs(const struct lutgen_frame *frame)
{
    const uint32_t slabs = frame->slabs;

    return within(slabs, 1, MOST_SLABS) && (slabs & (slabs - 1)) == 0 &&
           (slabs == 1 || frame->tile_width == 0) && frame->width > slabs * (slabs - 1);
}

static enum lutgen_status check_fields(const struct lutgen_frame *frame)
{
    if (!within(frame->width, 1, MOST_SIDE) || !within(frame->height, 1, MOST_SIDE) ||
        !within(frame->depth, LEAST_DEPTH, MOST_DEPTH) ||
        !within(frame->shift, 0, MOST_DEPTH - frame->depth) ||
        !within(frame->channels, 1, MOST_CHANNELS) || !lutgen_sound_order(frame) ||
        !within(frame->max_error, 0, MOST_ERROR) ||
        !within(frame->max_error, 0, ((1u << frame->depth) - 1) / 2) ||
        !within(frame->strip_height, 1, frame->height) ||
        !within(frame->tile_width, 0, frame->width) || !sound_slabs(frame) || frame->images < 1 ||
        frame->levels ||
        (frame->coder && !within(frame->coder, LUTGEN_LEAST_TANS, LUTGEN_MOST_TANS))) {
        return LUTGEN_BAD_ARGUMENT;
    }
    return LUTGEN_SUCCESS;
}

enum lutgen_status lutgen_check_frame(const struct lutgen_frame *frame)
{
    enum lutgen_status status = LUTGEN_BAD_ARGUMENT;

    if (lutgen_has_tiles(frame)) {
        status = lutgen_check_tile_frame(frame);
    } else if (frame->version == VERSION) {
        status = check_fields(frame);
    }
    if (status != LUTGEN_SUCCESS) {
        return status;
    }
    /* Numbers of strips are written in four bytes. */
    if ((uint64_t)frame->images * lutgen_strips_of_image(frame) > UINT32_MAX) {
        return LUTGEN_BAD_ARGUMENT;
    }
    return LUTGEN_SUCCESS;
}

/* Bytes that a file of such a frame has at least. */
static uint64_t least_bytes(const struct lutgen_frame *frame)
{
    const uint64_t pixels = (uint64_t)frame->images * frame->width * frame->height;
    const uint64_t paid = pixels / SAMPLES_PER_BYTE * frame->channels +
                          pixels % SAMPLES_PER_BYTE * frame->channels / SAMPLES_PER_BYTE;
    const uint64_t strips = lutgen_strips(frame);
    uint64_t units;

    if (frame->tile_width) {
        units = strips * lutgen_units(frame, frame->strip_height);
    } else {
        const uint32_t whole = frame->height / frame->strip_height;
        const uint32_t rest = frame->height % frame->strip_height * frame->channels;
        const uint32_t rows = frame->strip_height * frame->channels;

        units = (uint64_t)frame->images * frame->slabs *
                ((uint64_t)whole * lutgen_units(frame, rows) + lutgen_units(frame, rest));
    }
    if (units < paid) {
        units = paid;
    }
    return units + LUTGEN_HEADER_BYTES + CRC_BYTES * strips;
}

/* Take the fields of a header of version 2. */
static void unpack(const uint8_t *file, struct lutgen_frame *frame)
{
    frame->width = lutgen_get_16(file + 12);
    frame->height = lutgen_get_16(file + 14);
    frame->depth = file[16];
    frame->shift = file[17];
    frame->channels = file[18] & ((1u << ORDER_AT) - 1);
    frame->order = file[18] >> ORDER_AT;
    frame->max_error = file[19];
    frame->strip_height = lutgen_get_16(file + 21);
    frame->tile_width = lutgen_get_16(file + 23);
    frame->images = lutgen_get_32(file + 25);
    frame->levels = 0;
    frame->coder = file[20] & ((1u << SLABS_AT) - 1);
    frame->slabs = 1u << (file[20] >> SLABS_AT);
}

enum lutgen_status lutgen_read_frame(const uint8_t *file, size_t bytes,
                                     struct lutgen_frame *frame)
{
    uint64_t least;

    if (bytes < LUTGEN_TILE_HEADER_BYTES) {
        return LUTGEN_CUT_SHORT;
    }
    if (memcmp(file, "LGC", 3) != 0) {
        return LUTGEN_NO_LGC;
    }
    memcpy(frame->model_hash, file + 4, 8);
    frame->version = file[3];
    if (frame->version != VERSION && !lutgen_has_tiles(frame)) {
        return LUTGEN_OTHER_VERSION;
    }
    if (lutgen_has_tiles(frame)) {
        lutgen_unpack_tile_header(file, frame);
    } else if (bytes < LUTGEN_HEADER_BYTES) {
        return LUTGEN_CUT_SHORT;
    } else {
        unpack(file, frame);
    }
    if (lutgen_check_frame(frame) != LUTGEN_SUCCESS) {
        return LUTGEN_BAD_HEADER;
    }
    least = lutgen_has_tiles(frame) ? lutgen_least_tile_bytes(frame) : least_bytes(frame);
    return least > bytes ? LUTGEN_CUT_SHORT : LUTGEN_SUCCESS;
}

/* Slabs. */

/* First column of a slab: a multiple of how many slabs there are. */
static uint32_t slab_begins(const struct lutgen_frame *frame, uint32_t slab)
{
    const uint32_t steps = (frame->width + frame->slabs - 1) / frame->slabs;
    const uint32_t begins = frame->slabs * (slab * steps / frame->slabs);

    return begins < frame->width ? begins : frame->width;
}

struct lutgen_frame lutgen_slab_of(const struct lutgen_frame *frame, uint32_t number)
{
    const uint32_t slab = number % frame->slabs;
    struct lutgen_frame found = *frame;

    found.width = slab_begins(frame, slab + 1) - slab_begins(frame, slab);
    found.slabs = 1;
    return found;
}

/* Units. */

uint32_t lutgen_plain_bits(const struct lutgen_frame *frame)
{
    const uint32_t maximum = (1u << frame->depth) - 1;

    return leading_one((maximum + frame->max_error) / (2 * frame->max_error + 1)) + 1;
}

uint32_t lutgen_units(const struct lutgen_frame *frame, uint32_t rows)
{
    return frame->tile_width ? (frame->width + frame->tile_width - 1) / frame->tile_width
                             : (rows + GROUP - 1) / GROUP;
}

void lutgen_unit_at(const struct lutgen_frame *frame, uint32_t rows, uint32_t k,
                    struct lutgen_unit *unit)
{
    uint64_t samples;

    if (frame->tile_width) {
        unit->y = 0;
        unit->rows = rows;
        unit->x = k * frame->tile_width;
        unit->columns = (uint32_t)lesser((int32_t)frame->tile_width,
                                         (int32_t)(frame->width - unit->x));
        unit->lag = unit->columns;
    } else {
        unit->y = GROUP * k;
        unit->rows = (uint32_t)lesser(GROUP, (int32_t)(rows - unit->y));
        unit->x = 0;
        unit->columns = frame->width;
        unit->lag = LAG;
    }
    samples = (uint64_t)unit->rows * unit->columns; /* at most 2 to the 34 */
    unit->least = samples / SAMPLES_PER_BYTE;
    unit->most = (samples * lutgen_plain_bits(frame) + 7) / 8;
}

/* Sizes, SIZE_MAX where they are too large. */

static size_t size_of(uint64_t bytes)
{
#if SIZE_MAX < UINT64_MAX
    return bytes > SIZE_MAX ? SIZE_MAX : (size_t)bytes;
#else
    return bytes;
#endif
}

size_t lutgen_largest_unit(const struct lutgen_frame *frame)
{
    struct lutgen_unit unit;

    lutgen_unit_at(frame, frame->strip_height * frame->channels, 0, &unit);
    return size_of((uint64_t)unit.rows * unit.columns);
}

size_t lutgen_largest_payload(const struct lutgen_frame *frame)
{
    struct lutgen_unit unit;

    lutgen_unit_at(frame, frame->strip_height * frame->channels, 0, &unit);
    return size_of(unit.most);
}

/* a * b + c, or the greatest number. */
static uint64_t multiplied(uint64_t a, uint64_t b, uint64_t c)
{
    return b && a > (UINT64_MAX - c) / b ? UINT64_MAX : a * b + c;
}

size_t lutgen_decoded_bytes(const struct lutgen_frame *frame)
{
    const uint64_t pixels = (uint64_t)frame->images * frame->width * frame->height;

    return size_of(multiplied(pixels, frame->channels * lutgen_sample_bytes(frame), 0));
}

size_t lutgen_strip_bound(const struct lutgen_frame *frame)
{
    const uint32_t rows = frame->strip_height * frame->channels;
    const struct lutgen_frame last = lutgen_slab_of(frame, frame->slabs - 1);
    const uint64_t samples = (uint64_t)rows * (last.width + frame->slabs - 1); /* of any slab */
    const uint64_t units = lutgen_units(frame, rows);

    if (lutgen_has_tiles(frame)) {
        const uint64_t packet = (uint64_t)lutgen_most_payload(frame) + LUTGEN_PACKET_LENGTH_BYTES;

        return size_of(packet * lutgen_tile_columns(frame));
    }
    return size_of(samples * 2 + units * (LENGTH_BYTES + 1) + CRC_BYTES);
}

size_t lutgen_encoded_bound(const struct lutgen_frame *frame)
{
    const uint64_t strips = lutgen_strips(frame);

    return size_of(multiplied(strips, (uint64_t)lutgen_strip_bound(frame) + 4,
                              LUTGEN_HEADER_BYTES + CRC_BYTES));
}

/* Strips. */

uint32_t lutgen_strip_crc(const struct lutgen_frame *frame, uint32_t number)
{
    uint8_t header[LUTGEN_HEADER_BYTES];
    uint8_t bytes[4];

    pack(frame, header);
    lutgen_put_32(bytes, number);
    return lutgen_crc32(lutgen_crc32(0, header, sizeof header), bytes, sizeof bytes);
}

enum lutgen_status lutgen_next_payload(struct lutgen_walk *walk, const struct lutgen_unit *unit,
                                       const uint8_t **payload)
{
    uint64_t number = 0;
    uint32_t shift = 0;

    for (;;) {
        if (walk->at >= walk->end || shift == 7 * LENGTH_BYTES) {
            return LUTGEN_CUT_SHORT;
        }
        number |= (uint64_t)(*walk->at & 127u) << shift;
        shift += 7;
        if (*walk->at++ < 128) {
            break;
        }
    }
    /* A negative length wraps to a number that is too large. */
    walk->length += number & 1u ? 0 - ((number + 1) >> 1) : number >> 1;
    if (walk->length < unit->least || walk->length > unit->most ||
        walk->length > (uint64_t)(walk->end - walk->at)) {
        return LUTGEN_BAD_LENGTH;
    }
    *payload = walk->at;
    walk->at += (size_t)walk->length;
    return LUTGEN_SUCCESS;
}

enum lutgen_status lutgen_check_strip(const struct lutgen_reader *reader,
                                      const struct lutgen_strip *strip, size_t *after)
{
    const struct lutgen_frame frame = lutgen_slab_of(&reader->frame, strip->number);
    const uint8_t *first = reader->file + strip->offset;
    const uint32_t rows = lutgen_plane_rows(&frame, strip->rows);
    const uint32_t units = lutgen_units(&frame, rows);
    struct lutgen_walk walk = {first, reader->file + strip->limit, 0};
    uint32_t crc;

    for (uint32_t k = 0; k < units; k++) {
        struct lutgen_unit unit;
        const uint8_t *payload;
        enum lutgen_status status;

        lutgen_unit_at(&frame, rows, k, &unit);
        status = lutgen_next_payload(&walk, &unit, &payload);
        if (status != LUTGEN_SUCCESS) {
            return status;
        }
    }
    if (walk.end - walk.at < CRC_BYTES) {
        return LUTGEN_CUT_SHORT;
    }
    crc = lutgen_crc32(lutgen_strip_crc(&reader->frame, strip->number), first,
                       (size_t)(walk.at - first));
    if (crc != lutgen_get_32(walk.at)) {
        return LUTGEN_BAD_CHECKSUM;
    }
    *after = (size_t)(walk.at - reader->file) + CRC_BYTES;
    return LUTGEN_SUCCESS;
}

void lutgen_place_strip(const struct lutgen_frame *frame, uint32_t number,
                        struct lutgen_strip *strip)
{
    const uint32_t of_image = lutgen_strips_of_image(frame);
    const uint32_t first = number % of_image / frame->slabs * frame->strip_height;
    const uint32_t count =
        (uint32_t)lesser((int32_t)frame->strip_height, (int32_t)(frame->height - first));
    const uint32_t left = slab_begins(frame, number % frame->slabs);
    const uint32_t columns = lutgen_slab_of(frame, number).width;
    const uint32_t scale = is_cfa(frame) ? 2 : 1;

    strip->number = number;
    strip->image = number / of_image;
    strip->top = scale * first;
    strip->rows = scale * count;
    strip->left = scale * left;
    strip->columns = scale * columns;
}

/* Index. */

size_t lutgen_index_bytes(const struct lutgen_frame *frame)
{
    const uint64_t strips = lutgen_strips(frame);

    return strips == 1 || lutgen_has_tiles(frame) ? 0 : size_of(4 * strips + CRC_BYTES);
}

uint32_t lutgen_index_crc(const struct lutgen_frame *frame, const uint8_t *index, size_t bytes)
{
    uint8_t header[LUTGEN_HEADER_BYTES];

    pack(frame, header);
    return lutgen_crc32(lutgen_crc32(0, header, sizeof header), index, bytes);
}

void lutgen_write_index(const struct lutgen_frame *frame, const uint32_t *strip_bytes,
                        uint8_t *out)
{
    const size_t strips = lutgen_strips(frame);

    if (lutgen_index_bytes(frame) == 0) {
        return;
    }
    for (size_t k = 0; k < strips; k++) {
        lutgen_put_32(out + 4 * k, strip_bytes[k]);
    }
    lutgen_put_32(out + 4 * strips, lutgen_index_crc(frame, out, 4 * strips));
}
