"""What fewer thresholds, narrower outputs and fewer scales save, and what they cost in bpp.

    python -m bench.slim bench/models/gic-dlc-emnist.lutgen --data emnist_digits

Each choice is what `lutgen slim` makes of the model on training images.  bpp are of the validation
images, without and with the pooling constraint: neither networks nor tables depend on it, so the
latter is the same choice of ``gic-dlc+``.  LUTs are counted block by block: comparators, popcounts
and the classifier, a pair of tables behind mu and sigma, by Yosys; of the layers each node is a
LUT6 primitive, which synthesis keeps.  The upsampling network's four tables from counts to pixels
are left out.  Heads are given by the bits of their tables, and by those of the decoder's, which
holds the distribution functions four times.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import click
import numpy as np
from amaranth.lib.wiring import Component

from bench.asked import command_of
from bench.luts import table_bits
from lutgen.codec.codec import Codec
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.heads.laplace import LaplaceClassifier
from lutgen.gateware.network.popcount import Popcount
from lutgen.gateware.network.thermometer import Thermometer
from lutgen.model.head import PROB_BITS
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.synth import estimate
from lutgen.targets import get_target
from lutgen.training.data.datasets import data_hash, load_images
from lutgen.training.slim.slim import Slim, slim_model

#: What is tried: options of `lutgen slim`, one by one, then together.
CHOICES: dict[str, dict[str, int]] = {
    "full": {},
    "31 thresholds": {"thresholds": 31},
    "15 thresholds": {"thresholds": 15},
    "7 thresholds": {"thresholds": 7},
    "2 x 256 output bits": {"output_bits": 256},
    "2 x 128 output bits": {"output_bits": 128},
    "2 x 64 output bits": {"output_bits": 64},
    "4 x 128 ups bits": {"ups_bits": 128},
    "4 x 64 ups bits": {"ups_bits": 64},
    "4 x 32 ups bits": {"ups_bits": 32},
    "32 scales": {"scales": 32},
    "16 scales": {"scales": 16},
    "8 scales": {"scales": 8},
    "together, fine": {"thresholds": 15, "scales": 16},
    "together, half": {"thresholds": 15, "output_bits": 256, "ups_bits": 128, "scales": 16},
    "together, third": {"thresholds": 15, "output_bits": 128, "ups_bits": 64, "scales": 16},
}
_TARGET = get_target("zynq7045")
_COUNTED = ("lut", "bram36")


class _Counter:
    """Resources of components; what several choices have in common is synthesised once."""

    def __init__(self) -> None:
        self._known: dict[tuple, dict] = {}

    def _count(self, key: tuple, make) -> dict:
        if key not in self._known:
            component: Component = make()
            found = estimate(to_verilog(component, "block"), "block", _TARGET, {})
            self._known[key] = {name: found["total"][name] for name in _COUNTED}
        return self._known[key]

    def network(self, net: Netlist) -> dict[str, dict]:
        """Comparators, layers and popcounts."""
        return {
            "comparators": self._count(
                ("comparators", net.inputs.tobytes()),
                lambda: Thermometer(net, primitive=_TARGET.lut_primitive),
            ),
            "layers": {"lut": net.n_nodes, "bram36": 0},
            "popcounts": _sum(
                self._count(("popcount", len(bits)), lambda bits=bits: Popcount(len(bits)))
                for bits in net.outputs.values()
            ),
        }

    def classifier(self, head) -> dict:
        key = ("classifier", head.mu.size, head.sigma.size, head.scales)
        return self._count(key, lambda: LaplaceClassifier(head))


def _sum(parts) -> dict:
    parts = list(parts)
    return {name: sum(p[name] for p in parts) for name in _COUNTED}


def _figures(net: Netlist, blocks: Mapping[str, dict]) -> dict:
    return {
        "comparators": net.n_inputs, "nodes": net.n_nodes,
        "outputs": {name: len(bits) for name, bits in net.outputs.items()},
        "blocks": blocks, "total": _sum(blocks.values()),
    }  # fmt: skip


def _bpp(model: Model, images: np.ndarray) -> dict:
    coded = Codec(model, threads=1).encode(images)
    return {"ideal": coded.ideal_bits / images.size, "file": 8 * len(coded.data) / images.size}


def measure(model: Model, images: np.ndarray, counter: _Counter) -> dict:
    """One choice."""
    head = model.head
    found = {
        "hash": model.hash,
        "bpp": _bpp(replace(model, constraint=False), images),
        "bpp_constrained": None,
        "network": _figures(
            model.network,
            counter.network(model.network) | {"classifier": counter.classifier(head)},
        ),
        "upsampler": None,
        "scales": head.scales,
        "table_bits": table_bits(head),
        "decoder_cdf_bits": 4 * head.cdf.size * PROB_BITS,
    }
    if model.upsampler is not None:
        net = model.upsampler.network
        found["upsampler"] = _figures(net, counter.network(net))
        found["bpp_constrained"] = _bpp(replace(model, constraint=True), images)
    parts = [p["total"] for p in (found["network"], found["upsampler"]) if p]
    return found | {"total": _sum(parts)}


@click.command(cls=Command)
@click.argument("path", metavar="MODEL")
@click.option("--data", required=True)
@click.option("--out", default="bench/results/slim.json", show_default=True, type=OutputFile())
def main(path, data, out) -> None:
    """Measure all choices for a model, on training and validation part of a data set."""
    model = Model.load(path)
    train = load_images(data, split="train")
    images = np.stack(load_images(data, split="val"))
    counter = _Counter()
    result: dict = {
        "date": date.today().isoformat(),
        "command": command_of("bench.slim"),
        "model": Path(path).stem, "hash": model.hash, "target": _TARGET.name,
        "data": data, "images": len(images), "sha256": data_hash(images),
        "pixels_of_window": model.window.features,
        "choices": [],
    }  # fmt: skip
    for name, options in CHOICES.items():
        options = {k: v for k, v in options.items() if k != "ups_bits" or model.upsampler}
        slim = slim_model(model, train, Slim(**options), name=data) if options else model
        counted = slim.training["slim"][-1]["data"]["images"] if options else 0
        result["choices"].append({
            "name": name, "options": options, "counted_on": counted,
            **measure(slim, images, counter),
        })  # fmt: skip
        write_file(out, (json.dumps(result, indent=1) + "\n").encode())
    _show(result)


def _show(result: dict) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{result['model']}, {result['images']} images of {result['data']}",
        title_justify="left",
    )
    table.add_column("choice")
    for column in (
        "bpp", "more", "constrained", "more", "comparators", "nodes", "LUTs", "less", "cdf kbit",
    ):  # fmt: skip
        table.add_column(column, justify="right")

    def bpp(choice: dict, kind: str) -> tuple[str, str]:
        if choice[kind] is None:
            return "-", "-"
        now, was = choice[kind]["ideal"], result["choices"][0][kind]["ideal"]
        return f"{now:.3f}", f"{now / was - 1:+.1%}"

    def both(choice: dict, what: str) -> str:
        return " + ".join(str(p[what]) for p in (choice["network"], choice["upsampler"]) if p)

    luts = result["choices"][0]["total"]["lut"]
    for choice in result["choices"]:
        table.add_row(
            choice["name"], *bpp(choice, "bpp"), *bpp(choice, "bpp_constrained"),
            both(choice, "comparators"), both(choice, "nodes"), str(choice["total"]["lut"]),
            f"{choice['total']['lut'] / luts - 1:+.0%}",
            f"{choice['decoder_cdf_bits'] / 1024:.0f}",
        )  # fmt: skip
    Console().print(table)


if __name__ == "__main__":
    main()
