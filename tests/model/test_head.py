import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.model.head import PROB_BITS, LaplaceHead, TableHead, round_pmf
from tests.models import random_head

TOTAL = 1 << PROB_BITS


def code_length(pmf, freq):
    return -(np.asarray(pmf) * np.log2(np.asarray(freq) / np.sum(freq))).sum()


@pytest.mark.parametrize("seed", range(30))
def test_rounding_is_optimal(seed):
    """Against every way to share 11 units out to 4 symbols."""
    rng = np.random.default_rng(seed)
    pmf = rng.dirichlet(np.full(4, 10.0 ** rng.uniform(-1.5, 1)))
    freq = round_pmf(pmf, 11)
    assert freq.sum() == 11 and freq.min() >= 1
    best = min(
        code_length(pmf, f) for f in itertools.product(range(1, 9), repeat=4) if sum(f) == 11
    )
    assert code_length(pmf, freq) <= best + 1e-12


@pytest.mark.parametrize("seed", range(10))
def test_no_unit_is_better_elsewhere(seed):
    """Full size: the cost is convex in each frequency, so this is the global optimum."""
    rng = np.random.default_rng(seed)
    pmf = rng.dirichlet(np.full(256, 10.0 ** rng.uniform(-2, 1)))
    freq = round_pmf(pmf, TOTAL).astype(float)
    gain = pmf * np.log1p(1 / freq)
    loss = np.where(freq > 1, pmf * np.log(freq / np.maximum(freq - 1, 1)), np.inf)
    loss[freq == 1] = np.inf
    assert gain.max() <= loss.min() + 1e-15


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=256, max_size=256))
def test_tables_add_up_and_leave_every_symbol_possible(counts):
    head = TableHead.from_counts([counts])
    assert head.classes == 1
    assert head.cumulative.dtype == np.int32 and head.cumulative.shape == (1, 257)
    assert head.cumulative[0, 0] == 0 and head.cumulative[0, -1] == TOTAL
    assert np.diff(head.cumulative).min() >= 1


def test_tables_of_known_counts():
    flat = np.ones(256)
    sure = np.zeros(256)
    sure[7] = 3
    head = TableHead.from_counts([np.zeros(256), flat, sure])
    freq = np.diff(head.cumulative, axis=1)
    assert (freq[:2] == 64).all()
    assert freq[2, 7] == TOTAL - 255 and freq[2].sum() == TOTAL


def test_code_length_of_a_table():
    head = random_head(np.random.default_rng(0), 5)
    classes = np.array([0, 4, 2, 3])
    symbols = np.array([0, 255, 17, 128], dtype=np.uint8)
    wanted = [
        14 - np.log2(float(head.cumulative[c, int(s) + 1] - head.cumulative[c, s]))
        for c, s in zip(classes, symbols, strict=True)
    ]
    np.testing.assert_allclose(head.code_length(classes, symbols), wanted)


ROW = np.arange(257) * 64
SHAPE = "cumulative frequencies must be of shape (1..4096, 257), not "
RISE = "cumulative frequencies must increase strictly from 0 to 16384 in every class"


def changed(at, value, dtype=np.int32):
    row = ROW.astype(dtype)
    row[at] = value
    return row[None]


def wrapping():
    """Differences that are positive in 32-bit arithmetic only."""
    row = np.linspace(0, (1 << 32) + TOTAL, 257).astype(np.int64).astype(np.uint32)
    row[-1] = TOTAL
    return row.view(np.int32)[None]


