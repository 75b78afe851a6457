"""Contracts bound to a module of Verilog: instances that stand in it and see all its names.

Yosys reads no ``bind`` of SystemVerilog, so the instances are put into the text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lutgen.errors import InputError

__all__ = ["Bound", "bound", "files_of"]

#: That of the first clock's reset is bound to all.
_START = "begins_with_reset"


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
        What its ports see, as Verilog; ``clk`` and ``rst`` see those of the same name.
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

    Raises
    ------
    InputError
        If there is no such module.
    """
    start = re.search(rf"^module {re.escape(module)}\b", verilog, re.M)
    if start is None:
        raise InputError(f"module must be in the Verilog, not {module!r}")
    end = verilog.index("endmodule", start.start())
    text = "".join(b.text() for b in (Bound(_START, "start", {}), *contracts))
    return f"{verilog[:end]}{text}{verilog[end:]}"


def files_of(contracts: Iterable[Bound]) -> list[str]:
    """Names of the files that they need."""
    return list(dict.fromkeys([_START, *(b.contract for b in contracts)]))
