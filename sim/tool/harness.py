"""A Verilog wrapper that gathers the ports of a design into a few wide vectors.

Reading or writing a signal from Python costs far more than the evaluation of a small design, so
the bench writes one vector `drive` and reads one vector `sample` per clock. The wrapper registers
`drive` on the rising edge: in the time step of edge k the bench samples, which gives what the
flip-flops of the design see at edge k, and writes the inputs that are valid after edge k. The
design's clock is the bench's clock, its inputs never change at any other time, and combinational
paths between valid and ready settle before they are sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lutgen.errors import InputError
from lutgen.sim.tool.design import Design

__all__ = ["BENCH_TOP", "PERIOD", "UPSET", "Harness"]

BENCH_TOP = "lutgen_bench"
#: Input of a design that wants to know of a reset one clock before it comes.
UPSET = "upset"
PERIOD = 10_000  # of the clock where nobody asks, in simulator steps of 1 ps
CHUNK = 1024  # bits per vector; Verilator's interface passes text, which gets slow beyond
_CLOCKS = ("clk", "aclk", "clock")
_RESETS = {"rst": True, "reset": True, "rst_n": False, "resetn": False, "aresetn": False}


@dataclass(frozen=True, eq=False)
class Harness:
    """A wrapped design.

    Members
    -------
    design : the design with its wrapper, whose top is `BENCH_TOP`
    drive, fixed, sample : first bit of each port in the vector of that name; `fixed` is not
        registered and set once, before the reset
    drive_width, fixed_width, sample_width : bits of each vector
    reset : first bit of the reset in `drive`, active high, also where the design has none
    """

    design: Design
    drive: dict[str, int]
    fixed: dict[str, int]
    sample: dict[str, int]
    drive_width: int
    fixed_width: int
    sample_width: int
    reset: int

    @classmethod
    def wrap(
        cls,
        design: Design,
        drive: Sequence[str],
        fixed: Sequence[str],
        sample: Sequence[str],
        reset_after: int = 0,
    ) -> Harness:
        """Wrap ``design``.

        Parameters
        ----------
        design : Design
            Its clock is the port clk, aclk or clock, its reset rst, reset, rst_n, resetn or
            aresetn (the last three active low).
        drive, fixed, sample : sequences of port names
            In the order of their bits, from the least significant.
        reset_after : int
            Number of driven ports below the reset's bit.

        Raises
        ------
        InputError
            If an input is neither clock nor reset and not in exactly one of drive and fixed, or
            a port is of the wrong direction or unknown.
        """
        ports = design.ports
        clock = next((p for p in _CLOCKS if p in ports and ports[p].is_input), None)
        reset = next((p for p in _RESETS if p in ports and ports[p].is_input), None)
        given = [*drive, *fixed]
        for names, is_input, kind in ((given, True, "an input"), (sample, False, "an output")):
            for name in names:
                if design.find(name).is_input != is_input:
                    raise InputError(f"port {name!r} must be {kind} of {design.top!r}")
        for name in given:
            if given.count(name) > 1 or name in (clock, reset):
                raise InputError(f"input {name!r} must be driven once")
        for port in ports.values():
            if port.is_input and port.name not in (clock, reset, UPSET, *given):
                raise InputError(
                    f"input {port.name!r} of {design.top!r} must be driven or given in config"
                )

        def place(names: Sequence[str], offset: int = 0) -> tuple[dict[str, int], int]:
            offsets = {}
            for name in names:
                offsets[name] = offset
                offset += ports[name].width
            return offsets, offset

        below, reset_bit = place(drive[:reset_after])
        above, drive_width = place(drive[reset_after:], reset_bit + 1)
        drives = below | above
        fixes, fixed_width = place(fixed)
        samples, sample_width = place(sample)

        pins = []
        if clock:
            pins.append((clock, "clk"))
        if reset:
            pins.append((reset, f"{'' if _RESETS[reset] else '~'}drive_q[{reset_bit}]"))
        if UPSET in ports:
            pins.append((UPSET, f"drive[{reset_bit}] & ~drive_q[{reset_bit}]"))
        for vector, offsets in (("drive_q", drives), ("fixed", fixes), ("sample", samples)):
            for name, first in offsets.items():
                pins.append((name, f"{vector}[{first + ports[name].width - 1}:{first}]"))
        pins += [(p.name, "") for p in ports.values() if not p.is_input and p.name not in samples]
        text = _wrapper(design.top, pins, drive_width, fixed_width, sample_width)
        return cls(
            design.under(text, BENCH_TOP), drives, fixes, samples, drive_width, fixed_width,
            sample_width, reset_bit,
        )  # fmt: skip

    @property
    def settings(self) -> dict[str, int]:
        """What the bench needs to know, for `lutgen.sim.bench.clocked.Clocked`."""
        return {
            "drive": _chunks(self.drive_width),
            "fixed": _chunks(self.fixed_width),
            "sample": _chunks(self.sample_width),
            "chunk": CHUNK,
            "reset": self.reset,
            "period": PERIOD,
        }


def _chunks(width: int) -> int:
    return max(1, -(-width // CHUNK))


def _wrapper(top: str, pins, drive_width: int, fixed_width: int, sample_width: int) -> str:
    heads, body = ["input clk"], []
    for name, direction, width in (
        ("drive", "input", drive_width),
        ("fixed", "input", fixed_width),
        ("sample", "output", sample_width),
    ):
        count = _chunks(width)
        # At least 8 bits: cocotb treats single bits as another kind of object.
        sizes = [min(CHUNK, max(8, width - CHUNK * k)) for k in range(count)]
        total = sum(sizes)
        heads += [f"{direction} [{size - 1}:0] {name}{k}" for k, size in enumerate(sizes)]
        parts = ", ".join(f"{name}{k}" for k in reversed(range(count)))
        if name == "sample":
            body.append(f"wire [{max(width, 1) - 1}:0] sample;")
            body.append(f"assign {{{parts}}} = {_widened(total, width)};")
        else:
            body.append(f"wire [{total - 1}:0] {name} = {{{parts}}};")
            if name == "drive":
                body.append(f"reg [{total - 1}:0] drive_q = {total}'d0;")
                body.append("always @(posedge clk) drive_q <= drive;")
    connected = ",\n    ".join(f".\\{port} ({net})" for port, net in pins)
    ports = ",\n    ".join(heads)
    lines = "\n  ".join(body)
    return (
        f"module {BENCH_TOP}(\n    {ports}\n  );\n  {lines}\n"
        f"  {top} dut (\n    {connected}\n  );\nendmodule\n"
    )


def _widened(total: int, width: int) -> str:
    if width == 0:
        return f"{total}'d0"
    return "sample" if total == width else f"{{{total - width}'d0, sample}}"
