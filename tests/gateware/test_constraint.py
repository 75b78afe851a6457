"""Constrained heads against `lutgen.model.constraint`: every class, symbol and base."""

import numpy as np
import pytest

from lutgen.gateware.heads.constraint import ConstrainedDecoder, ConstrainedEncoder
from lutgen.gateware.heads.exponents import LaplaceExponents, TableExponents
from lutgen.gateware.heads.laplace import LaplaceDecoder
from lutgen.gateware.heads.table import TableDecoder
from lutgen.model.constraint import CANDIDATES, candidate_base, candidate_bounds, exponents
from lutgen.model.head import LaplaceHead, TableHead
from tests.gateware.bundle import Pipelines
from tests.gateware.test_head import laplace_head, table_head

NAMES = ["table", "laplace"]


def head_of(name: str) -> TableHead | LaplaceHead:
    return {"table": table_head, "laplace": laplace_head}[name]()


@pytest.fixture(scope="module")
def blocks() -> Pipelines:
    heads = {name: head_of(name) for name in NAMES}
    return Pipelines(
        {
            f"{name}_exponents": (TableExponents if name != "laplace" else LaplaceExponents)(head)
            for name, head in heads.items()
        }
        | {f"{name}_encoder": ConstrainedEncoder(head) for name, head in heads.items()}
        | {f"{name}_decoder": ConstrainedDecoder(head) for name, head in heads.items()}
    )


