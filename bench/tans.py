"""tANS beside rANS: file size for each number of states and classes, and what the coders cost.

    python -m bench.tans --data emnist_digits

Fewer classes are those of `lutgen slim --classes`, counted on the training part; sizes are those
of whole files of the validation part, every one decoded again.  Resources are those of head and
coder alone, synthesised on their own for zynq7045: all else is the same for both.
"""

import json
from datetime import date
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from bench.tables.results import deepest
from lutgen.build.describe import DEPTHS
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, Coder, tans
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.model.model import Model
from lutgen.synth import estimate
from lutgen.targets import get_target
from lutgen.targets.fit import levels_basis
from lutgen.training.data.datasets import data_hash, load_images
from lutgen.training.slim.slim import Slim, slim_model

CLASSES = (128, 64, 32, 16)
BITS = range(8, 13)
#: Tables of more states are not synthesised.
MOST_STATES = 1 << 17
_TARGET = get_target("zynq7045")
_COUNTED = ("lut", "ff", "bram36", "dsp")


def rate(model: Model, images: np.ndarray, coder: Coder) -> dict:
    """Bits per pixel of a file, and of its payloads."""
    codec = Codec(model, threads=1)
    coded = codec.encode(images, coder=coder)
    if not np.array_equal(codec.decode(coded.data), images):
        raise RuntimeError(f"decoded images must equal the originals, but differ with {coder}")
    return {
        "file": 8 * len(coded.data) / images.size,
        "payload": 8 * coded.payload_bytes / images.size,
        "ideal": coded.ideal_bits / images.size,
    }


def resources(model: Model, coder: Coder) -> dict:
    """Head and coder core of encoder and decoder."""
    config = CoreConfig(model, primitive=_TARGET.lut_primitive, coder=coder)
    found = {"decoder_depth": config.min_decoder_lanes, "encoder_depth": config.min_encoder_lanes}
    for side in ("encoder", "decoder"):
        parts = []
        for name in ("head", "coder"):
            component = getattr(config, f"{side}_{name}")()
            counted = estimate(to_verilog(component, "block"), "block", _TARGET, {})
            parts.append(
                {kind: counted["total"][kind] for kind in _COUNTED}
                | {kind: counted[kind] for kind in DEPTHS}
            )
        found[side] = {kind: sum(part[kind] for part in parts) for kind in _COUNTED}
        found[side] |= {kind: max(part[kind] or 0 for part in parts) for kind in DEPTHS}
    return found


def _title(coder: Coder) -> str:
    return "rANS" if coder == RANS else f"tANS {coder.state_bits}"


@click.command(cls=Command)
@click.option("--data", required=True)
@click.option("--limit", type=int, help="First N images of the validation part only.")
@click.option(
    "--synthesise", default=128, show_default=True, help="Least classes of what is synthesised."
)
@click.option("--out", default="bench/results/tans.json", show_default=True, type=OutputFile())
def main(data, limit, synthesise, out) -> None:
    """Measure both coders on a data set; rows of a run that was stopped are kept."""
    model = Model.default()
    train = load_images(data, split="train")
    images = np.stack(load_images(data, split="val")[:limit])
    result: dict = {
        "date": date.today().isoformat(),
        "command": command_of("bench.tans"),
        "hash": model.hash, "target": _TARGET.name, "data": data, "images": len(images),
        "sha256": data_hash(list(images)), "rows": [],
    }  # fmt: skip
    old = json.loads(Path(out).read_text()) if Path(out).exists() else {}
    if all(old.get(key) == result[key] for key in ("hash", "sha256", "images")):
        result["rows"] = old["rows"]
    done = {(row["classes"], row["coder"]) for row in result["rows"]}
    for classes in CLASSES:
        if all((classes, _title(coder)) in done for coder in (RANS, *map(tans, BITS))):
            continue
        used = model
        if classes < model.head.classes:
            used = slim_model(model, train, Slim(classes=classes, limit=20000), name=data)
        for coder in (RANS, *map(tans, BITS)):
            if (classes, _title(coder)) in done:
                continue
            row = {
                "classes": classes, "coder": _title(coder), "bpp": rate(used, images, coder),
                "resources": None,
            }  # fmt: skip
            states = classes << coder.code
            if classes >= synthesise and (coder == RANS or states <= MOST_STATES):
                row["resources"] = resources(used, coder)
            result["rows"].append(row)
            write_file(out, (json.dumps(result, indent=1) + "\n").encode())
    _show(result)


def _show(result: dict) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{result['images']} images of {result['data']}; head and coder on "
        f"{result['target']}", title_justify="left", caption_justify="left",
        caption=f"levels: LUT levels / logic levels. {levels_basis(_TARGET.yosys_family)}",
    )  # fmt: skip
    for column in ("classes", "coder"):
        table.add_column(column)
    for column in ("bpp", "to rANS", "LUT", "BRAM36", "DSP", "levels", "decoder depth"):
        table.add_column(column, justify="right")
    for row in result["rows"]:
        base = next(r for r in result["rows"] if r["classes"] == row["classes"])
        ratio = row["bpp"]["file"] / base["bpp"]["file"] - 1
        cells = ["-"] * 5
        if row["resources"]:
            sides = [row["resources"][side] for side in ("encoder", "decoder")]
            cells = [
                *(" + ".join(f"{s[kind]:g}" for s in sides) for kind in ("lut", "bram36", "dsp")),
                deepest(*sides), str(row["resources"]["decoder_depth"]),
            ]  # fmt: skip
        table.add_row(
            str(row["classes"]), row["coder"], f"{row['bpp']['file']:.4f}", f"{ratio:+.2%}", *cells
        )
    Console().print(table)


if __name__ == "__main__":
    main()
