"""Values of a pipeline that know in which clock they are there.

A pipeline without stalls is easiest to write, and to change, if nobody counts registers by hand:
each value carries the clock in which it belongs to the sample that entered in clock 0, and whoever
wants it later asks for it at that clock.  Delay lines come by themselves, one for all who ask.
"""

from collections.abc import Sequence

from amaranth.hdl import Module, Shape, Signal, Value

__all__ = ["Timed", "Timeline"]


class Timed:
    """A value and its clock; `Timeline` makes it."""

    def __init__(self, m: Module, name: str, value, clock: int, reset: bool) -> None:
        self._m = m
        self._name = name
        self._reset = reset
        self._later = [Value.cast(value)]
        #: Clock in which it is there first.
        self.clock = clock

    def __len__(self) -> int:
        return len(self._later[0])

    @property
    def now(self) -> Value:
        """The value in its own clock."""
        return self._later[0]

    def at(self, clock: int) -> Value:
        """The same value in a later clock.

        Raises
        ------
        ValueError
            If it is not there yet in that clock.
        """
        wait = clock - self.clock
        if wait < 0:
            raise ValueError(f"{self._name} is there in clock {self.clock}, not in {clock}")
        while len(self._later) <= wait:
            before = self._later[-1]
            register = Signal(
                before.shape(), name=f"{self._name}_{self.clock + len(self._later)}",
                reset_less=not self._reset,
            )  # fmt: skip
            self._m.d.sync += register.eq(before)
            self._later.append(register)
        return self._later[wait]


class Timeline:
    """Makes the timed values of one pipeline.

    Parameters
    ----------
    m:
        Module that receives the registers.
    """

    def __init__(self, m: Module) -> None:
        self._m = m

    def given(self, name: str, value, clock: int = 0, *, reset: bool = False) -> Timed:
        """A value that is there in ``clock``.

        Its delay line is not reset unless asked for: control bits that must come up inactive are.
        """
        return Timed(self._m, name, value, clock, reset)

    def register(self, name: str, value, clock: int, shape=None, *, reset: bool = False) -> Timed:
        """A register of what is computed in ``clock``: there in the next one."""
        value = Value.cast(value)
        register = Signal(
            value.shape() if shape is None else Shape.cast(shape), name=name, reset_less=not reset
        )
        self._m.d.sync += register.eq(value)
        return Timed(self._m, name, register, clock + 1, reset)

    def ready(self, *values: Timed) -> int:
        """First clock in which all of these are there."""
        return max(v.clock for v in values)

    def sum(self, name: str, terms: Sequence[Timed]) -> Timed:
        """Sum of terms, a register behind every addition.

        Those that come late are added late: each step adds the two that are there first.
        """
        left = sorted(terms, key=lambda term: term.clock)
        step = 0
        while len(left) > 1:
            (a, b), left = left[:2], left[2:]
            clock = self.ready(a, b)
            left.append(self.register(f"{name}_{step}", a.at(clock) + b.at(clock), clock))
            left.sort(key=lambda term: term.clock)
            step += 1
        return left[0]
