"""Faults in Verilog text as `lutgen build` writes it, all in one text and one at a time at work.

A fault is an expression with another one beside it: which holds is read from a file when the
simulation starts, so that one compilation serves for all (mutant schemata: Untch, Offutt, Harrold,
"Mutation analysis using mutant schemata", ISSTA 1993).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lutgen.errors import InputError

__all__ = ["KINDS", "Fault", "applied", "find", "mutated"]

_NAME = r"(?:\\\S+ |[A-Za-z_]\w*)"
_TERM = rf"(?:{_NAME} ?(?:\[\d+(?::\d+)?\])?|\d+'h[0-9a-f]+|\{{[^{{}}]*\}})"
_ASSIGN = re.compile(rf"^  assign ({_NAME} ?(?:\[\d+(?::\d+)?\])?) = (.*);$")
_BINARY = re.compile(rf"^({_TERM}) +(==|!=|<=|>=|<|>|\+|-|&|\||\^) +({_TERM})$")
_CHOICE = re.compile(rf"^({_TERM}) +\? +({_TERM}) +: +({_TERM})$")
_NOT = re.compile(rf"^[~!] +({_TERM})$")
_CONSTANT = re.compile(r"(\d+)'h([0-9a-f]+)")
_SLICE = re.compile(rf"({_NAME}) ?\[(\d+)(?::(\d+))?\]")
_WIDTH = re.compile(rf"^  (?:wire|reg|input|output)(?: \[(\d+):0\])? ({_NAME}) ?(?:=[^;]*)?;", re.M)
_IF = re.compile(r"^( +)if \((.*)\)(?: begin)?$")
_NEXT = re.compile(rf"^ +{_NAME} = (\d+'h[0-9a-f]+);$")
_READMEM = re.compile(rf'^  initial \$readmemh\("([^"]+)", ({_NAME})(.*)\);$')
_LUT = re.compile(
    r"  LUT6 #\(\n    \.INIT\(64'h([0-9a-f]{16})\)\n  \) (\\\S+ |\w+) \(\n"
    r"((?:    \.I\d\([^\n]*\),\n){6})    \.O\(([^\n]*)\)\n  \);\n"
)
#: Names but those of an instance's pins, which say nothing about a wire of the same name.
_ANY_NAME = re.compile(r"\\\S+ |(?<![\w.])[A-Za-z_][\w.]*")
_DECLARED = re.compile(r"^  (?:wire|reg)\b[^;]*;", re.M)
_MODULE = re.compile(r"^module (\\\S+|\w+)", re.M)
_OTHER = {
    "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-", "-": "+",
    "&": "|", "|": "&", "^": "|",
}  # fmt: skip
#: What can be wrong.
KINDS = (
    "operator", "swapped arms", "constant off by one", "stuck bit", "dropped term", "missing not",
    "wrong slice", "missing reset", "condition always", "condition never", "wrong next state",
    "table bit", "LUT bit", "LUT pins swapped",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One fault.

    Members
    -------
    kind : one of `KINDS`
    line : line of the Verilog, from 1
    module : its module
    old, new : what stands there and what then holds
    number : selects it, from 1
    """

    kind: str
    line: int
    module: str
    old: str
    new: str
    number: int = 0


def _one_more(match: re.Match) -> str:
    width, value = int(match[1]), int(match[2], 16)
    other = value + 1 if value + 1 < 1 << width else value - 1
    return f"{width}'h{other:x}"


