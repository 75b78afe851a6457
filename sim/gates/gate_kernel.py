"""The compiled loops of `lutgen.sim.gates.gates`: settle, clock edge, streams.

``count`` says whether what nets do is counted.  The loops have it from outside: for a constant all
of them would be compiled once more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lutgen.files.compiled import njit

__all__ = [
    "MEMORY", "PINS", "PRODUCT", "TABLE", "WRITE_MODES", "ZERO", "State", "Tables", "restart",
    "run",
]  # fmt: skip

#: Net of constant zeros.
ZERO = 0
#: Most inputs of a table, and most address bits of a LUT memory.
PINS = 8
#: Kinds of operations: a look-up in a table or in memory, and all bits of a multiplier's sum.
TABLE, MEMORY, PRODUCT = range(3)
#: Registers of a multiplier: first ones of A and B, those behind them, of Z, of the product, of P.
A1, B1, A2, B2, Z, M, P = range(7)
#: Order of the numbers in the arrays.
WRITE_MODES = ("READ_FIRST", "WRITE_FIRST", "NO_CHANGE")


class Tables(NamedTuple):
    """The design as arrays, for the compiled loop."""

    # Combinational: table look-ups, reads of LUT memories, and sums, deepest first.
    op_kind: np.ndarray
    op_level: np.ndarray
    op_pins: np.ndarray
    op_in: np.ndarray
    op_table: np.ndarray
    op_base: np.ndarray
    op_step: np.ndarray
    op_out: np.ndarray
    #: Nets that operations drive.
    driven: np.ndarray
    #: Operations that read net ``n``: ``readers[first_reader[n] : first_reader[n + 1]]``.
    first_reader: np.ndarray
    readers: np.ndarray
    #: Operations that read what an edge changes without a net: memory, registers of multipliers.
    hidden: np.ndarray
    # Flip-flops.
    ff_d: np.ndarray
    ff_q: np.ndarray
    ff_enable: np.ndarray
    ff_reset: np.ndarray
    ff_value: np.ndarray
    # Shift registers.
    srl_base: np.ndarray
    srl_length: np.ndarray
    srl_d: np.ndarray
    srl_enable: np.ndarray
    # Written bits of LUT memories.
    ram_base: np.ndarray
    ram_step: np.ndarray
    ram_pins: np.ndarray
    ram_address: np.ndarray
    ram_d: np.ndarray
    ram_enable: np.ndarray
    # Ports of block memories; data bits, then parity bits, of each port lie in the two pools.
    port_data: np.ndarray
    port_parity: np.ndarray
    port_width: np.ndarray
    port_pins: np.ndarray
    port_address: np.ndarray
    port_enable: np.ndarray
    port_writes: np.ndarray
    port_mode: np.ndarray
    port_first: np.ndarray
    port_bytes: np.ndarray
    pool_out: np.ndarray
    pool_in: np.ndarray
    # Multipliers (`lutgen.sim.gates.multiplier`): nets, and what registers there are, see below.
    mul_a: np.ndarray
    mul_b: np.ndarray
    mul_z: np.ndarray
    mul_p: np.ndarray
    mul_cascade: np.ndarray
    mul_registers: np.ndarray
    mul_enables: np.ndarray
    mul_resets: np.ndarray


class State(NamedTuple):
    """What changes."""

    nets: np.ndarray
    before: np.ndarray
    stale: np.ndarray
    memory: np.ndarray
    settled: np.ndarray
    unit: np.ndarray
    ff_next: np.ndarray
    pool_next: np.ndarray
    mul_held: np.ndarray
    mul_seen: np.ndarray
    shifts: np.ndarray
    writes: np.ndarray
    accesses: np.ndarray
    idle_writes: np.ndarray
    products: np.ndarray


@njit()
def _change(t, s, net, value):
    """Give a net another value: operations that read it are to be done again."""
    s.nets[net] = value
    for j in range(t.first_reader[net], t.first_reader[net + 1]):
        s.stale[t.readers[j]] = 1


@njit()
def _number(s, nets):
    """Signed number on nets, the lowest bit first."""
    value = np.int64(0)
    for k in range(len(nets)):
        value |= np.int64(s.nets[nets[k]]) << k
    if s.nets[nets[-1]]:
        value -= np.int64(1) << len(nets)
    return value


@njit()
def _operands(t, s, k):
    """What a multiplier multiplies and adds to now."""
    a = s.mul_held[k, A2] if t.mul_registers[k, A2] else _number(s, t.mul_a[k])
    b = s.mul_held[k, B2] if t.mul_registers[k, B2] else _number(s, t.mul_b[k])
    z = s.mul_held[k, Z] if t.mul_registers[k, Z] else _number(s, t.mul_z[k])
    return a, b, z


@njit()
def _show(t, s, k, count):
    """A multiplier's sum without a register behind it."""
    a, b, z = _operands(t, s, k)
    total = z + (s.mul_held[k, M] if t.mul_registers[k, M] else a * b)
    for nets in (t.mul_p[k], t.mul_cascade[k]):
        for j in range(len(nets)):
            value = np.uint8(total >> j & 1)
            if nets[j] != ZERO and value != s.nets[nets[j]]:
                _change(t, s, nets[j], value)
                if count:
                    s.unit[nets[j]] += 1


