"""The usual codecs, through imagecodecs, and what their files take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.compare.codecs import Tell, differs, mean_bpp
from lutgen.formats.imageio import png_bytes

__all__ = ["BASELINES", "Baseline", "coded", "jpeg_ls"]


@dataclass(frozen=True)
class Baseline:
    """A codec to compare with.

    Parameters
    ----------
    settings:
        What it was told, for reports.
    encode, decode:
        Image (H, W) to file and back.
    depth:
        Most bits of a sample.
    near:
        Greatest error of a sample.
    """

    settings: str
    encode: Callable[[np.ndarray], bytes]
    decode: Callable[[bytes], np.ndarray]
    depth: int = 16
    near: int = 0


def _call(name: str, **options) -> Callable:
    """A function of imagecodecs, which is loaded when it is called: that takes a while."""

    def call(argument):
        import imagecodecs

        return getattr(imagecodecs, name)(argument, **options)

    return call


def _rgb(encode: Callable) -> Callable:
    return lambda x: encode(np.ascontiguousarray(np.broadcast_to(x[..., None], (*x.shape, 3))))


def _gray(decode: Callable) -> Callable:
    return lambda data: decode(data)[..., 0]


def _jpeg_xl(effort: int) -> Baseline:
    encode = _call("jpegxl_encode", effort=effort, lossless=True)
    return Baseline(f"lossless, effort {effort}", encode, _call("jpegxl_decode"))


def jpeg_ls(near: int) -> Baseline:
    """JPEG-LS (CharLS), each sample within ``near``."""
    settings = f"near {near}" if near else "lossless"
    encode = _call("jpegls_encode", level=near)
    return Baseline(settings, encode, _call("jpegls_decode"), near=near)


#: The usual codecs, lossless, by name.
BASELINES = {
    "QOI": Baseline(
        "gray as RGB", _rgb(_call("qoi_encode")), _gray(_call("qoi_decode")), depth=8
    ),
    "PNG": Baseline("level 9", png_bytes, _call("png_decode")),
    "WebP": Baseline(
        "lossless, level 100, gray as RGB",
        _rgb(_call("webp_encode", level=100, lossless=True)), _gray(_call("webp_decode")), depth=8,
    ),
    "JPEG 2000": Baseline(
        "reversible", _call("jpeg2k_encode", level=0, reversible=True), _call("jpeg2k_decode")
    ),
    "JPEG-LS": jpeg_ls(0),
    **{f"JPEG XL e{effort}": _jpeg_xl(effort) for effort in (3, 7, 9)},
}  # fmt: skip


def coded(
    name: str, codec: Baseline, images: Sequence[np.ndarray], pixels: int, tell: Tell
) -> dict:
    """Bits of all files, one for each image, for each of ``pixels``.

    Returns
    -------
    dict
        ``bpp``, and ``bpp_mean`` of images that count alike whatever their size; or None for
        ``bpp`` and a ``reason`` if the codec cannot code one of the images.
    """
    sizes = []
    done = 0
    total = sum(image.size for image in images)
    if any(8 * image.itemsize > codec.depth for image in images):
        return {"bpp": None, "reason": f"codes at most {codec.depth} bits per sample"}
    for image in images:
        try:
            data = codec.encode(np.ascontiguousarray(image))
            wrong = differs(codec.decode(data), image, codec.near)
        except Exception as error:  # every codec has exceptions, and limits of size, of its own
            return {"bpp": None, "reason": f"{type(error).__name__}: {error}"}
        if wrong:
            what = f"within {codec.near}" if codec.near else "lossless"
            return {"bpp": None, "reason": f"not {what} on these images: {wrong}"}
        sizes.append(len(data))
        done += image.size
        tell(name, done, total)
    return {"bpp": 8 * sum(sizes) / pixels, "bpp_mean": mean_bpp(sizes, images)}
