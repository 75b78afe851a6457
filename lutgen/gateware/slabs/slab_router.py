"""Slab router: packets of bytes to the queues of the cores that they are for."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from ..streams.axi import word_layout
from ..streams.byte_aligner import ByteAligner
from ..streams.lut_fifo import LutFifo
from ..streams.run import run_layout

__all__ = ["SlabRouter"]

#: Packets that have begun, or ended, and not left: each has a word at least.
_PACKETS = 32


class SlabRouter(wiring.Component):
    """Makes words of runs, packet by packet, and writes each to all cores that it is for.

    One word per clock, but for a clock after each packet; latency of seven clocks.  Reset drops
    all.

    Parameters
    ----------
    slabs, count:
        Cores, and bytes of a run and of a word.

    Members
    -------
    opens : In(slabs)
        A packet begins, for the cores whose bits are set; with its first run or before.
    take, run : In(1), In(run_layout)
        A run of it; ``last`` ends it.  In the clock after there must be none.
    file_ends : In(1)
        With a ``last`` run, one clock before it: the file ends for its cores.
    closes : In(1)
        The run of the next clock is a ``last`` one.
    room : Out(1)
        Two more runs, and a packet, may come from the moment it falls.
    rooms : In(slabs)
        Each core's queue has room for two more words from the moment its bit falls.
    write, word : Out(slabs), Out(word_layout)
        A word for the cores whose bits are set.
    busy : Out(1)
        Something is inside.
    """

    def __init__(self, slabs: int, count: int) -> None:
        self._slabs, self._count = slabs, count
        super().__init__({
            "opens": In(slabs), "take": In(1), "run": In(run_layout(count)), "closes": In(1),
            "file_ends": In(1), "room": Out(1), "rooms": In(slabs), "write": Out(slabs),
            "word": Out(word_layout(count)), "busy": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.aligner = aligner = ByteAligner(self._count)
        m.submodules.routes = routes = LutFifo(StructLayout({"to": self._slabs}), _PACKETS)
        m.submodules.ends = ends = LutFifo(StructLayout({"file": 1}), _PACKETS)
        m.d.comb += [
            aligner.take.eq(self.take), aligner.run.eq(self.run),
            routes.i.valid.eq(self.opens.any()), routes.i.payload.to.eq(self.opens),
            ends.i.valid.eq(self.closes), ends.i.payload.file.eq(self.file_ends),
            self.room.eq(aligner.room & routes.room & ends.room),
        ]  # fmt: skip
        to, word = routes.o.payload.to, aligner.words.payload
        # All that are concerned have room, a clock ago; behind a packet that is of the one before.
        open_, stale = Signal(), Signal()
        m.d.sync += open_.eq((self.rooms | ~to).all() & routes.o.valid)
        may = open_ & ~stale & routes.o.valid & (ends.o.valid | ~word.last)
        goes = aligner.words.valid & may
        m.d.comb += [
            aligner.words.ready.eq(may),
            routes.o.ready.eq(goes & word.last), ends.o.ready.eq(goes & word.last),
        ]  # fmt: skip
        m.d.sync += [
            stale.eq(goes & word.last),
            self.write.eq(to & goes.replicate(self._slabs)), self.word.eq(word),
            self.word.last.eq(word.last & ends.o.payload.file),
        ]  # fmt: skip
        m.d.comb += self.busy.eq(
            self.take | aligner.busy | routes.busy | ends.busy | self.write.any()
        )
        return m
