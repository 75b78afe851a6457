"""What a pixel costs a processor: learned codecs of real numbers, ours in software, and PNG.

    python -m bench.speed emnist_digits natural_gray_val.npz

Of the first set digits are coded: by the networks that the GIC-DLC paper compares itself with, of
whose codecs only one pass of the networks over all pixels at once is timed, as if pixels did not
have to wait for each other and coding took no time; by models of LUT networks, whole files in
software, which is not what they are for; and by PNG.  Of the second set 4 x 4 pictures of 256 x 256
pixels are put together to gray images of 1,024 x 1,024, as large as those that the paper times PNG
on.  All times are processor time of one thread, the median of some runs.
"""

import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click
import imagecodecs
import numpy as np
import torch

from bench.asked import command_of
from bench.energy import processor
from bench.sets import images_of
from lutgen.codec.codec import Codec
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.formats.imageio import png_bytes
from lutgen.model.model import Model
from lutgen.training.baselines.files import load
from lutgen.training.data.datasets import data_hash

_REPEATS = 3
#: What is timed: files in `bench/models`.
_BASELINES = {"ic-mlp": "ic-mlp-emnist.npz", "srec": "srec-emnist.npz"}
_MODELS = {
    "gic-dlc": "gic-dlc-polished-emnist.lutgen",
    "gic-dlc+, slimmed": "gic-dlc-plus-slim-polished-emnist.lutgen",
}
_LEVELS = (9, 1)


def _ns(function: Callable[[], object], pixels: int) -> float:
    function()
    times = []
    for _ in range(_REPEATS):
        began = time.process_time_ns()
        function()
        times.append(time.process_time_ns() - began)
    return float(np.median(times)) / pixels


def _png(images: list[np.ndarray], level: int) -> dict:
    def encode(image: np.ndarray) -> bytes:
        if level == 9:
            return png_bytes(image)
        return imagecodecs.png_encode(image, level=level, out=2 * image.size + 4096)

    pixels = sum(image.size for image in images)
    files = [encode(image) for image in images]
    return {
        "encode": _ns(lambda: [encode(image) for image in images], pixels),
        "decode": _ns(lambda: [imagecodecs.png_decode(file) for file in files], pixels),
        "bpp": 8 * sum(map(len, files)) / pixels,
    }


def mosaics(images: list[np.ndarray]) -> list[np.ndarray]:
    """Images of 1,024 x 1,024, of 16 pictures each."""
    square = [image for image in images if image.shape == (256, 256)]
    return [
        np.block([[square[k + 4 * y + x] for x in range(4)] for y in range(4)])
        for k in range(0, len(square) - 15, 16)
    ]


@click.command(cls=Command)
@click.argument("digits")
@click.argument("pictures")
@click.option("--limit", default=100, show_default=True, help="Digits.")
@click.option("--out", default="bench/results/speed.json", show_default=True, type=OutputFile())
def main(digits, pictures, limit, out) -> None:
    """Time all on the validation parts of two data sets."""
    torch.set_num_threads(1)
    images = images_of(digits)[:limit]
    large = mosaics(images_of(pictures))
    stack = np.stack(images)
    models = Path(__file__).parent / "models"
    rows: dict[str, dict] = {}
    for name, file in _BASELINES.items():
        baseline = load(models / file)
        with torch.inference_mode():
            rows[name] = {
                "encode": _ns(lambda baseline=baseline: baseline.bits(images), stack.size),
                "decode": None, "bpp": sum(baseline.bits(images).values()) / stack.size,
            }  # fmt: skip
    for name, file in _MODELS.items():
        codec = Codec(Model.load(models / file), threads=1)
        data = codec.encode(stack).data
        rows[name] = {
            "encode": _ns(lambda codec=codec: codec.encode(stack), stack.size),
            "decode": _ns(lambda codec=codec, data=data: codec.decode(data), stack.size),
            "bpp": 8 * len(data) / stack.size,
        }
    for level in _LEVELS:
        rows[f"PNG, level {level}"] = _png(images, level)
        rows[f"PNG, level {level}, 1,024 x 1,024"] = _png(large, level)
    result = {
        "date": date.today().isoformat(), "command": command_of("bench.speed"),
        "machine": processor(), "digits": {"images": len(images), "sha256": data_hash(images)},
        "large": {"images": len(large), "sha256": data_hash(large)}, "rows": rows,
    }  # fmt: skip
    write_file(out, (json.dumps(result, indent=1) + "\n").encode())
    for name, row in rows.items():
        click.echo(f"{name}: {row['encode']:,.1f} / {row['decode'] or 0:,.1f} ns, {row['bpp']:.3f}")


if __name__ == "__main__":
    main()
