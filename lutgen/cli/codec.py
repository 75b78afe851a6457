"""Commands of the software codec: encode, decode, eval, info."""

import json
import os
import re
from pathlib import Path

import click

from lutgen.commands import Failure, OutputFile, check_apart, say

from .common import (
    coder_options,
    json_option,
    load_model,
    pixel_progress,
    step_progress,
    threads_option,
    tile_option,
)

__all__ = ["encode", "decode", "evaluate_", "info_"]

_model_option = click.option(
    "--model", metavar="MODEL", show_default="digits",
    help="Name of a model that comes with lutgen, or model file.",
)  # fmt: skip


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--output", required=True, type=OutputFile(), metavar="FILE",
    help="Bitstream, *.lgc; - for standard output.",
)  # fmt: skip
@_model_option
@tile_option
@coder_options
@threads_option
def encode(inputs, output, model, tile, coder, tans_bits, threads) -> None:
    """Encode 8-bit gray images of one size into one file.

    INPUT is a PNG, PGM, TIFF or npy file, the latter of shape (H, W) or (N, H, W), - for one of
    them from standard input, or a folder of PNG, PGM and TIFF files.
    """
    from lutgen.codec.codec import Codec
    from lutgen.codec.coder import coder_named
    from lutgen.files.whole import write_file
    from lutgen.formats.imageio import read_stack

    check_apart({"-o": output}, [*inputs, model])
    coder = coder_named(coder, tans_bits)
    images = read_stack(inputs)
    codec = Codec(load_model(model), threads=threads)
    with pixel_progress("encoding", images.size) as progress:
        encoded = codec.encode(images, tile=tile, coder=coder, progress=progress)
    write_file(output, encoded.data)
    count, height, width = images.shape
    bpp = [bits / images.size for bits in (8 * len(encoded.data), 8 * encoded.payload_bytes)]
    say(
        f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}, "
        f"{images.size} -> {len(encoded.data)} bytes, {bpp[0]:.3f} bpp "
        f"(tiles alone {bpp[1]:.3f}, ideal {encoded.ideal_bits / images.size:.3f})"
    )


class _Images(OutputFile):
    """What decoded images go to: a file, a folder, or a pattern of file names."""

    def convert(self, value, param, ctx):
        from lutgen.files.whole import OutputError, check_folder
        from lutgen.formats.imageio import ImageError, image_format

        if not _is_folder(value):
            try:
                super().convert(value, param, ctx)
            except click.BadParameter as error:
                try:
                    image_format(value)
                except ImageError:
                    error.message += "; a folder must exist or end in /"
                raise
            return value
        try:
            path = Path(os.path.realpath(value))
            # Folders that are not there yet are made.
            place = next(p for p in (path, *path.parents) if p.exists())
            check_folder(value, str(place))
        except OutputError as error:
            self.fail(str(error), param, ctx)
        return value


def _image_format(name: str) -> str:
    from lutgen.formats.imageio import image_format

    return image_format(name)


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", required=True, type=_Images(_image_format), metavar="OUT",
    help="*.png, *.pgm, *.tif or *.npy; of several images *.npy, a folder, or a pattern like "
    "out%04d.png; - for standard output, as PNG, of several images as npy.",
)  # fmt: skip
@click.option(
    "--level", type=click.IntRange(0), default=0, show_default=True, metavar="K",
    help="Small pictures, sides halved K times, of a model with levels; reads no more than needed.",
)  # fmt: skip
@_model_option
@threads_option
def decode(file, output, level, model, threads) -> None:
    """Decode a bitstream, FILE or - for standard input, into images."""
    from lutgen.codec.codec import Codec, ModelMismatchError
    from lutgen.codec.container import CorruptStreamError
    from lutgen.files.whole import is_stream
    from lutgen.formats.imageio import write_image

    check_apart({"-o": output}, [file, model])
    codec = Codec(load_model(model), threads=threads)
    try:
        with _bitstream(file) as data, pixel_progress("decoding", None) as progress:
            images = codec.decode(data, level=level, progress=progress)
    except (CorruptStreamError, ModelMismatchError) as error:
        raise type(error)(f"{file}: {error}") from None
    count, height, width = images.shape
    if is_stream(output):
        one = count == 1
        write_image(output, images[0] if one else images, form="png" if one else "npy")
    else:
        paths = _image_paths(output, count)
        parts = images if paths[1:] or count == 1 else [images]
        for path, image in zip(paths, parts, strict=True):
            write_image(path, image)
    say(f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}")


