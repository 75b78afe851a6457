"""Leaves and classes against bits per pixel: the figures behind `RasterTable`'s numbers.

``python -m lutgen.training.tree.curve emnist_digits --out curve.json`` grows one tree for each
shape (top leaves and walker stages) and finishes it for each number of leaves and of classes.
Trained on the set's ``train`` part, all of it; quoted on ``val``.
"""

import itertools
import json
import sys

import click

from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.model.window import Window
from lutgen.training.data.datasets import data_hash, load_images
from lutgen.training.data.samples import collect, orientations
from lutgen.training.tree.compile import collapse, compile_tree
from lutgen.training.tree.train import bits_per_pixel, fit_classes, grow_tree, head_bits, table_head
from lutgen.training.tree.tree_config import RasterTable

__all__ = ["curve"]


def curve(images, validation, shapes, leaves, classes, *, report=lambda row: None, **options):
    """Rows of figures, one dict for each shape, number of leaves and number of classes.

    ``shapes`` are pairs of top leaves and stages; ``options`` go to `RasterTable`.
    """
    rows = []
    base = RasterTable(**options)
    window = Window(base.window)
    train = collect(orientations(images, base.orientations), window, base.tile)
    val = collect(validation, window, base.tile)
    for top_leaves, stages in shapes:
        most = min(max(leaves), top_leaves * 4**stages) if stages else max(leaves)
        shape = {**options, "top_leaves": top_leaves, "stages": stages}
        config = RasterTable(**{**shape, "leaves": most})
        grown = grow_tree(train, config, "")
        for count, tables in itertools.product(leaves, classes):
            if not top_leaves <= count <= most and stages:
                continue
            config = RasterTable(**{**shape, "leaves": count, "classes": tables})
            fit = fit_classes(grown, train, config)
            bits = head_bits(table_head(fit, 0.25))
            tree, label = collapse(fit.tree, fit.label)
            network, walker = compile_tree(tree, label, features=window.features, stages=stages)
            rows.append({
                "top_leaves": top_leaves, "stages": stages, "leaves": int(tree.leaves.size),
                "classes": len(fit.counts),
                "train_bpp": round(bits_per_pixel(fit.tree, bits, train, fit.label), 4),
                "val_bpp": round(bits_per_pixel(fit.tree, bits, val, fit.label), 4),
                "luts": network.n_nodes, "thermometer_bits": network.n_inputs,
                "depth": network.depth,
                "records": [stage.records for stage in walker.stages] if walker else [],
            })
            report(rows[-1])
    return rows


def _numbers(_, __, text):
    return [int(part) for part in text.split(",")]


@click.command(cls=Command)
@click.argument("data")
@click.option("--shapes", default="256/3", help="Top leaves / stages, separated by commas.")
@click.option("--leaves", default="1024,4096,8192,12288", callback=_numbers)
@click.option("--classes", default="64,128,192,256", callback=_numbers)
@click.option("--out", type=OutputFile(), help="File for the rows, json; stdout unless told.")
def _main(data, shapes, leaves, classes, out):
    images, validation = load_images(data), load_images(data, split="val")
    rows = curve(
        images, validation, [tuple(map(int, shape.split("/"))) for shape in shapes.split(",")],
        leaves, classes, report=lambda row: print(json.dumps(row), file=sys.stderr, flush=True),
    )
    result = {"data": data, "sha256": data_hash(images), "rows": rows}
    text = json.dumps(result, indent=1)
    if out:
        write_file(out, (text + "\n").encode())
    else:
        print(text)


if __name__ == "__main__":
    _main()
