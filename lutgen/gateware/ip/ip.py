"""IPs: cores behind AXI4-Stream ports, with registers behind AXI4-Lite and an interrupt.

The streams are those of :mod:`lutgen.gateware.core.top`; what its other ports do, registers do
here, see ``registers.rdl``.

========================  =====================================================================
port                      meaning
========================  =====================================================================
``*_axis_*``              streams, see :mod:`lutgen.gateware.core.top`
``s_axi_control_*``       registers, see :class:`.registers.RegisterFile`
``interrupt``             an enabled cause is pending
========================  =====================================================================

Files begin only while ``control.enable`` is set; otherwise, and while an update of the settings is
on its way, the input waits between two files and no beat is lost.  Settings are those of the last
update for the whole of a file, whatever is written meanwhile.

Markers of PG278: geometry is counted, so a marker that is early or late moves nothing.  Each is
counted and can interrupt; pixels where a start of frame is overdue are dropped until it comes.

A software reset (``control.reset``) resets the core, also in mid-frame, and leaves the ports alone:

- Input: READY goes on as before.  Beats of what was broken are dropped: pixels up to the next start
  of frame, words of a file up to its TLAST.  They are neither counted nor reported.
- Output: VALID never falls without READY; up to two beats of what was broken still leave.  A file
  that was cut short is ended by one byte 0 with TLAST, so that the next one begins a packet; a
  frame that was cut short ends anywhere, and the next one begins with a start of frame.
- Registers, causes and counters stay, and settings are those of before.

With ``control.restart`` the ports are reset as well, because their neighbours are: input is taken
for a beginning, output that waits is dropped, and VALID may fall as AXI allows for a reset.
"""

from abc import abstractmethod
from collections.abc import Mapping
from functools import reduce
from operator import or_

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Module,
    Mux,
    ResetSignal,
    Signal,
)
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Out
from amaranth.utils import bits_for

from lutgen.registers.register_map import RegisterMap

from ..core.config import CoreConfig
from ..core.ports import (
    STREAM_FIELDS,
    VIDEO_FIELDS,
    Top,
    check_stream_bytes,
    stream_ports,
    video_ports,
)
from ..predictive.config import PredictiveConfig
from ..streams.axi import NullBeats, SkidBuffer, word_layout
from .build_map import build_map
from .registers import RegisterFile, axi_lite_ports

__all__ = ["BaseDecoderIp", "BaseEncoderIp", "Ip"]

#: Clocks for which settings have been stable when a file begins: the encoder's rule is six.
_SETTLING = 7


