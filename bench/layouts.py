"""Ways to cut images, and nears, of `photo` on Kodak gray, beside JPEG-LS at the same nears.

    LUTGEN_DATA=... python -m bench.layouts

Files of the first images are decoded again: no sample may be off by more than its near.  How many
lanes a core has is not among the layouts, as files do not depend on it.  A run measures the layouts
that it names and keeps the others of the file, if they are of the same model.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import click

from bench.domains import gray
from bench.sizes import files_bpp
from lutgen.codec.coder import RANS, Coder, tans
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Command, OutputFile, say
from lutgen.compare.baselines import jpeg_ls
from lutgen.compare.codecs import mean_bpp
from lutgen.files.whole import write_file
from lutgen.model.shipped import shipped

NEARS = (0, 1, 2, 3, 5)
_IMAGE = 65_535


class Layout(NamedTuple):
    """How a file is cut, and what codes it: options of `PredictiveCodec.encode`.

    A length that images do not have is theirs; tiles without columns are groups of rows.
    """

    strip_height: int = _IMAGE
    tile_width: int = 0
    coder: Coder = RANS


LAYOUTS = {
    "groups of rows, one strip": Layout(),
    "groups of rows, strips of 64": Layout(64),
    "groups of rows, strips of 16": Layout(16),
    "one tile": Layout(tile_width=_IMAGE),
    "one tile, tANS of 2^11 states": Layout(tile_width=_IMAGE, coder=tans(11)),
    "tiles of 64 x 64": Layout(64, 64),
    "tiles of 32 x 32": Layout(32, 32),
}


@click.command(cls=Command)
@click.option("--layout", "names", type=click.Choice(list(LAYOUTS)), multiple=True,
              show_default="all")  # fmt: skip
@click.option("--out", default="bench/results/layouts.json", show_default=True, type=OutputFile())
def main(names, out) -> None:
    """Measure `photo` with layouts, and every near."""
    model = shipped("photo")
    codec = PredictiveCodec(model)
    images = gray(str(Path(os.environ["LUTGEN_DATA"]) / "kodak"))
    usual = [
        mean_bpp([len(jpeg_ls(near).encode(image)) for image in images], images) for near in NEARS
    ]
    found = json.loads(Path(out).read_text()) if Path(out).exists() else {}
    rows = found["layouts"] if found.get("hash") == model.hash else {}
    for name in names or LAYOUTS:
        rows[name] = [files_bpp(codec, images, near, **LAYOUTS[name]._asdict()) for near in NEARS]
        say(f"{name}: {', '.join(f'{value:.4f}' for value in rows[name])}")
    record = {
        "command": "python -m bench.layouts", "hash": model.hash, "images": len(images),
        "nears": NEARS, "JPEG-LS": usual,
        "layouts": {name: rows[name] for name in LAYOUTS if name in rows},
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
