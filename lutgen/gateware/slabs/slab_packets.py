"""Slab packets: shares the bytes of files out to the cores of their slabs."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import CRC_BYTES, GROUP

from ..fabric.pipeline import drive
from ..predictive.config import PredictiveConfig
from ..streams.axi import word_layout
from ..streams.run import run_layout
from ..strips.file_header import FileHeader
from ..strips.length_reader import LengthReader
from ..strips.slabs import slab_bits
from ..strips.strip_files import strip_header
from .run_cutter import RunCutter
from .slab_router import SlabRouter

__all__ = ["SlabPackets"]

#: States in which bytes are taken one by one, and many at once.
_SERIAL, _BULK = ("header", "length"), ("payload", "checksum", "index")
#: Clocks from the number of bytes that are to be taken to their taking.
_LOADS = 4


class _Flow:
    """What the states of the reader share: where it is, in registers."""

    def __init__(self, m: Module, packets: "SlabPackets", count_bits: int) -> None:
        c = packets.config
        self.m = m
        # Of the state: what happens to bytes does not wait for its decoding.
        self.serial, self.bulk = Signal(init=1), Signal()
        self.wait = Signal(3)
        self.begun = Signal()  # a header has
        self.truncated = Signal()  # the stream is over with what was taken
        self.zero = Signal()  # a zero byte is given
        self.turn = Signal(c.cores, init=1)  # whose slab it is, one bit a core
        self.open = Signal(c.cores)  # cores that do not know the file's end
        # Lines from this strip on, those of this strip, and rows of planes from this group on.
        self.image_lines, self.strip_lines = Signal(16), Signal(16)
        self.strip_rows = Signal(bits_for(c.planes.count * ((1 << 16) - 1)) + 1)
        self.last_strip, self.last_group = Signal(), Signal()
        self.ended = Signal()  # there are no more strips
        self.strips = Signal(range(c.max_height + 1))  # of a slab, that have been taken
        self.count = Signal(count_bits)  # bytes to be taken at once

    def go(self, state: str) -> None:
        """Go to a state."""
        self.m.next = state
        self.m.d.sync += [
            self.serial.eq(int(state in _SERIAL)), self.bulk.eq(int(state in _BULK)),
        ]

    def waits(self, state: str, following: str, cutter: RunCutter) -> None:
        """A state that only waits, until a number of bytes is known and the next one is there."""
        with self.m.State(state):
            self.m.d.sync += self.wait.eq(self.wait - self.wait.any())
            with self.m.If(~self.wait.any() & cutter.ready):
                self.go(following)


class SlabPackets(wiring.Component):
    """Finds the strips in files by the lengths of their payloads.

    Each core is given the header of each file, the strips of its slab, and the first core the
    index; each of these begins with a word of its own, and the last word that a core is given of a
    file has ``last``.  So a core sees a file of its slab's strips alone.  What a core looks at is
    not judged here, but a header or a length that is none ends the file for all cores, which then
    report it, as they do if a file is cut short.

    One word per clock within a payload, one byte elsewhere; about 20 clocks more for each payload.
    Reset drops the file.

    Parameters
    ----------
    config:
        The cores.
    count:
        Bytes of a run and of a word.

    Members
    -------
    runs : In(stream of `lutgen.gateware.streams.run.run_layout`)
        The files.
    rooms, write, word : In(slabs), Out(slabs), Out(word_layout)
        See `.slab_router.SlabRouter`.
    busy : Out(1)
        A file is incomplete, or a word on its way.
    """

    def __init__(self, config: PredictiveConfig, count: int) -> None:
        self.config, self._count = config, count
        super().__init__({
            "runs": In(stream.Signature(run_layout(count))),
            "rooms": In(config.cores),
            "write": Out(config.cores),
            "word": Out(word_layout(count)),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c, count, slabs = self.config, self._count, self.config.cores
        planes, channels = c.planes, c.planes.channels
        m.submodules.header = header = FileHeader(
            strip_header(c.model_hash, c.depth, channels, slabs), depth=c.depth,
            max_width=planes.columns(c.max_width), max_height=planes.lines(c.max_height),
            max_near=c.max_near, channels=channels, slabs=slabs,
            max_strip_height=planes.lines(c.rows_of_strip),
        )  # fmt: skip
        total = bits_for(GROUP * c.slab_columns * c.depth + 7)
        m.submodules.lengths = lengths = LengthReader(1, total - 3)
        # Of a payload, or of an index: four bytes for each strip of each slab.
        bits = max(total - 3, 3 + bits_for(slabs * c.max_height))
        m.submodules.cutter = cutter = RunCutter(count, bits)
        m.submodules.router = router = SlabRouter(slabs, count)
        wiring.connect(m, wiring.flipped(self.runs), cutter.runs)
        f = _Flow(m, self, bits)
        lines = header.file.strip_height
        m.d.sync += [
            f.last_strip.eq(f.image_lines <= lines), f.last_group.eq(f.strip_rows <= GROUP),
            f.strip_lines.eq(Mux(f.last_strip, f.image_lines, lines)),
        ]
        with m.If(cutter.over):
            m.d.sync += f.truncated.eq(1)
        # The greatest length of a payload of the widest slab, in plain bits, added up.
        most, times = Signal(total, reset_less=True), Signal(range(GROUP * 16 + 1))
        with m.If(times.any()):
            m.d.sync += [most.eq(most + header.widest), times.eq(times - 1)]
        # What is taken goes on a clock later.
        m.d.sync += [
            router.take.eq(cutter.give | f.zero), router.run.last.eq(router.closes),
            router.run.data.eq(Mux(f.zero, 0, cutter.run.data)),
            router.run.top.eq(Mux(f.zero, 0, cutter.run.top)),
        ]
        m.d.comb += [
            *drive(self, router, "write", "word"), router.rooms.eq(self.rooms),
            cutter.room.eq(router.room), cutter.serial.eq(f.serial), cutter.bulk.eq(f.bulk),
            cutter.count.eq(f.count), cutter.load.eq(f.wait == 2),
            header.byte.eq(cutter.byte), lengths.byte.eq(cutter.byte), lengths.most.eq(most >> 3),
        ]  # fmt: skip
        with m.FSM(name="file") as fsm:
            self._header_states(f, header, cutter, router, most, times)
            self._payload_states(f, header, lengths, cutter, router)
            self._strip_states(f, header, cutter, router)
            self._end_states(f, cutter, router)
        m.d.sync += self.busy.eq(cutter.held | ~fsm.ongoing("header") | f.begun | router.busy)
        return m

    @staticmethod
    def _close(f: _Flow, router: SlabRouter, last) -> None:
        """A packet ends; where ``last``, the file does for its cores."""
        f.m.d.comb += [router.closes.eq(1), router.file_ends.eq(last)]

    def _header_states(self, f: _Flow, header, cutter, router, most, times) -> None:
        """From the first byte of a file to its first strip."""
        m = f.m
        with m.State("header"):
            m.d.comb += header.step.eq(cutter.step)
            with m.If(cutter.step):
                m.d.sync += [f.begun.eq(1), f.truncated.eq(cutter.over)]
                with m.If(~f.begun):
                    m.d.comb += router.opens.eq(-1)
                    m.d.sync += f.open.eq(-1)
                with m.If(header.whole | cutter.over):
                    self._close(f, router, cutter.over)
                    m.d.sync += [f.begun.eq(0), f.wait.eq(FileHeader.latency + 2)]
                    f.go("header read")
                    with m.If(~header.whole):
                        f.go("header forgotten")
        with m.State("header forgotten"):
            m.d.comb += header.forget.eq(1)
            f.go("header")
        f.waits("header read", "header known", cutter)
        with m.State("header known"):
            m.d.comb += header.forget.eq(1)
            m.d.sync += [
                f.image_lines.eq(header.file.height), f.strips.eq(0), f.turn.eq(1), f.ended.eq(0),
                most.eq(7), times.eq(GROUP * self.config.depth),
            ]  # fmt: skip
            f.go("added up")
            with m.If(f.truncated):
                f.go("header")
            with m.Elif(header.wrong):
                f.go("tell")
        with m.State("added up"):
            with m.If(times == 0):
                f.go("strip")

    def _payload_states(self, f: _Flow, header, lengths, cutter, router) -> None:
        """From a strip to its last payload."""
        m = f.m
        with m.State("strip"):
            m.d.comb += lengths.forget.eq(1)
            m.d.sync += f.strip_rows.eq(f.strip_lines * self.config.planes.count)
            with m.If(router.room):
                m.d.comb += router.opens.eq(f.turn)
                f.go("group")
        with m.State("group"):
            m.d.comb += lengths.begin.eq(1)
            with m.If(cutter.ready):
                f.go("length")
        with m.State("length"):
            m.d.comb += lengths.step.eq(cutter.step)
            with m.If(cutter.step):
                with m.If(cutter.over):
                    self._close(f, router, 1)
                    f.go("closed")
                with m.Elif(lengths.ends):
                    f.go("length known")
        with m.State("length known"):
            m.d.sync += [f.count.eq(lengths.length), f.wait.eq(_LOADS)]
            with m.If(lengths.done):
                f.go("payload waits")
                with m.If(lengths.impossible):
                    f.go("broken")
                with m.Elif(lengths.nothing):
                    m.d.sync += f.wait.eq(0)
                    f.go("group ends")
        f.waits("payload waits", "payload", cutter)
        with m.State("payload"):
            with m.If(cutter.over):
                self._close(f, router, 1)
                f.go("closed")
            with m.Elif(cutter.done):
                f.go("group ends")
        with m.State("group ends"):
            m.d.sync += [f.strip_rows.eq(f.strip_rows - GROUP), f.count.eq(CRC_BYTES)]
            f.go("group")
            with m.If(f.last_group):
                m.d.sync += f.wait.eq(_LOADS)
                f.go("checksum waits")

    @staticmethod
    def _strip_states(f: _Flow, header, cutter, router) -> None:
        """From a strip's checksum to the next strip, or to the index."""
        m = f.m
        f.waits("checksum waits", "checksum", cutter)
        with m.State("checksum"):
            last = f.last_strip & ~f.turn[0]
            with m.If(cutter.over):
                SlabPackets._close(f, router, 1)
                f.go("closed")
            with m.Elif(cutter.done):
                SlabPackets._close(f, router, last)
                m.d.sync += f.open.eq(f.open & ~(f.turn & last.replicate(len(f.turn))))
                f.go("strip ends")
        with m.State("strip ends"):
            m.d.sync += [f.turn.eq(f.turn.rotate_left(1)), f.wait.eq(3)]
            f.go("strip settles")
            with m.If(f.turn[-1]):
                m.d.sync += [
                    f.image_lines.eq(f.image_lines - header.file.strip_height),
                    f.strips.eq(f.strips + 1), f.ended.eq(f.last_strip),
                ]  # fmt: skip
        f.waits("strip settles", "strip known", cutter)
        with m.State("strip known"):
            # Four bytes for each strip, of all slabs, and four for the index's checksum.
            m.d.sync += f.count.eq(Cat(
                Const(0, 2), Const(1, slab_bits(len(f.turn))), f.strips
            ))  # fmt: skip
            f.go("strip")
            with m.If(f.ended):
                f.go("index begins")

    def _end_states(self, f: _Flow, cutter, router) -> None:
        """The index, and the end of a file for all that do not know it."""
        m = f.m
        with m.State("index begins"):
            with m.If(router.room):
                m.d.comb += router.opens.eq(1)
                m.d.sync += f.wait.eq(_LOADS)
                f.go("index waits")
        f.waits("index waits", "index", cutter)
        with m.State("index"):
            with m.If(cutter.over):
                self._close(f, router, 1)
                f.go("file over")
            with m.Elif(cutter.done):
                self._close(f, router, 0)
                f.go("tell")  # bytes behind the index, which are none of the file
        with m.State("file over"):  # the clock after a packet's last run
            f.go("header")
        with m.State("broken"):
            with m.If(router.room):
                m.d.comb += f.zero.eq(1)
                self._close(f, router, 1)
                f.go("closed")
        with m.State("closed"):
            m.d.sync += f.open.eq(f.open & ~f.turn)
            f.go("tell")
        with m.State("tell"):  # likewise
            f.go("telling")
        with m.State("telling"):
            with m.If(~f.open.any()):
                f.go("drop")
            with m.Elif(router.room):
                m.d.comb += [router.opens.eq(f.open), f.zero.eq(1)]
                self._close(f, router, 1)
                f.go("drop")
        with m.State("drop"):
            m.d.comb += cutter.drop.eq(~f.truncated & cutter.ready)
            with m.If(f.truncated | cutter.over):
                f.go("header")
