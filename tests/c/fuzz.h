/* What targets for libFuzzer and AFL++ share.  `python -m tests.c.seeds OUT` writes the library and
 * seeds, docs/c.md says how to run them.
 *
 * With -DSTANDALONE a target is a program that takes files of a corpus, one after the other. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "lutgen.h"
#include "lutgen_models.h"

enum { MOST_BYTES = 1 << 18 }; /* of samples: more only take longer */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of an input, from malloc, with a header that is a model's: chance finds no hash.  The first
 * byte of the hash chooses the model.  If the last byte is odd, the checksum of the last strip is
 * made right, too. */
uint8_t *fuzz_file(const uint8_t *data, size_t size, const struct lutgen_model **model);

#endif
