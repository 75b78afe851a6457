#include "contexts.h"

void lutgen_window_steps(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                         uint32_t level, int32_t *step)
{
    const uint32_t stride = work->planes.stride[level];
    const uint32_t causal = model->causal;

    lutgen_steps(model->offset, causal, stride, 0, step);
    lutgen_steps(model->offset + causal, model->features - causal, stride,
                 work->priors - work->pixels, step + causal);
}

/* Which of its four outcomes a record of a pixel has: it makes two of its tests. */
static inline uint32_t outcome_of(const struct lutgen_record *record,
                                  const struct lutgen_around *around, uint32_t k)
{
    const uint32_t first = lutgen_feature(around, record->feature[0], k) > record->threshold[0];
    const uint32_t next = 1 + first;

    return 2 * first +
           (lutgen_feature(around, record->feature[next], k) > record->threshold[next]);
}

/* Walk through trees of contexts from records of an index to classes, all pixels side by side: none waits
 * for what another one reads. */
static void walk(const struct lutgen_tile_model *model, const struct lutgen_around *around,
                 uint32_t index[LUTGEN_WORD])
{
    uint32_t s = 0;

    for (; s + 1 < model->stages; s++) {
        const struct lutgen_record *const records = &model->record[model->stage[s]];

        for (uint32_t k = 0; k < around->count; k++) {
            const struct lutgen_record *const record = &records[index[k]];

            index[k] = 4u * record->child[0] + outcome_of(record, around, k);
        }
    }
    for (uint32_t k = 0; k < around->count; k++) {
        const struct lutgen_record *const record = &model->record[model->stage[s] + index[k]];

        index[k] = record->child[outcome_of(record, around, k)];
    }
}

void lutgen_classify(const struct lutgen_tile_model *model, const struct lutgen_around *around,
                     uint64_t *word, uint32_t row[LUTGEN_WORD])
{
    lutgen_evaluate(&model->circuit, around, word);
    if (model->classes) {
        lutgen_outputs_as_number(word, model->output, model->outputs[0], row);
        if (model->stages) {
            walk(model, around, row);
        }
    } else {
        uint32_t scale[LUTGEN_WORD];

        lutgen_outputs_that_are_set(word, model->output, model->outputs[0], row);
        lutgen_outputs_that_are_set(word, model->output + model->outputs[0],
                                    model->outputs[1], scale);
        for (uint32_t p = 0; p < around->count; p++) {
            row[p] = (uint32_t)LUTGEN_LOCATIONS * model->scale[scale[p]] + model->location[row[p]];
        }
    }
}

/* Pixels that are upsampled at once. */
struct lutgen_pixels_at_once {
    struct lutgen_around around;
    uint8_t tile[LUTGEN_WORD];
    uint8_t y[LUTGEN_WORD];
    uint8_t x[LUTGEN_WORD];
};

/* Put the blocks of pixels into the priors of a level. */
static void put_blocks(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                       const struct lutgen_tile *tiles, uint32_t level,
                       const struct lutgen_pixels_at_once *some)
{
    const uint32_t *output = model->square_output;
    const uint8_t *value = model->square_value;

    lutgen_evaluate(&model->upsampler, &some->around, work->word);
    for (uint32_t k = 0; k < LUTGEN_BLOCK; k++) {
        uint32_t ones[LUTGEN_WORD];

        lutgen_outputs_that_are_set(work->word, output, model->ones[k], ones);
        for (uint32_t p = 0; p < some->around.count; p++) {
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

    lutgen_steps(model->square_offset, model->square, stride, 0, some.around.step);
    some.around.count = 0;
    for (uint32_t t = 0; t < count; t++) {
        const uint8_t *row = tiles[t].pixels + work->planes.first[level + 1];

        for (uint32_t y = 0; y < tiles[t].height[level + 1]; y++, row += stride) {
            for (uint32_t x = 0; x < tiles[t].width[level + 1]; x++) {
                const uint32_t k = some.around.count++;

                some.around.pixel[k] = row + x;
                some.tile[k] = (uint8_t)t;
                some.y[k] = (uint8_t)y;
                some.x[k] = (uint8_t)x;
                if (some.around.count == LUTGEN_WORD) {
                    put_blocks(model, work, tiles, level, &some);
                    some.around.count = 0;
                }
            }
        }
    }
    if (some.around.count) {
        put_blocks(model, work, tiles, level, &some);
    }
}
