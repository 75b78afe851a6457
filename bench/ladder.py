"""What each part of the profile ``predictive`` brings on Kodak gray, and what it costs.

    LUTGEN_DATA=... python -m bench.ladder [--samples N]

Each step is trained on the photographs of ``natural_gray_train`` and measured on the 24 images of
Kodak, made gray: all bytes of a file for each image.  Costs are counted, not estimated: comparators
of 8-bit features with constants, LUT6 of the trees' tables, coefficients, bits of token tables.
"""

import json
import os
import time
from pathlib import Path

import click

from bench.domains import gray
from bench.sizes import files_bpp
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
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


@click.command(cls=Command)
@click.option("--samples", type=int, default=2_000_000, show_default=True)
@click.option("--out", default="bench/results/ladder.json", show_default=True, type=OutputFile())
def main(samples, out) -> None:
    """Train and measure one step after the other."""
    data = Path(os.environ["LUTGEN_DATA"])
    train = [(image, 8) for image in load_images(str(data / "natural_gray_train.npz"))]
    kodak = gray(str(data / "kodak"))
    steps = []
    for name, options in _STEPS.items():
        begun = time.perf_counter()
        model = train_predictive(train, PredictiveConfig(samples=samples, **options))
        seconds = time.perf_counter() - begun
        bpp = files_bpp(PredictiveCodec(model), kodak)
        steps.append({"step": name, "bpp": bpp, "seconds": round(seconds), **model.stats()})
        say(f"{name}: {steps[-1]['bpp']:.4f}")
    record = {"samples": samples, "steps": steps}
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
