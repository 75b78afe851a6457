/* Part of lanes_body.h with vectors: what folded residuals are coded as, see code_of. */

/* LANES_32 lanes.  As a number of floating point, a residual has its leading one and the two bits
 * below it at the upper end. */
static inline void NAME(codes_of_some)(const struct lutgen_tables *tables, vector folded,
                                       vector row, uint32_t *to)
{
    const vector exact = v_greater_32(v_all_32(EXACT), folded);
    const vector upper = v_shr_32(v_float_32(folded), 23 - MANTISSA_BITS);
    const vector exponent = v_shr_32(upper, MANTISSA_BITS);
    const vector raw = v_andnot(exact, v_sub_32(exponent, v_all_32(127 + MANTISSA_BITS)));
    const vector above =
        v_sub_32(upper, v_all_32(((127 + EXACT_BITS) << MANTISSA_BITS) - EXACT));
    const vector token = v_select(exact, folded, above);
    const vector at = v_add_32(v_add_32(v_shl_32(row, 6), row), token);
    const vector both = v_pairs_at(tables->cumulative[0], at);
    const vector start = v_and(both, v_all_32(0xffff));
    const vector less = v_add_32(start, v_all_32(1));
    const vector frequency = v_sub_32(v_shr_32(both, 16), less);

    v_store(to, v_or(v_or(start, v_shl_32(frequency, FREQUENCY_AT)), v_shl_32(raw, RAW_AT)));
}

static void NAME(codes)(const struct lutgen_tables *tables, struct NAME(planes) *p)
{
    for (int l = 0; l < LANES; l += LANES_32) {
#if NARROW
        const vector folded = v_load_wide(p->folded + l);
        const vector row = v_load_wide(p->row + l);
#else
        const vector folded = v_load(p->folded + l);
        const vector row = v_load(p->row + l);
#endif

        NAME(codes_of_some)(tables, folded, row, p->code + l);
    }
}
