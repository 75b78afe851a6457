/* Driver of the decoder. Start, stop, wait and count with the functions of lutgen_ip.h. */

#ifndef LUTGEN_DECODER_H
#define LUTGEN_DECODER_H

#include "lutgen_decoder_registers.h"
#include "lutgen_ip.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How often each was counted, at most 65535. */
struct lutgen_decoder_errors {
    uint32_t bad_header; /* files of another format */
#ifdef LUTGEN_DECODER_BAD_MODEL_OFFSET /* of profiles with tiles */
    uint32_t bad_model; /* files of another model */
#endif
    uint32_t bad_packet; /* damaged files */
#ifdef LUTGEN_DECODER_BAD_TILE_OFFSET /* of profiles with tiles */
    uint32_t bad_tile; /* tiles whose pixels are wrong */
#endif
#ifdef LUTGEN_DECODER_BAD_STRIP_OFFSET /* of profile predictive */
    uint32_t bad_strip; /* strips whose pixels are wrong */
#endif
};

/* Set the address and check that the decoder of these headers is there. */
enum lutgen_result lutgen_decoder_init(struct lutgen_ip *ip, uintptr_t base);

#ifdef LUTGEN_DECODER_LEVEL_OFFSET /* of models with levels only */
/* Ask for a level, 0 for the images, for the files that begin from now on. LUTGEN_BAD_ARGUMENT, and
   no change, if the model has no such level. */
enum lutgen_result lutgen_decoder_set_level(const struct lutgen_ip *ip, uint32_t level);

/* Wait until the level that was asked for is the one in use, which is when the decoder is idle. */
enum lutgen_result lutgen_decoder_wait_level(const struct lutgen_ip *ip, uint32_t reads);
#endif

void lutgen_decoder_read_errors(const struct lutgen_ip *ip, struct lutgen_decoder_errors *errors);

#ifdef __cplusplus
}
#endif

#endif /* LUTGEN_DECODER_H */
