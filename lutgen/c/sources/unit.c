/* One sample after the other, as lutgen/codec/predictive/strip.py: rows of a unit are walked side by
 * side, each `lag` columns behind the one above; at step t row k is at column t - lag k. */

#include "unit.h"

/* The first row that is within the unit at step t, and the one behind the last. */
static void active(uint32_t t, uint32_t lag, const struct lutgen_plane *plane, uint32_t *first,
                   uint32_t *end)
{
    const uint32_t last = t / lag + 1;

    *first = t < plane->width ? 0 : (t - plane->width) / lag + 1;
    *end = last < plane->height ? last : plane->height;
}

/* Steps of a unit; at most 65,535 squared. */
static uint32_t steps_of(uint32_t lag, const struct lutgen_plane *plane)
{
    return plane->width + lag * (plane->height - 1);
}

void lutgen_model_unit(const struct lutgen_model *model, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, uint32_t y, uint32_t lag,
                       const struct lutgen_plane *plane, uint16_t *folded, uint16_t *row)
{
    const int32_t middle = 1 << (samples->depth - 1);
    const uint32_t steps = steps_of(lag, plane);
    const int32_t *places[GROUP][PLACES];
    int32_t quantity[QUANTITIES];
    struct lutgen_prediction p;
    uint32_t first;
    uint32_t end;

    for (uint32_t t = 0; t < steps; t++) {
        active(t, lag, plane, &first, &end);
        for (uint32_t k = first; k < end; k++) {
            const uint32_t x = t - lag * k;
            const int32_t **place = places[k & (GROUP - 1)];
            int32_t restored;
            const int32_t index = quantised(samples, sample_at(plane, k, x), &restored);

            if (x == 0) {
                begin_row(rows, y + k, middle);
                locate(rows, y + k, place);
            }
            gather(place, x, quantity);
            predict(model, samples, quantity, &p);
            *folded++ = (uint16_t)fold(index, p.whole, p.rest, samples->most);
            *row++ = (uint16_t)p.row;
            keep(rows, y + k, x, restored, p.first);
            if (x == plane->width - 1) {
                end_row(rows, y + k);
            }
        }
    }
}

int lutgen_decode_unit(const struct lutgen_model *model, const struct lutgen_samples *samples,
                       const struct lutgen_rows *rows, uint32_t y, uint32_t lag,
                       const struct lutgen_plane *plane, struct lutgen_bits *bits,
                       uint32_t plain)
{
    const int32_t middle = 1 << (samples->depth - 1);
    const uint32_t steps = steps_of(lag, plane);
    const int32_t *places[GROUP][PLACES];
    int32_t quantity[QUANTITIES];
    struct lutgen_prediction p;
    uint32_t state = plain ? 0 : begin_state(bits);
    uint32_t first;
    uint32_t end;

    for (uint32_t t = 0; t < steps; t++) {
        active(t, lag, plane, &first, &end);
        for (uint32_t k = first; k < end; k++) {
            const uint32_t x = t - lag * k;
            const int32_t **place = places[k & (GROUP - 1)];
            int32_t folded = 0;
            int32_t sample;

            if (x == 0) {
                begin_row(rows, y + k, middle);
                locate(rows, y + k, place);
            }
            gather(place, x, quantity);
            predict(model, samples, quantity, &p);
            if (plain) {
                refill(bits);
                folded = (int32_t)take(bits, plain);
            } else if (state) {
                folded = (int32_t)next_residual(model, bits, &state, p.row);
            }
            if (folded > samples->most) {
                return 0;
            }
            sample = lesser(unfold(folded, p.whole, p.rest, samples->most) * samples->step,
                            samples->maximum);
            put_sample(plane, k, x, sample);
            keep(rows, y + k, x, sample, p.first);
            if (x == plane->width - 1) {
                end_row(rows, y + k);
            }
        }
    }
    return 1;
}
