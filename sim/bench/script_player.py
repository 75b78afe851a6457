"""The bench's side of `lutgen.sim.drive.script` and `lutgen.sim.drive.bus`: carries out one step at
a time.

cocotbext-axi has a bus master, which tests use; its coroutines wake up at every clock edge for
each channel, and this one goes with the single wake-up of `lutgen.sim.bench.clocked`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["ScriptPlayer"]


class ScriptPlayer:
    """Carries out steps.

    Members
    -------
    word : what to drive on settings, reset and the bus in the next clock
    limits : beats that each input may have offered so far
    profile : number of the stalls that hold
    resets : whether the design is held in reset
    results : value and response of each step that is done; nulls where there are none
    clocks : clock after which each of them was done
    done : whether all steps are
    """

    def __init__(
        self, steps: Sequence, lengths: Sequence[int], *, controls: int, reset: int,
        places: Mapping[str, int] | None = None, bits: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        """``bits`` are the bits of the bus's channels among the handshakes, None without a bus."""
        self._steps, self._at = steps, places or {}
        self._lengths, self._reset = list(lengths), 1 << reset
        if bits is not None:
            self._bit = {name: 1 << bit for name, bit in bits.items()}
            self._mask = (1 << self._at["bits"]) - 1
            self._strobes = (1 << self._at["bits"] // 8) - 1
        waits = any(step[0] in ("start", "send") for step in steps)
        self.limits = [0] * len(self._lengths) if waits else list(self._lengths)
        self.profile, self.resets = 0, False
        self.results: list[tuple[int | None, int | None]] = []
        self.clocks: list[int] = []
        self._controls, self._channels = controls, 0
        self._left = self._now = 0
        self._begin()

    @property
    def done(self) -> bool:
        return len(self.results) == len(self._steps)

    @property
    def waits(self) -> bool:
        """Whether this is a time in which nothing needs to happen."""
        return self._kind in ("wait", "reset")

    def _finish(self, value: int | None = None, response: int | None = None) -> None:
        self.results.append((value, response))
        self.clocks.append(self._now)
        self._channels, self.resets = 0, False
        self._begin()

    def _begin(self) -> None:
        while not self.done:
            kind, *arguments = self._steps[len(self.results)]
            if kind == "start":
                self.limits = list(self._lengths)
            elif kind == "send":
                self.limits[arguments[0]] += arguments[1]
            elif kind == "set":
                mask, value = (int(text, 16) for text in arguments)
                self._controls = self._controls & ~mask | value
            elif kind == "stall":
                self.profile = arguments[0]
            else:
                break
            self.results.append((None, None))
            self.clocks.append(self._now)
        else:
            self._drive()
            return
        at = self._at
        if kind == "write":
            address, value = arguments
            self._channels = (
                self._bit["aw"] | address << at["awaddr"]
                | self._bit["w"] | value << at["wdata"] | self._strobes << at["wstrb"]
            )  # fmt: skip
        elif kind in ("read", "until"):
            self._channels = self._bit["ar"] | arguments[0] << at["araddr"]
        elif kind == "high":
            self._wanted, self._left = int(arguments[0], 16), arguments[1]
        else:
            self._left = arguments[0]
            self.resets = kind == "reset"
        self._kind, self._arguments = kind, arguments
        self._drive()

    def _drive(self) -> None:
        self.word = self._controls | self._channels | (self._reset if self.resets else 0)

    def clock(self, moved: int, seen: int, all_taken: bool) -> None:
        """What a clock brought: handshakes, outputs, and whether all input was taken."""
        self._now += 1
        if self.done:
            return
        kind = self._kind
        if kind == "taken":
            if all_taken:
                self._left -= 1
                if self._left <= 0:
                    self._finish()
        elif kind in ("wait", "reset"):
            self._left -= 1
            if self._left <= 0:
                self._finish()
        elif kind == "high":
            self._left = self._left - 1 if seen & self._wanted else self._arguments[1]
            if self._left <= 0:
                self._finish()
        else:
            self._transact(kind, moved, seen)

    def _transact(self, kind: str, moved: int, seen: int) -> None:
        if not moved:
            return
        # Only VALID must fall; what else a channel carries then means nothing.
        self._channels &= ~(moved & (self._bit["aw"] | self._bit["w"] | self._bit["ar"]))
        self._drive()
        if kind == "write" and moved & self._bit["b"]:
            self._finish(None, seen >> self._at["bresp"] & 3)
        elif kind != "write" and moved & self._bit["r"]:
            value, response = seen >> self._at["rdata"] & self._mask, seen >> self._at["rresp"] & 3
            _, *wanted = self._arguments
            if kind == "until" and value & wanted[0] != wanted[1] and not response:
                self._begin()
            else:
                self._finish(value, response)
