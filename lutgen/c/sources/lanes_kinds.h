/* lanes_body.h compiled for gray with quantities of 16 and of 32 bits, and for colour with those of 32
 * and, with vectors, of 16. */

#define ELEMENT int16_t
#define NARROW 1
#define COLOUR 0
#define NAME(x) x##_16
#include "lanes_body.h"
#undef COLOUR
#undef NAME

#ifdef LANE_VECTORS
#define COLOUR 1
#define NAME(x) x##_colour_16
#include "lanes_body.h"
#undef COLOUR
#undef NAME
#endif
#undef ELEMENT
#undef NARROW

#define COLOUR 0
#define ELEMENT int32_t
#define NARROW 0
#define NAME(x) x##_32
#include "lanes_body.h"
#undef COLOUR
#undef NAME

#define COLOUR 1
#define NAME(x) x##_colour
#include "lanes_body.h"
#undef NAME

#ifdef LANE_VECTORS
#define COLOUR_16(x) x##_colour_16
#else
#define COLOUR_16(x) NULL
#endif

/* What has room for each. */
union gray_planes {
    struct planes_16 narrow;
    struct planes_32 wide;
};

union colour_planes {
#ifdef LANE_VECTORS
    struct planes_colour_16 narrow;
#endif
    struct planes_colour wide;
};

union plans {
    struct plan_16 gray;
    struct plan_32 wide_gray;
#ifdef LANE_VECTORS
    struct plan_colour_16 colour;
#endif
    struct plan_colour wide_colour;
};

/* Functions of a variant, and what its planes and plans need. */
#define LANES_FUNCTIONS(write)                                                                     \
    {                                                                                              \
        .lanes = LANES,                                                                            \
        .gray_bytes = sizeof(union gray_planes),                                                   \
        .colour_bytes = sizeof(union colour_planes),                                               \
        .plan_bytes = sizeof(union plans),                                                         \
        .decode_16 = decode_16,                                                                    \
        .decode_32 = decode_32,                                                                    \
        .decode_colour_16 = COLOUR_16(decode),                                                     \
        .decode_colour = decode_colour,                                                            \
        .encode_16 = encode_16,                                                                    \
        .encode_32 = encode_32,                                                                    \
        .encode_colour_16 = COLOUR_16(encode),                                                     \
        .encode_colour = encode_colour,                                                            \
        .write_payloads = write,                                                                   \
    }
