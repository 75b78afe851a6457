/* Driver of the encoder. Start, stop, wait and count with the functions of lutgen_ip.h. */

#ifndef LUTGEN_ENCODER_H
#define LUTGEN_ENCODER_H

#include "lutgen_encoder_registers.h"
#include "lutgen_ip.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How often each was counted, at most 65535. */
struct lutgen_encoder_errors {
    uint32_t sof_early; /* starts of frame within a frame */
    uint32_t sof_late;  /* pixels dropped before a start of frame */
    uint32_t eol_early; /* ends of line before the last column */
    uint32_t eol_late;  /* lines without an end in the last column */
    uint32_t bad_size;  /* files that would have begun with an impossible size, near or order */
};

/* Set the address and check that the encoder of these headers is there. */
enum lutgen_result lutgen_encoder_init(struct lutgen_ip *ip, uintptr_t base);

/* Ask for a size in pixels, and for the images of a file, for the files that begin from now on; a
   file at hand keeps its own. LUTGEN_BAD_ARGUMENT, and no change, if it is zero or too large, or an
   odd side of a colour filter array. */
enum lutgen_result lutgen_encoder_set_size(const struct lutgen_ip *ip, uint32_t width,
                                           uint32_t height, uint32_t images);

#ifdef LUTGEN_ENCODER_NEAR_OFFSET
/* Ask for a near, the greatest error of a decoded sample, for the files that begin from now on; 0
   is lossless. LUTGEN_BAD_ARGUMENT, and no change, if it is too large. */
enum lutgen_result lutgen_encoder_set_near(const struct lutgen_ip *ip, uint32_t near);
#endif

#ifdef LUTGEN_ENCODER_ORDER_OFFSET
/* Ask for an order of planes, or a pattern of colour filter arrays, for the files that begin from
   now on: a number that the register ORDER explains. LUTGEN_BAD_ARGUMENT, and no change, if it is
   none. */
enum lutgen_result lutgen_encoder_set_order(const struct lutgen_ip *ip, uint32_t order);
#endif

/* Wait until what was asked for is in use, which is between two files. */
enum lutgen_result lutgen_encoder_wait_size(const struct lutgen_ip *ip, uint32_t reads);

void lutgen_encoder_read_errors(const struct lutgen_ip *ip, struct lutgen_encoder_errors *errors);

#ifdef __cplusplus
}
#endif

#endif /* LUTGEN_ENCODER_H */
