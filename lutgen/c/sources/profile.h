/* What a profile of models brings to the calls of lutgen.h: how strips are coded.
 *
 * Models point to it, so that a program has the code of those profiles alone whose models it
 * names. */
#ifndef LUTGEN_PROFILE_H
#define LUTGEN_PROFILE_H

#include "lutgen.h"

enum { LUTGEN_MOST_STRIPS = 64 }; /* that are decoded by one call */

struct lutgen_profile {
    uint32_t version;        /* of the format of its files */
    uint32_t strips_at_once; /* how many are decoded best by one call */

    uint64_t (*workspace_bytes)(const struct lutgen_model *model, const struct lutgen_frame *frame);

    /* Whether files of such a frame can be of the model, whose hash and version they have. */
    enum lutgen_status (*takes)(const struct lutgen_model *model, const struct lutgen_frame *frame);

    /* Prepare a workspace that is large enough for the calls below. */
    void (*begin)(const struct lutgen_model *model, const struct lutgen_frame *frame,
                  void *workspace);

    /* Decode strips that follow one another, and say of each what became of it; samples of damaged
     * ones may be anything.  `samples` is the first row of the first. */
    void (*decode)(const struct lutgen_model *model, const struct lutgen_reader *reader,
                   const struct lutgen_strip *strips, uint32_t count, void *samples, size_t stride,
                   void *workspace, enum lutgen_status *status);

    /* Encode a strip; LUTGEN_BAD_ARGUMENT if samples are out of range, LUTGEN_SMALL_OUTPUT. */
    enum lutgen_status (*encode)(const struct lutgen_model *model, const struct lutgen_frame *frame,
                                 uint32_t number, const void *samples, size_t stride, uint8_t *out,
                                 size_t out_bytes, size_t *used, void *workspace);
};

/* Profile predictive, and that of all models that code tiles. */
extern const struct lutgen_profile lutgen_predictive_profile;
extern const struct lutgen_profile lutgen_tile_profile;

#endif
