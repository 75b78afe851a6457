"""What slabs and strips cost: files of Kodak gray by `photo`, cut into both.

    LUTGEN_DATA=... python -m bench.slabs

Every file is decoded again.
"""

import json
import os
from pathlib import Path

import click

from bench.asked import command_of
from bench.domains import gray
from bench.sizes import files_bpp
from lutgen.codec.coder import RANS
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import SLABS
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.model.shipped import shipped

#: Rows of a strip; None: one strip.
STRIPS = (None, 128, 64, 32, 16)


@click.command(cls=Command)
@click.option("--out", default="bench/results/slabs.json", show_default=True, type=OutputFile())
def main(out) -> None:
    """Measure `photo` with slabs and strips."""
    model = shipped("photo")
    codec = PredictiveCodec(model)
    images = gray(str(Path(os.environ["LUTGEN_DATA"]) / "kodak"))
    rows = []
    for slabs in SLABS:
        bpp = [
            files_bpp(codec, images, coder=RANS, slabs=slabs, tile_width=0,
                      strip_height=strip or max(len(image) for image in images))
            for strip in STRIPS
        ]  # fmt: skip
        rows.append({"slabs": slabs, "bpp": bpp})
        say(f"{slabs} slabs: {', '.join(f'{value:.4f}' for value in bpp)}")
    record = {
        "command": command_of("bench.slabs"),
        "hash": model.hash, "images": len(images), "strips": STRIPS, "rows": rows,
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
