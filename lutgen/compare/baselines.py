"""The usual codecs, through imagecodecs, and what their files take."""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.codec.predictive.planes import cfa_mosaic, cfa_planes
from lutgen.compare.codecs import Tell, differs, mean_bpp, pixels_of
from lutgen.formats.imageio import png_bytes

__all__ = ["BASELINES", "Baseline", "coded", "four_planes", "jpeg_ls"]


@dataclass(frozen=True)
class Baseline:
    """A codec to compare with.

    Parameters
    ----------
    settings:
        What it was told, for reports.
    encode, decode:
        Image (H, W) to file and back.
    encode_colour, decode_colour:
        The same of (H, W, C), with C of 2 to 4; the former two unless given.
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
    encode_colour: Callable[[np.ndarray], bytes] | None = None
    decode_colour: Callable[[bytes], np.ndarray] | None = None

    def both(self, image: np.ndarray) -> tuple[Callable, Callable]:
        """What encodes and decodes an image."""
        if image.ndim == 2:
            return self.encode, self.decode
        return self.encode_colour or self.encode, self.decode_colour or self.decode


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
    """JPEG-LS (CharLS), each sample within ``near``.

    Each plane of a colour image is coded by itself, lossless of G, R - G and B - G (modulo the
    range, as HP1 of JPEG-LS Part 2 does), near-lossless of the planes as they are; lengths of the
    planes are counted.
    """
    settings = f"near {near}" if near else "lossless"
    encode, decode = _call("jpegls_encode", level=near), _call("jpegls_decode")

    def encode_colour(image: np.ndarray) -> bytes:
        shifted = image if near else _differences(image, -1)
        planes = [encode(np.ascontiguousarray(plane)) for plane in np.moveaxis(shifted, -1, 0)]
        return b"".join(struct.pack("<I", len(plane)) + bytes(plane) for plane in planes)

    def decode_colour(data: bytes) -> np.ndarray:
        image = np.stack([decode(part) for part in _parts(data)], axis=-1)
        return image if near else _differences(image, 1)

    return Baseline(
        settings, encode, decode, near=near, encode_colour=encode_colour,
        decode_colour=decode_colour,
    )  # fmt: skip


def four_planes(usual: Baseline, pattern: str) -> Baseline:
    """A codec of the four planes of a colour filter array, each by itself, lengths counted."""

    def encode(mosaic: np.ndarray) -> bytes:
        planes = np.moveaxis(cfa_planes(mosaic, pattern), -1, 0)
        parts = [usual.encode(np.ascontiguousarray(plane)) for plane in planes]
        return b"".join(struct.pack("<I", len(part)) + bytes(part) for part in parts)

    def decode(data: bytes) -> np.ndarray:
        planes = [usual.decode(part) for part in _parts(data)]
        return cfa_mosaic(np.stack(planes, axis=-1), pattern)

    settings = f"{usual.settings}, four planes"
    return Baseline(settings, encode, decode, usual.depth, usual.near)


def _parts(data: bytes) -> Iterator[bytes]:
    """Files behind their lengths."""
    while data:
        (size,) = struct.unpack_from("<I", data)
        yield data[4 : 4 + size]
        data = data[4 + size :]


def _differences(image: np.ndarray, sign: int) -> np.ndarray:
    """Red and blue plus or minus green, modulo their type, whose middle is no difference."""
    if image.shape[2] < 3:
        return image
    found = image.copy()
    middle = image.dtype.type(1 << (8 * image.itemsize - 1))
    for k in (0, 2):
        found[..., k] = image[..., k] + (image[..., 1] if sign > 0 else -image[..., 1]) + middle
    return found


#: The usual codecs, lossless, by name.
BASELINES = {
    "QOI": Baseline(
        "gray as RGB", _rgb(_call("qoi_encode")), _gray(_call("qoi_decode")), depth=8,
        encode_colour=_call("qoi_encode"), decode_colour=_call("qoi_decode"),
    ),
    "PNG": Baseline("level 9", png_bytes, _call("png_decode")),
    "WebP": Baseline(
        "lossless, level 100, gray as RGB",
        _rgb(_call("webp_encode", level=100, lossless=True)), _gray(_call("webp_decode")), depth=8,
        encode_colour=_call("webp_encode", level=100, lossless=True),
        decode_colour=_call("webp_decode"),
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
    total = sum(map(pixels_of, images))
    if any(8 * image.itemsize > codec.depth for image in images):
        return {"bpp": None, "reason": f"codes at most {codec.depth} bits per sample"}
    for image in images:
        try:
            encode, decode = codec.both(image)
            data = encode(np.ascontiguousarray(image))
            wrong = differs(decode(data), image, codec.near)
        except Exception as error:  # every codec has exceptions, and limits of size, of its own
            return {"bpp": None, "reason": f"{type(error).__name__}: {error}"}
        if wrong:
            what = f"within {codec.near}" if codec.near else "lossless"
            return {"bpp": None, "reason": f"not {what} on these images: {wrong}"}
        sizes.append(len(data))
        done += pixels_of(image)
        tell(name, done, total)
    return {"bpp": 8 * sum(sizes) / pixels, "bpp_mean": mean_bpp(sizes, images)}
