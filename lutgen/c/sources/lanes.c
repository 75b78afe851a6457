#include "lanes.h"

#include <string.h>

#ifdef LUTGEN_AVX2
#include <cpuid.h>
#endif

#define LANES 16
#define LOOK_UP look_up
#define FIND_TOKEN find_token

/* Sums of the trees `begin` to `end`, for four lanes at a time. */
static void look_up(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                    const uint8_t (*address_of)[LANES], int32_t sum[LANES])
{
    for (unsigned l = 0; l < LANES; l += 4) {
        const int8_t *value = tables->value[begin];
        const uint8_t *address = address_of[begin] + l;
        int32_t a = 0;
        int32_t b = 0;
        int32_t c = 0;
        int32_t d = 0;

        for (unsigned t = begin; t < end; t++) {
            a += value[address[0]];
            b += value[address[1]];
            c += value[address[2]];
            d += value[address[3]];
            value += LUTGEN_ENTRIES;
            address += LANES;
        }
        sum[l] = a;
        sum[l + 1] = b;
        sum[l + 2] = c;
        sum[l + 3] = d;
    }
}

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
    LANES,         decode_16,     decode_32,     encode_16,
    encode_32, decode_colour, encode_colour,
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
