"""The IPs as functions: images to file bytes and back, set up and watched through registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.predictive import PredictiveDecoderIp, PredictiveEncoderIp
from lutgen.gateware.ip.registers import BUS
from lutgen.gateware.ip.slabs import SlabDecoderIp, SlabEncoderIp
from lutgen.gateware.ip.tiles import DecoderIp, EncoderIp
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.registers.register_map import RegisterMap
from lutgen.sim.cores.codec import SLACK_CLOCKS, Decoded, Encoded, rename_stalls
from lutgen.sim.drive.beats import filled, raster_beats
from lutgen.sim.drive.bus import BusScript
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.stream import AXIS, StreamResult, rtl_stream
from lutgen.sim.drive.words import file_beats
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["RtlDecoderIp", "RtlEncoderIp"]

_DONE = ("frame_done", "file_done")
_COUNTERS = ("pixels", "bytes", "frames", "files")


def _cores_of(config: CoreConfig | PredictiveConfig) -> int:
    """Cores behind the ports of an IP, and pixels of a beat."""
    return config.cores if isinstance(config, PredictiveConfig) else 1


def _kinds(config: CoreConfig | PredictiveConfig) -> tuple[Callable, Callable]:
    """The IPs of an encoder and of a decoder."""
    if not config.strips:
        return EncoderIp, DecoderIp
    if _cores_of(config) > 1:
        return SlabEncoderIp, SlabDecoderIp
    return PredictiveEncoderIp, PredictiveDecoderIp


class _Session:
    """Transactions of a run: check what the IP is, set up, run, read what it tells."""

    def __init__(self, registers: RegisterMap, settings: Mapping[str, int]) -> None:
        self._map = registers
        self._bus = BusScript(BUS)
        self._read: dict[str, int] = {}
        constants = [
            register.name for register in registers
            if all(field.kind == "constant" for field in register.fields)
        ]  # fmt: skip
        self._constants = constants
        self._causes = registers["isr"].fields
        self._errors = [field.name for field in self._causes if field.name not in _DONE]
        for name in constants:
            self._take(name)
        self._write("ier", sum(field.mask for field in self._causes))
        self._write("gie", 1)
        for name, value in settings.items():
            self._write(name, value)
        control = registers["control"]
        self._write("control", control["enable"].mask)
        if any(field.kind == "request" for field in control.fields):
            # Enabling asks for the settings, so that they are in use when the request is done.
            self._bus.until(control.offset, control["update"].mask, 0)
        self._bus.start()
        self._bus.taken()
        idle = registers["status"]["idle"].mask
        self._bus.until(registers["status"].offset, idle, idle)
        for name in ("isr", *_COUNTERS, *self._errors):
            self._take(name)
        self._write("isr", sum(field.mask for field in self._causes))
        self._read["isr after"] = self._bus.read(registers["isr"].offset)

    def _write(self, name: str, value: int) -> None:
        self._bus.write(self._map[name].offset, value)

    def _take(self, name: str) -> None:
        self._read[name] = self._bus.read(self._map[name].offset)

    def run(
        self, design: Design, inputs: Mapping, outputs: Mapping, **options
    ) -> tuple[StreamResult, dict[str, int], tuple[str, ...]]:
        """The streams, counters, and errors; SimulationError if the registers contradict."""
        result = rtl_stream(
            design, inputs, outputs, names=AXIS, bus=self._bus, watch=["interrupt"], **options
        )
        words = {name: result.word(at) for name, at in self._read.items()}
        for name in self._constants:
            if words[name] != self._map[name].reset:
                raise SimulationError(
                    f"register {name} must read {self._map[name].reset:#x}, not {words[name]:#x}"
                )
        isr, after = words["isr"], words["isr after"]
        levels = {value for _, value in result.changes["interrupt"]}
        if (1 in levels) != bool(isr) or after or result.status["interrupt"]:
            raise SimulationError(
                f"interrupt must follow ISR, which was {isr:#x} and then {after:#x}; it was "
                f"{'raised' if 1 in levels else 'not raised'} and is {result.status['interrupt']}"
            )
        errors = tuple(field.name for field in self._causes
                       if field.name not in _DONE and isr & field.mask)  # fmt: skip
        counted = tuple(name for name in self._errors if words[name])
        if counted != errors:
            raise SimulationError(f"errors counted must be {errors} of ISR, not {counted}")
        return result, {name: words[name] for name in _COUNTERS}, errors


class RtlEncoderIp:
    """The encoder's IP of a configuration, simulated.

    Parameters
    ----------
    config :
        The core.
    source : optional
        Verilog of ``lutgen_encoder``, by default made from ``config``.
    stream_bytes : int
        Width of the stream's TDATA in bytes, of ``source`` as well.
    """

    def __init__(
        self, config: CoreConfig | PredictiveConfig, source=None, *, stream_bytes: int = 4
    ) -> None:
        self.config = config
        self._bytes, self._cores = stream_bytes, _cores_of(config)
        self._map = build_map("encoder", config)
        kind = _kinds(config)[0]
        source = source or kind(config, stream_bytes=stream_bytes)
        self._design = Design.of(source, "lutgen_encoder")

    def __call__(
        self,
        images: np.ndarray,
        *,
        per_file: int | None = None,
        near: int = 0,
        order: int = 0,
        stall: Mapping[str, Stall] | None = None,
        **options,
    ) -> Encoded:
        """Encode images of one size; parameters as in `.codec.RtlEncoder`, and ``near`` and
        ``order`` as in `.predictive.RtlPredictiveEncoder`."""
        images = np.asarray(images)
        count, height, width = images.shape
        if self.config.strips:
            per_file = 1  # whose files have one image each
        session = _Session(
            self._map,
            {
                "width": width, "height": height, "images": per_file or count,
                **({"near": near} if self.config.max_near else {}),
                **({"order": order} if self.config.max_order else {}),
            },
        )
        result, counters, errors = session.run(
            self._design,
            {"s_axis_video": raster_beats(images, self._cores, self.config.pixel_bits)},
            {"m_axis_stream": ["data", "keep", "last"]},
            stalls=rename_stalls(stall, {"pixels": "s_axis_video", "bytes": "m_axis_stream"}),
            **{"max_clocks": 40 * images.size + SLACK_CLOCKS, **options},
        )
        line = filled(width, self._cores)
        return Encoded.of(result, self._bytes, errors, counters, line=line)


class RtlDecoderIp:
    """The decoder's IP of a configuration, simulated.  Parameters as in `RtlEncoderIp`."""

    def __init__(
        self, config: CoreConfig | PredictiveConfig, source=None, *, stream_bytes: int = 4
    ) -> None:
        self.config = config
        self._bytes, self._cores = stream_bytes, _cores_of(config)
        self._map = build_map("decoder", config)
        kind = _kinds(config)[1]
        source = source or kind(config, stream_bytes=stream_bytes)
        self._design = Design.of(source, "lutgen_decoder")

    def __call__(
        self, files: bytes | Sequence[bytes], *, stall: Mapping[str, Stall] | None = None,
        level: int = 0, **options,
    ) -> Decoded:  # fmt: skip
        """Decode files, sent one after the other; parameters as in `.codec.RtlDecoder`."""
        words = file_beats(files, self._bytes)
        session = _Session(self._map, {"level": level} if self.config.levels else {})
        result, counters, errors = session.run(
            self._design,
            {"s_axis_stream": words},
            {"m_axis_video": ["data", "user", "last", *(["keep"] if self._cores > 1 else [])]},
            stalls=rename_stalls(stall, {"bytes": "s_axis_stream", "pixels": "m_axis_video"}),
            **{"max_clocks": 2000 * len(words["data"]) + SLACK_CLOCKS, **options},
        )
        return Decoded.of(
            result, errors, counters, cores=self._cores, dtype=self.config.pixel_dtype,
            bits=self.config.pixel_bits,
        )  # fmt: skip