def _bitstream(file: str):
    """The open file: unbuffered, so that no more is read than the level needs."""
    import io
    import sys

    from lutgen.files.whole import STANDARD

    if file == STANDARD:
        return io.BytesIO(sys.stdin.buffer.read())
    return open(file, "rb", buffering=0)


def _is_folder(path: str) -> bool:
    return path.endswith("/") or Path(path).is_dir()


def _image_paths(output: str, count: int) -> list[str]:
    """Files that `count` decoded images go to; one for all if it is an npy file."""
    if _is_folder(output):
        Path(output).mkdir(parents=True, exist_ok=True)
        output = str(Path(output, "%06d.png"))
    numbers = re.findall(r"%0?\d?d", Path(output).name)
    if len(numbers) == 1:
        folder = Path(output).parent
        return [str(folder / Path(output).name.replace(numbers[0], numbers[0] % i))
                for i in range(count)]  # fmt: skip
    if count > 1 and not output.lower().endswith(".npy"):
        raise click.UsageError(
            f"output of {count} images must be *.npy, a folder or a pattern like out%04d.png, "
            f"not {output!r}"
        )
    return [output]


@click.command("info")
@click.argument("file", metavar="FILE")
@json_option
def info_(file, as_json) -> None:
    """Tell what a bitstream, FILE or - for standard input, says of itself.

    Its model is not needed, and no pixel is decoded.
    """
    from dataclasses import asdict

    from lutgen.api import info
    from lutgen.codec.container import CorruptStreamError
    from lutgen.files.whole import read_file

    try:
        found = info(read_file(file))
    except CorruptStreamError as error:
        raise CorruptStreamError(f"{file}: {error}") from None
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    name = found.model_name or "none of those that come with lutgen"
    rows = {
        "format": f"version {found.version}, {found.layout}, {found.coder}",
        "model": f"{found.model_hash}, {name}",
        "images": f"{found.images} of {found.width} x {found.height}",
        "samples": f"{found.depth} bits, {found.channels} per pixel, "
        + (f"within {found.near}" if found.near else "lossless"),
        "levels": str(found.levels),
        "packets": f"{found.packets:,}",
        "bytes": f"{found.file_bytes:,}, {found.bpp:.3f} bpp",
    }
    for key, value in rows.items():
        click.echo(f"{key:8} {value}")


@click.command("eval")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="val", show_default=True,
    help="Part of data that comes in parts.",
)  # fmt: skip
@_model_option
@tile_option
@coder_options
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", show_default="all", help="First N images only."
)
@click.option(
    "--near", type=click.IntRange(1, 255), multiple=True, metavar="N",
    show_default="lossless alone",
    help="Measure with samples off by at most N, beside JPEG-LS; may be repeated.",
)  # fmt: skip
@click.option(
    "--no-baselines", is_flag=True,
    help="Leave out PNG, WebP, JPEG 2000, JPEG-LS, JPEG XL, QOI.",
)  # fmt: skip
@json_option
def evaluate_(data, split, model, tile, coder, tans_bits, limit, near, no_baselines, as_json):
    """Measure a model beside the usual lossless codecs.

    DATA is a folder of PNG, PGM and TIFF files, an image, npy, npz (FILE.npz:ARRAY for one array)
    or IDX file, - for an image or npy file from standard input, or one of glyphs, emnist-digits,
    kmnist and fashion-mnist, the last three fetched by torchvision: pip install
    "lutgen[download]".  A path that does not exist is looked for in the
    folder that the environment variable LUTGEN_DATA names.

    Compared are one file per image of each codec; and, where many small images share one file,
    the same images on one page for the others.  All bytes of the files count.
    """
    from lutgen.codec.coder import coder_named
    from lutgen.compare.codecs import TileCodec
    from lutgen.compare.evaluate import evaluate, faults
    from lutgen.compare.table import show
    from lutgen.training.data.datasets import load_images

    codec = TileCodec(load_model(model), tile=tile, coder=coder_named(coder, tans_bits))
    results = {}
    for name in data:
        images = load_images(name, split=split, limits=codec.limits)[:limit]
        with step_progress() as progress:
            results[name] = evaluate(
                images, codec, baselines=not no_baselines, near=near, progress=progress
            )
    if as_json:
        click.echo(json.dumps(results, indent=2))
    else:
        from rich.console import Console

        show(results, Console())
    bad = [f"{name}: {fault}" for name, result in results.items() for fault in faults(result)]
    if bad:
        raise Failure("; ".join(bad))
