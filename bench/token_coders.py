"""rANS beside tANS for the tokens of profile ``predictive``: files of Kodak gray, and tables.

    LUTGEN_DATA=... python -m bench.token_coders

Every file is decoded again.  Tables are those that a decoder needs: of rANS the bounds of all
tokens but the first, 14 bits each; of tANS token and reduced state of each state.
"""

import json
import os
from pathlib import Path

import click

from bench.asked import command_of
from bench.domains import gray
from bench.sizes import files_bpp
from lutgen.codec.coder import RANS, Coder, tans
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.tans import TansTables
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.shipped import shipped

BITS = range(8, 13)


def table_bits(model: PredictiveModel, coder: Coder) -> int:
    """Bits of a decoder's tables."""
    if coder == RANS:
        return model.stats()["table_bits"]
    tables = TansTables.of_tokens(model.cumulative, coder.code)
    entry = int(tables.escape).bit_length() + tables.bits + 1
    return tables.symbols.size * entry


@click.command(cls=Command)
@click.option(
    "--out", default="bench/results/token-coders.json", show_default=True, type=OutputFile()
)
def main(out) -> None:
    """Measure `photo` with both coders."""
    model = shipped("photo")
    codec = PredictiveCodec(model)
    images = gray(str(Path(os.environ["LUTGEN_DATA"]) / "kodak"))
    rows = []
    for coder in (RANS, *map(tans, BITS)):
        rows.append({
            "coder": coder.name, "state_bits": coder.state_bits,
            "bpp": files_bpp(codec, images, coder=coder),
            "bpp_strips": files_bpp(codec, images, coder=coder, strip_height=16),
            "table_bits": table_bits(model, coder),
        })  # fmt: skip
        say(f"{coder.name} {coder.state_bits}: {rows[-1]['bpp']:.4f}")
    record = {
        "command": command_of("bench.token_coders"),
        "hash": model.hash, "images": len(images), "rows": rows,
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
