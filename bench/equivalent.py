"""Whether a fault changes nothing: proven by Yosys for one module, register by register.

What no test can find is no fault: a bit of an unread wire, a condition both of whose arms are
equal, an expected byte that no state compares.  The module is taken apart at its registers and
submodules, whose inputs become outputs and whose outputs inputs; a solver then proves that with any
inputs all outputs are equal with the fault and without it (Papadakis and others, "Trivial compiler
equivalence", ICSE 2015, do the same by comparing optimised programs).  A fault that is not proven
equivalent may still be so, by what states can never be reached.
"""

import re

from bench.mutate import Fault, applied
from lutgen.build.verilog import primitives
from lutgen.synth.yosys import SynthError, run_yosys

__all__ = ["equivalent"]

_READMEM = re.compile(r"^  initial \$readmemh\(.*$", re.M)
_MEMORY = re.compile(r"^  reg \[\d+:0\] (?:\\\S+ |\w+) ?\[(\d+):0\];", re.M)
#: Rows of the largest memory that is made of registers here.
_ROWS = 256
#: Seconds that the solver may take, and Yosys in all: large modules take long to unfold.
_SECONDS, _IN_ALL = 30, 240
_SCRIPT = (
    "select gold gate; proc; memory_map; opt_clean; "
    # Registers keep their names, by which they are told as the same in both; all else has none.
    "select -set registers t:$*dff* %co1:+[Q] w:* %i; "
    "select -set others gold/w:* gate/w:* %u @registers %d x:* %d; rename -hide @others; "
    "select gold gate; expose -shared -evert-dff; expose -shared -evert; select -clear; "
    "miter -equiv -flatten gold gate miter; hierarchy -top miter; opt_clean; "
    f"sat -verify -timeout {_SECONDS} -prove trigger 0 miter; write_json done.json"
)


def equivalent(text: str, fault: Fault) -> bool:
    """Whether a module is proven to do the same with a fault.

    Parameters
    ----------
    text :
        All the Verilog of a core, in which `.mutate.find` found the fault.
    fault :
        In an assignment, condition or next value.  Of others nothing is proven here: those in
        tables and LUTs are found by reading them back.
    """
    lines = text.split("\n")
    at = fault.line - 1
    start = next(k for k in range(at, -1, -1) if lines[k].startswith("module "))
    end = next(k for k in range(at, len(lines)) if lines[k] == "endmodule")
    if "LUT" in fault.kind or fault.kind == "table bit":
        return False
    if any(int(rows) >= _ROWS for rows in _MEMORY.findall("\n".join(lines[start:end]))):
        return False
    both = []
    for name, source in (("gold", lines), ("gate", applied(text, fault).split("\n"))):
        body = source[start : end + 1]
        body[0] = re.sub(r"^module (\\\S+ |\w+)", f"module {name}", body[0])
        both.append("\n".join(body))
    verilog = _READMEM.sub("", "\n".join([text, primitives(), *both]))
    try:
        run_yosys(
            verilog, "miter", f"read_verilog design.v; {_SCRIPT}", ("done.json",), _IN_ALL
        )
    except SynthError:  # it refuses, or takes too long
        return False
    return True
