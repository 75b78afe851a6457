"""What nodes are judged by, against sums that are made in the plain way."""

import numpy as np
import pytest

from lutgen.training.polish import kernels

WINDOWS = 500


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def gained(index, stakes):
    """Least sum of stakes at which some table gives 1."""
    sums = np.bincount(index, stakes, 64)
    return np.minimum(sums, 0).sum()


def test_sums_and_their_squares(rng):
    index = rng.integers(0, 64, WINDOWS).astype(np.uint8)
    stakes = rng.normal(size=WINDOWS).astype(np.float32)
    sums, squares = kernels.sums(index, stakes)
    np.testing.assert_allclose(sums, np.bincount(index, stakes, 64), atol=1e-5)
    np.testing.assert_allclose(squares, np.bincount(index, stakes**2, 64), atol=1e-5)


def test_best_signal_is_the_best_of_all_tables(rng):
    index = rng.integers(0, 64, WINDOWS).astype(np.uint8)
    bits = rng.integers(0, 2, WINDOWS).astype(np.uint8)
    stakes = rng.normal(size=WINDOWS).astype(np.float32)
    found = kernels.best_signal(kernels.signal_sums(index, bits, stakes))
    for pin in range(6):
        moved = index & (63 ^ 1 << pin) | bits << pin
        np.testing.assert_allclose(found[pin], gained(moved, stakes), atol=1e-5)
        changed = index.copy()
        kernels.change_pin(changed, pin, bits, 0)
        np.testing.assert_array_equal(changed, moved)


def test_best_threshold_is_the_best_of_255(rng):
    index = rng.integers(0, 64, WINDOWS).astype(np.uint8)
    values = rng.choice([0, 1, 7, 80, 200, 254, 255], WINDOWS).astype(np.uint8)
    stakes = rng.normal(size=WINDOWS).astype(np.float32)
    allowed = np.ones(255, dtype=np.bool_)
    allowed[80] = allowed[200] = False
    totals = kernels.threshold_sums(index, values, stakes)
    where, found = kernels.best_threshold(totals, allowed)
    assert allowed[where].all()
    for pin in range(6):
        by_threshold = {
            t: gained(index & (63 ^ 1 << pin) | (values > t).astype(np.uint8) << pin, stakes)
            for t in np.flatnonzero(allowed).tolist()
        }
        np.testing.assert_allclose(found[pin], min(by_threshold.values()), atol=1e-5)
        np.testing.assert_allclose(by_threshold[where[pin]], min(by_threshold.values()), atol=1e-5)


def test_saving_is_what_windows_pay_less(rng):
    index, later = rng.integers(0, 64, (2, WINDOWS)).astype(np.uint8)
    table, new = rng.integers(0, 2, (2, 64)).astype(np.uint8)
    stakes = rng.normal(size=WINDOWS).astype(np.float32)
    step = new[later].astype(int) - table[index]
    saved, variance = kernels.saving(index, table, later, new, stakes)
    np.testing.assert_allclose(saved, -(step * stakes).sum(), atol=1e-4)
    np.testing.assert_allclose(variance, (np.abs(step) * stakes**2).sum(), atol=1e-4)
