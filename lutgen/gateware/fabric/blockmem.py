"""Tables and buffers in block memory, cut so that no logic stands around the memories."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.memory import Memory

from .fabric import LUT6, Fabric
from .pipeline import choose, delay

__all__ = ["BLOCK", "add_ram", "add_rom", "add_wide_ram", "ram_cost"]

#: Attribute that says where a memory belongs; left to itself, a synthesiser may spend LUTs on it.
BLOCK = {"ram_style": "block"}
#: The same of a table that nothing writes: some tools heed only one of the two.
_BLOCK_ROM = BLOCK | {"rom_style": "block"}


def add_rom(
    m: Module, name: str, words: Sequence[int], width: int, addresses: Sequence[Value],
    fabric: Fabric | None = None,
) -> list[Value]:  # fmt: skip
    """Add a table; returns what each address reads, two clocks later.

    The table is cut by width into memories as deep as it is, so that no multiplexer stands behind
    them; one clock is the memory's, one its output register's.  One that is deeper than a block
    memory of one bit becomes several, and one multiplexer behind their output registers.  One of a
    single row is a constant: its address would have no bits, which Verilog cannot say.

    Parameters
    ----------
    m:
        Module to add it to.
    name:
        Name of the submodules.
    words, width:
        Contents, at least one, and their bits.
    addresses:
        One or two addresses, each a port of the memories.
    fabric:
        Whose block memories to use.
    """
    if len(words) == 1:
        return [Const(words[0], width) for _ in addresses]
    fabric = fabric or LUT6
    deepest = fabric.block_depth
    piece = fabric.block_width(len(words))
    local = (min(len(words), deepest) - 1).bit_length()
    banks = range(0, len(words), deepest)
    results: list[list[Value]] = [[] for _ in addresses]
    for bank, start in enumerate(banks):
        rows = words[start : start + deepest]
        parts: list[list[Value]] = [[] for _ in addresses]
        for first in range(0, width, piece):
            bits = min(piece, width - first)
            mask = (1 << bits) - 1
            memory = Memory(
                shape=bits, depth=len(rows), init=[word >> first & mask for word in rows],
                attrs=_BLOCK_ROM,
            )  # fmt: skip
            label = f"{name}_{bank}_{first}" if len(banks) > 1 else f"{name}_{first}"
            m.submodules[label] = memory
            for port, (address, part) in enumerate(zip(addresses, parts, strict=True)):
                read = memory.read_port()
                register = Signal(bits, name=f"{label}_{port}", reset_less=True)
                m.d.comb += read.addr.eq(Value.cast(address)[:local])
                m.d.sync += register.eq(read.data)
                part.append(register)
        for part, result in zip(parts, results, strict=True):
            result.append(Cat(part))
    if len(banks) == 1:
        return [result[0] for result in results]
    return [
        choose(result, delay(m, Value.cast(address)[local:], 2, name=f"{name}_bank{port}"))
        for port, (address, result) in enumerate(zip(addresses, results, strict=True))
    ]


def _bank_depth(depth: int, width: int, fabric: Fabric) -> int:
    """Words of each of the memories that a buffer is made up of."""
    if not depth & (depth - 1):
        return fabric.block_depth
    return min(
        (1 << k for k in range(1, (min(depth, fabric.block_depth) - 1).bit_length() + 1)),
        key=lambda deep: (-(-depth // deep) * fabric.block_cost(deep, width), -deep),
    )


def ram_cost(depth: int, width: int, fabric: Fabric) -> int:
    """Halves of block memories that `add_ram` takes."""
    deep = min(depth, _bank_depth(depth, width, fabric))
    return -(-depth // deep) * fabric.block_cost(deep, width)


def add_ram(
    m: Module, name: str, depth: int, width: int, *, write: Value, write_address: Value,
    data: Value, address: Value, fabric: Fabric | None = None,
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
        Words, at least 2, and their bits.  A number that is no power of two is made up of smaller
        memories of the power of two that takes the fewest block memories, and of those the
        greatest.
    write, write_address, data:
        Write port.
    address:
        Read port.
    fabric:
        Whose block memories to use.
    """
    fabric = fabric or LUT6
    deepest = _bank_depth(depth, width, fabric)
    banks = -(-depth // deepest)
    local = (min(depth, deepest) - 1).bit_length()
    piece = fabric.block_width(min(depth, deepest) if depth & (depth - 1) else depth)
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


def add_wide_ram(
    m: Module, name: str, depth: int, width: int, *, write: Value, write_address: Value,
    data: Value, address: Value, fabric: Fabric | None = None,
) -> Value:  # fmt: skip
    """`add_ram` of few and wide words: in LUTs up to the fabric's ``lut_rows``."""
    fabric = fabric or LUT6
    if depth > fabric.lut_rows:
        return add_ram(
            m, name, depth, width, write=write, write_address=write_address, data=data,
            address=address, fabric=fabric,
        )  # fmt: skip
    m.submodules[name] = memory = Memory(shape=width, depth=depth, init=[])
    writer, reader = memory.write_port(), memory.read_port(domain="comb")
    m.d.comb += [
        writer.en.eq(write), writer.addr.eq(write_address), writer.data.eq(data),
        reader.addr.eq(delay(m, address, 1, name=f"{name}_address")),
    ]  # fmt: skip
    return delay(m, reader.data, 1, name=f"{name}_out")
