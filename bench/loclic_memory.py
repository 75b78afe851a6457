"""Peak memory and time of `lutgen loclic compress` and `decompress`, each a process of its own.

    python -m bench.loclic_memory CODEC.loclic IMAGE...

Writes loclic-memory.json: of each image and way the most resident memory, in MiB, what the process
takes before it has an image among it, and seconds of CPU time.  Weights do not matter: any codec of
a configuration has these figures.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from lutgen.codec.lossy.model import LossyModelFile
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.formats.colour import colour_files, read_colour

#: Runs a command and prints its exit status, most resident KiB and CPU seconds.  Linux counts what
#: the process that began it had at that time, too, so one that has next to nothing begins it.
_WATCH = (
    "import os, subprocess, sys\n"
    "process = subprocess.Popen(sys.argv[1:], stdout=2)\n"
    "_, status, usage = os.wait4(process.pid, 0)\n"
    "process.returncode = os.waitstatus_to_exitcode(status)\n"  # it has been waited for
    "print(process.returncode, usage.ru_maxrss, usage.ru_utime + usage.ru_stime)"
)


def peak(*arguments) -> dict[str, float]:
    """What a command of `lutgen loclic` takes.

    Raises
    ------
    CalledProcessError
        If it fails.
    """
    command = [sys.executable, "-m", "lutgen", "loclic", *map(str, arguments)]
    watched = subprocess.run(
        [sys.executable, "-c", _WATCH, *command], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, check=True,
    )  # fmt: skip
    status, kib, seconds = watched.stdout.split()
    if status != "0":
        raise subprocess.CalledProcessError(int(status), command)
    return {"mib": int(kib) / 1024, "seconds": float(seconds)}


@click.command(cls=Command)
@click.argument("codec", metavar="CODEC")
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--out", default="bench/results/loclic-memory.json", show_default=True, type=OutputFile()
)
def main(codec, images, out) -> None:
    """Measure an exported CODEC on IMAGES, whose file names must differ."""
    file = LossyModelFile.read(codec)
    record = {
        "config": file.meta["config"], "weight_bits": file.meta["weight_bits"],
        "hash": file.hash, "bytes": Path(codec).stat().st_size,
        "threads": os.environ.get("OMP_NUM_THREADS", "all"), "images": {},
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        coded, decoded = Path(folder, "x.loc"), Path(folder, "x.ppm")
        for spec in images:
            (path,) = colour_files(spec)
            height, width = read_colour(path).shape[:2]
            record["images"][path.name] = {
                "width": width, "height": height,
                "compress": peak("compress", path, coded, "--model", codec),
                "decompress": peak(
                    "decompress", coded, decoded, "--model", codec, "--max-pixels", height * width
                ),
            }  # fmt: skip
            click.echo(f"{path.name}: {json.dumps(record['images'][path.name])}")
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
