"""The paper's own form of colour: ``gic-dlc`` of three channels, beside ``photo-rgb``.

    LUTGEN_DATA=... python -m bench.channels [--train] [--resume]

The paper predicts the parameters of all channels of a pixel in parallel (GIC-DLC, section 3.1) and
shows gray images alone.  With ``--train`` such a model is trained small, for a few minutes of one
core: every 32nd picture of ``rgb_train``, an eighth of the paper's nodes for each channel.  Then it
is measured on the middle of each picture of Kodak, 256 x 256 pixels, which neither model has seen,
without and with the pooling constraint: networks and tables do not depend on it.  Of each codec all
bytes of the files count, and every image is decoded again.  With ``--resume`` a run that was
stopped goes on.
"""

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from bench.domains import middle
from lutgen.commands import Command, Failure
from lutgen.compare.codecs import ImageCodec, TileCodec, image_codec
from lutgen.compare.evaluate import evaluate, faults
from lutgen.files.whole import write_file
from lutgen.formats.rules import COLOUR_8
from lutgen.model.model import Model
from lutgen.training.data.datasets import data_hash, load_images
from lutgen.training.tree.train import progress_bar

_HERE = Path(__file__).parent
MODEL = _HERE / "models" / "gic-dlc-rgb.lutgen"
OUT = _HERE / "results" / "channels.json"
LOG = _HERE / "results" / "train-gic-dlc-rgb.jsonl"
#: Every so manyth picture is trained on; nodes of a layer for each channel; steps, and windows of
#: each.
_EVERY, _LUTS, _STEPS, _PIXELS = 32, 128, 1000, 512
#: Pictures that the log's figures are of, and steps between these: either costs as much as steps.
_HELD_OUT, _EVALUATE_EVERY = 1, 500
#: Pixels of a side that are measured.
_SIDE = 256


def train(data: Path, path: Path) -> Model:
    """The model, written to a file; a training that was stopped goes on where it was."""
    from lutgen.training.dlc.config import GicDlc, configure
    from lutgen.training.dlc.train import train_dlc_model

    images = load_images(str(data / "rgb_train"), limits=COLOUR_8)[::_EVERY]
    config = replace(
        configure(GicDlc, preset="cpu", luts=_LUTS, steps=_STEPS),
        pixels=_PIXELS, held_out_most=_HELD_OUT, evaluate_every=_EVALUATE_EVERY,
    )  # fmt: skip
    checkpoint = path.with_suffix(".ckpt")
    with progress_bar() as progress:
        model = train_dlc_model(
            images, config, checkpoint=checkpoint, log=LOG, progress=progress,
            name=f"rgb_train, one picture of {_EVERY}", licence="CC BY-SA 4.0, Unsplash",
        )  # fmt: skip
    model.save(path)
    checkpoint.unlink(missing_ok=True)
    return model


@click.command(cls=Command)
@click.option("--train", "anew", is_flag=True, help="Train the model first.")
@click.option("--resume", is_flag=True, help="Keep what was measured of the same model before.")
def main(anew, resume) -> None:
    """Measure the paper's form of colour beside the predictive codec, on Kodak."""
    data = Path(os.environ.get("LUTGEN_DATA", _HERE.parents[1] / "shared/data"))
    model = train(data, MODEL) if anew else Model.load(MODEL)
    kodak = load_images(str(data / "kodak"), limits=COLOUR_8)
    images = [np.ascontiguousarray(middle(image, _SIDE)) for image in kodak]
    codecs: dict[str, ImageCodec] = {
        "gic-dlc": TileCodec(model),
        "gic-dlc+": TileCodec(replace(model, profile="gic-dlc+", constraint=True)),
        "photo-rgb": image_codec("photo-rgb"),
    }
    luts = {"arm": model.network.n_nodes, "ups": model.upsampler.network.n_nodes}
    record = {
        "date": date.today().isoformat(),
        "command": command_of("bench.channels"),
        "data": {"name": "kodak", "side": _SIDE, "sha256": data_hash(images)},
        "model": model.hash, "luts": luts,
    }  # fmt: skip
    before = json.loads(OUT.read_text()) if resume and OUT.exists() else {}
    same = all(before.get(key) == record[key] for key in ("data", "model"))
    found = before["codecs"] if same else {}
    for name, codec in codecs.items():
        if name not in found:
            with progress_bar() as progress:
                found[name] = evaluate(images, codec, baselines=False, progress=progress)
            if bad := faults(found[name]):
                raise Failure(f"{name}: {'; '.join(bad)}")
            write_file(OUT, (json.dumps({**record, "codecs": found}, indent=1) + "\n").encode())
        print(f"{name}: {found[name]['bpp']['file_each']:.3f} bits per pixel")


if __name__ == "__main__":
    main()
