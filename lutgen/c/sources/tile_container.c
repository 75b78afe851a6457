#include "tile_container.h"

#include <string.h>

#include "bytes.h"
#include "tans.h"

enum {
    MOST_SIDE = 16384,
    MOST_TILE_SIDE = 64,
    MOST_LEVELS = 3,
    BITS_OF_RANS = 14, /* most of a symbol */
    BITS_OF_TANS = 15,
    STATE_OF_RANS = 16,
    LIKELY_OF_RANS = 64, /* symbols that take a bit together, however likely they are */
    LIKELY_OF_TANS = 256
};

static int within(uint32_t value, uint32_t least, uint32_t most)
{
    return least <= value && value <= most;
}

/* Whether tiles split the levels of an image, too. */
static int splits_levels(uint32_t side, uint32_t tile, uint32_t levels)
{
    return tile >= side || tile % (1u << levels) == 0;
}

enum lutgen_status lutgen_check_tile_frame(const struct lutgen_frame *frame)
{
    const int sound =
        within(frame->width, 1, MOST_SIDE) && within(frame->height, 1, MOST_SIDE) &&
        within(frame->tile_width, 1, MOST_TILE_SIDE) &&
        within(frame->strip_height, 1, MOST_TILE_SIDE) && frame->levels <= MOST_LEVELS &&
        (frame->coder == 0 || within(frame->coder, LUTGEN_LEAST_TANS, LUTGEN_MOST_TANS)) &&
        splits_levels(frame->width, frame->tile_width, frame->levels) &&
        splits_levels(frame->height, frame->strip_height, frame->levels) && frame->images >= 1 &&
        frame->channels == 1 && frame->order == 0 && frame->depth == 8 && frame->shift == 0 &&
        frame->max_error == 0 && frame->slabs == 1;

    return sound ? LUTGEN_SUCCESS : LUTGEN_BAD_ARGUMENT;
}

void lutgen_pack_tile_header(const struct lutgen_frame *frame, uint8_t *header)
{
    lutgen_put_16(header + 12, frame->width);
    lutgen_put_16(header + 14, frame->height);
    header[16] = (uint8_t)frame->tile_width;
    header[17] = (uint8_t)frame->strip_height;
    header[18] = (uint8_t)frame->levels;
    header[19] = (uint8_t)frame->coder;
    lutgen_put_32(header + 20, frame->images);
}

void lutgen_unpack_tile_header(const uint8_t *header, struct lutgen_frame *frame)
{
    frame->width = lutgen_get_16(header + 12);
    frame->height = lutgen_get_16(header + 14);
    frame->tile_width = header[16];
    frame->strip_height = header[17];
    frame->levels = header[18];
    frame->coder = header[19];
    frame->images = lutgen_get_32(header + 20);
    frame->channels = 1;
    frame->order = 0;
    frame->depth = 8;
    frame->shift = 0;
    frame->max_error = 0;
    frame->slabs = 1;
}

uint32_t lutgen_tile_columns(const struct lutgen_frame *frame)
{
    return (frame->width + frame->tile_width - 1) / frame->tile_width;
}

uint32_t lutgen_state_bits(const struct lutgen_frame *frame)
{
    return frame->coder ? frame->coder : STATE_OF_RANS;
}

uint32_t lutgen_tile_symbols(const struct lutgen_frame *frame)
{
    uint32_t width = lutgen_tile_width(frame, 0);
    uint32_t height = frame->height < frame->strip_height ? frame->height : frame->strip_height;
    uint32_t symbols = width * height;

    for (uint32_t level = 0; level < frame->levels; level++) {
        width = (width + 1) / 2;
        height = (height + 1) / 2;
        symbols += width * height;
    }
    return symbols;
}

size_t lutgen_most_payload(const struct lutgen_frame *frame)
{
    const uint32_t bits = frame->coder ? BITS_OF_TANS : BITS_OF_RANS;

    return (bits * lutgen_tile_symbols(frame) + lutgen_state_bits(frame) + 1 + 7) / 8;
}

uint32_t lutgen_least_payload(const struct lutgen_frame *frame, uint32_t width, uint32_t height)
{
    /* With levels, the last pixel of a whole block may follow from its average for nothing. */
    const uint32_t free_pixels = frame->levels ? (width / 2) * (height / 2) : 0;
    const uint32_t bits =
        (width * height - free_pixels) / (frame->coder ? LIKELY_OF_TANS : LIKELY_OF_RANS);

    return (lutgen_state_bits(frame) + 1 + (bits ? bits - 1 : 0) + 7) / 8;
}

/* Bytes of so many rows of tiles of one height at least. */
static uint64_t least_of_rows(const struct lutgen_frame *frame, uint32_t rows, uint32_t height)
{
    const uint32_t whole = frame->width / frame->tile_width;
    const uint32_t rest = frame->width % frame->tile_width;
    uint64_t bytes = 0;

    if (rows == 0 || height == 0) {
        return 0;
    }
    bytes += (uint64_t)whole * (1 + lutgen_least_payload(frame, frame->tile_width, height));
    if (rest) {
        bytes += 1 + lutgen_least_payload(frame, rest, height);
    }
    return rows * bytes;
}

uint64_t lutgen_least_tile_bytes(const struct lutgen_frame *frame)
{
    const uint64_t of_image =
        least_of_rows(frame, frame->height / frame->strip_height, frame->strip_height) +
        least_of_rows(frame, 1, frame->height % frame->strip_height);

    return of_image * frame->images + LUTGEN_TILE_HEADER_BYTES;
}

enum lutgen_status lutgen_next_packet(const struct lutgen_frame *frame, const uint8_t **at,
                                      const uint8_t *end, uint32_t width, uint32_t height,
                                      const uint8_t **payload, uint32_t *bytes)
{
    const uint8_t *const first = *at;
    uint32_t length;
    uint32_t used = 1;

    if (end - first < LUTGEN_PACKET_LENGTH_BYTES) { /* no payload has less than a byte */
        return LUTGEN_CUT_SHORT;
    }
    length = first[0];
    if (length >= 128) {
        length = (length & 127u) + ((uint32_t)first[1] << 7);
        used = LUTGEN_PACKET_LENGTH_BYTES;
        if (length < 128 || length >= 1u << 14) {
            return LUTGEN_BAD_LENGTH;
        }
    }
    if (length < lutgen_least_payload(frame, width, height)) {
        return LUTGEN_BAD_LENGTH;
    }
    if ((size_t)(end - first) - used < length) {
        return LUTGEN_CUT_SHORT;
    }
    *payload = first + used;
    *bytes = length;
    *at = first + used + length;
    return LUTGEN_SUCCESS;
}

enum lutgen_status lutgen_skip_packets(const struct lutgen_frame *frame, const uint8_t **at,
                                       const uint8_t *end, uint32_t rows)
{
    const uint32_t columns = lutgen_tile_columns(frame);
    enum lutgen_status status = LUTGEN_SUCCESS;

    for (uint32_t k = 0; status == LUTGEN_SUCCESS && k < columns; k++) {
        const uint8_t *payload;
        uint32_t bytes;

        status = lutgen_next_packet(frame, at, end, lutgen_tile_width(frame, k), rows, &payload,
                                    &bytes);
    }
    return status;
}
