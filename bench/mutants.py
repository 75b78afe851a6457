"""Faults of many kinds in the Verilog and the tables of builds: how many do the checks find?

    python -m bench.mutants --count 120

A small build of a model of each profile is made.  Of each kind of `bench.mutate.KINDS` as many
faults are drawn for one core as for any other, and each goes alone through, until one finds it,

1. fuzzing: the first streams of `bench.fuzz_rtl`, some seconds,
2. reading back of tables and LUTs, of faults in these,
3. the proof of `lutgen prove`, of faults in trained networks (`bench.network_fault`),
4. the phases of `lutgen sim --build` (`lutgen.sim.check.judge_core`), minutes; the stages before
   them are left out, as hashes would find any change.

What changes nothing is no fault: before the phases `bench.equivalent` or the proof of a network
shows that for some of those that are left; of others ``bench/equivalent.json`` says why nobody can
see them.  Both are counted apart.
"""

import dataclasses
import json
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import click
import numpy as np

from bench.equivalent import equivalent
from bench.mutate import KINDS, Fault, find, mutated, numbered
from bench.network_fault import proof_of
from bench.rooms import rooms
from lutgen.build.codec import build, load_build
from lutgen.build.options import BuildOptions, PredictiveOptions
from lutgen.commands import Command, OutputFile, say
from lutgen.errors import InputError
from lutgen.files.caches import cache_folder
from lutgen.files.whole import write_file
from lutgen.model.shipped import shipped
from lutgen.sim.check.build_tables import compare_tables
from lutgen.sim.check.check import checked_build
from lutgen.sim.check.checked import CheckedBuild
from lutgen.sim.fuzz.campaign import campaign
from lutgen.sim.fuzz.fuzz import Report
from lutgen.sim.fuzz.native import build_native, forgetful
from lutgen.sim.tool.design import Design

#: Builds by model.
BUILDS = {
    "digits": BuildOptions(tile=(16, 8), max_width=300, max_height=300),
    # Strips so low that many files have some, and an index.
    "photo": PredictiveOptions(max_width=48, max_height=42, strip_height=8),
}
CORES = ("encoder", "decoder")
#: Streams that each fault meets, one process after the other until something is wrong.
_STREAMS = (4, 9, 26, 117)
#: And of larger pictures, up to this size.
_LARGE_STREAMS, _LARGE = 39, (64, 48)
_FUZZ_SEED = 1
#: Faults of these are in what is read back.
READ_BACK = ("table bit", "LUT bit", "LUT pins swapped")
_NAME = r"\\\S+|[A-Za-z_]\w*"
#: What a line gives a value to.
_GIVEN = re.compile(rf"^ +(?:assign )?({_NAME}) *(?:\[[\d:]+\] ?)?<?= ")
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
    """The first register that takes what a fault changes, and how many gates away it is.

    It is the changed signal itself if no register takes it.
    """
    lines = text.split("\n")
    start = max(k for k in range(fault.line) if lines[k].startswith("module "))
    body = lines[start : lines.index("endmodule", start)]
    # In a block stands what it gives, as its first line has it.
    at = fault.line - 1 - start
    while not (signal := _GIVEN.match(body[at])):
        at -= 1
    if body[at].startswith("    "):
        block = max(k for k in range(at + 1) if body[k].startswith("  always "))
        signal = next(filter(None, map(_GIVEN.match, body[block:])))
    text, reached, seen = "\n".join(body), {signal[1].strip()}, set()
    for gates in range(len(body)):
        if not reached:
            break
        some = rf"[^;]*(?<![\w.\\])(?:{'|'.join(map(re.escape, sorted(reached)))})(?!\w)"
        if found := re.search(rf"^ +({_NAME}) *<= {some}", text, re.M):
            return found[1].strip() + (f", {gates} gates away" if gates else "")
        seen |= reached
        users = re.findall(rf"^  assign ({_NAME}) *(?:\[[\d:]+\] ?)?= {some}", text, re.M)
        reached = {name.strip() for name in users} - seen
    return signal[1].strip()


class Streams:
    """The first streams of a campaign, through a core whose fault is at work.

    Parameters
    ----------
    checked, core :
        The build and its core.
    design :
        Its Verilog with all faults.
    """

    def __init__(self, checked: CheckedBuild, core: str, design: Design) -> None:
        self._native = build_native(forgetful(design), core)
        small = campaign(checked, core, _FUZZ_SEED)
        large = campaign(checked, core, _FUZZ_SEED, largest=_LARGE)
        self._batches = [
            *((small, small.cases(count)) for count in _STREAMS),
            (large, large.cases(_LARGE_STREAMS)),
        ]

    def problem(self) -> str | None:
        """The first thing that is wrong."""
        for fuzz, cases in self._batches:
            fuzz.report = report = Report()
            for case, some in zip(cases, fuzz.outcomes(self._native, cases), strict=True):
                fuzz.judge(case, some)
            if report.problems:
                found = report.problems[0]
                return f"{', '.join(found['kinds'])}: {found['problems'][0]}"
        return None


