"""IPs of profile ``predictive``: see :mod:`.ip` for ports, registers and resets.

Each picture is a file, so that ``images`` must be 1, and there is no level.  The encoder has a
register ``near`` where its configuration's ``max_near`` is not 0, and ``order`` of several planes;
a greater one is an impossible size.
"""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import wiring

from ..predictive.config import PredictiveConfig
from ..predictive.decoder import PredictiveDecoder
from ..predictive.encoder import PredictiveEncoder
from ..predictive.top import DECODER_ERRORS
from ..streams.axi import SkidBuffer, word_layout
from .ip import BaseDecoderIp, BaseEncoderIp
from .registers import RegisterFile

__all__ = ["PredictiveDecoderIp", "PredictiveEncoderIp"]


class PredictiveEncoderIp(BaseEncoderIp):
    """Encoder of profile ``predictive`` with registers; ``config`` is a `PredictiveConfig`.

    Throughput is the core's, see `lutgen.gateware.predictive.encoder.PredictiveEncoder`.
    """

    _config: PredictiveConfig

    def _core(self, m: Module) -> tuple:
        core = PredictiveEncoder(
            **self._config.of_encoder, stream_bytes=self._bytes, events=True
        )
        m.submodules.core = DomainRenamer("core")(core)
        return core, core.words

    def _settings(self, m: Module, registers: RegisterFile, core, load) -> None:
        config = self._config
        several = Signal()
        wrong = [several]
        m.d.sync += several.eq(registers.images != 1)
        for name, most in (("near", config.max_near), ("order", config.max_order)):
            if not most:
                continue
            written, used = getattr(registers, name), getattr(core, name)
            setting = Signal.like(used, name=name)
            beyond = Signal(name=f"{name}_beyond")
            wrong.append(beyond)
            m.d.comb += used.eq(setting)
            m.d.sync += beyond.eq(written > most)
            with m.If(load):
                m.d.sync += setting.eq(written)
        self._sizes(m, registers, core, load, *wrong)

    def _inside(self, m: Module, core, given, packed):
        return core.in_file | given.valid


class PredictiveDecoderIp(BaseDecoderIp):
    """Decoder of profile ``predictive`` with registers; ``config`` is a `PredictiveConfig`.

    Throughput is the core's, see `lutgen.gateware.predictive.decoder.PredictiveDecoder`.
    """

    _config: PredictiveConfig
    _errors = DECODER_ERRORS

    def _core(self, m: Module, words) -> tuple:
        core = PredictiveDecoder(**self._config.of_decoder, stream_bytes=self._bytes)
        # What removes null beats and what reads words each have logic in the way of ``ready``.
        between = SkidBuffer(word_layout(self._bytes))
        for name, part in (("core", core), ("slice_between", between)):
            m.submodules[name] = DomainRenamer("core")(part)
        wiring.connect(m, words, between.i)
        wiring.connect(m, between.o, core.words)
        return core, between.o.valid
