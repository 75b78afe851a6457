"""A prover: ABC, which comes inside Yosys' package.

It compares literals of a graph pair by pair.  What simulation tells apart needs no prover, and what
is the same literal is equal.  The verdict is read from the file that ABC writes it to.

The command is ``iprove``.  ``&cec -m`` looks at the first output alone where that is constant, and
calls the rest proven.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lutgen.files.whole import scratch_folder
from lutgen.sim.proof.aig import Aig
from lutgen.synth.yosys import ToolTimeout, run_script

__all__ = ["OPEN", "PROVEN", "WRONG", "Verdict", "prove_equal"]

PROVEN, WRONG, OPEN = "proven", "wrong", "open"
#: Random cases that are tried before the prover is asked.
_CASES = 1024
_SEED = 0
#: ABC stands inside a pass of Yosys that maps a design, so there must be one.
_DESIGN = "module some(input a, b, output y); assign y = a & b; endmodule\n"
_COMMANDS = "backup; &r miter.aig; &put; iprove; write_status status; restore\n"
_SCRIPT = "read_verilog some.v; proc; techmap; abc -script prove.abc"


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Members
    -------
    state : `PROVEN`, `WRONG`, or `OPEN` where the prover gives up
    inputs : of a wrong one, what all inputs are
    """

    state: str
    inputs: Mapping[str, int] | None = None


def prove_equal(aig: Aig, pairs: Sequence[tuple[int, int]], seconds: int) -> Verdict:
    """Whether literals are equal for all inputs.

    Parameters
    ----------
    aig :
        Their graph; its outputs are replaced.
    pairs :
        The literals.
    seconds :
        That the prover may take.
    """
    miters = {f"miter{k}": aig.xor(*pair) for k, pair in enumerate(pairs) if pair[0] != pair[1]}
    if not miters:
        return Verdict(PROVEN)
    aig.outputs = miters
    if (found := _simulated(aig)) is not None:
        return Verdict(WRONG, found)
    with scratch_folder("lutgen-prove-") as work:
        aig.write(work / "miter.aig", list(miters))
        (work / "some.v").write_text(_DESIGN)
        (work / "prove.abc").write_text(_COMMANDS)
        try:
            run_script(work, _SCRIPT, seconds)
        except ToolTimeout:
            return Verdict(OPEN)
        head, *rest = (work / "status").read_text().split("\n")
    if head.startswith("snl_UNSAT"):
        return Verdict(PROVEN)
    pattern = next((line for line in rest if set(line) <= {"0", "1"} and line), "")
    if head.startswith("snl_SAT") and len(pattern) == len(aig.inputs):
        found = dict(zip(aig.inputs, map(int, pattern), strict=True))
        if any(aig.evaluate(found, 1).values()):
            return Verdict(WRONG, found)
    return Verdict(OPEN)


def _simulated(aig: Aig) -> dict[str, int] | None:
    """Inputs for which an output is 1, if random ones tell."""
    rng = random.Random(_SEED)
    cases = {name: rng.getrandbits(_CASES) for name in aig.inputs}
    for value in aig.evaluate(cases, _CASES).values():
        if value:
            case = value.bit_length() - 1
            return {name: bits >> case & 1 for name, bits in cases.items()}
    return None
