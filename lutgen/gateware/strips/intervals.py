"""Intervals: folded residuals to what rANS codes of them, and to raw bits."""

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.residual import token_of

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import delay

__all__ = ["Intervals"]

_EXACT_BITS = 4
_MANTISSA_BITS = 2


class Intervals(wiring.Component):
    """Token, raw bits, and the token's interval in the table of its row.

    The first symbol to be coded, a group's last sample, must lead to the state from which its token
    is decoded and that ends in most zeros (`lutgen.codec.predictive.row_coder`).  It becomes an
    interval that an encoder codes in its first state, without bits, into just this state: its start
    is the state's lower bits, its frequency everything.  One symbol per clock, no reset.

    Parameters
    ----------
    cumulative:
        Integers, shape (rows, 65): the model's tables.
    depth:
        Bits of a folded residual, 8 to 16.

    Members
    -------
    row, folded : In(...)
        A symbol.
    begins : In(1)
        It is the first one of its group.
    start, freq : Out(14), Out(15)
        Interval, seven clocks later.
    raw, raw_count : Out(...)
        Raw bits, with zeros above them, and their number, one clock after the symbol.
    """

    #: Clocks from a symbol to its interval, and to its raw bits.
    latency = 7
    raw_latency = 1

    def __init__(self, cumulative: np.ndarray, depth: int) -> None:
        if not 8 <= depth <= 16:
            raise ValueError(f"depth must be 8 to 16, not {depth!r}")
        self._cumulative = np.asarray(cumulative)
        self._token_bits = bits_for(token_of((1 << depth) - 1)[0])
        most = depth - 1 - _MANTISSA_BITS
        super().__init__({
            "row": In(bits_for(len(cumulative) - 1)), "folded": In(depth), "begins": In(1),
            "start": Out(PROB_BITS), "freq": Out(PROB_BITS + 1),
            "raw": Out(most), "raw_count": Out(bits_for(most)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        folded, tokens = self.folded, 1 << self._token_bits
        # 1: exponent e = 4, 5, ...; the token is 16 + 4 (e - 4) and the two bits below the leading
        # one, the rest is raw.
        token, count = Value.cast(folded[:_EXACT_BITS]), Const(0, 1)
        raw = Const(0, 1)
        for exponent in range(_EXACT_BITS, len(folded)):
            rest = exponent - _MANTISSA_BITS
            octave = exponent - _EXACT_BITS + (1 << _EXACT_BITS - _MANTISSA_BITS)
            here = folded[exponent]
            token = Mux(here, Cat(folded[rest:exponent], Const(octave, 4)), token)
            count = Mux(here, rest, count)
            raw = Mux(here, folded[:rest], raw)
        token_1 = Signal(self._token_bits, reset_less=True)
        m.d.sync += [token_1.eq(token), self.raw_count.eq(count), self.raw.eq(raw)]
        row_1 = delay(m, self.row, 1, name="row")
        # 2: where interval and what is below it end.  A row's first start is always 0.
        above = Cat(token_1, row_1)
        below = Cat((token_1 - 1)[: len(token_1)], row_1)
        # The tables hold ends less one: so they can be compared with `last_slot`.
        ends = ((self._cumulative[:, 1 : tokens + 1] - 1) % (1 << PROB_BITS)).ravel().tolist()
        before, last = add_rom(
            m, "ends", ends, PROB_BITS,
            [delay(m, a, 1, name=n) for a, n in ((below, "below"), (above, "above"))], platform,
            cut=True,
        )  # fmt: skip
        # 5: both, if they come from several memories.
        lowest = delay(m, token_1 == 0, 3, name="lowest")
        before = delay(m, before | lowest.replicate(PROB_BITS), 1, name="before")  # 0 less one
        last, lowest = delay(m, last, 1, name="last"), delay(m, lowest, 1, name="lowest_late")
        # 6: start and frequency.  The slot with most zeros at its end is ``last`` without what
        # stands below the highest bit in which it differs from ``before``; or 0, if that is in.
        start_6, freq_6, slot_6 = (
            Signal(PROB_BITS, name=f"{n}_f", reset_less=True) for n in ("start", "freq", "slot")
        )
        differs = before ^ last
        m.d.sync += [
            start_6.eq(before + 1), freq_6.eq(last - before),
            slot_6.eq(Cat(
                bit & ~differs[k + 1 :].any() & ~lowest for k, bit in enumerate(last)
            )),
        ]  # fmt: skip
        # 7: which of them.
        begins = delay(m, self.begins, 6, name="begins")
        m.d.sync += [
            self.start.eq(Mux(begins, slot_6, start_6)),
            self.freq.eq(Mux(begins, 1 << PROB_BITS, freq_6)),
        ]
        return m
