/* What a model says of pixels from those that are known: class, and guesses at the next level. */
#ifndef LUTGEN_CONTEXTS_H
#define LUTGEN_CONTEXTS_H

#include "tile_work.h"

/* Class of so many pixels whose features are in `work->feature`; of a Laplace head it is scale
 * times LUTGEN_LOCATIONS plus location. */
void lutgen_classify(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                     uint32_t pixels, uint32_t row[LUTGEN_WORD]);

/* Make the priors of a level of so many tiles from the pixels of the next one. */
void lutgen_upsample(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                     const struct lutgen_tile *tiles, uint32_t count, uint32_t level);

/* Put the features of a pixel, which is at these places of its planes, where `lutgen_classify`
 * looks for those of pixel number `lane`. */
static inline void lutgen_gather(const struct lutgen_tile_model *model,
                                 const struct lutgen_tile_work *work, const int32_t *step,
                                 const uint8_t *pixel, const uint8_t *prior, uint32_t lane)
{
    for (uint32_t f = 0; f < model->causal; f++) {
        work->feature[f][lane] = pixel[step[f]];
    }
    for (uint32_t f = model->causal; f < model->features; f++) {
        work->feature[f][lane] = prior[step[f]];
    }
}

#endif
