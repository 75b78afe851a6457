"""Crops of a picture by the lossy codec, JPEG and WebP at one rate: figures 6 and 7 of LoC-LIC.

    python -m bench.loclic_crops kodak/kodim07.png --crop 256x256+300+120 --out crops.png

The other codecs have the greatest quality whose file of the whole picture is no larger than ours.
"""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from bench.axes import save
from bench.loclic_baselines import CODECS
from bench.window import window_of
from lutgen.codec.lossy.model import LossyModelFile
from lutgen.codec.lossy.step import nearest_step
from lutgen.commands import Command, Failure
from lutgen.formats.colour import read_colour
from lutgen.model.default import LOSSY
from lutgen.training.loclic.deployed import DeployedCodec
from lutgen.training.loclic.files import decode_image, encode_image
from lutgen.training.loclic.measure.metrics import psnr

__all__ = ["Shown", "at_most", "shown"]

#: Of JPEG and WebP.
_QUALITIES = range(1, 101)


class Shown(NamedTuple):
    """A decoded picture, and what its file takes."""

    name: str
    picture: np.ndarray
    size: int

    def title(self, original: np.ndarray) -> str:
        bpp = 8 * self.size / (original.shape[0] * original.shape[1])
        return f"{self.name}, {bpp:.3f} bpp, {psnr(original, self.picture):.2f} dB"


def at_most(size: int, encode, image: np.ndarray) -> bytes:
    """The file of the greatest quality that has ``size`` bytes at most.

    Raises
    ------
    Failure
        If none is as small.
    """
    low, high, found = _QUALITIES[0], _QUALITIES[-1], None
    while low <= high:
        middle = (low + high) // 2
        data = encode(image, middle)
        if len(data) <= size:
            low, found = middle + 1, data
        else:
            high = middle - 1
    if found is None:
        raise Failure(f"no quality makes a file of at most {size} bytes")
    return found


def shown(codec: DeployedCodec, name: str, image: np.ndarray, step: int) -> list[Shown]:
    """What is beside the original."""
    data = encode_image(codec, image, step=step)
    found = [Shown(name, decode_image(codec, data), len(data))]
    for other, (encode, decode, _) in CODECS.items():
        file = at_most(len(data), encode, image)
        found.append(Shown(other, decode(file), len(file)))
    return found


@click.command(cls=Command)
@click.argument("image")
@click.option("--model", default=LOSSY, show_default=True)
@click.option("--step", type=float, default=2, show_default=True)
@click.option("--crop", help="WIDTHxHEIGHT to show, from the upper left or +X+Y; default: all.")
@click.option("--out", default="crops.png", show_default=True)
def main(image, model, step, crop, out) -> None:
    """Show IMAGE, and what the codecs leave of it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    original = read_colour(image)
    part = window_of(crop, *original.shape[:2])
    codec = DeployedCodec(LossyModelFile.read(model))
    found = shown(codec, Path(model).stem, original, nearest_step(step))
    pictures = [("original", original), *((one.title(original), one.picture) for one in found)]
    figure, axes = pyplot.subplots(1, len(pictures), figsize=(4 * len(pictures), 4),
                                   layout="constrained")  # fmt: skip
    for axis, (title, picture) in zip(axes, pictures, strict=True):
        axis.imshow(picture[part], interpolation="nearest")
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
        click.echo(title)
    save(figure, Path(out))


if __name__ == "__main__":
    main()