def study(
    folder: Path, core: str, faults: list[Fault], tell, before: list[dict], phases: bool
) -> Iterator[dict]:
    """Judge faults of a core one after the other; of those ``before``, only the survivors."""
    record = load_build(folder)
    checked = checked_build(record)
    module = record["cores"][core]["module"]
    path = folder / f"{module}.v"
    # In a place of its own the text is the same in each run, and compiled once.
    written, selection = path.read_text(), cache_folder() / f"fault-{path.stem}.txt"
    text = mutated(Design.of(path, module).texts[0], faults, module, selection)
    design, streams = Design.of(text, module), None
    known = {found["number"]: found for found in before if found["file"] == path.name}
    for fault in faults:
        old = known.get(fault.number)
        if old and (old["found_by"] or old["equivalent"]):
            yield old
            continue
        if not streams:
            selection.write_text("0\n")
            streams = Streams(checked, core, design)
            if problem := streams.problem():
                raise RuntimeError(f"{core} without a fault must pass, but: {problem}")
        selection.write_text(f"{fault.number:x}\n")
        began = time.perf_counter()
        by = streams.problem()
        found = {
            "file": path.name, **dataclasses.asdict(fault),
            "found_by": "fuzzing" if by else None, "by": by, "equivalent": None,
        }  # fmt: skip
        if fault.kind in READ_BACK:
            found["read_back"] = read_back(checked, core, fault)
            if found["read_back"] and not by:
                found["found_by"] = "reading back"
        if not found["found_by"]:
            found["equivalent"] = why_equivalent(written, core, fault)
        if not _judged(found) and (proof := proof_of(checked, folder, written, fault)):
            right, said = proof
            found |= {"equivalent": said} if right else {"found_by": "proof", "by": said}
        if not _judged(found) and phases:
            found["found_by"], found["by"] = _phases(checked, core, design)
        found["seconds"] = round(time.perf_counter() - began, 1)
        verdict = found["found_by"] or ("no fault" if found["equivalent"] else "SURVIVES")
        tell(f"{fault.number} {verdict}: {fault.kind}, line {fault.line} "
             f"of {fault.module}: {fault.old} -> {fault.new}: "
             f"{found['by'] or found['equivalent']}")  # fmt: skip
        yield found


def _judged(found: dict) -> bool:
    return bool(found["found_by"] or found["equivalent"])


def _phases(checked: CheckedBuild, core: str, design: Design):
    """Whether the phases find the fault that is at work."""
    judge = checked.judge(core, checked.pictures(0), share=0.3, seed=0, design=design)
    _, problems = judge.judge(lambda name: None)
    return ("phases", problems[0]) if problems else (None, None)


@click.command(cls=Command)
@click.option(
    "--model", "models", type=click.Choice(list(BUILDS)), multiple=True, help="Both.",
)  # fmt: skip
@click.option("--count", type=click.IntRange(2), default=120, show_default=True, help="Faults.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--core", type=click.Choice(CORES), multiple=True, help="Both.")
@click.option(
    "--again", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Result of an earlier run with as many faults: only its survivors are judged again.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Leave out the phases, which take minutes a fault.")
@click.option("-o", "--out", type=OutputFile())
def main(
    models: tuple[str, ...], count: int, seed: int, core: tuple[str, ...], again: Path | None,
    quick: bool, out: str | None,
) -> None:  # fmt: skip
    """Count the faults that fuzzing, reading back and the phases of `lutgen sim --build` find."""
    before = json.loads(again.read_text()) if again else {"parts": [], "each": []}
    faults, parts = [], []
    wanted = [(model, name) for model in models or BUILDS for name in core or CORES]
    with tempfile.TemporaryDirectory(prefix="lutgen-mutants-") as folder:
        for number, (model, name) in enumerate(wanted):
            place = Path(folder, model)
            if not place.exists():
                build("zynq7045", shipped(model), BUILDS[model], out=place, estimate=False)
            path = place / f"{load_build(place)['cores'][name]['module']}.v"
            verilog = sha256(path.read_bytes()).hexdigest()
            if any((p["core"], p["model"]) == (name, model) and p.get("verilog") != verilog
                   for p in before["parts"]):  # fmt: skip
                raise InputError(f"{again} must be of this Verilog of {model}'s {name}: start anew")
            share = count // len(wanted) + (number < count % len(wanted))
            pool = find(path.read_text(), place)
            drawn = draw(pool, share, np.random.default_rng(seed))
            say(f"{model} {name}: {len(pool)} faults to draw {len(drawn)} from")
            parts.append({
                "model": model, "hash": shipped(model).hash, "core": name,
                "parameters": BUILDS[model].record(), "verilog": verilog, "of": len(drawn),
            })  # fmt: skip
            folders, some = rooms(shipped(model), BUILDS[model], name), []
            for one in study(place, name, drawn, say, before["each"], not quick):
                some.append(one | {"folder": folders[one["module"].removeprefix(path.stem)]})
                parts[-1] |= counts(some)
                result = {
                    "command": f"python -m bench.mutants --count {count} --seed {seed}"
                               + " --quick" * quick,
                    **counts(faults + some), "parts": parts,
                    "survivors": [f for f in faults + some if not _judged(f)],
                    "each": faults + some,
                }  # fmt: skip
                if out:
                    write_file(out, (json.dumps(result, indent=1) + "\n").encode())
            faults += some
    if not out:
        click.echo(json.dumps(result, indent=1))
    say(
        f"{result['found']} of {len(faults)} faults are found; {result['equivalent']} of the "
        "others change nothing"
    )


def counts(faults: list[dict]) -> dict:
    """How many faults what finds, and how many are none."""
    back = [fault for fault in faults if "read_back" in fault]
    by = Counter(fault["found_by"] for fault in faults)
    return {
        "faults": len(faults),
        "found": len(faults) - by[None],
        "found_by": {name: by[name] for name in ("fuzzing", "reading back", "proof", "phases")},
        "equivalent": sum(bool(fault["equivalent"]) for fault in faults),
        "tables_and_luts": {
            "faults": len(back), "read_back": sum(fault["read_back"] for fault in back),
            "found_by_fuzzing": sum(fault["found_by"] == "fuzzing" for fault in back),
        },
    }  # fmt: skip


if __name__ == "__main__":
    main()
