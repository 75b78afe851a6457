"""Coder cores against `lutgen.codec.rans`, lane by lane."""

from dataclasses import dataclass

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from lutgen.codec.rans import CHECK_STATE, STATE_BITS, pop, push
from lutgen.gateware.coders.payload import PayloadMemory
from lutgen.gateware.coders.rans import BitPacker, RansDecoder, RansEncoder
from lutgen.gateware.coders.short_rans import ShortRansEncoder
from lutgen.model.head import PROB_BITS
from tests.gateware.bundle import Pipelines

TOTAL = 1 << PROB_BITS
ADDRESS_BITS = 11
HEAD_LATENCY = 11


class _Decoder(wiring.Component):
    """The decoder with its payload memory; the head is played by the test."""

    def __init__(self, lanes: int) -> None:
        self._rans = RansDecoder(
            lanes, head_latency=HEAD_LATENCY, address_bits=ADDRESS_BITS + 3
        )
        self._memory = PayloadMemory(ADDRESS_BITS)
        self._own = [n for n in self._rans.signature.members if n not in ("fetch", "word")]
        self._write = ["write", "address", "data"]
        super().__init__(
            {n: self._rans.signature.members[n] for n in self._own}
            | {n: self._memory.signature.members[n] for n in self._write}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rans, m.submodules.memory = rans, memory = self._rans, self._memory
        m.d.comb += [memory.fetch.eq(rans.fetch), rans.word.eq(memory.word)]
        for block, names in ((rans, self._own), (memory, self._write)):
            for name in names:
                inner, outer = getattr(block, name), getattr(self, name)
                is_input = block.signature.members[name].flow is wiring.In
                m.d.comb += inner.eq(outer) if is_input else outer.eq(inner)
        return m


#: Encoders with as few lanes as they take, and with more.
ENCODERS = {
    "few": (RansEncoder, RansEncoder.latency), "more": (RansEncoder, RansEncoder.latency + 5),
    "short_few": (ShortRansEncoder, ShortRansEncoder.latency),
    "short_more": (ShortRansEncoder, ShortRansEncoder.latency + 5),
}  # fmt: skip


def decoder_lanes() -> int:
    """The fewest: a lane's state is stored just in time."""
    return 1 + HEAD_LATENCY + RansDecoder.tail


@pytest.fixture(scope="module")
def blocks() -> Pipelines:
    return Pipelines({
        **{name: kind(lanes) for name, (kind, lanes) in ENCODERS.items()},
        "packer": BitPacker(BitPacker.latency + 1),
        "decoder": _Decoder(decoder_lanes()),
    })


def intervals(rng: np.random.Generator, count: int) -> list[tuple[int, int]]:
    """Starts and frequencies: the extremes, powers of two and their neighbours, random ones."""
    edges = sorted({1, 2, 3, *(1 << k for k in range(PROB_BITS + 1)), TOTAL - 256, TOTAL - 255,
                    *((1 << k) - 1 for k in range(2, PROB_BITS + 1))})  # fmt: skip
    freq = np.where(
        rng.random(count) < 0.5, rng.choice(edges, size=count),
        (2 ** rng.uniform(0, PROB_BITS, count)).astype(int),
    )  # fmt: skip
    at_end = rng.random(count)
    start = np.where(at_end < 0.2, 0, np.where(at_end < 0.4, TOTAL - freq,
                     rng.integers(TOTAL - freq + 1)))  # fmt: skip
    return list(zip(start.tolist(), freq.tolist(), strict=True))


def test_intervals_have_the_extremes():
    frequencies = {f for _, f in intervals(np.random.default_rng(0), 4000)}
    assert {1, TOTAL - 255, TOTAL - 1, TOTAL} <= frequencies
    assert max(frequencies) == TOTAL


@pytest.mark.parametrize("name", ENCODERS)
def test_encoder_pushes(blocks, name):
    kind, lanes = ENCODERS[name]
    rng = np.random.default_rng(8)
    clocks = 400 * lanes
    given = {
        port: np.zeros(clocks, np.int64) for port in ("code", "first", "flush", "start", "freq")
    }
    bits, count = np.zeros(clocks, np.int64), np.zeros(clocks, np.int64)
    for lane in range(lanes):
        state, left = None, 0  # no tile
        drawn = iter(intervals(rng, 400))
        for t in range(lane, clocks, lanes):
            if rng.random() < 0.1:  # as between tiles, or where a row has an unused slot
                given["freq"][t] = rng.integers(TOTAL)
                continue
            if state is None:
                state, left = CHECK_STATE, int(rng.integers(1, 30))
                given["first"][t] = 1
            if left:
                start, freq = next(drawn)
                given["code"][t], given["start"][t], given["freq"][t] = 1, start, freq
                state, bits[t], count[t] = push(state, start, freq)
                left -= 1
            else:
                given["flush"][t] = 1
                bits[t], count[t] = state - CHECK_STATE, STATE_BITS
                state = None
    given["lane"] = np.arange(clocks) % lanes
    latency = kind.bits_latency
    found = blocks({f"{name}_{port}": values for port, values in given.items()}, extra=latency)
    np.testing.assert_array_equal(found[f"{name}_count"][latency:], count)
    np.testing.assert_array_equal(found[f"{name}_bits"][latency:], bits)
    assert 0 in count and PROB_BITS in count


def test_packer_makes_a_bit_string(blocks):
    lanes = BitPacker.latency + 1
    rng = np.random.default_rng(9)
    clocks = 600 * lanes
    given = {port: np.zeros(clocks, np.int64) for port in ("first", "last", "bits", "count")}
    valid, word, both = (np.zeros(clocks, np.int64) for _ in range(3))
    finals = np.zeros(clocks, bool)
    fills = set()
    for lane in range(lanes):
        text: str | None = None  # bits not yet given, the first one leftmost
        for t in range(lane, clocks, lanes):
            if text is None:
                text = ""
                given["first"][t] = 1
            if rng.random() < 0.08 and not given["first"][t]:
                fills.add(len(text))
                given["last"][t] = finals[t] = valid[t] = 1
                both[t] = len(text) + 1 > 8
                word[t] = int((text + "1")[::-1], 2)
                text = None
                continue
            count = int(rng.choice([0, 1, 15, 16, rng.integers(17)]))
            bits = int(rng.integers(1 << count))
            given["count"][t], given["bits"][t] = count, bits
            text += f"{bits:0{count}b}"[::-1] if count else ""
            if len(text) >= 16:
                valid[t], word[t] = 1, int(text[:16][::-1], 2)
                text = text[16:]
    assert fills == set(range(16))
    given["lane"] = np.arange(clocks) % lanes
    latency = BitPacker.latency
    found = blocks({f"packer_{port}": values for port, values in given.items()}, extra=latency)
    complete = valid.astype(bool)
    np.testing.assert_array_equal(found["packer_valid"][latency:], valid)
    np.testing.assert_array_equal(found["packer_word"][latency:][complete], word[complete])
    np.testing.assert_array_equal(found["packer_both"][latency:][finals], both[finals])


@dataclass
class _Ring:
    """The payload memory's contents as a ring of bits."""

    data: np.ndarray

    def take(self, position: int, count: int) -> int:
        return sum(
            int(self.data[(at >> 3) % len(self.data)] >> (7 - at % 8) & 1) << (count - 1 - k)
            for k, at in enumerate(range(position, position + count))
        )


def payload(symbols: list[tuple[int, int]]) -> bytes:
    """Payload of intervals in the order of decoding."""
    state, text = CHECK_STATE, ""
    for start, freq in reversed(symbols):
        state, bits, count = push(state, start, freq)
        text = (f"{bits:0{count}b}" if count else "") + text
    text = f"{state:b}" + text
    text = "0" * (-len(text) % 8) + text
    return int(text, 2).to_bytes(len(text) // 8, "big")


def tables(rng: np.random.Generator) -> np.ndarray:
    """Cumulative frequencies of four symbols, from flat to one or two of them alone."""
    rows = [[0, 1, 2, TOTAL - 253, TOTAL], [0, 4096, 8192, 12288, TOTAL],
            [0, TOTAL - 255, TOTAL - 254, TOTAL - 253, TOTAL], [0, TOTAL - 1, TOTAL, TOTAL, TOTAL],
            [0, 0, TOTAL, TOTAL, TOTAL], [0, 0, 0, 0, TOTAL]]  # fmt: skip
    inner = (np.sort(rng.choice(TOTAL - 1, size=3, replace=False) + 1) for _ in range(5))
    return np.array(rows + [[0, *cut, TOTAL] for cut in inner])


def test_decoder_pops(blocks):
    lanes = decoder_lanes()
    rng = np.random.default_rng(10)
    rows = tables(rng)
    # Random bytes, payloads among them, one of which wraps around: a random place is corrupt.
    ring = _Ring(rng.integers(256, size=1 << ADDRESS_BITS, dtype=np.uint8))
    good_tiles = []
    at = len(ring.data) - 5
    while len(good_tiles) < 20:
        count = int(rng.integers(1, 40))
        row = rows[rng.integers(len(rows), size=count)]
        drawn = (np.diff(row, axis=1) > 0) * (1 + rng.random((count, 4)))
        symbol = np.argmax(drawn, axis=1)
        start = row[np.arange(count), symbol]
        freq = row[np.arange(count), symbol + 1] - start
        data = payload(list(zip(start.tolist(), freq.tolist(), strict=True)))
        if at < len(ring.data) and at + len(data) > len(ring.data) + 1200:
            break
        ring.data[np.arange(at, at + len(data)) % len(ring.data)] = np.frombuffer(data, np.uint8)
        good_tiles.append((at, len(data), row, symbol))
        at += len(data) + int(rng.integers(3))
        assert at < 2 * len(ring.data) - 5, "payloads must fit the memory"

    fill = len(ring.data)
    decode = 260 * lanes
    clocks = fill + decode
    ports = ("lane", "code", "load", "position", "end", "last", "write", "address", "data")
    given = {port: np.zeros(clocks, np.int64) for port in ports}
    answers = {port: np.zeros(clocks + lanes, np.int64) for port in ("start", "freq")}
    given["write"][:fill] = 1
    given["address"][:fill] = np.arange(fill)
    given["data"][:fill] = ring.data
    slots, done = np.full(clocks, -1), np.zeros(clocks, bool)
    good = np.zeros(clocks, bool)
    wanted = np.zeros(clocks, bool)  # tiles that must be good
    tile_count = corrupt_count = 0
    slot_latency = RansDecoder(
        lanes, head_latency=HEAD_LATENCY, address_bits=ADDRESS_BITS + 3
    ).latency - HEAD_LATENCY - RansDecoder.tail
    modulus = 8 * len(ring.data)
    first_turn = fill + PayloadMemory.latency
    for lane in range(lanes):
        todo = 0
        for t in range(first_turn, clocks):
            if t % lanes != lane:
                continue
            given["lane"][t] = lane
            if not todo:
                if rng.random() < 0.2 or clocks - t < 45 * lanes:
                    continue  # a lane without a tile
                intact = rng.random() < 0.7
                tile_count += 1
                corrupt_count += not intact
                if intact:
                    begin, size, row, symbol = good_tiles[rng.integers(len(good_tiles))]
                    todo = len(row)
                else:
                    begin, size = (int(v) for v in rng.integers(1, [len(ring.data), 60]))
                    todo = int(rng.integers(1, 40))
                    row, symbol = rows[rng.integers(len(rows), size=todo)], None
                byte = ring.take(8 * begin, 8)
                zeros = 8 - byte.bit_length()
                position = 8 * begin + zeros + 1
                end = 8 * (begin + size)
                given["load"][t] = 1
                given["position"][t], given["end"][t] = position % modulus, end % modulus
                state = CHECK_STATE | ring.take(position, STATE_BITS)
                position += STATE_BITS
                number = 0
                continue
            if rng.random() < 0.1:  # an unused slot at the end of a short row
                given["last"][t] = rng.integers(2)
                continue
            slot = state % TOTAL
            found = int(np.searchsorted(row[number], slot, side="right")) - 1
            assert symbol is None or found == symbol[number], "model of the decoder is wrong"
            start, freq = (int(v) for v in (row[number][found], np.diff(row[number])[found]))
            given["code"][t] = 1
            slots[t] = slot
            answer_at = t + slot_latency + HEAD_LATENCY
            answers["start"][answer_at], answers["freq"][answer_at] = start, freq
            rest, count = pop(state, start, freq)
            state = rest << count | ring.take(position, count)
            position += count
            number += 1
            todo -= 1
            if not todo:
                given["last"][t] = done[t] = 1
                good[t] = state == CHECK_STATE and (position - end) % modulus == 0
                wanted[t] = symbol is not None
    assert corrupt_count > 20 and tile_count - corrupt_count > 50
    assert good[wanted].all() and not good.all()
    block = RansDecoder(lanes, head_latency=HEAD_LATENCY, address_bits=ADDRESS_BITS + 3)
    given |= {port: values[:clocks] for port, values in answers.items()}
    found = blocks(
        {f"decoder_{port}": values for port, values in given.items()}, extra=block.done_latency
    )
    coded = slots >= 0
    result = found["decoder_slot"][slot_latency:][:clocks]
    np.testing.assert_array_equal(result[coded], slots[coded])
    result = found["decoder_done"][block.done_latency :].astype(bool)
    np.testing.assert_array_equal(result[first_turn:], done[first_turn:])
    result = found["decoder_good"][block.done_latency :].astype(bool)
    np.testing.assert_array_equal(result[done], good[done])


def test_payload_memory_meets_the_decoder():
    assert RansDecoder.fetch_latency == PayloadMemory.latency


@pytest.mark.parametrize(("block", "least"), [
    (RansEncoder, RansEncoder.latency), (BitPacker, BitPacker.latency + 1),
    (ShortRansEncoder, ShortRansEncoder.latency),
])  # fmt: skip
def test_too_few_lanes(block, least):
    with pytest.raises(ValueError, match=f"at least {least}, not {least - 1}"):
        block(least - 1)


def test_too_few_decoder_lanes():
    with pytest.raises(ValueError, match=f"at least {decoder_lanes()}"):
        RansDecoder(decoder_lanes() - 1, head_latency=HEAD_LATENCY, address_bits=14)
