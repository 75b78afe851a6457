"""The tops of profile ``predictive`` as functions: images to files and back, through the gateware.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.top import (
    DECODER_ERRORS,
    ENCODER_ERRORS,
    PredictiveDecoderTop,
    PredictiveEncoderTop,
)
from lutgen.gateware.slabs.multi import PredictiveDecoderCores, PredictiveEncoderCores
from lutgen.sim.cores.codec import SLACK_CLOCKS, Decoded, Encoded, rename_stalls, seen_errors
from lutgen.sim.drive.beats import filled, raster_beats
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.stream import AXIS, rtl_stream
from lutgen.sim.drive.words import file_beats
from lutgen.sim.tool.design import Design

__all__ = ["RtlPredictiveDecoder", "RtlPredictiveEncoder", "group_clocks", "groups_of"]

#: Clocks that the output is idle for in the end.
_IDLE_CLOCKS = 64
#: Ports may stall, and each strip of a file takes as long as a group.
_SLOWER = 12


def group_clocks(config: PredictiveConfig, width: int, lanes: int) -> int:
    """Clocks of a group of rows of a picture of that width, between others."""
    return round(config.clocks_per_sample(width, lanes) * config.planes.columns(width) * 4)


def groups_of(config: PredictiveConfig, height: int) -> int:
    """Groups of rows of a picture of that height, of all planes."""
    return -(-config.planes.lines(height) * config.planes.count // 4)


class RtlPredictiveEncoder:
    """The encoder top of a configuration, simulated.

    Parameters
    ----------
    config :
        The core.
    source : optional
        Its Verilog, by default made from ``config``.
    stream_bytes : int
        Width of the stream's TDATA in bytes, of ``source`` as well.
    """

    def __init__(self, config: PredictiveConfig, source=None, *, stream_bytes: int = 4) -> None:
        self.config, self._bytes = config, stream_bytes
        kind = PredictiveEncoderTop if config.cores == 1 else PredictiveEncoderCores
        self._design = Design.of(source or kind(config, stream_bytes=stream_bytes))

    def __call__(
        self, images: np.ndarray, *, near: int = 0, order: int = 0,
        stall: Mapping[str, Stall] | None = None, **options,
    ) -> Encoded:  # fmt: skip
        """Encode images of one size, (N, H, W), each into a file of its own, of that near.

        Pixels of RGB are packed (`lutgen.gateware.streams.beats.packed_pixels`).  ``order`` is that
        of the planes, or the pattern of a colour filter array; ``stall`` has stalls of ``pixels``
        and ``bytes``; options are those of `rtl_stream`.
        """
        count, height, width = images.shape
        config = {"width": width, "height": height, "clear_error": 0}
        if self.config.planes.count > 1:
            config["order"] = order
        if self.config.max_near:
            config["near"] = near
        clocks = group_clocks(self.config, width, self.config.encoder_lanes)
        clocks *= count * groups_of(self.config, height)
        result = rtl_stream(
            self._design, {
                "s_axis_video": raster_beats(images, self.config.cores, self.config.pixel_bits),
            },
            {"m_axis_stream": ["data", "keep", "last"]}, names=AXIS,
            stalls=rename_stalls(stall, {"pixels": "s_axis_video", "bytes": "m_axis_stream"}),
            config=config, watch=["error"],
            **{
                "idle": "idle", "idle_clocks": _IDLE_CLOCKS,
                "max_clocks": _SLOWER * clocks + SLACK_CLOCKS, **options,
            },
        )  # fmt: skip
        line = filled(width, self.config.cores)
        return Encoded.of(result, self._bytes, seen_errors(result, ENCODER_ERRORS), line=line)


class RtlPredictiveDecoder:
    """The decoder top of a configuration, simulated; parameters as in `RtlPredictiveEncoder`."""

    def __init__(self, config: PredictiveConfig, source=None, *, stream_bytes: int = 4) -> None:
        self.config, self._bytes = config, stream_bytes
        kind = PredictiveDecoderTop if config.cores == 1 else PredictiveDecoderCores
        self._design = Design.of(source or kind(config, stream_bytes=stream_bytes))

    def __call__(
        self, files: Sequence[bytes], *, stall: Mapping[str, Stall] | None = None, **options
    ) -> Decoded:
        """Decode files, sent one after the other; options and frames as in `RtlPredictiveEncoder`.
        """
        config, words = self.config, file_beats(files, self._bytes)
        clocks = group_clocks(config, config.max_width, config.lanes)
        result = rtl_stream(
            self._design, {"s_axis_stream": words},
            {"m_axis_video": ["data", "user", "last", *(["keep"] if config.cores > 1 else [])]},
            names=AXIS,
            stalls=rename_stalls(stall, {"bytes": "s_axis_stream", "pixels": "m_axis_video"}),
            config={"clear_error": 0}, watch=["error"],
            **{
                "idle": "idle", "idle_clocks": _IDLE_CLOCKS,
                "max_clocks": clocks * len(files) * groups_of(config, config.max_height)
                + SLACK_CLOCKS,
                **options,
            },
        )  # fmt: skip
        errors = seen_errors(result, DECODER_ERRORS)
        return Decoded.of(
            result, errors, cores=config.cores, dtype=config.pixel_dtype, bits=config.pixel_bits
        )
