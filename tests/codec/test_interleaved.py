"""Interleaved states, tables with an escape, residuals, the container and steps."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.codec.container import CorruptStreamError
from lutgen.codec.lossy.escape import ESCAPE, MOST, EscapeTables, gaussian_pmf, residual_frequencies
from lutgen.codec.lossy.interleaved import LANES, InterleavedDecoder, encode_interleaved
from lutgen.codec.lossy.loc_container import LocFile
from lutgen.codec.lossy.model import (  # fmt: skip
    FAR_CLASS,
    PRIOR_CLASS,
    RAW_CLASS,
    SCALES,
    format_tables,
    scale_table,
    scale_thresholds,
)
from lutgen.codec.lossy.residuals import GREATEST, ResidualReader, ResidualTables, ResidualWriter
from lutgen.codec.lossy.step import STEPS, nearest_step, step_of
from lutgen.codec.rans import CHECK_STATE, pop

TABLES = format_tables()
RESIDUALS = ResidualTables(TABLES, far=FAR_CLASS, raw=RAW_CLASS)


def draw(rng, count):
    """Classes and symbols as likely as the tables say."""
    classes = rng.integers(0, TABLES.classes, count)
    return classes, TABLES.slots[classes, rng.integers(0, 1 << 14, count)].astype(np.int64)


@pytest.mark.parametrize("count", [0, 1, LANES - 1, LANES, LANES + 1, 5000])
def test_round_trip(count):
    classes, symbols = draw(np.random.default_rng(count), count)
    payload = encode_interleaved(TABLES, classes, symbols)
    decoder = InterleavedDecoder(TABLES, payload)
    parts = np.split(classes, sorted({0, count // 3, count // 2, count}))
    assert np.array_equal(np.concatenate([decoder.decode(c) for c in parts]), symbols)
    decoder.finish()
    # States, and what the tables say but for half a percent.
    ideal = TABLES.code_length(classes, symbols).sum() + 16 * LANES + 1
    assert 8 * len(payload) <= 1.005 * ideal + 8 * (count > 0) * 4 + 8


def test_every_state_decodes_by_itself():
    """The stream as its description has it, without the compiled code."""
    classes, symbols = draw(np.random.default_rng(1), 200)
    payload = encode_interleaved(TABLES, classes, symbols)
    bits = "".join(f"{byte:08b}" for byte in payload)
    at = bits.index("1") + 1
    assert at <= 8
    states = [CHECK_STATE | int(bits[at + 16 * k : at + 16 * (k + 1)], 2) for k in range(LANES)]
    at += 16 * LANES
    for j, (row, symbol) in enumerate(zip(classes, symbols, strict=True)):
        low, high = (int(v) for v in TABLES.cumulative[row, symbol : symbol + 2])
        assert low <= states[j % LANES] % (1 << 14) < high
        state, count = pop.py_func(states[j % LANES], low, high - low)
        states[j % LANES] = state << count | int(bits[at : at + count] or "0", 2)
        at += count
    assert at == len(bits)
    assert states == [CHECK_STATE] * LANES


def test_the_format_is_frozen():
    classes, symbols = draw(np.random.default_rng(2), 3000)
    payload = encode_interleaved(TABLES, classes, symbols)
    assert hashlib.sha256(TABLES.cumulative.tobytes()).hexdigest()[:16] == "9a6d2ea8f2de64bf"
    assert hashlib.sha256(payload).hexdigest()[:16] == "930db37d03eae99a"


@settings(max_examples=200)
@given(st.binary(min_size=1, max_size=200), st.integers(0, 400))
def test_any_bytes_decode_to_something(payload, count):
    try:
        decoder = InterleavedDecoder(TABLES, payload)
    except CorruptStreamError:
        assert len(payload) < 51 or payload[0] == 0
        return
    assert decoder.decode(np.arange(count) % TABLES.classes).shape == (count,)


def test_damage_is_found():
    rng = np.random.default_rng(3)
    classes, symbols = draw(rng, 2000)
    payload = bytearray(encode_interleaved(TABLES, classes, symbols))
    missed = 0
    for at in rng.integers(0, len(payload), 200):
        damaged = bytearray(payload)
        damaged[at] ^= 1 << rng.integers(0, 8)
        try:
            decoder = InterleavedDecoder(TABLES, bytes(damaged))
            decoder.decode(classes)
            decoder.finish()
        except CorruptStreamError:
            continue
        missed += 1
    # Behind long codes a state may fall into step again, see lutgen.codec.rans; files have a CRC.
    assert missed <= 10
    for data in (payload[:-1], payload + b"\0"):
        decoder = InterleavedDecoder(TABLES, bytes(data))
        decoder.decode(classes)
        with pytest.raises(CorruptStreamError, match="must end in the check states"):
            decoder.finish()


def test_encoder_errors():
    with pytest.raises(ValueError, match="^classes must be 0 to 65, not 0 to 66$"):
        encode_interleaved(TABLES, np.array([0, 66]), np.array([127, 127]))
    with pytest.raises(ValueError, match="^symbols must be 0 to 255, not 127 to 256$"):
        encode_interleaved(TABLES, np.array([0, 0]), np.array([127, 256]))
    with pytest.raises(ValueError, match="^symbols must have a frequency, not 130 in class 0"):
        encode_interleaved(TABLES, np.array([0, 0]), np.array([127, 130]))
    with pytest.raises(ValueError, match=r"must be of one shape \(n,\)"):
        encode_interleaved(TABLES, np.array([0, 0]), np.array([127]))


@pytest.mark.parametrize("scale", [0.11, 0.5, 3.0, 256.0])
def test_gaussian_tables(scale):
    pmf = gaussian_pmf(scale)
    assert np.allclose(pmf, pmf[::-1], rtol=1e-9, atol=0)
    assert 0 < pmf.sum() <= 1 + 1e-12
    freq = residual_frequencies(pmf)
    assert freq.sum() == 1 << 14
    assert freq[ESCAPE] >= 1
    # No more than a unit is lost by rounding, but for the likeliest.
    assert np.abs(freq[:ESCAPE] - pmf * (1 << 14)).max() < 4


def test_table_errors():
    good = TABLES.cumulative
    for wrong, message in (
        (good[:, 1:], "must be integers of shape"),
        (good * 1.0, "must be integers of shape"),
        (np.zeros((1, 257), dtype=np.int32), "must never decrease"),
        (np.where(np.arange(257) > 3, 1 << 14, 0)[None], "of more than one symbol"),
    ):
        with pytest.raises(ValueError, match=message):
            EscapeTables(wrong)
    with pytest.raises(ValueError, match="must be 255 probabilities"):
        residual_frequencies(np.full(255, np.nan))
    with pytest.raises(ValueError, match="^class far must have all symbols, unlike 3$"):
        ResidualTables(TABLES, far=3, raw=RAW_CLASS)


def test_classes_of_scales():
    table, thresholds = scale_table(), scale_thresholds(4096)
    assert (len(table), table[0], table[-1]) == (SCALES, pytest.approx(0.11), pytest.approx(256))
    found = np.searchsorted(thresholds, np.rint(table * 4096), side="right")
    assert np.array_equal(found, np.arange(SCALES))
    assert TABLES.classes == PRIOR_CLASS


@given(st.lists(st.tuples(st.integers(0, 63), st.integers(-GREATEST, GREATEST)), max_size=60))
@settings(max_examples=100)
def test_residuals_of_any_size(pairs):
    classes = np.array([c for c, _ in pairs], dtype=np.int64)
    residuals = np.array([r for _, r in pairs], dtype=np.int64)
    writer = ResidualWriter(RESIDUALS)
    half = len(pairs) // 2
    writer.code(classes[:half], residuals[:half])
    writer.code(classes[half:], residuals[half:])
    reader = ResidualReader(RESIDUALS, writer.payload())
    assert np.array_equal(reader.code(classes[:half]), residuals[:half])
    assert np.array_equal(reader.code(classes[half:]), residuals[half:])
    reader.finish()


def test_escapes_are_two_symbols_or_four():
    writer = ResidualWriter(RESIDUALS)
    writer.code(np.array([0, 0, 63]), np.array([0, 5, 3000]))
    classes, symbols = writer.sequence()
    far, raw = FAR_CLASS, RAW_CLASS
    assert classes.tolist() == [0, 0, 63, far, far, raw, raw]
    assert symbols.tolist() == [MOST, 255, 255, 5 + MOST, 255, 3000 & 255, 3000 >> 8]


def test_container():
    file = LocFile(b"12345678", 500, 300, 16, b"payload")
    data = file.pack()
    assert len(data) == 21 + 7
    assert LocFile.unpack(data) == file
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 4
        with pytest.raises(CorruptStreamError):
            LocFile.unpack(bytes(damaged))
    with pytest.raises(CorruptStreamError, match="at least 21 bytes, not 3"):
        LocFile.unpack(b"LOC")
    with pytest.raises(ValueError, match="^image width must be 1 to 16384 pixels, not 0$"):
        LocFile(b"12345678", 0, 300, 16, b"")
    with pytest.raises(ValueError, match="^step must be 0 to 40, not 41$"):
        LocFile(b"12345678", 1, 300, 41, b"")


def test_steps():
    steps = [step_of(k) for k in range(STEPS)]
    assert (steps[0], steps[16], steps[40]) == (1024, 4096, 32768)
    assert np.allclose(steps, [4096 * 2 ** ((k - 16) / 8) for k in range(STEPS)], rtol=1e-3)
    assert [nearest_step(f) for f in (0.25, 1, 2, 8)] == [0, 16, 24, 40]
    with pytest.raises(ValueError, match=r"^step must be 0.25 to 8, not 0.2$"):
        nearest_step(0.2)
