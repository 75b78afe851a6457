"""Both tops of the profile ``predictive`` on images, in simulation: clocks, bytes, equality.

    python -m bench.predictive_cores IMAGES [--count N] [--cores M] [--near N]
    python -m bench.predictive_cores IMAGES [--count N] [--cores M] [--model photo-rgb | --cfa RGGB]
    python -m bench.predictive_cores IMAGES --model photo-16 [--size 1920 1080]

The images go through the encoder one behind the other, and their files through the decoder: made
gray of 8 bits, unless the model is that of more bits, whose images are gray, or one of colour, or
they are colour filter arrays.  It is one picture size for each run, so images of other sizes than
the first are left out; a single one is sent twice.  Where a size is told, each image is cut to it,
and continued by its mirror image where it is smaller.
Files must be those of the reference codec byte for byte, and pixels what it decodes: those of the
images, or, of gray ones, none further off than the near, for which the cores are then built.
Several cores have a slab each, and as many samples a beat; samples are counted, not beats.
"""

import json
import time
from pathlib import Path

import click
import numpy as np

from bench.domains import gray
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Command, OutputFile, say
from lutgen.errors import LutgenError
from lutgen.files.whole import write_file
from lutgen.formats.colour import colour_files, read_colour
from lutgen.formats.imageio import read_gray
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.top import PredictiveDecoderTop, PredictiveEncoderTop
from lutgen.gateware.slabs.multi import PredictiveDecoderCores, PredictiveEncoderCores
from lutgen.model.cfa import CFAS
from lutgen.model.samples import SignificantBits
from lutgen.model.shipped import shipped
from lutgen.sim import AXIS, Design, rtl_stream
from lutgen.sim.drive.beats import colour_beats, raster_beats, single_pixels
from lutgen.sim.drive.words import file_beats, files_of

_GRAY, _DEEP, _COLOUR, _MOSAIC = "photo", "photo-16", "photo-rgb", "photo-bayer"
_PIXELS = ("data", "user", "last")
_CLOCKS = 1 << 40


