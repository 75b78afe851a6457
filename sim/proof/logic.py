"""Logic of a module of a build's Verilog, with its flip-flops as wires: a graph made by Yosys.

Memories that nothing writes are logic of the contents that their files have.  Named registers may
be *cut*: whoever reads one reads an input ``NAME_cut``, and it is an output itself.  Truth tables,
which are primitives or shifted constants in the text, never become gates of Yosys', which would
take most of the time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from lutgen.errors import InputError
from lutgen.files.whole import scratch_folder
from lutgen.sim.proof.aig import Aig
from lutgen.sim.proof.gold import CUT
from lutgen.synth.yosys import run_script

__all__ = ["Logic", "module_text", "read_logic", "readmem_files"]

_MODULE = re.compile(r"^module (\w+).*?^endmodule", re.M | re.S)
_READMEM = re.compile(r'\$readmemh\("([^"]+)"')

#: Flip-flops are wires whose reset never comes.
_WIRES = r"""
module \$dff (CLK, D, Q);
  parameter CLK_POLARITY = 1; parameter WIDTH = 1;
  input CLK; input [WIDTH-1:0] D; output [WIDTH-1:0] Q;
  assign Q = D;
endmodule
module \$sdff (CLK, SRST, D, Q);
  parameter CLK_POLARITY = 1; parameter SRST_POLARITY = 1; parameter SRST_VALUE = 0;
  parameter WIDTH = 1;
  input CLK, SRST; input [WIDTH-1:0] D; output [WIDTH-1:0] Q;
  assign Q = D;
endmodule
"""
#: A bit of a constant is a truth table.
_TABLES = r"""
module \$shr (A, B, Y);
  parameter A_SIGNED = 0; parameter B_SIGNED = 0;
  parameter A_WIDTH = 1; parameter B_WIDTH = 1; parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A; input [B_WIDTH-1:0] B; output [Y_WIDTH-1:0] Y;
  parameter _TECHMAP_CONSTMSK_A_ = 0; parameter _TECHMAP_CONSTVAL_A_ = 0;
  wire _TECHMAP_FAIL_ = Y_WIDTH > 1 || B_WIDTH > 6 || !(&_TECHMAP_CONSTMSK_A_);
  wire [5:0] pins = B;
  TABLE #(.INIT(_TECHMAP_CONSTVAL_A_)) made (
    .O(Y), .I0(pins[0]), .I1(pins[1]), .I2(pins[2]), .I3(pins[3]), .I4(pins[4]), .I5(pins[5])
  );
endmodule
"""
_TABLE_CELLS = ("LUT6", "TABLE")
_CELLS = "".join(
    f"module {name} #(parameter [63:0] INIT = 0) (output O, input I0, I1, I2, I3, I4, I5);\n"
    "endmodule\n" for name in _TABLE_CELLS
)  # fmt: skip
#: Products are rows that are added up, sums carries that ripple: a prover finds what is equal much
#: sooner where two graphs add alike.
_SUMS = r"""
module \$lcu (P, G, CI, CO);
  parameter WIDTH = 1;
  input [WIDTH-1:0] P, G; input CI; output [WIDTH-1:0] CO;
  wire [WIDTH:0] carry = {G | P & carry[WIDTH-1:0], CI};
  assign CO = carry[WIDTH:1];
endmodule
module \$mul (A, B, Y);
  parameter A_SIGNED = 0; parameter B_SIGNED = 0;
  parameter A_WIDTH = 1; parameter B_WIDTH = 1; parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A; input [B_WIDTH-1:0] B; output [Y_WIDTH-1:0] Y;
  wire [Y_WIDTH+A_WIDTH-1:0] wide = {{Y_WIDTH{A_SIGNED && A[A_WIDTH-1]}}, A};
  wire [Y_WIDTH*(B_WIDTH+1)-1:0] total;
  assign total[Y_WIDTH-1:0] = 0;
  genvar k;
  generate for (k = 0; k < B_WIDTH; k = k + 1) begin : row
    wire [Y_WIDTH-1:0] one = {Y_WIDTH{B[k]}} & (wide[Y_WIDTH-1:0] << k);
    if (B_SIGNED && k == B_WIDTH - 1)
      assign total[Y_WIDTH*(k+1) +: Y_WIDTH] = total[Y_WIDTH*k +: Y_WIDTH] - one;
    else
      assign total[Y_WIDTH*(k+1) +: Y_WIDTH] = total[Y_WIDTH*k +: Y_WIDTH] + one;
  end endgenerate
  assign Y = total[Y_WIDTH*B_WIDTH +: Y_WIDTH];