@njit()
def _settle(t, s, count):
    """Let combinational logic settle, one unit of delay after the other.

    Done is what reads a net that has changed.  What an operation changes is read by deeper ones,
    which were passed already in this step; along a carry chain, by the next, which follow.
    """
    ops = len(t.op_out)
    deepest = t.op_level[0] if ops else 0
    for step in range(1, deepest + 1):
        for k in range(ops):
            if t.op_level[k] < step:
                break
            if not s.stale[k]:
                continue
            s.stale[k] = 0
            if t.op_kind[k] == PRODUCT:
                _show(t, s, t.op_base[k], count)
                continue
            row = 0
            for pin in range(t.op_pins[k]):
                row |= np.int64(s.nets[t.op_in[k, pin]]) << pin
            if t.op_kind[k] == MEMORY:
                value = s.memory[t.op_base[k] + t.op_step[k] * row]
            else:
                value = np.uint8((t.op_table[k] >> np.uint64(row)) & np.uint64(1))
            out = t.op_out[k]
            if value != s.nets[out]:
                _change(t, s, out, value)
                if count:
                    s.unit[out] += 1
    for out in t.driven:
        if s.nets[out] != s.before[out]:
            s.before[out] = s.nets[out]
            if count:
                s.settled[out] += 1


@njit()
def _set(t, s, net, value, count):
    if s.nets[net] != value:
        _change(t, s, net, value)
        s.before[net] = value
        if count:
            s.settled[net] += 1
            s.unit[net] += 1


@njit()
def _multiply(t, s, count):
    """Registers of all multipliers at a clock edge; what they drive changes with the others."""
    for k in range(len(t.mul_a)):
        a, b, z = _operands(t, s, k)
        product = a * b
        total = z + (s.mul_held[k, M] if t.mul_registers[k, M] else product)
        if count and (a != s.mul_seen[k, 0] or b != s.mul_seen[k, 1] or z != s.mul_seen[k, 2]):
            s.products[k] += 1
        s.mul_seen[k, 0], s.mul_seen[k, 1], s.mul_seen[k, 2] = a, b, z
        first_a, first_b = _number(s, t.mul_a[k]), _number(s, t.mul_b[k])
        taken = (
            first_a, first_b,
            s.mul_held[k, A1] if t.mul_registers[k, A1] else first_a,
            s.mul_held[k, B1] if t.mul_registers[k, B1] else first_b,
            _number(s, t.mul_z[k]), product, total,
        )  # fmt: skip
        for j in range(P + 1):
            if s.nets[t.mul_resets[k, j]]:  # above the enable
                s.mul_held[k, j] = 0
            elif s.nets[t.mul_enables[k, j]]:
                s.mul_held[k, j] = taken[j]


