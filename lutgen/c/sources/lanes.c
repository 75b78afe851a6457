#include "lanes.h"

#include <float.h>
#include <string.h>

#ifdef LUTGEN_AVX2
#include <cpuid.h>
#endif

#define LANES 16

/* For functions whose sums the compiler shall not put together to vectors. */
#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR __attribute__((optimize("no-tree-slp-vectorize")))
#else
#define SCALAR
#endif

#define FIND_TOKEN find_token
#define COPY_LANES(to, from) memcpy(to, from, sizeof(to))

#define ELEMENT int16_t
#define NARROW 1
#define COLOUR 0
#define NAME(x) x##_16
#include "lanes_body.h"
#undef ELEMENT
#undef NARROW
#undef NAME

#define ELEMENT int32_t
#define NARROW 0
#define NAME(x) x##_32
#include "lanes_body.h"
#undef COLOUR
#undef NAME

#define COLOUR 1
#define NAME(x) x##_colour
#include "lanes_body.h"

const struct lutgen_lanes_functions lutgen_lanes_portable = {
    .lanes = LANES,
    .decode_16 = decode_16,
    .decode_32 = decode_32,
    .decode_colour_16 = NULL,
    .decode_colour = decode_colour,
    .encode_16 = encode_16,
    .encode_32 = encode_32,
    .encode_colour_16 = NULL,
    .encode_colour = encode_colour,
    .write_payloads = lutgen_write_payloads_portable,
};

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

const struct lutgen_lanes_functions *lutgen_lanes_best(void)
{
#ifdef LUTGEN_AVX2
    if (has_avx2()) {
        return &lutgen_lanes_avx2;
    }
#endif
    return &lutgen_lanes_portable;
}

/* Room for the structures of any variant: those of 16 lanes are smaller. */
size_t lutgen_planes_bytes(uint32_t channels)
{
    return (channels > 1 ? sizeof(struct planes_colour) : sizeof(struct planes_32)) *
           (MOST_LANES / LANES);
}

size_t lutgen_plan_bytes(void)
{
    return sizeof(struct plan_colour) * (MOST_LANES / LANES);
}
