/* All models of this library, by name. */
#ifndef LUTGEN_MODELS_H
#define LUTGEN_MODELS_H

#include "lutgen.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lutgen_named_model {
    const char *name;
    const struct lutgen_model *model;
};

extern const struct lutgen_named_model lutgen_models[];
extern const size_t lutgen_models_count;

#ifdef __cplusplus
}
#endif

#endif
