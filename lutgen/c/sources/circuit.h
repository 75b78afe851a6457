/* Networks of look-up tables for 64 pixels at once: a word holds a bit of each of them;
 * lutgen/model/bitslice.py. */
#ifndef LUTGEN_CIRCUIT_H
#define LUTGEN_CIRCUIT_H

#include "tile_model.h"

enum { LUTGEN_WORD = 64 };

/* Compute the registers of a network from the features of so many pixels. */
void lutgen_evaluate(const struct lutgen_circuit *circuit, const uint8_t (*feature)[LUTGEN_WORD],
                     uint32_t pixels, uint64_t *word);

/* Of each pixel: the outputs as a number, the first one the lowest bit; at most 16. */
void lutgen_outputs_as_number(const uint64_t *word, const uint32_t *output, uint32_t outputs,
                              uint32_t number[LUTGEN_WORD]);

/* Of each pixel: how many of the outputs are 1. */
void lutgen_outputs_that_are_set(const uint64_t *word, const uint32_t *output, uint32_t outputs,
                                 uint32_t count[LUTGEN_WORD]);

#endif
