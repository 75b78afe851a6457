"""Tops of several cores as functions: images to file bytes and back, through the gateware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.gateware.config import CoreConfig
from lutgen.gateware.multi import decoder_top, encoder_top
from lutgen.gateware.top import DECODER_ERRORS, ENCODER_ERRORS
from lutgen.sim.codec import (
    Decoded,
    Encoded,
    RtlDecoder,
    RtlEncoder,
    _errors,
    _files,
    _frames,
    _words,
)
from lutgen.sim.design import Design
from lutgen.sim.stall import Stall
from lutgen.sim.stream import AXIS, rtl_stream

__all__ = [
    "RtlDecoderCores", "RtlEncoderCores", "pixel_beats", "rtl_decoder", "rtl_encoder",
    "single_pixels",
]  # fmt: skip

#: Clocks without which a run is called hung, and clocks of idleness, as for a single core.
_SLACK_CLOCKS, _IDLE_CLOCKS = 200_000, 64


def rtl_encoder(config: CoreConfig, source=None, *, stream_bytes: int = 4, cores: int = 1):
    """The encoder top of so many cores, simulated."""
    if cores == 1:
        return RtlEncoder(config, source, stream_bytes=stream_bytes)
    return RtlEncoderCores(config, source, stream_bytes=stream_bytes, cores=cores)


def rtl_decoder(config: CoreConfig, source=None, *, stream_bytes: int = 4, cores: int = 1):
    """The decoder top of so many cores, simulated."""
    if cores == 1:
        return RtlDecoder(config, source, stream_bytes=stream_bytes)
    return RtlDecoderCores(config, source, stream_bytes=stream_bytes, cores=cores)


@dataclass(frozen=True, eq=False)
class _EncodedByCores(Encoded):
    pixels: int = 0

    @property
    def clocks_per_pixel(self) -> float:
        """Clocks from the first beat taken to the last, each included, per pixel."""
        return _span(self.trace.input_clocks["s_axis_video"], self.pixels)


@dataclass(frozen=True, eq=False)
class _DecodedByCores(Decoded):
    pixels: int = 0

    @property
    def clocks_per_pixel(self) -> float:
        """Clocks from the first beat given to the last, each included, per pixel."""
        return _span(self.trace.output_clocks["m_axis_video"], self.pixels)


def _span(clocks: np.ndarray, pixels: int) -> float:
    return (int(clocks[-1]) - int(clocks[0]) + 1) / pixels


class RtlEncoderCores:
    """An encoder top of several cores, simulated.

    Parameters
    ----------
    config :
        A core.
    source : optional
        Verilog of ``lutgen_encoder``, by default made from ``config``.
    stream_bytes, cores : int
        Width of the stream's TDATA in bytes, and cores, of ``source`` as well.
    """

    def __init__(
        self, config: CoreConfig, source=None, *, stream_bytes: int = 4, cores: int
    ) -> None:
        self.config = config
        self._bytes, self._cores = stream_bytes, cores
        source = source or encoder_top(config, cores=cores, stream_bytes=stream_bytes)
        self._design = Design.of(source, "lutgen_encoder")

    def __call__(
        self,
        images: np.ndarray,
        *,
        per_file: int | None = None,
        stall: Mapping[str, Stall] | None = None,
        pixels: Mapping[str, np.ndarray] | None = None,
        size: tuple[int, int] | None = None,
        **options,
    ) -> Encoded:
        """Encode images of one size; parameters as of `RtlEncoder`."""
        images = np.asarray(images, dtype=np.uint8)
        count, height, width = images.shape
        pixels = pixels or pixel_beats(images, self._cores)
        line = _filled(width, self._cores)
        width, height = size or (width, height)
        result = rtl_stream(
            self._design,
            {"s_axis_video": pixels},
            {"m_axis_stream": ["data", "keep", "last"]},
            names=AXIS,
            stalls=_stalls(stall, pixels="s_axis_video", bytes="m_axis_stream"),
            config={
                "width": width,
                "height": height,
                "images": count if per_file is None else per_file,
                "clear_error": 0,
            },
            watch=["error"],
            **{
                "idle": "idle",
                "idle_clocks": _IDLE_CLOCKS,
                "max_clocks": 40 * self._cores * len(pixels["data"]) + _SLACK_CLOCKS,
                **options,
            },
        )
        beats = result.outputs["m_axis_stream"]
        files, rest = _files(beats["data"], beats["keep"], beats["last"], self._bytes)
        taken = len(result.input_clocks["s_axis_video"])
        total = np.resize(line, taken).sum()
        errors = _errors(result, ENCODER_ERRORS)
        return _EncodedByCores(files, rest, errors, result, pixels=int(total))


class RtlDecoderCores:
    """A decoder top of several cores, simulated.  Parameters as in `RtlEncoderCores`."""

    def __init__(
        self, config: CoreConfig, source=None, *, stream_bytes: int = 4, cores: int
    ) -> None:
        self.config = config
        self._bytes, self._cores = stream_bytes, cores
        source = source or decoder_top(config, cores=cores, stream_bytes=stream_bytes)
        self._design = Design.of(source, "lutgen_decoder")

    def __call__(
        self, files: bytes | Sequence[bytes], *, stall: Mapping[str, Stall] | None = None,
        level: int = 0, **options,
    ) -> Decoded:  # fmt: skip
        """Decode files, sent one after the other; parameters as of `RtlDecoder`."""
        files = [files] if isinstance(files, bytes) else list(files)
        beats = [_words(file, self._bytes) for file in files]
        words = {
            name: np.concatenate([b[name] for b in beats]) for name in ("data", "keep", "last")
        }
        result = rtl_stream(
            self._design,
            {"s_axis_stream": words},
            {"m_axis_video": ["data", "user", "last", "keep"]},
            names=AXIS,
            stalls=_stalls(stall, bytes="s_axis_stream", pixels="m_axis_video"),
            config={"clear_error": 0} | ({"level": level} if self.config.model.levels else {}),
            watch=["error"],
            **{
                "idle": "idle",
                "idle_clocks": _IDLE_CLOCKS,
                "max_clocks": 2000 * len(words["data"]) + _SLACK_CLOCKS,
                **options,
            },
        )
        found = single_pixels(result.outputs["m_axis_video"], self._cores)
        return _DecodedByCores(
            _frames(**found), _errors(result, DECODER_ERRORS), result, pixels=len(found["data"])
        )


def _stalls(stall: Mapping[str, Stall] | None, **names: str) -> dict[str, Stall]:
    unknown = set(stall or ()) - set(names)
    if unknown:
        raise ValueError(f"stall must name {sorted(names)}, not {sorted(unknown)}")
    return {names[name]: value for name, value in (stall or {}).items()}


def _filled(width: int, cores: int) -> np.ndarray:
    """Pixels in each beat of a line."""
    return np.minimum(cores, width - cores * np.arange(-(-width // cores)))


def pixel_beats(images: np.ndarray, cores: int) -> dict[str, np.ndarray]:
    """Beats of so many pixels of images in raster order with their markers.

    What is behind a line's last pixel is not zero, so that it would be seen.
    """
    count, height, width = images.shape
    beats = -(-width // cores)
    wide = np.full((count, height, beats * cores), 0xA5, dtype=np.uint8)
    wide[:, :, :width] = images
    user = np.zeros((count, height, beats), dtype=np.int64)
    last = np.zeros_like(user)
    user[:, 0, 0] = 1
    last[:, :, -1] = 1
    data = wide.reshape(-1, cores).view(f"<u{cores}").ravel()
    return {"data": data, "user": user.ravel(), "last": last.ravel()}


def single_pixels(beats: Mapping[str, np.ndarray], cores: int) -> dict[str, np.ndarray]:
    """A decoder's beats of several pixels as beats of one.

    Raises
    ------
    ValueError
        If a beat but a line's last is filled in part, or null bytes are not the highest and zero.
    """
    keep, user, last = (
        np.asarray(beats[name], dtype=np.int64) for name in ("keep", "user", "last")
    )
    pixels = np.asarray(beats["data"]).astype(f"<u{cores}").view(np.uint8).reshape(-1, cores)
    kept = (keep[:, None] >> np.arange(cores) & 1).astype(bool)
    part = keep != (1 << cores) - 1
    if (keep & (keep + 1)).any() or (keep == 0).any() or pixels[~kept].any() or (
        part & (last == 0)
    ).any():
        raise ValueError("null bytes must be zero, and the highest of a line's last beat")
    first, final = np.zeros(kept.shape, dtype=np.int64), np.zeros(kept.shape, dtype=np.int64)
    first[:, 0] = user
    final[np.arange(len(keep)), kept.sum(axis=1) - 1] = last
    return {"data": pixels[kept], "user": first[kept], "last": final[kept]}
