"""Both cores of a profile as benchmarks take them, with images and the reference codec's files."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import click
import numpy as np

from bench.domains import gray, gray_picture
from bench.window import window_of
from lutgen.build.predictive_blueprint import BLOCKS
from lutgen.build.tile_blueprint import block_paths
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, Coder
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.core.top import DecoderTop, EncoderTop
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.top import PredictiveDecoderTop, PredictiveEncoderTop
from lutgen.model.model import Model
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.samples import SignificantBits
from lutgen.model.shipped import find_model
from lutgen.sim.cores.codec import Decoded, Encoded, RtlDecoder, RtlEncoder
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.sim.cores.predictive import RtlPredictiveDecoder, RtlPredictiveEncoder
from lutgen.sim.drive.words import file_beats
from lutgen.targets import Target, get_target
from lutgen.training.data.datasets import load_images

__all__ = ["STREAM_BYTES", "Pair", "PredictivePair", "TilePair", "pair_of", "read_stack"]

#: Bytes of a beat of file.
STREAM_BYTES = 4
#: Largest picture that the default build of profile ``predictive`` is for.
_LARGEST = (PredictiveConfig.max_width, PredictiveConfig.max_height)


class Pair(ABC):
    """Both cores of a model.

    Members
    -------
    model, config : of the cores
    images : uint8 (N, H, W), one behind the other
    files : what the reference codec makes of them, in order
    lead : images after which both pipelines are full
    settings : inputs of the encoder that stay the same
    facts : what a record says of the pair
    """

    images: np.ndarray
    files: tuple[bytes, ...]
    lead: int
    settings: Mapping[str, int]
    facts: Mapping

    @abstractmethod
    def top(self, core: str):
        """The component "encoder" or "decoder"."""

    @abstractmethod
    def blocks(self, core: str) -> dict[str, list[str]]:
        """Hierarchy paths of its blocks."""

    @abstractmethod
    def encode(self, images: np.ndarray) -> Encoded:
        """What the encoder's Verilog makes of images."""

    @abstractmethod
    def decode(self, files: tuple[bytes, ...], level: int = 0) -> Decoded:
        """What the decoder's Verilog makes of files."""

    @abstractmethod
    def reference(self, images: np.ndarray) -> tuple[bytes, ...]:
        """Files of images by the reference codec."""

    @property
    def bpp(self) -> float:
        """Bits of file per pixel."""
        return 8 * sum(map(len, self.files)) / self.images.size

    def words(self) -> dict[str, np.ndarray]:
        """Beats of the files."""
        return file_beats(self.files, STREAM_BYTES)


class TilePair(Pair):
    """Of the profiles with tiles, which code all images into one file."""

    def __init__(
        self, model: Model, images: np.ndarray, target: Target, coder: Coder = RANS, *,
        registers: bool = False,
    ) -> None:  # fmt: skip
        self.model, self.images = model, images
        self.config = CoreConfig(model, primitive=target.lut_primitive, coder=coder)
        self._codec = Codec(model)
        self.files = self.reference(images)
        lanes = self.config.decoder_lanes
        self.lead = 0 if len(images) <= lanes else lanes
        height, width = images.shape[1:]
        self.settings = {"width": width, "height": height, "images": len(images)}
        self.facts = {
            "levels": model.levels, "coder": coder.name, "state_bits": coder.state_bits,
            "lanes": lanes, "encoder_lanes": self.config.lanes_of_encoder,
            "pipeline_depth": self.config.min_decoder_lanes,
        }  # fmt: skip
        self._registers = registers

    def top(self, core: str):
        kinds = {"encoder": EncoderTop, "decoder": DecoderTop}
        return kinds[core](self.config, stream_bytes=STREAM_BYTES)

    def blocks(self, core: str) -> dict[str, list[str]]:
        return block_paths(self.model, core)

    @cached_property
    def _encoder(self):
        return (RtlEncoderIp if self._registers else RtlEncoder)(self.config)

    @cached_property
    def _decoder(self):
        return (RtlDecoderIp if self._registers else RtlDecoder)(self.config)

    def encode(self, images: np.ndarray) -> Encoded:
        return self._encoder(images)

    def decode(self, files: tuple[bytes, ...], level: int = 0) -> Decoded:
        return self._decoder(*files, level=level) if level else self._decoder(*files)

    def reference(self, images: np.ndarray) -> tuple[bytes, ...]:
        return (self._codec.encode(images, coder=self.config.coder).data,)


