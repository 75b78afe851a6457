/* lanes_body.h for processors with SSE4.1, which is asked for at run time. */

#include "lanes.h"

#ifdef LUTGEN_SSE41

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("sse4.1")
#endif

#include "vectors_sse41.h"
#include "lanes_vectors.h"

const struct lutgen_lanes_functions lutgen_lanes_sse41 =
    LANES_FUNCTIONS(lutgen_write_payloads_portable);

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
