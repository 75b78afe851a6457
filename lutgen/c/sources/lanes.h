/* Many rows of a strip side by side: one lane for each.
 *
 * In groups of four rows each row is four samples behind the one above.  Going on like this over
 * many groups, row k of a block is at column t - 4 k in step t, and nothing that it looks at is of
 * the same step.  So all rows of a block are predicted at once, by loops over lanes that compilers
 * make into vector instructions; only tokens are coded one by one, those of a group in their order.
 *
 * Blocks overlap: as soon as a lane's row has ended it turns to its row of the next block, while
 * lanes behind it are still in the one before.  So lanes wait at the top and the bottom of a strip
 * only.
 *
 * What is looked at stands in planes by step and lane: the sample above and c columns to the right
 * was kept 4 - c steps ago in the lane to the left.  Left of lane 0 stand the three rows above its
 * own, which the last lanes have put aside in lines.
 *
 * Of several channels each has lanes of its own, as it has a model of its own: row k of channel c
 * is at column t - 4 (C k + c).  Of the channel before it a row sees what was kept 4 steps ago.
 *
 * The code is in lanes_body.h, which is compiled for gray with quantities of 16 and of 32 bits, and
 * for colour with those of 32 and, with vectors, of 16: by lanes_vectors.h for processors with AVX2,
 * SSE4.1 or NEON, by lanes_portable.c for all others. */
#ifndef LUTGEN_LANES_H
#define LUTGEN_LANES_H

/* Functions of the headers become part of the code for a processor, so that it includes them itself. */
#include "unit.h"

/* Which code there is: LUTGEN_NO_AVX2 leaves that for AVX2 out, LUTGEN_PORTABLE that for vectors. */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(LUTGEN_PORTABLE)
#define LUTGEN_SSE41
#if !defined(LUTGEN_NO_AVX2)
#define LUTGEN_AVX2
#endif
#elif defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON) &&                          \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(LUTGEN_PORTABLE)
#define LUTGEN_NEON
#else
#define LUTGEN_PLAIN
#endif

enum {
    MOST_LANES = 32,          /* rows of pixels of a block; LANES of those are compiled for */
    MOST_ROWS = MOST_LANES * LUTGEN_MOST_PLANES,
    LEAST_LANE_WIDTH = 16,    /* in narrower strips a row ends before the third one below begins */
    BEFORE = 4,               /* places left of lane 0, of which three are used */
    STEPS = 64,               /* steps until the history is moved back to the front */
    LINES = 6,                /* rows above lane 0: three of samples, two of errors, an energy */
    SLOTS_MORE = 8,           /* groups that begin before the last ones of their lanes are coded */
    BESIDE = 3,               /* columns beyond either side of a row that are looked at */
    MOST_NODES = 255,         /* of a tree whose leaves have numbers of 8 bits */
    MOST_TREES = 128,
    MOST_WEIGHTS = 32,
    MOST_TERMS = 256,
    MOST_TAP_DEPTH = 14       /* of differences that are kept as taps, of 16 bits */
};

/* What loops over lanes read and write.  Clang 14 with -fsanitize=alignment crashes over an array. */
#if defined(__GNUC__)
#define ALIGNED(pointer) __builtin_assume_aligned(&(pointer)[0], 16)
#else
#define ALIGNED(pointer) (pointer)
#endif

/* A loop over lanes, which the compiler shall make into vector instructions and not unroll before:
 * what is written for one lane is read for no other. */
#if defined(__clang__)
/* With sanitizers it cannot, and says so of each. */
#pragma clang diagnostic ignored "-Wpass-failed"
#define EACH_LANE(l)                                                                               \
    _Pragma("clang loop vectorize(assume_safety) unroll(disable)") for (int l = 0; l < LANES; l++)
#elif defined(__GNUC__)
#define EACH_LANE(l) _Pragma("GCC unroll 1") _Pragma("GCC ivdep") for (int l = 0; l < LANES; l++)
#else
#define EACH_LANE(l) for (int l = 0; l < LANES; l++)
#endif

/* A loop over what is known to the compiler. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLLED _Pragma("GCC unroll 32")
#else
#define UNROLLED
#endif

/* What goes with a group of rows: its payload, or its folded residuals. */
struct lutgen_lane_group {
    struct lutgen_bits bits;
    uint32_t state;
    uint32_t plain; /* bits of a plain folded residual, or 0 */
    uint16_t *folded;
    uint32_t *code;
    size_t count; /* of folded residuals so far */
};

/* Where the rows of a plane, or of all planes in turn, are: row 0 of a block at column `x`. */
struct lutgen_lane_clock {
    uint32_t x;
    uint32_t first; /* row of the strip that is row 0 of the block */
};

/* One channel of a strip. */
struct lutgen_lane_channel {
    const struct lutgen_tables *tables;
    void *planes;              /* see lanes_planes.h */
    void *plan;
    void *line[LINES];         /* of `width` quantities */
    int16_t *taps[MOST_LANES]; /* of each lane: a row of what is kept of samples, less `bias` */
    struct lutgen_lane_clock clock;
    const struct lutgen_lane_channel *reference[LUTGEN_MOST_REFERENCES];
};

/* A strip that is being coded; all memory is the workspace's. */
struct lutgen_lanes {
    struct lutgen_lane_channel channel[LUTGEN_MOST_PLANES];
    struct lutgen_samples samples;
    int32_t bias;
    struct lutgen_plane plane;      /* the strip's samples */
    uint32_t period;                /* steps until a lane turns to its next row */
    uint32_t t;                     /* the next step, ... */
    uint32_t i;                     /* ... and its place in the planes */
    struct lutgen_lane_clock clock; /* of rows of all planes in turn */
    /* Groups that are being coded, group n in slot n % slots. */
    struct lutgen_lane_group group[MOST_ROWS / GROUP + SLOTS_MORE];
    uint32_t slots;
    /* Of each row of a block of all planes. */
    void *start[MOST_ROWS];
    uint8_t slot[MOST_ROWS];
    uint8_t channel_of[MOST_ROWS];
    uint8_t lane_of[MOST_ROWS];
};

/* What rows of taps have behind their last column. */
enum { TAP_PAD = 8 };

/* Code the strip up to a step, of gray with quantities of 16 bits or 32, or of several channels;
 * decoding returns 0 if a residual is out of its range. */
typedef int lutgen_lanes_code(struct lutgen_lanes *lanes, uint32_t end);

struct lutgen_lanes_functions {
    uint32_t lanes; /* 0 where there is no code for them */
    size_t gray_bytes; /* of planes, of gray and of each channel of several */
    size_t colour_bytes;
    size_t plan_bytes; /* of a channel */
    lutgen_lanes_code *decode_16;
    lutgen_lanes_code *decode_32;
    lutgen_lanes_code *decode_colour_16; /* or NULL */
    lutgen_lanes_code *decode_colour;
    lutgen_lanes_code *encode_16;
    lutgen_lanes_code *encode_32;
    lutgen_lanes_code *encode_colour_16;
    lutgen_lanes_code *encode_colour;
    lutgen_write_payloads *write_payloads;
};

extern const struct lutgen_lanes_functions lutgen_lanes_avx2;
extern const struct lutgen_lanes_functions lutgen_lanes_sse41;
extern const struct lutgen_lanes_functions lutgen_lanes_neon;
extern const struct lutgen_lanes_functions lutgen_lanes_portable;

/* The fastest that this processor has. */
const struct lutgen_lanes_functions *lutgen_lanes_best(void);

#endif
