/* Encoding of tiles: all pixels are known, so that a network is computed for 64 of a tile at once;
 * lutgen/codec/{kernel,rans,tans}.py. */
#include "tile_encode.h"

#include <string.h>

#include "container.h"
#include "contexts.h"
#include "tile_container.h"
#include "tile_head.h"

/* The interval of a pixel of a class. */
static struct lutgen_interval interval_of(const struct lutgen_tile_model *model,
                                          const struct lutgen_tile_work *work,
                                          const struct lutgen_tile *tile, uint32_t level,
                                          uint32_t y, uint32_t x, uint32_t row, uint32_t symbol)
{
    struct lutgen_interval found = {0, 0, 0};
    uint32_t start;
    uint32_t end;

    if (work->tans.bits) {
        const uint16_t *const cumulative = lutgen_tans_row(&work->tans, row);

        (void)lutgen_tans_encoder(&work->tans, row, model->cumulative[row]); /* makes them */
        found.length = (uint16_t)(cumulative[symbol + 1] - cumulative[symbol]);
        found.start = found.length ? cumulative[symbol] : (uint16_t)symbol;
        found.row = (uint16_t)row;
        return found;
    }
    if (ends_block(model, level, y, x)) {
        uint32_t bounds[LUTGEN_CANDIDATES + 1];
        const int32_t base =
            lutgen_candidates(model, &work->planes, tile, level, y, x, row, bounds);
        const uint32_t k = (uint32_t)((int32_t)symbol - base);

        start = bounds[k];
        end = bounds[k + 1];
    } else {
        start = bound_of(model, row, symbol);
        end = bound_of(model, row, symbol + 1);
    }
    found.start = (uint16_t)start;
    found.length = (uint16_t)(end - start);
    return found;
}

/* Intervals of all pixels of a level; returns the one behind them. */
static struct lutgen_interval *model_level(const struct lutgen_tile_model *model,
                                           const struct lutgen_tile_work *work,
                                           const struct lutgen_tile *tile, uint32_t level,
                                           struct lutgen_interval *interval)
{
    const size_t stride = work->planes.stride[level];
    const uint32_t width = tile->width[level];
    size_t at = work->planes.first[level];
    struct lutgen_around around;
    uint32_t row[LUTGEN_WORD];
    uint32_t y = 0; /* of the next pixel */
    uint32_t x = 0;

    lutgen_window_steps(model, work, level, around.step);
    while (y < tile->height[level]) {
        uint32_t coded_y = y;
        uint32_t coded_x = x;

        for (around.count = 0; around.count < LUTGEN_WORD && y < tile->height[level];
             around.count++, at++) {
            around.pixel[around.count] = tile->pixels + at;
            if (++x == width) {
                x = 0;
                y++;
                at += stride - width;
            }
        }
        lutgen_classify(model, &around, work->word, row);
        for (uint32_t k = 0; k < around.count; k++) {
            *interval++ = interval_of(model, work, tile, level, coded_y, coded_x, row[k],
                                      *around.pixel[k]);
            if (++coded_x == width) {
                coded_x = 0;
                coded_y++;
            }
        }
    }
    return interval;
}

/* Bits that go in front of those before them, from the end of a payload to its front. */
struct lutgen_front {
    uint8_t *at;
    uint32_t held; /* bits below the next whole byte */
    uint32_t count;
};

static inline void put_front(struct lutgen_front *front, uint32_t bits, uint32_t count)
{
    front->held |= bits << front->count;
    front->count += count;
    while (front->count >= 8) {
        *--front->at = (uint8_t)(front->held & 255u);
        front->held >>= 8;
        front->count -= 8;
    }
}

static inline uint32_t low_bits(uint32_t value, uint32_t count)
{
    return value & ((1u << count) - 1);
}

/* Put the last state and the zeros before it, up to a whole byte. */
static void finish(struct lutgen_front *front, uint32_t state, uint32_t state_bits)
{
    put_front(front, low_bits(state, state_bits), state_bits);
    put_front(front, 1, 1);
    if (front->count) {
        *--front->at = (uint8_t)front->held;
    }
}

static uint32_t push_rans(struct lutgen_front *front, uint32_t state,
                          const struct lutgen_interval *interval)
{
    const uint32_t length = interval->length;
    const uint32_t most = leading_one(length) + 3; /* leading one of a state that can be coded */
    uint32_t count = most < LUTGEN_STATE_BITS ? LUTGEN_STATE_BITS - most : 0;
    uint32_t quotient;

    count += state >> count >= 8 * length;
    put_front(front, low_bits(state, count), count);
    state >>= count;
    quotient = 4u + (state >= 5 * length) + (state >= 6 * length) + (state >= 7 * length);
    return (quotient << LUTGEN_PROB_BITS) + state - quotient * length + interval->start;
}

