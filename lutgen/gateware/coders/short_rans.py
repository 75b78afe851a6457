"""rANS encoder with a short loop, for few lanes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.memory import Memory

from lutgen.codec.rans import STATE_BITS
from lutgen.model.head import PROB_BITS

from ..fabric.pipeline import choose, delay
from .rans import WORD_BITS, RansEncoder, zeros_above

__all__ = ["ShortRansEncoder"]

#: A state is shifted until it is at least so many times the frequency.
_LEAST_QUOTIENT = 4


class ShortRansEncoder(RansEncoder):
    """`RansEncoder` whose state comes back after three clocks; it has the same members.

    What does not depend on the state is made before it is read: multiples of the frequency, with
    which the state is compared at once, and the start less each of them.  The bits of a symbol
    leave after five clocks; one symbol per clock, from lanes in rotation.  No reset: a payload's
    first symbol starts from the check state.
    """

    latency = 3
    bits_latency = 5

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.state = memory = Memory(shape=STATE_BITS, depth=self._lanes, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        lane, first, code, flush, start, freq = (
            [getattr(self, name)] for name in ("lane", "first", "code", "flush", "start", "freq")
        )
        for values, name in ((lane, "lane"), (first, "first"), (code, "code"), (flush, "flush"),
                             (start, "start"), (freq, "freq")):  # fmt: skip
            # The state's address with a reset: shift-register LUTs, which have none, are slow.
            for k in range(4):
                late = delay(m, values[-1], 1, name=f"{name}{k}", reset=values is lane)
                values.append(late)

        # 1: how far the frequency is from the top of the state's 17 bits.
        zeros = delay(m, zeros_above(self.freq), 1, name="zeros")
        # 2: f scaled to these bits; what the state is shifted by at least, and whether it may be by
        # one more: a symbol that is certain takes no bits.
        scaled, least = Signal(STATE_BITS + 1, reset_less=True), Signal(4, reset_less=True)
        more = Signal(reset_less=True)
        certain = freq[1][PROB_BITS]
        m.d.sync += [
            scaled.eq(freq[1] << zeros), more.eq(~certain), least.eq(Mux(certain, 0, zeros - 3)),
        ]
        # 3: the state, shifted by the least, and whether by one more.
        state = Signal(STATE_BITS + 1)
        m.d.comb += [
            read.addr.eq(lane[2]), state.eq(Cat(Mux(first[2], 0, read.data), Const(1, 1))),
        ]
        shifted, one_more = Signal(STATE_BITS + 1, reset_less=True), Signal(reset_less=True)
        m.d.sync += [shifted.eq(state >> least), one_more.eq(more & (state >= scaled))]
        multiples = [
            delay(m, value[: STATE_BITS + 1], 1, name=f"times{k}") for k, value in (
                (5, (freq[2] << 2) + freq[2]), (6, (freq[2] << 2) + (freq[2] << 1)),
                (7, (freq[2] << 3) - freq[2]),
            )
        ]  # fmt: skip
        least_3, state_3 = delay(m, least, 1, name="least"), delay(m, state[:-1], 1, name="state")
        # 4: the rest, which lies in [4 f, 8 f), and its quotient less 4.
        rest = Signal(STATE_BITS + 1)
        m.d.comb += rest.eq(Mux(one_more, shifted[1:], shifted))
        five, six, seven = (rest >= multiple for multiple in multiples)
        quotient = Signal(2, reset_less=True)
        m.d.sync += quotient.eq(Cat(Mux(six, seven, five), six))
        less = [
            delay(m, (start[3] - multiple)[:PROB_BITS], 1, name=f"less{k}")
            for k, multiple in enumerate((freq[3] << 2, *multiples), _LEAST_QUOTIENT)
        ]
        rest_4 = delay(m, rest[:PROB_BITS], 1, name="rest")
        count_4 = delay(m, least_3 + one_more, 1, name="count")[:4]
        state_4 = delay(m, state_3, 1, name="state_late")
        # The new state, for the lane's next turn: quotient, remainder and start.
        m.d.comb += [
            write.addr.eq(lane[4]), write.en.eq(code[4]),
            write.data.eq(Cat((rest_4 + choose(less, quotient))[:PROB_BITS], quotient)),
        ]
        # 5: the bits.
        mask = Cat(code[4] & (count_4 > i) for i in range(PROB_BITS))
        m.d.sync += [
            self.bits.eq(Mux(flush[4], state_4, state_4[:PROB_BITS] & mask)),
            self.count.eq(Mux(flush[4], WORD_BITS, Mux(code[4], count_4, 0))),
        ]
        return m
