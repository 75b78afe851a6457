import numpy as np
import pytest

from lutgen.codec.lossy.model import FAR_CLASS, RAW_CLASS, format_tables
from lutgen.codec.lossy.residuals import GREATEST, ResidualTables
from lutgen.training.loclic.rounding import residual_bits, thrifty_residuals

TABLES = ResidualTables(format_tables(), far=FAR_CLASS, raw=RAW_CLASS)
BITS = residual_bits(TABLES)


def test_bits_are_those_of_the_tables():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 64, 500)
    residuals = rng.integers(-3, 4, 500)
    symbols = TABLES.symbols(classes, residuals)
    kept = symbols != 255
    expected = TABLES.tables.code_length(classes[kept], symbols[kept])
    assert np.allclose(BITS[classes[kept], residuals[kept] + 127], expected, atol=1e-4)
    # One that escapes costs more than any that does not.
    assert BITS[0, 127 + 3] > 14


def test_no_thrift_is_rounding():
    exact = np.array([-1.5, -0.5, -0.4, 0.0, 0.5, 2.49, 1e9, -1e9])
    found = thrifty_residuals(exact, np.zeros(8, dtype=np.int64), BITS, 0.0)
    assert found.tolist() == [-1, 0, 0, 0, 1, 2, GREATEST, -GREATEST]


def test_thrift_goes_one_step_towards_zero_where_it_pays():
    rng = np.random.default_rng(1)
    exact = rng.normal(0, 2, 4000)
    classes = rng.integers(0, 64, 4000)
    plain, thrifty = (thrifty_residuals(exact, classes, BITS, t) for t in (0.0, 1.0))
    away = np.abs(plain) - np.abs(thrifty)
    assert set(away.tolist()) == {0, 1}
    assert (np.sign(thrifty) * np.sign(plain) >= 0).all()

    def cost(residuals):
        bits = BITS[classes, residuals + 127]
        return (exact - residuals) ** 2 + 2 * np.log(2) / 12 * bits

    assert np.allclose(cost(thrifty), np.minimum(cost(plain), cost(plain - np.sign(plain))))


@pytest.mark.parametrize("scale_class", [0, 5])
def test_a_narrow_class_wants_zero(scale_class):
    exact = np.array([0.55])
    found = thrifty_residuals(exact, np.array([scale_class]), BITS, 1.0)
    assert found[0] == 0
    assert thrifty_residuals(np.array([0.99]), np.array([40]), BITS, 1.0)[0] == 1