static uint32_t push_tans(const struct lutgen_tile_model *model, const struct lutgen_tans *tans,
                          struct lutgen_front *front, uint32_t state,
                          const struct lutgen_interval *interval)
{
    const uint16_t *const cumulative = lutgen_tans_row(tans, interval->row);
    const uint32_t states = 1u << tans->bits;
    uint32_t start = interval->start;
    uint32_t length = interval->length;
    uint32_t count;

    if (length == 0) {
        start = cumulative[LUTGEN_SYMBOLS];
        length = states - start;
    }
    count = tans->bits - leading_one(length);
    count -= state >> count < length;
    put_front(front, low_bits(state, count), count);
    if (interval->length == 0) {
        put_front(front, interval->start, LUTGEN_SYMBOL_BITS);
    }
    return states +
           lutgen_tans_encoder(tans, interval->row,
                               model->cumulative[interval->row])[start + (state >> count) - length];
}

/* Code a tile's symbols, the last one first; returns the first byte of its payload. */
static uint8_t *write_payload(const struct lutgen_tile_model *model,
                              const struct lutgen_tile_work *work, uint32_t count,
                              uint32_t state_bits, uint8_t *end)
{
    struct lutgen_front front = {end, 0, 0};
    uint32_t state = 1u << state_bits;

    while (count-- > 0) {
        const struct lutgen_interval *const interval = &work->interval[count];

        state = work->tans.bits ? push_tans(model, &work->tans, &front, state, interval)
                                : push_rans(&front, state, interval);
    }
    finish(&front, state, state_bits);
    return front.at;
}

/* Write a packet; returns 0 if there is no room. */
static int put_packet(const uint8_t *payload, size_t bytes, uint8_t **at, const uint8_t *end)
{
    uint8_t *out = *at;

    if ((size_t)(end - out) < bytes + (bytes < 128 ? 1 : LUTGEN_PACKET_LENGTH_BYTES)) {
        return 0;
    }
    if (bytes < 128) {
        *out++ = (uint8_t)bytes;
    } else {
        *out++ = (uint8_t)((bytes & 127u) | 128u);
        *out++ = (uint8_t)(bytes >> 7);
    }
    memcpy(out, payload, bytes);
    *at = out + bytes;
    return 1;
}

enum lutgen_status lutgen_encode_tile_strip(const struct lutgen_model *model,
                                            const struct lutgen_frame *frame, uint32_t number,
                                            const void *samples, size_t stride, uint8_t *out,
                                            size_t out_bytes, size_t *used, void *workspace)
{
    const uint32_t columns = lutgen_tile_columns(frame);
    const uint32_t state_bits = lutgen_state_bits(frame);
    struct lutgen_tile_work work;
    struct lutgen_tile *tile;
    uint8_t *at = out;
    struct lutgen_strip strip;
    uint32_t rows;

    lutgen_divide_tile_work(model, frame, workspace, &work);
    lutgen_place_strip(frame, number, &strip);
    rows = strip.rows;
    tile = &work.tile[0];
    for (uint32_t k = 0; k < columns; k++) {
        const uint8_t *const from = (const uint8_t *)samples + (size_t)k * frame->tile_width;
        uint8_t *const end = work.payload + lutgen_most_payload(frame);
        struct lutgen_interval *interval = work.interval;
        const uint8_t *payload;

        lutgen_begin_tile(&work.planes, lutgen_tile_width(frame, k), rows, tile);
        for (uint32_t y = 0; y < rows; y++) {
            memcpy(tile->pixels + work.planes.first[0] + (size_t)y * work.planes.stride[0],
                   from + y * stride, tile->width[0]);
        }
        lutgen_pool_tile(&work.planes, tile);
        for (uint32_t level = frame->levels + 1; level-- > 0;) {
            if (level < frame->levels) {
                lutgen_upsample(model->tiles, &work, tile, 1, level);
            }
            interval = model_level(model->tiles, &work, tile, level, interval);
        }
        payload = write_payload(model->tiles, &work, (uint32_t)(interval - work.interval),
                                state_bits, end);
        if (!put_packet(payload, (size_t)(end - payload), &at, out + out_bytes)) {
            return LUTGEN_SMALL_OUTPUT;
        }
    }
    *used = (size_t)(at - out);
    return LUTGEN_SUCCESS;
}
