"""Faults of many kinds in the Verilog and the tables of a build: how many does `lutgen sim` find?

    python -m bench.mutants --count 60

A small build of a model is made.  Of each kind of `bench.mutate.KINDS` as many faults
are drawn for the encoder as for the decoder, and each goes alone through the phases of `lutgen sim
--build` (`lutgen.sim.check.judge_core`), whose first stages are left out: hashes would find any
change. Faults in tables and LUTs are also put into the files, to see whether they are read back.

What changes nothing is no fault. `bench.equivalent` proves that for some of those that are left;
of others ``bench/equivalent.json`` says why nobody can see them. Both are counted apart.
"""

import dataclasses
import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from bench.equivalent import equivalent
from bench.mutate import KINDS, Fault, find, mutated, numbered
from lutgen.build.codec import build, load_build
from lutgen.build.options import BuildOptions, PredictiveOptions
from lutgen.errors import InputError
from lutgen.model.shipped import shipped
from lutgen.sim.check.build_tables import compare_tables
from lutgen.sim.check.check import checked_build
from lutgen.sim.check.checked import CheckedBuild
from lutgen.sim.tool.design import Design

#: Builds by model.
BUILDS = {
    "digits": BuildOptions(tile=(16, 8), max_width=300, max_height=300),
    "photo": PredictiveOptions(max_width=48, max_height=42),
}
#: Faults of these are in what is read back.
READ_BACK = ("table bit", "LUT bit", "LUT pins swapped")
#: Faults that nobody can see, each with an argument.
ARGUED = Path(__file__).with_name("equivalent.json")


def draw(faults: list[Fault], count: int, rng: np.random.Generator) -> list[Fault]:
    """As many of each kind as of any other, on different lines."""
    drawn: list[Fault] = []
    lines = set()
    pools = {kind: [f for f in faults if f.kind == kind] for kind in KINDS}
    for pool in pools.values():
        rng.shuffle(pool)
    while len(drawn) < count and any(pools.values()):
        for kind in KINDS:
            while pools[kind] and len(drawn) < count:
                fault = pools[kind].pop()
                if fault.line not in lines:
                    lines.add(fault.line)
                    drawn.append(fault)
                    break
    return numbered(drawn)


def read_back(checked: CheckedBuild, core: str, fault: Fault) -> bool:
    """Whether the comparison of tables and LUTs finds a fault in the files."""
    record = checked.record
    folder = Path(record["folder"])
    module = record["cores"][core]["module"]
    with tempfile.TemporaryDirectory() as copy:
        for path in folder.glob(f"{module}*"):
            shutil.copy(path, copy)
        if fault.kind == "table bit":
            name, row = fault.old.split(", row ")
            words = Path(copy, name).read_text().split()
            flip = int(fault.new.rsplit("'h", 1)[1], 16)
            words[int(row)] = f"{int(words[int(row)], 16) ^ flip:x}"
            Path(copy, name).write_text("\n".join(words))
        else:
            path = Path(copy, f"{module}.v")
            lines = path.read_text().split("\n")
            at = fault.line - 1
            if fault.kind == "LUT bit":
                lines[at + 1] = lines[at + 1].replace(fault.old, fault.new)
            else:
                first, second = lines[at + 3], lines[at + 4]
                lines[at + 3] = second.replace(".I1(", ".I0(")
                lines[at + 4] = first.replace(".I0(", ".I1(")
            path.write_text("\n".join(lines))
        changed = record | {"folder": copy}
        _, problems = compare_tables(changed, core, checked.tables(core), checked.luts)
    return bool(problems)


def why_equivalent(text: str, core: str, fault: Fault) -> str | None:
    """What shows that a fault changes nothing; None if that is not known."""
    if equivalent(text, fault):
        return "proven by Yosys, see bench/equivalent.py"
    place = f"_{core}__"
    for known in json.loads(ARGUED.read_text()):
        if known["core"] == core and fault.module.endswith(place + known["module"]) and (
            (known["kind"], known["register"]) == (fault.kind, register(text, fault))
        ):  # fmt: skip
            return known["why"]
    return None


def register(text: str, fault: Fault) -> str:
    """The register that takes what a fault changes, or the changed signal if none does."""
    lines = text.split("\n")
    # Below the condition of a reset stands the value that it gives.
    line = lines[fault.line - (fault.kind != "missing reset")]
    signal = re.match(r" +(?:assign )?(\\\S+ |\w+)", line)
    start = max(k for k in range(fault.line) if lines[k].startswith("module "))
    body = "\n".join(lines[start : lines.index("endmodule", start)])
    found = re.search(rf"^ +(\\\S+ |\w+) ?<= {re.escape(signal[1])};$", body, re.M)
    return (found or signal)[1].strip()