def _per_sample(clocks: np.ndarray, samples: int, images: int) -> float:
    """Clocks of a sample in a stream: from the end of the first image to that of the last one."""
    beats = len(clocks) // images
    return float(clocks[-1] - clocks[beats - 1]) / (samples // images * (images - 1))


def _read(path: Path, model: str, cfa: str | None) -> list[np.ndarray]:
    """Images of a folder or file as the model has them."""
    if cfa is not None or model == _DEEP:
        return [image.array for image in read_gray(path)]
    if model == _GRAY:
        return gray(str(path))
    return [read_colour(file) for file in colour_files(str(path))]


def sized(image: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """An image of that width and height: cut, or continued by its mirror image."""
    if size is None:
        return image
    more = [(0, max(0, want - have)) for want, have in zip(size[::-1], image.shape, strict=False)]
    wide = np.pad(image, [*more, *[(0, 0)] * (image.ndim - 2)], mode="symmetric")
    return np.ascontiguousarray(wide[: size[1], : size[0]])


def _beats(images: np.ndarray, depth: int, cores: int) -> dict[str, np.ndarray]:
    return colour_beats(images, depth, cores) if images.ndim == 4 else raster_beats(images, cores)


@click.command(cls=Command)
@click.argument("images", type=click.Path(exists=True, path_type=Path))
@click.option("--count", default=4, show_default=True, help="Images at most.")
@click.option("--near", default=0, show_default=True, help="Greatest error of a gray sample.")
@click.option("--model", default=_GRAY, show_default=True,
              type=click.Choice([_GRAY, _DEEP, _COLOUR]))
@click.option("--size", type=(int, int), metavar="WIDTH HEIGHT", help="Of all images.")
@click.option("--cores", default=1, show_default=True, help="Side by side: 1, 2, 4 or 8.")
@click.option("--stream-bytes", default=4, show_default=True, help="Bytes of a beat of files.")
@click.option("--cfa", type=click.Choice(CFAS), help="Images are colour filter arrays.")
@click.option("--out", default="bench/results/predictive-cores.json", show_default=True,
              type=OutputFile())  # fmt: skip
def main(images, count, near, model, size, cores, stream_bytes, cfa, out) -> None:
    """Simulate both cores on IMAGES, a folder or a file."""
    source = images.name
    found = [sized(image, size) for image in _read(images, model, cfa)]
    images = np.stack([i for i in found if i.shape == found[0].shape][:count])
    if len(images) == 1:
        images = np.repeat(images, 2, axis=0)
    height, width = images.shape[1:3]
    depth = SignificantBits.of(images).top
    form = {"cfa": cfa} if cfa else {"channels": 3, "order": 0} if images.ndim == 4 else {}
    order = {"order": CFAS.index(cfa) if cfa else 0} if form else {}
    model = shipped(_MOSAIC if cfa else model)
    codec = PredictiveCodec(model)
    config = PredictiveConfig(model, depth, width, height, max_near=near, cores=cores)
    strip = config.strip_height or height
    files = [
        codec.encode(
            image, depth=depth, near=near, strip_height=strip, tile_width=0, slabs=cores, **form
        )
        for image in images
    ]
    encoder, decoder = (
        (PredictiveEncoderTop, PredictiveDecoderTop) if cores == 1
        else (PredictiveEncoderCores, PredictiveDecoderCores)
    )
    settings = {"width": width, "height": height} | ({"near": near} if near else {}) | order
    begun = time.perf_counter()
    encoded = rtl_stream(
        Design.of(encoder(config, stream_bytes=stream_bytes), "lutgen_encoder"),
        {"s_axis_video": _beats(images, depth, cores)}, {"m_axis_stream": ("data", "keep", "last")},
        names=AXIS, idle="idle", config=settings | {"clear_error": 0},
        watch=("error",), max_clocks=_CLOCKS, timeout=3600,
    )  # fmt: skip
    made, rest = files_of(**encoded.outputs["m_axis_stream"], size=stream_bytes)
    if rest or list(made) != files or encoded.status["error"]:
        raise LutgenError("files of the encoder must be those of the reference")
    say(f"encoder: {images.size:,} samples, {encoded.clocks:,} clocks")
    fields = (*_PIXELS, "keep") if cores > 1 else _PIXELS
    decoded = rtl_stream(
        Design.of(decoder(config, stream_bytes=stream_bytes), "lutgen_decoder"),
        {"s_axis_stream": file_beats(files, stream_bytes)}, {"m_axis_video": fields},
        names=AXIS, idle="idle", config={"clear_error": 0}, watch=("error",),
        max_clocks=_CLOCKS, timeout=3600,
    )  # fmt: skip
    pixels = decoded.outputs["m_axis_video"]
    restored = np.concatenate([codec.decode(file) for file in files])
    if np.abs(restored.astype(int) - images).max() > near:
        raise LutgenError(f"decoded samples must be within {near}")
    if cores > 1:
        pixels = single_pixels(pixels, cores, config.pixel_dtype, config.pixel_bits)
    beats = _beats(restored, depth, 1)
    if decoded.status["error"] or any(not np.array_equal(pixels[k], v) for k, v in beats.items()):
        raise LutgenError("pixels of the decoder must be those of the reference")
    say(f"decoder: {images.size:,} samples, {decoded.clocks:,} clocks")
    write_file(out, json.dumps({
        "model": model.name, "source": source, "depth": depth, "images": len(images),
        "width": width,
        "height": height, "samples": int(images.size),
        "bpp": 8 * sum(map(len, files)) / images.size, "near": near, "mismatches": 0,
        **({"cores": cores, "strip_height": strip, "stream_bytes": stream_bytes}
           if cores > 1 else {}),
        "encoder": {
            "clocks": encoded.clocks,
            "clocks_per_sample": _per_sample(
                encoded.input_clocks["s_axis_video"], images.size, len(images)
            ),
            "clocks_per_second": round(encoded.clocks_per_second),
        },
        "decoder": {
            "clocks": decoded.clocks,
            "clocks_per_sample": _per_sample(
                decoded.output_clocks["m_axis_video"], images.size, len(images)
            ),
            "clocks_per_second": round(decoded.clocks_per_second),
        },
        "seconds": round(time.perf_counter() - begun),
    }, indent=1).encode() + b"\n")  # fmt: skip


if __name__ == "__main__":
    main()
