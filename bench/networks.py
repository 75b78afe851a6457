"""Networks of profile ``predictive`` by boosting and by gradients, at equal LUTs, on Kodak gray.

    LUTGEN_DATA=... python -m bench.networks [--samples N]

Scale and predictor are trained once, on ``natural_gray_train``; then each trainer adds networks of
each size to them.  LUTs are counted as `bench/counted.py` says.
"""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import click

from bench.asked import command_of
from bench.counted import luts
from bench.domains import gray
from bench.sizes import files_bpp
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Command, OutputFile, say
from lutgen.files.whole import write_file
from lutgen.training.data.datasets import load_images
from lutgen.training.predictive.config import NETWORKS, PredictiveConfig
from lutgen.training.predictive.train import add_networks, train_predictor

#: Correction trees and scale trees.
SIZES = ((0, 0), (4, 8), (12, 24), (24, 48))


@click.command(cls=Command)
@click.option("--samples", type=int, default=800_000, show_default=True)
@click.option("--out", default="bench/results/networks.json", show_default=True, type=OutputFile())
def main(samples, out) -> None:
    """Train and measure."""
    data = Path(os.environ["LUTGEN_DATA"])
    train = [(image, 8) for image in load_images(str(data / "natural_gray_train.npz"))]
    kodak = gray(str(data / "kodak"))
    config = PredictiveConfig(samples=samples)
    model, drawn = train_predictor(train, config)
    points: list[dict] = []
    for corrections, scales in SIZES:
        for network in NETWORKS[: 2 if scales else 1]:
            begun = time.process_time()
            made = add_networks(model, drawn, replace(
                config, corrections=corrections, scales=scales, network=network
            ))  # fmt: skip
            seconds, counts = time.process_time() - begun, made.stats()
            points.append({
                "network": network, "corrections": corrections, "scales": scales,
                "comparisons": counts["comparisons"], "table_luts": counts["table_luts"],
                "luts": luts(counts),
                "bpp": files_bpp(PredictiveCodec(made), kodak), "seconds": round(seconds),
            })  # fmt: skip
            say(f"{network}, {corrections} + {scales}: {points[-1]['bpp']:.4f}")
    record = {
        "command": command_of("bench.networks"),
        "samples": samples, "images": len(kodak), "points": points,
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
