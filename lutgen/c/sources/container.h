/* The container .lgc: the header, and, of version 2, checksums, units of a strip, lengths of payloads;
 * lutgen/codec/predictive/container.py. */
#ifndef LUTGEN_CONTAINER_H
#define LUTGEN_CONTAINER_H

#include "lutgen.h"

enum {
    CRC_BYTES = 4,
    LENGTH_BYTES = 5,       /* most that say a length */
    SAMPLES_PER_BYTE = 2048, /* most that a byte of a payload stands for */
    GROUP = 4,              /* rows that share a payload, ... */
    LAG = 4                 /* ... and by how many columns each is behind the one above */
};

/* A unit within its strip, whose rows are those of all planes in turn. */
struct lutgen_unit {
    uint32_t y;
    uint32_t rows;
    uint32_t x;
    uint32_t columns;
    uint32_t lag;   /* by how many columns each row is behind the one above */
    uint64_t least; /* bytes of its payload at least, ... */
    uint64_t most;  /* ... and at most, which are those of plain bits */
};

/* CRC-32 of the header and the number of a strip, with which the strip's goes on. */
uint32_t lutgen_strip_crc(const struct lutgen_frame *frame, uint32_t number);

/* CRC-32 of the header and the lengths of an index. */
uint32_t lutgen_index_crc(const struct lutgen_frame *frame, const uint8_t *index, size_t bytes);

uint32_t lutgen_strips_of_image(const struct lutgen_frame *frame);

/* The frame of a strip's slab alone, for units and samples; checksums are of the whole one. */
struct lutgen_frame lutgen_slab_of(const struct lutgen_frame *frame, uint32_t number);

/* Bits of a folded residual in a payload of plain bits. */
uint32_t lutgen_plain_bits(const struct lutgen_frame *frame);

/* Rows of planes of a strip that has so many rows of the image. */
uint32_t lutgen_plane_rows(const struct lutgen_frame *frame, uint32_t rows);

/* Units of a strip of so many rows of planes, and unit k of them. */
uint32_t lutgen_units(const struct lutgen_frame *frame, uint32_t rows);
void lutgen_unit_at(const struct lutgen_frame *frame, uint32_t rows, uint32_t k,
                    struct lutgen_unit *unit);

/* Samples and payload bytes of the largest unit. */
size_t lutgen_largest_unit(const struct lutgen_frame *frame);
size_t lutgen_largest_payload(const struct lutgen_frame *frame);

/* A walk over the payloads of a strip. */
struct lutgen_walk {
    const uint8_t *at;
    const uint8_t *end; /* behind what the strip may reach to */
    uint64_t length;    /* of the payload before */
};

/* Find the payload of the next unit: it ends at `walk->at`. */
enum lutgen_status lutgen_next_payload(struct lutgen_walk *walk, const struct lutgen_unit *unit,
                                       const uint8_t **payload);

/* Check all lengths and the checksum of a strip; `*after` becomes the byte behind it. */
enum lutgen_status lutgen_check_strip(const struct lutgen_reader *reader,
                                      const struct lutgen_strip *strip, size_t *after);

#endif
