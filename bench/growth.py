"""How much files grow that nothing can be said of: noise and other hostile images, by size.

    python -m bench.growth

Images are drawn: uniform noise, black and white at random, and a black image with one white sample
in each block of 8 x 8, for samples of 8 to 16 bits in squares of several sides.  A file is compared
with its samples in plain bits, without any header; all real images of `LUTGEN_DATA`, as they are in
their files, are compared likewise.
"""

import json
import os
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from lutgen.api import encode
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.formats.rules import DEEP_GRAY
from lutgen.model.samples import SignificantBits
from lutgen.training.data.datasets import load_images

SIDES, DEPTHS = (1, 8, 16, 32, 64, 128, 256, 512), (8, 10, 12, 14, 16)
#: Folders and archives of gray images in `LUTGEN_DATA`.
_REAL = ("domains", "domains2", "natural_gray_val.npz")


def drawn(side: int, depth: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Images that a model of photographs does not expect."""
    most, kind = (1 << depth) - 1, np.uint8 if depth == 8 else np.uint16
    sparse = np.zeros((side, side), kind)
    sparse[::8, ::8] = most
    return {
        "noise": rng.integers(0, most + 1, (side, side), dtype=kind),
        "black and white": (rng.integers(0, 2, (side, side)) * most).astype(kind),
        "sparse": sparse,
    }  # fmt: skip


def growth(image: np.ndarray) -> float:
    """Bytes of a file over those of the samples in plain bits."""
    depth = max(8, SignificantBits.of(image).depth)
    return len(encode(image)) / -(-image.size * depth // 8)


def real(data: Path) -> dict[str, float]:
    """The greatest of each kind of real images."""
    found = {}
    for name in _REAL:
        path = data / name
        for folder in sorted(path.iterdir()) if path.is_dir() else [path]:
            if folder.is_file() and folder.suffix == ".json" or folder.name.startswith("rgb"):
                continue
            images = load_images(str(folder), split="val", limits=DEEP_GRAY)
            found[folder.stem] = max(growth(image) for image in images)
    return found


@click.command(cls=Command)
@click.option("--out", default="bench/results/growth.json", show_default=True, type=OutputFile())
def main(out) -> None:
    """Encode everything."""
    rng = np.random.default_rng(0)
    rows = []
    for side in SIDES:
        worst: dict[str, float] = {}
        for depth in DEPTHS:
            for name, image in drawn(side, depth, rng).items():
                worst[name] = max(worst.get(name, 0.0), growth(image))
        rows.append({"side": side, **worst})
        say(f"{rows[-1]}")
    record = {
        "command": command_of("bench.growth"), "depths": DEPTHS,
        "rows": rows, "real": real(Path(os.environ["LUTGEN_DATA"])),
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
