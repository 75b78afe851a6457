"""LUTs of networks in a build's Verilog, compared with those of the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.sim.check.build_tables import CompareLuts, longest_end
from lutgen.sim.check.expected_tables import netlists, popcount_luts, threshold_lut

__all__ = ["network_luts"]

_LUT = re.compile(r"LUT6 #\(\s*\.INIT\(64'h([0-9a-fA-F]+)\)\s*\) (\\\S+ |\w+) *\((.*?)\);", re.S)
_PIN = re.compile(r"\.(I\d|O)\(([^()]*)\)")
_LOW = re.compile(r"^\s*assign (\w+) = features\[(\d+):(\d+)\] > \d+'h([0-9a-f]+);", re.M)
_BIT = re.compile(r"^\s*n\d+\[(\d+)\] = (\w+);", re.M)
_PARTS = re.compile(r"^\s*assign features = \{ ([\w, ]+) \};", re.M)
_INPUT = re.compile(r"^\s*input \[(\d+):0\] (\w+);", re.M)
_INLINE = re.compile(r"^\s*assign n(\d+) = \d+'h([0-9a-f]+) >> ", re.M)


def network_luts(model: Model) -> CompareLuts:
    """Compares LUTs of a model's networks, for `.build_tables.compare_tables`."""
    return partial(_compare_luts, netlists(model))


def _compare_luts(
    nets: Mapping[str, Netlist], file: str, path: str, body: str
) -> tuple[int, list[str]]:
    """Compare LUTs of a module, their tables and pins.

    Pins of a counter of ones may be in any order.
    """
    place, _, block = path.rpartition(".")
    at = longest_end(place, nets)
    if at is None:
        return 0, []
    net, problems, count = nets[at], [], 0
    if block == "thermometer":
        body = _with_features(body)
    luts = {
        m[2].strip().lstrip("\\"): (int(m[1], 16), dict(_PIN.findall(m[3])))
        for m in _LUT.finditer(body)
    }

    def expect(name: str, wanted: int) -> None:
        if name not in luts:
            problems.append(f"{file}: {path} has no LUT {name}")
        elif luts[name][0] != wanted:
            problems.append(
                f"{file}: INIT of {name} in {path} must be {wanted:016x}, not {luts[name][0]:016x}"
            )

    if block == "layers" and luts:
        for node, table in enumerate(net.tables.tolist()):
            expect(f"lut{node}", table)
        problems += _wrong_pins(file, path, net, luts)
        count = len(net.tables)
    elif block == "layers":
        first = 2 + len(net.inputs)
        found = {int(m[1]) - first: int(m[2], 16) for m in _INLINE.finditer(body)}
        for node, table in found.items():
            used = max([k for k, pin in enumerate(net.fanin[node].tolist()) if pin] or [0]) + 1
            wanted = int(net.tables[node]) & (1 << (1 << used)) - 1
            if table != wanted:
                problems.append(
                    f"{file}: table of n{node + first} in {path} must be {wanted:x}, not {table:x}"
                )
        count = len(found)
    elif block == "thermometer" and luts:
        for number, (_, threshold) in enumerate(net.inputs.tolist()):
            expect(f"lut{number}", threshold_lut(threshold))
        problems += _wrong_comparisons(file, path, body, net, luts)
        count = len(net.inputs)
    elif block.startswith("popcount_"):
        allowed = popcount_luts()
        problems += [
            f"{file}: INIT of {name} in {path} must be that of a counter, not {table:016x}"
            for name, (table, _) in luts.items() if table not in allowed
        ]  # fmt: skip
        count = len(luts)
    return count, problems


def _with_features(body: str) -> str:
    """A thermometer's text in which parts of its features have the features' name.

    In a core with the pooling constraint the features are put together from two ports, and Yosys
    reads the ports.
    """
    parts = _PARTS.search(body)
    if parts is None:
        return body
    width = {m[2]: int(m[1]) + 1 for m in _INPUT.finditer(body)}
    first: dict[str, int] = {}
    for name in reversed(parts[1].replace(" ", "").split(",")):
        first[name] = sum(width[known] for known in first)

    def of_features(match: re.Match) -> str:
        bits = [str(int(bit) + first[match[1]]) for bit in match[2].split(":")]
        return f"features[{':'.join(bits)}]"

    names = "|".join(map(re.escape, first))
    return re.sub(rf"\b({names})\[(\d+(?::\d+)?)\]", of_features, body)


def _wrong_pins(file: str, path: str, net: Netlist, luts: Mapping) -> Iterator[str]:
    """Pins of a network's LUTs that are at another signal than the model says."""
    first = 2 + len(net.inputs)
    for node, pins in enumerate(net.fanin.tolist()):
        wanted = {**{f"I{k}": pin for k, pin in enumerate(pins)}, "O": first + node}
        yield from _pins_not_at(
            file, path, f"lut{node}", luts, wanted, lambda text: _signal(text, first)
        )


def _wrong_comparisons(file: str, path: str, body: str, net: Netlist, luts: Mapping) -> list[str]:
    """Pins of a thermometer's LUTs that are not at their feature, its low bits or their output."""
    lows = {m[1]: (int(m[3]), int(m[2]), int(m[4], 16)) for m in _LOW.finditer(body)}
    bits = {m[2]: int(m[1]) for m in _BIT.finditer(body)}
    problems: list[str] = []

    def signal(text: str):
        if match := re.fullmatch(r"features\[(\d+)\]", text):
            return int(match[1])
        return lows.get(text, bits.get(text, text))

    for number, (feature, threshold) in enumerate(net.inputs.tolist()):
        first = 8 * feature
        wanted: dict[str, object] = {"I0": (first, first + 2, threshold & 7)}
        wanted |= {f"I{k + 1}": first + 3 + k for k in range(5)}
        if len(net.inputs) > 1:  # a single output has no number
            wanted["O"] = number
        problems += _pins_not_at(file, path, f"lut{number}", luts, wanted, signal)
    return problems


def _pins_not_at(
    file: str, path: str, name: str, luts: Mapping, wanted: Mapping, signal: Callable
) -> Iterator[str]:
    """Pins of a LUT at another signal; those whose text does not tell are left out."""
    for pin, right in wanted.items():
        text = luts.get(name, (0, {}))[1].get(pin)
        found = None if text is None else signal(text.strip())
        if found is not None and found != right:
            what = f"input {pin[1:]}" if pin != "O" else "output"
            yield f"{file}: {what} of {name} in {path} is at {text}"


def _signal(text: str, first: int) -> int | None:
    """Number of the signal that an expression is, None if its name does not tell.

    Nodes are numbered from ``first`` on; below it are names that the writer of the text made up.
    """
    if match := re.fullmatch(r"1'h([01])", text):
        return int(match[1])
    if match := re.fullmatch(r"i\[(\d+)\]", text):
        return 2 + int(match[1])
    match = re.fullmatch(r"[ns](\d+)(?:_\d+)?", text)
    return int(match[1]) if match and int(match[1]) >= first else None
