"""tANS tables and payloads against their rules, written once more with exact fractions."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.codec import tans
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS
from lutgen.codec.coder import tans as tans_coder
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.tans import ESCAPE, TansTables
from lutgen.model.head import TableHead
from lutgen.model.model import Model
from lutgen.training.data.glyphs import glyphs
from tests.models import (
    laplace_model,
    pyramid_table_model,
    table_model,
)

BITS = range(8, 13)


def heads() -> TableHead:
    """Flat, steep, two-sided, one symbol alone, and random shapes."""
    rng = np.random.default_rng(3)
    x = np.arange(256)
    rows = [
        np.ones(256), 0.5**x, 0.9**x + 0.9 ** x[::-1], (x == 17) * 1.0, (x >= 250) * 1.0,
        (x % 2) + 1e-4, *rng.gamma(0.1, size=(6, 256)),
    ]  # fmt: skip
    return TableHead.from_counts(np.array(rows))


def spread(freq: list[int], bits: int) -> list[int]:
    """Symbol of each state, by exact fractions."""
    due = [
        (Fraction(2 * i + 1, 2 * f), symbol) for symbol, f in enumerate(freq) for i in range(f)
    ]
    assert len(due) == 1 << bits
    return [symbol for _, symbol in sorted(due)]


def token_rows() -> np.ndarray:
    """Cumulative frequencies of tokens: flat, steep, one alone, half of them rare, random."""
    rng = np.random.default_rng(4)
    x = np.arange(64)
    shares = np.array([
        np.ones(64), 0.5**x, (x == 9) * 1.0, (x < 32) * 0.9**x, *rng.gamma(0.2, size=(5, 64)),
    ])  # fmt: skip
    freq = 1 + np.floor(shares / shares.sum(axis=1, keepdims=True) * (16384 - 64)).astype(int)
    freq[:, 9] += 16384 - freq.sum(axis=1)
    return np.pad(freq.cumsum(axis=1), ((0, 0), (1, 0))).astype(np.int32)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("of", ["head", "tokens"])
def test_frequencies(bits, of):
    cumulative = heads().cumulative if of == "head" else token_rows()
    symbols, least = cumulative.shape[1] - 1, 1 << (bits - 7) if of == "head" else 1
    tables = (
        TansTables.from_head(heads(), bits) if of == "head"
        else TansTables.of_tokens(cumulative, bits)
    )
    assert (tables.bits, tables.classes, tables.escape) == (bits, len(cumulative), symbols)
    assert 1 << tables.raw_bits == symbols
    weights = 64 * (np.diff(cumulative.astype(int), axis=1) - 1) + 1
    for weight, row in zip(weights.tolist(), np.diff(tables.cumulative, axis=1).tolist(),
                           strict=True):  # fmt: skip
        assert sum(row) == 1 << bits
        rare = [s for s in range(symbols) if not row[s]]
        kept = [s for s in range(symbols) if row[s]]
        assert bool(rare) == bool(row[symbols])
        assert not rare or row[symbols] >= least
        for s in kept:  # the likelier symbol is never the one that is escaped
            assert all(weight[r] <= weight[s] for r in rare)
        deserved = [Fraction(w << bits, sum(weight)) for w in weight]
        assert all(deserved[s] >= Fraction(1, 3) for s in kept)
        if len(kept) + least < 1 << bits:
            assert all(deserved[s] < Fraction(1, 3) for s in rare)
        # Webster: no state could be moved to a symbol with a better claim.
        shares = [(weight[s], row[s]) for s in kept]
        if rare:
            shares.append((sum(weight[s] for s in rare), row[symbols]))
        best = max(Fraction(2 * w, 2 * f + 1) for w, f in shares)
        movable = [(w, f) for w, f in shares[: len(kept)] if f > 1]
        assert all(Fraction(2 * w, 2 * f - 1) >= best for w, f in movable)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_tables_are_inverse(bits):
    tables = TansTables.from_head(heads(), bits)
    for row in range(0, tables.classes, 3):
        freq = np.diff(tables.cumulative[row]).tolist()
        order = spread(freq, bits)
        assert tables.symbols[row].tolist() == order
        seen = [0] * (ESCAPE + 1)
        for state, symbol in enumerate(order):
            reduced = freq[symbol] + seen[symbol]
            assert tables.reduced[row, state] == reduced
            place = tables.cumulative[row, symbol] + reduced - freq[symbol]
            assert tables.states[row, place] == state
            seen[symbol] += 1
        assert seen == freq


def test_a_step_and_back():
    for bits in (8, 11):
        for freq in {1, 2, 3, 5, 100, (1 << bits) - 1, 1 << bits}:
            for state in range(1 << bits, 2 << bits, 7):
                reduced, low, count = tans.push.py_func(state, freq)
                assert freq <= reduced < 2 * freq
                assert reduced << count | low == state
                assert tans.pop.py_func(reduced, bits) == count


def test_tables_never_change():
    """They are part of the format: files must be read by every later version."""
    digest = hashlib.sha256()
    for bits in BITS:
        tables = TansTables.from_head(Model.default().head, bits)
        digest.update(tables.cumulative.astype("<i4").tobytes())
        digest.update(tables.states.astype("<u2").tobytes())
    assert digest.hexdigest() == (
        "13ec24cc6aa9450fccbcb71a0de4076ef47fb9f6c4420445316c3baa9d42a2c7"
    )


def test_tables_of_tokens_never_change():
    """As those of heads."""
    digest = hashlib.sha256()
    for bits in BITS:
        tables = TansTables.of_tokens(token_rows(), bits)
        digest.update(tables.cumulative.astype("<i4").tobytes())
        digest.update(tables.states.astype("<u2").tobytes())
    assert digest.hexdigest() == (
        "1203416f2b1781d97314f62f247103c39963786300e32780eaf96029b0833afc"
    )


def payload(tables: TansTables, rows: list[int], symbols: list[int]) -> bytes:
    """Payload from the rules, bit by bit."""
    state, text = 1 << tables.bits, ""
    for row, symbol in reversed(list(zip(rows, symbols, strict=True))):
        freq = np.diff(tables.cumulative[row]).tolist()
        order = spread(freq, tables.bits)
        raw = ""
        if not freq[symbol]:
            symbol, raw = ESCAPE, f"{symbol:08b}"
        bits = f"{state:b}"
        reduced = next(
            k for k in range(len(bits) + 1)
            if freq[symbol] <= int(bits[: len(bits) - k], 2) < 2 * freq[symbol]
        )  # fmt: skip
        text = raw + bits[len(bits) - reduced :] + text
        number = int(bits[: len(bits) - reduced], 2) - freq[symbol]
        places = [place for place, s in enumerate(order) if s == symbol]
        state = (1 << tables.bits) + places[number]
    text = f"{state:b}" + text
    text = "0" * (-len(text) % 8) + text
    return int(text, 2).to_bytes(len(text) // 8, "big")


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([8, 9, 10]), st.data())
def test_payload(bits, data):
    tables = TansTables.from_head(heads(), bits)
    count = data.draw(st.integers(1, 12))
    rows = data.draw(st.lists(st.integers(0, tables.classes - 1), min_size=count, max_size=count))
    symbols = data.draw(st.lists(st.integers(0, 255), min_size=count, max_size=count))
    first, last = (tables.cumulative[rows, np.array(symbols) + k] for k in (0, 1))
    freq = (last - first).astype(np.int32)
    start = np.where(freq, first, symbols).astype(np.int32)
    out = np.zeros(tables.coder.max_payload_bytes(count), dtype=np.uint8)
    at = tans.write_payload(
        np.array(rows, dtype=np.int32), start, freq, bits, tables.cumulative, tables.states, out
    )
    assert out[at:].tobytes() == payload(tables, rows, symbols)


@pytest.mark.parametrize("bits", BITS)
def test_files(bits):
    """Noise, which is mostly escapes, black, and glyphs; several tiles and images."""
    codec = Codec(table_model(2))
    rng = np.random.default_rng(bits)
    images = [
        rng.integers(256, size=(2, 21, 35), dtype=np.uint8), np.zeros((1, 1, 1), np.uint8),
        glyphs(4, 1),
    ]  # fmt: skip
    for image in images:
        coded = codec.encode(image, tile=(16, 8), coder=tans_coder(bits))
        np.testing.assert_array_equal(codec.decode(coded.data), image)
        assert coded.data[19] == bits
        overhead = 8 * coded.payload_bytes - coded.ideal_bits
        tiles = len(image) * -(-image.shape[1] // 8) * -(-image.shape[2] // 16)
        # Final state, whole bytes, and the table's own loss.
        assert 0 < overhead < tiles * (bits + 8) + 0.01 * coded.ideal_bits + 8


def test_levels():
    """With a pyramid, and smaller pictures from the fronts of packets."""
    model = pyramid_table_model(5, levels=2)
    codec = Codec(model)
    images = glyphs(3, 2)
    coded = codec.encode(images, coder=tans_coder(9)).data
    np.testing.assert_array_equal(codec.decode(coded), images)
    plain = codec.encode(images).data
    for level in (1, 2):
        np.testing.assert_array_equal(
            codec.decode(coded, level=level), codec.decode(plain, level=level)
        )


def test_damage_is_noticed():
    """A changed byte is found but for few tiles, and nothing else happens."""
    codec = Codec(Model.default())
    image = glyphs(1, 4)
    data = codec.encode(image, coder=tans_coder(10)).data
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(300):
        damaged = bytearray(data)
        damaged[int(rng.integers(27, len(data)))] ^= int(rng.integers(1, 256))
        try:
            missed += codec.decode(bytes(damaged)).shape == image.shape
        except CorruptStreamError:
            pass
    assert missed <= 3


@pytest.mark.parametrize(("model", "message"), [
    (laplace_model(1), "coder tans must have a model with a table head"),
    (pyramid_table_model(6, constraint=True), "without the pooling constraint"),
])  # fmt: skip
def test_models_without_tables(model, message):
    with pytest.raises(ValueError, match=message):
        Codec(model).encode(np.zeros((4, 4), np.uint8), coder=tans_coder(9))
    data = bytearray(Codec(model).encode(np.zeros((4, 4), np.uint8), coder=RANS).data)
    data[19] = 9
    with pytest.raises(ValueError, match=message):
        Codec(model).decode(bytes(data))