class PredictivePair(Pair):
    """Of profile ``predictive``, which codes each image into a file of its own.

    The cores are those of the default build, or of the images' size where that is larger.
    """

    lead = 1

    def __init__(
        self, model: PredictiveModel, images: np.ndarray, target: Target, *,
        registers: bool = False,
    ) -> None:  # fmt: skip
        self.model, self.images, self._registers = model, images, registers
        height, width = images.shape[1:]
        depth = SignificantBits.of(images).top
        self.config = PredictiveConfig(
            model, depth, max(width, _LARGEST[0]), max(height, _LARGEST[1]),
            fabric=target.fabric,
        )
        self._codec = PredictiveCodec(model)
        self.files = self.reference(images)
        self.settings = {"width": width, "height": height}
        self.facts = {
            "levels": 0, "depths": {str(depth): len(images)}, "strip_height": None, "near": 0,
            "coder": RANS.name,
            "lanes": self.config.lanes, "encoder_lanes": self.config.encoder_lanes,
            "max_width": self.config.max_width, "max_height": self.config.max_height,
        }  # fmt: skip

    def top(self, core: str):
        kinds = {"encoder": PredictiveEncoderTop, "decoder": PredictiveDecoderTop}
        return kinds[core](self.config, stream_bytes=STREAM_BYTES)

    def blocks(self, core: str) -> dict[str, list[str]]:
        return BLOCKS[core]

    @cached_property
    def _encoder(self) -> RtlPredictiveEncoder | RtlEncoderIp:
        kind = RtlEncoderIp if self._registers else RtlPredictiveEncoder
        return kind(self.config, stream_bytes=STREAM_BYTES)

    @cached_property
    def _decoder(self) -> RtlPredictiveDecoder | RtlDecoderIp:
        kind = RtlDecoderIp if self._registers else RtlPredictiveDecoder
        return kind(self.config, stream_bytes=STREAM_BYTES)

    def encode(self, images: np.ndarray) -> Encoded:
        return self._encoder(images)

    def decode(self, files: tuple[bytes, ...], level: int = 0) -> Decoded:
        return self._decoder(files)

    def reference(self, images: np.ndarray) -> tuple[bytes, ...]:
        return tuple(
            self._codec.encode(image, depth=self.config.depth, tile_width=0,
                               strip_height=len(image))
            for image in images
        )  # fmt: skip


def pair_of(
    model: str | None, images: np.ndarray, target: str, coder: Coder = RANS, *,
    registers: bool = False,
) -> Pair:  # fmt: skip
    """The pair of a model by its name or file, by default the embedded one of digits."""
    found = find_model(model or "digits")
    if isinstance(found, Model):
        return TilePair(found, images, get_target(target), coder, registers=registers)
    if not isinstance(found, PredictiveModel):
        raise click.UsageError(f"model must be of gray images, not {found.name!r}")
    if coder != RANS:
        raise click.UsageError("cores of profile predictive must have rANS, not tANS")
    return PredictivePair(found, images, get_target(target), registers=registers)


def read_stack(spec: str, count: int, size: str | None, copies: int = 1) -> np.ndarray:
    """Gray images of one size, uint8 (N, H, W).

    Parameters
    ----------
    spec : data set (its val part), folder of pictures, also one in the folder that ``LUTGEN_DATA``
        names, or one picture
    count : first images of a set or folder; of a folder those of the first one's size
    size : WIDTHxHEIGHT to cut of each, from the upper left, or from +X+Y
    copies : of a single picture
    """
    path = Path(spec)
    if path.suffix.lower() in (".png", ".pgm"):
        stack = np.repeat(gray_picture(path)[None], copies, axis=0)
    elif path.is_dir() or Path(os.environ.get("LUTGEN_DATA", ""), spec).is_dir():
        found = gray(spec)
        stack = np.stack([image for image in found if image.shape == found[0].shape][:count])
    else:
        stack = np.stack(load_images(spec, split="val")[:count])
    rows, columns = window_of(size, *stack.shape[1:])
    return np.ascontiguousarray(stack[:, rows, columns])
