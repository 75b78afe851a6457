"""The usual codecs, and a model, on images of many kinds: bits per pixel of each kind.

    python -m bench.domains --gray kodak=kodak --crop 512 thermal16=domains2/thermal16 ...

Each NAME=DATA is a set of images of any depth, gray or colour, whose bits are those of a pixel;
``--gray NAME=FOLDER`` is one of colour pictures that are made gray first, by the weights of ITU-R
BT.601 (Pillow's ``convert("L")``), as Kodak is quoted.  Every codec writes a file for each image
and reads it back; all bytes count.  With ``--crop`` the middle of larger images is measured, at
even rows and columns.  ``--cfa RGGB`` says that images are colour filter arrays: the usual codecs
code them as they are, and JPEG-LS and JPEG XL their four planes, too.  Plots are made of the json
by ``python -m bench.figures``.
"""

import importlib.metadata
import json
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from lutgen.commands import Command, Failure, OutputFile
from lutgen.compare.codecs import ImageCodec, image_codec
from lutgen.compare.evaluate import evaluate, faults
from lutgen.compare.table import show
from lutgen.files.whole import write_file
from lutgen.formats.colour import colour_files, read_colour
from lutgen.formats.rules import DEEP_COLOUR, DEEP_GRAY
from lutgen.model.cfa import CFAS
from lutgen.training.data.datasets import data_hash, load_images


def middle(image: np.ndarray, side: int | None) -> np.ndarray:
    """The middle of an image, at most ``side`` x ``side`` pixels."""
    if side is None:
        return image
    # Even, so that the first pixel of a colour filter array stays the first.
    top, left = (max(0, length - side) // 2 & ~1 for length in image.shape[:2])
    return image[top : top + side, left : left + side]


def gray_picture(path) -> np.ndarray:
    """A colour picture as 8-bit gray."""
    from PIL import Image

    return np.array(Image.fromarray(read_colour(path)).convert("L"))


def gray(folder: str) -> list[np.ndarray]:
    """Colour pictures as 8-bit gray."""
    return [gray_picture(path) for path in colour_files(folder)]


def measured(
    images: list[np.ndarray], codec: ImageCodec | None, near, cfa: str | None, progress
) -> dict:
    """What `evaluate` says, without the codec where it does not code these images."""
    takes = codec is not None and all(
        image.dtype in codec.limits.dtypes
        and codec.limits.fewest <= (*image.shape, 1)[2] <= codec.limits.channels
        for image in images
    )
    result = evaluate(images, codec if takes else None, near=near, cfa=cfa, progress=progress)
    if bad := faults(result):
        raise Failure("; ".join(bad))
    return result


def named(values: tuple[str, ...]) -> dict[str, str]:
    """Specifications by name; without one, by the last part of the path."""
    pairs = (v.partition("=") if "=" in v else (Path(v).stem, "=", v) for v in values)
    return {name: spec for name, _, spec in pairs}


@click.command(cls=Command)
@click.argument("data", nargs=-1, metavar="[NAME=]DATA...")
@click.option("--gray", "colour", multiple=True, metavar="[NAME=]FOLDER",
              help="Colour pictures, made gray.")  # fmt: skip
@click.option("--crop", type=click.IntRange(1), metavar="N",
              help="Measure the middle, at most N x N pixels.")  # fmt: skip
@click.option("--near", type=click.IntRange(1, 255), multiple=True, metavar="N")
@click.option("--cfa", type=click.Choice(CFAS), help="Pattern of colour filter arrays.")
@click.option("--model", help="Measure it, too: a model file, or the name of a shipped model.")
@click.option("--split", default="val", show_default=True, help="Part of data that comes in parts.")
@click.option("--out", default="bench/results/domains.json", show_default=True, type=OutputFile())
def main(data, colour, crop, near, cfa, model, split, out) -> None:
    """Measure codecs on sets of images, and add them to the json of earlier runs."""
    from rich.console import Console

    from lutgen.training.tree.train import progress_bar

    if not data and not colour:
        raise click.UsageError("data must be at least one set, not none")
    codec = image_codec(model, cfa=cfa) if model else None
    limits = DEEP_GRAY if cfa else DEEP_COLOUR
    sets = {name: lambda spec=spec: load_images(spec, split=split, limits=limits)
            for name, spec in named(data).items()}  # fmt: skip
    sets |= {name: lambda spec=spec: gray(spec) for name, spec in named(colour).items()}
    found = json.loads(Path(out).read_text()) if Path(out).exists() else {}
    results = {}
    for name, read in sets.items():
        images = [middle(image, crop) for image in read()]
        with progress_bar() as progress:
            results[name] = measured(images, codec, near, cfa, progress)
        found[name] = {
            "date": date.today().isoformat(),
            "command": command_of("bench.domains"),
            "imagecodecs": importlib.metadata.version("imagecodecs"),
            "sha256": data_hash(images), "crop": crop, **results[name],
        }  # fmt: skip
        write_file(out, (json.dumps(found, indent=1) + "\n").encode())
    show(results, Console())


if __name__ == "__main__":
    main()
