#include "tile_work.h"

#include "arithmetic.h"
#include "tile_container.h"

enum { ALIGNMENT = 16, LIKELIEST_BITS = 7 }; /* an escape has one of 128 states */

/* Take `count` things of `bytes` each; `*at` counts on past the workspace's end. */
static void *part(uint8_t *base, uint64_t *at, uint64_t count, uint64_t bytes)
{
    void *const found = base ? base + *at : NULL;

    *at += (count * bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return found;
}

/* Tables of tANS, at the end of what has been taken so far. */
static void divide_tans(const struct lutgen_tile_model *model, uint32_t bits, uint8_t *base,
                        uint64_t *at, struct lutgen_tans *tans)
{
    const uint32_t least = 1u << bits >> LIKELIEST_BITS;
    uint8_t *const place = part(base, at, 0, 0);

    *at += lutgen_place_tans(place, bits, LUTGEN_SYMBOLS, least, model->classes, tans);
}

uint64_t lutgen_divide_tile_work(const struct lutgen_model *model, const struct lutgen_frame *frame,
                                 uint8_t *workspace, struct lutgen_tile_work *work)
{
    const struct lutgen_tile_model *tables = model->tiles;
    const uint64_t tiles = (uint64_t)lutgen_strips(frame) * lutgen_tile_columns(frame);
    const uint64_t most = tiles < LUTGEN_WORD ? tiles : LUTGEN_WORD;
    const uint32_t own = tables->circuit.words;
    const uint32_t square = tables->upsampler.words;
    const uint64_t symbols = lutgen_tile_symbols(frame);
    uint8_t *base = workspace;
    uint64_t at = 0;

    if (base) {
        base += (ALIGNMENT - (uintptr_t)base % ALIGNMENT) % ALIGNMENT;
    }
    lutgen_place_planes(tables, frame, &work->planes);
    work->word = part(base, &at, own > square ? own : square, sizeof work->word[0]);
    work->tile = part(base, &at, most, sizeof work->tile[0]);
    work->lane = part(base, &at, most, sizeof work->lane[0]);
    work->pixels = part(base, &at, most, work->planes.bytes);
    work->priors = tables->levels ? part(base, &at, most, work->planes.bytes) : work->pixels;
    work->interval = part(base, &at, symbols, sizeof work->interval[0]);
    work->payload = part(base, &at, lutgen_most_payload(frame), 1);
    divide_tans(tables, frame->coder, base, &at, &work->tans);
    for (uint64_t k = 0; base && k < most; k++) {
        work->tile[k].pixels = work->pixels + k * work->planes.bytes;
        work->tile[k].priors = work->priors + k * work->planes.bytes;
    }
    return at + ALIGNMENT;
}
