"""How long `lutgen train --profile predictive` takes: seconds of 10 million pixels, by its steps.

    LUTGEN_DATA=... python -m bench.training [--megapixels N]

Photographs of ``natural_gray_train`` are taken until there are so many pixels, and trained on as
the command does with its defaults: once without the held-out images, which gives the figures, and
once with all.  What is compiled is compiled before.  Steps are timed by the clock; where other
programs run beside it, seconds of the processor say more.
"""

import json
import os
import time
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.training.data.datasets import load_images
from lutgen.training.predictive.config import PredictiveConfig
from lutgen.training.predictive.run import train_predictive_model

#: Pixels of a side, and samples, of the training that compiles everything.
_SMALL, _FEW = 64, 10_000


def chosen(images: list[np.ndarray], pixels: float) -> list[np.ndarray]:
    """The first images, until they have so many pixels."""
    ends = np.cumsum([image.size for image in images])
    return images[: int(np.searchsorted(ends, pixels)) + 1]


class Clock:
    """Seconds of each step, in the order of their first beginning, as `Progress` is told."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._step, self._since = "", time.perf_counter()

    def __call__(self, step: str, done: float, total: float) -> None:
        now = time.perf_counter()
        if self._step:
            self.steps[self._step] = self.steps.get(self._step, 0.0) + now - self._since
        self._step, self._since = step, now


@click.command(cls=Command)
@click.option("--megapixels", type=click.FloatRange(0.01), default=10.0, show_default=True)
@click.option("--samples", type=click.IntRange(10_000), default=PredictiveConfig.samples,
              show_default=True)  # fmt: skip
@click.option("--out", default="bench/results/training.json", show_default=True, type=OutputFile())
def main(megapixels, samples, out) -> None:
    """Train a model and time it."""
    data = load_images(str(Path(os.environ["LUTGEN_DATA"]) / "natural_gray_train.npz"))
    images, config = chosen(data, megapixels * 1e6), PredictiveConfig(samples=samples)
    small = [image[:_SMALL, :_SMALL] for image in images[:2]]
    train_predictive_model(small, PredictiveConfig(samples=_FEW))
    clock, begun, spent = Clock(), time.perf_counter(), time.process_time()
    model = train_predictive_model(images, config, progress=clock)
    record = {
        "date": date.today().isoformat(),
        "command": command_of("bench.training"),
        "images": len(images), "pixels": sum(image.size for image in images), "samples": samples,
        "cores": len(os.sched_getaffinity(0)), "seconds": round(time.perf_counter() - begun, 1),
        "processor_seconds": round(time.process_time() - spent, 1),
        "steps": {step: round(seconds, 1) for step, seconds in clock.steps.items()},
        "metrics": model.training["metrics"],
    }  # fmt: skip
    say(f"{record['seconds']} s, {record['processor_seconds']} s of processors")
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