def study(
    folder: Path, core: str, count: int, seed: int, tell, before: list[dict] | None = None
) -> list[dict]:
    """Judge faults of a core one after the other; of those ``before``, only the survivors."""
    record = load_build(folder)
    checked = checked_build(record)
    module = record["cores"][core]["module"]
    path = folder / f"{module}.v"
    faults = find(path.read_text(), folder)
    tell(f"{core}: {len(faults)} faults to draw from")
    faults = draw(faults, count, np.random.default_rng(seed))
    pictures = checked.pictures(0)
    selection = folder / f"fault-{core}.txt"
    text = mutated(Design.of(path, module).texts[0], faults, module, selection)
    design = Design.of(text, module)
    results = []
    known = {f["number"]: f for f in before or () if f["file"] == path.name}
    for number in range(count + 1):
        if known.get(number, {}).get("killed"):
            if (known[number]["line"], known[number]["new"]) != (
                faults[number - 1].line, faults[number - 1].new
            ):  # fmt: skip
                raise InputError(f"fault {number} of {path.name} must be as before: start anew")
            results.append(known[number])
            continue
        selection.write_text(f"{number:x}\n")
        judge = checked.judge(core, pictures.again(), share=0.3, seed=0, design=design)
        began = time.perf_counter()
        runs, problems = judge.judge(lambda name: None)
        seconds = round(time.perf_counter() - began, 1)
        if number == 0:
            if problems:
                raise RuntimeError(f"{core} without a fault must pass, but: {problems[0]}")
            tell(f"{core} without a fault passes in {seconds} s")
            continue
        fault = faults[number - 1]
        found = {
            "file": path.name, **dataclasses.asdict(fault), "killed": bool(problems),
            "by": problems[0] if problems else None,
            "runs": sum("skipped" not in run for run in runs), "seconds": seconds,
        }  # fmt: skip
        if fault.kind in READ_BACK:
            found["read_back"] = read_back(checked, core, fault)
        if not problems and not found.get("read_back"):
            found["equivalent"] = why_equivalent(path.read_text(), core, fault)
        tell(f"{number} {'killed' if problems else 'SURVIVES'} {fault.kind}, line {fault.line} of "
             f"{fault.module}: {fault.old} -> {fault.new}: {found['by']}")  # fmt: skip
        results.append(found)
    return results


@click.command()
@click.option(
    "--model", type=click.Choice(list(BUILDS)), default="digits", show_default=True,
    help="Shipped model.",
)  # fmt: skip
@click.option("--count", type=click.IntRange(2), default=60, show_default=True, help="Faults.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--core", type=click.Choice(["encoder", "decoder"]), multiple=True, help="Both.")
@click.option(
    "--again", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Result of an earlier run with as many faults: only its survivors are judged again.",
)  # fmt: skip
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path))
def main(
    model: str, count: int, seed: int, core: tuple[str, ...], again: Path | None,
    out: Path | None,
) -> None:  # fmt: skip
    """Count the faults that the phases of `lutgen sim --build` find."""
    options = BUILDS[model]
    cores = core or ("encoder", "decoder")
    before = json.loads(again.read_text())["each"] if again else None
    faults = []
    with tempfile.TemporaryDirectory(prefix="lutgen-mutants-") as folder:
        folder = Path(folder, "build")
        build("zynq7045", shipped(model), options, out=folder, estimate=False)
        for number, name in enumerate(cores):
            share = count // len(cores) + (number < count % len(cores))
            faults += study(
                folder, name, share, seed, lambda text: print(text, file=sys.stderr), before
            )
    killed = sum(fault["killed"] for fault in faults)
    found = sum(fault["killed"] or fault.get("read_back", False) for fault in faults)
    equal = sum(bool(fault.get("equivalent")) for fault in faults)
    back = [fault for fault in faults if "read_back" in fault]
    result = {
        "command": f"python -m bench.mutants --model {model} --count {count} --seed {seed}",
        "model": shipped(model).hash, "parameters": options.record(), "faults": len(faults),
        "found": found,
        "found_in_simulation": killed, "equivalent": equal,
        "tables_and_luts": {"faults": len(back), "read_back": sum(f["read_back"] for f in back),
                            "killed_in_simulation": sum(f["killed"] for f in back)},
        "survivors": [
            fault for fault in faults
            if not (fault["killed"] or fault.get("read_back") or fault.get("equivalent"))
        ],
        "each": faults,
    }  # fmt: skip
    text = json.dumps(result, indent=1) + "\n"
    if out:
        out.write_text(text)
    else:
        click.echo(text)
    print(
        f"{found} of {len(faults)} faults are found, {killed} of them in simulation; {equal} of "
        "the others change nothing", file=sys.stderr,
    )  # fmt: skip


if __name__ == "__main__":
    main()
