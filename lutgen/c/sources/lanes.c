#include "lanes.h"

#include <string.h>

#define LANES 16
#define LOOK_UP look_up
#define FIND_TOKEN find_token

/* Sums of the trees `begin` to `end`, for four lanes at a time. */
static void look_up(const struct lutgen_model *model, unsigned begin, unsigned end,
                    const uint8_t (*address_of)[LANES], int32_t sum[LANES])
{
    for (unsigned l = 0; l < LANES; l += 4) {
        const int8_t *value = model->value[begin];
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
#define NAME(x) x##_16
#include "lanes_body.h"
#undef ELEMENT
#undef NARROW
#undef NAME

#define ELEMENT int32_t
#define NARROW 0
#define NAME(x) x##_32
#include "lanes_body.h"

const struct lutgen_lanes_functions lutgen_lanes_portable = {
    LANES, decode_16, decode_32, encode_16, encode_32,
};

const struct lutgen_lanes_functions *lutgen_lanes_best(void)
{
#ifdef LUTGEN_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
        return &lutgen_lanes_avx2;
    }
#endif
    return &lutgen_lanes_portable;
}

/* Room for the structures of any variant: those of 16 lanes are smaller. */
size_t lutgen_planes_bytes(void)
{
    return sizeof(struct planes_32) * (MOST_LANES / LANES);
}

size_t lutgen_plan_bytes(void)
{
    return sizeof(struct plan_32) * (MOST_LANES / LANES);
}
