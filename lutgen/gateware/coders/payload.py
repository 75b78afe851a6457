"""Payload memory of the decoder: bytes in, bits out at any position."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import delay

__all__ = ["PayloadMemory"]


class PayloadMemory(wiring.Component):
    """Ring of payload bytes: one written, any 16 consecutive bits read, each clock.

    Members
    -------
    write, address, data : In(...)
        Byte to write.
    fetch : In(...)
        Bit address.
    word : Out(16)
        The 16 bits from there on, four clocks later, the first one in the top.
    """

    latency = 4

    def __init__(self, address_bits: int, *, registers: bool = False) -> None:
        if address_bits < 4:
            raise ValueError(f"address bits must be at least 4, not {address_bits!r}")
        self._registers = registers
        self.latency = self.latency + registers
        super().__init__({
            "write": In(1),
            "address": In(address_bits),
            "data": In(8),
            "fetch": In(address_bits + 3),
            "word": Out(16),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        # Byte a is in memory a % 4; three bytes in a row are in three memories.
        row_bits = len(self.address) - 2
        byte = self.fetch[3:]
        row = Signal(row_bits, reset_less=True)
        row_after = Signal(row_bits, reset_less=True)
        first = Signal(2, reset_less=True)
        m.d.sync += [row.eq(byte[2:]), row_after.eq(byte[2:] + 1), first.eq(byte[:2])]
        bank_out = []
        write = delay(m, self.write, 1, name="write", reset=True)
        address = delay(m, self.address, 1, name="address")
        data = delay(m, self.data, 1, name="data")
        for b in range(4):
            bank_out.append(add_ram(
                m, f"bank{b}", 1 << row_bits, 8, write=write & (address[:2] == b),
                write_address=address[2:], data=data, address=Mux(first > b, row_after, row),
                fabric=platform,
            ))  # fmt: skip
        first = delay(m, first, 2, name="first")
        shift = delay(m, self.fetch[:3], self.latency - 1, name="shift")
        turned = Array(Cat(bank_out[(i + k) % 4] for k in (2, 1, 0)) for i in range(4))
        three = Signal(24)
        m.d.comb += three.eq(turned[first])
        three = delay(m, three, int(self._registers), name="three")
        m.d.sync += self.word.eq((three << shift)[8:24])
        return m
