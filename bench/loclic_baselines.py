"""Rate-distortion curves of JPEG and WebP on a folder of colour images.

    python -m bench.loclic_baselines [FOLDER]

Writes loclic-jpeg.json and loclic-webp.json in CompressAI's schema, with the quality settings as a
further list.  Rates are of whole files; times are CPU seconds, without reading from or writing to
disk.
"""

import time
from functools import partial
from pathlib import Path

import click
import imagecodecs
import numpy as np

from bench.quality import point
from lutgen.commands import Command
from lutgen.formats.colour import colour_files, read_colour
from lutgen.training.loclic.measure.results import FIGURES, Results


def _jpeg(image: np.ndarray, quality: int) -> bytes:
    return imagecodecs.jpeg8_encode(image, level=quality, subsampling="420", optimize=True)


def _webp(image: np.ndarray, quality: int) -> bytes:
    return imagecodecs.webp_encode(image, level=quality, lossless=False, method=6)


#: Of each codec: its encoder, decoder, and what they are.
CODECS = {
    "jpeg": (
        _jpeg, imagecodecs.jpeg8_decode,
        f"JPEG 4:2:0, optimised Huffman tables, {imagecodecs.jpeg8_version()}",
    ),
    "webp": (
        _webp, imagecodecs.webp_decode,
        f"WebP lossy, method 6, {imagecodecs.webp_version()}",
    ),
}  # fmt: skip
QUALITIES = "3,5,10,20,35,50,65,80,90"


def measure(codec: str, images: list[np.ndarray], qualities: list[int], tell) -> Results:
    """The curve of a codec: means over images."""
    encode, decode, what = CODECS[codec]
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for quality in qualities:
        figures = point(partial(encode, quality=quality), decode, images, time.process_time)
        for name, value in figures.items():
            found[name].append(value)
        tell(f"{codec} {quality}: {found['bpp'][-1]:.4f} bpp, {found['psnr-rgb'][-1]:.2f} dB")
    description = f"{what}; mean of {len(images)} images; times in CPU seconds"
    return Results(codec, description, found | {"quality": [float(q) for q in qualities]})


@click.command(cls=Command)
@click.argument("folder", default="kodak")
@click.option("--qualities", default=QUALITIES, show_default=True)
@click.option("--out", default="bench/results", show_default=True, metavar="FOLDER")
def main(folder: str, qualities: str, out: str) -> None:
    """Measure all codecs on FOLDER, kodak in the data folder by default."""
    images = [read_colour(path) for path in colour_files(folder)]
    Path(out).mkdir(parents=True, exist_ok=True)
    for codec in CODECS:
        curve = measure(codec, images, [int(q) for q in qualities.split(",")], click.echo)
        curve.save(Path(out, f"loclic-{codec}.json"))


if __name__ == "__main__":
    main()
