"""Arrays to bytes and back, in three functions: `encode`, `decode` and `info`.

They are the package's own, too: ``lutgen.encode``.  `docs/api.md` shows them at work.
"""

import os
from dataclasses import dataclass

import numpy as np

from lutgen.codec.any_profile import (
    AnyCodec,
    codec_of,
    decoding_model,
    header_of,
)
from lutgen.codec.coder import Coder
from lutgen.codec.container import Header, split_packets
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, check_strips
from lutgen.errors import InputError
from lutgen.formats.rules import channels_of, check_stack, limits_of
from lutgen.model.header import VERSION_1, VERSION_2
from lutgen.model.samples import EIGHT_BIT, SampleFormat, SignificantBits
from lutgen.model.shipped import AnyModel, find_model, name_of

__all__ = ["Info", "decode", "encode", "info"]

#: Codecs by the hash of their model: tables are made once.
_CODECS: dict[str, AnyCodec] = {}
_MOST_CODECS = 4
_MOST_CHANNELS = SampleFormat.MAX_CHANNELS


@dataclass(frozen=True)
class Info:
    """What a file says of itself, see `info`.

    Parameters
    ----------
    version:
        Of the file format.
    model_hash:
        First 16 digits of the hash of the model that it was written with.
    model_name:
        Name of that model if it comes with the package, else None.
    images, width, height:
        Number of images, and their size in pixels.
    depth, channels, near:
        Significant bits of a sample, samples of a pixel, and the greatest error of a sample of the
        decoded image.
    shift:
        Zero bits below the significant ones in a sample of the decoded image.
    cfa:
        Pattern of the colour filter array that the image is, such as ``RGGB``; None if it is none.
    layout:
        How an image is cut, such as ``tiles of 32 x 32`` or ``rows, strips of 512``.
    levels:
        Levels of the pyramid above the image.
    slabs:
        Parts from left to right that an image is cut into, each coded on its own.
    coder:
        Entropy coder, such as ``rans`` or ``tans, 2^9 states``.
    packets:
        Number of parts that are coded on their own: tiles of version 1, strips of version 2.
    file_bytes:
        Bytes of the file.
    """

    version: int
    model_hash: str
    model_name: str | None
    images: int
    width: int
    height: int
    depth: int
    channels: int
    near: int
    shift: int
    cfa: str | None
    layout: str
    levels: int
    slabs: int
    coder: str
    packets: int
    file_bytes: int

    @property
    def bpp(self) -> float:
        """Bits of the file for each pixel."""
        return 8 * self.file_bytes / (self.images * self.width * self.height)


def encode(
    array: np.ndarray, model: AnyModel | str | os.PathLike | None = None, near: int = 0,
    cfa: str | None = None, order: int | None = None, slabs: int = 1,
) -> bytes:  # fmt: skip
    """Encode an image, or several of one size, into the bytes of a ``.lgc`` file.

    Parameters
    ----------
    array:
        uint8, shape (H, W) or, for several, (N, H, W) with W of at least 5, which keeps a picture
        with channels, (H, W, 3), from being taken for H images.  Sides are 1 to 16384.  A model of
        profile predictive takes uint16, too, of whose samples it codes the bits that are used, and
        sides up to 65535.  Models of colour also take (H, W, C) and (N, H, W, C) with C of 2 to 4:
        gray with alpha, RGB, RGBA; those of profile gic-dlc that were trained with C channels take
        these alone.
    model:
        Name of a shipped model, model file, or model.  Unless given, the default model, or that for
        more than 8 significant bits, or that for colour.
    near:
        Greatest error of a sample, 0 to 255; more than 0 with profile predictive only.
    cfa:
        ``RGGB``, ``BGGR``, ``GRBG`` or ``GBRG`` if the array is that of a colour filter: samples of
        (H, W) or (N, H, W), sides even.  The model is one of these, by default ``photo-bayer``.
    order:
        Number, 0 to 5, of the order in which the planes of RGB are coded, with or without alpha
        (`lutgen.codec.predictive.planes.ORDERS`), as cores of colour are told one.  Unless given,
        the image says which is best.
    slabs:
        2, 4 or 8 to cut the image into as many parts from left to right, as builds of so many
        cores do (``lutgen build --cores``); with profile predictive only.

    Raises
    ------
    InputError
        If the array is not what the model codes, the model file is damaged, ``near`` is not one
        of its errors, or ``order`` is given where there is none to choose.
    OSError
        If the model file cannot be read.
    """
    array = np.asarray(array)
    # What takes most, unless a model is given.
    limits = limits_of(find_model(model, channels=_MOST_CHANNELS))
    check_stack("encode", "array", array.dtype, array.shape, limits)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    channels = channels_of(array.shape, limits)
    bits = SignificantBits.of(array)
    found = find_model(model, depth=bits.depth, channels=channels, mosaic=cfa is not None)
    codec = _codec(found)
    if isinstance(codec, PredictiveCodec):
        return codec.encode(
            array, depth=bits.depth, shift=bits.shift, near=near, channels=channels, cfa=cfa,
            order=order, slabs=slabs,
        )  # fmt: skip
    if order is not None:
        raise InputError(f"order must be None with a model of profile {found.profile}, not {order}")
    if slabs != 1:
        raise InputError(f"slabs must be 1 with a model of profile {found.profile}, not {slabs}")
    if cfa is not None:
        raise InputError(f"cfa must be None with a model of profile {found.profile}, not {cfa!r}")
    if near != 0:
        raise InputError(
            f"near must be 0 with a model of profile {found.profile}, which is lossless only, "
            f"not {near!r}"
        )
    return codec.encode(array).data


