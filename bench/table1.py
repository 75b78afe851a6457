"""Table 1 of the GIC-DLC paper: all methods side by side, one run, the same images.

    python -m bench.table1 --model gic-dlc=bench/models/gic-dlc-emnist.lutgen \\
        --baseline ic-mlp=bench/models/ic-mlp-emnist.npz emnist_digits kmnist.npz fashion_mnist.npz

Codecs and models write files and read them back; learned baselines give ideal code lengths.
"""

import importlib.metadata
import json
import shlex
import sys
from datetime import date
from pathlib import Path

import click
import numpy as np

from lutgen.codec.codec import Codec
from lutgen.codec.rans import STATE_BITS
from lutgen.evaluate import evaluate
from lutgen.model import Model
from lutgen.training.datasets import load_images

#: bpp that the paper gives, for EMNIST (digits), KMNIST and Fashion-MNIST.
PUBLISHED = {
    "QOI": [6.20, 7.56, 8.50],
    "PNG": [4.16, 4.45, 5.18],
    "WebP": [3.34, 3.56, 4.62],
    "JPEG XL": [3.23, 3.66, 4.29],
    "GIC-DLC": [2.71, 4.16, 6.27],
    "IC-MLP": [2.30, 3.67, 6.04],
}


def _named(values: tuple[str, ...]) -> dict[str, str]:
    named = {}
    for value in values:
        name, sign, path = value.partition("=")
        if not sign:
            raise click.UsageError(f"must be NAME=FILE, not {value!r}")
        named[name] = path
    return named


def _model(path: str, images: list[np.ndarray], progress) -> dict:
    """What `evaluate` says of a model, its size, and how close coded bits are to predicted ones."""
    model = Model.load(path)
    found = evaluate(images, model, baselines=False, progress=progress)
    bpp, packets = found["bpp"], len(images)
    predicted = bpp["ideal"] * found["pixels"]
    # The final state of a packet is a constant; the 0 to 7 bits that fill its last byte are not
    # known here and count as coded.
    coded = bpp["payload"] * found["pixels"] - packets * (STATE_BITS + 1)
    upsampler = model.upsampler
    return {
        "bpp": bpp, "levels": found["levels"], "verified": found["verified"],
        "profile": model.profile, "hash": model.hash, "luts": model.network.n_nodes,
        "upsampler_luts": 0 if upsampler is None else upsampler.network.n_nodes,
        "rate_gap": coded / predicted - 1,
        "rate_gap_without_padding": (coded - 3.5 * packets) / predicted - 1,
    }  # fmt: skip


def _per_image(path: str, images: list[np.ndarray]) -> list[float]:
    codec = Codec(Model.load(path), threads=1)
    return [round(codec.encode(image).ideal_bits, 1) for image in images]


@click.command()
@click.argument("data", nargs=-1, required=True)
@click.option("--model", "models", multiple=True, metavar="NAME=FILE", help="*.lutgen")
@click.option("--baseline", "learned", multiple=True, metavar="NAME=FILE", help="*.npz")
@click.option("--limit", type=int, help="First images of each set only.")
@click.option("--out", default="bench/results/table1.json", show_default=True)
def main(data, models, learned, limit, out) -> None:
    """Measure all methods on the validation part of each data set."""
    from lutgen.training.train import progress_bar

    models, learned = _named(models), _named(learned)
    result: dict = {
        "date": date.today().isoformat(),
        "command": shlex.join(["python", "-m", "bench.table1", *sys.argv[1:]]),
        "imagecodecs": importlib.metadata.version("imagecodecs"),
        "published": PUBLISHED,
        "data": {},
    }
    for name in data:
        images = load_images(name, split="val")[:limit]
        with progress_bar() as progress:
            own = {label: _model(path, images, progress) for label, path in models.items()}
            usual = evaluate(images, Model.default(), progress=progress)["baselines"]
        row = {
            "images": len(images), "pixels": sum(image.size for image in images),
            "codecs": usual, "models": own, "learned": {},
        }  # fmt: skip
        for label, path in learned.items():
            from lutgen.training.baselines.baseline import load

            bits = load(path).bits(images)
            row["learned"][label] = {
                "ideal": sum(bits.values()) / row["pixels"],
                "levels": {str(k): v / row["pixels"] for k, v in sorted(bits.items())},
            }
        if models:
            row["per_image"] = _per_image(next(iter(models.values())), images)
        result["data"][Path(name).stem] = row
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_text(json.dumps(result, indent=1) + "\n")
    _show(result)


def _show(result: dict) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("bits per pixel", *result["data"])
    rows = list(result["data"].values())
    for kind, value in (
        ("codecs", lambda r: r["bpp"]),
        ("models", lambda r: r["bpp"]["file"]),
        ("learned", lambda r: r["ideal"]),
    ):
        for name in rows[0][kind]:
            cells = [value(row[kind][name]) for row in rows]
            table.add_row(name, *("-" if c is None else f"{c:.3f}" for c in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
