"""Verilator's counters: what of a design they count, and what they say.

The Verilog of a build is written by a program, so both kinds of counters need a choice:

- *Arms* are the ways through conditions: of each ``if``, with the ``else`` that nobody wrote, of
  each ``case``, and of choices in expressions.  Amaranth writes a state machine once for each
  register that it sets, so an arm is told by the conditions around it and counts once in a module.
  What else Verilator calls a line is a block that each clock runs.
- *Toggles* are the two ways in which each bit of a register, or of a port of the top, can change.
  Wires follow registers and repeat one another under many names, and contents of memories are no
  registers: neither is counted.  A register belongs to a module, however often this is there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["Point", "counted", "read_counters"]

_OFF, _ON = "/*verilator coverage_off*/", "/*verilator coverage_on*/"
_MODULE = re.compile(r"module (\w+)")
#: What starts a block in SystemVerilog, see `lutgen.gateware.fabric.plain_names`: no condition.
_START = re.compile(r"^ *if \(start_\d+\) begin end$", re.M)
_DECLARED = re.compile(
    r"^  (wire|reg|input|output)(?: \[\d+:0\])? (\w+) ?(\[\d+:0\])?(?: ?= [^;]*)?;$", re.M
)  # fmt: skip
_ASSIGNED = re.compile(r"^ +(?:assign )?[\w\[\]:]+ <?= ")
_CLOCKED = re.compile(r"^ +(\w+) *(?:\[[^\]]*\] *)?<= ", re.M)
_POINT = re.compile(r"C '(.*)' (\d+)$")
#: Verilator writes two underscores in a row as ___05F.
_BIT = re.compile(r"(\w+)(?:\[(\d+)\])?:(\S+)")


@dataclass(frozen=True, order=True)
class Point:
    """What is counted.

    Members
    -------
    module : of the Verilog
    name : of the register or port; of an arm, the conditions that lead to it
    bit : of the register, -1 for an arm
    way : of a toggle, ``0->1`` or ``1->0``; of an arm, which one of the last condition it is
    """

    module: str
    name: str
    bit: int
    way: str


def counted(design: Design) -> Design:
    """The design in which Verilator counts arms, and toggles of registers and the top's ports."""
    return Design.of([_counted(text, design.top) for text in design.whole_texts()], design.top)


def _counted(text: str, top: str) -> str:
    parts = re.split(r"(?m)^(?=module )", text)
    for number, part in enumerate(parts):
        if not (name := _MODULE.match(part)):
            continue
        declared, wanted = _DECLARED.findall(part), set(_CLOCKED.findall(part))
        wanted -= {name for _, name, memory in declared if memory or name.startswith("start_")}
        if name[1] == top:
            wanted |= {name for kind, name, _ in declared if kind in ("input", "output")}

        def mark(match: re.Match, wanted=wanted) -> str:
            # A port and its register stand on two lines, of which none may be off.
            return match[0] if match[2] in wanted else f"  {_OFF} {match[0].strip()} {_ON}"

        part = _DECLARED.sub(mark, part)
        parts[number] = _START.sub(lambda match: f"{_OFF} {match[0]} {_ON}", part)
    return "".join(parts)


def read_counters(path: Path, design: Design) -> Counter[Point]:
    """Counts by points.

    Parameters
    ----------
    path :
        File that a program of `.native.build_native` has written.
    design :
        What the program is of, see `counted`.
    """
    found: Counter[Point] = Counter()
    arms = [list(_arms(text)) for text in design.whole_texts()]
    for line in path.read_text(errors="replace").splitlines():
        if not (match := _POINT.match(line)):
            continue
        fields = dict(part.split("\x02", 1) for part in match[1].split("\x01") if "\x02" in part)
        kind, _, module = fields["page"].partition("/")
        if kind == "v_toggle":
            toggled = fields["o"].replace("___05F", "__")
            if (part := _BIT.fullmatch(toggled)) is None:
                raise SimulationError(f"{path}: {toggled} must be a bit of a register")
            name, bit, way = part.groups()
            point = Point(module, name, int(bit or 0), way)
        elif fields["o"] == "block":
            continue
        else:
            if (source := re.search(r"source(\d+)\.v$", fields["f"])) is None:
                raise SimulationError(f"{path}: {fields['f']} must be one of the sources")
            lines = arms[int(source[1])]
            point = Point(module, lines[int(fields["l"]) - 1], -1, fields["o"])
        found[point] += int(match[2])
    return found


def _arms(text: str) -> Iterator[str]:
    """For each line the conditions that lead to it, and its own."""
    around: list[tuple[int, str]] = []
    for line in text.split("\n"):
        plain = _ASSIGNED.sub("", line).strip().removesuffix("begin").removeprefix("end else ")
        indent = len(line) - len(line.lstrip())
        while around and around[-1][0] >= indent:
            around.pop()
        yield " ".join([*(before for _, before in around if before), plain.strip()])
        if line.strip().endswith(("begin", ":")) or "casez (" in line:
            around.append((indent, "" if "always" in line else plain.strip()))
