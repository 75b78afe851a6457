/* Payloads of units whose tokens are coded by tANS; lutgen/codec/predictive/tans_coder.py. */
#ifndef LUTGEN_TOKEN_TANS_H
#define LUTGEN_TOKEN_TANS_H

#include "row_coder.h"
#include "tans.h"

enum { LUTGEN_TOKEN_BITS = 6 /* of a token behind its escape */ };

/* Tables of all rows of a model's planes, one plane after the other. */
struct lutgen_token_tans {
    struct lutgen_tans tables; /* without bits if the coder is rANS */
    const struct lutgen_model *model;
    uint32_t first_row[LUTGEN_MOST_PLANES];
};

/* As lutgen_place_tans, of 2^coder states, or none. */
uint64_t lutgen_place_token_tans(const struct lutgen_model *model, uint32_t coder, uint8_t *base,
                                 struct lutgen_token_tans *tans);

/* A row of a plane's tables as one number. */
enum { PLANE_AT = 16 };

static inline uint32_t row_of_plane(uint32_t plane, uint32_t row)
{
    return plane << PLANE_AT | row;
}

/* One sample's folded residual, whose token is of row `row_of_plane`. */
uint32_t lutgen_next_tans_residual(const struct lutgen_token_tans *tans, uint32_t row,
                                   struct lutgen_bits *bits, uint32_t *state);

/* Code a unit; its codes are what `row_of_plane` gives, the rest is as lutgen_write_payloads has it. */
void lutgen_write_tans_payload(const struct lutgen_token_tans *tans,
                               struct lutgen_payload *payload);

#endif
