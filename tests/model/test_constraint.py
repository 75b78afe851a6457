from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.model.constraint import CANDIDATES, candidate_base, candidate_bounds, exponents
from lutgen.model.pyramid import pool
from tests.models import random_head

base_of = candidate_base.py_func
EXTREMES = [0, 1, 2, 3, 4, 127, 128, 251, 252, 253, 254, 255]


def bounds_of(exponent, base):
    bounds = np.empty(CANDIDATES + 1, dtype=np.int64)
    candidate_bounds(np.asarray(exponent, dtype=np.uint8), base, bounds)
    return bounds.tolist()


def naive(exponent, base):
    """The definition in the module's docstring, in numbers of any size."""
    inside = [0 <= base + k <= 255 for k in range(4)]
    values = [int(exponent[base + k]) if inside[k] else None for k in range(4)]
    greatest = max(v for v in values if v is not None)
    weights = [0 if v is None else 2 ** (11 - min(11, greatest - v)) for v in values]
    while sum(weights) <= 2**13:
        weights = [2 * w for w in weights]
    lack, counts = 2**14 - sum(weights), [sum(weights[:k]) for k in range(5)]
    return [c + min(c, lack) for c in counts]


def test_candidates_are_all_values_that_the_average_leaves():
    rng = np.random.default_rng(0)
    known = [*rng.integers(0, 256, (200, 3)).tolist(), *(
        [a, b, c] for a in EXTREMES for b in EXTREMES for c in EXTREMES
    )]  # fmt: skip
    x = np.arange(256, dtype=np.uint8)
    for three in known:
        blocks = np.empty((256, 2, 2), dtype=np.uint8)
        blocks.reshape(256, 4)[:, :3] = three
        blocks[:, 1, 1] = x
        parents = pool(blocks)[:, 0, 0]
        for parent in np.unique(parents).tolist():
            base = base_of(parent, sum(three))
            wanted = x[parents == parent].tolist()
            assert [v for v in range(base, base + 4) if 0 <= v <= 255] == wanted


@pytest.mark.parametrize(("parent", "known", "base"), [(0, 765, -3), (255, 0, 255)])
def test_damaged_blocks_have_a_candidate(parent, known, base):
    assert base_of(parent, known) == base


def test_exponents_are_nearest():
    head = random_head(np.random.default_rng(1), 5)
    found = exponents(head.cumulative)
    assert found.dtype == np.uint8 and found.shape == (5, 256)
    freq = np.diff(head.cumulative, axis=1)
    for f, e in zip(freq.ravel().tolist(), found.ravel().tolist(), strict=True):
        assert abs(2**e - f) == min(abs(2**k - f) for k in range(15))
    cumulative = np.cumsum([[0, 1, 2, 3, 4, 5, 6, 11, 12, 16, 23, 24, 16384 - 107]], axis=1)
    wanted = [0, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 14]
    assert exponents(cumulative)[0].tolist() == wanted


@settings(deadline=None)
@given(st.lists(st.integers(0, 14), min_size=256, max_size=256), st.integers(-3, 255))
def test_bounds(exponent, base):
    bounds = bounds_of(exponent, base)
    assert bounds == naive(exponent, base)
    assert bounds[0] == 0 and bounds[4] == 1 << 14
    for k, freq in enumerate(np.diff(bounds).tolist()):
        assert freq >= 2 if 0 <= base + k <= 255 else freq == 0


def test_bounds_are_literal():
    """A change here is a new version of the format."""
    exponent = np.zeros(256, dtype=np.uint8)
    exponent[:8] = [0, 14, 13, 10, 3, 3, 3, 2]
    assert bounds_of(exponent, -3) == [0, 0, 0, 0, 16384]
    assert bounds_of(exponent, -2) == [0, 0, 0, 8, 16384]
    assert bounds_of(exponent, 1) == [0, 11772, 15868, 16380, 16384]
    assert bounds_of(exponent, 4) == [0, 6144, 10240, 14336, 16384]
    assert bounds_of(exponent, 253) == [0, 8192, 12288, 16384, 16384]


def test_frequencies_are_near_the_tables():
    """Twice too much at most for the mapping, and the rounding to powers of two."""
    head = random_head(np.random.default_rng(2), 20)
    found, freq = exponents(head.cumulative), np.diff(head.cumulative, axis=1)
    for row in range(20):
        for base in range(-3, 256):
            inside = slice(max(base, 0), min(base + 4, 256))
            ideal = freq[row, inside] / freq[row, inside].sum()
            coded = [f / 2**14 for f in np.diff(bounds_of(found[row], base)).tolist() if f]
            loss = sum(p * log2(p / q) for p, q in zip(ideal, coded, strict=True))
            assert loss < 0.25
