"""Payload ring of a decoder of strips: words in, bits out at any position."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose, delay

__all__ = ["WORD_BITS", "PayloadRing"]

WORD_BITS = 32


class PayloadRing(wiring.Component):
    """Ring of words of 32 bits: one written, any ``count`` consecutive bits read, each clock.

    A word can be read three clocks after it was written.  Even and odd words have memories of
    their own, so that two neighbours are read at once.  No reset.

    Parameters
    ----------
    address_bits:
        Bits of a word's address, at least 2.
    count:
        Bits that are read, at most 32.

    Members
    -------
    write, address, word : In(...)
        Word to write, its first bit in the top.
    fetch : In(address_bits + 5)
        Bit address.
    window : Out(count)
        The bits from there on, five clocks later, the first one in the top.
    """

    latency = 5

    def __init__(self, address_bits: int, count: int) -> None:
        if address_bits < 2:
            raise ValueError(f"address bits must be at least 2, not {address_bits!r}")
        if not 1 <= count <= WORD_BITS:
            raise ValueError(f"bits to read must be 1 to {WORD_BITS}, not {count!r}")
        self._count = count
        super().__init__({
            "write": In(1),
            "address": In(address_bits),
            "word": In(WORD_BITS),
            "fetch": In(address_bits + 5),
            "window": Out(count),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        count = self._count
        rows = len(self.address) - 1
        write = delay(m, self.write, 1, name="write", reset=True)
        address = delay(m, self.address, 1, name="address")
        data = delay(m, self.word, 1, name="data")
        word = self.fetch[5:]
        # The row of an odd word, and of the even one before or behind it.
        odd_row, even_row = Signal(rows, reset_less=True), Signal(rows, reset_less=True)
        m.d.sync += [odd_row.eq(word[1:]), even_row.eq(word[1:] + word[0])]
        banks = [
            add_ram(
                m, name, 1 << rows, WORD_BITS, write=write & (address[0] == odd),
                write_address=address[1:], data=data, address=row, fabric=platform,
            )
            for odd, (name, row) in enumerate((("even", even_row), ("odd", odd_row)))
        ]  # fmt: skip
        # Bits in the order of reading; the last word is followed by the first one.
        bits = [bank[WORD_BITS - 1 - k] for bank in banks for k in range(WORD_BITS)]
        start = delay(m, self.fetch[:6], 3, name="start")
        for step, more in ((16, 15), (4, 3), (1, 0)):
            where = start[step.bit_length() - 1 :][:2]
            bits = [
                choose([bits[(k + step * j) % len(bits)] for j in range(4)], where)
                for k in range(count + more)
            ]
            if step == 16:
                bits = delay(m, Cat(bits), 1, name="bits")
                start = delay(m, start[:4], 1, name="start_late")
        m.d.sync += self.window.eq(Cat(reversed(bits)))
        return m