class Ip(Top):
    """What the IPs share: registers, resets, and a gate that files begin at."""

    _config: CoreConfig | PredictiveConfig
    #: Fields of a beat of video that the decoder gives.
    _given_fields = VIDEO_FIELDS

    def _video_ports(self, prefix: str, source: bool) -> dict:
        """Ports of a stream of pixels."""
        return video_ports(prefix, source, bits=self._config.pixel_bits)

    def _beat(self, source: bool) -> StructLayout:
        """What a beat of video holds, of an output if ``source``."""
        return self._config.pixel

    def _registers(self, m: Module, name: str) -> RegisterFile:
        """The register file, connected to the bus."""
        registers = RegisterFile(build_map(name, self._config))
        m.submodules.registers = registers
        for port, member in axi_lite_ports(RegisterMap.address_bits).items():
            inner, outer = getattr(registers, port), getattr(self, port)
            m.d.comb += inner.eq(outer) if member.flow is wiring.In else outer.eq(inner)
        m.d.comb += self.interrupt.eq(registers.interrupt)
        return registers

    def _resets(self, m: Module, registers: RegisterFile) -> Signal:
        """Makes the domains ``core`` and ``ports``; returns the reset of the core."""
        core, ports = ClockDomain("core", local=True), ClockDomain("ports", local=True)
        m.domains += core, ports
        # Set by the hardware reset as well: one register for all the fan-out.
        core_reset, restart = Signal(init=1), Signal()
        m.d.sync += [
            core_reset.eq(registers.control_reset),
            restart.eq(registers.control_reset & registers.control_restart),
        ]
        m.d.comb += [
            core.clk.eq(ClockSignal("sync")),
            core.rst.eq(core_reset),
            ports.clk.eq(ClockSignal("sync")),
            # Not a clock later: READY is up, and the first beat must not be lost.
            ports.rst.eq(ResetSignal("sync") | restart),
        ]
        return core_reset

    def _gate(self, m: Module, registers: RegisterFile, in_file, stops, may_load):
        """Returns whether no file may begin, and whether to take over the settings.

        ``stops`` blocks a clock later.
        """
        blocked, load = Signal(init=1), Signal()
        was_enabled = Signal()
        enabled = registers.control_enable
        settling = Signal(range(_SETTLING + 1))
        waits = 0
        if hasattr(registers, "control_update"):
            waits = registers.control_update
            m.d.comb += [
                load.eq(blocked & ~in_file & waits & may_load),
                registers.control_update_set.eq(enabled & ~was_enabled),
                registers.control_update_done.eq(load),
            ]
            with m.If(load):
                m.d.sync += settling.eq(_SETTLING)
            with m.Elif(settling != 0):
                m.d.sync += settling.eq(settling - 1)
        m.d.sync += [
            was_enabled.eq(enabled),
            blocked.eq(~enabled | ~was_enabled | waits | (settling != 0) | stops),
            registers.status_busy.eq(in_file),
            registers.status_waiting.eq(blocked & ~in_file),
        ]
        return blocked, load

    def _stalls(self, m: Module, registers: RegisterFile, sink: str, source: str) -> None:
        for name, prefix in (("input_stalls", sink), ("output_stalls", source)):
            valid, ready = getattr(self, f"{prefix}_tvalid"), getattr(self, f"{prefix}_tready")
            m.d.sync += getattr(registers, name).eq(valid & ~ready)

    @staticmethod
    def _count_bytes(m: Module, registers: RegisterFile, keep, moved) -> None:
        """Adds the bytes of a word that moves."""
        kept = Signal(len(keep))
        m.d.sync += [
            kept.eq(keep & moved.replicate(len(kept))),
            registers.bytes.eq(sum(kept[k] for k in range(len(kept)))),
        ]

    @staticmethod
    def _count(m: Module, registers: RegisterFile, events: dict) -> None:
        """Counts events, and makes causes of those that are."""
        # A hardware reset comes to the core a clock after the registers.
        begun = Signal()
        m.d.sync += begun.eq(1)
        for name, (event, counter) in events.items():
            # How many, of what may come several at once.
            pulse = Signal(len(getattr(registers, counter)), name=name)
            m.d.sync += pulse.eq(event & begun if len(pulse) == 1 else Mux(begun, event, 0))
            m.d.comb += getattr(registers, counter).eq(pulse)
            if hasattr(registers, f"isr_{name}"):
                m.d.comb += getattr(registers, f"isr_{name}").eq(pulse)


