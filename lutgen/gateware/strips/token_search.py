"""Token whose interval holds a slot."""

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.head import PROB_BITS

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import choose, delay

__all__ = ["TokenSearch"]


class TokenSearch(wiring.Component):
    """A pipelined search in three steps, each of three comparisons and one small memory.

    Folded residuals of d bits have 4 d tokens; what lies above them in a table is damage.  The
    first step finds a token's sixteenth of the table, the next ones two bits each.  The slot is
    needed two clocks after the row, as the first memory is read by the row alone.  One search per
    clock; no reset.

    Parameters
    ----------
    cumulative:
        int32, shape (rows, 65): the model's tables.
    depth:
        Bits of a folded residual, 8 to 16.

    Members
    -------
    row : In(...)
        Row of the table.
    slot : In(14)
        Slot, two clocks after the row.
    token : Out(6)
        Token, seven clocks after the row.
    beyond : Out(1)
        The slot is that of no token of this depth; with ``token``, which then means nothing.
    start, freq : Out(14)
        The token's interval, eight clocks after the row.
    """

    #: Clocks from the row to the slot, to the token, and to its interval.
    slot_at, token_at, interval_at = 2, 7, 8

    def __init__(self, cumulative: np.ndarray, depth: int) -> None:
        self._cumulative, self._depth = cumulative, depth
        super().__init__({
            "row": In(bits_for(len(cumulative) - 1)),
            "slot": In(PROB_BITS),
            "token": Out(6),
            "beyond": Out(1),
            "start": Out(PROB_BITS),
            "freq": Out(PROB_BITS),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        table = np.asarray(self._cumulative, dtype=np.int64)
        tokens = 4 * self._depth
        parts = -(-tokens // 16)

        def words(bounds: np.ndarray) -> list[int]:
            """Rows of bounds as words, the first bound lowest."""
            return [
                sum(int(bound) << PROB_BITS * k for k, bound in enumerate(row)) for row in bounds
            ]

        def search(name: str, contents: np.ndarray, address, slot):
            """Bounds two clocks later, and whether the slot is at or above each."""
            count = contents.shape[1]
            (word,) = add_rom(
                m, name, words(contents), count * PROB_BITS, [address], platform
            )
            bounds = [word.word_select(k, PROB_BITS) for k in range(count)]
            above = Signal(count, name=f"{name}_above")
            m.d.comb += above.eq(Cat(slot >= bound for bound in bounds))
            return [delay(m, b, 1, name=f"{name}_bound{k}") for k, b in enumerate(bounds)], above

        # 0 to 2: the sixteen tokens.
        ends = [16 * g for g in range(1, parts)] + [tokens] * (tokens < 64)
        if tokens % 16 and parts < 4:
            ends.append(16 * parts)
        bounds, above = search("first", table[:, ends], self.row, self.slot)
        first = Signal(2)
        m.d.comb += first.eq(sum(above[: parts - 1]))
        beyond = above[parts - 1] if tokens < 64 else Const(0)
        taken = delay(m, first, 1, name="first")
        edges = [Const(0, PROB_BITS), *bounds[: parts - 1]]
        # The upper end of the last part: 2 ** 14 is 0 here, as only differences count.
        edges.append(bounds[-1] if parts < 4 else Const(0, PROB_BITS))
        part = self._part(m, self.row, taken, parts)
        low = delay(m, choose(edges[:parts], taken), 2, name="low_a")
        high = delay(m, choose(edges[1 : parts + 1], taken), 2, name="high_a")
        # 2 to 4: four of them.
        row = delay(m, self.row, 2, name="row")
        slot = delay(m, self.slot, 2, name="slot_a")
        digits = (parts - 1).bit_length()
        inner = table[:, [[16 * g + 4 * j for j in (1, 2, 3)] for g in range(1 << digits)]]
        bounds, above = search("second", inner.reshape(-1, 3), Cat(first[:digits], row), slot)
        second = self._digit(m, above, "second")
        taken = delay(m, second, 1, name="second")
        low, high = (
            delay(m, choose([low, *bounds], taken), 2, name="low_b"),
            delay(m, choose([*bounds, high], taken), 2, name="high_b"),
        )
        # 4 to 6: one.
        slot = delay(m, slot, 2, name="slot_b")
        inner = table[:, [
            [[16 * g + 4 * q + j for j in (1, 2, 3)] for q in range(4)] for g in range(parts)
        ]]  # fmt: skip
        bounds, above = search("third", inner.reshape(-1, 3), Cat(second, part), slot)
        third = self._digit(m, above, "third")
        taken = delay(m, third, 1, name="third")
        start, end = choose([low, *bounds], taken), choose([*bounds, high], taken)
        m.d.comb += [
            self.token.eq(Cat(
                taken, delay(m, second, 3, name="second_late"),
                delay(m, first, 5, name="first_late"),
            )),
            self.beyond.eq(delay(m, beyond, 5, name="beyond")),
        ]  # fmt: skip
        m.d.sync += [self.start.eq(start), self.freq.eq(end - start)]
        return m

    def _part(self, m: Module, row, first, parts: int) -> Value:
        """Number of a part among those of all rows that there are, four clocks after the row.

        ``first`` is the part's number in the row, three clocks after it.
        """
        if parts == 3:  # no power of two: the last memory has no holes
            row = delay(m, row + (row << 1), 3, name="row_part")
            part = Signal(range(parts * len(self._cumulative)), reset_less=True)
            m.d.sync += part.eq(row + first)
            return part
        row = delay(m, row, 3, name="row_part")
        return delay(m, Cat(first[: (parts - 1).bit_length()], row), 1, name="part")

    @staticmethod
    def _digit(m: Module, above: Signal, name: str) -> Signal:
        """How many of three ascending bounds a slot is at or above."""
        digit = Signal(2, name=f"{name}_digit")
        m.d.comb += digit.eq(Cat(Mux(above[1], above[2], above[0]), above[1]))
        return digit
