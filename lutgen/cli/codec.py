"""Commands of the software codec: encode, decode, eval, info."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import click

from lutgen.commands import Failure, OutputFile, check_apart, say
from lutgen.model.cfa import CFAS
from lutgen.model.default import COLOUR, DEEP, DEFAULT, MOSAIC

from .common import (
    MODEL_HELP,
    coder_options,
    json_option,
    pixel_progress,
    step_progress,
    threads_option,
    tile_option,
)

__all__ = ["encode", "decode", "evaluate_", "info_"]


_model_option = click.option(
    "--model", metavar="MODEL", help=f"{MODEL_HELP}.",
    show_default=f"{DEFAULT}; {DEEP[DEFAULT]} above 8 bits; {COLOUR[DEFAULT]} of colour",
)  # fmt: skip
#: Options of profile ``predictive``, and of the others.
_PREDICTIVE = ("near", "strip_height", "tile_width", "slabs", "cfa")
_TILES = ("tile",)


cfa_option = click.option(
    "--cfa", type=click.Choice(CFAS), metavar="PATTERN",
    show_default="none: gray or colour",
    help=f"Images are colour filter arrays: {', '.join(CFAS[:-1])} or {CFAS[-1]}; "
    f"model {MOSAIC[DEFAULT]}.",
)  # fmt: skip


def layout_options(command):
    """How images are cut by profile ``predictive``."""
    for option in (
        click.option(
            "--tile-width", type=click.IntRange(0, 65535), metavar="W",
            show_default="0, the image's of narrow ones",
            help="Profile predictive: columns of a tile; 0 codes groups of four rows.",
        ),
        click.option(
            "--strip-height", type=click.IntRange(1, 65535), metavar="R",
            show_default="the image's",
            help="Profile predictive: rows that are lost together when a file is damaged.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def _check_options(model) -> None:
    """UsageError if an option is given that is of the other profiles."""
    from click.core import ParameterSource

    from lutgen.codec.any_profile import is_predictive

    context = click.get_current_context()
    others = _TILES if is_predictive(model) else _PREDICTIVE
    for option in context.command.params:
        given = context.get_parameter_source(option.name) not in (None, ParameterSource.DEFAULT)
        # eval measures at several errors, whatever the profile: there near is multiple.
        if given and option.name in others and not option.multiple:
            hint = "" if context.params["model"] else ", as the default is: name one with --model"
            raise click.UsageError(
                f"{option.opts[0]} must be left out with a model of profile {model.profile}{hint}"
            )


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--output", required=True, type=OutputFile(), metavar="FILE",
    help="Bitstream, *.lgc; - for standard output.",
)  # fmt: skip
@_model_option
@tile_option
@coder_options
@click.option(
    "--near", type=click.IntRange(0, 255), default=0, show_default=True, metavar="N",
    help="Profile predictive: greatest error of a sample; 0 is lossless.",
)  # fmt: skip
@cfa_option
@layout_options
@click.option(
    "--slabs", type=int, default=1, show_default=True, metavar="M",
    help="Profile predictive: parts from left to right for as many cores, 1, 2, 4 or 8.",
)  # fmt: skip
@threads_option
def encode(
    inputs, output, model, tile, coder, tans_bits, near, cfa, strip_height, tile_width, slabs,
    threads,
) -> None:  # fmt: skip
    """Encode images of one size into one file.

    INPUT is a PNG, PGM, PPM, TIFF or npy file, the latter of shape (H, W) or (N, H, W), - for one
    of them from standard input, or a folder of PNG, PGM and TIFF files.  Models of profile
    predictive code 8 to 16 bits, the others 8.  Images are gray, or, with a model of colour, also
    gray with alpha, RGB or RGBA: npy of shape (H, W, C) or (N, H, W, C).  A DNG is the colour
    filter array that it says it is.
    """
    from lutgen.codec.any_profile import codec_of, is_predictive
    from lutgen.codec.coder import coder_named
    from lutgen.codec.predictive.planes import check_sides_of_cfa
    from lutgen.files.whole import write_file
    from lutgen.formats.imageio import read_gray_stack
    from lutgen.formats.rules import DEEP_GRAY, limits_of
    from lutgen.model.samples import SampleFormat
    from lutgen.model.shipped import find_model

    check_apart({"-o": output}, [*inputs, model])
    coder = coder_named(coder, tans_bits)
    # What takes most, unless a model is given.
    found = find_model(model, channels=SampleFormat.MAX_CHANNELS, mosaic=cfa is not None)
    _check_options(found)
    limits = DEEP_GRAY if cfa else limits_of(found)
    if is_predictive(found):
        limits = replace(limits, cfas=(cfa,) if cfa else CFAS)
    stack = read_gray_stack(inputs, limits)
    images, bits, cfa = stack.array, stack.bits, cfa or stack.cfa
    if cfa:
        check_sides_of_cfa(images.shape, inputs[0])
    channels = 1 if images.ndim == 3 else images.shape[3]
    if model is None:
        found = find_model(depth=bits.depth, channels=channels, mosaic=cfa is not None)
    more = ""
    with pixel_progress("encoding", images.size) as progress:
        if is_predictive(found):
            data = codec_of(found, threads=threads).encode(
                images, depth=max(8, bits.depth), shift=bits.shift, near=near,
                strip_height=strip_height, tile_width=tile_width, channels=channels, cfa=cfa,
                slabs=slabs, coder=coder, progress=progress,
            )  # fmt: skip
        else:
            encoded = codec_of(found, threads=threads).encode(
                images, tile=tile, coder=coder, progress=progress
            )
            data = encoded.data
            tiles = 8 * encoded.payload_bytes * channels / images.size
            more = f" (tiles alone {tiles:.3f})"
    write_file(output, data)
    count, height, width = images.shape[:3]
    say(
        f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}, "
        f"{images.nbytes} -> {len(data)} bytes, "
        f"{8 * len(data) * channels / images.size:.3f} bpp{more}"
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
@click.option(
    "--keep", is_flag=True,
    help="Of a damaged file of profile predictive, write what is sound, the rest black.",
)  # fmt: skip
@click.option(
    "--model", metavar="MODEL", show_default="that which wrote the file, if it comes with lutgen",
    help=f"{MODEL_HELP}.",
)  # fmt: skip
@threads_option
def decode(file, output, level, keep, model, threads) -> None:
    """Decode a bitstream, FILE or - for standard input, into images.

    Pictures have as many bits as those that were encoded.  The exit status of a damaged file is 1.
    """
    from lutgen.codec.codec import ModelMismatchError
    from lutgen.codec.container import CorruptStreamError
    from lutgen.codec.predictive.damage import DamagedStripsError
    from lutgen.model.shipped import find_model

    check_apart({"-o": output}, [file, model])
    model = model and find_model(model)
    damage = None
    try:
        with _bitstream(file) as stream, pixel_progress("decoding", None) as progress:
            images, bits = _decode(stream, model, level, threads, progress)
    except DamagedStripsError as error:
        damage = f"{file}: {error}"
        if not keep:
            raise CorruptStreamError(f"{damage}; --keep writes what is sound") from None
        images, bits = error.images, error.bits
        damage += f"; {output} is without {error.missing}"
    except (CorruptStreamError, ModelMismatchError) as error:
        raise type(error)(f"{file}: {error}") from None
    _write_images(output, images, bits)
    if damage:
        raise CorruptStreamError(damage)
    count, height, width = images.shape[:3]
    say(f"{output}: {count} image{'s' * (count > 1)} of {width} x {height}")


def _decode(stream, model, level: int, threads, progress) -> tuple:
    """Images of an open file, and where their bits lie."""
    import io

    from lutgen.codec.any_profile import (
        LONGEST_HEADER,
        codec_of,
        decoding_model,
        header_of,
        is_predictive,
    )

    if not stream.seekable():
        stream = io.BytesIO(stream.read())
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    header = header_of(stream.read(LONGEST_HEADER), size)
    stream.seek(0)
    model = decoding_model(header, model)
    if not is_predictive(model):
        codec = codec_of(model, threads=threads)
        return codec.decode(stream, level=level, progress=progress), header.bits
    if level:
        raise click.UsageError(f"--level must be 0 with a model of profile predictive, not {level}")
    images = codec_of(model, threads=threads).decode(stream.read(), progress=progress)
    return images, header.bits


def _write_images(output: str, images, bits) -> None:
    from lutgen.files.whole import is_stream
    from lutgen.formats.imageio import write_image

    one = len(images) == 1
    channels = 1 if images.ndim == 3 else images.shape[3]
    if is_stream(output):
        form = "png" if one else "npy"
        write_image(output, images[0] if one else images, form=form, bits=bits,
                    channels=channels)  # fmt: skip
        return
    paths = _image_paths(output, len(images))
    parts = images if paths[1:] or one else [images]
    for path, image in zip(paths, parts, strict=True):
        write_image(path, image, bits=bits, channels=channels)


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
        "samples": f"{found.depth} bits"
        + (f" above {found.shift} that are zero" if found.shift else "")
        + (f", array {found.cfa}, " if found.cfa else f", {found.channels} per pixel, ")
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
@cfa_option
@layout_options
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
def evaluate_(
    data, split, model, tile, coder, tans_bits, cfa, strip_height, tile_width, limit, near,
    no_baselines, as_json,
) -> None:  # fmt: skip
    """Measure a model beside the usual lossless codecs.

    DATA is a folder of PNG, PGM and TIFF files, with --cfa also of DNG files, an image, npy, npz
    (FILE.npz:ARRAY for one array) or IDX file, - for an image or npy file from standard input, or
    one of glyphs, emnist-digits, kmnist and fashion-mnist, the last three fetched by torchvision:
    pip install "lutgen[download]".  A path that does not exist is looked for in the folder that
    the environment variable LUTGEN_DATA names.

    Compared are one file per image of each codec; and, where many small images share one file,
    the same images on one page for the others.  All bytes of the files count.
    """
    from lutgen.codec.coder import coder_named
    from lutgen.codec.predictive.planes import check_sides_of_cfa
    from lutgen.compare.codecs import image_codec
    from lutgen.compare.evaluate import evaluate, faults
    from lutgen.compare.table import show
    from lutgen.model.shipped import find_model
    from lutgen.training.data.datasets import load_images

    _check_options(find_model(model, mosaic=cfa is not None))
    codec = image_codec(
        model, tile=tile, coder=coder_named(coder, tans_bits), strip_height=strip_height,
        tile_width=tile_width, cfa=cfa,
    )  # fmt: skip
    results = {}
    for name in data:
        images = load_images(name, split=split, limits=codec.limits)[:limit]
        for image in images if cfa else ():
            check_sides_of_cfa(image.shape, name)
        with step_progress() as progress:
            results[name] = evaluate(
                images, codec, baselines=not no_baselines, near=near, cfa=cfa, progress=progress
            )
    if as_json:
        click.echo(json.dumps(results, indent=2))
    else:
        from rich.console import Console

        show(results, Console())
    bad = [f"{name}: {fault}" for name, result in results.items() for fault in faults(result)]
    if bad:
        raise Failure("; ".join(bad))
