"""Whether a fault in a trained network shows in its proof, as `lutgen prove` makes it.

A proof is of all inputs: a fault that it does not find changes nothing that the network computes.
Networks are pipelines, in which any clock is as any other, so nothing else can be wrong with them
but what a reset does, of which a proof says nothing.
"""

from pathlib import Path

from bench.mutate import Fault, applied
from lutgen.sim.check.checked import CheckedBuild
from lutgen.sim.proof.golds import networks_of
from lutgen.sim.proof.logic import module_text
from lutgen.sim.proof.pipeline import NoPipelineError
from lutgen.sim.proof.prove import prove_network, sentence
from lutgen.sim.proof.prover import PROVEN, WRONG
from lutgen.synth.yosys import SynthError

__all__ = ["proof_of"]

#: Seconds that the prover may take for a part of a network.
_SECONDS = 300


def proof_of(
    checked: CheckedBuild, folder: Path, text: str, fault: Fault
) -> tuple[bool, str] | None:
    """Prove a network with a fault.

    Parameters
    ----------
    checked :
        The build.
    folder :
        Where the files of its memories are.
    text :
        All the Verilog of the core, in which `.mutate.find` found the fault.
    fault :
        In an assignment, a condition or a next value.

    Returns
    -------
    tuple
        Whether the network still equals the model's tables, and what was proven or is wrong; None
        if the fault is in no network, is one of a reset, or if the prover gives up.
    """
    modules = [line.split("(")[0].split()[1] for line in text.split("\n")
               if line.startswith("module ")]  # fmt: skip
    network = next(
        (one for one in networks_of(
            checked.model, modules, depth=checked.depth, near=checked.near
         ) if f"{fault.module}__".startswith(f"{one.module}__")), None,
    )  # fmt: skip
    if network is None or fault.kind == "missing reset":
        return None
    try:
        module = module_text(applied(text, fault), network.module)
        parts, _ = prove_network(network, module, folder, _SECONDS)
    except NoPipelineError as error:
        return False, f"{network.name}: {error}"
    except SynthError:
        return None
    for part in parts:
        if part.state == WRONG and part.counterexample:
            return False, f"{network.name}, {part.name}: {sentence(part.counterexample)}"
    if any(part.state != PROVEN for part in parts):
        return None
    return True, f"proven by `lutgen prove`: {network.name} still equals the model's tables"
