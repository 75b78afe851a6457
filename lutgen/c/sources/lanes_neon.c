/* lanes_body.h for 64-bit ARM, all of which have NEON. */

#include "lanes.h"

#ifdef LUTGEN_NEON

#include "vectors_neon.h"
#include "lanes_vectors.h"

const struct lutgen_lanes_functions lutgen_lanes_neon =
    LANES_FUNCTIONS(lutgen_write_payloads_portable);

#endif
