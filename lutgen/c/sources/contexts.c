#include "contexts.h"

/* Walk through a tree of contexts from the record of an index; each stage makes two of its tests. */
static uint32_t walked(const struct lutgen_tile_model *model, const uint8_t (*feature)[LUTGEN_WORD],
                       uint32_t lane, uint32_t index)
{
    for (uint32_t s = 0;; s++) {
        const struct lutgen_record *record = &model->record[model->stage[s] + index];
        const uint32_t first = feature[record->feature[0]][lane] > record->threshold[0];
        const uint32_t next = 1 + first;
        const uint32_t second = feature[record->feature[next]][lane] > record->threshold[next];
        const uint32_t outcome = 2 * first + second;

        if (s + 1 == model->stages) {
            return record->child[outcome];
        }
        index = 4u * record->child[0] + outcome;
    }
}

void lutgen_classify(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                     uint32_t pixels, uint32_t row[LUTGEN_WORD])
{
    const uint8_t (*feature)[LUTGEN_WORD] = (const uint8_t (*)[LUTGEN_WORD])work->feature;

    lutgen_evaluate(&model->circuit, feature, pixels, work->word);
    if (model->classes) {
        lutgen_outputs_as_number(work->word, model->output, model->outputs[0], row);
        if (model->stages) {
            for (uint32_t p = 0; p < pixels; p++) {
                row[p] = walked(model, feature, p, row[p]);
            }
        }
    } else {
        uint32_t scale[LUTGEN_WORD];

        lutgen_outputs_that_are_set(work->word, model->output, model->outputs[0], row);
        lutgen_outputs_that_are_set(work->word, model->output + model->outputs[0],
                                    model->outputs[1], scale);
        for (uint32_t p = 0; p < pixels; p++) {
            row[p] = (uint32_t)LUTGEN_LOCATIONS * model->scale[scale[p]] + model->location[row[p]];
        }
    }
}

/* Pixels that are upsampled at once. */
struct lutgen_pixels_at_once {
    uint32_t count;
    uint8_t tile[LUTGEN_WORD];
    uint8_t y[LUTGEN_WORD];
    uint8_t x[LUTGEN_WORD];
};

/* Put the blocks of pixels whose features are known into the priors of a level. */
static void put_blocks(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                       const struct lutgen_tile *tiles, uint32_t level,
                       const struct lutgen_pixels_at_once *some)
{
    const uint32_t *output = model->square_output;
    const uint8_t *value = model->square_value;

    lutgen_evaluate(&model->upsampler, (const uint8_t (*)[LUTGEN_WORD])work->feature, some->count,
                    work->word);
    for (uint32_t k = 0; k < LUTGEN_BLOCK; k++) {
        uint32_t ones[LUTGEN_WORD];

        lutgen_outputs_that_are_set(work->word, output, model->ones[k], ones);
        for (uint32_t p = 0; p < some->count; p++) {
            const struct lutgen_tile *tile = &tiles[some->tile[p]];
            const uint32_t y = 2u * some->y[p] + k / 2;
            const uint32_t x = 2u * some->x[p] + k % 2;

            if (y < tile->height[level] && x < tile->width[level]) {
                tile->priors[work->planes.first[level] +
                             (size_t)y * work->planes.stride[level] + x] = value[ones[p]];
            }
        }
        output += model->ones[k];
        value += model->ones[k] + 1;
    }
}

void lutgen_upsample(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                     const struct lutgen_tile *tiles, uint32_t count, uint32_t level)
{
    const uint32_t stride = work->planes.stride[level + 1];
    struct lutgen_pixels_at_once some;
    int32_t step[LUTGEN_MOST_WINDOW];

    lutgen_steps(model->square_offset, model->square, stride, step);
    some.count = 0;
    for (uint32_t t = 0; t < count; t++) {
        const uint8_t *row = tiles[t].pixels + work->planes.first[level + 1];

        for (uint32_t y = 0; y < tiles[t].height[level + 1]; y++, row += stride) {
            for (uint32_t x = 0; x < tiles[t].width[level + 1]; x++) {
                for (uint32_t f = 0; f < model->square; f++) {
                    work->feature[f][some.count] = row[(int32_t)x + step[f]];
                }
                some.tile[some.count] = (uint8_t)t;
                some.y[some.count] = (uint8_t)y;
                some.x[some.count] = (uint8_t)x;
                if (++some.count == LUTGEN_WORD) {
                    put_blocks(model, work, tiles, level, &some);
                    some.count = 0;
                }
            }
        }
    }
    if (some.count) {
        put_blocks(model, work, tiles, level, &some);
    }
}
