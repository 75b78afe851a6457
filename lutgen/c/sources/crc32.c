#include "crc32.h"

#include "bytes.h"
#include "crc32_table.h"

enum { AT_ONCE = 8 }; /* bytes */

uint32_t lutgen_crc32(uint32_t crc, const uint8_t *data, size_t bytes)
{
    crc = ~crc;
    for (; bytes >= AT_ONCE; bytes -= AT_ONCE, data += AT_ONCE) {
        const uint32_t low = crc ^ lutgen_get_32(data);

        crc = crc_table[7][low & 255u] ^ crc_table[6][low >> 8 & 255u] ^
              crc_table[5][low >> 16 & 255u] ^ crc_table[4][low >> 24] ^ crc_table[3][data[4]] ^
              crc_table[2][data[5]] ^ crc_table[1][data[6]] ^ crc_table[0][data[7]];
    }
    for (; bytes > 0; bytes--, data++) {
        crc = crc >> 8 ^ crc_table[0][(crc ^ *data) & 255u];
    }
    return ~crc;
}
