"""The model ``photo`` alone, and trained further on a domain's own images: bits per pixel.

    LUTGEN_DATA=... python -m bench.further [--samples N]

Of ``natural_gray_val`` and each kind of ``domains`` every second image is trained on, as ``lutgen
train --from photo`` does, and the others are measured: a file each, all bytes.  A run measures the
kinds that it names and keeps the others of the file, if they are of the same model.
"""

import json
import os
import time
from pathlib import Path

import click
import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Command, OutputFile, say
from lutgen.compare.baselines import BASELINES
from lutgen.files.whole import write_file
from lutgen.formats.rules import GRAY_8
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.shipped import shipped
from lutgen.training.data.datasets import load_images
from lutgen.training.predictive.config import PredictiveConfig
from lutgen.training.predictive.refit import further_plan, train_further
from lutgen.training.predictive.work import Work

#: Samples that each number of the model counts for: as the command has it, and many more.
PRIORS = (PredictiveConfig.prior, 30_000)
_MODEL, _USUAL = "photo", ("JPEG-LS", "JPEG XL e7")


def pooled_bpp(encode, images) -> float:
    """Bits per pixel of a file for each image, over all pixels."""
    sizes = [len(encode(np.ascontiguousarray(image))) for image in images]
    return 8 * sum(sizes) / sum(image.size for image in images)


def measured(model: PredictiveModel, images, samples: int) -> dict:
    """Figures of a kind of images."""
    own, others = [(image, 8) for image in images[::2]], images[1::2]
    row: dict = {"trained": len(own), "measured": len(others)}
    for name in _USUAL:
        encode = lambda image, usual=BASELINES[name]: usual.both(image)[0](image)  # noqa: E731
        row[name] = pooled_bpp(encode, others)
    row["alone"] = pooled_bpp(PredictiveCodec(model).encode, others)
    row["further"] = {}
    for prior in PRIORS:
        config = PredictiveConfig(samples=samples, prior=prior)
        work = Work(lambda step, done, total: None, further_plan(own, model, config))
        begun = time.process_time()
        found = train_further(model, own, config, work)
        row["seconds"] = round(time.process_time() - begun)
        row["further"][str(prior)] = pooled_bpp(PredictiveCodec(found).encode, others)
    return row


@click.command(cls=Command)
@click.option("--kind", "names", multiple=True, metavar="NAME", show_default="all")
@click.option("--samples", type=int, default=200_000, show_default=True)
@click.option("--out", default="bench/results/further.json", show_default=True, type=OutputFile())
def main(names, samples, out) -> None:
    """Train and measure each kind."""
    model = shipped(_MODEL)
    data = Path(os.environ["LUTGEN_DATA"])
    paths = [data / "natural_gray_val.npz", *sorted((data / "domains").iterdir())]
    found = json.loads(Path(out).read_text()) if Path(out).exists() else {}
    same = (found.get("hash"), found.get("samples")) == (model.hash, samples)
    kinds = found["kinds"] if same else {}
    for path in paths:
        if names and path.stem not in names:
            continue
        images = load_images(str(path), split="val", limits=GRAY_8)
        kinds[path.stem] = row = measured(model, images, samples)
        say(f"{path.stem}: {row['alone']:.3f} -> {row['further']}")
    record = {
        "command": "python -m bench.further", "model": _MODEL, "hash": model.hash,
        "samples": samples,
        "kinds": {path.stem: kinds[path.stem] for path in paths if path.stem in kinds},
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