@pytest.mark.parametrize(("table", "message"), [
    (changed(0, 1), RISE),
    (changed(256, 16383), RISE),
    (changed(5, 4 * 64), RISE),
    (changed(5, -1), RISE),
    (changed(255, 16384), RISE),
    (wrapping(), RISE),
    (changed(5, (1 << 32) + 320, np.int64),
     "cumulative frequencies must be within -2147483648..2147483647"),
    (np.zeros((0, 257), np.int32), SHAPE + "(0, 257)"),
    (np.zeros((4097, 257), np.int32), SHAPE + "(4097, 257)"),
    (np.zeros((1, 256), np.int32), SHAPE + "(1, 256)"),
    (ROW, "cumulative frequencies must be a 2-dimensional integer array, not 1-dimensional int64"),
    (ROW[None] / 2,
     "cumulative frequencies must be a 2-dimensional integer array, not 2-dimensional float64"),
])  # fmt: skip
def test_tables_that_break_a_rule(table, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TableHead(table)


@pytest.mark.parametrize(("counts", "message"), [
    (np.ones(256), "counts must be of shape (classes, 256), not (256,)"),
    (np.ones((2, 255)), "counts must be of shape (classes, 256), not (2, 255)"),
    (np.full((1, 256), np.nan), "counts must be finite and not negative"),
    (np.full((1, 256), np.inf), "counts must be finite and not negative"),
    (np.full((1, 256), -1), "counts must be finite and not negative"),
])  # fmt: skip
def test_counts_that_break_a_rule(counts, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TableHead.from_counts(counts)


@pytest.fixture(scope="module")
def laplace():
    return LaplaceHead.from_scales(np.array([0.05, 0.7, 4, 30, 400]), 48, 20)


def test_laplace_tables_follow_the_formula(laplace):
    """start(x) = cdf[sigma, 2 x - 1 - mu + 512] + x, and 0 and 2**14 at the ends."""
    table = laplace.cumulative
    assert table.shape == (laplace.classes, 257) == (5 * 512, 257)
    for scale in range(5):
        for mu in (0, 1, 2, 255, 256, 509, 510):
            row = table[512 * scale + mu]
            assert row[0] == 0 and row[256] == TOTAL
            for x in (1, 2, 3, 127, 128, 254, 255):
                assert row[x] == laplace.cdf[scale, 2 * x - 1 - mu + 512] + x
    np.testing.assert_array_equal(table[511::512], table[510::512])
    TableHead(table)  # keeps the rules of a table


def test_laplace_probabilities_are_close_to_the_density(laplace):
    scale, twice_mu = 4.0, 201
    t = np.arange(257) - 0.5 - twice_mu / 2
    cdf = np.where(t < 0, 0.5 * np.exp(-abs(t) / scale), 1 - 0.5 * np.exp(-abs(t) / scale))
    cdf[0], cdf[-1] = 0, 1
    wanted = (np.diff(cdf) * (TOTAL - 256) + 1) / TOTAL
    freq = np.diff(laplace.cumulative[512 * 2 + twice_mu])
    assert abs(freq / TOTAL - wanted).max() <= 1.01 / TOTAL


def test_laplace_counts_span_the_range(laplace):
    assert laplace.mu[0] == 0 and laplace.mu[-1] == 510 and laplace.mu[24] == 255
    assert (np.diff(laplace.mu) > 0).all()
    assert sorted(set(laplace.sigma.tolist())) == [0, 1, 2, 3, 4]
    assert (np.diff(laplace.sigma) >= 0).all()
    classes = laplace.classify(np.array([0, 48, 24]), np.array([0, 20, 10]))
    assert classes.tolist() == [0, 4 * 512 + 510, 2 * 512 + 255]


def test_code_length_of_laplace(laplace):
    classes, symbols = np.array([3, 1300, 2559]), np.array([255, 0, 3], dtype=np.uint8)
    freq = np.diff(laplace.cumulative, axis=1)[classes, symbols]
    np.testing.assert_allclose(laplace.code_length(classes, symbols), 14 - np.log2(freq))


def parts(**changes):
    values = {
        "mu": np.array([0, 510]), "sigma": np.array([0, 1]),
        "cdf": np.zeros((2, 1024), np.int64),
    }  # fmt: skip
    return values | changes


def falling():
    cdf = np.full((2, 1024), 9)
    cdf[1, 1000] = 8
    return cdf


@pytest.mark.parametrize(("changes", "message"), [
    ({"mu": np.array([0, 511])}, "mu must have 2 to 4097 entries within 0..510"),
    ({"mu": np.array([-1, 510])}, "mu must have 2 to 4097 entries within 0..510"),
    ({"mu": np.array([0])}, "mu must have 2 to 4097 entries within 0..510"),
    ({"mu": np.zeros(4098, int)}, "mu must have 2 to 4097 entries within 0..510"),
    ({"mu": np.array([0.0, 1.0])},
     "mu must be a 1-dimensional integer array, not 1-dimensional float64"),
    ({"sigma": np.array([0, 2])}, "sigma must have 2 to 4097 entries within 0..1"),
    ({"sigma": np.array([-1, 0])}, "sigma must have 2 to 4097 entries within 0..1"),
    ({"sigma": np.zeros(0, int)}, "sigma must have 2 to 4097 entries within 0..1"),
    ({"cdf": np.zeros((2, 1023), int)}, "cdf must be of shape (1..256, 1024), not (2, 1023)"),
    ({"cdf": np.zeros((0, 1024), int)}, "cdf must be of shape (1..256, 1024), not (0, 1024)"),
    ({"cdf": np.zeros((257, 1024), int)}, "cdf must be of shape (1..256, 1024), not (257, 1024)"),
    ({"cdf": np.full((2, 1024), 16129)}, "cdf must never decrease and lie within 0..16128"),
    ({"cdf": np.full((2, 1024), -1)}, "cdf must never decrease and lie within 0..16128"),
    ({"cdf": falling()}, "cdf must never decrease and lie within 0..16128"),
])  # fmt: skip
def test_laplace_tables_that_break_a_rule(changes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        LaplaceHead(**parts(**changes))


@pytest.mark.parametrize("value", [0, 16128])
def test_extreme_laplace_tables_stay_codable(value):
    head = LaplaceHead(**parts(cdf=np.full((2, 1024), value)))
    TableHead(head.cumulative)