def _of_expression(text: str, widths: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Kinds and texts of what a right-hand side can be instead."""
    if binary := _BINARY.match(text):
        left, operator, right = binary.groups()
        yield "operator", f"{left} {_OTHER[operator]} {right}"
        if operator in "&|":
            yield "dropped term", left
            yield "dropped term", right
    if choice := _CHOICE.match(text):
        yield "swapped arms", f"{choice[1]} ? {choice[3]} : {choice[2]}"
    if negated := _NOT.match(text):
        yield "missing not", negated[1] if text[0] == "~" else f"|({negated[1]})"
    if ">>" not in text:  # those of tables are of another kind
        for constant in _CONSTANT.finditer(text):
            if int(constant[1]) > 1:
                yield (
                    "constant off by one",
                    text[: constant.start()] + _one_more(constant) + text[constant.end() :],
                )
    for part in _SLICE.finditer(text):
        high, low = int(part[2]), int(part[3] or part[2])
        width = widths.get(part[1].strip(), 0)
        step = 1 if high + 1 < width else -1 if low else 0
        if step:
            span = f"{high + step}:{low + step}" if part[3] else f"{high + step}"
            yield "wrong slice", f"{text[: part.start()]}{part[1]}[{span}]{text[part.end() :]}"


def find(text: str, folder: Path) -> list[Fault]:
    """All faults that a Verilog text can have, with tables in a folder."""
    lines = text.split("\n")
    module, found, rng = "", [], np.random.default_rng(0)
    bodies = {m[1].lstrip("\\"): m.start() for m in _MODULE.finditer(text)}
    widths: dict[str, int] = {}
    read: Counter = Counter()

    def add(kind: str, number: int, old: str, new: str) -> None:
        if old != new:
            found.append(Fault(kind, number + 1, module, old, new))

    for number, line in enumerate(lines):
        if start := _MODULE.match(line):
            module = start[1].lstrip("\\")
            at = bodies[module]
            body = text[at : text.index("endmodule", at)]
            widths = {m[2].strip(): int(m[1] or 0) + 1 for m in _WIDTH.finditer(body)}
            read = Counter(name.strip() for name in _ANY_NAME.findall(_DECLARED.sub("", body)))
        elif assign := _ASSIGN.match(line):
            if read[assign[1].split(" [")[0].strip()] < 2:
                continue  # assigned and never read
            for kind, new in _of_expression(assign[2], widths):
                add(kind, number, assign[2], new)
            width = widths.get(assign[1].strip(), 0)
            if width and not assign[1].endswith("]"):
                bit = int(rng.integers(width))
                mask = f"{width}'h{1 << bit:x}"
                add("stuck bit", number, assign[2], f"({assign[2]}) | {mask}")
                add("stuck bit", number, assign[2], f"({assign[2]}) & ~{mask}")
        elif condition := _IF.match(line):
            if condition[2] == "rst":
                add("missing reset", number, "rst", "1'h0")
            elif "dump_module" not in line:
                add("condition always", number, condition[2], "1'h1")
                add("condition never", number, condition[2], "1'h0")
        elif (value := _NEXT.match(line)) and "  if (rst)" not in lines[number - 1]:
            new = _CONSTANT.sub(_one_more, value[1])
            if int(_CONSTANT.match(value[1])[1]) > 1:
                add("wrong next state", number, value[1], new)
        elif memory := _READMEM.match(line):
            words = (folder / memory[1]).read_text().split()
            for _ in range(40):
                row = int(rng.integers(len(words)))
                width = _memory_width(lines, number, memory[2])
                add("table bit", number, f"{memory[1]}, row {row}",
                    f"{memory[2]}[{row}] ^ {width}'h{1 << int(rng.integers(width)):x}")  # fmt: skip
    for lut in _LUT.finditer(text):
        number = text.count("\n", 0, lut.start())
        module = [name for name, at in bodies.items() if at < lut.start()][-1]
        bit = int(rng.integers(64))
        add("LUT bit", number, lut[1], f"{int(lut[1], 16) ^ 1 << bit:016x}")
        pins = re.findall(r"\(([^\n]*)\)", lut[3])
        if pins[0] != pins[1]:
            add("LUT pins swapped", number, "I0, I1", "I1, I0")
    return found


def applied(text: str, fault: Fault) -> str:
    """The text with a fault in an assignment, a condition or a next value.

    Raises
    ------
    InputError
        If the line is not the one that `find` has read.
    """
    lines = text.split("\n")
    before, old, after = lines[fault.line - 1].rpartition(fault.old)
    if not old:
        raise InputError(
            f"line {fault.line} must have {fault.old!r}, not {lines[fault.line - 1]!r}"
        )
    lines[fault.line - 1] = f"{before}{fault.new}{after}"
    return "\n".join(lines)


def _memory_width(lines: list[str], number: int, name: str) -> int:
    declared = re.compile(rf"^  reg \[(\d+):0\] {re.escape(name)} ?\[")
    return next(
        int(m[1]) + 1 for k in range(number, -1, -1) if (m := declared.match(lines[k]))
    )


def mutated(text: str, faults: list[Fault], top: str, selection: Path) -> str:
    """The text with all faults in it, of which the number in a file is at work; 0 for none.

    Parameters
    ----------
    text :
        What `find` has read, or the same with other names of memory files.
    faults :
        With their numbers.
    top :
        Name of the top module, through which all others see the number.
    selection :
        The file, one hexadecimal word.
    """
    lines = text.split("\n")
    of_line: dict[int, list[Fault]] = {}
    for fault in faults:
        of_line.setdefault(fault.line - 1, []).append(fault)

    def chosen(fault: Fault) -> str:
        return f"({top}.fault_number == 16'd{fault.number})"

    def select(old: str, some: list[Fault], render: Callable[[Fault], str] = lambda f: f.new):
        for fault in some:
            old = f"{chosen(fault)} ? ({render(fault)}) : ({old})"
        return old

    for number, some in of_line.items():
        line = lines[number]
        if assign := _ASSIGN.match(line):
            lines[number] = f"  assign {assign[1]} = {select(assign[2], some)};"
        elif condition := _IF.match(line):
            tail = " begin" if line.endswith("begin") else ""
            lines[number] = f"{condition[1]}if ({select(condition[2], some)}){tail}"
        elif value := _NEXT.match(line):
            lines[number] = line.replace(f"= {value[1]};", f"= {select(value[1], some)};")
        elif memory := _READMEM.match(line):
            changes = "".join(
                f"    if (fault_at{number}[0] == 16'd{f.number}) "
                f"{f.new.split(' ^ ')[0]} = {f.new};\n"
                for f in some
            )
            # Which of the initial blocks comes first is not said, so this one reads for itself.
            lines[number] = (
                f"  reg [15:0] fault_at{number} [0:0];\n"
                f'  initial begin\n    $readmemh("{selection}", fault_at{number});\n'
                f'    $readmemh("{memory[1]}", {memory[2]}{memory[3]});\n{changes}  end'
            )
        else:
            _mutate_lut(lines, number, some, select)
    text = "\n".join(lines)
    head = re.search(rf"^module {top}\b.*?;$", text, re.M | re.S)
    number = (
        "\n  reg [15:0] fault_numbers [0:0];\n"
        f'  initial $readmemh("{selection}", fault_numbers);\n'
        "  wire [15:0] fault_number = fault_numbers[0];\n"
    )
    return text[: head.end()] + number + text[head.end() :]


def _mutate_lut(lines: list[str], number: int, some: list[Fault], select) -> None:
    """A LUT as an expression, whose table and pins can change."""
    block = "\n".join(lines[number : number + 12]) + "\n"
    lut = _LUT.match(block)
    pins = re.findall(r"\(([^\n]*)\)", lut[3])
    table = select(f"64'h{lut[1]}", [f for f in some if f.kind == "LUT bit"],
                   lambda f: f"64'h{f.new}")  # fmt: skip
    inputs = "{" + ", ".join(reversed(pins)) + "}"
    swapped = "{" + ", ".join([*reversed(pins[2:]), pins[0], pins[1]]) + "}"
    address = select(inputs, [f for f in some if f.kind != "LUT bit"], lambda f: swapped)
    count = lut[0].count("\n")
    lines[number] = f"  assign {lut[4]} = ({table}) >> ({address});"
    lines[number + 1 : number + count] = [""] * (count - 1)


def numbered(faults: list[Fault]) -> list[Fault]:
    """The faults with numbers from 1."""
    return [replace(fault, number=k + 1) for k, fault in enumerate(faults)]