class BaseEncoderIp(Ip):
    """Base of encoders with AXI4-Stream ports, registers and an interrupt.

    Throughput is the core's, and latency a clock more than the top's.  A change of the image size
    costs about ten clocks between two files.  After reset, the input waits for ``control.enable``.

    Parameters
    ----------
    config:
        The core.
    stream_bytes:
        Width of the stream's TDATA in bytes: 1, 2, 4 or 8.
    further:
        Ports besides.
    """

    def __init__(
        self, config: CoreConfig | PredictiveConfig, *, stream_bytes: int = 4,
        further: Mapping | None = None,
    ) -> None:  # fmt: skip
        check_stream_bytes(stream_bytes)
        self._config, self._bytes = config, stream_bytes
        super().__init__({
            **self._video_ports("s_axis_video", source=False),
            **stream_ports("m_axis_stream", stream_bytes, source=True),
            **axi_lite_ports(RegisterMap.address_bits),
            "interrupt": Out(1),
            **(further or {}),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        registers = self._registers(m, "encoder")
        reset = self._resets(m, registers)
        core, given = self._core(m)
        # A slice of its own, for the logic on both sides.
        slice_words = SkidBuffer(word_layout(self._bytes))
        m.submodules.slice_words = DomainRenamer("core")(slice_words)
        packed = slice_words.o
        wiring.connect(m, given, slice_words.i)
        pixels = self._sink(
            m, "s_axis_video", self._beat(source=False), VIDEO_FIELDS, "slice_in", domain="ports",
        )  # fmt: skip
        words = self._source(
            m, "m_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_out",
            domain="ports",
        )  # fmt: skip
        dropping = Signal()
        blocked, load = self._gate(m, registers, core.in_file, reset | dropping, 1)
        self._settings(m, registers, core, load)
        self._take(m, core, pixels, reset, blocked, dropping)
        closing = self._give(m, packed, words, reset)
        taken = pixels.valid & ~(blocked & ~core.in_file)
        inside = self._inside(m, core, given, packed) | taken | packed.valid | closing
        m.d.sync += [
            registers.status_idle.eq(
                core.idle & ~inside & ~self.m_axis_stream_tvalid & ~reset
            ),
            registers.status_dropping.eq(dropping),
        ]
        self._tell(m, registers, core)
        return m

    @abstractmethod
    def _core(self, m: Module) -> tuple:
        """The core, in its domain, and the stream of its words."""

    @abstractmethod
    def _settings(self, m: Module, registers: RegisterFile, core, load) -> None:
        """What the core is told, taken over between files."""

    def _sizes(self, m: Module, registers: RegisterFile, core, load, *wrong) -> None:
        """Image sizes, taken over between files; if anything is ``wrong``, they are impossible."""
        c = self._config
        for name, largest in (("width", c.max_width), ("height", c.max_height)):
            written, used = getattr(registers, name), getattr(core, name)
            setting = Signal.like(used, name=name)
            m.d.comb += used.eq(setting)
            with m.If(load):
                # A number beyond the port's would be cut to a smaller one.
                beyond = reduce(or_, wrong, written[bits_for(largest) :].any())
                m.d.sync += setting.eq(Mux(beyond, 0, written))

    @staticmethod
    def _take(m: Module, core, pixels, reset, blocked, dropping) -> None:
        """Input: pixels of a broken frame are dropped up to the next start of frame, and nothing
        passes meanwhile.
        """
        drops = dropping & ~pixels.payload.sof
        passes = ~reset & (core.in_file | ~blocked)
        m.d.comb += [
            core.pixels.payload.eq(pixels.payload),
            core.pixels.valid.eq(pixels.valid & passes),
            pixels.ready.eq((core.pixels.ready & passes) | drops),
        ]
        with m.If(reset):
            m.d.ports += dropping.eq(dropping | core.in_file)
        with m.Elif(pixels.valid & pixels.payload.sof):
            m.d.ports += dropping.eq(0)

    @staticmethod
    def _give(m: Module, packed, words, reset) -> Signal:
        """Output: a file that was cut short is ended by a byte; whether that waits."""
        open_, closing = Signal(), Signal()
        m.d.comb += [
            words.payload.eq(packed.payload),
            words.valid.eq((packed.valid & ~reset) | closing),
            packed.ready.eq(words.ready & ~closing & ~reset),
        ]
        with m.If(closing):
            m.d.comb += [
                words.payload.data.eq(0), words.payload.keep.eq(1), words.payload.last.eq(1),
            ]  # fmt: skip
        with m.If(reset):
            m.d.ports += closing.eq(closing | open_)
        with m.Elif(words.ready & closing):
            m.d.ports += closing.eq(0)
        with m.If(words.ready & words.valid):
            m.d.ports += open_.eq(~words.payload.last)
        return closing

    @abstractmethod
    def _inside(self, m: Module, core, given, packed):
        """Whether a file begins, or has begun and not left the core, whose own flag has gaps."""

    def _tell(self, m: Module, registers: RegisterFile, core) -> None:
        """Count what passes."""
        given = self.m_axis_stream_tvalid & self.m_axis_stream_tready
        file_given = given & self.m_axis_stream_tlast
        self._stalls(m, registers, "s_axis_video", "m_axis_stream")
        self._count_bytes(m, registers, self.m_axis_stream_tkeep, given)
        self._count(m, registers, {
            "pixel": (core.pixel_taken, "pixels"),
            "frame_done": (core.frame_taken, "frames"),
            "file_done": (file_given, "files"),
            **{
                name: (getattr(core, name), name)
                for name in ("sof_early", "sof_late", "eol_early", "eol_late", "bad_size")
            },
        })


class BaseDecoderIp(Ip):
    """Base of decoders with AXI4-Stream ports, registers and an interrupt.

    Throughput is the core's, and latency a clock more than the top's.  A change of the level waits
    until the decoder is idle.  After reset, the input waits for ``control.enable``.  Parameters as
    in :class:`BaseEncoderIp`.
    """

    #: What the core tells of files.
    _errors: tuple[str, ...]

    def __init__(
        self, config: CoreConfig | PredictiveConfig, *, stream_bytes: int = 4,
        further: Mapping | None = None,
    ) -> None:  # fmt: skip
        check_stream_bytes(stream_bytes)
        self._config, self._bytes = config, stream_bytes
        super().__init__({
            **stream_ports("s_axis_stream", stream_bytes, source=False),
            **self._video_ports("m_axis_video", source=True),
            **axi_lite_ports(RegisterMap.address_bits),
            "interrupt": Out(1),
            **(further or {}),
        })
        self.m_axis_video_eof = Signal()  # beside the port

    def elaborate(self, platform) -> Module:
        m = Module()
        levels = self._config.levels
        registers = self._registers(m, "decoder")
        reset = self._resets(m, registers)
        null_beats = NullBeats(self._bytes)
        core, held_inside = self._core(m, null_beats.o)
        m.submodules.null_beats = DomainRenamer("core")(null_beats)
        words = self._sink(
            m, "s_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_in",
            domain="ports",
        )  # fmt: skip
        marked = StructLayout({**self._beat(source=True).members, "eof": 1})
        pixels = self._source(
            m, "m_axis_video", marked, {**self._given_fields, "eof": "eof"}, "slice_out",
            domain="ports",
        )  # fmt: skip
        m.d.comb += [
            pixels.payload.eq(Cat(core.pixels.payload, core.eof)),
            # A hardware reset comes to the core a clock after the ports.
            pixels.valid.eq(core.pixels.valid & ~reset),
            core.pixels.ready.eq(pixels.ready),
        ]

        # Input: words of a broken file are dropped up to its end.
        in_file, dropping = Signal(), Signal()
        # A slice of its own, for the logic on both sides.
        m.submodules.slice_words = slice_words = DomainRenamer("core")(
            SkidBuffer(word_layout(self._bytes))
        )
        gated, held = slice_words.i, slice_words.o
        wiring.connect(m, held, null_beats.i)
        # The core's own flag is a clock old, and it heeds the level while that is set.
        before = held.valid | null_beats.held | held_inside
        quiet, settled = core.idle & ~before, Signal()
        m.d.sync += settled.eq(quiet)
        blocked, load = self._gate(m, registers, in_file, reset, quiet & settled)
        passes = ~reset & ~dropping & (in_file | ~blocked)
        m.d.comb += [
            gated.payload.eq(words.payload),
            gated.valid.eq(words.valid & passes),
            words.ready.eq((gated.ready & passes) | (dropping & ~reset)),
        ]
        moves = words.valid & words.ready
        with m.If(moves):
            m.d.ports += in_file.eq(~words.payload.last)
        with m.If(reset):
            m.d.ports += dropping.eq(in_file)
        with m.Elif(moves & words.payload.last):
            m.d.ports += dropping.eq(0)
        if levels:
            level = Signal.like(core.level)
            m.d.comb += core.level.eq(level)
            with m.If(load):
                m.d.sync += level.eq(Mux(registers.level > levels, levels, registers.level))

        taken = words.valid & ~(blocked & ~in_file)
        inside = taken | before | self.m_axis_video_tvalid
        m.d.sync += [
            registers.status_idle.eq(core.idle & ~inside & ~reset),
            registers.status_dropping.eq(dropping),
        ]
        counted = moves & ~dropping
        given = self.m_axis_video_tvalid & self.m_axis_video_tready
        self._stalls(m, registers, "s_axis_stream", "m_axis_video")
        self._count_bytes(m, registers, words.payload.keep, counted)
        self._count(m, registers, {
            "pixel": (self._pixels(given), "pixels"),
            "frame_done": (given & self.m_axis_video_eof, "frames"),
            "file_done": (counted & words.payload.last, "files"),
            **{name: (getattr(core, name), name) for name in self._errors},
        })
        return m

    def _pixels(self, given):
        """How many pixels a beat has that is given."""
        return given

    @abstractmethod
    def _core(self, m: Module, words) -> tuple:
        """The core, in its domain, behind a stream of words, and whether one is on its way to it.
        """
