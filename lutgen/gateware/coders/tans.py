"""tANS: symbols to states and back by tables in block memory, lanes in rotation.

See :mod:`lutgen.codec.tans` for the arithmetic and the tables.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.tans import ESCAPE, RAW_BITS, TansTables
from lutgen.model.head import SYMBOLS

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import delay, one_hot_select
from ..lanes.lane_state import LaneState

__all__ = ["TansDecoder", "TansEncoder", "TansStates", "TansSymbols"]

_WORD = 16


def _class_bits(tables: TansTables) -> int:
    return bits_for(tables.classes - 1)


class TansSymbols(wiring.Component):
    """The encoder's head: places of a symbol's states, or of the escape's.

    Latency of four clocks, one symbol per clock.

    Parameters
    ----------
    tables:
        The tables.

    Members
    -------
    classes : In(...)
        Class.
    symbol : In(8)
        Symbol.
    start, freq : Out(L)
        First place and number of its states.
    escape : Out(1)
        They are the escape's.
    """

    latency = 4

    def __init__(self, tables: TansTables) -> None:
        self._tables = tables
        super().__init__(
            {
                "classes": In(_class_bits(tables)),
                "symbol": In(8),
                "start": Out(tables.bits),
                "freq": Out(tables.bits),
                "escape": Out(1),
            }
        )

    @classmethod
    def latency_of(cls, head) -> int:
        """Clocks from the inputs to ``start`` and ``freq``."""
        return cls.latency

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = self._tables.bits
        mask = (1 << bits) - 1
        cumulative = self._tables.cumulative
        # The start of symbol 0 is 0: in its place stands the end of symbol 255.
        words = cumulative[:, :SYMBOLS].copy()
        words[:, 0] = cumulative[:, ESCAPE]
        after = Signal(8)
        m.d.comb += after.eq(self.symbol + 1)
        start, end = add_rom(
            m, "table", (words & mask).ravel().tolist(), bits,
            [Cat(self.symbol, self.classes), Cat(after, self.classes)], platform,
        )  # fmt: skip
        (escape,) = add_rom(
            m, "escape", (cumulative[:, ESCAPE] & mask).tolist(), bits, [self.classes], platform
        )
        lowest = delay(m, self.symbol == 0, 2, name="lowest")
        from_ = Signal(bits)
        m.d.comb += from_.eq(Mux(lowest, 0, start))
        start_3 = delay(m, from_, 1, name="start")
        freq_3 = delay(m, (end - from_)[:bits], 1, name="freq")
        rare_3 = delay(m, end == from_, 1, name="rare")  # no symbol has all the states
        escape_3 = delay(m, escape, 1, name="escape_start")
        left_3 = delay(m, (-escape)[:bits], 1, name="escape_freq")
        m.d.sync += [
            self.start.eq(Mux(rare_3, escape_3, start_3)),
            self.freq.eq(Mux(rare_3, left_3, freq_3)),
            self.escape.eq(rare_3),
        ]
        return m


class TansEncoder(wiring.Component):
    """Encoder core: renormalise, then look up the next state.

    The bits of a symbol leave after five clocks, its new state is stored after seven; one symbol
    per clock, from lanes in rotation.  No reset: a tile's first symbol starts from the check state.

    Parameters
    ----------
    tables:
        The tables.
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
        No symbol: emit the L bits of the final state instead.
    classes, symbol : In(...)
        Class and symbol.
    start, freq : In(L)
        Place and number of its states, or of the escape's.
    escape : In(1)
        They are the escape's.
    bits : Out(16)
        Emitted bits, five clocks later.
    count : Out(5)
        Their number.
    """

    latency = 8
    #: Clocks from the inputs to ``bits``.
    bits_latency = 5

    def __init__(self, tables: TansTables, lanes: int) -> None:
        if lanes < self.latency:
            raise ValueError(f"lanes must be at least {self.latency}, not {lanes!r}")
        self._tables, self._lanes = tables, lanes
        super().__init__(
            {
                "lane": In(bits_for(lanes - 1)),
                "code": In(1),
                "first": In(1),
                "flush": In(1),
                "classes": In(_class_bits(tables)),
                "symbol": In(8),
                "start": In(tables.bits),
                "freq": In(tables.bits),
                "escape": In(1),
                "bits": Out(_WORD),
                "count": Out(5),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = self._tables.bits
        m.submodules.state = memory = Memory(shape=bits, depth=self._lanes, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        m.d.comb += read.addr.eq(self.lane)

        # 1: the state, and how far the frequency is from the top.
        state_1 = Signal(bits, reset_less=True)
        m.d.sync += state_1.eq(Mux(self.first, 0, read.data))
        above = Const(0, bits_for(bits))
        for i in range(bits):
            above = Mux(self.freq[i], bits - i, above)
        above_1 = delay(m, above, 1, name="above_a")
        freq_1 = delay(m, self.freq, 1, name="freq")
        offset_1 = delay(m, (self.start - self.freq)[:bits], 1, name="offset_a")
        # 2: f scaled to the state, against which it is compared.
        scaled_2 = Signal(bits + 1, reset_less=True)
        m.d.sync += scaled_2.eq(freq_1 << above_1)
        above_2 = delay(m, above_1, 1, name="above_b")
        state_2 = delay(m, state_1, 1, name="state_b")
        # 3: number of bits to emit.
        count_3 = Signal(bits_for(bits), reset_less=True)
        m.d.sync += count_3.eq(Mux(Cat(state_2, Const(1, 1)) >= scaled_2, above_2, above_2 - 1))
        state_3 = delay(m, state_2, 1, name="state_c")
        code_3 = delay(m, self.code, 3, name="code")
        flush_3 = delay(m, self.flush, 3, name="flush")
        # 4: emit them; the rest lies in [f, 2 f).
        rest_4 = Signal(bits, reset_less=True)  # modulo 2 ** L, as the place it leads to
        low_4 = Signal(bits, reset_less=True)
        mask = Signal(bits)
        m.d.comb += mask.eq(Cat(flush_3 | (code_3 & (count_3 > i)) for i in range(bits)))
        m.d.sync += [
            rest_4.eq(Cat(state_3, Const(1, 1)) >> count_3),
            low_4.eq(state_3 & mask),
        ]
        count_4 = delay(m, Mux(flush_3, bits, Mux(code_3, count_3, 0)), 1, name="count")
        raw_4 = delay(m, self.code & self.escape, 4, name="raw")
        symbol_4 = delay(m, self.symbol, 4, name="symbol")
        # 5: the symbol's bits above; the place of the next state.
        raw = Signal(_WORD)
        m.d.comb += raw.eq(Mux(raw_4, symbol_4, 0) << count_4[:3])  # an escape emits 7 at most
        m.d.sync += [
            self.bits.eq(raw | low_4),
            self.count.eq(count_4 + Cat(Const(0, 3), raw_4)),
        ]
        offset_4 = delay(m, offset_1, 3, name="offset")
        place_5 = delay(m, (rest_4 + offset_4)[:bits], 1, name="place")
        classes_5 = delay(m, self.classes, 5, name="classes")
        # 7: the next state.
        (state_7,) = add_rom(
            m, "states", self._tables.states.ravel().tolist(), bits, [Cat(place_5, classes_5)],
            platform,
        )  # fmt: skip
        m.d.comb += [
            write.addr.eq(delay(m, self.lane, 7, name="lane")),
            write.data.eq(state_7),
            write.en.eq(delay(m, code_3, 4, name="code_late")),
        ]
        return m


class TansStates(wiring.Component):
    """The decoder's head: what each state decodes to.

    Latency of two clocks, one state per clock.

    Parameters
    ----------
    tables:
        The tables.

    Members
    -------
    classes : In(...)
        Class.
    slot : In(L)
        State below its leading one.
    symbol : Out(8)
        Symbol.
    escape : Out(1)
        The symbol's bits follow in its place.
    reduced : Out(L + 1)
        What is left of the state.
    """

    latency = 2

    def __init__(self, tables: TansTables) -> None:
        self._tables = tables
        super().__init__(
            {
                "classes": In(_class_bits(tables)),
                "slot": In(tables.bits),
                "symbol": Out(8),
                "escape": Out(1),
                "reduced": Out(tables.bits + 1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        t = self._tables
        words = t.symbols.astype(int) | t.reduced.astype(int) << 9
        (word,) = add_rom(
            m, "table", words.ravel().tolist(), 9 + t.bits + 1, [Cat(self.slot, self.classes)],
            platform,
        )  # fmt: skip
        m.d.comb += Cat(self.symbol, self.escape, self.reduced).eq(word)
        return m


class TansDecoder(wiring.Component):
    """Decoder core: the slot for the head, and symbol and next state from what it finds.

    ``slot`` leaves three clocks after the inputs; the head answers two clocks later; ``symbol``
    leaves another clock later, and the new state is stored after eight clocks.  The tile's result
    is there a clock later.  One symbol per clock, from lanes in rotation.

    Parameters
    ----------
    tables:
        The tables.
    lanes:
        Lanes in rotation, at least :attr:`latency`.
    address_bits:
        Width of bit addresses of the payload memory.

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
    slot : Out(L)
        State below its leading one.
    found, escape, reduced : In(...)
        What the head found: symbol, whether it is the escape, and the rest of the state.
    symbol : Out(8)
        Decoded symbol.
    fetch : Out(address_bits)
        Bit address whose 16 bits are wanted, ...
    word : In(16)
        ... there ``fetch_latency`` clocks later, the first bit in the top.
    done : Out(1)
        The tile's last symbol was decoded.
    good : Out(1)
        With ``done``: the tile ended in the check state at the end of its payload.
    """

    #: Clocks from ``fetch`` to ``word``.
    fetch_latency = 4
    #: Clocks from the inputs to ``slot``.
    slot_latency = 3
    #: Clocks from ``slot`` to ``symbol``.
    symbol_latency = TansStates.latency + 1
    #: Clocks from the inputs to the stored state, which bounds the number of lanes.
    latency = 9
    #: Clocks from the inputs to ``done``.
    done_latency = latency

    def __init__(self, tables: TansTables, lanes: int, *, address_bits: int) -> None:
        if lanes < self.latency:
            raise ValueError(f"lanes must be at least {self.latency}, not {lanes!r}")
        self._state_bits, self._lanes = tables.bits, lanes
        super().__init__(
            {
                "lane": In(bits_for(lanes - 1)),
                "code": In(1),
                "load": In(1),
                "position": In(address_bits),
                "end": In(address_bits),
                "last": In(1),
                "slot": Out(tables.bits),
                "found": In(8),
                "escape": In(1),
                "reduced": In(tables.bits + 1),
                "symbol": Out(8),
                "fetch": Out(address_bits),
                "word": In(_WORD),
                "done": Out(1),
                "good": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = self._state_bits
        # The position is read first: its word comes with the head's answer.
        lanes = LaneState(
            m, self, bits, self._lanes, state_at=2, position_at=0, store_at=self.latency - 1
        )
        load = lanes.load
        # 3: the state.
        m.d.comb += self.slot.eq(lanes.state)
        # 5 to 6: symbol, and what the bits behind its own are to be joined to.
        reads_raw = self.escape & ~load[5]
        m.d.sync += self.symbol.eq(Mux(self.escape, self.word[_WORD - RAW_BITS :], self.found))
        word_6 = delay(m, Mux(reads_raw, self.word << RAW_BITS, self.word)[:_WORD], 1, name="word")
        raw_6 = delay(m, reads_raw, 1, name="raw")
        reduced_6 = delay(m, self.reduced, 1, name="reduced")
        top_6 = Signal(bits + 1, reset_less=True)  # the leading one
        for i in range(bits + 1):
            m.d.sync += top_6[i].eq(self.reduced[i] & ~self.reduced[i + 1 :].any())
        # 7: number of bits wanted.
        wanted = one_hot_select([bits - i for i in range(bits + 1)], top_6)
        count_7 = delay(m, Mux(load[6], bits, wanted), 1, name="count")
        word_7 = delay(m, word_6, 1, name="word_late")
        raw_7 = delay(m, raw_6, 1, name="raw_late")
        reduced_7 = delay(m, reduced_6, 1, name="reduced_late")
        # 8: shift them in.
        shifted = Signal(bits, reset_less=True)
        m.d.sync += shifted.eq((Cat(word_7, reduced_7) << count_7)[_WORD : _WORD + bits])
        lanes.store(shifted, lanes.behind(count_7 + Cat(Const(0, 3), raw_7), 7))
        return m
