"""Group bits: symbols to the bits of payloads, in both forms that a payload may have."""

import numpy as np
from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.rans import STATE_BITS
from lutgen.model.head import PROB_BITS

from ..coders.short_rans import ShortRansEncoder
from ..fabric.pipeline import delay
from .intervals import Intervals

__all__ = ["GroupBits"]

_MANTISSA_BITS = 2


class GroupBits(wiring.Component):
    """Codes the symbols of groups, backwards and lane by lane: rANS and raw bits.

    One symbol per clock, of lanes in rotation, each at most every `lanes` clocks.  No reset.

    Parameters
    ----------
    lanes:
        Lanes, at least 3.
    cumulative, depth:
        See `Intervals`.

    Members
    -------
    lane, code, flush : In(...)
        Lane of this clock; whether there is a symbol of it, or its state shall be given.
    first : In(1)
        The symbol is the first one of its group.
    row, folded : In(...)
        The symbol.
    bits, count : Out(...)
        Bits to put before those that are there, thirteen clocks later, and their number.
    plain : Out(depth)
        The folded residual at the same time; 0 if there is none.
    """

    #: Clocks from a symbol to its bits.
    latency = Intervals.latency + ShortRansEncoder.bits_latency + 1

    def __init__(self, lanes: int, cumulative: np.ndarray, depth: int) -> None:
        self._lanes = lanes
        self._intervals = Intervals(cumulative, depth)
        self._rans = ShortRansEncoder(lanes)
        #: Bits of a symbol at most; the state has 17.
        self.most = max(PROB_BITS + depth - 1 - _MANTISSA_BITS, STATE_BITS + 1)
        super().__init__({
            "lane": In(bits_for(lanes - 1)), "code": In(1), "flush": In(1), "first": In(1),
            "row": In(bits_for(len(cumulative) - 1)), "folded": In(depth),
            "bits": Out(self.most), "count": Out(bits_for(self.most)), "plain": Out(depth),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.intervals, m.submodules.rans = intervals, rans = self._intervals, self._rans
        ahead = Intervals.latency
        m.d.comb += [
            intervals.row.eq(self.row), intervals.folded.eq(self.folded),
            intervals.begins.eq(self.first), rans.start.eq(intervals.start),
            rans.freq.eq(intervals.freq), rans.lane.eq(delay(m, self.lane, ahead, name="lane")),
        ]  # fmt: skip
        for name in ("code", "flush", "first"):
            value = delay(m, getattr(self, name), ahead, name=name, reset=True)
            m.d.comb += getattr(rans, name).eq(value)
        # What is pushed last is read first: raw bits come before those of the state, and the
        # leading one before the whole state.
        late = ahead + ShortRansEncoder.bits_latency
        code, flush = (
            delay(m, getattr(rans, name), ShortRansEncoder.bits_latency - 1, name=f"{name}_late")
            for name in ("code", "flush")
        )
        rest = late - 1 - Intervals.raw_latency
        raw = delay(m, intervals.raw, rest, name="raw")
        raw_count = delay(m, intervals.raw_count, rest, name="raw_count")
        folded = delay(m, self.folded, late - 1, name="folded")
        above, above_count = (
            delay(m, Mux(flush, 1, Mux(code, value, 0))[: len(value)], 1, name=f"above_{k}")
            for k, value in enumerate((raw, raw_count))
        )
        m.d.sync += [
            self.bits.eq(rans.bits | (above << rans.count)[: self.most]),
            self.count.eq(rans.count + above_count),
            self.plain.eq(delay(m, Mux(code, folded, 0), 1, name="plain")),
        ]
        return m
