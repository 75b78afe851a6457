"""CRC-32 of zlib, Ethernet and PNG, some bytes at a time, as equations of exclusive ors."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CRC_RESIDUE", "CRC_START", "Crc32", "crc32_after", "shifted"]

#: Register before the first byte.  What a checksum shows is the register's complement.
CRC_START = (1 << 32) - 1
#: Register behind any bytes and their own checksum, the checksum's low byte first.
CRC_RESIDUE = 0xDEBB20E3
_POLYNOMIAL = 0xEDB88320


def shifted(register: int, bits: int) -> int:
    """Register behind this many bits of zeros."""
    for _ in range(bits):
        register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
    return register


def crc32_after(register: Value, data: Value) -> Value:
    """Register behind one to four bytes, the low byte first, as logic.

    All is linear: the bytes are added to the register's low bits, and each bit of the sum adds what
    becomes of it alone.
    """
    bits = len(data)
    if bits % 8 or not 8 <= bits <= 32:
        raise ValueError(f"data must be one to four bytes, not {bits} bits")
    low = register[:bits] ^ data
    alone = [shifted(1 << i, bits) for i in range(bits)]
    return Cat(
        Cat(
            *(low[i] for i in range(bits) if alone[i] >> k & 1),
            *((register[k + bits],) if k + bits < 32 else ()),
        ).xor()
        for k in range(32)
    )


class Crc32(wiring.Component):
    """CRC-32 of bytes, of which some beginning can be kept and gone back to.

    A byte or a word per clock; ``good`` is about what came three clocks ago.  Reset starts anew.

    Parameters
    ----------
    count:
        Bytes of a word, 1 to 4.

    Members
    -------
    data : In(8 * count)
        Bytes, the first one lowest.
    step, leap : In(1)
        Take the first byte; take the word.  Not both.
    start, restore : In(1)
        Start anew, or go back to what was kept; two clocks after the last byte before.
    keep : In(1)
        Keep what has come; two clocks after the last byte.
    good : Out(1)
        The last four bytes are the checksum of all before them.
    """

    def __init__(self, count: int) -> None:
        super().__init__({
            "data": In(8 * count), "step": In(1), "leap": In(1), "start": In(1),
            "restore": In(1), "keep": In(1), "good": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        register, kept = Signal(32, init=CRC_START), Signal(32, reset_less=True)
        data = Signal.like(self.data, reset_less=True)
        moves, leap = Signal(), Signal()
        m.d.sync += [
            data.eq(self.data), moves.eq(self.step | self.leap), leap.eq(self.leap),
            self.good.eq(register == CRC_RESIDUE),
        ]  # fmt: skip
        after = Mux(leap, crc32_after(register, data), crc32_after(register, data[:8]))
        with m.If(moves | self.restore):
            m.d.sync += register.eq(Mux(self.restore, kept, after))
        with m.If(self.start):
            m.d.sync += register.eq(CRC_START)
        with m.If(self.keep):
            m.d.sync += kept.eq(register)
        return m