def block_of(base: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A parent and a sum of three pixels that leave these candidates, -767..1018."""
    low = np.maximum(0, -(base + 2))
    low += (-2 - base - low) % 4
    high = np.minimum(4 * 255 - 2 - base, 765)
    known = low + 4 * np.floor(rng.random(base.shape) * ((high - low) // 4 + 1)).astype(int)
    # A third of them from the ends, where parents are 0 and 255.
    known = np.where(rng.random(base.shape) < 0.3, low, known)
    parent = (base + 2 + known) // 4
    assert ((4 * parent - 2 - known == base) & (parent >= 0) & (parent <= 255)).all()
    return parent, known


def clamped(parent: np.ndarray, known: np.ndarray) -> np.ndarray:
    pairs = zip(parent.tolist(), known.tolist(), strict=True)
    return np.array([candidate_base(p, k) for p, k in pairs])


def bounds_of(head, classes: np.ndarray, base: np.ndarray) -> np.ndarray:
    """int64, shape (N, 5)."""
    table = exponents(head.cumulative)
    bounds = np.empty((len(base), CANDIDATES + 1), dtype=np.int64)
    for row, c, b in zip(bounds, classes.tolist(), base.tolist(), strict=True):
        candidate_bounds(table[c], b, row)
    return bounds


def blocks_of_pixels(head, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Class, parent, known: every base with some classes, and some far outside."""
    base = np.concatenate([
        np.repeat(np.arange(-3, 256), 12), rng.integers(-767, 1019, 400),
        np.repeat([-767, -6, -5, -4, 256, 257, 258, 259, 1018], 8),
    ])  # fmt: skip
    classes = rng.integers(head.classes, size=base.size)
    if isinstance(head, LaplaceHead):  # narrow ones, near the candidates
        near = rng.random(base.size) < 0.6
        mu = np.clip(2 * base + rng.integers(-8, 16, base.size), 0, 511)
        classes = np.where(near, classes // 512 * 512 + mu, classes)
    order = rng.permutation(base.size)  # neighbours in time differ
    return classes[order], *block_of(base[order], rng)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_exponents_of_every_class_and_symbol(blocks, name):
    head = head_of(name)
    classes = np.repeat(np.arange(head.classes), 65)
    base = (np.arange(-3, 257, 4)[None] + np.arange(head.classes)[:, None] % 4).ravel()
    block = LaplaceExponents if name == "laplace" else TableExponents
    order = np.random.default_rng(20).permutation(base.size)
    classes, base = classes[order], base[order]
    parent, known = block_of(base, np.random.default_rng(21))
    found = blocks({
        f"{name}_exponents_classes": classes,
        f"{name}_exponents_parent": parent,
        f"{name}_exponents_known": known,
    }, extra=block.latency)  # fmt: skip
    found = {
        port: found[f"{name}_exponents_{port}"][block.latency :]
        for port in ("exponents", "inside", "turn", "base")
    }
    symbol = base[:, None] + np.arange(CANDIDATES)
    inside = (symbol >= 0) & (symbol < 256)
    wanted = exponents(head.cumulative)[classes[:, None], np.clip(symbol, 0, 255)]
    bank = (found["turn"][:, None] + np.arange(CANDIDATES)) % CANDIDATES
    exponent = found["exponents"][:, None] >> (4 * bank) & 15
    valid = found["inside"][:, None] >> bank & 1
    usual = base < 256  # the last class's last base may be 256
    np.testing.assert_array_equal(valid[usual], inside[usual])
    np.testing.assert_array_equal(exponent[inside], wanted[inside])
    np.testing.assert_array_equal(found["base"], clamped(parent, known))
    seen = np.zeros((head.classes, 256), bool)
    seen[np.broadcast_to(classes[:, None], symbol.shape)[inside], symbol[inside]] = True
    assert seen.all()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_encoder_finds_every_interval(blocks, name):
    head, rng = head_of(name), np.random.default_rng(22)
    latency = ConstrainedEncoder.latency_of(head)
    classes, parent, known = (np.repeat(a, CANDIDATES) for a in blocks_of_pixels(head, rng))
    base = clamped(parent, known)
    number = np.arange(base.size) % CANDIDATES
    constrained = rng.random(base.size) < 0.7
    symbol = np.where(constrained, base + number, rng.integers(256, size=base.size))
    constrained &= (symbol >= 0) & (symbol < 256)
    symbol = np.where(constrained, symbol, symbol % 256)
    found = blocks({
        f"{name}_encoder_classes": classes,
        f"{name}_encoder_symbol": symbol,
        f"{name}_encoder_constrained": constrained.astype(int),
        f"{name}_encoder_parent": parent,
        f"{name}_encoder_known": known,
    }, extra=latency)  # fmt: skip
    rows, each = np.arange(base.size), symbol - base
    bounds = bounds_of(head, classes, base)
    each = np.where(constrained, each, 0)
    # Of location 511, which no map holds, heads know only the candidates.
    known_class = constrained | (classes % 512 != 511)
    start = np.where(constrained, bounds[rows, each], head.cumulative[classes, symbol])
    end = np.where(constrained, bounds[rows, each + 1], head.cumulative[classes, symbol + 1])
    for port, expected in (("start", start), ("freq", end - start)):
        result = found[f"{name}_encoder_{port}"][latency:]
        np.testing.assert_array_equal(result[known_class], expected[known_class], err_msg=port)
    assert 1 << 14 in (end - start)[constrained]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_decoder_finds_both_ends_of_every_interval(blocks, name):
    head, rng = head_of(name), np.random.default_rng(23)
    # Twelve slots for each block: both ends of each candidate's interval, and any.
    classes, parent, known = (np.repeat(a, 12) for a in blocks_of_pixels(head, rng))
    base = clamped(parent, known)
    bounds = bounds_of(head, classes, base)
    rows, which = np.arange(base.size), np.arange(base.size) % 12
    edge = bounds[rows, np.clip(which // 2, 0, CANDIDATES)] - which % 2
    slot = np.where(which >= 10, rng.integers(1 << 14, size=base.size), np.clip(edge, 0, 16383))
    constrained = rng.random(base.size) < 0.7
    found = blocks({
        f"{name}_decoder_classes": classes,
        f"{name}_decoder_slot": slot,
        f"{name}_decoder_constrained": constrained.astype(int),
        f"{name}_decoder_parent": parent,
        f"{name}_decoder_known": known,
    }, extra=ConstrainedDecoder.interval_latency_of(head))  # fmt: skip
    symbol, start, end = (np.empty_like(slot) for _ in range(3))
    number = (slot[:, None] >= bounds[:, 1:]).sum(axis=1)
    symbol[:] = base + number
    start[:], end[:] = bounds[rows, number], bounds[rows, number + 1]
    assert ((symbol >= 0) & (symbol < 256)).all()
    for i in np.flatnonzero(~constrained):
        row = head.cumulative[classes[i]]
        symbol[i] = at = np.searchsorted(row, slot[i], side="right") - 1
        start[i], end[i] = row[at], row[at + 1]
    known_class = constrained | (classes % 512 != 511)
    latency = {
        "symbol": ConstrainedDecoder.latency_of(head),
        "start": ConstrainedDecoder.interval_latency_of(head),
        "freq": ConstrainedDecoder.interval_latency_of(head),
    }
    for port, expected in (("symbol", symbol), ("start", start), ("freq", end - start)):
        result = found[f"{name}_decoder_{port}"][latency[port] :][: slot.size]
        np.testing.assert_array_equal(result[known_class], expected[known_class], err_msg=port)
    assert 1 << 14 in (end - start)[constrained]


@pytest.mark.parametrize("name", NAMES)
def test_latencies(name):
    head = head_of(name)
    laplace = isinstance(head, LaplaceHead)
    encoder, decoder = ConstrainedEncoder(head), ConstrainedDecoder(head)
    plain = LaplaceDecoder if laplace else TableDecoder
    assert encoder.latency == ConstrainedEncoder.latency_of(head) == (11 if laplace else 8)
    assert decoder.latency == ConstrainedDecoder.latency_of(head) == plain.latency
    assert decoder.interval_latency == ConstrainedDecoder.interval_latency_of(head)
    assert decoder.interval_latency == plain.interval_latency
