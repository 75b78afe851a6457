"""What each part of the profile ``predictive`` brings on Kodak gray, and what it costs.

    LUTGEN_DATA=... python -m bench.ladder [--samples N]

Each step is trained on the photographs of ``natural_gray_train`` and measured on the 24 images of
Kodak, made gray: all bytes of a file for each image.  Costs are counted, not estimated: comparators
of 8-bit features with constants, LUT6 of the trees' tables, coefficients, bits of token tables.
"""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from bench.domains import gray
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Command, OutputFile, say
from lutgen.compare.codecs import mean_bpp
from lutgen.files.whole import write_file
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import TAPS
from lutgen.model.predictive.predictor import COEFFICIENT_BITS, Predictor
from lutgen.training.data.datasets import load_images
from lutgen.training.predictive.config import PredictiveConfig
from lutgen.training.predictive.train import train_predictive

_STEPS = {
    "one predictor, scale from errors": {"predictors": 1, "scales": 0, "corrections": 0},
    "16 predictors": {"predictors": 16, "scales": 0, "corrections": 0},
    "64 predictors": {"scales": 0, "corrections": 0},
    "and 8 scale trees": {"scales": 8, "corrections": 0},
    "and 24 scale trees": {"corrections": 0},
    "and 12 corrections": {},
    "24 corrections, 48 scale trees": {"corrections": 24, "scales": 48},
}
#: Ways to cut images of the last model but one.
_LAYOUTS = {
    "rows, one strip": {},
    "rows, strips of 64": {"strip_height": 64},
    "rows, strips of 16": {"strip_height": 16},
    "tiles of 64 x 64": {"strip_height": 64, "tile_width": 64},
    "tiles of 32 x 32": {"strip_height": 32, "tile_width": 32},
}


def files_bpp(model: PredictiveModel, images, **options) -> float:
    """Mean bits per pixel of a file for each image; each image counts alike."""
    codec = PredictiveCodec(model)
    return mean_bpp([len(codec.encode(image, **options)) for image in images], images)


def _narrower(model: PredictiveModel, bits: int) -> PredictiveModel:
    """The model with coefficients of fewer bits; N's takes what rounding leaves."""
    step = 1 << (COEFFICIENT_BITS - bits)
    whole = np.rint(model.predictor.coefficients / step).astype(np.int64) * step
    whole[:, TAPS.index("N")] += (1 << COEFFICIENT_BITS) - whole.sum(axis=1)
    old = model.predictor
    rounded = Predictor(old.feature, old.threshold, old.child, whole.astype(np.int16))
    return replace(model, predictor=rounded)


@click.command(cls=Command)
@click.option("--samples", type=int, default=2_000_000, show_default=True)
@click.option("--out", default="bench/results/ladder.json", show_default=True, type=OutputFile())
def main(samples, out) -> None:
    """Train and measure one step after the other."""
    data = Path(os.environ["LUTGEN_DATA"])
    train = [(image, 8) for image in load_images(str(data / "natural_gray_train.npz"))]
    kodak = gray(str(data / "kodak"))
    steps, last = [], None
    for name, options in _STEPS.items():
        begun = time.perf_counter()
        model = train_predictive(train, PredictiveConfig(samples=samples, **options))
        seconds = time.perf_counter() - begun
        steps.append({"step": name, "bpp": files_bpp(model, kodak), "seconds": round(seconds),
                      **model.stats()})  # fmt: skip
        say(f"{name}: {steps[-1]['bpp']:.4f}")
        if not options:
            last = model
    layouts = {name: files_bpp(last, kodak, **options) for name, options in _LAYOUTS.items()}
    coefficients = {bits: files_bpp(_narrower(last, bits), kodak) for bits in (7, 6, 5)}
    record = {"samples": samples, "steps": steps, "layouts": layouts,
              "coefficient_bits": coefficients}  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