def decode(data: bytes, model: AnyModel | str | os.PathLike | None = None) -> np.ndarray:
    """The image or images of a ``.lgc`` file.

    Parameters
    ----------
    data:
        The file's bytes.
    model:
        As in `encode`; unless given, the shipped model that the file was written with.

    Returns
    -------
    numpy.ndarray
        uint8 or uint16 as encoded, (H, W) of one image, (N, H, W) of several; of colour with the
        channels as a last axis.

    Raises
    ------
    lutgen.codec.predictive.codec.DamagedStripsError
        If strips of a file of version 2 are damaged: its ``images`` hold what is sound.
    lutgen.codec.codec.ModelMismatchError
        If the file was written with another model.
    lutgen.codec.container.CorruptStreamError
        If the file is damaged.
    """
    data = _bytes(data)
    images = _codec(decoding_model(header_of(data), model)).decode(data)
    return images[0] if len(images) == 1 else images


def info(data: bytes) -> Info:
    """What a ``.lgc`` file says of itself; its model is not needed, and no pixel is decoded.

    Raises
    ------
    lutgen.codec.container.CorruptStreamError
        If the header is damaged, packets are missing or too many, or, of version 2, a checksum is
        wrong.
    """
    data = _bytes(data)
    header = header_of(data)
    return Info(
        model_hash=header.model_hash.hex(),
        model_name=name_of(header.model_hash),
        images=header.images,
        file_bytes=len(data),
        **(_frame_info(data, header) if isinstance(header, Frame) else _tiles_info(data, header)),
    )


def _tiles_info(data: bytes, header: Header) -> dict:
    """What a file of version 1 says."""
    starts, _ = split_packets(data, header)
    grid = header.grid
    return {
        "version": VERSION_1.version,
        "width": grid.width,
        "height": grid.height,
        "depth": EIGHT_BIT.depth,
        "channels": header.channels,
        "near": EIGHT_BIT.near,
        "shift": 0,
        "cfa": None,
        "layout": f"tiles of {grid.tile_width} x {grid.tile_height}",
        "levels": header.levels,
        "slabs": 1,
        "coder": _coder_text(header.coder),
        "packets": len(starts),
    }


def _coder_text(coder: Coder) -> str:
    return coder.name if coder.code == 0 else f"{coder.name}, 2^{coder.code} states"


def _frame_info(data: bytes, frame: Frame) -> dict:
    """What a file of version 2 says."""
    check_strips(data, frame)
    scale = frame.rows_of_pixel
    strip = scale * frame.strip_height
    return {
        "version": VERSION_2.version,
        "width": frame.shape[2],
        "height": frame.shape[1],
        "depth": frame.samples.depth,
        "channels": 1 if frame.cfa else frame.channels,
        "near": frame.samples.near << frame.shift,
        "shift": frame.shift,
        "cfa": frame.cfa,
        "layout": f"tiles of {scale * frame.tile_width} x {strip}" if frame.tile_width
        else f"rows, strips of {strip}" + (f", {frame.slabs} slabs" if frame.slabs > 1 else ""),
        "levels": 0,
        "slabs": frame.slabs,
        "coder": _coder_text(frame.coder),
        "packets": frame.strips,
    }


def _bytes(data) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"data must be bytes of a file, not {type(data).__name__}")
    return bytes(data)


def _codec(model: AnyModel) -> AnyCodec:
    if model.hash not in _CODECS:
        if len(_CODECS) >= _MOST_CODECS:
            _CODECS.pop(next(iter(_CODECS)))
        _CODECS[model.hash] = codec_of(model)
    return _CODECS[model.hash]
