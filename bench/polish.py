"""What each part of polishing brings: tables, pins, the upsampling network, other beginnings.

    python -m bench.polish emnist_digits

Each choice polishes the same model for the same number of sweeps and windows (`lutgen polish`), by
the paper's meaning of numbers of ones, and is measured on the validation images: real bytes of one
file of them all.  "No training" begins from the trainer's first weights, median filters of the
neighbours' bits.  Seconds are of processor time, of one thread.
"""

import json
import time
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from lutgen.codec.codec import Codec
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.model.model import Model
from lutgen.training.data.datasets import data_hash, load_images
from lutgen.training.dlc.config import GicDlc, configure
from lutgen.training.dlc.mapping import with_paper_mapping
from lutgen.training.dlc.train import train_dlc_model
from lutgen.training.polish.polish import Polish, polish_model

#: What is tried: options of `lutgen polish`; the last begins from no training.
CHOICES: dict[str, dict] = {
    "truth tables alone": {"signals": 0, "tried": 0},
    "and pins of output nodes": {"tried": 0},
    "and pins of hidden nodes": {},
    "all of it, the upsampling network as it is": {"ups_sweeps": 0},
    "all of it, doubt 1 from the first sweep on": {"doubt": (1.0, 1.0)},
    "all of it, all 8 orientations": {"orientations": 8},
    "all of it, from no training": {},
}
_UNTRAINED = "all of it, from no training"


def _measure(model: Model, images: np.ndarray) -> dict:
    coded = Codec(model, threads=1).encode(images)
    return {
        "hash": model.hash,
        "ideal": coded.ideal_bits / images.size, "file": 8 * len(coded.data) / images.size,
        "luts": [model.network.n_nodes, model.upsampler.network.n_nodes],
    }  # fmt: skip


@click.command(cls=Command)
@click.argument("data")
@click.option("--model", default="bench/models/gic-dlc-emnist.lutgen", show_default=True)
@click.option("--sweeps", default=10, show_default=True)
@click.option("--ups-sweeps", default=5, show_default=True)
@click.option("--windows", default=200_000, show_default=True, help="Of each sweep.")
@click.option("--out", default="bench/results/polish.json", show_default=True, type=OutputFile())
def main(data, model, sweeps, ups_sweeps, windows, out) -> None:
    """Polish a model in several ways, on the training part of a data set."""
    found = Model.load(model)
    train = load_images(data, split="train")
    images = np.stack(load_images(data, split="val"))
    result: dict = {
        "date": date.today().isoformat(),
        "command": command_of("bench.polish"),
        "model": Path(model).stem, "hash": found.hash,
        "sweeps": [sweeps, ups_sweeps], "windows": windows,
        "data": data, "images": len(images), "sha256": data_hash(images),
        "choices": [
            {
                "name": "as it was trained", "options": None, "seconds": 0,
                **_measure(with_paper_mapping(found), images),
            }
        ],
    }  # fmt: skip
    for name, options in CHOICES.items():
        start = found
        if name == _UNTRAINED:
            start = train_dlc_model(train, configure(GicDlc, preset="cpu", steps=1))
        config = Polish(
            **{"sweeps": sweeps, "ups_sweeps": ups_sweeps, "windows": (windows, windows),
               "mapping": "paper", **options}
        )  # fmt: skip
        began = time.process_time()
        polished = polish_model(start, train, config, name=data)
        seconds = time.process_time() - began
        result["choices"].append({
            "name": name, "options": options, "seconds": round(seconds, 1),
            **_measure(polished, images),
        })  # fmt: skip
        write_file(out, (json.dumps(result, indent=1) + "\n").encode())
        click.echo(f"{name}: {result['choices'][-1]['file']:.3f} bpp in {seconds:.0f} s")


if __name__ == "__main__":
    main()
