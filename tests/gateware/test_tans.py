"""tANS cores against `lutgen.codec.tans`, lane by lane."""

from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec import tans
from lutgen.codec.tans import ESCAPE, TansTables
from lutgen.gateware.coders.payload import PayloadMemory
from lutgen.gateware.coders.tans import TansDecoder, TansEncoder, TansStates, TansSymbols
from lutgen.model.head import TableHead
from tests.gateware.bundle import Pipelines
from tests.tiers import all_exhaustive

ADDRESS_BITS = 11


def tables(bits: int) -> TansTables:
    """Flat, steep, two symbols, one alone, and random shapes."""
    rng = np.random.default_rng(bits)
    x = np.arange(256)
    rows = [np.ones(256), 0.6**x, 0.6 ** x[::-1], (x == 0) + 1e-3 * (x == 255),
            *rng.gamma(0.1, size=(3, 256))]  # fmt: skip
    return TansTables.from_head(TableHead.from_counts(np.array(rows)), bits)


class _Decoder(wiring.Component):
    """Payload memory, head and core, as the decoder connects them; classes come with the slot."""

    def __init__(self, found: TansTables, lanes: int) -> None:
        self._tables, self._lanes = found, lanes
        core = TansDecoder(found, lanes, address_bits=ADDRESS_BITS + 3).signature.members
        own = ("lane", "code", "load", "position", "end", "last", "slot", "symbol", "done", "good")
        super().__init__({
            **{name: core[name] for name in own},
            "classes": In(TansStates(found).classes.shape()),
            "write": In(1), "address": In(ADDRESS_BITS), "data": In(8),
            "escape": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = TansDecoder(
            self._tables, self._lanes, address_bits=ADDRESS_BITS + 3
        )
        m.submodules.head = head = TansStates(self._tables)
        m.submodules.memory = memory = PayloadMemory(ADDRESS_BITS)
        for name in ("lane", "code", "load", "position", "end", "last"):
            m.d.comb += getattr(core, name).eq(getattr(self, name))
        for name in ("slot", "symbol", "done", "good"):
            m.d.comb += getattr(self, name).eq(getattr(core, name))
        for name in ("write", "address", "data"):
            m.d.comb += getattr(memory, name).eq(getattr(self, name))
        m.d.comb += [
            head.classes.eq(self.classes), head.slot.eq(core.slot), core.found.eq(head.symbol),
            core.escape.eq(head.escape), core.reduced.eq(head.reduced),
            memory.fetch.eq(core.fetch), core.word.eq(memory.word), self.escape.eq(head.escape),
        ]  # fmt: skip
        return m


TABLES = {bits: tables(bits) for bits in (9, 8, 12)}


@cache
def blocks(bits: int) -> Pipelines:
    t = TABLES[bits]
    return Pipelines({
        "symbols": TansSymbols(t), "encoder": TansEncoder(t, TansEncoder.latency),
        "more": TansEncoder(t, TansEncoder.latency + 5),
        "decoder": _Decoder(t, TansDecoder.latency),
    })  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("bits", [9, *all_exhaustive([8, 12])])
def test_symbols(bits):
    """Every symbol of every class."""
    t = TABLES[bits]
    classes, symbol = (a.ravel() for a in np.mgrid[: t.classes, :256])
    latency = TansSymbols.latency
    found = blocks(bits)({"symbols_classes": classes, "symbols_symbol": symbol}, extra=latency)
    cumulative = t.cumulative.astype(int)
    rare = cumulative[classes, symbol] == cumulative[classes, symbol + 1]
    used = np.where(rare, ESCAPE, symbol)
    start = cumulative[classes, used]
    freq = cumulative[classes, used + 1] - start
    for port, wanted in {"start": start, "freq": freq, "escape": rare}.items():
        np.testing.assert_array_equal(found[f"symbols_{port}"][latency:], wanted, err_msg=port)
    assert 100 < rare.sum() < rare.size - 100


@pytest.mark.parametrize("name", ["encoder", "more"])
@pytest.mark.parametrize("bits", [9, *all_exhaustive([8, 12])])
def test_encoder_pushes(name, bits):
    t = TABLES[bits]
    lanes = TansEncoder.latency + 5 * (name == "more")
    rng = np.random.default_rng(8)
    clocks = 400 * lanes
    ports = ("code", "first", "flush", "classes", "symbol", "start", "freq", "escape")
    given = {port: np.zeros(clocks, np.int64) for port in ports}
    for port, top in {"symbol": 256, "start": 1 << bits, "freq": 1 << bits, "escape": 2}.items():
        given[port][:] = rng.integers(top, size=clocks)  # what is there between the tiles
    bits_out, count = np.zeros(clocks, np.int64), np.zeros(clocks, np.int64)
    escapes = 0
    for lane in range(lanes):
        state, left = None, 0  # no tile
        for turn in range(lane, clocks, lanes):
            if rng.random() < 0.1:
                continue  # as between tiles, or where a row has an unused slot
            if state is None:
                state, left = 1 << bits, int(rng.integers(1, 30))
                given["first"][turn] = 1
            if left:
                row = int(rng.integers(t.classes))
                cumulative = t.cumulative[row].tolist()
                likely = t.symbols[row, rng.integers(1 << bits)]
                symbol = int(likely if likely < 256 and rng.random() < 0.7 else rng.integers(256))
                raw = cumulative[symbol] == cumulative[symbol + 1]
                used = ESCAPE if raw else symbol
                start, freq = cumulative[used], cumulative[used + 1] - cumulative[used]
                values = (1, given["first"][turn], 0, row, symbol, start, freq, raw)
                for port, value in zip(ports, values, strict=True):
                    given[port][turn] = value
                reduced, low, n = tans.push.py_func(state, freq)
                bits_out[turn], count[turn] = low | (symbol << n if raw else 0), n + 8 * raw
                state = (1 << bits) + int(t.states[row, start + reduced - freq])
                escapes += raw
                left -= 1
            else:
                given["flush"][turn] = 1
                bits_out[turn], count[turn] = state - (1 << bits), bits
                state = None
    assert escapes > 100 and count.max() == 15
    given["lane"] = np.arange(clocks) % lanes
    latency = TansEncoder.bits_latency
    given = {f"{name}_{port}": values for port, values in given.items()}
    found = blocks(bits)(given, extra=latency)
    np.testing.assert_array_equal(found[f"{name}_count"][latency:], count)
    np.testing.assert_array_equal(found[f"{name}_bits"][latency:], bits_out)


def payload(t: TansTables, rows: np.ndarray, symbols: np.ndarray) -> bytes:
    first, last = t.cumulative[rows, symbols], t.cumulative[rows, symbols + 1]
    start = np.where(last > first, first, symbols).astype(np.int32)
    out = np.zeros(t.coder.max_payload_bytes(len(rows)), dtype=np.uint8)
    at = tans.write_payload(
        rows.astype(np.int32), start, (last - first).astype(np.int32), t.bits, t.cumulative,
        t.states, out,
    )  # fmt: skip
    return out[at:].tobytes()


@pytest.mark.parametrize("bits", [9, *all_exhaustive([8, 12])])
def test_decoder_pops(bits):
    """Payloads between random bytes, one of them around the memory's end, and corrupt tiles."""
    t = TABLES[bits]
    lanes = TansDecoder.latency
    rng = np.random.default_rng(10)
    size = 1 << ADDRESS_BITS
    ring = rng.integers(256, size=size, dtype=np.uint8)
    tiles, at = [], size - 5
    while True:
        count = int(rng.integers(1, 40))
        rows = rng.integers(t.classes, size=count)
        likely = t.symbols[rows, rng.integers(1 << bits, size=count)]
        symbols = np.where(likely < 256, likely, rng.integers(256, size=count)).astype(np.int64)
        data = payload(t, rows, symbols)
        if at + len(data) > 2 * size - 300:
            break
        ring[np.arange(at, at + len(data)) % size] = np.frombuffer(data, np.uint8)
        tiles.append((at, len(data), rows, symbols))
        at += len(data) + int(rng.integers(3))
    assert len(tiles) > 20
    text = "".join(f"{byte:08b}" for byte in ring) * 2

    def take(position: int, count: int) -> int:
        position %= 8 * size
        return int(text[position : position + count], 2) if count else 0

    clocks = size + 300 * lanes
    ports = ("lane", "code", "load", "position", "end", "last", "write", "address", "data",
             "classes")  # fmt: skip
    given = {port: np.zeros(clocks, np.int64) for port in ports}
    given["write"][:size] = 1
    given["address"][:size] = np.arange(size)
    given["data"][:size] = ring
    wanted = np.full(clocks, -1)
    done, good, intact_tile = (np.zeros(clocks, bool) for _ in range(3))
    begin = size + PayloadMemory.latency
    corrupt = 0
    for lane in range(lanes):
        todo = 0
        for turn in range(begin + (lane - begin) % lanes, clocks, lanes):
            given["lane"][turn] = lane
            if not todo:
                if rng.random() < 0.2 or clocks - turn < 45 * lanes:
                    continue  # a lane without a tile
                intact = rng.random() < 0.7
                corrupt += not intact
                if intact:
                    start, length, rows, symbols = tiles[rng.integers(len(tiles))]
                else:
                    start, length = (int(v) for v in rng.integers(1, [size, 60]))
                    rows, symbols = rng.integers(t.classes, size=int(rng.integers(1, 40))), None
                todo, number = len(rows), 0
                zeros = 8 - take(8 * start, 8).bit_length()
                position, end = 8 * start + zeros + 1, 8 * (start + length)
                given["load"][turn] = 1
                given["position"][turn] = position % (8 * size)
                given["end"][turn] = end % (8 * size)
                state = take(position, bits)
                position += bits
                continue
            if rng.random() < 0.1:  # an unused slot at the end of a short row
                given["last"][turn] = rng.integers(2)
                continue
            row = rows[number]
            given["code"][turn] = 1
            given["classes"][turn + TansDecoder.slot_latency] = row
            symbol, reduced = int(t.symbols[row, state]), int(t.reduced[row, state])
            if symbol == ESCAPE:
                symbol = take(position, 8)
                position += 8
            assert symbols is None or symbol == symbols[number], "model of the decoder is wrong"
            count = tans.pop.py_func(reduced, bits)
            state = (reduced << count | take(position, count)) - (1 << bits)
            position += count
            wanted[turn] = symbol
            number += 1
            todo -= 1
            if not todo:
                given["last"][turn] = done[turn] = 1
                good[turn] = state == 0 and (position - end) % (8 * size) == 0
                intact_tile[turn] = symbols is not None
    assert corrupt > 15 and intact_tile.sum() > 40
    assert good[intact_tile].all() and not good.all()
    found = blocks(bits)(
        {f"decoder_{port}": values for port, values in given.items()},
        extra=TansDecoder.done_latency,
    )
    latency = TansDecoder.slot_latency + TansDecoder.symbol_latency
    coded = wanted >= 0
    result = found["decoder_symbol"][latency:][:clocks]
    np.testing.assert_array_equal(result[coded], wanted[coded])
    latency = TansDecoder.done_latency
    result = found["decoder_done"][latency:].astype(bool)
    np.testing.assert_array_equal(result[begin:], done[begin:])
    result = found["decoder_good"][latency:].astype(bool)
    np.testing.assert_array_equal(result[done], good[done])


def test_payload_memory_meets_the_decoder():
    assert TansDecoder.fetch_latency == PayloadMemory.latency
    # The word comes together with what the head finds.
    assert 1 + PayloadMemory.latency == TansDecoder.slot_latency + TansStates.latency


def test_too_few_lanes():
    for block, options in ((TansEncoder, {}), (TansDecoder, {"address_bits": 14})):
        with pytest.raises(ValueError, match=f"at least {block.latency}"):
            block(TABLES[8], block.latency - 1, **options)
