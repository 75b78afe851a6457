"""Several cores behind one pair of ports: clocks per pixel, Mpx/s, LUTs, for each number of cores.

    python -m bench.cores --images emnist_digits
    python -m bench.cores --images emnist_digits --cores 8 --no-resources

Clocks per pixel are those of the simulated tops, whose bytes and pixels are compared with the
reference codec's, on the pixel port, in the steady state: between the mean end of a group of images
in the middle and that of the last group, over the pixels in between; a group is as many images as
all cores have lanes.  No less than the port's clocks per pixel are possible: a line begins with a
beat of its own, which of a width that is no multiple of the cores leaves a part empty.  Mpx/s are
at the target's clock goal, which nothing here has met by routing.

Resources are Yosys' estimate, as `lutgen build` makes it: one core counted exactly and multiplied,
what stands around the cores counted exactly with their ports as its own.

A run measures what its options name and keeps the rest of the file, if it is of the same model,
images and target.
"""

import json
from pathlib import Path

import click
import numpy as np

from bench.throughput import timed
from lutgen.build.cores import GLUE, count_core, count_cores, count_glue, top_of_cores
from lutgen.build.describe import DEPTHS
from lutgen.build.tile_blueprint import block_paths
from lutgen.codec.codec import Codec
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.core.top import DecoderTop, EncoderTop
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.model.model import Model
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from lutgen.synth import estimate
from lutgen.targets import get_target
from lutgen.targets.fit import levels_basis
from lutgen.training.data.datasets import load_images

_KINDS = ("lut", "ff", "bram36", "dsp")


