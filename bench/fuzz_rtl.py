"""Damaged files through Verilated decoders, random traffic through encoders: what becomes of it.

    python -m bench.fuzz_rtl --build photo --core decoder --streams 50000 --seed 1

A small build is made and compiled with the driver of `lutgen.sim.fuzz`; each stream is followed at
once by a good one.  Registers and memories begin with random values.  A run adds to the file of
results, in place of one of the same build, core and seed.  Its seconds are those that program and
simulation computed, without the making of the core.
"""

import dataclasses
import json
import resource
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import click

from bench.mutants import BUILDS as PLAIN
from lutgen.build.codec import build, load_build
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.model.shipped import shipped
from lutgen.sim.check.check import checked_build
from lutgen.sim.fuzz.campaign import campaign
from lutgen.sim.fuzz.native import build_native, forgetful

#: Models and options by name.
BUILDS = {name: (name, options) for name, options in PLAIN.items()} | {
    "digits-tans": ("digits", dataclasses.replace(PLAIN["digits"], coder="tans")),
    "photo-16": ("photo-16", dataclasses.replace(PLAIN["photo"], depth=16, strip_height=None)),
    "photo-near": ("photo", dataclasses.replace(PLAIN["photo"], near=3)),
}
_BATCH = 1024


@click.command(cls=Command)
@click.option(
    "--build", "name", type=click.Choice(list(BUILDS)), default="photo", show_default=True
)
@click.option("--core", type=click.Choice(["encoder", "decoder"]), default="decoder")
@click.option("--streams", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--minutes", type=float, help="Stop after so many of computing.")
@click.option(
    "-o", "--out", type=OutputFile(), default="bench/results/fuzz-rtl.json", show_default=True,
)  # fmt: skip
def main(name: str, core: str, streams: int, seed: int, minutes: float | None, out: str) -> None:
    """Count what becomes of damaged files, and of random traffic."""
    model, options = BUILDS[name]
    with tempfile.TemporaryDirectory(prefix="lutgen-fuzz-") as folder:
        folder = Path(folder, "build")
        build("zynq7045", shipped(model), options, out=folder, estimate=False)
        checked = checked_build(load_build(folder))
        native = build_native(forgetful(checked.design(core)), core)
        began = computed()
        fuzz = campaign(checked, core, seed)
        while fuzz.report.streams < streams:
            fuzz.run(native, min(_BATCH, streams - fuzz.report.streams))
            seconds = computed() - began
            add(Path(out), entry(name, core, seed, checked, fuzz.report, seconds))
            report = fuzz.report
            say(f"{report.streams} streams, {seconds:.0f} s, {report.clocks} clocks, "
                f"{len(report.problems)} problems")  # fmt: skip
            if minutes and seconds > 60 * minutes:
                break
    for problem in fuzz.report.problems:
        click.echo(json.dumps(problem))
    sys.exit(bool(fuzz.report.problems))


def computed() -> float:
    """Seconds that this program and those that it ran have computed, whatever else goes on."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def entry(name: str, core: str, seed: int, checked, report, seconds: float) -> dict:
    """A run as the results have it."""
    record = checked.record
    verilog = Path(record["folder"], f"{record['cores'][core]['module']}.v").read_bytes()
    return {
        "build": f"{name} {core}", "seed": seed, "model": checked.model.hash,
        "verilog": sha256(verilog).hexdigest(), "parameters": record["parameters"],
        "streams": report.streams,
        "kinds": {kind: dataclasses.asdict(tally) for kind, tally in report.kinds.items()},
        "errors": dict(report.errors), "clocks": report.clocks, "seconds": round(seconds, 1),
        "problems": report.problems,
        "command": f"python -m bench.fuzz_rtl --build {name} --core {core} "
                   f"--streams {report.streams} --seed {seed}",
    }  # fmt: skip


def add(path: Path, run: dict) -> None:
    """Put a run into the file of results."""
    found = json.loads(path.read_text())["builds"] if path.exists() else []
    found = [old for old in found if (old["build"], old["seed"]) != (run["build"], run["seed"])]
    found.append(run)
    found.sort(key=lambda each: (each["build"], each["seed"]))
    commands = [each["command"] for each in found]
    result = {"builds": found, "command": "; ".join(commands)}
    write_file(path, (json.dumps(result, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
