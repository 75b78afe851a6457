"""Commands of LoC-LIC that need a trained codec: export, compress, decompress."""

from pathlib import Path

import click

from lutgen.commands import Failure, OutputFile, check_apart, say
from lutgen.errors import InputError
from lutgen.model.default import LOSSY

from .common import step_progress
from .loclic import loclic

__all__ = ["compress", "decompress", "export", "loclic"]

_model = click.option(
    "--model", default=LOSSY, show_default=True, metavar="FILE",
    help="Exported codec, *.loclic, or the name of the shipped one.",
)  # fmt: skip
_device = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Files are the same for any.",
)  # fmt: skip


@loclic.command()
@click.argument("trained", metavar="TRAINED")
@click.option("-o", "--out", required=True, type=OutputFile(), help="Codec, *.loclic.")
@click.option(
    "--data", multiple=True, metavar="DATA", show_default="tables of the normal distribution",
    help="Pictures to count the entropy coder's tables on, as in train.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(1), default=64, show_default=True,
    help="Pictures that are counted, evenly from all.",
)  # fmt: skip
@click.option(
    "--weight-bits", type=click.Choice(["8", "16"]), default="16", show_default=True,
    help="Of the integer networks.",
)  # fmt: skip
@_device
def export(trained, out, data, limit, weight_bits, device) -> None:
    """Make the codec that images are coded with from a TRAINED one, *.pt.

    The networks that encoder and decoder must agree in become integers.
    """
    from lutgen.files.whole import is_stream
    from lutgen.formats.colour import colour_files, read_colour
    from lutgen.training.loclic.export import export_codec
    from lutgen.training.loclic.store import load_codec

    check_apart({"-o": out}, [trained, *data])
    network, training = load_codec(trained)
    files = [file for spec in data for file in colour_files(spec)]
    files = files[:: max(1, -(-len(files) // limit))]
    with step_progress() as progress:

        def images():
            for done, file in enumerate(files, 1):
                yield read_colour(file)
                progress("counting", done, len(files))

        try:
            model = export_codec(network, training, images(), int(weight_bits), device)
        except InputError as error:
            raise Failure(str(error)) from error
    model.write(out)
    size = "" if is_stream(out) else f"{Path(out).stat().st_size} bytes, "
    say(f"{out}: {size}hash {model.hash[:16]}, tables of {len(files)} pictures")


@loclic.command()
@click.argument("image", metavar="IMAGE")
@click.argument("out", type=OutputFile(), metavar="OUT")
@_model
@click.option(
    "--step", "factor", type=click.FloatRange(0.25, 8), default=1.0, show_default=True,
    help="Rounding step: above one for smaller files, below for better images.",
)  # fmt: skip
@click.option(
    "--record", type=OutputFile(), show_default="none",
    help="Also write what the entropy coder coded, *.npz, for sim.",
)  # fmt: skip
@_device
def compress(image, out, model, factor, record, device) -> None:
    """Code a colour IMAGE of any size into a file, *.loc.

    - is standard input or output.  A picture that its camera has marked as turned is turned.
    """
    from lutgen.codec.lossy.loc_container import LocFile
    from lutgen.codec.lossy.residuals import ResidualWriter
    from lutgen.codec.lossy.step import nearest_step
    from lutgen.files.whole import write_file
    from lutgen.formats.colour import read_colour

    check_apart({"OUT": out, "--record": record}, [image, model])
    codec = _codec(model, device)
    from lutgen.training.loclic.files import encode_image

    pixels = read_colour(image)
    writer = ResidualWriter(codec.tables)
    data = encode_image(codec, pixels, nearest_step(factor), writer)
    write_file(out, data)
    if record:
        write_file(record, _record(writer, LocFile.unpack(data).payload))
    height, width = pixels.shape[:2]
    say(
        f"{out}: {width} x {height}, {pixels.size} -> {len(data)} bytes, "
        f"{8 * len(data) / (height * width):.3f} bpp"
    )
    if not LocFile.unpack(data, height * width).is_paid:
        click.echo(
            f"{out}: decompress will want --max-pixels {height * width}, as so few bytes are "
            "suspect", err=True,
        )  # fmt: skip


def _record(writer, payload: bytes) -> bytes:
    """An npz file of what was coded, for the entropy engine's simulation."""
    import io

    import numpy as np

    classes, symbols = writer.sequence()
    file = io.BytesIO()
    np.savez_compressed(
        file, classes=classes.astype(np.int16), symbols=symbols.astype(np.uint8),
        payload=np.frombuffer(payload, dtype=np.uint8),
    )  # fmt: skip
    return file.getvalue()


def _colour_format(name: str) -> str:
    from lutgen.formats.colour import colour_format

    return colour_format(name)


@loclic.command()
@click.argument("file", metavar="FILE")
@click.argument("out", type=OutputFile(_colour_format), metavar="OUT")
@_model
@click.option(
    "--max-pixels", type=click.IntRange(1), metavar="N", show_default="256 per byte of the file, "
    "or 1048576 if that is more", help="Most pixels to decode, at about half a kilobyte of memory "
    "each.",
)  # fmt: skip
@_device
def decompress(file, out, model, max_pixels, device) -> None:
    """Decode a FILE, *.loc, to an image: *.png, *.ppm, *.bmp or *.tif.

    - is standard input or output, the latter as PNG.
    """
    from lutgen.codec.codec import ModelMismatchError
    from lutgen.codec.container import CorruptStreamError
    from lutgen.files.whole import is_stream, read_file
    from lutgen.formats.colour import write_colour

    check_apart({"OUT": out}, [file, model])
    codec = _codec(model, device)
    from lutgen.training.loclic.files import decode_image

    data = read_file(file)
    try:
        pixels = decode_image(codec, data, max_pixels)
    except (CorruptStreamError, ModelMismatchError) as error:
        raise type(error)(f"{file}: {error}") from None
    write_colour(out, pixels, form="png" if is_stream(out) else None)
    say(f"{out}: {pixels.shape[1]} x {pixels.shape[0]}")


def _codec(path: str, device: str):
    from lutgen.codec.lossy.model import LossyModelFile
    from lutgen.training.loclic.deployed import DeployedCodec

    return DeployedCodec(LossyModelFile.read(path), device)
