/* Models that code tiles, in files of version 1: what lutgen.h needs of them. */
#include "profile.h"
#include "tile_container.h"
#include "tile_decode.h"
#include "tile_encode.h"
#include "tile_work.h"

static uint64_t workspace_bytes(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    struct lutgen_tile_work work;

    return lutgen_divide_tile_work(model, frame, NULL, &work);
}

static enum lutgen_status takes(const struct lutgen_model *model, const struct lutgen_frame *frame)
{
    /* tANS has tables of the head's, which with the constraint does not say all. */
    const int has_tables = model->tiles->classes && !model->tiles->constraint;

    return frame->levels == model->tiles->levels && (frame->coder == 0 || has_tables)
               ? LUTGEN_SUCCESS
               : LUTGEN_BAD_HEADER;
}

static void begin(const struct lutgen_model *model, const struct lutgen_frame *frame,
                  void *workspace)
{
    struct lutgen_tile_work work;

    lutgen_divide_tile_work(model, frame, workspace, &work);
    lutgen_begin_tans(&work.tans);
}

const struct lutgen_profile lutgen_tile_profile = {
    .version = 1,
    .workspace_bytes = workspace_bytes,
    .takes = takes,
    .begin = begin,
    .strips_at_once = LUTGEN_MOST_STRIPS,
    .decode = lutgen_decode_tile_strips,
    .encode = lutgen_encode_tile_strip,
};
