"""Clocks per pixel of both tops in simulation, byte-exact against the reference codec.

    python -m bench.throughput --images emnist_digits --out bench/results/throughput.json
    python -m bench.throughput --images kodim01.png --size 512x512 --model photo.lutgen --out ...

Clocks per pixel are counted on the pixel port: "steady" between the last beats of two images, over
the pixels in between: of one image file its first and its last copy; of many images, as they come
and go in bursts of as many as there are lanes, the mean of 32 in the middle and of the last 32, so
that buffers have filled; "all" from the first beat to the last.  Latency is from the first beat
of the input port to the first of the output port.  Of a model with levels the smaller pictures are
decoded as well, from the same file.  Simulation speed is pixels over the seconds of the simulator,
its build not counted.
"""

import json
import time
from pathlib import Path

import click
import numpy as np

from lutgen.cli.common import coder_options, registers_option
from lutgen.codec.codec import Codec
from lutgen.codec.coder import coder_named
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.gateware.core.config import CoreConfig
from lutgen.model.model import Model
from lutgen.model.pyramid import pyramid
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.targets import get_target
from lutgen.training.data.datasets import load_images

#: Images whose ends are averaged.
_GROUP = 32


def _measure(trace, clocks: np.ndarray, pixels: int, skip: int) -> dict:
    ends = clocks[pixels - 1 :: pixels]
    steady = ends[skip:]
    group = _GROUP if skip else 1
    between = pixels * (len(steady) - group)
    clocks_between = float(steady[-group:].mean() - steady[:group].mean())
    return {
        "steady_clocks_per_pixel": clocks_between / between if between else None,
        "all_clocks_per_pixel": int(clocks[-1] - clocks[0] + 1) / len(clocks),
        "latency_clocks": _latency(trace),
        "first_image_clocks": int(ends[0]) - _start(trace),
        "clocks": trace.clocks,
    }


def _start(trace) -> int:
    return int(next(iter(trace.input_clocks.values()))[0])


def _latency(trace) -> int:
    return int(next(iter(trace.output_clocks.values()))[0]) - _start(trace)


def timed(work):
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def _gray(path: str) -> np.ndarray:
    from PIL import Image

    from lutgen.formats.colour import read_colour  # photographs come in colour

    return np.asarray(Image.fromarray(read_colour(path)).convert("L"))


@click.command(cls=Command)
@click.option("--images", required=True, help="Data set (its val part), or one image file.")
@click.option("--limit", default=256, show_default=True)
@click.option("--size", help="WIDTHxHEIGHT to cut from the upper left of an image file.")
@click.option("--copies", default=2, show_default=True, help="Of an image file, back to back.")
@click.option("--model", "model_path", help="Model file; by default the embedded one.")
@click.option("--target", default="zynq7045", show_default=True)
@coder_options
@registers_option
@click.option("--out", type=OutputFile(), help="Json file to write.")
def main(images, limit, size, copies, model_path, target, coder, tans_bits, registers, out) -> None:
    """Measure both tops."""
    coder = coder_named(coder, tans_bits)
    model = Model.load(model_path) if model_path else Model.default()
    if Path(images).suffix.lower() in (".png", ".pgm"):
        stack = _gray(images)[None]
        if size:
            width, height = map(int, size.split("x"))
            stack = stack[:, :height, :width]
        stack = np.repeat(stack, copies, axis=0)
    else:
        stack = np.stack(load_images(images, split="val")[:limit])
    count, height, width = stack.shape
    config = CoreConfig(model, primitive=get_target(target).lut_primitive, coder=coder)
    skip = count // 2 if count >= 4 * _GROUP else 0
    reference = Codec(model).encode(stack, coder=coder)
    tops = (RtlEncoderIp, RtlDecoderIp) if registers else (RtlEncoder, RtlDecoder)
    encoder, decoder = (top(config) for top in tops)
    encoder(stack[:1])  # builds the simulator
    encoded, encode_seconds = timed(lambda: encoder(stack))
    if encoded.files != (reference.data,) or encoded.errors:
        raise SystemExit("error: the encoder's bytes differ from the reference's")
    decoder(Codec(model).encode(stack[:1], coder=coder).data)
    decoded, decode_seconds = timed(lambda: decoder(reference.data))
    pictures = pyramid(stack, model.levels)
    thumbnails = {}
    for level, picture in enumerate(pictures):
        found = decoder(reference.data, level=level) if level else decoded
        if not np.array_equal(np.stack(found.frames), picture) or found.errors:
            raise SystemExit(f"error: the decoder's pixels of level {level} differ")
        if level:
            clocks = found.trace.output_clocks["m_axis_video"]
            thumbnails[level] = {
                "width": picture.shape[2], "height": picture.shape[1],
                "first_pixel_clocks": _latency(found.trace),
                "first_image_clocks": int(clocks[picture[0].size - 1])
                - _start(found.trace),
                "clocks_per_image": int(clocks[-1] - clocks[0]) / count,
            }
    result = {
        "images": Path(images).name, "count": count, "width": width, "height": height,
        "model_hash": model.hash, "profile": model.profile, "levels": model.levels,
        "coder": coder.name, "state_bits": coder.state_bits,
        "target": target, "registers": registers, "lanes": config.decoder_lanes,
        "encoder_lanes": config.lanes_of_encoder,
        "pipeline_depth": config.min_decoder_lanes,
        "bpp": 8 * len(reference.data) / stack.size,
        "mismatches": 0,
        "encode": _measure(
            encoded.trace, encoded.trace.input_clocks["s_axis_video"], height * width, skip
        ),
        "decode": _measure(
            decoded.trace, decoded.trace.output_clocks["m_axis_video"], height * width, skip
        ),
        "thumbnails": thumbnails,
        "simulated_pixels_per_second": {
            "encode": stack.size / encode_seconds, "decode": stack.size / decode_seconds,
        },
    }  # fmt: skip
    text = json.dumps(result, indent=1)
    if out:
        write_file(out, (text + "\n").encode())
    click.echo(text)


if __name__ == "__main__":
    main()
