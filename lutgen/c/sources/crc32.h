/* The checksum of zlib, Ethernet and PNG. */
#ifndef LUTGEN_CRC32_H
#define LUTGEN_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of bytes behind those whose checksum is `crc`, which is 0 where there are none. */
uint32_t lutgen_crc32(uint32_t crc, const uint8_t *data, size_t bytes);

#endif
