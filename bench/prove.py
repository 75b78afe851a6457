"""Seconds and memory of the proof that builds of the shipped models equal their tables.

    python -m bench.prove [BUILD]...

Each build is made in a folder that is not kept, its networks are proven as ``lutgen prove`` does,
and the figures go to the results, where those of other builds stay.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions, PredictiveOptions
from lutgen.commands import Command, Failure, OutputFile
from lutgen.files.whole import scratch_folder, write_file

_GIC_DLC = "bench/models/gic-dlc-emnist.lutgen"
#: Model, target and options.
BUILDS = {
    "photo": ("photo", "zynq7045", PredictiveOptions()),
    "photo-16": ("photo-16", "zynq7045", PredictiveOptions(depth=16)),
    "photo-12": ("photo-16", "zynq7045", PredictiveOptions(depth=12)),
    "photo-near": ("photo", "zynq7045", PredictiveOptions(near=5)),
    "photo-ecp5": ("photo", "ecp5-85k", PredictiveOptions()),
    "photo-generic": ("photo", "generic", PredictiveOptions()),
    "photo-rgb": ("photo-rgb", "zynq7045", PredictiveOptions()),
    "photo-bayer": ("photo-bayer", "zynq7045", PredictiveOptions(depth=12)),
    "digits": ("digits", "zynq7045", BuildOptions()),
    "gic-dlc": (_GIC_DLC, "zynq7045", BuildOptions(top="decoder")),
}  # fmt: skip
_KEPT = (
    "core", "module", "network", "latency", "parts", "seconds", "cpu_seconds", "same_as",
)  # fmt: skip


def measure(name: str) -> dict:
    """Figures of a build."""
    model, target, options = BUILDS[name]
    with scratch_folder("lutgen-prove-") as folder:
        build(target, model, replace(options, name="lutgen"), out=folder / "b", estimate=False)
        return figures(name, folder / "b")


def figures(name: str, folder: Path) -> dict:
    """Those of a build that there is, from a process of its own, whose memory is counted."""
    command = [sys.executable, "-m", "lutgen", "prove", "--build", str(folder), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    found = json.loads(done.stdout)
    return {
        "build": name, "target": found["target"], "model": found["model"], "ok": found["ok"],
        "problems": found["problems"], "prover": found["prover"],
        "networks": [{k: n[k] for k in _KEPT if k in n} for n in found["networks"]],
        "read_back": found["read_back"], "seconds": found["seconds"], "peak_mb": found["peak_mb"],
    }  # fmt: skip


@click.command(cls=Command)
@click.argument("names", nargs=-1, type=click.Choice(list(BUILDS)), metavar="[BUILD]...")
@click.option("--out", default="bench/results/prove.json", show_default=True, type=OutputFile())
def main(names, out) -> None:
    """Prove the networks of builds, all by default, and write the figures."""
    path = Path(out)
    known = json.loads(path.read_text())["builds"] if path.exists() else []
    found = {build["build"]: build for build in known}
    for name in names or BUILDS:
        found[name] = measure(name)
        click.echo(f"{name}: {found[name]['seconds']} s, {found[name]['peak_mb']} MB")
        result = {
            "command": "python -m bench.prove",
            "builds": [found[name] for name in BUILDS if name in found],
        }
        write_file(path, (json.dumps(result, indent=1) + "\n").encode())
    if wrong := [name for name in names or BUILDS if not found[name]["ok"]]:
        raise Failure(f"all builds must be proven, not {', '.join(wrong)}")


if __name__ == "__main__":
    main()
