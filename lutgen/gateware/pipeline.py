"""Delay lines: what travels beside a pipeline."""

from amaranth.hdl import Module, Signal, Value

__all__ = ["delay"]


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
