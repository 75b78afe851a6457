"""Tables and buffers in block memory, cut so that no logic stands around the memories."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.memory import Memory

from .pipeline import choose, delay

__all__ = ["BLOCK", "add_ram", "add_rom"]

#: Attribute that says where a memory belongs; left to itself, a synthesiser may spend LUTs on it.
BLOCK = {"ram_style": "block"}

#: Widest word of one block memory of 36 kbit, by depth.
_WIDTHS = ((512, 72), (1024, 36), (2048, 18), (4096, 9), (8192, 4), (16384, 2), (32768, 1))


def _piece(depth: int) -> int:
    return next((width for limit, width in _WIDTHS if depth <= limit), 1)


def add_rom(
    m: Module, name: str, words: Sequence[int], width: int, addresses: Sequence[Value]
) -> list[Value]:
    """Add a table; returns what each address reads, two clocks later.

    The table is cut by width into memories as deep as it is, so that no multiplexer stands behind
    them; one clock is the memory's, one its output register's.

    Parameters
    ----------
    m:
        Module to add it to.
    name:
        Name of the submodules.
    words, width:
        Contents, and their bits.
    addresses:
        One or two addresses, each a port of the memories.
    """
    piece = _piece(len(words))
    results: list[list[Value]] = [[] for _ in addresses]
    for first in range(0, width, piece):
        bits = min(piece, width - first)
        mask = (1 << bits) - 1
        memory = Memory(
            shape=bits, depth=len(words), init=[word >> first & mask for word in words],
            attrs=BLOCK,
        )  # fmt: skip
        m.submodules[f"{name}_{first}"] = memory
        for port, (address, result) in enumerate(zip(addresses, results, strict=True)):
            read = memory.read_port()
            register = Signal(bits, name=f"{name}_{first}_{port}", reset_less=True)
            m.d.comb += read.addr.eq(address)
            m.d.sync += register.eq(read.data)
            result.append(register)
    return [Cat(result) for result in results]


def add_ram(
    m: Module, name: str, depth: int, width: int, *, write: Value, write_address: Value,
    data: Value, address: Value,
) -> Value:  # fmt: skip
    """Add a buffer with one write and one read port; returns what it reads two clocks later.

    A buffer deeper than a block memory of one bit becomes several, and one multiplexer behind
    their output registers.

    Parameters
    ----------
    m:
        Module to add it to.
    name:
        Name of the submodules.
    depth, width:
        Words, a power of two, and their bits.
    write, write_address, data:
        Write port.
    address:
        Read port.
    """
    deepest = _WIDTHS[-1][0]
    banks = -(-depth // deepest)
    local = (min(depth, deepest) - 1).bit_length()
    piece = _piece(min(depth, deepest))
    select = delay(m, address[local:], 2, name=f"{name}_bank")
    outputs = []
    for bank in range(banks):
        result = []
        for first in range(0, width, piece):
            bits = min(piece, width - first)
            memory = Memory(shape=bits, depth=min(depth, deepest), init=[], attrs=BLOCK)
            m.submodules[f"{name}_{bank}_{first}"] = memory
            writer, reader = memory.write_port(), memory.read_port()
            here = write & (write_address[local:] == bank) if banks > 1 else write
            m.d.comb += [
                writer.en.eq(here),
                writer.addr.eq(write_address[:local]),
                writer.data.eq(data[first : first + bits]),
                reader.addr.eq(address[:local]),
            ]
            register = Signal(bits, name=f"{name}_{bank}_{first}_out", reset_less=True)
            m.d.sync += register.eq(reader.data)
            result.append(register)
        outputs.append(Cat(result))
    return choose(outputs, select)
