"""Run cutter: a byte, or so many bytes, from runs of bytes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..streams.run import run_layout

__all__ = ["RunCutter"]


class RunCutter(wiring.Component):
    """Takes bytes of runs as its reader wants them: single ones, or many at once.

    A byte or a run per clock; two clocks for each of the last three runs of many, and as many
    clocks as bytes have been taken of a run in part, in which ``ready`` is low.  Reset drops all.

    Parameters
    ----------
    count:
        Bytes of a run at most.
    bits:
        Bits of a number of bytes.

    Members
    -------
    runs : In(stream of `lutgen.gateware.streams.run.run_layout`)
        The bytes.
    room : In(1)
        Bytes may be taken.
    serial : In(1)
        Take a byte; only with ``ready``.
    load, count : In(1), In(bits)
        Set how many bytes are to be taken at once; four clocks before ``bulk`` at least.
    bulk : In(1)
        Take them; only with ``ready``.
    drop : In(1)
        Take all that is there, and give nothing.
    byte : Out(8)
        The next byte, if any; it is taken with ``step``.
    step : Out(1)
        A byte is taken.
    done : Out(1)
        The last of many is taken.
    over : Out(1)
        The packet's last byte is taken.
    give, run : Out(1), Out(run_layout)
        What is taken, but for ``last``.
    ready : Out(1)
        The next byte is in its place.
    held : Out(1)
        Something is there.
    """

    def __init__(self, count: int, bits: int) -> None:
        self._count = count
        super().__init__({
            "runs": In(stream.Signature(run_layout(count))), "room": In(1), "serial": In(1),
            "load": In(1), "count": In(bits), "bulk": In(1), "drop": In(1), "byte": Out(8),
            "step": Out(1), "done": Out(1), "over": Out(1), "give": Out(1),
            "run": Out(run_layout(count)), "ready": Out(1), "held": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        count, given, held = self._count, self.runs.payload, self.held
        # The run at hand, from its first byte that has not been taken.
        data, top = Signal(8 * count, reset_less=True), Signal(bits_for(count - 1))
        last = Signal()
        shift = Signal.like(top)  # bytes that have been taken of its part
        ends = top == 0
        # What is to be taken at once: flags are of the clock before, in which nothing was taken if
        # "looked"; "many" is more than the next two runs hold.
        left = Signal.like(self.count)
        many, looked, fits, exact = Signal(), Signal(), Signal(), Signal()
        some = left[: (3 * count).bit_length()]
        m.d.sync += [many.eq(left >= 3 * count), fits.eq(some > top), exact.eq(some == top + 1)]
        may = held & self.room & self.bulk
        whole, part = Signal(), Signal()
        m.d.comb += [
            self.step.eq(self.serial & held & self.room),
            whole.eq(may & (many | looked) & (many | fits)),
            part.eq(may & ~many & looked & ~fits),
            self.done.eq(part | (whole & ~many & exact)),
            self.give.eq(self.step | whole | part),
            self.byte.eq(data[:8]), self.run.data.eq(data),
            self.run.top.eq(Mux(whole, top, Mux(part, some - 1, 0))),
            self.over.eq(last & ((self.drop & held) | whole | (self.step & ends))),
            self.ready.eq(~shift.any()),
        ]  # fmt: skip
        m.d.sync += looked.eq(self.bulk & held & ~whole & ~part)
        gone = whole | (self.step & ends) | (self.drop & held)
        m.d.comb += self.runs.ready.eq(~held | gone)
        with m.If(gone):
            m.d.sync += held.eq(0)
        with m.Elif(self.step):
            m.d.sync += [data.eq(data >> 8), top.eq(top - 1)]
        with m.If(whole):
            m.d.sync += left.eq(left - top - 1)
        with m.If(part):
            m.d.sync += [shift.eq(some), top.eq(top - some)]
        with m.If(shift.any()):
            m.d.sync += [data.eq(data >> 8), shift.eq(shift - 1)]
        with m.If(self.runs.valid & self.runs.ready):
            m.d.sync += [
                data.eq(given.data), top.eq(given.top), last.eq(given.last), held.eq(1),
            ]  # fmt: skip
        with m.If(self.load):
            m.d.sync += left.eq(self.count)
        return m
