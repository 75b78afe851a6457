/* Decoding of tiles side by side: one pixel of each in turn, so that a network is computed for all
 * of them at once; lutgen/codec/kernel.py. */
#include <string.h>

#include "contexts.h"
#include "tile_container.h"
#include "tile_decode.h"
#include "tile_head.h"

enum { WINDOW_BITS = 24, MOST_SHIFT = 7 };

/* The next 24 bits; 0 behind the payload's end, where a tile is damaged anyhow.  The last
 * MOST_SHIFT of them may be missing. */
static inline uint32_t window_of(const struct lutgen_lane *lane)
{
    const uint32_t first = lane->at >> 3;
    const uint32_t bytes = lane->bits >> 3;
    const uint8_t *const data = lane->payload + first;
    uint32_t window = 0;

    if (first + 3 <= bytes) {
        window = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
    } else if (first < bytes) {
        window = (uint32_t)data[0] << 16;
        if (first + 1 < bytes) {
            window |= (uint32_t)data[1] << 8;
        }
    }
    return window << (lane->at & MOST_SHIFT) & 0xffffffu;
}

/* Take bits, and keep count of no more of those that are missing than tells that some are. */
static inline void take(struct lutgen_lane *lane, uint32_t count)
{
    lane->at += count;
    if (lane->at > lane->bits) {
        lane->at = lane->bits + 1;
    }
}

/* Read the state behind its leading one; a payload whose first byte is 0 has none. */
static void begin_lane(struct lutgen_lane *lane, uint32_t state_bits)
{
    uint32_t zeros = 0;

    while (zeros < 8 && !(lane->payload[0] << zeros & 128)) {
        zeros++;
    }
    lane->sound = zeros < 8;
    lane->at = 0;
    take(lane, zeros + 1);
    lane->state = 1;
    for (uint32_t left = state_bits; left > 0;) {
        const uint32_t count = left < 8 ? left : 8;

        lane->state = lane->state << count | window_of(lane) >> (WINDOW_BITS - count);
        take(lane, count);
        left -= count;
    }
}

/* Bring a state of rANS back into its range. */
static inline void refill(struct lutgen_lane *lane, uint32_t state)
{
    const uint32_t leading = leading_one(state);
    const uint32_t count = leading < LUTGEN_STATE_BITS ? LUTGEN_STATE_BITS - leading : 0;

    lane->state = state << count | window_of(lane) >> (WINDOW_BITS - count);
    take(lane, count);
}

/* Decode a symbol of rANS whose interval is known to hold the slot. */
static inline void pop(struct lutgen_lane *lane, uint32_t first, uint32_t end)
{
    const uint32_t slot = lane->state & ((1u << LUTGEN_PROB_BITS) - 1);

    refill(lane, (end - first) * (lane->state >> LUTGEN_PROB_BITS) + slot - first);
}

static uint32_t decode_rans(const struct lutgen_tile_model *model, struct lutgen_lane *lane,
                            uint32_t row)
{
    const uint32_t symbol = symbol_of(model, row, lane->state & ((1u << LUTGEN_PROB_BITS) - 1));

    pop(lane, bound_of(model, row, symbol), bound_of(model, row, symbol + 1));
    return symbol;
}

/* Decode the last pixel of a block: which of its candidates it is. */
static uint32_t decode_candidate(const struct lutgen_tile_model *model,
                                 const struct lutgen_tile_planes *planes,
                                 const struct lutgen_tile *tile, struct lutgen_lane *lane,
                                 uint32_t level, uint32_t row)
{
    const uint32_t slot = lane->state & ((1u << LUTGEN_PROB_BITS) - 1);
    uint32_t bounds[LUTGEN_CANDIDATES + 1];
    const int32_t base =
        lutgen_candidates(model, planes, tile, level, lane->y, lane->x, row, bounds);
    uint32_t k = 0;

    while (bounds[k + 1] <= slot) {
        k++;
    }
    pop(lane, bounds[k], bounds[k + 1]);
    return (uint32_t)(base + (int32_t)k);
}

static uint32_t decode_tans(const struct lutgen_tile_model *model, const struct lutgen_tans *tans,
                            struct lutgen_lane *lane, uint32_t row)
{
    const uint16_t *const entry =
        lutgen_tans_decoder(tans, row, model->cumulative[row])[lane->state - (1u << tans->bits)];
    const uint32_t count = tans->bits - leading_one(entry[1]);
    uint32_t window = window_of(lane);
    uint32_t symbol = entry[0];
    uint32_t raw = 0;

    if (symbol == LUTGEN_SYMBOLS) { /* the bits of the symbol come before those of the state */
        symbol = window >> (WINDOW_BITS - LUTGEN_SYMBOL_BITS);
        window = window << LUTGEN_SYMBOL_BITS & 0xffffffu;
        raw = LUTGEN_SYMBOL_BITS;
    }
    lane->state = (uint32_t)entry[1] << count | window >> (WINDOW_BITS - count);
    take(lane, count + raw);
    return symbol;
}

