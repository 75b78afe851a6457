"""Contracts bound to a module of Verilog: instances that stand in it and see all its names.

Yosys reads no ``bind`` of SystemVerilog, so the instances are put into the text.  It reads no names
with a dot either: what they see of a part leaves it through a port that is put there, too.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lutgen.errors import InputError

__all__ = ["Bound", "bound", "files_of"]

#: That of the first clock's reset is bound to all.
_START = "begins_with_reset"
#: A signal of a part; not a pin, which a space or a bracket is before.
_INSIDE = re.compile(r"\b([A-Za-z_]\w*)\.([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Bound:
    """An instance of a contract.

    Parameters
    ----------
    contract :
        Its module, and its file without suffix.
    name :
        Of the instance, and so of its properties: ``name.property``.
    ports :
        What its ports see, as Verilog; ``clk`` and ``rst`` see those of the same name.  Signals of
        the module's parts are there as ``part.signal``.
    parameters :
        Its parameters.
    declares :
        Verilog that stands before it.
    """

    contract: str
    name: str
    ports: Mapping[str, str]
    parameters: Mapping[str, int] = field(default_factory=dict)
    declares: str = ""

    def text(self) -> str:
        values = ", ".join(f".{name}({value})" for name, value in self.parameters.items())
        ports = {"clk": "clk", "rst": "rst", **self.ports}
        pins = ", ".join(f".{name}({value})" for name, value in ports.items())
        parameters = f" #({values})" if values else ""
        return f"{self.declares}  {self.contract}{parameters} {self.name} ({pins});\n"


def bound(verilog: str, module: str, contracts: Iterable[Bound]) -> str:
    """The text with contracts in a module, and with a first clock of reset.

    A name that is none of the module's is an error when it is read.

    Raises
    ------
    InputError
        If there is no such module, or no such part or signal of it.
    """
    text = "".join(b.text() for b in (Bound(_START, "start", {}), *contracts))
    for part, signal in dict.fromkeys(_INSIDE.findall(text)):
        verilog = _shown(verilog, module, part, signal)
    start, end = _module(verilog, module)
    text = _INSIDE.sub(r"\1__\2", text)
    return f"`default_nettype none\n{verilog[:end]}{text}{verilog[end:]}"


def _module(verilog: str, module: str) -> tuple[int, int]:
    """Where a module begins and where its ``endmodule`` stands."""
    start = re.search(rf"^module {re.escape(module)}\b", verilog, re.M)
    if start is None:
        raise InputError(f"module must be in the Verilog, not {module!r}")
    return start.start(), verilog.index("endmodule", start.start())


def _shown(verilog: str, module: str, part: str, signal: str) -> str:
    """The text with a signal of a module's part, as ``part__signal`` of the module."""
    start, end = _module(verilog, module)
    here = re.compile(rf"^  (\w+) {part} \(\n", re.M).search(verilog, start, end)
    if here is None:
        raise InputError(f"module {module} must have a part {part!r}")
    pin = f"    .{part}__{signal}({part}__{signal}),\n"
    verilog = verilog[: here.end()] + pin + verilog[here.end() :]
    inner, inner_end = _module(verilog, here[1])
    declared = re.compile(rf"^ *(?:reg|wire) (\[\d+:0\] )?{signal}\b", re.M)
    found = declared.search(verilog, inner, inner_end)
    if found is None:
        raise InputError(f"module {here[1]} must have a signal {signal!r}")
    width = found[1] or ""
    port = f"  output {width}{part}__{signal};\n  assign {part}__{signal} = {signal};\n"
    # From the last place to the first one, so that none moves.
    changes = {
        verilog.index("(", inner) + 1: f"{part}__{signal}, ",
        verilog.index(";", inner) + 1: f"\n{port}",
        _module(verilog, module)[1]: f"  wire {width}{part}__{signal};\n",
    }
    for place, text in sorted(changes.items(), reverse=True):
        verilog = verilog[:place] + text + verilog[place:]
    return verilog


def files_of(contracts: Iterable[Bound]) -> list[str]:
    """Names of the files that they need."""
    return list(dict.fromkeys([_START, *(b.contract for b in contracts)]))
