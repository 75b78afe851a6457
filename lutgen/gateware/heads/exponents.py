"""Exponents of the candidates of a constrained head, from a small memory beside the head."""

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.constraint import CANDIDATES, exponents
from lutgen.model.head import PROB_BITS, SYMBOLS, Head, LaplaceHead

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import choose, delay
from .head import head_class_bits

__all__ = ["EXPONENT_BITS", "Exponents", "LaplaceExponents", "TableExponents"]

EXPONENT_BITS = 4


def _to_banks(values, turn) -> Value:
    """Bits of the candidates as bits of the banks, the first candidate being in bank ``turn``."""
    return Cat(
        choose([values[(bank - t) % CANDIDATES] for t in range(CANDIDATES)], turn)
        for bank in range(CANDIDATES)
    )


def _words(m: Module, name: str, table: np.ndarray, address: Value, fabric) -> Value:
    (word,) = add_rom(m, name, table.ravel().tolist(), EXPONENT_BITS, [address], fabric)
    return word


class Exponents(wiring.Component):
    """Ports of all sorts of exponents, and what they have in common."""

    #: Clocks from the inputs to the outputs.
    latency: int

    def __init__(self, head: Head) -> None:
        self._head = head
        super().__init__({
            "classes": In(head_class_bits(head)),
            "parent": In(8),
            "known": In(10),
            "exponents": Out(CANDIDATES * EXPONENT_BITS),
            "inside": Out(CANDIDATES),
            "turn": Out(2),
            "base": Out(signed(9)),
        })

    def _add_first(self, m: Module) -> tuple[Signal, Value]:
        """The first candidate's y after one clock, and which candidates are symbols then."""
        first = Signal(signed(11), reset_less=True)
        m.d.sync += first.eq((self.parent << 2) - self.known)
        # One of damaged data is not clamped here: its nearest candidate counts as a symbol, and
        # being the only one it needs no exponent.  Written out, comparisons are a level deeper.
        below, above, some = first[-1], first[8:], first[:8].any()
        valid = Cat(
            ~below & first[1:].any(),  # 2 or more
            Mux(some, above == 0, above == 1),  # 1 to 256
            above == 0,  # 0 to 255
            below | (above == 0) & ~first[:8].all(),  # 254 or less
        )
        base = Signal(signed(9), reset_less=True)
        m.d.sync += base.eq(Mux(first < -1, -3, Mux(first > 257, 255, first - 2)))
        m.d.comb += self.base.eq(delay(m, base, self.latency - 2, name="base"))
        return first, valid


class TableExponents(Exponents):
    """Exponents of a block's last candidates, from the rows of a table head.

    Latency of two clocks, one block per clock; no reset.  Two levels of logic stand between the
    inputs and the address of the memory.

    Parameters
    ----------
    head:
        The tables.

    Members
    -------
    classes : In(...)
        Class.
    parent : In(8)
        Average of the block.
    known : In(10)
        Sum of its other three pixels.
    exponents : Out(16)
        Four bits for each bank.
    inside : Out(4)
        Banks whose candidate is a symbol.
    turn : Out(2)
        Bank of the first candidate; the others follow, around the end.
    base : Out(signed(9))
        First candidate, clamped to those with a symbol among the four.
    """

    latency = 2

    def elaborate(self, platform) -> Module:
        m = Module()
        first, valid = self._add_first(m)
        table = np.roll(exponents(self._head.cumulative), 2, axis=1)  # by y mod 256
        words = []
        for bank in range(CANDIDATES):
            # The first row at which the bank has a y from 4 p - known on.
            row = (Cat(Const(CANDIDATES - 1 - bank, 2), self.parent) - self.known)[2:8]
            address = Cat(row, self.classes)
            words.append(_words(m, f"bank{bank}", table[:, bank::CANDIDATES], address, platform))
        m.d.comb += [
            self.exponents.eq(Cat(words)),
            self.inside.eq(delay(m, _to_banks(valid, first[:2]), 1, name="inside")),
            self.turn.eq(delay(m, first[:2], 1, name="turn")),
        ]
        return m


class LaplaceExponents(Exponents):
    """Exponents of a block's last candidates, of a Laplace head.

    A frequency depends on the scale class and the distance of the symbol from the location,
    except for the symbols 0 and 255, of which a block has one at most: they have the tails.
    Latency of five clocks, one block per clock; no reset.  Ports as in :class:`TableExponents`.
    """

    latency = 5
    _head: LaplaceHead

    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Exponents by (scale, parity, y - location mod 512) and by (scale, side, location)."""
        cdf = self._head.cdf.astype(np.int64)
        inner = np.ones((len(cdf), 2, 512), dtype=np.int64)
        for parity in range(2):
            far = SYMBOLS - 2  # symbols 1..254, locations 0..255
            pixels = np.arange(-far, far + 1)
            at = 512 + 2 * pixels + parity
            inner[:, parity, (pixels + 2) % 512] = cdf[:, at + 1] - cdf[:, at - 1] + 1
        mu = np.minimum(np.arange(512), 510)
        below = cdf[:, 513 - mu] + 1
        above = (1 << PROB_BITS) - cdf[:, 512 + 2 * (SYMBOLS - 1) - 1 - mu] - (SYMBOLS - 1)
        tails = np.stack((below, above), axis=1)

        def exponents_of(f: np.ndarray) -> np.ndarray:
            return exponents(np.stack((0 * f, f), axis=-1).reshape(-1, 2)).reshape(f.shape)

        return exponents_of(inner), exponents_of(tails)

    def elaborate(self, platform) -> Module:
        m = Module()
        first, valid = self._add_first(m)
        inner, tails = self.tables()
        # 1: the location on whole pixels, rounded up; 511 is as 510.
        mu = Signal(9, reset_less=True)
        m.d.sync += mu.eq(Cat(self.classes[0] & ~self.classes[1:9].all(), self.classes[1:9]))
        scale = delay(m, self.classes[9:], 1, name="scale")
        below, above = (
            _words(m, name, tails[:, side], Cat(mu, scale), platform)
            for side, name in enumerate(("below", "above"))
        )
        # 2: distance of the first candidate.
        distance = Signal(9, reset_less=True)
        m.d.sync += distance.eq(first - mu[1:] - mu[0])
        which = delay(m, Cat(mu[0], scale), 1, name="which")
        at_tail = Cat((first == 2 - k) | (first == 257 - k) for k in range(CANDIDATES))
        at_tail = delay(m, at_tail, 1, name="at_tail")
        valid = delay(m, valid, 1, name="valid")
        turn = distance[:2]
        words = [
            _words(
                m, f"bank{bank}", inner[:, :, bank::CANDIDATES],
                Cat((distance[2:] + (turn > bank))[:7], which), platform,
            )
            for bank in range(CANDIDATES)
        ]  # fmt: skip
        # 3: the tail; 4: the banks; 5: merged.
        side = delay(m, ~first[-1] & (first[7] | first[8]), 2, name="side")
        tail = delay(m, Mux(side, above, below), 1, name="tail")
        at_tail = delay(m, _to_banks(at_tail, turn), 2, name="tail_bank")
        merged = Signal(CANDIDATES * EXPONENT_BITS, reset_less=True)
        m.d.sync += merged.eq(Cat(
            Mux(at_tail[bank], tail, word) for bank, word in enumerate(words)
        ))
        m.d.comb += [
            self.exponents.eq(merged),
            self.inside.eq(delay(m, _to_banks(valid, turn), 3, name="inside")),
            self.turn.eq(delay(m, turn, 3, name="turn")),
        ]
        return m
