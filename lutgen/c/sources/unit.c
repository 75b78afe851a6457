/* One sample after the other, as lutgen/codec/predictive/strip.py and colour_strip.py: rows of a unit
 * are walked side by side, each some columns behind the one above. */

#include "unit.h"

/* A row that is being coded. */
struct walked {
    const struct lutgen_tables *tables;
    uint32_t plane; /* whose they are */
    struct lutgen_row row;
    void *samples;
    uint32_t x; /* the next column */
};

/* Rows `first` to `end` of the unit are being coded: row k is walked[k % GROUP]. */
struct walk {
    const struct lutgen_model *model;
    const struct lutgen_samples *samples;
    const struct lutgen_rows *rows;
    const struct lutgen_plane *plane;
    const struct lutgen_unit *unit;
    struct walked walked[GROUP];
    uint32_t first;
    uint32_t end;
};

static void begin(struct walk *walk, uint32_t k)
{
    const struct lutgen_plane *plane = walk->plane;
    const uint32_t y = walk->unit->y + k;
    /* Two channels, gray and alpha, are both predicted like gray. */
    const uint32_t number = plane->channels > 2 ? y % plane->channels : 0;
    struct walked *now = &walk->walked[k % GROUP];

    now->tables = walk->model->plane[number];
    now->plane = number;
    now->samples =
        (uint8_t *)row_start(plane, y) + (size_t)walk->unit->x * plane->step * plane->bytes;
    now->x = 0;
    begin_row(walk->rows, y, now->tables->references ? 0 : 1 << (walk->samples->depth - 1));
    locate(walk->rows, y, &now->row);
    locate_references(walk->rows, y, now->tables->references, &now->row);
}

/* Begin the next row if it is its turn; returns whether there is anything left to do. */
static int next_step(struct walk *walk)
{
    const uint32_t end = walk->end;

    if (end < walk->unit->rows &&
        (end == walk->first || walk->walked[(end - 1) % GROUP].x == walk->unit->lag)) {
        begin(walk, end);
        walk->end++;
    }
    return walk->first < walk->unit->rows;
}

/* Keep the next sample of row k. */
static inline void done(struct walk *walk, uint32_t k, int32_t sample,
                        const struct lutgen_prediction *p)
{
    struct walked *now = &walk->walked[k % GROUP];

    keep(&now->row, now->x, sample, p->first, p->level);
    if (++now->x == walk->unit->columns) {
        end_row(walk->rows, walk->unit->y + k);
        walk->first++;
    }
}

static inline void look(const struct walk *walk, const struct walked *now,
                        struct lutgen_prediction *p)
{
    int32_t quantity[ALL_QUANTITIES];

    gather(&now->row, now->x, quantity);
    gather_references(&now->row, now->x, now->tables->references, quantity);
    predict(now->tables, walk->samples, quantity, p);
}

void lutgen_model_unit(const struct lutgen_token_tans *tans, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, const struct lutgen_plane *plane,
                       const struct lutgen_unit *unit, uint16_t *folded, uint32_t *code)
{
    struct walk walk = {
        .model = tans->model, .samples = samples, .rows = rows, .plane = plane, .unit = unit,
    };
    struct lutgen_prediction p;

    while (next_step(&walk)) {
        for (uint32_t k = walk.first; k < walk.end; k++) {
            const struct walked *now = &walk.walked[k % GROUP];
            int32_t restored;
            const int32_t index =
                quantised(samples, sample_at(plane, now->samples, (size_t)now->x * plane->step),
                          &restored);

            look(&walk, now, &p);
            *folded = (uint16_t)fold(index, p.whole, p.rest, samples->most);
            *code++ = tans->tables.bits ? row_of_plane(now->plane, p.row)
                                        : code_of(now->tables->cumulative[p.row], *folded);
            folded++;
            done(&walk, k, restored, &p);
        }
    }
}

int lutgen_decode_unit(const struct lutgen_token_tans *tans, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, const struct lutgen_plane *plane,
                       const struct lutgen_unit *unit, struct lutgen_bits *bits, uint32_t plain)
{
    struct walk walk = {
        .model = tans->model, .samples = samples, .rows = rows, .plane = plane, .unit = unit,
    };
    struct lutgen_prediction p;
    const uint32_t tans_bits = tans->tables.bits;
    uint32_t state = plain ? 0 : begin_state(bits, tans_bits ? tans_bits : STATE_BITS);

    while (next_step(&walk)) {
        for (uint32_t k = walk.first; k < walk.end; k++) {
            const struct walked *now = &walk.walked[k % GROUP];
            int32_t folded = 0;
            int32_t sample;

            look(&walk, now, &p);
            if (plain) {
                refill(bits);
                folded = (int32_t)take(bits, plain);
            } else if (state && tans_bits) {
                folded = (int32_t)lutgen_next_tans_residual(tans, row_of_plane(now->plane, p.row),
                                                            bits, &state);
            } else if (state) {
                folded = (int32_t)next_residual(now->tables, bits, &state, p.row);
            }
            if (folded > samples->most) {
                return 0;
            }
            sample = lesser(unfold(folded, p.whole, p.rest, samples->most) * samples->step,
                            samples->maximum);
            put_sample(plane, now->samples, (size_t)now->x * plane->step, sample);
            done(&walk, k, sample, &p);
        }
    }
    return 1;
}
