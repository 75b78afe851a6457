/* lanes_body.h in plain C, where no vectors are known. */

#include "lanes.h"

#ifdef LUTGEN_PLAIN

#include <float.h>
#include <string.h>

#define LANES 16

/* For functions whose sums the compiler shall not put together to vectors. */
#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR __attribute__((optimize("no-tree-slp-vectorize")))
#else
#define SCALAR
#endif

#define FIND_TOKEN find_token
#define COPY_LANES(to, from) memcpy(to, from, sizeof(to))

#include "lanes_kinds.h"

const struct lutgen_lanes_functions lutgen_lanes_portable =
    LANES_FUNCTIONS(lutgen_write_payloads_portable);

#endif
