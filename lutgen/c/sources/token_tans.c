#include "token_tans.h"

#include "payload.h"

uint64_t lutgen_place_token_tans(const struct lutgen_model *model, uint32_t coder, uint8_t *base,
                                 struct lutgen_token_tans *tans)
{
    uint32_t rows = 0;

    tans->model = model;
    for (uint32_t k = 0; k < LUTGEN_MOST_PLANES; k++) {
        /* Alpha, and any plane of a gray model, has the first one's. */
        tans->first_row[k] = k < model->planes ? rows : 0;
        rows += k < model->planes ? LUTGEN_TABLES * (uint32_t)model->plane[k]->classes : 0;
    }
    return lutgen_place_tans(base, coder, LUTGEN_TOKENS, 1, rows, &tans->tables);
}

static uint32_t place_of(const struct lutgen_token_tans *tans, uint32_t row)
{
    return tans->first_row[row >> PLANE_AT] + (row & ((1u << PLANE_AT) - 1));
}

static const uint16_t *frequencies_of(const struct lutgen_token_tans *tans, uint32_t row)
{
    return tans->model->plane[row >> PLANE_AT]->cumulative[row & ((1u << PLANE_AT) - 1)];
}

uint32_t lutgen_next_tans_residual(const struct lutgen_token_tans *tans, uint32_t row,
                                   struct lutgen_bits *bits, uint32_t *state)
{
    const uint32_t states = 1u << tans->tables.bits;
    const uint16_t *const entry = lutgen_tans_decoder(
        &tans->tables, place_of(tans, row), frequencies_of(tans, row))[*state & (states - 1)];
    const uint32_t count = tans->tables.bits - leading_one(entry[1]);
    uint32_t token = entry[0];
    uint32_t folded;

    refill(bits);
    if (token == LUTGEN_TOKENS) {
        token = take(bits, LUTGEN_TOKEN_BITS);
    }
    folded = lutgen_residual[token] | take(bits, lutgen_raw_bits[token]);
    *state = (uint32_t)entry[1] << count | take(bits, count);
    return folded;
}

/* The state, less its leading one, with most zeros at its end of those of a token. */
static uint32_t last_slot(const uint16_t *table, uint32_t start, uint32_t freq)
{
    uint32_t best = table[start];

    for (uint32_t k = start + 1; k < start + freq; k++) {
        const uint32_t slot = table[k];

        if (best && (slot == 0 || (slot & (0u - slot)) > (best & (0u - best)))) {
            best = slot;
        }
    }
    return best;
}

/* Code the last residual that is not coded yet. */
static void put_last_tans(const struct lutgen_token_tans *tans, struct lutgen_payload *p)
{
    const uint32_t row = p->code[--p->count];
    const uint32_t folded = p->folded[p->count];
    const uint16_t *const table =
        lutgen_tans_encoder(&tans->tables, place_of(tans, row), frequencies_of(tans, row));
    const uint16_t *const cumulative = lutgen_tans_row(&tans->tables, place_of(tans, row));
    uint32_t raw;
    const uint32_t token = token_of(folded, &raw);
    const int escaped = cumulative[token] == cumulative[token + 1];
    const uint32_t symbol = escaped ? LUTGEN_TOKENS : token;
    const uint32_t start = cumulative[symbol];
    const uint32_t freq = cumulative[symbol + 1] - start;
    uint64_t value = folded & ((1u << raw) - 1);
    uint32_t bits = raw;

    /* What is pushed last is read first: the token, its raw bits, those of the state. */
    if (escaped) {
        value |= (uint64_t)token << raw;
        bits += LUTGEN_TOKEN_BITS;
    }
    if (!p->state) {
        p->state = 1u << tans->tables.bits | last_slot(table, start, freq);
    } else {
        uint32_t count = tans->tables.bits - leading_one(freq);

        count -= p->state >> count < freq;
        value = value << count | (p->state & ((1u << count) - 1));
        bits += count;
        p->state = 1u << tans->tables.bits | table[start + (p->state >> count) - freq];
    }
    p->held |= value << p->bits;
    p->bits += bits;
}

void lutgen_write_tans_payload(const struct lutgen_token_tans *tans, struct lutgen_payload *p)
{
    clear_payload(p);
    while (p->count > 0 && p->at >= p->start) {
        put_last_tans(tans, p);
        trim(p);
        drain(p);
    }
    finish_payload(p, tans->tables.bits);
}