@njit()
def _edge(t, s, count):
    """One clock edge: all cells take what they see, then all outputs change."""
    for k in range(len(t.ff_d)):
        q = s.nets[t.ff_q[k]]
        if s.nets[t.ff_enable[k]]:
            q = s.nets[t.ff_d[k]]
        if s.nets[t.ff_reset[k]]:  # above the enable
            q = t.ff_value[k]
        s.ff_next[k] = q
    _multiply(t, s, count)
    ports = len(t.port_data)
    # All ports read before any writes: what a port reads of a word that another writes in the same
    # clock is not defined in hardware, and the mapper keeps it from mattering.
    for p in range(ports):
        width = t.port_width[p]
        bits = 1
        while 2 * bits <= width:
            bits *= 2
        parities = bits // 8 if width % 9 == 0 else 0
        first = t.port_first[p]
        holds = not s.nets[t.port_enable[p]]
        if not holds and count:
            s.accesses[p] += 1
        if t.port_mode[p] == 2 and t.port_writes[p]:
            for byte in range(8):
                holds |= s.nets[t.port_bytes[p, byte]] != 0
        if holds:
            for j in range(bits + parities):
                s.pool_next[first + j] = s.nets[t.pool_out[first + j]]
            continue
        address = 0
        for pin in range(t.port_pins[p]):
            address |= np.int64(s.nets[t.port_address[p, pin]]) << pin
        address &= ~(bits - 1)
        for j in range(bits + parities):
            if j < bits:
                value = s.memory[t.port_data[p] + address + j]
            else:
                value = s.memory[t.port_parity[p] + address // 8 + j - bits]
            if t.port_mode[p] == 1 and t.port_writes[p]:
                byte = j // 8 if j < bits else j - bits
                if s.nets[t.port_bytes[p, byte]]:
                    value = s.nets[t.pool_in[first + j]]
            s.pool_next[first + j] = value
    for p in range(ports):
        if not t.port_writes[p] or not s.nets[t.port_enable[p]]:
            continue
        width = t.port_width[p]
        bits = 1
        while 2 * bits <= width:
            bits *= 2
        parities = bits // 8 if width % 9 == 0 else 0
        first = t.port_first[p]
        address = 0
        for pin in range(t.port_pins[p]):
            address |= np.int64(s.nets[t.port_address[p, pin]]) << pin
        address &= ~(bits - 1)
        idle = t.pool_out[first] == ZERO
        for j in range(bits + parities):
            byte = j // 8 if j < bits else j - bits
            if s.nets[t.port_bytes[p, byte]]:
                idle = False
                value = s.nets[t.pool_in[first + j]]
                if j < bits:
                    s.memory[t.port_data[p] + address + j] = value
                else:
                    s.memory[t.port_parity[p] + address // 8 + j - bits] = value
        if count and idle:
            s.idle_writes[p] += 1
    for k in range(len(t.srl_d)):
        if s.nets[t.srl_enable[k]]:
            if count:
                s.shifts[k] += 1
            base = t.srl_base[k]
            for j in range(base + t.srl_length[k] - 1, base, -1):
                s.memory[j] = s.memory[j - 1]
            s.memory[base] = s.nets[t.srl_d[k]]
    for k in range(len(t.ram_d)):
        if s.nets[t.ram_enable[k]]:
            if count:
                s.writes[k] += 1
            address = 0
            for pin in range(t.ram_pins[k]):
                address |= np.int64(s.nets[t.ram_address[k, pin]]) << pin
            s.memory[t.ram_base[k] + t.ram_step[k] * address] = s.nets[t.ram_d[k]]
    for k in range(len(t.ff_d)):
        _set(t, s, t.ff_q[k], s.ff_next[k], count)
    for j in range(len(t.pool_out)):
        # Bits of ports that only write have the constant net 0.
        if t.pool_out[j] > 1:
            _set(t, s, t.pool_out[j], s.pool_next[j], count)
    for k in range(len(t.mul_p)):
        if not t.mul_registers[k, P]:
            continue
        for nets in (t.mul_p[k], t.mul_cascade[k]):
            for j in range(len(nets)):
                if nets[j] != ZERO:
                    _set(t, s, nets[j], np.uint8(s.mul_held[k, P] >> j & 1), count)
    for k in t.hidden:
        s.stale[k] = 1


@njit()
def restart(t, s, reset, count):
    """Settle, and hold the reset for two clocks."""
    s.stale[:] = 1
    _set(t, s, reset, np.uint8(1), count)
    for _ in range(2):
        _settle(t, s, count)
        _edge(t, s, count)
    _set(t, s, reset, np.uint8(0), count)


@njit()
def run(
    t, s, at, in_valid, in_ready, in_bits, beats, out_valid, out_bits, payloads, in_clocks,
    out_clocks, taken, given, max_clocks, count,
):  # fmt: skip
    first_in, first_out = at[1], at[2]
    while at[1] < taken or at[2] < given:
        if at[0] == max_clocks or at[2] - first_out == len(payloads):
            return False
        offered = at[1] < len(beats)
        _set(t, s, in_valid, np.uint8(offered), count)
        if offered:
            for j in range(len(in_bits)):
                _set(t, s, in_bits[j], beats[at[1], j], count)
        _settle(t, s, count)
        if offered and s.nets[in_ready]:
            in_clocks[at[1] - first_in] = at[0]
            at[1] += 1
        if s.nets[out_valid]:
            for j in range(len(out_bits)):
                payloads[at[2] - first_out, j] = s.nets[out_bits[j]]
            out_clocks[at[2] - first_out] = at[0]
            at[2] += 1
        _edge(t, s, count)
        at[0] += 1
    return True
