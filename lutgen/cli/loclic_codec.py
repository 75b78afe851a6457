"""Commands of LoC-LIC that need a trained codec: export, compress, decompress."""

from pathlib import Path

import click

from .common import Failure, step_progress
from .loclic import loclic
from .training import train_extra

__all__ = ["compress", "decompress", "export", "loclic"]

_model = click.option(
    "--model", required=True, metavar="FILE", help="Exported codec, *.loclic."
)
_device = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Files are the same for any.",
)  # fmt: skip


@loclic.command()
@click.argument("trained", metavar="TRAINED")
@click.option("-o", "--out", required=True, metavar="FILE", help="Codec, *.loclic.")
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
    with train_extra():
        from lutgen.training.loclic.export import export_codec
        from lutgen.training.loclic.images import colour_files, read_colour
        from lutgen.training.loclic.store import load_codec
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
        except ValueError as error:
            raise Failure(str(error)) from error
    model.write(out)
    size = Path(out).stat().st_size
    click.echo(f"{out}: {size} bytes, hash {model.hash[:16]}, tables of {len(files)} pictures")


@loclic.command()
@click.argument("image", metavar="IMAGE")
@click.argument("out", metavar="OUT")
@_model
@click.option(
    "--step", "factor", type=click.FloatRange(0.25, 4), default=1.0, show_default=True,
    help="Rounding step: above one for smaller files, below for better images.",
)  # fmt: skip
@click.option(
    "--record", metavar="FILE", show_default="none",
    help="Also write what the entropy coder coded, *.npz, for sim.",
)  # fmt: skip
@_device
def compress(image, out, model, factor, record, device) -> None:
    """Code a colour IMAGE of any size into a file, *.loc."""
    import numpy as np

    from lutgen.codec.step import nearest_step
    from lutgen.files import write_file

    if Path(out).exists() and Path(image).exists() and Path(image).samefile(out):
        raise click.BadParameter(f"output must not be the input {image}", param_hint="OUT")
    codec = _codec(model, device)
    from lutgen.codec.loc_container import LocFile
    from lutgen.codec.residuals import ResidualWriter
    from lutgen.training.loclic.files import encode_image
    from lutgen.training.loclic.images import read_colour

    pixels = read_colour(image)
    writer = ResidualWriter(codec.tables)
    data = encode_image(codec, pixels, nearest_step(factor), writer)
    write_file(out, data)
    if record:
        classes, symbols = writer.sequence()
        payload = np.frombuffer(LocFile.unpack(data).payload, dtype=np.uint8)
        np.savez_compressed(
            record, classes=classes.astype(np.int16), symbols=symbols.astype(np.uint8),
            payload=payload,
        )  # fmt: skip
    height, width = pixels.shape[:2]
    click.echo(
        f"{out}: {width} x {height}, {pixels.size} -> {len(data)} bytes, "
        f"{8 * len(data) / (height * width):.3f} bpp"
    )
    if not LocFile.unpack(data, height * width).is_paid:
        click.echo(
            f"{out}: decompress will want --max-pixels {height * width}, as so few bytes are "
            "suspect", err=True,
        )  # fmt: skip


@loclic.command()
@click.argument("file", metavar="FILE")
@click.argument("out", metavar="OUT")
@_model
@click.option(
    "--max-pixels", type=click.IntRange(1), metavar="N", show_default="256 per byte of the file, "
    "or 1048576 if that is more", help="Most pixels to decode, at about half a kilobyte of memory "
    "each.",
)  # fmt: skip
@_device
def decompress(file, out, model, max_pixels, device) -> None:
    """Decode a FILE, *.loc, to an image, *.png or another lossless format."""
    from PIL import Image

    data = Path(file).read_bytes()
    codec = _codec(model, device)
    from lutgen.training.loclic.files import decode_image

    pixels = decode_image(codec, data, max_pixels)
    picture = Image.fromarray(pixels)
    try:
        picture.save(out)
    except ValueError as error:  # an unknown ending
        raise Failure(f"{out} must end as an image file does, e.g. .png: {error}") from error
    click.echo(f"{out}: {pixels.shape[1]} x {pixels.shape[0]}")


def _codec(path: str, device: str):
    from lutgen.loclic_model import LossyModelFile

    with train_extra():
        from lutgen.training.loclic.deployed import DeployedCodec
    return DeployedCodec(LossyModelFile.read(path), device)
