"""Small pieces that every pipeline is made of."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.utils import bits_for

__all__ = ["choose", "clamped", "delay", "drive", "look_up", "one_hot_select"]


def delay(m: Module, value, cycles: int, *, name: str, reset: bool = False) -> Value:
    """Delay ``value`` by a number of clocks.

    Without a reset the line maps to shift-register LUTs; control bits that must come up inactive
    ask for ``reset=True``.
    """
    if cycles < 0:
        raise ValueError(f"delay of {name} must not be negative, not {cycles!r}")
    value = Value.cast(value)
    if not len(value):
        return value
    for i in range(cycles):
        register = Signal(value.shape(), name=f"{name}_d{i + 1}", reset_less=not reset)
        m.d.sync += register.eq(value)
        value = register
    return value


def drive(to, source, *names: str) -> list:
    """Assignments of the ports ``names`` of ``to`` from those of the same names of ``source``.

    A wider port is cut, as by ``eq``.
    """
    return [getattr(to, name).eq(getattr(source, name)) for name in names]


def choose(values: Sequence, select) -> Value:
    """``values[select]`` as a tree of two-input multiplexers, which maps to LUT6 and MUXF.

    A selection beyond the last value gives any of the values.
    """
    level = list(values)
    for bit in range(len(select)):
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [Mux(select[bit], p[1], p[0]) if len(p) == 2 else p[0] for p in pairs]
    return level[0]


def look_up(m: Module, name: str, words: Sequence[int], width: int, address: Value) -> Value:
    """What a table of unsigned words has at an address, two clocks later; in LUTs.

    An address beyond the last word reads any of them.
    """
    return delay(m, choose([Const(word, width) for word in words], address), 2, name=name)


def clamped(value: Value, most: int) -> Value:
    """A signed value within 0 to ``most``, in as many bits as that needs."""
    return Mux(value < 0, 0, Mux(value > most, most, value[: bits_for(most)]))[: bits_for(most)]


def one_hot_select(values: Sequence[int], one_hot: Value) -> Value:
    """The value whose bit is set, as an OR of its bits."""
    width = bits_for(max(values))
    return Cat(
        Cat(one_hot[i] for i, value in enumerate(values) if value >> bit & 1).any()
        for bit in range(width)
    )
