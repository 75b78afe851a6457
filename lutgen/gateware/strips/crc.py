"""CRC-32 of zlib, Ethernet and PNG, some bytes at a time, as equations of exclusive ors."""

from amaranth.hdl import Cat, Value

__all__ = ["CRC_RESIDUE", "CRC_START", "crc32_after"]

#: Register before the first byte.  What a checksum shows is the register's complement.
CRC_START = (1 << 32) - 1
#: Register behind any bytes and their own checksum, the checksum's low byte first.
CRC_RESIDUE = 0xDEBB20E3
_POLYNOMIAL = 0xEDB88320


def _shifted(register: int, bits: int) -> int:
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
    alone = [_shifted(1 << i, bits) for i in range(bits)]
    return Cat(
        Cat(
            *(low[i] for i in range(bits) if alone[i] >> k & 1),
            *((register[k + bits],) if k + bits < 32 else ()),
        ).xor()
        for k in range(32)
    )
