#include "tile_head.h"

/* Exponent of the power of two that is nearest to a frequency. */
static uint32_t exponent_of(uint32_t frequency)
{
    const uint32_t exponent = leading_one(frequency);

    return exponent + (4 * frequency >= 3u << (exponent + 1));
}

/* Cumulative frequencies of the candidates from their exponents; of one that is none it is -1. */
static void weigh(const int32_t exponent[LUTGEN_CANDIDATES], uint32_t *bounds)
{
    int32_t greatest = 0;
    uint32_t total = 0;
    uint32_t shift = 0;
    uint32_t lack;

    for (uint32_t k = 0; k < LUTGEN_CANDIDATES; k++) {
        greatest = greater(greatest, exponent[k]);
    }
    bounds[0] = 0;
    for (uint32_t k = 0; k < LUTGEN_CANDIDATES; k++) {
        if (exponent[k] >= 0) {
            total += 1u << (TOP_EXPONENT - lesser(TOP_EXPONENT, greatest - exponent[k]));
        }
        bounds[k + 1] = total;
    }
    while (total << shift <= 1u << (LUTGEN_PROB_BITS - 1)) {
        shift++;
    }
    lack = (1u << LUTGEN_PROB_BITS) - (total << shift);
    for (uint32_t k = 1; k <= LUTGEN_CANDIDATES; k++) {
        const uint32_t count = bounds[k] << shift;

        bounds[k] = count + (count < lack ? count : lack);
    }
}

int32_t lutgen_candidates(const struct lutgen_tile_model *model,
                          const struct lutgen_tile_planes *planes, const struct lutgen_tile *tile,
                          uint32_t level, uint32_t y, uint32_t x, uint32_t row,
                          uint32_t bounds[LUTGEN_CANDIDATES + 1])
{
    const size_t stride = planes->stride[level];
    const uint8_t *const pixel = tile->pixels + planes->first[level] + y * stride + x;
    const int32_t parent = tile->pixels[planes->first[level + 1] +
                                        (size_t)(y / 2) * planes->stride[level + 1] + x / 2];
    const int32_t known = pixel[-1] + pixel[-(ptrdiff_t)stride] + pixel[-(ptrdiff_t)stride - 1];
    const int32_t base = clamped(4 * parent - 2 - known, 1 - LUTGEN_CANDIDATES, LUTGEN_SYMBOLS - 1);
    int32_t exponent[LUTGEN_CANDIDATES];

    for (int32_t k = 0; k < LUTGEN_CANDIDATES; k++) {
        const int32_t symbol = base + k;

        exponent[k] = -1;
        if (symbol >= 0 && symbol < LUTGEN_SYMBOLS) {
            exponent[k] = (int32_t)exponent_of(bound_of(model, row, (uint32_t)symbol + 1) -
                                               bound_of(model, row, (uint32_t)symbol));
        }
    }
    weigh(exponent, bounds);
    return base;
}
