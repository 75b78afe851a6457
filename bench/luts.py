"""Compression against size: bpp over LUTs of trained models whose netlist decides everything.

    python -m bench.luts bench/models/flat-*.lutgen --data emnist_digits
"""

import json
from pathlib import Path

import click
import numpy as np

from lutgen.codec.codec import Codec
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.model.head import PROB_BITS, SYMBOLS
from lutgen.model.model import Model
from lutgen.training.data.datasets import load_images


def table_bits(head) -> int:
    """Bits of a head's integer tables: what the memories of the codec must hold at least.

    An interval's start for each symbol of each class, the end being the next one's start; of a
    Laplace head the distribution functions, and both maps from counts.
    """
    if head.kind == "table":
        return head.classes * SYMBOLS * PROB_BITS
    scale_bits = (head.scales - 1).bit_length()
    return head.cdf.size * PROB_BITS + head.mu.size * 9 + head.sigma.size * scale_bits


def measure(path: str, images: np.ndarray) -> dict:
    """One point."""
    model = Model.load(path)
    coded = Codec(model).encode(images)
    upsampler = 0 if model.upsampler is None else model.upsampler.network.n_nodes
    table = model.head.kind == "table"
    return {
        "name": Path(path).stem,
        "profile": model.profile,
        "hash": model.hash,
        "trainer": "tree" if "leaves" in model.training.get("metrics", {}) else "dlc",
        "luts": model.network.n_nodes + upsampler,
        "upsampler_luts": upsampler,
        "thermometer_bits": model.network.n_inputs,
        "depth": model.network.depth,
        "walker_records": sum(s.records for s in model.walker.stages) if model.walker else 0,
        "classes": len(np.unique(model.head.cumulative, axis=0)) if table else None,
        "table_bits": table_bits(model.head),
        "bpp": {
            "ideal": coded.ideal_bits / images.size, "file": 8 * len(coded.data) / images.size,
        },
    }  # fmt: skip


@click.command(cls=Command)
@click.argument("models", nargs=-1, required=True)
@click.option("--data", required=True)
@click.option("--out", default="bench/results/luts.json", show_default=True, type=OutputFile())
def main(models, data, out) -> None:
    """Measure all models on the validation part of a data set."""
    images = np.stack(load_images(data, split="val"))
    points = sorted((measure(path, images) for path in models), key=lambda p: p["luts"])
    result = {"data": data, "images": len(images), "points": points}
    write_file(out, (json.dumps(result, indent=1) + "\n").encode())
    for p in points:
        click.echo(
            f"{p['name']:32} {p['luts']:6} LUTs {p['thermometer_bits']:5} comparators "
            f"{p['classes'] or 0:5} classes, "
            f"bpp {p['bpp']['ideal']:.3f} ideal, {p['bpp']['file']:.3f} file"
        )


if __name__ == "__main__":
    main()
