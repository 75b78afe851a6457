"""IPs of the profiles with tiles: see :mod:`.ip` for ports, registers and resets."""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import wiring

from ..core.config import CoreConfig
from ..core.decoder import DecoderCore
from ..core.encoder import EncoderCore
from ..core.top import DECODER_ERRORS
from ..streams.axi import BYTE, BytesToWords, SkidBuffer, WordsToBytes
from .ip import BaseDecoderIp, BaseEncoderIp
from .registers import RegisterFile

__all__ = ["DecoderIp", "EncoderIp"]


class EncoderIp(BaseEncoderIp):
    """Encoder with registers; ``config`` is a `CoreConfig`.

    Throughput is the core's, see :class:`lutgen.gateware.core.encoder.EncoderCore`.
    """

    _config: CoreConfig

    def _core(self, m: Module) -> tuple:
        core, pack = EncoderCore(self._config, events=True), BytesToWords(self._bytes)
        m.submodules.core = DomainRenamer("core")(core)
        m.submodules.pack = DomainRenamer("core")(pack)
        wiring.connect(m, core.bytes, pack.i)
        return core, pack.o

    def _settings(self, m: Module, registers: RegisterFile, core, load) -> None:
        self._sizes(m, registers, core, load)
        images = Signal(32)
        m.d.comb += core.images.eq(images)
        with m.If(load):
            m.d.sync += images.eq(registers.images)

    def _inside(self, m: Module, core, given, packed):
        c = self._config
        most = 2 * (c.input_buffers + c.packet_buffers)  # with room
        files, file_left = Signal(range(most)), Signal()
        m.d.comb += file_left.eq(packed.valid & packed.ready & packed.payload.last)
        with m.If(core.file_begins & ~file_left):
            m.d.core += files.eq(files + 1)
        with m.Elif(file_left & ~core.file_begins):
            m.d.core += files.eq(files - 1)
        return core.in_file | core.file_begins | (files != 0)


class DecoderIp(BaseDecoderIp):
    """Decoder with registers; ``config`` is a `CoreConfig`.

    Throughput is the core's, see :class:`lutgen.gateware.core.decoder.DecoderCore`.
    """

    _config: CoreConfig
    _errors = DECODER_ERRORS

    def _core(self, m: Module, words) -> tuple:
        core, unpack = DecoderCore(self._config, events=True), WordsToBytes(self._bytes)
        slice_bytes = SkidBuffer(BYTE)
        for name, part in (("core", core), ("unpack", unpack), ("slice_bytes", slice_bytes)):
            m.submodules[name] = DomainRenamer("core")(part)
        wiring.connect(m, words, unpack.i)
        wiring.connect(m, unpack.o, slice_bytes.i)
        wiring.connect(m, slice_bytes.o, core.bytes)
        return core, unpack.o.valid | slice_bytes.o.valid
