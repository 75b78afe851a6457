"""A frame of shift registers around a design, so that pins do not decide what is routed.

Every input of the design comes from a register of one long shift register, every output goes into a
register, from which a second shift register takes it: four pins serve any number of ports, and no
path of the design begins or ends at the edge of the device.
"""

import re
from dataclasses import dataclass

from .yosys import SynthError

__all__ = ["HARNESS", "Port", "harness", "modules", "ports"]

#: Module name of the frame, instance name of the design inside it.
HARNESS, INSIDE = "lutgen_harness", "dut"

_MODULE = re.compile(r"^module (?:\\(\S+) |(\w+))", re.M)
_PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\\\S+ |\w+);$", re.M)


@dataclass(frozen=True)
class Port:
    """A port of a Verilog module; ``name`` as Verilog writes it."""

    name: str
    is_input: bool
    width: int


def modules(verilog: str) -> list[str]:
    """Names of the modules of a text that Amaranth wrote."""
    return [escaped or plain for escaped, plain in _MODULE.findall(verilog)]


def ports(verilog: str, module: str) -> list[Port]:
    """Ports of a module.

    Raises
    ------
    SynthError
        If the text has no such module.
    """
    for match in _MODULE.finditer(verilog):
        if module in match.groups():
            body = verilog[match.end() : verilog.index("\nendmodule", match.end())]
            return [
                Port(name.strip(), kind == "input", int(high or 0) + 1)
                for kind, high, name in _PORT.findall(body)
            ]
    raise SynthError(f"design must have the module {module!r}, which it does not")


def harness(verilog: str, module: str) -> str:
    """Verilog of the frame around ``module``, whose clock and reset are called clk and rst."""
    found = ports(verilog, module)
    inputs = [port for port in found if port.is_input and port.name not in ("clk", "rst")]
    outputs = [port for port in found if not port.is_input]
    if not any(port.name == "clk" for port in found) or not outputs:
        raise SynthError(f"block must have a clock and an output to be routed, not {module!r}")
    drive, seen = (max(1, sum(port.width for port in side)) for side in (inputs, outputs))
    pins = [f".{port.name} (clk)" for port in found if port.name == "clk"]
    # The reset comes from a register as in a system, where a synchroniser drives it.
    pins += [f".{port.name} (reset)" for port in found if port.name == "rst"]
    for side, register in ((inputs, "drive"), (outputs, "result")):
        at = 0
        for port in side:
            pins.append(f".{port.name} ({register}[{at + port.width - 1}:{at}])")
            at += port.width
    return f"""
module {HARNESS} (input wire clk, input wire rst, input wire load, input wire i, output wire o);
  reg [{drive}:0] drive;
  reg [{seen}:0] chain;
  reg [{seen - 1}:0] held;
  wire [{seen - 1}:0] result;
  reg reset;
  always @(posedge clk) begin
    reset <= rst;
    drive <= {{drive[{drive - 1}:0], i}};
    held <= result;
    chain <= load ? {{held, i}} : {{chain[{seen - 1}:0], i}};
  end
  assign o = chain[{seen}];
  \\{module} {INSIDE} (
    {", ".join(pins)}
  );
endmodule
"""
