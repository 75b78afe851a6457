"""Simulation of a mapped design, cell by cell, that counts the transitions of every net.

One clock is simulated after another, two-valued, on arrays.  Transitions are counted twice:

settled
    a net's value at the end of a clock against that at the end of the one before: what logic
    without delays would do;
unit delay
    every LUT, MUXF7, MUXF8, carry chain and sum takes one unit of time, so that a net may change
    more often than once: glitches are counted, each in full.

Flip-flops and memories change at the clock edge, and with them the inputs, as registers outside
would drive them.  Nets begin as the cells' INIT says, unknown bits as zeros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import numpy as np

from lutgen.errors import InputError
from lutgen.sim.gates.gate_kernel import (
    MEMORY,
    PINS,
    PRODUCT,
    TABLE,
    WRITE_MODES,
    ZERO,
    State,
    Tables,
    restart,
    run,
)
from lutgen.sim.gates.multiplier import MULTIPLIER, REGISTERS, Multiplier
from lutgen.sim.tool.verilator import SimulationError
from lutgen.synth.cells import Cell, Net, clock_pins
from lutgen.synth.mapped import MappedDesign

__all__ = ["GateSimulation", "Port", "Snapshot", "Stream"]

_ONE = 1
# LUT memories: words and bits of each of the four LUTs, and address bits of the others.
_RAM_M = {"RAM32M": (32, 2), "RAM64M": (64, 1)}
_RAM_1 = {"RAM32X1D": 5, "RAM64X1D": 6, "RAM128X1D": 7,
          "RAM32X1S": 5, "RAM64X1S": 6, "RAM128X1S": 7, "RAM256X1S": 8}  # fmt: skip
_SRLS = {"SRL16E": 16, "SRLC32E": 32}
_FFS = {"FDRE": ("R", 0), "FDSE": ("S", 1)}


# Rows of the tables that the compiled loop reads; what is not explained is the index of a net.


class _Op(NamedTuple):
    """A look-up: in ``table``, or in memory at bit ``base + step * row``; or a multiplier's sum.

    A sum's ``base`` is the multiplier's number.
    """

    group: object  #: Operations that share a level: a cell's number, or a chain of carries.
    inputs: list[int]  #: The row's bits, the lowest first.
    output: int
    table: int = 0
    kind: int = TABLE
    base: int = 0
    step: int = 0
    others: tuple[int, ...] = ()  #: Outputs besides, of a sum.


class _FlipFlop(NamedTuple):
    d: int
    q: int
    enable: int
    reset: int
    value: int  #: What a reset puts into it.


class _ShiftRegister(NamedTuple):
    base: int  #: Its first bit in memory.
    length: int
    d: int
    enable: int


class _RamBit(NamedTuple):
    """A written bit of a LUT memory, at ``base + step * address`` of memory."""

    base: int
    step: int
    address: list[int]
    d: int
    enable: int


class _BlockPort(NamedTuple):
    """A port of a block memory."""

    data: int  #: First data bit in memory.
    parity: int  #: First parity bit.
    width: int  #: In bits, with parity.
    address: list[int]
    enable: int
    bytes: list[int]  #: Write enables; none of a port that only reads.
    mode: int  #: Number in `WRITE_MODES`.
    first: int  #: Its first bit in the pools.


@dataclass(frozen=True)
class Port:
    """A used port of a block memory: ``cell`` and "A" or "B"."""

    cell: Cell
    name: str


@dataclass(frozen=True)
class Stream:
    """Port names of a stream: valid, ready, and the ports of the payload in the order of bits."""

    valid: str
    ready: str
    payload: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Counts since the beginning.

    Members
    -------
    clocks : clocks simulated
    settled, unit : transitions by net: see the module
    shifts : clocks with shift enabled, by shift register
    writes : clocks with write enabled, by LUT memory
    accesses : clocks with the port enabled, by port of a block memory
    idle_writes : those of a port that only writes in which it does not, likewise
    products : clocks in which what a multiplier multiplies or adds to has changed, by multiplier
    """

    clocks: int
    settled: np.ndarray
    unit: np.ndarray
    shifts: np.ndarray
    writes: np.ndarray
    accesses: np.ndarray
    idle_writes: np.ndarray
    products: np.ndarray

    def __sub__(self, other: Snapshot) -> Snapshot:
        return Snapshot(*(getattr(self, f) - getattr(other, f) for f in self.__dataclass_fields__))