endmodule
"""
_FILES = {"wires.v": _WIRES, "tables.v": _TABLES, "cells.v": _CELLS, "sums.v": _SUMS}
#: Registers go before anything is optimised: to Yosys a multiplexer before one is a reset of it.
_READ = (
    "read_verilog logic.v; read_verilog -lib cells.v; hierarchy -top {top}; proc -norom -noopt; "
    "flatten -noscopeinfo; setattr -unset init w:*; opt_clean; wreduce t:$shr; "
    "techmap -map tables.v; opt_clean; "
    "write_json design.json"
)
_GATES = (
    "read_json gates.json; techmap -map wires.v; "
    "memory -nomap -nordff; opt -fast; memory_map; opt -fast; techmap -map sums.v; techmap; "
    "opt -fast; aigmap; opt_clean; write_aiger -symbols gates.aig"
)


@dataclass(frozen=True)
class Logic:
    """A module.

    Members
    -------
    aig : its gates
    design : the flat module with its registers, as Yosys has it in json
    """

    aig: Aig
    design: Mapping


def module_text(verilog: str, module: str) -> str:
    """Text of a module and of those in it."""
    return "\n".join(
        match[0] for match in _MODULE.finditer(verilog)
        if match[1] == module or match[1].startswith(module + "__")
    )  # fmt: skip


def readmem_files(text: str) -> set[str]:
    """Files of memories that a text names."""
    return set(_READMEM.findall(text))


def read_logic(text: str, folder: Path, module: str, cuts) -> Logic:
    """The logic of a module.

    Parameters
    ----------
    text :
        Its Verilog, see `module_text`.
    folder :
        Where the files of its memories are.
    module :
        Its name.
    cuts :
        Gives the registers to cut, from the design.

    Raises
    ------
    SynthError
        If Yosys refuses it.
    """
    with scratch_folder("lutgen-prove-") as work:
        (work / "logic.v").write_text(text)
        for name, content in _FILES.items():
            (work / name).write_text(content)
        for name in readmem_files(text):
            (work / name).write_bytes((folder / name).read_bytes())
        run_script(work, _READ.format(top=module))
        design = json.loads((work / "design.json").read_text())["modules"][module]
        gates, tables = _opened(design, cuts(design))
        (work / "gates.json").write_text(json.dumps({"modules": {module: gates}}))
        run_script(work, _GATES)
        aig = Aig.read(work / "gates.aig")
    return Logic(_with_tables(aig, tables), design)


def _opened(design: Mapping, cuts: Iterable[str]) -> tuple[dict, dict[str, int]]:
    """The module with signals cut, and truth tables taken out; their contents by name."""
    fresh = count(1 + max(
        bit for net in design["netnames"].values() for bit in net["bits"] if isinstance(bit, int)
    ))  # fmt: skip
    ports: dict[str, dict] = {}
    nets: dict[str, dict] = {}
    instead: dict[int, int] = {}

    def port(name: str, direction: str, bits: list) -> None:
        ports[name] = {"direction": direction, "bits": bits}
        nets[name] = {"hide_name": 0, "bits": bits, "attributes": {}}

    for name in cuts:
        if name not in design["netnames"]:
            continue
        bits = design["netnames"][name]["bits"]
        port(name, "output", bits)
        read = [next(fresh) for _ in bits]
        port(name + CUT, "input", read)
        instead |= dict(zip(bits, read, strict=True))
    for name, given in design["ports"].items():
        if name not in ports:
            bits = given["bits"]
            if given["direction"] == "output":
                bits = [instead.get(bit, bit) for bit in bits]
            port(name, given["direction"], bits)
    cells: dict[str, dict] = {}
    tables: dict[str, int] = {}
    for name, cell in design["cells"].items():
        pins = {
            pin: bits if cell["port_directions"][pin] == "output"
            else [instead.get(bit, bit) for bit in bits]
            for pin, bits in cell["connections"].items()
        }  # fmt: skip
        if cell["type"] in _TABLE_CELLS:
            label = f"table${len(tables)}"
            tables[label] = int(cell["parameters"]["INIT"], 2)
            for pin, bits in pins.items():
                port(f"{label}.{pin}", "input" if pin == "O" else "output", bits)
        else:
            cells[name] = {**cell, "connections": pins}
    return {
        "attributes": design["attributes"], "ports": ports, "cells": cells, "netnames": nets,
        "memories": design.get("memories", {}),
    }, tables  # fmt: skip


def _with_tables(aig: Aig, tables: Mapping[str, int]) -> Aig:
    """The graph in which outputs of truth tables are no inputs, but gates."""
    made = Aig()
    at = {0: 0}
    reads: dict[int, list[int]] = {}
    rows: dict[int, int] = {}
    for name, literal in aig.inputs.items():
        cell = name.removesuffix(".O")
        if name.endswith(".O") and cell in tables:
            rows[literal >> 1] = tables[cell]
            reads[literal >> 1] = [aig.outputs[f"{cell}.I{k}"] for k in range(6)]
        else:
            at[literal >> 1] = made.input(name)

    def value(literal: int) -> int:
        return at[literal >> 1] ^ literal & 1

    def make(goal: int) -> None:
        stack = [goal]
        while stack:
            node = stack[-1]
            if node in at:
                stack.pop()
                continue
            pins = reads.get(node) or aig.gate(node)
            if pins is None:
                raise InputError(f"node {node} must be a gate or a table")
            left = [pin >> 1 for pin in pins if pin >> 1 not in at]
            if left:
                stack += left
                continue
            literals = list(map(value, pins))
            at[node] = made.table(rows[node], literals) if node in rows else made.land(*literals)
            stack.pop()

    for name, literal in aig.outputs.items():
        if name.rpartition(".")[0] not in tables:
            make(literal >> 1)
            made.outputs[name] = value(literal)
    return made
