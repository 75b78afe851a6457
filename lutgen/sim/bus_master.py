"""The bench's side of `lutgen.sim.bus`: an AXI4-Lite master of one transaction at a time.

cocotbext-axi has one, which tests use; its coroutines wake up at every clock edge for each channel,
and this one goes with the single wake-up of `lutgen.sim.clocked`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["BusMaster"]


class BusMaster:
    """A master that carries out steps.

    Members
    -------
    word : what to drive on its channels in the next clock
    started : whether the input streams may begin
    results : value and response of each step that is done; nulls where there are none
    done : whether all steps are
    """

    def __init__(self, steps: Sequence, places: Mapping[str, int], bits: Mapping[str, int]) -> None:
        """``bits`` are the bits of the channels among the handshakes."""
        self._steps, self._at = steps, places
        self._bit = {name: 1 << bit for name, bit in bits.items()}
        self._mask = (1 << places["bits"]) - 1
        self._strobes = (1 << places["bits"] // 8) - 1
        self.word = 0
        self.started = all(step[0] != "start" for step in steps)
        self.results: list[tuple[int | None, int | None]] = []
        self._left = 0
        self._begin()

    @property
    def done(self) -> bool:
        return len(self.results) == len(self._steps)

    def _finish(self, value: int | None = None, response: int | None = None) -> None:
        self.results.append((value, response))
        self.word = 0
        self._begin()

    def _begin(self) -> None:
        if self.done:
            return
        kind, *arguments = self._steps[len(self.results)]
        at = self._at
        if kind == "write":
            address, value = arguments
            self.word = (
                self._bit["aw"] | address << at["awaddr"]
                | self._bit["w"] | value << at["wdata"] | self._strobes << at["wstrb"]
            )  # fmt: skip
        elif kind in ("read", "until"):
            self.word = self._bit["ar"] | arguments[0] << at["araddr"]
        elif kind == "start":
            self.started = True
            self._finish()
        else:
            self._left = arguments[0]

    def clock(self, moved: int, seen: int, all_taken: bool) -> None:
        """What a clock brought: handshakes, outputs, and whether all input was taken."""
        if self.done:
            return
        kind, *arguments = self._steps[len(self.results)]
        if kind == "taken":
            if all_taken:
                self._left -= 1
                if self._left <= 0:
                    self._finish()
            return
        # Only VALID must fall; what else a channel carries then means nothing.
        self.word &= ~(moved & (self._bit["aw"] | self._bit["w"] | self._bit["ar"]))
        if kind == "write" and moved & self._bit["b"]:
            self._finish(None, seen >> self._at["bresp"] & 3)
        elif kind != "write" and moved & self._bit["r"]:
            value, response = seen >> self._at["rdata"] & self._mask, seen >> self._at["rresp"] & 3
            if kind == "until" and value & arguments[1] != arguments[2] and not response:
                self._begin()
            else:
                self._finish(value, response)
