"""Speed of the reference codec's loops, which numba compiles, beside CharLS on the same images.

    LUTGEN_DATA=... python -m bench.reference [--most N]

One thread and its processor time, of each image the best of some rounds; what is compiled is
compiled before.  CharLS is measured in the same rounds: it tells what machine this was.  Where
lutgen was installed with a C compiler, commands code by the codec in C, see `bench.ccodec`.
"""

import json
import os
import platform
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from bench.ccodec import Timed, measure, others
from bench.domains import gray
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.formats.rules import DEEP_GRAY
from lutgen.model.default import DEEP, DEFAULT
from lutgen.training.data.datasets import load_images

_CODECS = {"Python and numba": "lutgen, Python and numba", "JPEG-LS (CharLS)": "JPEG-LS (CharLS)"}


def speeds(model: str, images: list[np.ndarray], rounds: int) -> dict:
    """Bits per pixel and Mpx/s, each way."""
    found = others(model, reference=True)
    codecs: dict[str, Timed] = {title: found[name] for name, title in _CODECS.items()}
    measure([image[:32, :32].copy() for image in images[:1]], codecs, 1)
    return measure(images, codecs, rounds)


@click.command(cls=Command)
@click.option("--most", type=click.IntRange(1), default=6, show_default=True, metavar="N",
              help="Measure the first N images of each set.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--out", default="bench/results/reference.json", show_default=True, type=OutputFile())
def main(most, rounds, out) -> None:
    """Measure photographs of 8 bits and thermal images of 12 and 15."""
    data = Path(os.environ["LUTGEN_DATA"])
    sets = {
        "kodak, gray": (DEFAULT, gray(str(data / "kodak"))),
        "thermal16": (DEEP[DEFAULT], load_images(str(data / "domains2" / "thermal16"),
                                                 limits=DEEP_GRAY)),
    }  # fmt: skip
    rows = {}
    for name, (model, images) in sets.items():
        images = [np.ascontiguousarray(image) for image in images[:most]]
        rows[name] = {
            "model": model, "images": len(images), "codecs": speeds(model, images, rounds)
        }  # fmt: skip
        say(f"{name}: {rows[name]['codecs']}")
    record = {
        "date": date.today().isoformat(),
        "command": command_of("bench.reference"),
        "processor": platform.processor() or platform.machine(), "rounds": rounds, "sets": rows,
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
