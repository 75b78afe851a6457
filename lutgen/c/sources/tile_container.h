/* Version 1 of the container .lgc: rules of the header, and packets of tiles;
 * lutgen/codec/{container,coder}.py. */
#ifndef LUTGEN_TILE_CONTAINER_H
#define LUTGEN_TILE_CONTAINER_H

#include "lutgen.h"

enum { LUTGEN_TILE_HEADER_BYTES = 24, LUTGEN_PACKET_LENGTH_BYTES = 2 };

/* Whether a frame is that of tiles, version 1. */
static inline int lutgen_has_tiles(const struct lutgen_frame *frame)
{
    return frame->version == 1;
}

enum lutgen_status lutgen_check_tile_frame(const struct lutgen_frame *frame);

void lutgen_pack_tile_header(const struct lutgen_frame *frame, uint8_t *header);
void lutgen_unpack_tile_header(const uint8_t *header, struct lutgen_frame *frame);

/* Tiles of a strip, which is a row of them, and symbols of the largest tile with its levels. */
uint32_t lutgen_tile_columns(const struct lutgen_frame *frame);
uint32_t lutgen_tile_symbols(const struct lutgen_frame *frame);

/* Bits of a coder's state below its leading one. */
uint32_t lutgen_state_bits(const struct lutgen_frame *frame);

/* Bytes of the longest payload, and those that a tile's has at least. */
size_t lutgen_most_payload(const struct lutgen_frame *frame);
uint32_t lutgen_least_payload(const struct lutgen_frame *frame, uint32_t width, uint32_t height);

/* Bytes that a file of such a frame has at least. */
uint64_t lutgen_least_tile_bytes(const struct lutgen_frame *frame);

/* Width of the tiles of column k. */
static inline uint32_t lutgen_tile_width(const struct lutgen_frame *frame, uint32_t column)
{
    const uint32_t left = frame->width - column * frame->tile_width;

    return left < frame->tile_width ? left : frame->tile_width;
}

/* Find the payload of the packet at `*at`, that of a tile of such sides, and go on behind it. */
enum lutgen_status lutgen_next_packet(const struct lutgen_frame *frame, const uint8_t **at,
                                      const uint8_t *end, uint32_t width, uint32_t height,
                                      const uint8_t **payload, uint32_t *bytes);

/* Find the end of the packets of a strip of so many rows. */
enum lutgen_status lutgen_skip_packets(const struct lutgen_frame *frame, const uint8_t **at,
                                       const uint8_t *end, uint32_t rows);

#endif
