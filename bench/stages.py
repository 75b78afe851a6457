"""Clocks of the loops of the predictive cores, by images and samples' bits.

    python -m bench.stages

The cores count them themselves, from the model (`lutgen/gateware/fabric/timeline.py`).
"""

import json

import click

from bench.asked import command_of
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.decoder import PredictiveDecoder
from lutgen.gateware.predictive.encoder import PredictiveEncoder
from lutgen.model.shipped import shipped

#: Model, bits of a sample, and greatest near.
CORES = (
    *(("photo" if depth == 8 else "photo-16", depth, 0) for depth in (8, 10, 12, 14, 16)),
    ("photo", 8, 5), ("photo-rgb", 8, 0), ("photo-bayer", 12, 0),
)  # fmt: skip


def loops(name: str, depth: int, near: int) -> dict:
    """Of an encoder and a decoder: clocks by what is there then, and those of a period."""
    config = PredictiveConfig(shipped(name), depth=depth, max_near=near)
    cores = {
        "encoder": (PredictiveEncoder(**config.of_encoder), config.encoder_lanes),
        "decoder": (PredictiveDecoder(**config.of_decoder), config.lanes),
    }
    return {
        core: {"clocks": made.loop_clocks, "lanes": lanes, "period": config.period(lanes)}
        for core, (made, lanes) in cores.items()
    }


@click.command(cls=Command)
@click.option("--out", default="bench/results/stages.json", show_default=True, type=OutputFile())
def main(out) -> None:
    """Make all cores and ask them."""
    record = {
        "command": command_of("bench.stages"),
        "cores": [
            {"model": name, "depth": depth, "near": near, **loops(name, depth, near)}
            for name, depth, near in CORES
        ],
    }  # fmt: skip
    write_file(out, (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
