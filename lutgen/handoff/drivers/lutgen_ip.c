/* See lutgen_ip.h. */

#include "lutgen_ip.h"

enum lutgen_result lutgen_ip_check(const struct lutgen_ip *ip)
{
    const uint32_t release = LUTGEN_IP_VERSION_MAJOR_MASK | LUTGEN_IP_VERSION_MINOR_MASK;

    if ((lutgen_ip_read(ip, LUTGEN_IP_VERSION_OFFSET) & release) !=
        (LUTGEN_IP_VERSION_AFTER_RESET & release)) {
        return LUTGEN_WRONG_VERSION;
    }
    if (lutgen_ip_read(ip, LUTGEN_IP_MODEL_HASH_0_OFFSET) != LUTGEN_IP_MODEL_HASH_0_AFTER_RESET ||
        lutgen_ip_read(ip, LUTGEN_IP_MODEL_HASH_1_OFFSET) != LUTGEN_IP_MODEL_HASH_1_AFTER_RESET) {
        return LUTGEN_WRONG_MODEL;
    }
    return LUTGEN_OK;
}

void lutgen_ip_enable(const struct lutgen_ip *ip)
{
    lutgen_ip_write(ip, LUTGEN_IP_CONTROL_OFFSET, LUTGEN_IP_CONTROL_ENABLE_MASK);
}

void lutgen_ip_disable(const struct lutgen_ip *ip)
{
    lutgen_ip_write(ip, LUTGEN_IP_CONTROL_OFFSET, 0u);
}

void lutgen_ip_command(const struct lutgen_ip *ip, uint32_t bits)
{
    /* Requests that wait read 1 and must not be asked for twice. */
    const uint32_t kept =
        lutgen_ip_read(ip, LUTGEN_IP_CONTROL_OFFSET) & LUTGEN_IP_CONTROL_ENABLE_MASK;

    lutgen_ip_write(ip, LUTGEN_IP_CONTROL_OFFSET, kept | bits);
}

uint32_t lutgen_ip_status(const struct lutgen_ip *ip)
{
    return lutgen_ip_read(ip, LUTGEN_IP_STATUS_OFFSET);
}

enum lutgen_result lutgen_ip_wait_idle(const struct lutgen_ip *ip, uint32_t reads)
{
    while (reads-- > 0u) {
        if (lutgen_ip_status(ip) & LUTGEN_IP_STATUS_IDLE_MASK) {
            return LUTGEN_OK;
        }
    }
    return LUTGEN_TIMEOUT;
}

enum lutgen_result lutgen_ip_reset(const struct lutgen_ip *ip, int restart, uint32_t reads)
{
    uint32_t bits = LUTGEN_IP_CONTROL_RESET_MASK;

    if (restart) {
        bits |= LUTGEN_IP_CONTROL_RESTART_MASK;
    }
    lutgen_ip_write(ip, LUTGEN_IP_CONTROL_OFFSET, bits);
    return lutgen_ip_wait_idle(ip, reads);
}

void lutgen_ip_enable_interrupts(const struct lutgen_ip *ip, uint32_t causes)
{
    lutgen_ip_write(ip, LUTGEN_IP_IER_OFFSET, causes);
    lutgen_ip_write(ip, LUTGEN_IP_GIE_OFFSET, causes ? LUTGEN_IP_GIE_ENABLE_MASK : 0u);
}

uint32_t lutgen_ip_acknowledge(const struct lutgen_ip *ip, uint32_t causes)
{
    const uint32_t pending = lutgen_ip_read(ip, LUTGEN_IP_ISR_OFFSET) & causes;

    if (pending) {
        lutgen_ip_write(ip, LUTGEN_IP_ISR_OFFSET, pending);
    }
    return pending;
}

enum lutgen_result lutgen_ip_wait_cause(const struct lutgen_ip *ip, uint32_t causes, uint32_t reads,
                                        uint32_t *found)
{
    uint32_t pending = 0u;

    while (!pending && reads-- > 0u) {
        pending = lutgen_ip_acknowledge(ip, causes);
    }
    if (found) {
        *found = pending;
    }
    return pending ? LUTGEN_OK : LUTGEN_TIMEOUT;
}

void lutgen_ip_read_counters(const struct lutgen_ip *ip, struct lutgen_counters *counters)
{
    counters->pixels = lutgen_ip_read(ip, LUTGEN_IP_PIXELS_OFFSET);
    counters->bytes = lutgen_ip_read(ip, LUTGEN_IP_BYTES_OFFSET);
    counters->frames = lutgen_ip_read(ip, LUTGEN_IP_FRAMES_OFFSET);
    counters->files = lutgen_ip_read(ip, LUTGEN_IP_FILES_OFFSET);
    counters->input_stalls = lutgen_ip_read(ip, LUTGEN_IP_INPUT_STALLS_OFFSET);
    counters->output_stalls = lutgen_ip_read(ip, LUTGEN_IP_OUTPUT_STALLS_OFFSET);
}

void lutgen_ip_clear_counters(const struct lutgen_ip *ip)
{
    lutgen_ip_command(ip, LUTGEN_IP_CONTROL_CLEAR_COUNTERS_MASK);
}