class GateSimulation:
    """A mapped design between an input stream and an output stream that is always ready.

    Parameters
    ----------
    design : MappedDesign
        With one clock and no combinational loop.
    source, sink : Stream
        The input stream and the output stream.
    config : mapping of port name to int
        Inputs that stay the same.

    Members
    -------
    net : index in a snapshot's counts by net of the design
    shift_registers, lut_memories, ports, multipliers : cells and ports in the order of a
        snapshot's counts

    Raises
    ------
    SimulationError
        If a cell is of an unknown type or used in an unknown way.
    """

    def __init__(
        self, design: MappedDesign, source: Stream, sink: Stream, config: Mapping[str, int]
    ) -> None:
        self._design = design
        self.net: dict[Net, int] = {"0": ZERO, "1": _ONE, "x": ZERO, "z": ZERO}
        self._starts: dict[int, int] = {_ONE: 1}
        self._bits: list[np.ndarray] = []
        self._size = 0
        self.shift_registers: list[Cell] = []
        self.lut_memories: list[Cell] = []
        self.ports: list[Port] = []
        self.multipliers: list[Cell] = []
        self._clock(design.cells)
        inputs, outputs = design.inputs, design.outputs
        self._reset = self._index(inputs["rst"][0])
        self._in_valid = self._index(inputs[source.valid][0])
        self._in_ready = self._index(outputs[source.ready][0])
        self._in_bits = self._indices(net for name in source.payload for net in inputs[name])
        self._out_valid = self._index(outputs[sink.valid][0])
        self._out_bits = self._indices(net for name in sink.payload for net in outputs[name])
        self._starts[self._index(inputs[sink.ready][0])] = 1
        for name, value in config.items():
            for bit, net in enumerate(inputs[name]):
                self._starts[self._index(net)] = value >> bit & 1
        self._tables = self._compile(design.cells)
        nets = np.zeros(len(self.net), np.uint8)
        for index, value in self._starts.items():
            nets[index] = value
        tables = self._tables
        self._state = State(
            nets=nets,
            before=nets.copy(),
            stale=np.zeros(len(tables.op_out), np.uint8),
            memory=np.concatenate([*self._bits, np.zeros(1, np.uint8)]),
            settled=np.zeros(len(nets), np.int64),
            unit=np.zeros(len(nets), np.int64),
            ff_next=np.zeros(len(tables.ff_d), np.uint8),
            pool_next=np.zeros(len(tables.pool_out), np.uint8),
            shifts=np.zeros(len(self.shift_registers), np.int64),
            writes=np.zeros(len(tables.ram_d), np.int64),
            accesses=np.zeros(len(self.ports), np.int64),
            idle_writes=np.zeros(len(self.ports), np.int64),
            mul_held=np.zeros((len(self.multipliers), REGISTERS), np.int64),
            mul_seen=np.zeros((len(self.multipliers), 3), np.int64),
            products=np.zeros(len(self.multipliers), np.int64),
        )
        # Clocks, then beats taken and beats given.
        self._at = np.zeros(3, np.int64)

    def run(
        self, beats: np.ndarray, *, taken: int, given: int, max_clocks: int
    ) -> tuple[Snapshot, np.ndarray, np.ndarray, np.ndarray]:
        """Go on until so many beats in all were taken from ``beats`` and given.

        The first call holds the reset for two clocks.

        Parameters
        ----------
        beats : bool (beats, bits)
            Payloads of the input stream, the same ones at every call.
        taken, given : int
            Beats in all since the beginning.
        max_clocks : int
            Limit of clocks in all.

        Returns
        -------
        tuple
            Counts, payloads given in this call as uint8 (beats, bits), clocks of the beats that
            were taken in this call, and of those that were given; clock 0 follows the reset.

        Raises
        ------
        SimulationError
            If the limit is reached.
        """
        beats = np.ascontiguousarray(beats, dtype=np.uint8)
        if beats.shape[1] != len(self._in_bits):
            raise InputError(f"beats must have {len(self._in_bits)} bits, not {beats.shape[1]}")
        if not self._at.any():
            restart(self._tables, self._state, self._reset, False)
        first = self._at.copy()
        room = max(given - int(first[2]), len(beats)) + 1024
        payloads = np.zeros((room, len(self._out_bits)), np.uint8)
        in_clocks, out_clocks = np.zeros(len(beats) + 1, np.int64), np.zeros(room, np.int64)
        done = run(
            self._tables, self._state, self._at, self._in_valid, self._in_ready, self._in_bits,
            beats, self._out_valid, self._out_bits, payloads, in_clocks, out_clocks, taken, given,
            max_clocks, True,
        )  # fmt: skip
        if not done:
            raise SimulationError(
                f"mapped {self._design.top!r} was not over after {self._at[0]} clocks: "
                f"{self._at[1]} of {taken} beats taken, {self._at[2]} of {given} given"
            )
        n_in, n_out = self._at[1:] - first[1:]
        state = self._state
        writes = np.zeros(len(self.lut_memories), np.int64)
        np.maximum.at(writes, self._ram_cell, state.writes)
        counts = Snapshot(
            int(self._at[0]), state.settled.copy(), state.unit.copy(), state.shifts.copy(),
            writes, state.accesses.copy(), state.idle_writes.copy(), state.products.copy(),
        )  # fmt: skip
        return counts, payloads[:n_out], in_clocks[:n_in], out_clocks[:n_out]

    def _index(self, net: Net) -> int:
        return self.net.setdefault(net, len(self.net))

    def _indices(self, nets) -> np.ndarray:
        return np.array([self._index(net) for net in nets], np.int32)

    def _clock(self, cells: Sequence[Cell]) -> None:
        clocks = {
            net
            for cell in cells
            for pin in clock_pins(cell)
            for net in cell.inputs.get(pin, ())
            if not isinstance(net, str)
        }
        if len(clocks) > 1:
            raise SimulationError(f"design must have one clock, not {len(clocks)}")
        for cell in cells:
            for name, value in cell.parameters.items():
                if name.startswith("IS_") and name.endswith("_INVERTED") and "1" in value:
                    raise SimulationError(f"{name} of {cell.name!r} must be 0, not {value}")

    def _store(self, bits: Sequence[int] | np.ndarray) -> int:
        first = self._size
        self._bits.append(np.asarray(bits, np.uint8))
        self._size += len(bits)
        return first

    def _compile(self, cells: Sequence[Cell]) -> Tables:
        ops: list[_Op] = []
        ffs: list[_FlipFlop] = []
        srls: list[_ShiftRegister] = []
        rams: list[_RamBit] = []
        ports: list[_BlockPort] = []
        multipliers: list[Multiplier] = []
        pool_out: list[int] = []
        pool_in: list[int] = []
        self._ram_cell: list[int] = []
        chains = _carry_chains(cells)
        for number, cell in enumerate(cells):
            kind = cell.type
            if kind in _FFS:
                ffs.append(self._flip_flop(cell))
            elif kind == "CARRY4":
                ops.extend(self._carry(cell, ("chain", chains[number])))
            elif kind in _SRLS:
                ops.extend(self._shift_register(cell, number, srls))
            elif kind in _RAM_M or kind in _RAM_1:
                ops.extend(self._lut_memory(cell, number, rams))
            elif kind in ("RAMB18E1", "RAMB36E1"):
                self._block_memory(cell, ports, pool_out, pool_in)
            elif kind == MULTIPLIER:
                self.multipliers.append(cell)
                multipliers.append(Multiplier.of(cell, self._index))
                ops.extend(_sum(multipliers[-1], number, len(multipliers) - 1))
            else:
                inputs, table = _table(cell)
                (output,) = (net for nets in cell.outputs.values() for net in nets)
                pins = [self._index(net) for net in inputs]
                ops.append(_Op(number, pins, self._index(output), table=table))
        levels = _levels(ops)
        # Deepest first: in a step of unit delay, an operation then reads what its inputs were
        # before the step.  The bits of a carry chain have one level and stay in their order.
        order = sorted(range(len(ops)), key=lambda k: -levels[ops[k].group])
        ops = [ops[k] for k in order]

        reads = np.array([(net, k) for k, op in enumerate(ops) for net in op.inputs], np.int64)
        reads = reads.reshape(-1, 2)[np.argsort(reads.reshape(-1, 2)[:, 0], kind="stable")]
        first_reader = np.searchsorted(reads[:, 0], np.arange(len(self.net) + 1))
        readers = reads[:, 1].copy()
        rows_of_ops = [[] if op.kind == PRODUCT else op.inputs for op in ops]

        def column(rows: Sequence[NamedTuple], name: str, dtype=np.int32) -> np.ndarray:
            return np.array([getattr(row, name) for row in rows], dtype)

        def rows(found: Sequence[NamedTuple], name: str, width: int) -> np.ndarray:
            return _padded([getattr(row, name) for row in found], width)

        return Tables(
            op_kind=column(ops, "kind", np.uint8),
            op_level=np.array([levels[op.group] for op in ops], np.int32),
            op_pins=_lengths(rows_of_ops),
            op_in=_padded(rows_of_ops, PINS),
            op_table=column(ops, "table", np.uint64),
            op_base=column(ops, "base", np.int64),
            op_step=column(ops, "step", np.int64),
            op_out=column(ops, "output"),
            first_reader=first_reader,
            readers=readers,
            hidden=np.flatnonzero([op.kind != TABLE for op in ops]),
            driven=np.array([n for op in ops for n in (op.output, *op.others)], np.int32),
            ff_d=column(ffs, "d"),
            ff_q=column(ffs, "q"),
            ff_enable=column(ffs, "enable"),
            ff_reset=column(ffs, "reset"),
            ff_value=column(ffs, "value", np.uint8),
            srl_base=column(srls, "base"),
            srl_length=column(srls, "length"),
            srl_d=column(srls, "d"),
            srl_enable=column(srls, "enable"),
            ram_base=column(rams, "base"),
            ram_step=column(rams, "step"),
            ram_pins=_lengths(ram.address for ram in rams),
            ram_address=_padded([ram.address for ram in rams], PINS),
            ram_d=column(rams, "d"),
            ram_enable=column(rams, "enable"),
            port_data=column(ports, "data"),
            port_parity=column(ports, "parity"),
            port_width=column(ports, "width"),
            port_pins=_lengths(port.address for port in ports),
            port_address=_padded([port.address for port in ports], 16),
            port_enable=column(ports, "enable"),
            port_writes=np.array([any(port.bytes) for port in ports], np.uint8),
            port_mode=column(ports, "mode", np.uint8),
            port_first=column(ports, "first"),
            port_bytes=_padded([port.bytes for port in ports], 8),
            pool_out=np.array(pool_out, np.int32),
            pool_in=np.array(pool_in, np.int32),
            mul_a=rows(multipliers, "a", 25),
            mul_b=rows(multipliers, "b", 18),
            mul_z=rows(multipliers, "z", 48),
            mul_p=rows(multipliers, "p", 48),
            mul_cascade=rows(multipliers, "cascade", 48),
            mul_registers=rows(multipliers, "registers", REGISTERS),
            mul_enables=rows(multipliers, "enables", REGISTERS),
            mul_resets=rows(multipliers, "resets", REGISTERS),
        )

    def _flip_flop(self, cell: Cell) -> _FlipFlop:
        pin, value = _FFS[cell.type]
        (q,) = cell.outputs["Q"]
        self._starts[self._index(q)] = int(cell.parameters.get("INIT", "x") == "1")
        return _FlipFlop(
            d=self._index(cell.inputs["D"][0]), q=self._index(q),
            enable=self._index(cell.inputs["CE"][0]), reset=self._index(cell.inputs[pin][0]),
            value=value,
        )  # fmt: skip

    def _carry(self, cell: Cell, group) -> list[_Op]:
        ops = []
        start = [cell.inputs.get(pin, ("0",))[0] for pin in ("CI", "CYINIT")]
        carry = [self._index(net) for net in start if net != "0"] or [ZERO]
        for bit, (select, data) in enumerate(zip(cell.inputs["S"], cell.inputs["DI"], strict=True)):
            select, data = self._index(select), self._index(data)
            for pin, operands in (("O", [select, *carry]), ("CO", [select, data, *carry])):
                # Pins from bit 0: select, then data for CO, then one carry or two of which one
                # is high.
                count = len(operands)
                table = 0
                for row in range(1 << count):
                    high = row >> (count - len(carry)) != 0
                    chosen = row & 1
                    value = chosen ^ high if pin == "O" else high if chosen else row >> 1 & 1
                    table |= int(value) << row
                nets = cell.outputs.get(pin, ())
                # Yosys leaves out unused bits at the top only; without a net nothing follows.
                if bit < len(nets):
                    ops.append(_Op(group, operands, self._index(nets[bit]), table=table))
            carries = cell.outputs.get("CO", ())
            carry = [self._index(carries[bit])] if bit < len(carries) else [ZERO]
        return ops

    def _shift_register(self, cell: Cell, number: int, srls: list) -> list[_Op]:
        length = _SRLS[cell.type]
        base = self._store(_binary(cell.parameters.get("INIT", "0"), length))
        self.shift_registers.append(cell)
        srls.append(_ShiftRegister(
            base, length, d=self._index(cell.inputs["D"][0]),
            enable=self._index(cell.inputs["CE"][0]),
        ))  # fmt: skip
        address = [cell.inputs[f"A{k}"][0] for k in range(4)] if length == 16 else cell.inputs["A"]
        ops = []
        if q := cell.outputs.get("Q"):
            inputs = [self._index(net) for net in address]
            ops.append(_Op(number, inputs, self._index(q[0]), kind=MEMORY, base=base, step=1))
        if q := cell.outputs.get("Q31"):
            ops.append(_Op(number, [], self._index(q[0]), kind=MEMORY, base=base + 31, step=1))
        return ops

    def _lut_memory(self, cell: Cell, number: int, rams: list) -> list[_Op]:
        ops = []
        where = len(self.lut_memories)
        self.lut_memories.append(cell)
        enable = self._index(cell.inputs["WE"][0])

        def indices(nets) -> list[int]:
            return [self._index(net) for net in nets]

        if cell.type in _RAM_1:
            bits = _RAM_1[cell.type]

            def address(name: str) -> list[int]:
                whole = cell.inputs.get(name)
                return indices(whole or [cell.inputs[f"{name}{k}"][0] for k in range(bits)])

            base = self._store(_binary(cell.parameters.get("INIT", "0"), 1 << bits))
            data = self._index(cell.inputs["D"][0])
            rams.append(_RamBit(base, 1, address("A"), data, enable))
            self._ram_cell.append(where)
            for pin, name in (("O", "A"), ("SPO", "A"), ("DPO", "DPRA")):
                if nets := cell.outputs.get(pin):
                    output = self._index(nets[0])
                    ops.append(
                        _Op(number, address(name), output, kind=MEMORY, base=base, step=1)
                    )
            return ops
        depth, width = _RAM_M[cell.type]
        write = indices(cell.inputs["ADDRD"])
        for lane in "ABCD":
            base = self._store(_binary(cell.parameters.get(f"INIT_{lane}", "0"), depth * width))
            for bit, net in enumerate(cell.inputs.get(f"DI{lane}", ())):
                rams.append(_RamBit(base + bit, width, write, self._index(net), enable))
                self._ram_cell.append(where)
            for bit, net in enumerate(cell.outputs.get(f"DO{lane}", ())):
                ops.append(_Op(
                    number, indices(cell.inputs[f"ADDR{lane}"]), self._index(net), kind=MEMORY,
                    base=base + bit, step=width,
                ))  # fmt: skip
        return ops

    def _block_memory(self, cell: Cell, ports: list, pool_out: list, pool_in: list) -> None:
        large = cell.type == "RAMB36E1"
        contents = [
            _binary("".join(
                cell.parameters.get(f"{name}_{k:02X}", "").rjust(256, "0")
                for k in reversed(range(count << large))
            ), (count << large) * 256)
            for name, count in (("INIT", 64), ("INITP", 8))
        ]  # fmt: skip
        data, parity = map(self._store, contents)
        simple = cell.parameters["RAM_MODE"] == "SDP"
        half = 36 if large else 18
        for port, pins, write_pins in (
            ("A", ("ADDRARDADDR", "ENARDEN"), "WEA"), ("B", ("ADDRBWRADDR", "ENBWREN"), "WEBWE"),
        ):  # fmt: skip
            read, write = (
                int(cell.parameters[f"{kind}_WIDTH_{port}"], 2) for kind in ("READ", "WRITE")
            )
            writes = [n for n in cell.inputs[write_pins] if n not in ("0", "x", "z")]
            if not writes:
                write = 0
            if not read and not write:
                continue
            if read and write and read != write:
                raise SimulationError(f"widths of a port of {cell.name!r} must be equal")
            self._check_block_memory(cell, port)
            width = read or write
            whole = simple and width > half
            letters = "AB" if whole else port
            bits, bytes_ = _data_bits(width), max(_data_bits(width) // 8, 1)

            def pin(kind: str, count: int, has: bool, letters=letters) -> list[int]:
                names = {"DO": "DO{0}DO", "DOP": "DOP{0}DOP", "DI": "DI{0}DI", "DIP": "DIP{0}DIP"}
                side = cell.outputs if kind.startswith("DO") else cell.inputs
                nets = [n for x in letters for n in side[names[kind].format(x)]][:count]
                return [self._index(n) for n in nets] if has else [ZERO] * count

            parities = bytes_ if width % 9 == 0 else 0
            first = len(pool_out)
            pool_out += pin("DO", bits, bool(read)) + pin("DOP", parities, bool(read))
            pool_in += pin("DI", bits, bool(write)) + pin("DIP", parities, bool(write))
            address = cell.inputs[pins[0]][: 15 if large else 14]
            enables = cell.inputs[write_pins]
            self.ports.append(Port(cell, port))
            enabled = range(bytes_ if write else 0)
            ports.append(_BlockPort(
                data=data, parity=parity, width=width, address=[self._index(n) for n in address],
                enable=self._index(cell.inputs[pins[1]][0]),
                bytes=[self._index(enables[k % len(enables)]) for k in enabled],
                mode=WRITE_MODES.index(cell.parameters[f"WRITE_MODE_{port}"]), first=first,
            ))  # fmt: skip

    def _check_block_memory(self, cell: Cell, port: str) -> None:
        reset = {"A": "RSTRAMARSTRAM", "B": "RSTRAMB"}[port]
        wrong = [
            what
            for what, holds in (
                ("output registers", "1" in cell.parameters.get(f"DO{port}_REG", "0")),
                ("a reset", cell.inputs[reset] != ("0",)),
                ("a cascade", cell.parameters.get(f"RAM_EXTENSION_{port}", "NONE") != "NONE"),
            )
            if holds
        ]
        if wrong:
            raise SimulationError(f"block memory {cell.name!r} must not use {', '.join(wrong)}")


def _sum(row: Multiplier, number: int, where: int) -> list[_Op]:
    """The operation of a multiplier without a register at P."""
    if row.registers[-1] or not row.driven:
        return []
    first, *others = row.driven
    return [_Op(number, row.combinational, first, kind=PRODUCT, base=where, others=tuple(others))]


def _lengths(rows) -> np.ndarray:
    return np.array([len(row) for row in rows], np.int32)


def _padded(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """Rows of one width, with constant zeros behind their nets."""
    found = np.full((len(rows), width), ZERO, np.int32)
    for row, nets in zip(found, rows, strict=True):
        row[: len(nets)] = nets
    return found


def _data_bits(width: int) -> int:
    """Data bits of a port, without parity: a power of two."""
    return 1 << (width.bit_length() - 1)


def _binary(text: str, length: int) -> np.ndarray:
    """Bits of a parameter, LSB first."""
    bits = np.zeros(length, np.uint8)
    found = np.frombuffer(text.encode(), np.uint8)[::-1][:length] == ord("1")
    bits[: len(found)] = found
    return bits


def _table(cell: Cell) -> tuple[list[Net], int]:
    """Inputs, first one at bit 0 of the row, and truth table of a LUT or a multiplexer."""
    if cell.type == "INV":
        return [*cell.inputs["I"]], 0b01
    if cell.type in ("MUXF7", "MUXF8"):
        return [cell.inputs[pin][0] for pin in ("I0", "I1", "S")], 0b1100_1010
    if cell.type.startswith("LUT") and cell.type[3:].isdecimal():
        count = int(cell.type[3:])
        return (
            [cell.inputs[f"I{k}"][0] for k in range(count)],
            int(cell.parameters["INIT"].replace("x", "0"), 2) & ((1 << (1 << count)) - 1),
        )
    raise SimulationError(f"cell {cell.name!r} must be of a type that is simulated: {cell.type}")


def _carry_chains(cells: Sequence[Cell]) -> dict[int, int]:
    """The number of the first CARRY4 of the chain that each belongs to."""
    by_carry = {
        cell.outputs["CO"][3]: number
        for number, cell in enumerate(cells)
        if cell.type == "CARRY4" and len(cell.outputs.get("CO", ())) == 4
    }
    chains: dict[int, int] = {}

    def first(number: int) -> int:
        while (before := by_carry.get(cells[number].inputs.get("CI", ("0",))[0])) is not None:
            number = before
        return number

    for number, cell in enumerate(cells):
        if cell.type == "CARRY4":
            chains[number] = first(number)
    return chains


def _levels(ops: Sequence[_Op]) -> dict:
    """Level of each group of operations: one more than the deepest that it reads."""
    driver = {net: op.group for op in ops for net in (op.output, *op.others)}
    reads: dict = {op.group: set() for op in ops}
    for op in ops:
        # Within a carry chain, bits follow each other in order.
        within = op.group if isinstance(op.group, tuple) else None
        reads[op.group].update(driver[n] for n in op.inputs if n in driver and driver[n] != within)
    try:
        order = [*TopologicalSorter(reads).static_order()]
    except CycleError as error:
        cells = len(set(error.args[1]))
        raise SimulationError(f"design has a combinational loop of {cells} cells") from None
    levels: dict = {}
    for group in order:
        levels[group] = 1 + max((levels[g] for g in reads[group]), default=0)
    return levels
