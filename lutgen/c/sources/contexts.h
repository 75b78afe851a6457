/* What a model says of pixels from those that are known: class, and guesses at the next level. */
#ifndef LUTGEN_CONTEXTS_H
#define LUTGEN_CONTEXTS_H

#include "tile_work.h"

/* Steps from a pixel of a level to all features of the window: those of its prior are as far from all
 * tiles' pixels, as planes lie one behind the other. */
void lutgen_window_steps(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                         uint32_t level, int32_t *step);

/* Class of pixels; of a Laplace head it is scale times LUTGEN_LOCATIONS plus location. */
void lutgen_classify(const struct lutgen_tile_model *model, const struct lutgen_around *around,
                     uint64_t *word, uint32_t row[LUTGEN_WORD]);

/* Make the priors of a level of so many tiles from the pixels of the next one. */
void lutgen_upsample(const struct lutgen_tile_model *model, const struct lutgen_tile_work *work,
                     const struct lutgen_tile *tiles, uint32_t count, uint32_t level);

#endif
