"""What happens beside the streams of a simulation: settings, waits, resets, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Script"]


@dataclass
class Script:
    """Steps for `rtl_stream`, which is over when the last one is done.

    Members
    -------
    steps : what to do
    """

    steps: list[tuple] = field(default_factory=list)

    def _add(self, *step) -> int:
        self.steps.append(step)
        return len(self.steps) - 1

    def start(self) -> None:
        """Let the input streams begin, which wait for this step if there is one."""
        self._add("start")

    def send(self, stream: str, beats: int) -> None:
        """Let an input stream offer so many beats more; without any such step it offers all."""
        self._add("send", stream, beats)

    def taken(self, clocks: int = 8) -> int:
        """Wait until all input was taken, for so many clocks from that of the last beat on."""
        return self._add("taken", clocks)

    def high(self, port: str, clocks: int) -> int:
        """Wait until a one-bit output was high for so many clocks on end."""
        return self._add("high", port, clocks)

    def wait(self, clocks: int) -> int:
        """Wait for so many clocks."""
        return self._add("wait", clocks)

    def set(self, **values: int) -> None:
        """Drive inputs from now on; each is among the ``controls`` of `rtl_stream`."""
        self._add("set", values)

    def stall(self, number: int) -> None:
        """Stall ports by this element of their tuples from now on."""
        self._add("stall", number)

    def reset(self, clocks: int = 2) -> int:
        """Reset the design for so many clocks; what was let but not taken is not sent."""
        return self._add("reset", clocks)

    def resolved(
        self, streams: list[str], mask: Callable[[str], int],
        drive: Callable[[Mapping[str, int]], tuple[int, int]],
    ) -> list[tuple]:  # fmt: skip
        """The steps as the bench takes them: numbers of streams and bits in place of names."""
        found = []
        for kind, *arguments in self.steps:
            if kind == "send":
                arguments[0] = streams.index(arguments[0])
            elif kind == "high":
                arguments[0] = f"{mask(arguments[0]):x}"
            elif kind == "set":
                arguments = [f"{word:x}" for word in drive(arguments[0])]
            found.append((kind, *arguments))
        return found
