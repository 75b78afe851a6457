/* See lutgen_encoder.h. */

#include "lutgen_encoder.h"

enum lutgen_result lutgen_encoder_init(struct lutgen_ip *ip, uintptr_t base)
{
    ip->base = base;
    if (lutgen_ip_read(ip, LUTGEN_ENCODER_ID_OFFSET) != LUTGEN_ENCODER_ID_AFTER_RESET) {
        return LUTGEN_WRONG_ID;
    }
    return lutgen_ip_check(ip);
}

enum lutgen_result lutgen_encoder_set_size(const struct lutgen_ip *ip, uint32_t width,
                                           uint32_t height, uint32_t images)
{
    if (width == 0u || width > lutgen_ip_read(ip, LUTGEN_IP_MAX_WIDTH_OFFSET) || height == 0u ||
        height > lutgen_ip_read(ip, LUTGEN_IP_MAX_HEIGHT_OFFSET) || images == 0u) {
        return LUTGEN_BAD_ARGUMENT;
    }
#ifdef LUTGEN_ENCODER_FORMAT_OFFSET
    if ((lutgen_ip_read(ip, LUTGEN_ENCODER_FORMAT_OFFSET) & LUTGEN_ENCODER_FORMAT_MOSAIC_MASK) &&
        ((width | height) & 1u)) {
        return LUTGEN_BAD_ARGUMENT;
    }
#endif
    lutgen_ip_write(ip, LUTGEN_ENCODER_WIDTH_OFFSET, width);
    lutgen_ip_write(ip, LUTGEN_ENCODER_HEIGHT_OFFSET, height);
    lutgen_ip_write(ip, LUTGEN_ENCODER_IMAGES_OFFSET, images);
    lutgen_ip_command(ip, LUTGEN_ENCODER_CONTROL_UPDATE_MASK);
    return LUTGEN_OK;
}

#ifdef LUTGEN_ENCODER_NEAR_OFFSET
enum lutgen_result lutgen_encoder_set_near(const struct lutgen_ip *ip, uint32_t near)
{
    if (near > lutgen_ip_read(ip, LUTGEN_ENCODER_MAX_NEAR_OFFSET)) {
        return LUTGEN_BAD_ARGUMENT;
    }
    lutgen_ip_write(ip, LUTGEN_ENCODER_NEAR_OFFSET, near);
    lutgen_ip_command(ip, LUTGEN_ENCODER_CONTROL_UPDATE_MASK);
    return LUTGEN_OK;
}
#endif

#ifdef LUTGEN_ENCODER_ORDER_OFFSET
enum lutgen_result lutgen_encoder_set_order(const struct lutgen_ip *ip, uint32_t order)
{
    if (order > lutgen_ip_read(ip, LUTGEN_ENCODER_MAX_ORDER_OFFSET)) {
        return LUTGEN_BAD_ARGUMENT;
    }
    lutgen_ip_write(ip, LUTGEN_ENCODER_ORDER_OFFSET, order);
    lutgen_ip_command(ip, LUTGEN_ENCODER_CONTROL_UPDATE_MASK);
    return LUTGEN_OK;
}
#endif

enum lutgen_result lutgen_encoder_wait_size(const struct lutgen_ip *ip, uint32_t reads)
{
    while (reads-- > 0u) {
        if (!(lutgen_ip_read(ip, LUTGEN_IP_CONTROL_OFFSET) & LUTGEN_ENCODER_CONTROL_UPDATE_MASK)) {
            return LUTGEN_OK;
        }
    }
    return LUTGEN_TIMEOUT;
}

void lutgen_encoder_read_errors(const struct lutgen_ip *ip, struct lutgen_encoder_errors *errors)
{
    errors->sof_early = lutgen_ip_read(ip, LUTGEN_ENCODER_SOF_EARLY_OFFSET);
    errors->sof_late = lutgen_ip_read(ip, LUTGEN_ENCODER_SOF_LATE_OFFSET);
    errors->eol_early = lutgen_ip_read(ip, LUTGEN_ENCODER_EOL_EARLY_OFFSET);
    errors->eol_late = lutgen_ip_read(ip, LUTGEN_ENCODER_EOL_LATE_OFFSET);
    errors->bad_size = lutgen_ip_read(ip, LUTGEN_ENCODER_BAD_SIZE_OFFSET);
}
