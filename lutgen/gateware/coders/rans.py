"""rANS without a divider: the lane-interleaved coder cores and the encoder's bit packer.

See :mod:`lutgen.codec.rans` for the arithmetic.  A lane may present a symbol at most once every
``latency`` clocks; the rotation of lanes guarantees it.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.rans import STATE_BITS
from lutgen.model.head import PROB_BITS

from ..fabric.pipeline import delay
from ..lanes.lane_state import LaneState
from .rans_step import pop_step

__all__ = ["WORD_BITS", "BitPacker", "RansDecoder", "RansEncoder", "zeros_above"]

#: Bits that a flush gives.
WORD_BITS = 16


def zeros_above(freq: Value) -> Value:
    """Zeros above a frequency in the state's 17 bits."""
    found: Value = Const(0, 5)
    for i in range(PROB_BITS + 1):
        found = Mux(freq[i], STATE_BITS - i, found)
    return found


class RansEncoder(wiring.Component):
    """Encoder core: renormalise, divide by compare-and-subtract, add the start.

    The bits of a symbol leave after four clocks, its new state is stored after seven; one symbol
    per clock, from lanes in rotation.  No reset: a tile's first symbol starts from the check state.

    Parameters
    ----------
    lanes:
        Lanes in rotation, at least :attr:`latency`.

    Members
    -------
    lane : In(...)
        Lane of this clock.
    code : In(1)
        A symbol is coded.
    first : In(1)
        It is the tile's first: start from the check state.
    flush : In(1)
        No symbol: emit the 16 bits of the final state instead.
    start : In(14)
        Start of the symbol's interval.
    freq : In(15)
        Its frequency, 1 to ``2 ** 14``; a symbol that is certain changes nothing.
    bits : Out(16)
        Emitted bits, four clocks later.
    count : Out(5)
        Their number, 0..14, or 16 for a flush.
    """

    latency = 8
    #: Clocks from the inputs to ``bits``.
    bits_latency = 4

    def __init__(self, lanes: int) -> None:
        if lanes < self.latency:
            raise ValueError(f"lanes must be at least {self.latency}, not {lanes!r}")
        self._lanes = lanes
        super().__init__({
            "lane": In(bits_for(lanes - 1)),
            "code": In(1),
            "first": In(1),
            "flush": In(1),
            "start": In(PROB_BITS),
            "freq": In(PROB_BITS + 1),
            "bits": Out(WORD_BITS),
            "count": Out(5),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.state = memory = Memory(shape=STATE_BITS, depth=self._lanes, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        m.d.comb += read.addr.eq(self.lane)

        # 1: the state, and how far the frequency is from the top.
        state_1 = Signal(STATE_BITS, reset_less=True)
        above_1 = Signal(5, reset_less=True)  # zeros above f in the state's 17 bits
        m.d.sync += [
            state_1.eq(Mux(self.first, 0, read.data)), above_1.eq(zeros_above(self.freq)),
        ]
        freq_1 = delay(m, self.freq, 1, name="freq_a")
        # 2: f scaled to the 17 bits of the state, against which it is compared.
        scaled_2 = Signal(STATE_BITS + 1, reset_less=True)
        m.d.sync += scaled_2.eq(freq_1 << above_1)
        above_2 = delay(m, above_1, 1, name="above_b")
        state_2 = delay(m, state_1, 1, name="state_b")
        # 3: number of bits to emit.
        count_3 = Signal(4, reset_less=True)
        m.d.sync += count_3.eq(
            Mux(Cat(state_2, Const(1, 1)) >= scaled_2, above_2 - 2, above_2 - 3)
        )
        state_3 = delay(m, state_2, 1, name="state_c")
        code_3 = delay(m, self.code, 3, name="code")
        flush_3 = delay(m, self.flush, 3, name="flush")
        # 4: emit them; the rest lies in [4 f, 8 f).
        freq_3 = delay(m, freq_1, 2, name="freq_c")
        rest_4 = Signal(STATE_BITS + 1, reset_less=True)
        mask = Signal(PROB_BITS)
        m.d.comb += mask.eq(Cat(code_3 & (count_3 > i) for i in range(PROB_BITS)))
        m.d.sync += [
            rest_4.eq(Cat(state_3, Const(1, 1)) >> count_3),
            self.bits.eq(Mux(flush_3, state_3, state_3[:PROB_BITS] & mask)),
            self.count.eq(Mux(flush_3, WORD_BITS, Mux(code_3, count_3, 0))),
        ]
        freq_4 = delay(m, freq_3, 1, name="freq_d")
        # 5 to 7: quotient bits and remainder.
        rest_5 = Signal(PROB_BITS + 2, reset_less=True)
        m.d.sync += rest_5.eq(rest_4 - (freq_4 << 2))
        freq_5 = delay(m, freq_4, 1, name="freq_e")
        rest_6 = Signal(PROB_BITS + 1, reset_less=True)
        half = Signal(PROB_BITS + 3)
        high_6 = Signal(reset_less=True)
        m.d.comb += half.eq(rest_5 - (freq_5 << 1))
        m.d.sync += [rest_6.eq(Mux(half[-1], rest_5, half)), high_6.eq(~half[-1])]
        freq_6 = delay(m, freq_5, 1, name="freq_f")
        rest_7 = Signal(PROB_BITS, reset_less=True)
        one = Signal(PROB_BITS + 2)
        low_7 = Signal(reset_less=True)
        m.d.comb += one.eq(rest_6 - freq_6)
        m.d.sync += [rest_7.eq(Mux(one[-1], rest_6, one)), low_7.eq(~one[-1])]
        high_7 = delay(m, high_6, 1, name="high")
        start_7 = delay(m, self.start, 7, name="start")
        total = Signal(PROB_BITS)
        m.d.comb += [
            total.eq(rest_7 + start_7),
            write.addr.eq(delay(m, self.lane, 7, name="lane")),
            write.data.eq(Cat(total, low_7, high_7)),
            write.en.eq(delay(m, code_3, 4, name="code_late")),
        ]
        return m


class BitPacker(wiring.Component):
    """Packs the bits that lanes emit into words, per lane, the first bit lowest.

    The word of a clock leaves three clocks later; one group of bits per clock, from lanes in
    rotation.  No reset: ``first`` empties a lane.

    Members
    -------
    lane : In(...)
        Lane of this clock.
    first : In(1)
        Forget what the lane held before.
    last : In(1)
        Complete the word with the leading one of the state and zeros above.
    bits : In(16)
        Group of bits; those above ``count`` are zero.
    count : In(5)
        Their number, 0..16.
    word : Out(16)
        Word, three clocks later.
    valid : Out(1)
        A word is complete.
    both : Out(1)
        The word of a ``last`` has more than one significant byte.
    """

    latency = 3

    def __init__(self, lanes: int) -> None:
        if lanes < self.latency + 1:
            raise ValueError(f"lanes must be at least {self.latency + 1}, not {lanes!r}")
        self._lanes = lanes
        super().__init__({
            "lane": In(bits_for(lanes - 1)),
            "first": In(1),
            "last": In(1),
            "bits": In(WORD_BITS),
            "count": In(5),
            "word": Out(WORD_BITS),
            "valid": Out(1),
            "both": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fill = fills = Memory(shape=4, depth=self._lanes, init=[])
        m.submodules.held = helds = Memory(shape=WORD_BITS - 1, depth=self._lanes, init=[])
        fill_read, fill_write = fills.read_port(domain="comb"), fills.write_port()
        held_read, held_write = helds.read_port(domain="comb"), helds.write_port()
        # 1: fill of the lane.
        m.d.comb += fill_read.addr.eq(self.lane)
        fill_1 = Signal(4, reset_less=True)
        m.d.sync += fill_1.eq(Mux(self.first, 0, fill_read.data))
        lane_1 = delay(m, self.lane, 1, name="lane_a")
        first_1 = delay(m, self.first, 1, name="first_a")
        last_1 = delay(m, self.last, 1, name="last_a")
        count_1 = delay(m, self.count, 1, name="count_a")
        bits_1 = delay(m, Mux(self.last, 1, self.bits), 1, name="bits_a")
        total_1 = Signal(5)
        m.d.comb += [
            total_1.eq(fill_1 + Mux(last_1, 1, count_1)),
            fill_write.addr.eq(lane_1),
            fill_write.data.eq(total_1),
            fill_write.en.eq(1),
        ]
        # 2: the group in its place.
        placed_2 = Signal(2 * WORD_BITS - 1, reset_less=True)
        m.d.sync += placed_2.eq(bits_1 << fill_1)
        total_2 = delay(m, total_1, 1, name="total_b")
        lane_2 = delay(m, lane_1, 1, name="lane_b")
        first_2 = delay(m, first_1, 1, name="first_b")
        last_2 = delay(m, last_1, 1, name="last_b")
        merged = Signal(2 * WORD_BITS - 1)
        m.d.comb += [
            held_read.addr.eq(lane_2),
            merged.eq(placed_2 | Mux(first_2, 0, held_read.data)),
            held_write.addr.eq(lane_2),
            held_write.data.eq(Mux(total_2[4], merged[WORD_BITS:], merged)),
            held_write.en.eq(1),
        ]
        # 3: the word.
        m.d.sync += [
            self.word.eq(merged),
            self.valid.eq(total_2[4] | last_2),
            self.both.eq(total_2 > 8),
        ]
        return m


class RansDecoder(wiring.Component):
    """Decoder core: the slot for the head, and the next state from the interval it finds.

    ``slot`` leaves one clock after the inputs; the head answers with ``start`` and ``freq``
    exactly ``head_latency`` clocks after the slot; the new state is stored five clocks later, with
    registers six.  The tile's result is there at the same time as its state would be.  One symbol
    per clock, from lanes in rotation.

    Parameters
    ----------
    lanes:
        Lanes in rotation, at least :attr:`latency`.
    head_latency:
        Clocks from ``slot`` to ``start`` and ``freq``.
    address_bits:
        Width of bit addresses of the payload memory.
    fetch_latency:
        Clocks from ``fetch`` to ``word``.
    registers:
        Whether new bits are shifted in two steps, see `lutgen.gateware.fabric.fabric.Fabric`.

    Members
    -------
    lane : In(...)
        Lane of this clock.
    code : In(1)
        A symbol is decoded.
    load : In(1)
        No symbol: load the tile's state from ``position``.
    position : In(address_bits)
        Bit address of the tile's first bit below the leading one, with ``load``.
    end : In(address_bits)
        Bit address behind the tile's last bit, with ``load``.
    last : In(1)
        The symbol is the tile's last.
    slot : Out(14)
        Low bits of the state.
    start : In(14)
        Start of the symbol's interval.
    freq : In(15)
        Its frequency, 1 to ``2 ** 14``; a symbol that is certain changes nothing.
    fetch : Out(address_bits)
        Bit address whose 16 bits are wanted, ...
    word : In(16)
        ... there ``fetch_latency`` clocks later, the first bit in the top.
    done : Out(1)
        The tile's last symbol was decoded.
    good : Out(1)
        With ``done``: the tile ended in the check state at the end of its payload.
    """

    #: Clocks from ``fetch`` to ``word``, unless it is said otherwise.
    fetch_latency = 4
    #: Clocks from the inputs to ``slot``.
    slot_latency = 1
    #: Clocks from ``start`` and ``freq`` to the stored state, one less than with registers.
    tail = 5

    def __init__(
        self, lanes: int, *, head_latency: int, address_bits: int, fetch_latency: int = 4,
        registers: bool = False,
    ) -> None:  # fmt: skip
        self._lanes = lanes
        self.fetch_latency = fetch_latency
        self._registers = registers
        self._head_latency = head_latency
        #: Clocks from the inputs to the stored state, which bounds the number of lanes.
        self.latency = 1 + head_latency + self.tail + registers
        #: Clocks from the inputs to ``done``.
        self.done_latency = self.latency
        if lanes < self.latency:
            raise ValueError(f"lanes must be at least {self.latency}, not {lanes!r}")
        super().__init__({
            "lane": In(bits_for(lanes - 1)),
            "code": In(1),
            "load": In(1),
            "position": In(address_bits),
            "end": In(address_bits),
            "last": In(1),
            "slot": Out(PROB_BITS),
            "start": In(PROB_BITS),
            "freq": In(PROB_BITS + 1),
            "fetch": Out(address_bits),
            "word": In(WORD_BITS),
            "done": Out(1),
            "good": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        h = self._head_latency
        # The position is read late, so that its word meets the state at the shifter.
        shift_at = 1 + h + 3
        lanes = LaneState(
            m, self, STATE_BITS, self._lanes, state_at=0,
            position_at=shift_at - self.fetch_latency - 1, store_at=self.latency - 1,
        )  # fmt: skip
        m.d.comb += self.slot.eq(lanes.state)

        # The interval has come.
        slot_h = delay(m, lanes.state, h, name="slot")
        product, lesser, fewer, _ = pop_step(m, slot_h, self.start, self.freq)
        count = Signal(5, reset_less=True)
        m.d.sync += count.eq(Mux(lanes.load[shift_at - 1], WORD_BITS, fewer + lesser))
        # Shift them in.
        shifted = Signal(STATE_BITS, reset_less=True)
        both = Cat(self.word, product)
        behind = lanes.behind(count, shift_at)
        rest = count
        if self._registers:
            # By multiples of four first: what is left needs three bits less of the words.
            both = (both << Cat(Const(0, 2), count[2:]))[: WORD_BITS + STATE_BITS]
            both = delay(m, both, 1, name="both")
            rest = delay(m, count[:2], 1, name="rest")
            behind = delay(m, behind, 1, name="behind")
        m.d.sync += shifted.eq((both << rest)[WORD_BITS : WORD_BITS + STATE_BITS])
        lanes.store(shifted, behind)
        return m
