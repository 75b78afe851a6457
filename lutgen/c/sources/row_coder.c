#include "row_coder.h"

#include "payload.h"

void lutgen_write_payloads_portable(struct lutgen_payload *payload, unsigned units, uint32_t most)
{
    (void)most;
    begin_payloads(payload, units);
    end_payloads(payload, units);
}

void lutgen_write_plain(const uint16_t *folded, size_t count, uint32_t bits, uint8_t *out)
{
    uint32_t held = 0;
    uint32_t n = 0;

    for (size_t k = 0; k < count; k++) {
        held = held << bits | folded[k];
        n += bits;
        while (n >= 8) {
            n -= 8;
            *out++ = (uint8_t)(held >> n);
        }
        held &= (1u << n) - 1;
    }
    if (n) {
        *out = (uint8_t)(held << (8 - n));
    }
}
