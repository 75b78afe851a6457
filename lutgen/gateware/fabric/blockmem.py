"""Tables and buffers in block memory, cut so that no logic stands around the memories."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
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
    fabric: Fabric | None = None, *, cut: bool = False,
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
    cut:
        Whether it becomes several, too, where these take fewer block memories than one.
    """
    if len(words) == 1:
        return [Const(words[0], width) for _ in addresses]
    fabric = fabric or LUT6
    deepest = fabric.block_depth
    parts = _parts(len(words), width, fabric) if cut else [
        (start, deepest) for start in range(0, len(words), deepest)
    ]  # fmt: skip
    results: list[list[Value]] = [[] for _ in addresses]
    for bank, (start, count) in enumerate(parts):
        rows = words[start : start + count]
        local = (count - 1).bit_length() if cut else (min(len(words), deepest) - 1).bit_length()
        piece = fabric.block_width(count if cut else len(words))
        columns: list[list[Value]] = [[] for _ in addresses]
        for first in range(0, width, piece):
            bits = min(piece, width - first)
            mask = (1 << bits) - 1
            memory = Memory(
                shape=bits, depth=len(rows), init=[word >> first & mask for word in rows],
                attrs=_BLOCK_ROM,
            )  # fmt: skip
            label = f"{name}_{bank}_{first}" if len(parts) > 1 else f"{name}_{first}"
            m.submodules[label] = memory
            for port, (address, column) in enumerate(zip(addresses, columns, strict=True)):
                read = memory.read_port()
                register = Signal(bits, name=f"{label}_{port}", reset_less=True)
                m.d.comb += read.addr.eq(Value.cast(address)[:local])
                m.d.sync += register.eq(read.data)
                column.append(register)
        for column, result in zip(columns, results, strict=True):
            result.append(Cat(column))
    if len(parts) == 1:
        return [result[0] for result in results]
    return [
        _selected(_selects(m, f"{name}_bank{port}", parts, Value.cast(address)), result)
        for port, (address, result) in enumerate(zip(addresses, results, strict=True))
    ]


def _parts(depth: int, width: int, fabric: Fabric) -> list[tuple[int, int]]:
    """First row, and number of rows, of each of the memories that a memory is cut into.

    They take as few block memories as can be, and are as few as can be then.  Each has a power of
    two of rows, the last one perhaps fewer, and none more than that before it; so each begins at a
    multiple of its own rows.
    """

    def cut(first: int, most: int) -> tuple[int, int, list[tuple[int, int]]]:
        left = depth - first
        found = []
        if left <= 1 << most:
            found.append((fabric.block_cost(left, width), 1, [(first, left)]))
        for bits in range(1, most + 1):
            count = left >> bits
            if count and left != 1 << bits:
                end = first + (count << bits)
                cost, more, rest = cut(end, bits - 1) if end < depth else (0, 0, [])
                found.append((
                    count * fabric.block_cost(1 << bits, width) + cost, count + more,
                    [*((k, 1 << bits) for k in range(first, end, 1 << bits)), *rest],
                ))  # fmt: skip
        return min(found)

    return cut(0, (fabric.block_depth - 1).bit_length())[-1]


def _ram_parts(depth: int, width: int, fabric: Fabric) -> list[tuple[int, int]]:
    """Those of a buffer: one of a power of two has no multiplexer if a block memory is as deep."""
    if depth & (depth - 1):
        return _parts(depth, width, fabric)
    rows = min(depth, fabric.block_depth)
    return [(first, rows) for first in range(0, depth, rows)]


def _selects(m: Module, label: str, parts: list[tuple[int, int]], address) -> list[Value]:
    """What says two clocks later which part an address is in: see `_selected`."""
    bits = (parts[0][1] - 1).bit_length()
    return [delay(m, address[bits:], 2, name=label), *(
        delay(m, address >= first, 2, name=f"{label}_from_{first}")
        for first, rows in parts if rows < parts[0][1]
    )]  # fmt: skip


def _selected(selects: list[Value], values: list) -> Value:
    """One of the parts' values: of those that are alike by number, and then of each smaller one."""
    number, *later = selects
    alike = len(values) - len(later)
    found = choose(values[:alike], number)
    for here, value in zip(later, values[alike:], strict=True):
        found = Mux(here, value, found)
    return found


def ram_cost(depth: int, width: int, fabric: Fabric) -> int:
    """Halves of block memories that `add_ram` takes."""
    return sum(fabric.block_cost(rows, width) for _, rows in _ram_parts(depth, width, fabric))


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
        Words, at least 2, and their bits.  A number that is no power of two is made up of several
        memories, where these take fewer block memories than one.
    write, write_address, data:
        Write port.
    address:
        Read port.
    fabric:
        Whose block memories to use.
    """
    fabric = fabric or LUT6
    parts = _ram_parts(depth, width, fabric)
    selects = _selects(m, f"{name}_bank", parts, address)
    outputs = []
    for bank, (start, rows) in enumerate(parts):
        result = []
        local = (rows - 1).bit_length()
        piece = fabric.block_width(rows if depth & (depth - 1) else depth)
        for first in range(0, width, piece):
            bits = min(piece, width - first)
            memory = Memory(shape=bits, depth=rows, init=[], attrs=BLOCK)
            m.submodules[f"{name}_{bank}_{first}"] = memory
            writer, reader = memory.write_port(), memory.read_port()
            here = write & (write_address[local:] == start >> local) if len(parts) > 1 else write
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
    return _selected(selects, outputs)


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
