"""Queue, byte source and byte aligner alone, with stalls."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.gateware.streams.axi import word_layout
from lutgen.gateware.streams.block_fifo import BlockFifo
from lutgen.gateware.streams.byte_aligner import ByteAligner
from lutgen.gateware.streams.run_source import RunSource
from lutgen.sim import Stall, rtl_stream
from tests.tiers import slow_but_first

STALLS = [{}, {"i": Stall(0.5, 1)}, {"o": Stall(0.5, 2)}, {"o": Stall(0.8, 3, burst=90)},
          {"i": Stall(0.4, 4, burst=60), "o": Stall(0.4, 5, burst=60)}]  # fmt: skip


class _Queue(wiring.Component):
    """A queue whose writer sees ``room`` two clocks late."""

    i: In(stream.Signature(16))
    o: Out(stream.Signature(16))

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = queue = BlockFifo(16, 16)
        room = Signal()
        m.d.sync += [
            room.eq(queue.room),
            queue.write.eq(self.i.valid & self.i.ready),
            queue.data.eq(self.i.payload),
        ]
        m.d.comb += self.i.ready.eq(room)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        return m


@pytest.mark.parametrize("stall", STALLS)
def test_queue(stall):
    """Nothing is lost however full or empty it is."""
    values = np.arange(1, 1200)
    found = rtl_stream(
        _Queue(), {"i": {"payload": values}}, {"o": ["payload"]}, stalls=stall,
        expect={"o": len(values)},
    )  # fmt: skip
    np.testing.assert_array_equal(found.outputs["o"]["payload"], values)


def test_queue_is_a_word_per_clock():
    values = np.arange(400)
    found = rtl_stream(
        _Queue(), {"i": {"payload": values}}, {"o": ["payload"]}, expect={"o": len(values)}
    )
    clocks = found.output_clocks["o"]
    assert clocks[-1] - clocks[0] == len(values) - 1


@pytest.mark.parametrize("depth", [8, 24, 0])
def test_depth_of_a_queue(depth):
    with pytest.raises(ValueError, match=rf"^depth must be a power of two of .* 16, not {depth}$"):
        BlockFifo(8, depth)


class _Packer(wiring.Component):
    """Words with null bytes anywhere to words without."""

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__({
            "i": In(stream.Signature(word_layout(count))),
            "o": Out(stream.Signature(word_layout(count))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.source = source = RunSource(self._count)
        m.submodules.aligner = aligner = ByteAligner(self._count)
        wiring.connect(m, wiring.flipped(self.i), source.i)
        wiring.connect(m, aligner.words, wiring.flipped(self.o))
        pause = Signal()
        take = source.o.valid & source.o.ready
        m.d.comb += source.o.ready.eq(aligner.room & ~pause)
        m.d.sync += [
            pause.eq(take & source.o.payload.last),
            aligner.take.eq(take),
            Cat(aligner.run).eq(Cat(source.o.payload)),
        ]
        return m


@pytest.mark.parametrize("count", slow_but_first([4, 2, 8]))
@pytest.mark.parametrize("stall", STALLS[::2])
def test_packing(count, stall):
    """Files of any length, in words of any bytes; an empty file is a zero byte."""
    rng = np.random.default_rng([count, 1])
    files = [rng.bytes(int(n)) for n in rng.integers(1, 40, size=60)] + [b""]
    data, keep, last, expected = [], [], [], []
    for file in files:
        expected.append(file or b"\0")
        parts = []
        while file:
            some = rng.random(count) < rng.choice([0.2, 0.9, 1.0])
            some[np.flatnonzero(some)[len(file) :]] = False
            word = rng.integers(256, size=count, dtype=np.uint8)
            word[some] = np.frombuffer(file[: some.sum()], np.uint8)
            file = file[some.sum() :]
            parts.append((word, int((some << np.arange(count)).sum())))
        parts = parts or [(np.zeros(count, np.uint8), 0)]
        for k, (word, bits) in enumerate(parts):
            data.append(int.from_bytes(word.tobytes(), "little"))
            keep.append(bits)
            last.append(int(k == len(parts) - 1))
    words = {
        "data": np.array(data, dtype=object if count == 8 else np.int64),
        "keep": np.array(keep), "last": np.array(last),
    }  # fmt: skip
    beats = sum(-(-len(file) // count) for file in expected)
    found = rtl_stream(
        _Packer(count), {"i": words}, {"o": ["data", "keep", "last"]}, stalls=stall,
        expect={"o": beats},
    ).outputs["o"]  # fmt: skip
    assert len(found["last"]) == beats
    at = 0
    for file in expected:
        size = -(-len(file) // count)
        part = slice(at, at + size)
        at += size
        assert found["last"][part].tolist() == [0] * (size - 1) + [1]
        kept = [count] * (size - 1) + [len(file) - count * (size - 1)]
        assert found["keep"][part].tolist() == [(1 << n) - 1 for n in kept]
        given = b"".join(int(word).to_bytes(count, "little") for word in found["data"][part])
        assert given == file + bytes(size * count - len(file))
