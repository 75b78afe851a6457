"""What `lutgen eval` measures: codecs that make one file of one image and the image of the file."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, Coder
from lutgen.codec.container import Header, split_packets
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame
from lutgen.compare.upsampling import rmse, upsampling_errors
from lutgen.errors import InputError
from lutgen.formats.imageio import by_shape
from lutgen.formats.rules import DEEP_GRAY, GRAY_8, GrayLimits, limits_of
from lutgen.model.model import Model
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.samples import EIGHT_BIT, SampleFormat, SignificantBits
from lutgen.model.shipped import find_model

__all__ = [
    "ImageCodec", "PredictiveFiles", "Tell", "TileCodec", "differs", "image_codec", "mean_bpp",
    "pixels_of",
]  # fmt: skip

#: Told the step, pixels done and all pixels of the step.
Tell = Callable[[str, int, int], None]


class ImageCodec(ABC):
    """A codec of images, a file each.

    Attributes
    ----------
    limits:
        Images that it codes.
    most_near:
        Greatest error that it can be told to make; 0 if it is lossless only.
    """

    limits: GrayLimits = GRAY_8
    most_near: int = 0

    @abstractmethod
    def encode(self, array: np.ndarray, near: int = 0) -> bytes:
        """The file of an image of uint8 or uint16, no sample off by over ``near``.

        Its shape is (H, W), or (H, W, C) where ``limits`` take channels.
        """

    @abstractmethod
    def decode(self, data: bytes) -> np.ndarray:
        """The image of a file, of the type and shape that it had."""

    def record(self) -> dict:
        """What is said of the codec beside its figures, ready for json."""
        return {}

    def measure(self, images: Sequence[np.ndarray], tell: Tell) -> dict:
        """What the codec measures, lossless: `measure_files`, and what else it likes to tell."""
        return self.measure_files(images, tell)

    def measure_files(self, images: Sequence[np.ndarray], tell: Tell, near: int = 0) -> dict:
        """``bpp`` of a file for each image, ``speed`` in Mpixel/s, and whether it is ``verified``
        that no sample is off by more than ``near``.
        """
        # Compilation is not part of the speed.
        self.decode(self.encode(images[0][:2, :2], near))
        step = f"coding, near {near}" if near else "coding"
        pixels = sum(map(pixels_of, images))
        sizes = []
        done = 0
        encode_s = decode_s = 0.0
        verified = True
        for image in images:
            start = time.perf_counter()
            data = self.encode(image, near)
            encoded = time.perf_counter()
            found = self.decode(data)
            decode_s += time.perf_counter() - encoded
            encode_s += encoded - start
            sizes.append(len(data))
            verified &= differs(found, image, near) is None
            done += pixels_of(image)
            tell(step, done, pixels)
        return {
            "bpp": {"file_each": 8 * sum(sizes) / pixels, "mean_each": mean_bpp(sizes, images)},
            "speed": {"encode": pixels / encode_s / 1e6, "decode": pixels / decode_s / 1e6},
            "verified": verified,
        }


def differs(found: np.ndarray, image: np.ndarray, near: int = 0) -> str | None:
    """In which way a decoded image is not the one that was coded; None if it is."""
    if found.shape != image.shape or found.dtype != image.dtype:
        return f"{found.dtype} of shape {found.shape} for {image.dtype} of shape {image.shape}"
    worst = int(np.abs(found.astype(np.int32) - image).max())
    return f"off by {worst}" if worst > near else None


def pixels_of(image: np.ndarray) -> int:
    """Pixels of an image (H, W) or (H, W, C)."""
    return image.shape[0] * image.shape[1]


def mean_bpp(sizes: Sequence[int], images: Sequence[np.ndarray]) -> float:
    """Mean bits per pixel of images, of files of so many bytes; each image counts alike."""
    return float(
        np.mean([8 * n / pixels_of(image) for n, image in zip(sizes, images, strict=True)])
    )


class PredictiveFiles(ImageCodec):
    """The codec of profile ``predictive``: 8 to 16 bits, near-lossless, too.

    Parameters
    ----------
    model:
        The codec model.
    deep:
        Model of gray images with more than 8 significant bits; the same unless given.
    colour:
        Model of images of several channels; the same unless given, and none of gray alone.
    cfa:
        Pattern of images that are colour filter arrays.
    coder:
        What tokens are coded by.
    strip_height, tile_width:
        As :meth:`lutgen.codec.predictive.codec.PredictiveCodec.encode` takes them.
    """

    most_near = EIGHT_BIT.maximum // 2

    def __init__(
        self, model: PredictiveModel | ColourModel, *, deep: PredictiveModel | None = None,
        colour: ColourModel | None = None, cfa: str | None = None, coder: Coder = RANS,
        strip_height: int | None = None, tile_width: int | None = None,
    ) -> None:  # fmt: skip
        models = (model, deep or model, colour or model)
        self._codecs = [PredictiveCodec(m, threads=1) for m in models]
        self.limits = replace(DEEP_GRAY, cfas=(cfa,)) if cfa else limits_of(models[2])
        self._cfa = cfa
        self._coder = coder
        self._layout: dict[str, Any] = {"strip_height": strip_height, "tile_width": tile_width}

    def encode(self, array: np.ndarray, near: int = 0) -> bytes:
        channels = 1 if array.ndim == 2 else array.shape[2]
        deep = SignificantBits.of(array).depth > EIGHT_BIT.depth
        codec = self._codecs[2 if channels > 1 else 1 if deep else 0]
        return codec.encode(
            array, near=near, channels=channels, cfa=self._cfa, coder=self._coder, **self._layout
        )

    def decode(self, data: bytes) -> np.ndarray:
        written_by = Frame.unpack(data).model_hash.hex()
        codec = next(c for c in self._codecs if c.model.hash.startswith(written_by))
        return codec.decode(data)[0]

    def record(self) -> dict:
        models = [{"profile": c.model.profile, "hash": c.model.hash} for c in self._codecs]
        others = zip(("deep_model", "colour_model"), models[1:], strict=True)
        named = {name: model for name, model in others if model != models[0]}
        cfa = {"cfa": self._cfa} if self._cfa else {}
        coder = {"coder": _coder_record(self._coder)}
        return {**self._layout, **coder, "model": models[0], **named, **cfa}


def _coder_record(coder: Coder) -> dict:
    return {"name": coder.name, "state_bits": coder.state_bits}


class TileCodec(ImageCodec):
    """The codec of the profiles ``raster-table`` and ``gic-dlc``: 8 bits in tiles.

    Besides the figures of any codec it gives those of files that hold all images of one size,
    those of the tiles alone, ideal code lengths, and what each level of a pyramid takes.
    """

    def __init__(
        self, model: Model, *, tile: tuple[int, int] = (32, 32), coder: Coder = RANS
    ) -> None:
        self._codec = Codec(model, threads=1)
        self.limits = limits_of(model)
        self._options: dict[str, Any] = {"tile": tile, "coder": coder}

    def encode(self, array: np.ndarray, near: int = 0) -> bytes:
        if near:
            raise InputError(f"near of a codec that is lossless only must be 0, not {near}")
        return self._codec.encode(array, **self._options).data

    def decode(self, data: bytes) -> np.ndarray:
        return self._codec.decode(data)[0]

    def record(self) -> dict:
        model, coder = self._codec.model, self._options["coder"]
        return {
            "tile": list(self._options["tile"]),
            "coder": _coder_record(coder),
            "model": {"profile": model.profile, "hash": model.hash},
        }

    def measure(self, images: Sequence[np.ndarray], tell: Tell) -> dict:
        codec, model, tile = self._codec, self._codec.model, self._options["tile"]
        self.decode(self.encode(images[0][:1, :1]))
        pixels = sum(map(pixels_of, images))
        groups = by_shape(images)
        payload = file = file_each = 0
        mean = 0.0
        level_bits = np.zeros(model.levels + 1)
        errors = np.zeros((model.levels, 3))
        encode_s = decode_s = 0.0
        verified = True
        done = {"encoding": 0, "decoding": 0}

        def step(name: str) -> Callable[[int], None]:
            def add(samples: int) -> None:
                done[name] += samples // model.channels
                tell(name, done[name], pixels)

            return add

        for group in groups:
            start = time.perf_counter()
            encoded = codec.encode(group, **self._options, progress=step("encoding"))
            encode_s += time.perf_counter() - start
            level_bits += encoded.level_bits
            payload += encoded.payload_bytes
            file += len(encoded.data)
            sizes = _file_sizes(encoded.data, len(group))
            file_each += sum(sizes)
            mean += len(group) * mean_bpp(sizes, list(group))
            start = time.perf_counter()
            decoded = codec.decode(encoded.data, progress=step("decoding"))
            decode_s += time.perf_counter() - start
            verified &= np.array_equal(decoded, group)
            errors += upsampling_errors(group, model, tile)
        return {
            "bpp": {
                "ideal": float(level_bits.sum()) / pixels,
                "payload": 8 * payload / pixels,
                "file": 8 * file / pixels,
                "file_each": 8 * file_each / pixels,
                "mean_each": mean / len(images),
            },
            "levels": [
                {"level": level, "bpp": bits / pixels} | found
                for level, (bits, found) in enumerate(
                    zip(level_bits.tolist(), [*rmse(errors), {}], strict=True)
                )
            ],
            "speed": {"encode": pixels / encode_s / 1e6, "decode": pixels / decode_s / 1e6},
            "verified": bool(verified),
        }


def image_codec(
    model=None, *, tile: tuple[int, int] = (32, 32), coder: Coder = RANS,
    strip_height: int | None = None, tile_width: int | None = None, cfa: str | None = None,
) -> ImageCodec:  # fmt: skip
    """The codec of a model of any profile, which takes of the options those of its profile.

    ``model`` is as :func:`lutgen.model.shipped.find_model` takes it; None, the default, has another
    model for gray images of more than 8 significant bits, and for colour, if there is one.
    """
    found = find_model(model, mosaic=cfa is not None)
    if isinstance(found, Model):
        return TileCodec(found, tile=tile, coder=coder)
    deep: PredictiveModel | None = None
    colour: ColourModel | None = None
    if model is None and cfa is None:
        # Those that ship for them are of this profile.
        deep = cast(PredictiveModel, find_model(depth=DEEP_GRAY.depth))
        colour = cast(ColourModel, find_model(channels=SampleFormat.MAX_CHANNELS))
    return PredictiveFiles(
        found, deep=deep, colour=colour, cfa=cfa, coder=coder, strip_height=strip_height,
        tile_width=tile_width,
    )  # fmt: skip


def _file_sizes(data: bytes, images: int) -> list[int]:
    """Bytes that each image of a file would take in a file of its own.

    An image's packets do not depend on its neighbours in the file: only headers are added.
    """
    header = Header.unpack(data)
    starts, lengths = split_packets(data, header)
    ends = (starts + lengths).reshape(images, -1)[:, -1]
    header_bytes = len(header.pack())
    return (np.diff(ends, prepend=header_bytes) + header_bytes).tolist()
