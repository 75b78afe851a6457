/* Tables of a model, as `lutgen c` writes them; lutgen/model/predictive/{model,colour}.py. */
#ifndef LUTGEN_MODEL_H
#define LUTGEN_MODEL_H

#include "lutgen.h"

enum {
    LUTGEN_PINS = 6,           /* questions of a tree */
    LUTGEN_ENTRIES = 64,       /* numbers of a tree */
    LUTGEN_TOKENS = 64,
    LUTGEN_PROB_BITS = 14,     /* of cumulative frequencies */
    LUTGEN_GUESS_BITS = 6,     /* of a slot, that say where to look for its token */
    LUTGEN_MOST_FEATURES = 64,
    LUTGEN_TABLES = 3,         /* of a class: near a whole number, far from it, plain */
    LUTGEN_MOST_REFERENCES = 2 /* planes that a sample knows */
};

struct lutgen_weight {
    uint8_t weight;
    uint8_t minuend; /* quantities whose absolute difference is weighed */
    uint8_t subtrahend;
};

struct lutgen_feature {
    uint16_t first;  /* its first term, a difference of two quantities; the last is the next's */
    uint8_t absolute;
    uint8_t gain;    /* exponent of two */
    uint8_t changes; /* whether it counts changes between neighbours */
};

struct lutgen_tree {
    uint8_t feature[LUTGEN_PINS];
    uint8_t threshold[LUTGEN_PINS];
};

/* What predicts the samples of one plane.
 *
 * Features are numbered so that their kinds follow one another: part[0] to part[1] are the early
 * ones of differences, then come scale and changes, the late ones of differences, the level. */
struct lutgen_tables {
    uint8_t references;   /* planes before it that it knows, 0 to 2; see reference.h */
    uint8_t lane_depth;   /* up to this depth numbers of 32 bits hold all that is computed */
    uint8_t narrow_depth; /* and up to this one numbers of 16 bits hold features before the shift */
    uint16_t least;       /* scale without errors */
    int16_t origin;       /* logarithm of class 0 */
    uint16_t classes;
    uint16_t weights;
    uint16_t nodes; /* of the predictor's tree */
    uint16_t corrections;
    uint16_t scales; /* trees, which stand behind those of corrections */
    uint8_t part[5];
    const struct lutgen_weight *weight;
    const struct lutgen_feature *feature; /* one more than there are */
    const uint8_t (*term)[2];
    const uint8_t (*node)[2];       /* feature and threshold */
    const int16_t (*child)[2];      /* a later node, or -1 - leaf */
    const int16_t (*taps)[32];      /* of a leaf, see lutgen_tap_place */
    const int16_t *median;          /* of a leaf: coefficient of the median */
    /* Likewise those of reference planes, and of their errors at the place. */
    const int16_t (*reference_taps)[LUTGEN_MOST_REFERENCES][32];
    const int16_t (*reference_error)[LUTGEN_MOST_REFERENCES];
    const struct lutgen_tree *tree;
    const int8_t (*value)[LUTGEN_ENTRIES];
    const uint16_t (*cumulative)[LUTGEN_TOKENS + 1];
    const uint8_t (*guess)[1 << LUTGEN_GUESS_BITS]; /* token of the first slot of many */
};

enum { LUTGEN_MOST_PLANES = 4, LUTGEN_COLOURS = 3 };

/* Gray has one plane, colour three, a colour filter array four.  Alpha, the fourth plane of colour,
 * is predicted like the first. */
struct lutgen_model {
    uint8_t hash[8];
    const struct lutgen_profile *profile;
    const struct lutgen_tile_model *tiles; /* of models that code tiles; what follows is not theirs
                                              but for one plane */
    uint8_t planes;
    const struct lutgen_tables *plane[LUTGEN_MOST_PLANES]; /* those of a gray model are alike */
};

#endif
