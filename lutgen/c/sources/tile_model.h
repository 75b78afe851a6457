/* Tables of a model that codes tiles, as `lutgen c` writes them; lutgen/model/model.py. */
#ifndef LUTGEN_TILE_MODEL_H
#define LUTGEN_TILE_MODEL_H

#include "model.h"

enum {
    LUTGEN_SYMBOLS = 256,
    LUTGEN_SYMBOL_BITS = 8,
    LUTGEN_LOCATIONS = 512, /* of a Laplace head: classes of a scale */
    LUTGEN_MOST_WINDOW = 49, /* features */
    LUTGEN_BLOCK = 4         /* pixels that an upsampler makes of one */
};

/* Computes words from others. */
typedef void (*lutgen_compute)(uint64_t *word);

/* A network of look-up tables as operations on words, lutgen/c/word_program.py.  Word 0 holds zeros,
 * word 1 ones; then come the inputs by feature and threshold, then what functions keep. */
struct lutgen_circuit {
    uint32_t features;
    uint32_t parts;
    uint32_t words;
    const uint32_t *first;      /* input of each feature, and one more */
    const uint8_t (*rank)[256]; /* of a feature's inputs so many are 1, by its value */
    const lutgen_compute *part; /* functions that are called one after the other */
};

/* Three tests of a walk through a tree of contexts, lutgen/model/walker.py. */
struct lutgen_record {
    uint8_t feature[3];
    uint8_t threshold[3];
    uint16_t child[4]; /* group of the next stage's records, or, in the last stage, class */
};

struct lutgen_tile_model {
    /* The window: rows and columns of its features from the pixel. */
    uint8_t features;
    uint8_t causal; /* features that are pixels of the level; the others are of its prior */
    const int8_t (*offset)[2];
    struct lutgen_circuit circuit;
    /* A table head takes the first group of outputs as a number, a Laplace head counts both. */
    uint32_t outputs[2];
    const uint32_t *output; /* words */
    uint8_t stages; /* of the walker */
    const uint32_t *stage;
    const struct lutgen_record *record;
    uint32_t classes; /* of a table head, else 0 */
    const uint16_t (*cumulative)[LUTGEN_SYMBOLS + 1];
    const uint8_t (*guess)[1 << LUTGEN_GUESS_BITS]; /* symbol of the first slot of many */
    /* A Laplace head, by the ones of its groups, and its distributions by scale. */
    const uint16_t *location;
    const uint8_t *scale;
    const uint16_t (*distribution)[2 * LUTGEN_LOCATIONS];
    /* The pyramid. */
    uint8_t levels;
    uint8_t constraint; /* whether the last pixel of a block is coded among four */
    uint8_t border;     /* pixels that window and upsampler reach to each side */
    uint8_t square;     /* features of the upsampler */
    const int8_t (*square_offset)[2];
    struct lutgen_circuit upsampler;
    uint32_t ones[LUTGEN_BLOCK]; /* outputs of each pixel of a block */
    const uint32_t *square_output;
    const uint8_t *square_value; /* pixel by ones that are set; all four one after the other */
};

#endif
