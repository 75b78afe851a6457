#include "lanes.h"

#ifdef LUTGEN_SSE41
#include <cpuid.h>
#endif

#ifdef LUTGEN_AVX2
/* Whether processor and operating system have what lanes_avx2.c is compiled for. */
static int has_avx2(void)
{
    const uint32_t popcnt = 1u << 23, osxsave = 1u << 27, avx = 1u << 28;
    const uint32_t bmi1 = 1u << 3, avx2 = 1u << 5, bmi2 = 1u << 8;
    const uint32_t lzcnt = 1u << 5;
    const uint32_t saved = 6; /* registers of 128 and 256 bits */
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;

    if (!__get_cpuid(1, &a, &b, &c, &d) ||
        (c & (popcnt | osxsave | avx)) != (popcnt | osxsave | avx)) {
        return 0;
    }
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    if ((a & saved) != saved || !__get_cpuid_count(7, 0, &a, &b, &c, &d) ||
        (b & (bmi1 | avx2 | bmi2)) != (bmi1 | avx2 | bmi2)) {
        return 0;
    }
    return __get_cpuid(0x80000001u, &a, &b, &c, &d) && (c & lzcnt);
}
#endif

#ifdef LUTGEN_SSE41
/* For processors of the first years, which code sample by sample. */
static const struct lutgen_lanes_functions none = {
    .write_payloads = lutgen_write_payloads_portable,
};

static int has_sse41(void)
{
    const uint32_t sse41 = 1u << 19;
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & sse41);
}
#endif

const struct lutgen_lanes_functions *lutgen_lanes_best(void)
{
#if defined(LUTGEN_AVX2)
    if (has_avx2()) {
        return &lutgen_lanes_avx2;
    }
#endif
#if defined(LUTGEN_SSE41)
    return has_sse41() ? &lutgen_lanes_sse41 : &none;
#elif defined(LUTGEN_NEON)
    return &lutgen_lanes_neon;
#else
    return &lutgen_lanes_portable;
#endif
}
