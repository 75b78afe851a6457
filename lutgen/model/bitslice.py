"""Bit-sliced evaluation of a LUT network: 64 pixels per machine word.

`compile_program` turns nodes into one straight line of AND, OR and XOR on words, by splitting each
truth table on its most useful pin (Shannon expansion) and sharing equal operations across nodes.
`Program.run` executes it with NumPy, a chunk of pixels at a time, in a fixed set of registers.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lutgen.model.truth import FULL, PINS, cofactors, depends

__all__ = ["Program", "compile_program"]

_AND, _OR, _XOR = np.bitwise_and, np.bitwise_or, np.bitwise_xor

# 2048 words: NumPy's cost of a call is small beside the work, and a register fits the L1 cache.
_CHUNK_WORDS = 2048
_REGISTER_BYTES = 64 << 20


@dataclass(frozen=True, eq=False)
class Program:
    """Straight-line word program.

    Parameters
    ----------
    steps : tuple
        ``(ufunc, destination, a, b)`` on registers, or ``(None, destination, feature, threshold)``
        which loads the bit ``feature > threshold`` of 64 pixels per word. Register 0 holds zeros
        and register 1 holds ones.
    registers : int
        Number of registers.
    outputs : tuple of int
        Register of each output bit.
    """

    steps: tuple
    registers: int
    outputs: tuple[int, ...]

    def run(self, features: np.ndarray) -> np.ndarray:
        """Evaluate uint8 features (F, P); return uint64 (outputs, ceil(P / 64)).

        Pixel p is bit p % 64 of word p // 64; bits after the last pixel are 0.
        """
        pixels = features.shape[1]
        words = -(-pixels // 64)
        result = np.empty((len(self.outputs), words), dtype="<u8")
        chunk = max(16, min(_CHUNK_WORDS, words, _REGISTER_BYTES // (8 * self.registers)))
        memory = np.empty((self.registers, chunk), dtype="<u8")
        memory[0] = 0
        memory[1] = FULL
        for start in range(0, words, chunk):
            count = min(chunk, words - start)
            bank = list(memory[:, :count])
            part = features[:, 64 * start : 64 * (start + count)]
            for ufunc, out, a, b in self.steps:
                if ufunc is None:
                    bits = np.packbits(part[a] > b, bitorder="little")
                    bank[out].view(np.uint8)[: bits.size] = bits
                else:
                    ufunc(bank[a], bank[b], bank[out])
            for bit, register in enumerate(self.outputs):
                result[bit, start : start + count] = bank[register]
        if pixels % 64:
            result[:, -1] &= np.uint64((1 << pixels % 64) - 1)
        return result.astype(np.uint64, copy=False)


def compile_program(inputs, fanin, tables, outputs) -> Program:
    """Compile the part of a network that `outputs` needs.

    Parameters
    ----------
    inputs : list of (feature, threshold)
    fanin : list of 6 signals per node
    tables : list of int
    outputs : sequence of int
        Signals.
    """
    first = 2 + len(inputs)
    needed = set(outputs)
    for node in range(len(fanin) - 1, -1, -1):
        if first + node in needed:
            needed.update(fanin[node])
    code = _Code()
    values = {0: 0, 1: 1}
    for signal in sorted(needed - {0, 1}):
        if signal < first:
            values[signal] = code.op(None, *inputs[signal - 2])
        else:
            pins = [values[pin] for pin in fanin[signal - first]]
            values[signal] = code.lower(tables[signal - first], pins)
    return _allocate(code.ops, [values[signal] for signal in outputs])


class _Code:
    """List of operations in which each value is computed once; values 0 and 1 are constants."""

    def __init__(self):
        self.ops = []
        self._known = {}

    def op(self, ufunc, a, b):
        key = (ufunc, a, b)
        if key not in self._known:
            self.ops.append(key)
            self._known[key] = len(self.ops) + 1
        return self._known[key]

    def word(self, ufunc, a, b):
        """Append a word operation unless it is trivial."""
        if a > b:
            a, b = b, a
        if a == b:
            return 0 if ufunc is _XOR else a
        if a == 0:
            return 0 if ufunc is _AND else b
        if a == 1 and ufunc is not _XOR:
            return b if ufunc is _AND else 1
        return self.op(ufunc, a, b)

    def lower(self, table, pins):
        """Append the operations of one node; return its value."""
        for j, pin in enumerate(pins):
            if pin < 2:
                table = cofactors(table, j)[pin]
        return self._lower(table, pins, {0: 0, FULL: 1})

    def _lower(self, table, pins, done):
        if table in done:
            return done[table]
        if FULL ^ table in done:
            value = self.word(_XOR, done[FULL ^ table], 1)
        else:
            shape, j, low, high = _split(table)
            pin = pins[j]
            if shape == "mux":  # low ^ (pin & (low ^ high))
                zero, one = self._lower(low, pins, done), self._lower(high, pins, done)
                value = self.word(_AND, pin, self.word(_XOR, zero, one))
                value = self.word(_XOR, zero, value)
            elif shape == "xor":  # high = ~low
                value = self.word(_XOR, pin, self._lower(low, pins, done))
            elif shape == "rise":  # low implies high: low | (pin & high)
                value = self.word(_AND, pin, self._lower(high, pins, done))
                value = self.word(_OR, self._lower(low, pins, done), value)
            else:  # "fall", high implies low: high | (~pin & low)
                value = self.word(_AND, self.word(_XOR, pin, 1), self._lower(low, pins, done))
                value = self.word(_OR, self._lower(high, pins, done), value)
        done[table] = value
        return value


@lru_cache(maxsize=1 << 16)
def _split(table: int) -> tuple[str, int, int, int]:
    """Choose the pin that leaves least to compute; return shape, pin and both cofactors."""
    choices = []
    for j in range(6):
        if not depends(table, j):
            continue
        low, high = cofactors(table, j)
        if low == FULL ^ high:
            shape, cost, rest = "xor", 1, _support(low)
        else:
            rest = _support(low) + _support(high)
            if not low & ~high:
                shape, cost = "rise", 2 - (low == 0) - (high == FULL)
            elif not high & ~low:
                shape, cost = "fall", 3 - (high == 0) - (low == FULL)
            else:
                shape, cost = "mux", 3
        # A pin more in the rest costs about as much as three operations.
        choices.append((3 * rest + cost, j, shape, low, high))
    _, pin, shape, low, high = min(choices)
    return shape, pin, low, high


def _support(table: int) -> int:
    return sum(bool((table ^ table >> (1 << j)) & ~ones & FULL) for j, ones in enumerate(PINS))


def _allocate(ops, outputs) -> Program:
    """Give each value a register, reused after the value's last use."""
    last = {}
    for index, (ufunc, a, b) in enumerate(ops):
        if ufunc is not None:
            last[a] = last[b] = index
    for value in outputs:
        last[value] = len(ops)
    place, steps, registers = {0: 0, 1: 1}, [], 2
    free: list[int] = []
    for index, (ufunc, a, b) in enumerate(ops):
        if ufunc is not None:
            sources = place[a], place[b]
            free.extend(place[value] for value in {a, b} - {0, 1} if last[value] == index)
        else:
            sources = a, b
        if not free:
            free.append(registers)
            registers += 1
        place[index + 2] = free.pop()
        steps.append((ufunc, place[index + 2], *sources))
    return Program(tuple(steps), registers, tuple(place[value] for value in outputs))
