/* What encoder and decoder compute alike for one sample: features, predictor, trees, table row;
 * lutgen/codec/predictive/kernel.py.
 *
 * `lanes.h` has the same for many samples at once. */
#ifndef LUTGEN_PREDICT_H
#define LUTGEN_PREDICT_H

#include "model.h"
#include "reference.h"

enum {
    OCTAVE_BITS = 4,      /* a logarithm has 16 steps in an octave */
    LEAST_EXPONENT = 7,   /* of the scale */
    SCALE_STEP = 2,       /* steps of a class's logarithm in one of the scale's */
    CLASS_BITS = 3,       /* a class is a quarter of an octave */
    COEFFICIENT_BITS = 7, /* a coefficient is in 1/128 */
    CORRECTION_BITS = 6,  /* a correction is in 1/64 of the power of two above the spread */
    RECIPROCAL_BITS = 16
};

/* What a file's samples are, and what follows from it. */
struct lutgen_samples {
    int32_t depth;
    int32_t maximum;     /* greatest sample */
    int32_t step;        /* samples that share an index */
    int32_t most;        /* greatest index */
    int32_t reciprocal;  /* of the step */
    int32_t near_offset; /* what the scale of indices is below that of samples */
};

static inline struct lutgen_samples samples_of(uint32_t depth, uint32_t max_error)
{
    struct lutgen_samples samples;

    samples.depth = (int32_t)depth;
    samples.maximum = (int32_t)(1u << depth) - 1;
    samples.step = 2 * (int32_t)max_error + 1;
    samples.most = (samples.maximum + (int32_t)max_error) / samples.step;
    samples.reciprocal = ((1 << RECIPROCAL_BITS) + (samples.step >> 1)) / samples.step;
    samples.near_offset =
        SCALE_STEP * (log2_of((uint32_t)samples.step << 4) - (4 << OCTAVE_BITS));
    return samples;
}

/* S of a sample. */
static inline uint32_t scale_of(const struct lutgen_tables *tables,
                                const int32_t *quantity)
{
    uint32_t scale = tables->least;

    for (unsigned k = 0; k < tables->weights; k++) {
        const struct lutgen_weight *w = &tables->weight[k];

        scale += w->weight * (uint32_t)absolute(quantity[w->minuend] - quantity[w->subtrahend]);
    }
    return scale;
}

/* Features `begin` to `end`, which are differences divided by the scale. */
static inline void fill_differences(const struct lutgen_tables *tables, unsigned begin,
                                    unsigned end, const int32_t *quantity,
                                    int32_t shift, uint8_t feature[LUTGEN_MOST_FEATURES])
{
    for (unsigned j = begin; j < end; j++) {
        const struct lutgen_feature *f = &tables->feature[j];
        int32_t total = 0;

        for (unsigned k = f[0].first; k < f[1].first; k++) {
            const int32_t d = quantity[tables->term[k][0]] - quantity[tables->term[k][1]];

            total += f->absolute ? absolute(d) : d;
        }
        total = total * (1 << f->gain) >> shift; /* 8 terms of 21 bits, 7 of the gain */
        feature[j] = (uint8_t)(f->absolute ? clamped(total, 0, 255)
                                           : clamped(total, -128, 127) + 128);
    }
}

/* Leaf of a sample whose early features are known. */
static inline unsigned leaf_of(const struct lutgen_tables *tables,
                               const uint8_t feature[LUTGEN_MOST_FEATURES])
{
    int node = tables->nodes ? 0 : -1;

    while (node >= 0) {
        node = tables->child[node][feature[tables->node[node][0]] > tables->node[node][1]];
    }
    return (unsigned)(-1 - node);
}

/* Where a quantity's coefficient stands among the taps of a leaf: four rows of eight columns, as in
 * the picture; the sample itself would be in the first row's column 3. */
static const uint8_t lutgen_tap_place[Q_NNNE - Q_W + 1] = {
    2, 1, 0, 11, 10, 9, 8, 12, 13, 14, 19, 18, 17, 20, 21, 27, 26, 28,
};

/* The same of a reference plane's; the sample at the place is in the first row's column 3. */
static const uint8_t lutgen_reference_tap_place[LEVELS_OF_ONE] = {3, 2, 4, 11, 10, 12, 1, 5, 19};

/* First prediction, in 1/8, of a sample between 0 and the greatest one, or of its difference to
 * `level`. */
