"""What narrower coefficients cost: files of Kodak gray by `photo`, its predictors' rounded.

    LUTGEN_DATA=... python -m bench.coefficients

Coefficients of a model are whole numbers of 1/128.  Where a row of them is rounded, N's takes what
is left, as they must add up to one.  Tables and trees stay as they were trained.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from bench.domains import gray
from bench.sizes import files_bpp
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import TAPS
from lutgen.model.predictive.predictor import COEFFICIENT_BITS
from lutgen.model.shipped import shipped

#: Bits of a coefficient's fraction.
FRACTIONS = (7, 6, 5, 4)


def narrower(model: PredictiveModel, bits: int) -> PredictiveModel:
    """The model with so many bits of its coefficients' fractions."""
    step = 1 << (COEFFICIENT_BITS - bits)
    whole = np.rint(model.predictor.coefficients / step).astype(np.int64) * step
    whole[:, TAPS.index("N")] += (1 << COEFFICIENT_BITS) - whole.sum(axis=1)
    return replace(model, predictor=replace(model.predictor, coefficients=whole.astype(np.int16)))


def signed_bits(model: PredictiveModel, fraction: int) -> int:
    """Bits of a coefficient in two's complement that is a whole number of ``2 ** -fraction``."""
    values = model.predictor.coefficients.astype(int) >> (COEFFICIENT_BITS - fraction)
    return int(max(values.max(), -1 - values.min())).bit_length() + 1


@click.command(cls=Command)
@click.option(
    "--out", default="bench/results/coefficients.json", show_default=True, type=OutputFile()
)
def main(out) -> None:
    """Measure `photo` with narrower coefficients."""
    model = shipped("photo")
    images = gray(str(Path(os.environ["LUTGEN_DATA"]) / "kodak"))
    rows = []
    for fraction in FRACTIONS:
        found = narrower(model, fraction)
        rows.append({
            "fraction": fraction, "bits": signed_bits(found, fraction),
            "bpp": files_bpp(PredictiveCodec(found), images),
        })  # fmt: skip
        say(f"{rows[-1]}")
    record = {
        "command": command_of("bench.coefficients"),
        "hash": model.hash, "images": len(images), "rows": rows,
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
