/* Part of lanes_body.h with AVX2: what folded residuals are coded as, see code_of. */

/* Eight lanes.  As a number of floating point, a residual has its leading one and the two bits below
 * it at the upper end. */
static inline void NAME(codes_of_eight)(const struct lutgen_tables *tables, __m256i folded,
                                        __m256i row, uint32_t *to)
{
    const __m256i exact = _mm256_cmpgt_epi32(_mm256_set1_epi32(EXACT), folded);
    const __m256i upper = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(folded)),
                                            23 - MANTISSA_BITS);
    const __m256i exponent = _mm256_srli_epi32(upper, MANTISSA_BITS);
    const __m256i raw = _mm256_andnot_si256(
        exact, _mm256_sub_epi32(exponent, _mm256_set1_epi32(127 + MANTISSA_BITS)));
    const __m256i above = _mm256_sub_epi32(
        upper, _mm256_set1_epi32(((127 + EXACT_BITS) << MANTISSA_BITS) - EXACT));
    const __m256i token = _mm256_blendv_epi8(above, folded, exact);
    const __m256i at = _mm256_add_epi32(
        _mm256_add_epi32(_mm256_slli_epi32(row, 6), row), token);

    store(to, codes_avx2(tables->cumulative[0], at, raw));
}

static void NAME(codes)(const struct lutgen_tables *tables, struct NAME(planes) *p)
{
    for (int l = 0; l < LANES; l += 8) {
#if NARROW
        const __m256i folded =
            _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p->folded + l)));
        const __m256i row =
            _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p->row + l)));
#else
        const __m256i folded = load(p->folded + l);
        const __m256i row = load(p->row + l);
#endif

        NAME(codes_of_eight)(tables, folded, row, p->code + l);
    }
}
