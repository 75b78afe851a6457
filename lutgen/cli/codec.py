"""Commands of the software codec: encode, decode, eval."""

import json
import re
from pathlib import Path

import click

from .common import (
    Failure,
    coder_options,
    image_output,
    is_folder,
    json_option,
    load_model,
    model_option,
    pixel_progress,
    step_progress,
    threads_option,
    tile_option,
)

__all__ = ["encode", "decode", "evaluate_"]


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("-o", "--output", required=True, metavar="FILE", help="Bitstream, *.lgc.")
@model_option
@tile_option
@coder_options
@threads_option
def encode(inputs, output, model, tile, coder, tans_bits, threads) -> None:
    """Encode 8-bit gray images of one size into one file.

    INPUT is a PNG, PGM or npy file, the latter of shape (H, W) or (N, H, W), or a folder of PNG
    and PGM files.
    """
    from lutgen.codec.codec import Codec
    from lutgen.codec.coder import coder_named
    from lutgen.files import write_file
    from lutgen.imageio import read_stack

    for path in inputs:
        if Path(path).exists() and Path(output).exists() and Path(path).samefile(output):
            raise click.BadParameter(f"output must not be the input {path}", param_hint="-o")
    coder = coder_named(coder, tans_bits)
    images = read_stack(inputs)
    codec = Codec(load_model(model), threads=threads)
    with pixel_progress("encoding", images.size) as progress:
        encoded = codec.encode(images, tile=tile, coder=coder, progress=progress)
    write_file(output, encoded.data)
    count, height, width = images.shape
    bpp = [bits / images.size for bits in (8 * len(encoded.data), 8 * encoded.payload_bytes)]
    click.echo(
        f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}, "
        f"{images.size} -> {len(encoded.data)} bytes, {bpp[0]:.3f} bpp "
        f"(tiles alone {bpp[1]:.3f}, ideal {encoded.ideal_bits / images.size:.3f})"
    )


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", required=True, callback=image_output, metavar="OUT",
    help="*.png, *.pgm or *.npy; of several images *.npy, a folder, or a pattern like out%04d.png.",
)  # fmt: skip
@click.option(
    "--level", type=click.IntRange(0), default=0, show_default=True, metavar="K",
    help="Small pictures, sides halved K times, of a model with levels; reads no more than needed.",
)  # fmt: skip
@model_option
@threads_option
def decode(file, output, level, model, threads) -> None:
    """Decode a bitstream into images."""
    from lutgen.codec.codec import Codec, ModelMismatchError
    from lutgen.codec.container import CorruptStreamError
    from lutgen.imageio import write_image

    codec = Codec(load_model(model), threads=threads)
    try:
        # Unbuffered, so that no more is read than the level needs.
        with open(file, "rb", buffering=0) as data, pixel_progress("decoding", None) as progress:
            images = codec.decode(data, level=level, progress=progress)
    except (CorruptStreamError, ModelMismatchError) as error:
        raise type(error)(f"{file}: {error}") from None
    count, height, width = images.shape
    paths = _image_paths(output, count)
    for path, image in zip(paths, images if paths[1:] or count == 1 else [images], strict=True):
        write_image(path, image)
    click.echo(f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}")


def _image_paths(output: str, count: int) -> list[str]:
    """Files that `count` decoded images go to; one for all if it is an npy file."""
    if is_folder(output):
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


@click.command("eval")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="val", show_default=True,
    help="Part of data that comes in parts.",
)  # fmt: skip
@model_option
@tile_option
@coder_options
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", show_default="all", help="First N images only."
)
@click.option("--no-baselines", is_flag=True, help="Leave out PNG, WebP, JPEG XL, JPEG-LS, QOI.")
@json_option
def evaluate_(data, split, model, tile, coder, tans_bits, limit, no_baselines, as_json) -> None:
    """Measure a model beside the usual lossless codecs.

    DATA is a folder of PNG and PGM files, an image, npy, npz (FILE.npz:ARRAY for one array) or
    IDX file, or one of glyphs, emnist-digits, kmnist and fashion-mnist, the last three fetched by
    torchvision: pip install "lutgen[download]".  A path that does not exist is looked for in the
    folder that the environment variable LUTGEN_DATA names.

    Compared are one file per image of each codec; and, where many small images share one file,
    the same images on one page for the others.
    """
    from lutgen.codec.coder import coder_named
    from lutgen.evaluate import evaluate, show
    from lutgen.training.datasets import load_images

    options = {"tile": tile, "coder": coder_named(coder, tans_bits)}
    codec_model = load_model(model)
    results = {}
    for name in data:
        images = load_images(name, split=split)[:limit]
        with step_progress() as progress:
            results[name] = evaluate(
                images, codec_model, **options, baselines=not no_baselines, progress=progress
            )
    if as_json:
        click.echo(json.dumps(results, indent=2))
    else:
        from rich.console import Console

        show(results, Console())
    bad = [name for name, result in results.items() if not result["verified"]]
    if bad:
        raise Failure(f"{', '.join(bad)}: decoded images must equal the originals, but differ")