static inline int32_t first_prediction(const struct lutgen_tables *tables, unsigned leaf,
                                       const int32_t *quantity, int32_t level, int32_t maximum)
{
    int64_t total = (1 << (COEFFICIENT_BITS - 1)) + (int64_t)tables->median[leaf] * quantity[Q_MED];

    for (unsigned k = 0; k <= Q_NNNE - Q_W; k++) {
        total += (int64_t)tables->taps[leaf][lutgen_tap_place[k]] * quantity[Q_W + k];
    }
    for (unsigned r = 0; r < tables->references; r++) {
        const int16_t *taps = tables->reference_taps[leaf][r];
        const int32_t *others = quantity + QUANTITIES + r * OF_ONE;

        for (unsigned k = 0; k < LEVELS_OF_ONE; k++) {
            total += (int64_t)taps[lutgen_reference_tap_place[k]] * others[k];
        }
        total += (int64_t)tables->reference_error[leaf][r] * others[R_ERROR];
    }
    /* At most 39 products of 8 and 20 bits: 34 bits, less the 7 of the coefficients. */
    return clamped((int32_t)(total >> COEFFICIENT_BITS), -level,
                   (maximum << FRACTION_BITS) - level);
}

/* Sum of the trees `begin` to `end`. */
static inline int32_t tree_sum(const struct lutgen_tables *tables, unsigned begin, unsigned end,
                               const uint8_t feature[LUTGEN_MOST_FEATURES])
{
    int32_t total = 0;

    for (unsigned t = begin; t < end; t++) {
        const struct lutgen_tree *tree = &tables->tree[t];
        unsigned address = 0;

        for (unsigned p = 0; p < LUTGEN_PINS; p++) {
            address |= (unsigned)(feature[tree->feature[p]] > tree->threshold[p]) << p;
        }
        total += tables->value[t][address];
    }
    return total;
}

/* What is known of a sample before it is coded. */
struct lutgen_prediction {
    int32_t first; /* first prediction, in 1/8, of a sample less its level */
    int32_t level;
    int32_t whole; /* nearest index of the corrected one */
    int32_t rest;  /* in 1/8 */
    uint32_t row;  /* of the token tables */
};

/* Where a corrected prediction points. */
static inline void aim(const struct lutgen_tables *tables, const struct lutgen_samples *samples,
                       int32_t final, int32_t scale, int plain, struct lutgen_prediction *out)
{
    int32_t class;

    if (samples->step > 1) {
        final = (int32_t)(((int64_t)final * samples->reciprocal + (1 << (RECIPROCAL_BITS - 1))) >>
                          RECIPROCAL_BITS);
        scale -= samples->near_offset;
    }
    out->whole = (final + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
    out->rest = final - (out->whole << FRACTION_BITS);
    if (out->whole > samples->most) {
        out->whole = samples->most;
        out->rest = 0;
    }
    class = clamped((scale - tables->origin) >> CLASS_BITS, 0, tables->classes - 1);
    out->row = (uint32_t)(class * LUTGEN_TABLES +
                          (plain ? 2 : out->rest < -1 || out->rest > 1));
}

/* Predict a sample from the quantities around it. */
static inline void predict(const struct lutgen_tables *tables, const struct lutgen_samples *samples,
                           int32_t *quantity, struct lutgen_prediction *out)
{
    uint8_t feature[LUTGEN_MOST_FEATURES];
    const int plain = samples->step == 1 && is_plain(quantity);
    const int32_t level = level_of(quantity, tables->references);
    const int32_t most = samples->maximum << FRACTION_BITS;
    const int32_t logarithm = log2_of(scale_of(tables, quantity));
    const int32_t shift = (logarithm >> OCTAVE_BITS) - LEAST_EXPONENT;
    const unsigned trees = (unsigned)tables->corrections + tables->scales;
    int32_t final;
    int32_t scale;

    fill_differences(tables, tables->part[0], tables->part[1], quantity, shift, feature);
    for (unsigned j = tables->part[1]; j < tables->part[2]; j++) {
        feature[j] = (uint8_t)(tables->feature[j].changes
                                   ? changes(quantity)
                                   : lesser((logarithm - (LEAST_EXPONENT << OCTAVE_BITS)) >> 1,
                                            255));
    }
    /* The median of differences need not be one of this sample. */
    quantity[Q_P] = plain ? clamped(quantity[Q_MED], -level, most - level)
                          : first_prediction(tables, leaf_of(tables, feature), quantity, level,
                                             samples->maximum);
    fill_differences(tables, tables->part[2], tables->part[3], quantity, shift, feature);
    for (unsigned j = tables->part[3]; j < tables->part[4]; j++) {
        feature[j] = (uint8_t)(((quantity[Q_P] + level) << 7) >> (samples->depth + FRACTION_BITS));
    }
    out->first = quantity[Q_P];
    out->level = level;
    final = quantity[Q_P] + level;
    scale = SCALE_STEP * logarithm + tree_sum(tables, tables->corrections, trees, feature);
    if (!plain) {
        const int64_t correction = tree_sum(tables, 0, tables->corrections, feature);
        const int64_t moved = final + (correction * ((int64_t)1 << shift) >> CORRECTION_BITS);

        final = moved < 0 ? 0 : moved > most ? most : (int32_t)moved;
    }
    aim(tables, samples, final, scale, plain, out);
}

#endif
