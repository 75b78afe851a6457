"""The tops as functions: images to file bytes and back, through the gateware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lutgen.errors import InputError
from lutgen.gateware.bands.multi import decoder_top, encoder_top
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.core.top import DECODER_ERRORS, ENCODER_ERRORS
from lutgen.sim.drive.beats import filled, raster_beats, single_pixels
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.stream import AXIS, StreamResult, rtl_stream
from lutgen.sim.drive.words import file_beats, files_of, frames_of
from lutgen.sim.tool.design import Design

__all__ = [
    "SLACK_CLOCKS", "Decoded", "Encoded", "RtlDecoder", "RtlEncoder", "rename_stalls",
    "seen_errors",
]  # fmt: skip

#: Clocks without which a run is called hung: generous, since nothing depends on it.
SLACK_CLOCKS = 200_000
#: The idle output drops for a moment between files of one tile.
_IDLE_CLOCKS = 64


def seen_errors(result: StreamResult, names: Sequence[str]) -> tuple[str, ...]:
    """Names of the error bits that were set at any time."""
    seen = 0
    for _, value in result.changes["error"]:
        seen |= value
    return tuple(name for bit, name in enumerate(names) if seen >> bit & 1)


@dataclass(frozen=True, eq=False)
class Encoded:
    """What the encoder's gateware gave.

    Members
    -------
    files : tuple of bytes
        Complete files, in order.
    rest : bytes
        Bytes after the last complete file.
    errors : tuple of str
        Names of the error bits that were set at any time.
    trace : StreamResult
        Clock of every beat.
    pixels : int
        Pixels that were taken.
    counters : mapping, optional
        What the counters read in the end, of an IP with registers.
    """

    files: tuple[bytes, ...]
    rest: bytes
    errors: tuple[str, ...]
    trace: StreamResult = field(repr=False)
    pixels: int
    counters: Mapping[str, int] | None = None

    @classmethod
    def of(
        cls, result: StreamResult, size: int, errors: tuple[str, ...], counters=None,
        line: Sequence[int] | np.ndarray = (1,),
    ) -> Encoded:  # fmt: skip
        """What a run gave on a stream of ``size`` bytes; ``line`` counts the pixels of a line's
        beats.
        """
        beats = result.outputs["m_axis_stream"]
        files, rest = files_of(beats["data"], beats["keep"], beats["last"], size)
        pixels = int(np.resize(line, len(result.input_clocks["s_axis_video"])).sum())
        return cls(files, rest, errors, result, pixels, counters)

    @property
    def clocks_per_pixel(self) -> float:
        """Clocks from the first beat taken to the last, each included, per pixel."""
        return _span(self.trace.input_clocks["s_axis_video"], self.pixels)


@dataclass(frozen=True, eq=False)
class Decoded:
    """What the decoder's gateware gave.

    Members
    -------
    frames : tuple of uint8, or uint16 of deeper samples, (H, W)
        Complete frames, in order.
    errors : tuple of str
        Names of the error bits that were set at any time.
    trace : StreamResult
        Clock of every beat.
    pixels : int
        Pixels that were given.
    counters : mapping, optional
        What the counters read in the end, of an IP with registers.
    """

    frames: tuple[np.ndarray, ...]
    errors: tuple[str, ...]
    trace: StreamResult = field(repr=False)
    pixels: int
    counters: Mapping[str, int] | None = None

    @classmethod
    def of(
        cls, result: StreamResult, errors: tuple[str, ...], counters=None, cores: int = 1,
        dtype=np.uint8, bits: int | None = None,
    ) -> Decoded:  # fmt: skip
        """What a run gave on a port of so many pixels a beat, each ``dtype`` and of so many bits.
        """
        beats = result.outputs["m_axis_video"]
        if cores > 1:
            beats = single_pixels(beats, cores, dtype, bits)
        frames = frames_of(beats["data"], beats["user"], beats["last"], dtype)
        return cls(frames, errors, result, len(beats["data"]), counters)

    @property
    def clocks_per_pixel(self) -> float:
        """Clocks from the first beat given to the last, each included, per pixel."""
        return _span(self.trace.output_clocks["m_axis_video"], self.pixels)


def _span(clocks: np.ndarray, pixels: int) -> float:
    return (int(clocks[-1]) - int(clocks[0]) + 1) / pixels


class RtlEncoder:
    """The encoder top of a configuration, of one core or several, simulated.

    Parameters
    ----------
    config :
        The core.
    source : optional
        Verilog of ``lutgen_encoder``, by default made from ``config``.
    stream_bytes, cores : int
        Width of the stream's TDATA in bytes, and cores, of ``source`` as well.
    """

    def __init__(
        self, config: CoreConfig, source=None, *, stream_bytes: int = 4, cores: int = 1
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
        """Encode images of one size.

        Parameters
        ----------
        images : uint8 (N, H, W)
        per_file : int
            Images of a file, by default all.
        stall : mapping
            Stalls of ``pixels`` and ``bytes``.
        pixels : mapping
            Beats (``data``, ``user``, ``last``) to send instead of the images', for tests of
            misplaced markers.
        size : (width, height)
            Image size to configure instead of the images'.
        options :
            See `rtl_stream`.
        """
        images = np.asarray(images, dtype=np.uint8)
        count, height, width = images.shape
        if pixels is None:
            pixels = raster_beats(images, self._cores)
        line = filled(width, self._cores)
        width, height = size or (width, height)
        result = rtl_stream(
            self._design,
            {"s_axis_video": pixels},
            {"m_axis_stream": ["data", "keep", "last"]},
            names=AXIS,
            stalls=rename_stalls(stall, {"pixels": "s_axis_video", "bytes": "m_axis_stream"}),
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
                "max_clocks": 40 * self._cores * len(pixels["data"]) + SLACK_CLOCKS,
                **options,
            },
        )
        return Encoded.of(result, self._bytes, seen_errors(result, ENCODER_ERRORS), line=line)


class RtlDecoder:
    """The decoder top of a configuration, simulated.  Parameters as in `RtlEncoder`."""

    def __init__(
        self, config: CoreConfig, source=None, *, stream_bytes: int = 4, cores: int = 1
    ) -> None:
        self.config = config
        self._bytes, self._cores = stream_bytes, cores
        source = source or decoder_top(config, cores=cores, stream_bytes=stream_bytes)
        self._design = Design.of(source, "lutgen_decoder")

    def __call__(
        self, files: bytes | Sequence[bytes], *, stall: Mapping[str, Stall] | None = None,
        level: int = 0, **options,
    ) -> Decoded:  # fmt: skip
        """Decode files, sent one after the other, each ended by TLAST.

        Parameters
        ----------
        files : bytes or sequence of bytes
        stall : mapping
            Stalls of ``bytes`` and ``pixels``.
        level : int
            Level to decode.
        options :
            See `rtl_stream`.
        """
        words = file_beats(files, self._bytes)
        result = rtl_stream(
            self._design,
            {"s_axis_stream": words},
            {"m_axis_video": ["data", "user", "last", *(["keep"] if self._cores > 1 else [])]},
            names=AXIS,
            stalls=rename_stalls(stall, {"bytes": "s_axis_stream", "pixels": "m_axis_video"}),
            config={"clear_error": 0} | ({"level": level} if self.config.model.levels else {}),
            watch=["error"],
            **{
                "idle": "idle",
                "idle_clocks": _IDLE_CLOCKS,
                "max_clocks": 2000 * len(words["data"]) + SLACK_CLOCKS,
                **options,
            },
        )
        return Decoded.of(result, seen_errors(result, DECODER_ERRORS), cores=self._cores)


def rename_stalls(
    stall: Mapping[str, Stall] | None, names: Mapping[str, str]
) -> dict[str, Stall]:
    """Stalls by stream, from those by what the streams carry."""
    unknown = set(stall or ()) - set(names)
    if unknown:
        raise InputError(f"stall must name {sorted(names)}, not {sorted(unknown)}")
    return {names[name]: value for name, value in (stall or {}).items()}
