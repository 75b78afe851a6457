"""Blocks of the strip encoder, one by one, against arithmetic in Python."""

from fractions import Fraction
from functools import cache
from zlib import crc32

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from lutgen.codec.rans import CHECK_STATE, push
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.strips import payload_pool
from lutgen.gateware.strips.intervals import Intervals
from lutgen.gateware.strips.narrower import Narrower
from lutgen.gateware.strips.pair_crc import PairCrc32
from lutgen.gateware.strips.pair_joiner import PairJoiner
from lutgen.gateware.strips.payload_forms import PayloadForms, most_words
from lutgen.gateware.strips.payload_pool import PayloadPool
from lutgen.gateware.strips.strip_encoder import StripEncoder
from lutgen.gateware.strips.strip_writer import StripWriter
from lutgen.gateware.strips.symbol_stacks import SymbolStacks
from lutgen.gateware.strips.word_packer import WordPacker
from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.residual import token_of
from lutgen.sim import Stall, rtl_stream
from tests.gateware.bundle import Bundle, Pipelines
from tests.models import predictive_model

LANES = 8
MOST = 25
TOTAL = 1 << PROB_BITS


@cache
def last_state(low: int, high: int) -> int:
    """State whose lower bits are in an interval and end in most zeros."""
    return CHECK_STATE + max(range(low, high), key=lambda slot: slot & -slot or TOTAL)


