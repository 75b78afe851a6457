"""Arrays to bytes and back, in three functions: `encode`, `decode` and `info`.

They are the package's own, too: ``lutgen.encode``.  `docs/api.md` shows them at work.
"""

import os
from dataclasses import dataclass

import numpy as np

from lutgen.codec.codec import Codec, ModelMismatchError
from lutgen.codec.container import Header, split_packets
from lutgen.errors import InputError
from lutgen.formats.rules import GRAY_8, check_stack
from lutgen.model.model import Model
from lutgen.model.samples import EIGHT_BIT
from lutgen.model.shipped import SHIPPED, find_model, name_of, shipped

__all__ = ["Info", "decode", "encode", "info"]

#: Byte of a file that is its version, whichever that is.
_VERSION_AT = 3
#: Codecs by the hash of their model: tables are made once.
_CODECS: dict[str, Codec] = {}
_MOST_CODECS = 4


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
        Bits of a sample, samples of a pixel, and the greatest error of a sample.
    layout:
        How an image is cut into packets, such as ``tiles of 32 x 32``.
    levels:
        Levels of the pyramid above the image.
    coder:
        Entropy coder, such as ``rans`` or ``tans, 2^9 states``.
    packets:
        Number of packets, which are coded on their own.
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
    layout: str
    levels: int
    coder: str
    packets: int
    file_bytes: int

    @property
    def bpp(self) -> float:
        """Bits of the file for each pixel."""
        return 8 * self.file_bytes / (self.images * self.width * self.height)


def encode(
    array: np.ndarray, model: Model | str | os.PathLike | None = None, near: int = 0
) -> bytes:
    """Encode an image, or several of one size, into the bytes of a ``.lgc`` file.

    Parameters
    ----------
    array:
        uint8, shape (H, W) or, for several, (N, H, W) with W of at least 5, which keeps a picture
        with channels, (H, W, 3), from being taken for H images.  Sides are 1 to 16384.
    model:
        Name of a shipped model, model file, or model; the default model unless given.
    near:
        Greatest error of a sample; 0, as models of today are lossless only.

    Raises
    ------
    InputError
        If the array is not what the model codes, the model file is damaged, or ``near`` is not 0.
    OSError
        If the model file cannot be read.
    """
    codec = _codec(find_model(model))
    array = np.asarray(array)
    check_stack("encode", "array", array.dtype, array.shape, GRAY_8)
    if near != 0:
        raise InputError(
            f"near must be 0 with a model of profile {codec.model.profile}, which is lossless "
            f"only, not {near!r}"
        )
    return codec.encode(array).data


def decode(data: bytes, model: Model | str | os.PathLike | None = None) -> np.ndarray:
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
        uint8, (H, W) of one image, (N, H, W) of several.

    Raises
    ------
    lutgen.codec.codec.ModelMismatchError
        If the file was written with another model.
    lutgen.codec.container.CorruptStreamError
        If the file is damaged.
    """
    data = _bytes(data)
    if model is None:
        model = _model_of(Header.unpack(data))
    images = _codec(find_model(model)).decode(data)
    return images[0] if len(images) == 1 else images


def info(data: bytes) -> Info:
    """What a ``.lgc`` file says of itself; its model is not needed, and no pixel is decoded.

    Raises
    ------
    lutgen.codec.container.CorruptStreamError
        If the header is damaged, or packets are missing or too many.
    """
    data = _bytes(data)
    header = Header.unpack(data)
    starts, _ = split_packets(data, header)
    grid, coder = header.grid, header.coder
    return Info(
        version=data[_VERSION_AT],
        model_hash=header.model_hash.hex(),
        model_name=name_of(header.model_hash),
        images=header.images,
        width=grid.width,
        height=grid.height,
        depth=EIGHT_BIT.depth,
        channels=EIGHT_BIT.channels,
        near=EIGHT_BIT.near,
        layout=f"tiles of {grid.tile_width} x {grid.tile_height}",
        levels=header.levels,
        coder=coder.name if coder.code == 0 else f"{coder.name}, 2^{coder.code} states",
        packets=len(starts),
        file_bytes=len(data),
    )


def _bytes(data) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"data must be bytes of a file, not {type(data).__name__}")
    return bytes(data)


def _model_of(header: Header) -> Model:
    name = name_of(header.model_hash)
    if name is None:
        raise ModelMismatchError(
            f"stream was written with model {header.model_hash.hex()}, which is none of "
            f"{', '.join(SHIPPED)}: give the model file it was encoded with"
        )
    return shipped(name)


def _codec(model: Model) -> Codec:
    if model.hash not in _CODECS:
        if len(_CODECS) >= _MOST_CODECS:
            _CODECS.pop(next(iter(_CODECS)))
        _CODECS[model.hash] = Codec(model)
    return _CODECS[model.hash]
