/* Part of lanes_body.h: what is held of each lane, and which lanes have a sample. */

struct NAME(planes) {
    ELEMENT quantity[COLOUR ? ALL_QUANTITIES : QUANTITIES][LANES];
    int8_t feature[LUTGEN_MOST_FEATURES + 1][LANES]; /* less 128; the last is the least one */
    uint8_t leaf[2 * MOST_NODES + 1][LANES];         /* that a node leads to; then all leaves */
    ELEMENT correction[LANES];                       /* sums of trees */
    ELEMENT scale[LANES];                            /* what trees add to the logarithm */
    ELEMENT logarithm[LANES];
    ELEMENT plain[LANES];                            /* -1 or 0 */
    ELEMENT changes[LANES];
    ELEMENT limit[LANES];                            /* see measure */
    ELEMENT factor[LANES];                           /* of 32 bits: the shift */
    ELEMENT before[LANES];
    ELEMENT final[LANES];
    ELEMENT whole[LANES];
    ELEMENT rest[LANES];
    ELEMENT row[LANES];
    ELEMENT folded[LANES];
    ELEMENT sample[LANES];
    ELEMENT level[LANES]; /* what samples are above the values that are kept */
    uint32_t code[LANES]; /* of folded residuals, see code_of */
#ifndef LANE_VECTORS
    uint8_t address[MOST_TREES][LANES];
#endif
    int32_t unit[LANES];  /* two to the shift that divides features */
    ELEMENT exponent[LANES];
    int great;
    ELEMENT kept[PLANES][HISTORY + STEPS][LANES + BEFORE];
};

/* Rows of one block that are within the picture: `begin` to `end`, row k at column x - lag k. */
struct NAME(part) {
    uint32_t begin;
    uint32_t end;
    uint32_t x;
    uint32_t first; /* row of the strip that is row 0 */
};

/* Of `height` rows, each `lag` columns behind the one above, in blocks of `rows`: those of the block
 * that has begun last, then of the one before. */
static void NAME(active)(const struct lutgen_lanes *lanes, const struct lutgen_lane_clock *clock,
                         uint32_t lag, uint32_t rows, uint32_t height, struct NAME(part) part[2])
{
    const uint32_t width = lanes->plane.width;

    part[0].x = clock->x;
    part[0].first = clock->first;
    part[0].begin = clock->x >= width ? (clock->x - width) / lag + 1 : 0;
    part[0].end = clock->x / lag + 1;
    part[1].x = clock->x + lanes->period;
    part[1].first = clock->first - rows;
    part[1].begin = (part[1].x - width) / lag + 1;
    part[1].end = clock->first > 0 ? rows : 0;
    for (int n = 0; n < 2; n++) {
        const uint32_t left = height > part[n].first ? height - part[n].first : 0;
        const uint32_t most = left < rows ? left : rows;

        part[n].end = part[n].end < most ? part[n].end : most;
    }
}