def _steady(clocks: np.ndarray, image_beats: int, group: int, pixels: int) -> float:
    """Clocks per pixel between two groups of images; ``clocks`` are those of the beats."""
    ends = clocks[image_beats - 1 :: image_beats]
    steady = ends[len(ends) // 2 :]
    between = pixels * (len(steady) - group)
    return float(steady[-group:].mean() - steady[:group].mean()) / between


def rates(config: CoreConfig, images: np.ndarray, cores: int, stream_bytes: int) -> dict:
    """Simulate both tops of so many cores on images, and compare with the reference."""
    count, height, width = images.shape
    reference = Codec(config.model).encode(images)
    options = {"stream_bytes": stream_bytes, "cores": cores}
    encoder, decoder = RtlEncoder(config, **options), RtlDecoder(config, **options)
    encoded, encode_seconds = timed(lambda: encoder(images))
    if encoded.files != (reference.data,) or encoded.errors:
        raise SystemExit("error: the encoder's bytes differ from the reference's")
    decoded, decode_seconds = timed(lambda: decoder(reference.data))
    if not np.array_equal(np.stack(decoded.frames), images) or decoded.errors:
        raise SystemExit("error: the decoder's pixels differ from the images")
    beats, group = height * -(-width // cores), cores * config.decoder_lanes
    found = {}
    for core, trace, clocks in (
        ("encoder", encoded.trace, encoded.trace.input_clocks["s_axis_video"]),
        ("decoder", decoded.trace, decoded.trace.output_clocks["m_axis_video"]),
    ):
        found[core] = {
            "steady_clocks_per_pixel": _steady(clocks, beats, group, height * width),
            "all_clocks_per_pixel": int(clocks[-1] - clocks[0] + 1) / images.size,
            "clocks": trace.clocks,
        }
    return found | {
        "port_clocks_per_pixel": -(-width // cores) / width,
        "images": count, "bpp": 8 * len(reference.data) / images.size, "mismatches": 0,
        "seconds": round(encode_seconds + decode_seconds, 1),
    }  # fmt: skip


def _counted(found: dict) -> dict:
    return {kind: found["total"][kind] for kind in _KINDS} | {kind: found[kind] for kind in DEPTHS}


class Resources:
    """Estimates of both cores; what does not depend on the number of cores is counted once."""

    def __init__(self, config: CoreConfig, target, stream_bytes: int) -> None:
        self._config, self._target, self._bytes = config, target, stream_bytes
        self._one: dict[str, dict] = {}

    def __call__(self, cores: int) -> dict:
        return {core: self._count(core, cores) for core in ("encoder", "decoder")}

    def _count(self, core: str, cores: int) -> dict:
        c, target = self._config, self._target
        blocks = block_paths(c.model, core)
        if cores == 1:
            top = {"encoder": EncoderTop, "decoder": DecoderTop}[core]
            module = f"lutgen_{core}"
            text = to_verilog(top(c, stream_bytes=self._bytes), module)
            return _counted(estimate(text, module, target, blocks))
        if core not in self._one:
            self._one[core] = count_core(core, c, target, blocks)
        one = self._one[core]
        glue = count_glue(
            top_of_cores(core, c, cores, self._bytes, core_ports=True), target
        )
        return _counted(count_cores(one, glue, cores)) | {
            "one_core": _counted(one), GLUE: _counted(glue),
        }  # fmt: skip


def _pair(resources: dict, target) -> dict:
    """Both cores, and their share of the device in percent."""
    total = {kind: sum(resources[core][kind] for core in resources) for kind in _KINDS}
    share = {kind: round(100 * total[kind] / n, 2) for kind, n in target.capacity.items() if n}
    return total | {
        **{kind: max(found[kind] for found in resources.values()) for kind in DEPTHS},
        "percent": share,
        "fits": all(percent <= 100 for percent in share.values()),
    }


def _number(row: dict, *path: str, form: str = "{:g}") -> str:
    for name in path:
        row = row.get(name)
        if row is None:
            return "-"
    return form.format(row)


def report(result: dict) -> str:
    """A table of the rows, as text."""
    lines = [
        "cores  encoder                             decoder                             pair",
        "       LUT     BRAM36  clk/px   Mpx/s      LUT     BRAM36  clk/px   Mpx/s      LUT "
        "    FF      BRAM36  levels  fits",
    ]
    for cores, row in result["rows"].items():
        text = f"{cores:<7}"
        for core in ("encoder", "decoder"):
            text += f"{_number(row, 'resources', core, 'lut'):8}"
            text += f"{_number(row, 'resources', core, 'bram36'):8}"
            rate = (row.get("rates") or {}).get(core, {})
            text += f"{_number(rate, 'steady_clocks_per_pixel', form='{:.4f}'):9}"
            text += f"{_number(rate, 'mpx_per_s', form='{:.1f}'):11}"
        for kind in ("lut", "ff", "bram36", "levels"):
            text += f"{_number(row, 'pair', kind):8}"
        lines.append(text + {True: "yes", False: "no", None: "-"}[row.get("pair", {}).get("fits")])
    return "\n".join(lines)


@click.command(cls=Command)
@click.option("--images", required=True, help="Data set (its val part).")
@click.option("--per-core", default=128, show_default=True, help="Images to simulate, per core.")
@click.option(
    "--cores", multiple=True, type=int, default=(1, 2, 4, 8), show_default=True,
    help="May be repeated.",
)  # fmt: skip
@click.option("--model", "model_path", help="Model file; by default the embedded one.")
@click.option("--target", "target_name", default="zynq7045", show_default=True)
@click.option("--stream-bytes", default=4, show_default=True)
@click.option("--no-rates", is_flag=True, help="Do not simulate.")
@click.option("--no-resources", is_flag=True, help="Do not count.")
@click.option("--out", default="bench/results/cores.json", show_default=True, type=OutputFile())
def main(
    images, per_core, cores, model_path, target_name, stream_bytes, no_rates, no_resources, out
) -> None:
    """Measure encoder and decoder."""
    model = Model.load(model_path) if model_path else Model.default()
    target = get_target(target_name)
    config = CoreConfig(model, primitive=target.lut_primitive)
    stack = np.stack(load_images(images, split="val")[: per_core * max(cores)])
    head = {
        "images": images, "width": stack.shape[2], "height": stack.shape[1],
        "model_hash": model.hash, "profile": model.profile, "target": target.name,
        "clock_mhz": target.clock_mhz, "stream_bytes": stream_bytes,
        "lanes": config.decoder_lanes, "encoder_lanes": config.lanes_of_encoder,
        "max_width": config.max_width, "tile": [config.tile_width, config.tile_height],
        "method": " ".join(" ".join(__doc__.split("\n\n")[2:4]).split()),
    }  # fmt: skip
    out = Path(out)
    rows: dict[str, dict] = {}
    if out.exists():
        old = json.loads(out.read_text())
        if {name: old.get(name) for name in head} == head:
            rows = old["rows"]
    count = Resources(config, target, stream_bytes)
    for m in cores:
        row = rows.setdefault(str(m), {})
        if not no_rates:
            found = rates(config, stack[: per_core * m], m, stream_bytes)
            for core in ("encoder", "decoder"):
                clocks = found[core]["steady_clocks_per_pixel"]
                found[core]["mpx_per_s"] = target.clock_mhz / clocks
            row["rates"] = found
        if not no_resources:
            row["resources"] = count(m)
            row["pair"] = _pair(row["resources"], target)
        rows = dict(sorted(rows.items(), key=lambda item: int(item[0])))
        write_file(out, (json.dumps(head | {"rows": rows}, indent=1) + "\n").encode())
        click.echo(f"{m} cores done")
    click.echo(report({"rows": rows}) + "\n" + levels_basis(target.yosys_family))


if __name__ == "__main__":
    main()
