"""Compression against hardware: bpp, LUTs and block memory over leaves and classes.

    python -m bench.curve emnist_digits --out bench/results/curve.json

Trains each point on the train part, codes the val part (file bytes counted), and counts the
resources of encoder and decoder for one target with Yosys.  Points that the output file already
holds are kept.
"""

import json
import tempfile
from pathlib import Path

import click
import numpy as np

from bench.tables.results import deepest
from lutgen.build.codec import build
from lutgen.build.describe import DEPTHS
from lutgen.codec.codec import Codec
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.targets import get_target
from lutgen.targets.fit import levels_basis
from lutgen.training.data.datasets import load_images
from lutgen.training.tree.train import train_table_model
from lutgen.training.tree.tree_config import RasterTable

_POINTS = "12288:128,1024:128,12288:64,4096:128,12288:256,1024:64"


def measure(data: str, leaves: int, classes: int, target: str) -> dict:
    """One point of the curve."""
    images = load_images(data, split="train")
    model = train_table_model(
        images, RasterTable(leaves=leaves, classes=classes), name=data, licence="see the data"
    )
    val = np.stack(load_images(data, split="val"))
    coded = Codec(model).encode(val)
    with tempfile.TemporaryDirectory() as out:
        record = build(target, model, out=Path(out, "build"))
    cores = {
        name: {kind: core["resources"]["total"][kind] for kind in ("lut", "ff", "bram36", "dsp")}
        | {kind: core["resources"][kind] for kind in DEPTHS}
        for name, core in record["cores"].items()
    }
    return {
        "leaves": leaves,
        "classes": classes,
        "bpp": {
            "ideal": coded.ideal_bits / val.size,
            "payload": 8 * coded.payload_bytes / val.size,
            "file": 8 * len(coded.data) / val.size,
        },
        "nodes": model.network.n_nodes,
        "records": [stage.records for stage in model.walker.stages] if model.walker else [],
        "cores": cores,
        "lanes": record["parameters"]["lanes"],
        "model_hash": model.hash,
    }


@click.command(cls=Command)
@click.argument("data")
@click.option("--points", default=_POINTS, show_default=True, help="leaves:classes, ...")
@click.option("--target", default="zynq7045", show_default=True)
@click.option("--out", default="bench/results/curve.json", show_default=True, type=OutputFile())
def main(data: str, points: str, target: str, out: str) -> None:
    """Measure all points."""
    path = Path(out)
    result = json.loads(path.read_text()) if path.exists() else {}
    result |= {"data": data, "target": target}
    known = {(p["leaves"], p["classes"]): p for p in result.get("points", [])}
    for point in points.split(","):
        leaves, classes = map(int, point.split(":"))
        if (leaves, classes) not in known:
            known[leaves, classes] = measure(data, leaves, classes, target)
        result["points"] = [known[key] for key in sorted(known)]
        write_file(path, (json.dumps(result, indent=1) + "\n").encode())
        p = known[leaves, classes]
        e, d = p["cores"]["encoder"], p["cores"]["decoder"]
        click.echo(
            f"{leaves:6} leaves {classes:4} classes: {p['bpp']['file']:.3f} bpp, "
            f"{e['lut']} + {d['lut']} LUT, {e['bram36']} + {d['bram36']} BRAM36, "
            f"at most {deepest(e, d)} levels"
        )
    click.echo(levels_basis(get_target(target).yosys_family))


if __name__ == "__main__":
    main()
