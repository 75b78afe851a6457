/* Numbers in files: the lowest byte first, at any address. */
#ifndef LUTGEN_BYTES_H
#define LUTGEN_BYTES_H

#include <stdint.h>

static inline void lutgen_put_16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value & 255u);
    out[1] = (uint8_t)(value >> 8 & 255u);
}

static inline void lutgen_put_32(uint8_t *out, uint32_t value)
{
    lutgen_put_16(out, value & 0xffffu);
    lutgen_put_16(out + 2, value >> 16);
}

static inline uint32_t lutgen_get_16(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8;
}

static inline uint32_t lutgen_get_32(const uint8_t *data)
{
    return lutgen_get_16(data) | lutgen_get_16(data + 2) << 16;
}

#endif
