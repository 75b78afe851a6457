#include "circuit.h"

#include <string.h>

enum { MOST_PLANES_OF_COUNT = 24, BITS_OF_BYTE = 8, MOST_THRESHOLDS = 255 };

/* Inputs of a feature, which is the value `step` from each pixel: pixel p has as many ones, from the first
 * on, as the rank of its value. */
static void compare(const uint8_t rank[256], const uint8_t *const *pixel, int32_t step,
                    uint32_t pixels, uint32_t inputs, uint64_t *input)
{
    /* Pixels whose last one is the input before: of four that follow one another each has words of its own,
     * as many are alike, and would wait for the one before. */
    uint64_t last[MOST_THRESHOLDS + 1][4];
    uint64_t bit = 1;
    uint64_t ones = 0;
    uint32_t p = 0;

    memset(last, 0, (inputs + 1) * sizeof last[0]);
    for (; p + 4 <= pixels; p += 4, bit <<= 4) {
        last[rank[pixel[p][step]]][0] |= bit;
        last[rank[pixel[p + 1][step]]][1] |= bit << 1;
        last[rank[pixel[p + 2][step]]][2] |= bit << 2;
        last[rank[pixel[p + 3][step]]][3] |= bit << 3;
    }
    for (; p < pixels; p++, bit <<= 1) {
        last[rank[pixel[p][step]]][0] |= bit;
    }
    for (uint32_t k = inputs; k > 0; k--) {
        ones |= last[k][0] | last[k][1] | last[k][2] | last[k][3];
        input[k - 1] = ones;
    }
}

void lutgen_evaluate(const struct lutgen_circuit *circuit, const struct lutgen_around *around,
                     uint64_t *word)
{
    word[0] = 0;
    word[1] = ~(uint64_t)0;
    for (uint32_t f = 0; f < circuit->features; f++) {
        const uint32_t first = circuit->first[f];
        const uint32_t inputs = circuit->first[f + 1] - first;

        if (inputs) {
            compare(circuit->rank[f], around->pixel, around->step[f], around->count, inputs,
                    word + 2 + first);
        }
    }
    for (uint32_t k = 0; k < circuit->parts; k++) {
        circuit->part[k](word);
    }
}

/* Rows of 8 bits, a byte each, become columns. */
static uint64_t transposed(uint64_t bits)
{
    uint64_t swap = (bits ^ bits >> 7) & 0x00aa00aa00aa00aau;

    bits ^= swap ^ swap << 7;
    swap = (bits ^ bits >> 14) & 0x0000cccc0000ccccu;
    bits ^= swap ^ swap << 14;
    swap = (bits ^ bits >> 28) & 0x00000000f0f0f0f0u;
    return bits ^ swap ^ swap << 28;
}

/* Numbers from the words of their bits, lowest first. */
static void numbers_of(const uint64_t *word, uint32_t words, uint32_t number[LUTGEN_WORD])
{
    memset(number, 0, LUTGEN_WORD * sizeof number[0]);
    for (uint32_t first = 0; first < words; first += BITS_OF_BYTE) {
        const uint32_t left = words - first;
        const uint32_t bits = left < BITS_OF_BYTE ? left : BITS_OF_BYTE;

        for (uint32_t p = 0; p < LUTGEN_WORD; p += BITS_OF_BYTE) {
            uint64_t square = 0;

            for (uint32_t k = 0; k < bits; k++) {
                square |= (word[first + k] >> p & 255u) << BITS_OF_BYTE * k;
            }
            square = transposed(square);
            for (uint32_t k = 0; k < BITS_OF_BYTE; k++) {
                number[p + k] |= (uint32_t)(square >> BITS_OF_BYTE * k & 255u) << first;
            }
        }
    }
}

void lutgen_outputs_as_number(const uint64_t *word, const uint32_t *output, uint32_t outputs,
                              uint32_t number[LUTGEN_WORD])
{
    uint64_t bits[MOST_PLANES_OF_COUNT];

    for (uint32_t k = 0; k < outputs; k++) {
        bits[k] = word[output[k]];
    }
    numbers_of(bits, outputs, number);
}

void lutgen_outputs_that_are_set(const uint64_t *word, const uint32_t *output, uint32_t outputs,
                                 uint32_t count[LUTGEN_WORD])
{
    uint64_t bits[MOST_PLANES_OF_COUNT] = {0}; /* of the counts: outputs are at most 2^20 */
    uint32_t used = 0;

    for (uint32_t k = 0; k < outputs; k++) {
        uint64_t carry = word[output[k]];

        for (uint32_t n = 0; carry; n++) {
            const uint64_t both = bits[n] & carry;

            bits[n] ^= carry;
            carry = both;
            used = n < used ? used : n + 1;
        }
    }
    numbers_of(bits, used, count);
}
