/* What a workspace, the caller's memory, is divided into. */
#ifndef LUTGEN_WORKSPACE_H
#define LUTGEN_WORKSPACE_H

#include "lanes.h"

struct lutgen_work {
    const struct lutgen_lanes_functions *functions;
    struct lutgen_rows rows;
    uint16_t *folded; /* of the largest unit, or of a block of groups */
    uint32_t *code;
    uint8_t *payload[MOST_UNITS]; /* of the largest unit, behind ROOM_BEFORE bytes */
    struct lutgen_token_tans tans;
    struct lutgen_lanes lanes;
    int16_t *taps[LUTGEN_MOST_PLANES];
    size_t taps_stride;
};

/* Whether rows of a frame can be coded side by side; there is no such code for tANS. */
int lutgen_has_lanes(const struct lutgen_frame *frame,
                     const struct lutgen_lanes_functions *functions);

/* Bytes of a workspace, and a workspace divided. */
uint64_t lutgen_work_bytes(const struct lutgen_model *model, const struct lutgen_frame *frame);
void lutgen_use(const struct lutgen_model *model, const struct lutgen_frame *frame,
                void *workspace, struct lutgen_work *work);

#endif
