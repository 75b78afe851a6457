/* Driver of lutgen's IPs: what encoder and decoder share. C99, no operating system, no allocation.

   Functions that wait take how often they may read a register for it, since there is no clock to
   ask; they return LUTGEN_TIMEOUT when that was not enough, and may be called again.

   The driver is yours to use, change and pass on, as all that lutgen generates. */

#ifndef LUTGEN_IP_H
#define LUTGEN_IP_H

#include <stdint.h>

#include "lutgen_ip_registers.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lutgen_result {
    LUTGEN_OK = 0,
    LUTGEN_WRONG_ID = -1,      /* no such IP at the address */
    LUTGEN_WRONG_VERSION = -2, /* made by another version than the headers */
    LUTGEN_WRONG_MODEL = -3,   /* made from another model than the headers */
    LUTGEN_TIMEOUT = -4,
    LUTGEN_BAD_ARGUMENT = -5
};

/* One IP. */
struct lutgen_ip {
    uintptr_t base; /* address of its registers */
};

/* Counters modulo 2^32: take differences. */
struct lutgen_counters {
    uint32_t pixels;
    uint32_t bytes;
    uint32_t frames;
    uint32_t files;
    uint32_t input_stalls;  /* clocks in which input was offered and not taken */
    uint32_t output_stalls; /* clocks in which output was offered and not taken */
};

/* Access to words. A program that defines LUTGEN_OWN_ACCESS brings these two functions itself, for
   a bus behind a bridge, or a simulation. */
#ifdef LUTGEN_OWN_ACCESS
uint32_t lutgen_read_word(uintptr_t address);
void lutgen_write_word(uintptr_t address, uint32_t value);
#else
static inline uint32_t lutgen_read_word(uintptr_t address)
{
    return *(const volatile uint32_t *)address;
}

static inline void lutgen_write_word(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}
#endif

static inline uint32_t lutgen_ip_read(const struct lutgen_ip *ip, uint32_t offset)
{
    return lutgen_read_word(ip->base + offset);
}

static inline void lutgen_ip_write(const struct lutgen_ip *ip, uint32_t offset, uint32_t value)
{
    lutgen_write_word(ip->base + offset, value);
}

/* Check that the IP is of the headers' version (major and minor) and model. Changes nothing. Part
   of lutgen_encoder_init and lutgen_decoder_init, which come first. */
enum lutgen_result lutgen_ip_check(const struct lutgen_ip *ip);

/* Let files begin, with the settings as they are. */
void lutgen_ip_enable(const struct lutgen_ip *ip);

/* Complete the file at hand and let no other begin. */
void lutgen_ip_disable(const struct lutgen_ip *ip);

/* Write bits of CONTROL that act once, and leave the enable bit as it is. */
void lutgen_ip_command(const struct lutgen_ip *ip, uint32_t bits);

/* STATUS: see LUTGEN_IP_STATUS_..._MASK. */
uint32_t lutgen_ip_status(const struct lutgen_ip *ip);

/* Wait until nothing is inside. */
enum lutgen_result lutgen_ip_wait_idle(const struct lutgen_ip *ip, uint32_t reads);

/* Software reset, also in mid-frame; disables the IP and waits until nothing is inside. What is
   left of the broken input is dropped when it comes, unless `restart` says that source and sink
   were reset as well. The output must be taken meanwhile, or this times out. Causes stay, to be
   acknowledged: a file that was cut short has been ended, which counts as done. */
enum lutgen_result lutgen_ip_reset(const struct lutgen_ip *ip, int restart, uint32_t reads);

/* Let these causes, bits of IER, raise the interrupt; none to switch it off. */
void lutgen_ip_enable_interrupts(const struct lutgen_ip *ip, uint32_t causes);

/* Clear these causes; returns those that were pending. For the interrupt's handler. */
uint32_t lutgen_ip_acknowledge(const struct lutgen_ip *ip, uint32_t causes);

/* Wait until one of these causes is pending, and acknowledge; they need not be enabled. The causes
   that were pending go to `found`, which may be null. */
enum lutgen_result lutgen_ip_wait_cause(const struct lutgen_ip *ip, uint32_t causes, uint32_t reads,
                                        uint32_t *found);

void lutgen_ip_read_counters(const struct lutgen_ip *ip, struct lutgen_counters *counters);

/* Set all counters to 0, those of errors included. */
void lutgen_ip_clear_counters(const struct lutgen_ip *ip);

#ifdef __cplusplus
}
#endif

#endif /* LUTGEN_IP_H */
