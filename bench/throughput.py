"""Clocks per pixel of both tops in simulation, byte-exact against the reference codec.

    python -m bench.throughput --images emnist_digits --out bench/results/throughput.json
    python -m bench.throughput --images kodak --limit 2 --model photo --out ...

Clocks per pixel are counted on the pixel port: "steady" between the last beats of two images, over
the pixels in between: of one image file its first and its last copy; of many images, as they come
and go in bursts of as many as there are lanes, the mean of 32 in the middle and of the last 32, so
that buffers have filled; of fewer images from the end of the first to that of the last; "all" from
the first beat to the last.  Latency is from the first beat of the input port to the first of the
output port.  Of a model with levels the smaller pictures are decoded as well, from the same file.
Of profile ``predictive`` each image has a file of its own.  Simulation speed is pixels over the
seconds of the simulator, its build not counted.
"""

import json
import time
from pathlib import Path

import click
import numpy as np

from bench.asked import command_of
from bench.pairs import pair_of, read_stack
from lutgen.cli.common import coder_options, registers_option
from lutgen.codec.coder import coder_named
from lutgen.commands import Command, OutputFile
from lutgen.files.whole import write_file
from lutgen.model.pyramid import pyramid

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


@click.command(cls=Command)
@click.option("--images", required=True,
              help="Data set (its val part), folder of images, or one image file.")
@click.option("--limit", default=256, show_default=True, help="Images of a set or folder at most.")
@click.option("--size", help="WIDTHxHEIGHT to cut of each image, from the upper left or +X+Y.")
@click.option("--copies", default=2, show_default=True, help="Of an image file, back to back.")
@click.option("--model", help="Name or file of a model; by default the embedded one of digits.")
@click.option("--target", default="zynq7045", show_default=True)
@coder_options
@registers_option
@click.option("--out", type=OutputFile(), help="Json file to write.")
def main(images, limit, size, copies, model, target, coder, tans_bits, registers, out) -> None:
    """Measure both tops."""
    stack = read_stack(images, limit, size, copies)
    count, height, width = stack.shape
    pair = pair_of(model, stack, target, coder_named(coder, tans_bits), registers=registers)
    skip = count // 2 if count >= 4 * _GROUP else 0
    pair.encode(stack[:1])  # builds the simulator
    encoded, encode_seconds = timed(lambda: pair.encode(stack))
    if encoded.files != pair.files or encoded.errors:
        raise SystemExit("error: the encoder's bytes differ from the reference's")
    pair.decode(pair.reference(stack[:1]))
    decoded, decode_seconds = timed(lambda: pair.decode(pair.files))
    pictures = pyramid(stack, pair.model.levels) if pair.facts["levels"] else [stack]
    thumbnails = {}
    for level, picture in enumerate(pictures):
        found = pair.decode(pair.files, level=level) if level else decoded
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
        "command": command_of("bench.throughput"),
        "images": Path(images).name, "count": count, "width": width, "height": height,
        "model_hash": pair.model.hash, "profile": pair.model.profile,
        "target": target, "registers": registers, **pair.facts,
        "bpp": pair.bpp,
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