@cache
def tables() -> np.ndarray:
    """A model's tables, and rows whose intervals are as narrow, wide, low and high as can be."""
    certain = np.arange(65)
    certain[-1] = TOTAL
    rows = [certain, np.concatenate([[0], TOTAL - 64 + np.arange(1, 65)])]
    flat = np.arange(65) * (TOTAL // 64)
    rng = np.random.default_rng(7)
    drawn = [np.concatenate([[0], np.sort(rng.choice(TOTAL - 1, 63, replace=False) + 1), [TOTAL]])
             for _ in range(5)]  # fmt: skip
    return np.array([*predictive_model(3).cumulative, *rows, flat, *drawn])


@pytest.fixture(scope="module")
def blocks() -> Pipelines:
    return Pipelines({
        "crc": PairCrc32(),
        "interval8": Intervals(tables(), 8),
        "interval16": Intervals(tables(), 16),
        "stripped": WordPacker(LANES, MOST, strip=True),
        "packed": WordPacker(LANES, 13),
        "bytes": WordPacker(LANES, 8, grain=8),
    })


def test_crc(blocks):
    rng = np.random.default_rng(1)
    clocks = 3000
    given = {port: np.zeros(clocks, np.int64) for port in ("restart", "pair", "byte", "data")}
    values = np.zeros(clocks, np.int64)
    crc, begun = 0, False
    for t in range(clocks):
        given["data"][t] = rng.integers(1 << 16)
        kind = rng.choice(["restart", "pair", "byte", "none"], p=[0.02, 0.4, 0.4, 0.18])
        if not begun or kind == "restart":
            given["restart"][t], begun, crc = 1, True, 0
        elif kind != "none":
            given[kind][t] = 1
            size = 2 if kind == "pair" else 1
            crc = crc32(int(given["data"][t]).to_bytes(2, "little")[:size], crc)
        values[t] = crc
    found = blocks({f"crc_{name}": v for name, v in given.items()}, extra=PairCrc32.latency)
    np.testing.assert_array_equal(found["crc_value"][PairCrc32.latency :], values)


@pytest.mark.parametrize("depth", [8, 16])
def test_intervals(blocks, depth):
    """Start, frequency and raw bits of all tokens; of beginnings, what leads to the last state."""
    table = tables()
    rng = np.random.default_rng(2)
    top = 1 << depth
    edges = [v + d for k in range(depth) for v in (1 << k, 3 << max(k - 1, 0)) for d in (-1, 0, 1)]
    values = np.array([0, top - 1, *(v for v in edges if v < top)])
    folded = np.concatenate([np.tile(values, len(table)), rng.integers(top, size=2000)])
    row = np.concatenate([np.repeat(np.arange(len(table)), len(values)),
                          rng.integers(len(table), size=2000)])  # fmt: skip
    begins = rng.integers(2, size=len(row))
    block = f"interval{depth}_"
    found = blocks({
        f"{block}row": row, f"{block}folded": folded, f"{block}begins": begins,
    }, extra=Intervals.latency)  # fmt: skip
    start, freq = (found[block + name][Intervals.latency :] for name in ("start", "freq"))
    raw, raw_count = (
        found[block + name][Intervals.raw_latency :][: len(row)] for name in ("raw", "raw_count")
    )
    for k, (u, r) in enumerate(zip(folded.tolist(), row.tolist(), strict=True)):
        token, count = token_of(u)
        low, high = table[r, token : token + 2].tolist()
        assert (raw[k], raw_count[k]) == (u & ((1 << count) - 1), count)
        if begins[k]:
            pushed = push(CHECK_STATE, int(start[k]), int(freq[k]))
            assert pushed == (last_state(low, high), 0, 0), (low, high)
        else:
            assert (start[k], freq[k]) == (low, high - low)


@pytest.mark.parametrize(("name", "most", "strip", "grain"), [
    ("stripped", MOST, True, 1), ("packed", 13, False, 1), ("bytes", 8, False, 8),
])  # fmt: skip
def test_word_packer(blocks, name, most, strip, grain):
    rng = np.random.default_rng(3)
    clocks = 900 * LANES
    ports = ("first", "close", "pad", "bits", "count")
    given = {port: np.zeros(clocks, np.int64) for port in ports}
    valid, word, left = (np.zeros(clocks, np.int64) for _ in range(3))
    for lane in range(LANES):
        number = size = 0  # bits that the lane holds, the first one lowest
        some, fresh = not strip, True
        for t in range(lane, clocks, LANES):
            if rng.random() < 0.05 and not fresh:
                given["close"][t] = 1
                valid[t], word[t], left[t] = size > 0, number, size
                fresh = True
                continue
            if fresh:
                given["first"][t], fresh = 1, False
                pad = int(rng.integers(8)) // grain * grain
                given["pad"][t] = pad
                number, size, some = 0, 0 if strip else pad, not strip
            count = int(rng.choice([0, most, rng.integers(most + 1)])) // grain * grain
            value = int(rng.integers(1 << count)) & int(rng.choice([0, -1, -256, -(1 << 16)]))
            given["bits"][t], given["count"][t] = value, count
            if not some and value:
                some = True
                zeros = (value & -value).bit_length() - 1
                value, count = value >> zeros, count - zeros
            if some:
                number, size = number | value << size, size + count
            if size >= 32:
                valid[t], word[t] = 1, number & 0xFFFFFFFF
                number, size = number >> 32, size - 32
    latency = WordPacker.latency
    found = blocks({
        f"{name}_lane": np.arange(clocks) % LANES,
        **{f"{name}_{port}": values for port, values in given.items()},
    }, extra=latency)  # fmt: skip
    complete, closes = valid.astype(bool), given["close"].astype(bool)
    np.testing.assert_array_equal(found[f"{name}_valid"][latency:], valid)
    np.testing.assert_array_equal(found[f"{name}_word"][latency:][complete], word[complete])
    np.testing.assert_array_equal(found[f"{name}_left"][latency:][closes], left[closes])
    assert closes.sum() > 200 and complete.sum() > 500


class _Joined(wiring.Component):
    """A joiner, and a narrower behind it."""

    def __init__(self, count: int, narrow: int) -> None:
        self._joiner, self._narrower = PairJoiner(count), Narrower(count, narrow)
        super().__init__({
            "i": self._joiner.signature.members["i"], "o": self._narrower.signature.members["o"],
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.joiner, m.submodules.narrower = self._joiner, self._narrower
        wiring.connect(m, wiring.flipped(self.i), self._joiner.i)
        wiring.connect(m, self._joiner.o, self._narrower.i)
        wiring.connect(m, self._narrower.o, wiring.flipped(self.o))
        return m


def test_joiners_and_narrowers():
    """Bytes that come singly and in pairs leave in words of all sizes."""
    rng = np.random.default_rng(4)
    packets = [rng.integers(256, size=n, dtype=np.uint8).tobytes() for n in [*range(2, 30), 300]]
    beats = {name: [] for name in ("data", "two", "last")}
    for packet in packets:
        at = 0
        while at < len(packet):
            left = len(packet) - at
            two = left == 2 or (left > 3 and rng.random() < 0.6)
            beats["data"].append(int.from_bytes(packet[at : at + 2], "little"))
            beats["two"].append(int(two))
            at += 1 + two
            beats["last"].append(int(at == len(packet)))
    sizes = {"one": (2, 1), "two": (2, 2), "cut": (4, 2), "four": (4, 4), "eight": (8, 8)}
    found = rtl_stream(
        Bundle({name: _Joined(*pair) for name, pair in sizes.items()}),
        {f"{name}_i": beats for name in sizes},
        {f"{name}_o": ["data", "keep", "last"] for name in sizes},
        stalls={"one_o": Stall(0.3, seed=1), "two_o": Stall(0.5, seed=2),
                "two_i": Stall(0.2, seed=3), "four_o": Stall(0.5, seed=4),
                "eight_o": Stall(0.9, seed=5)},
        expect={"one_o": sum(map(len, packets))},
        drain=4000,
    ).outputs  # fmt: skip
    for name, (_, count) in sizes.items():
        read, packet = [], b""
        out = found[f"{name}_o"]
        for data, keep, last in zip(*(out[n].tolist() for n in ("data", "keep", "last")),
                                    strict=True):  # fmt: skip
            size = keep.bit_length()
            assert keep == (1 << size) - 1 and (size == count or last)
            packet += data.to_bytes(count, "little")[:size]
            if last:
                read.append(packet)
                packet = b""
        assert read == packets


def test_most_words():
    assert most_words(4 * 1920, 8) == 1920 and most_words(4 * 1920, 16) == 3840


class _Words:
    """Lanes that write payloads into a pool, in rounds, and a reader that takes one by one."""

    HELD = 24  # clocks until a lane heeds what the pool says

    def __init__(self, lanes: int, words: int, rounds: int, seed: int) -> None:
        self.pool, self.lanes = PayloadPool(lanes, words, 8), lanes
        self.rng = np.random.default_rng(seed)
        # The longest ones, and some that are short or empty.
        self.sizes = [
            [words if self.rng.random() < 0.7 else int(self.rng.integers(words))
             for _ in range(lanes)] for _ in range(rounds)
        ]  # fmt: skip
        self.written = [[0] * lanes for _ in range(rounds)]
        self.kept, self.round, self.low = {}, [0] * lanes, [0] * self.HELD
        self.wanted = (0, 0)  # round and lane
        self.rests = [0] * lanes
        self.was_low = False

    def write(self, ctx, clock: int) -> None:
        """The turn of a lane, which has two payloads at most."""
        pool, lane = self.pool, clock % self.lanes
        of = self.round[lane]
        goes = of < len(self.sizes) and of <= self.wanted[0] + 1
        if goes and self.written[of][lane] == self.sizes[of][lane]:
            # The next one is held in time, as that of a coder is, which has a group to wait for.
            self.round[lane], self.rests[lane], goes = of + 1, clock + 2 * self.HELD, False
        goes &= clock >= self.rests[lane]
        goes = goes and (not self.low[0] or (of, lane) == self.wanted)
        ctx.set(pool.write, goes)
        if goes:
            number = self.written[of][lane]
            self.kept[of, lane, number] = word = int(self.rng.integers(256))
            for name, value in (("lane", lane), ("side", of % 2), ("number", number),
                                ("word", word)):  # fmt: skip
                ctx.set(getattr(pool, name), value)
            self.written[of][lane] += 1

    async def tick(self, ctx) -> None:
        await ctx.tick()
        self.low = [*self.low[1:], ctx.get(self.pool.low)]
        self.was_low |= self.low[-1]

    async def writer(self, ctx) -> None:
        clock = 0
        while self.wanted[0] < len(self.sizes):
            self.write(ctx, clock)
            await self.tick(ctx)
            clock += 1

    async def reader(self, ctx) -> None:
        pool = self.pool
        for of, sizes in enumerate(self.sizes):
            for lane, size in enumerate(sizes):
                self.wanted = of, lane
                ctx.set(pool.wanted, 2 * lane + of % 2)
                while self.written[of][lane] < size:
                    await ctx.tick()
                await ctx.tick().repeat(8)
                for number in reversed(range(size)):
                    ctx.set(pool.index, number)
                    await ctx.tick().repeat(pool.latency)
                    assert ctx.get(pool.found) == self.kept[of, lane, number], (of, lane, number)
                ctx.set(pool.frees, 1)
                for at in range(pool.whole):
                    ctx.set(pool.at, at)
                    ctx.set(pool.forget, at == pool.whole - 1)
                    await ctx.tick()
                ctx.set(pool.frees, 0)
                ctx.set(pool.forget, 0)
        self.wanted = len(self.sizes), 0


@pytest.mark.parametrize("words", [1, 40, 70])
def test_payload_pool(words):
    """Lanes that all begin at once are held before blocks run out, and all payloads are read."""
    run = _Words(8, words, 4, words)
    simulator = Simulator(run.pool)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run.writer, background=True)
    simulator.add_testbench(run.reader)
    simulator.run()
    assert run.written == run.sizes
    assert run.was_low or words == 1


class _Greedy:
    """Lane 0 completes its longest payload, which is read; lane 1 takes all that it may."""

    def __init__(self, whole: int) -> None:
        self.pool = pool = PayloadPool(2, 2 * whole, 8)
        assert pool.whole == whole
        # As few as there may be: those kept back, and of one payload.
        pool._blocks = whole + 2 + PayloadPool.spare
        self.whole, self.clock, self.spent = whole, 0, False
        self.kept: dict[tuple[int, int], list[int]] = {(0, 0): [], (0, 1): [], (1, 0): []}

    async def tick(self, ctx, side: int | None = None, **values) -> None:
        """A clock, in which lane 0 may begin a block of a side; every fourth one is lane 1's."""
        pool, low = self.pool, ctx.get(self.pool.low)
        self.spent &= bool(low)
        greedy = self.clock % 4 == 0 and not self.spent and len(self.kept[1, 0]) < self.whole
        place = (0, side) if side is not None else (1, 0) if greedy else None
        if place == (1, 0):
            self.spent = bool(low)
        if place:
            words = self.kept[place]
            words.append(self.clock % 251)
            values |= {"lane": place[0], "side": place[1], "number": 2 * len(words) - 2,
                       "word": words[-1], "write": 1}  # fmt: skip
        for name in ("write", "frees", "forget"):
            ctx.set(getattr(pool, name), values.get(name, 0))
        for name, value in values.items():
            ctx.set(getattr(pool, name), value)
        self.clock += 1
        await ctx.tick()

    async def complete(self, ctx, side: int) -> None:
        """Lane 0's payload of a side, a block in four clocks."""
        while len(self.kept[0, side]) < self.whole:
            await self.tick(ctx, side if self.clock % 4 == 2 else None)
        for _ in range(8):
            await self.tick(ctx)

    async def bench(self, ctx) -> None:
        await self.complete(ctx, 0)
        for at in range(self.whole):
            await self.tick(ctx, frees=1, at=at, forget=at == self.whole - 1)
        ctx.set(self.pool.wanted, 1)
        for _ in range(12):
            await self.tick(ctx)
        await self.complete(ctx, 1)
        for (lane, side), words in self.kept.items():
            ctx.set(self.pool.wanted, 2 * lane + side)
            for number, word in enumerate(words if (lane, side) != (0, 0) else ()):
                ctx.set(self.pool.index, 2 * number)
                await ctx.tick().repeat(self.pool.latency)
                assert ctx.get(self.pool.found) == word, (lane, side, number)


@pytest.mark.parametrize("whole", [2, 16])
def test_blocks_that_become_free(whole, monkeypatch):
    """They are no longer of the payload that is wanted: the next one has as many to come."""
    monkeypatch.setattr(payload_pool, "_WORDS", (2,))
    run = _Greedy(whole)
    simulator = Simulator(run.pool)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run.bench)
    simulator.run()
    assert len(run.kept[1, 0]) > 1


def test_memories_of_payloads():
    """In halves of block memories: three groups are coded at once, and eight come in lanes."""
    words = most_words(4 * 1920, 8)
    costs = [
        PayloadPool(3, words, 32, read=Fraction(1, 2), growth=growth, each=2).cost
        for growth in (Fraction(5, 4), Fraction(1))
    ]
    assert costs == [14, 12]
    # A ring for each lane took 64.
    assert SymbolStacks(8, 4 * 1920, symbol_bits=16).cost == 47


def test_short_payloads():
    """Of pictures so narrow that a block holds a payload: Verilog has no signals of no bits."""
    assert "[-1:0]" not in to_verilog(PayloadForms(LANES, 32, 8, most=MOST), "forms")


@pytest.mark.parametrize(("make", "message"), [
    (lambda: SymbolStacks(7, 4, symbol_bits=8), "^lanes must be at least 8, not 7$"),
    (lambda: SymbolStacks(8, 4, symbol_bits=8, seats=2),
     "^seats must be at least 3, not 2$"),
    (lambda: SymbolStacks(8, 0, symbol_bits=8), "^symbols of a group must be at least 1, not 0$"),
    (lambda: WordPacker(2, 8), "^lanes must be at least 3, not 2$"),
    (lambda: WordPacker(8, 32), "^bits of a group must be 1 to 31, not 32$"),
    (lambda: WordPacker(8, 8, grain=3), "^grain must be 1, 2, 4 or 8, not 3$"),
    (lambda: Intervals(tables(), 7), "^depth must be 8 to 16, not 7$"),
    (lambda: StripWriter(model_hash=bytes(8), lanes=3, groups=8, symbols=4, depth=8, count=3),
     "^bytes of a word must be 1, 2, 4 or 8, not 3$"),
    (lambda: StripWriter(model_hash=bytes(8), lanes=3, groups=8, symbols=4, depth=8, max_strips=3),
     "^strips of a file must be a power of two of at least 2, not 3$"),
    (lambda: StripEncoder(tables(), model_hash=bytes(8), max_width=0),
     "^greatest width must be at least 1, not 0$"),
    (lambda: PairJoiner(1), "^bytes of a word must be 2, 4 or 8, not 1$"),
    (lambda: PayloadForms(2, 4, 8, most=25), "^lanes must be at least 3, not 2$"),
])  # fmt: skip
def test_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()