/* Decode all pixels of a level of so many tiles. */
static void decode_level(const struct lutgen_tile_model *model, struct lutgen_tile_work *work,
                         uint32_t count, uint32_t level)
{
    struct lutgen_lane *const lanes = work->lane;
    const struct lutgen_tile *const tiles = work->tile;
    const size_t stride = work->planes.stride[level];
    struct lutgen_around around;
    uint32_t row[LUTGEN_WORD];
    uint32_t left = 0; /* pixels of the largest */

    lutgen_window_steps(model, work, level, around.step);
    around.count = count;
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t pixels = tiles[k].width[level] * tiles[k].height[level];

        left = pixels > left ? pixels : left;
        lanes[k].y = 0;
        lanes[k].x = 0;
        around.pixel[k] = tiles[k].pixels + work->planes.first[level];
    }
    for (; left > 0; left--) {
        lutgen_classify(model, &around, work->word, row);
        for (uint32_t k = 0; k < count; k++) {
            struct lutgen_lane *const lane = &lanes[k];
            size_t ahead = 1;
            uint32_t symbol;

            if (lane->y == tiles[k].height[level]) {
                continue;
            }
            if (work->tans.bits) {
                symbol = decode_tans(model, &work->tans, lane, row[k]);
            } else if (ends_block(model, level, lane->y, lane->x)) {
                symbol = decode_candidate(model, &work->planes, &tiles[k], lane, level, row[k]);
            } else {
                symbol = decode_rans(model, lane, row[k]);
            }
            tiles[k].pixels[around.pixel[k] - tiles[k].pixels] = (uint8_t)symbol;
            if (++lane->x == tiles[k].width[level]) {
                lane->x = 0;
                lane->y++;
                ahead = stride - tiles[k].width[level] + 1;
            }
            /* A tile that has ended stays where it is, as it is looked at still. */
            if (lane->y < tiles[k].height[level]) {
                around.pixel[k] += ahead;
            }
        }
    }
}

/* Decode tiles whose payloads are known; each lane comes to know whether it is sound. */
static void decode_tiles(const struct lutgen_tile_model *model, struct lutgen_tile_work *work,
                         uint32_t count, uint32_t state_bits)
{
    struct lutgen_lane *const lanes = work->lane;

    for (uint32_t k = 0; k < count; k++) {
        begin_lane(&lanes[k], state_bits);
    }
    for (uint32_t level = model->levels + 1u; level-- > 0;) {
        if (level < model->levels) {
            lutgen_upsample(model, work, work->tile, count, level);
        }
        decode_level(model, work, count, level);
    }
    for (uint32_t k = 0; k < count; k++) {
        lanes[k].sound = lanes[k].sound && lanes[k].state == 1u << state_bits &&
                         lanes[k].at == lanes[k].bits;
    }
}

/* Move a decoded tile into the image. */
static void put_tile(const struct lutgen_tile_planes *planes, const struct lutgen_tile *tile,
                     uint8_t *out, size_t stride)
{
    for (uint32_t y = 0; y < tile->height[0]; y++) {
        memcpy(out + y * stride, tile->pixels + planes->first[0] + (size_t)y * planes->stride[0],
               tile->width[0]);
    }
}

void lutgen_decode_tile_strips(const struct lutgen_model *model,
                               const struct lutgen_reader *reader,
                               const struct lutgen_strip *strips, uint32_t count, void *samples,
                               size_t stride, void *workspace, enum lutgen_status *status)
{
    const struct lutgen_frame *frame = &reader->frame;
    const uint32_t columns = lutgen_tile_columns(frame);
    struct lutgen_tile_work work;
    uint8_t *row = samples;
    uint32_t strip = 0;
    uint32_t column = 0;
    const uint8_t *at = NULL;

    lutgen_divide_tile_work(model, frame, workspace, &work);
    for (uint32_t k = 0; k < count; k++) {
        status[k] = LUTGEN_SUCCESS;
    }
    while (strip < count) {
        uint32_t filled = 0;

        while (filled < LUTGEN_WORD && strip < count) {
            struct lutgen_lane *const lane = &work.lane[filled];
            const uint32_t width = lutgen_tile_width(frame, column);
            enum lutgen_status found;
            uint32_t bytes = 0;

            if (column == 0) {
                at = reader->file + strips[strip].offset;
            }
            /* That packets are sound has been seen when the file was opened. */
            found = lutgen_next_packet(frame, &at, reader->file + strips[strip].limit, width,
                                       strips[strip].rows, &lane->payload, &bytes);
            if (found == LUTGEN_SUCCESS) {
                lane->bits = 8 * bytes;
                lane->strip = (uint8_t)strip;
                lane->out = row + (size_t)column * frame->tile_width;
                lutgen_begin_tile(&work.planes, width, strips[strip].rows, &work.tile[filled]);
                filled++;
                column++;
            } else {
                status[strip] = found;
            }
            if (found != LUTGEN_SUCCESS || column == columns) {
                row += strips[strip].rows * stride;
                column = 0;
                strip++;
            }
        }
        decode_tiles(model->tiles, &work, filled, lutgen_state_bits(frame));
        for (uint32_t k = 0; k < filled; k++) {
            put_tile(&work.planes, &work.tile[k], work.lane[k].out, stride);
            if (!work.lane[k].sound) {
                status[work.lane[k].strip] = LUTGEN_BAD_PAYLOAD;
            }
        }
    }
}
