/* See lutgen_decoder.h. */

#include "lutgen_decoder.h"

enum lutgen_result lutgen_decoder_init(struct lutgen_ip *ip, uintptr_t base)
{
    ip->base = base;
    if (lutgen_ip_read(ip, LUTGEN_DECODER_ID_OFFSET) != LUTGEN_DECODER_ID_AFTER_RESET) {
        return LUTGEN_WRONG_ID;
    }
    return lutgen_ip_check(ip);
}

#ifdef LUTGEN_DECODER_LEVEL_OFFSET
enum lutgen_result lutgen_decoder_set_level(const struct lutgen_ip *ip, uint32_t level)
{
    if (level > lutgen_ip_read(ip, LUTGEN_DECODER_MAX_LEVEL_OFFSET)) {
        return LUTGEN_BAD_ARGUMENT;
    }
    lutgen_ip_write(ip, LUTGEN_DECODER_LEVEL_OFFSET, level);
    lutgen_ip_command(ip, LUTGEN_DECODER_CONTROL_UPDATE_MASK);
    return LUTGEN_OK;
}

enum lutgen_result lutgen_decoder_wait_level(const struct lutgen_ip *ip, uint32_t reads)
{
    while (reads-- > 0u) {
        if (!(lutgen_ip_read(ip, LUTGEN_IP_CONTROL_OFFSET) & LUTGEN_DECODER_CONTROL_UPDATE_MASK)) {
            return LUTGEN_OK;
        }
    }
    return LUTGEN_TIMEOUT;
}
#endif

void lutgen_decoder_read_errors(const struct lutgen_ip *ip, struct lutgen_decoder_errors *errors)
{
    errors->bad_header = lutgen_ip_read(ip, LUTGEN_DECODER_BAD_HEADER_OFFSET);
#ifdef LUTGEN_DECODER_BAD_MODEL_OFFSET
    errors->bad_model = lutgen_ip_read(ip, LUTGEN_DECODER_BAD_MODEL_OFFSET);
#endif
    errors->bad_packet = lutgen_ip_read(ip, LUTGEN_DECODER_BAD_PACKET_OFFSET);
#ifdef LUTGEN_DECODER_BAD_TILE_OFFSET
    errors->bad_tile = lutgen_ip_read(ip, LUTGEN_DECODER_BAD_TILE_OFFSET);
#endif
#ifdef LUTGEN_DECODER_BAD_STRIP_OFFSET
    errors->bad_strip = lutgen_ip_read(ip, LUTGEN_DECODER_BAD_STRIP_OFFSET);
#endif
}
