"""Slab files: puts the strips of slabs together to files."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.header import VERSION_2

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose, delay
from ..files.header import BuildHeader
from ..predictive.config import PredictiveConfig
from ..streams.axi import word_layout
from ..streams.byte_aligner import ByteAligner
from ..strips.pair_crc import PairCrc32
from ..strips.slabs import slab_bits
from ..strips.strip_files import coder_field
from .layouts import picture_layout

__all__ = ["SlabFiles"]

#: Sources of bytes.
_HEADER, _STRIP, _SIZE, _CRC = range(4)
#: Clocks from an address to the size that stands there, and from bytes to size and checksum.
_SETTLE = 5


class SlabFiles(wiring.Component):
    """Writes the header of each file, the strips of its slabs, which come from the cores in turn,
    and the index.

    One word per clock within a strip, and three clocks between strips; some 40 clocks for each
    file, and 8 for each strip.  Reset forgets the file.

    Parameters
    ----------
    config:
        The cores.
    count:
        Bytes of a word.

    Members
    -------
    pictures : In(stream of `.layouts.picture_layout`)
        Each file, before its first strip or later.
    strips : In(stream of `lutgen.gateware.streams.axi.word_layout`) array
        Each core's strips, a packet each.
    words : Out(stream of the same)
        Files, a packet each.
    busy : Out(1)
        A file is incomplete, or on its way to ``words``.
    """

    def __init__(self, config: PredictiveConfig, count: int) -> None:
        self._config, self._count = config, count
        self._strips = -(-config.max_height // config.rows_of_strip) * config.cores
        self._header = BuildHeader(VERSION_2, {
            "model hash": config.model_hash, "bit depth": config.depth,
            "channels": config.planes.count, "coder": coder_field(config.cores), "strip height": 0,
            "tile width": 0,
        })  # fmt: skip
        super().__init__({
            "pictures": In(stream.Signature(picture_layout(config))),
            "strips": In(stream.Signature(word_layout(count))).array(config.cores),
            "words": Out(stream.Signature(word_layout(count))),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c, slabs = self._config, self._config.cores
        m.submodules.aligner = aligner = ByteAligner(self._count)
        m.submodules.crc = crc = PairCrc32()
        wiring.connect(m, aligner.words, wiring.flipped(self.words))
        turn, at = Signal(slabs, init=1), Signal(slab_bits(slabs))
        word = Signal(word_layout(self._count))
        copies = Signal()
        m.d.comb += [
            word.eq(choose([Cat(s.payload) for s in self.strips], at)),
            *[s.ready.eq(copies & turn[k]) for k, s in enumerate(self.strips)],
        ]
        # What is given in this clock, if anything: its source, and its place there.
        source, gives, last = Signal(2), Signal(), Signal()
        place = Signal(range(self._header.size))
        upper = Signal()  # the upper half of a size or checksum
        entries, entry = Signal(range(self._strips + 1)), Signal(range(self._strips + 1))
        stores = Signal()  # the size of the strip that has ended
        given = self._give(m, aligner, crc, word, (source, gives, last, place, upper),
                           (stores, entries, entry))  # fmt: skip

        lines, last_lines = Signal(16), Signal()
        strip = c.planes.lines(c.rows_of_strip)
        m.d.sync += last_lines.eq(lines <= strip)
        wait = Signal(range(_SETTLE + 1))
        room, waited = aligner.room, wait == 0
        m.d.sync += wait.eq(wait - ~waited)

        def goes_on(state: str, settle: int = _SETTLE) -> None:
            """To a state that first waits."""
            m.d.sync += wait.eq(settle)
            m.next = state

        with m.FSM(name="file") as fsm:
            with m.State("none"):
                m.d.sync += [
                    place.eq(0), lines.eq(c.planes.lines(self.pictures.payload.height)),
                    entries.eq(0), entry.eq(0),
                ]  # fmt: skip
                m.d.comb += crc.restart.eq(1)
                with m.If(self.pictures.valid & waited):
                    m.next = "header"
            with m.State("header"):
                m.d.comb += [source.eq(_HEADER), gives.eq(room)]
                with m.If(room):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == self._header.size - 1):
                        m.next = "strip"
            with m.State("strip"):
                valid = (Cat(s.valid for s in self.strips) & turn).any()
                m.d.comb += [source.eq(_STRIP), copies.eq(room), gives.eq(room & valid)]
                with m.If(gives & word.last):
                    goes_on("strip ends")
            with m.State("strip ends"):
                with m.If(waited):
                    m.d.comb += stores.eq(1)
                    m.d.sync += [
                        entries.eq(entries + 1), turn.eq(turn.rotate_left(1)), at.eq(at + 1),
                    ]  # fmt: skip
                    m.next = "strip"
                    with m.If(turn[-1]):
                        m.d.sync += lines.eq(lines - strip)
                        with m.If(last_lines):
                            goes_on("size")
            with m.State("size"):
                m.d.comb += [source.eq(_SIZE), gives.eq(room & waited)]
                with m.If(gives):
                    m.d.sync += upper.eq(~upper)
                    with m.If(upper):
                        m.d.sync += entry.eq(entry + 1)
                        goes_on("size")
                        with m.If(entry + 1 == entries):
                            m.next = "checksum"
            with m.State("checksum"):
                m.d.comb += [source.eq(_CRC), gives.eq(room & waited), last.eq(upper)]
                with m.If(gives):
                    m.d.sync += upper.eq(~upper)
                    with m.If(upper):
                        # The aligner wants a pause, and the queue has another front.
                        m.d.comb += self.pictures.ready.eq(1)
                        goes_on("none")
        m.d.sync += self.busy.eq(
            ~fsm.ongoing("none") | self.pictures.valid | given | aligner.take | aligner.busy
        )
        return m

    def _give(self, m: Module, aligner, crc, word, what, sizes) -> Signal:
        """Bytes on their way to the aligner, two clocks later; whether some are a clock later."""
        c, picture, count = self._config, self.pictures.payload, self._count
        source, gives, last, place, upper = what
        stores, entries, entry = sizes
        planes, strip = c.planes, c.planes.lines(c.rows_of_strip)
        lines, channels = planes.lines(picture.height), planes.channels
        order = {"channels": channels.field(picture.order)} if channels.order_bits else {}
        # 1: the bytes.
        gives_1, last_1 = (
            delay(m, s, 1, name=name, reset=True)
            for s, name in ((gives, "gives_of"), (last, "last_of"))
        )
        source_1, upper_1 = (
            delay(m, s, 1, name=name) for s, name in ((source, "source_of"), (upper, "upper_of"))
        )
        word_1 = Signal.like(word, reset_less=True, name="word_of")
        header_1 = Signal(8, reset_less=True)
        m.d.sync += [
            word_1.eq(word),
            header_1.eq(choose(self._header.bytes({
                "image width": planes.columns(picture.width), "image height": lines,
                "shift": Const(0, 8), "near": picture.near if c.max_near else Const(0, 8),
                "strip height": Mux(lines < strip, lines, strip), "images": Const(1, 32), **order,
            }), place)),
        ]  # fmt: skip
        # Bytes of the strip so far, and of those before it.
        kept = sum(word_1.keep[k] for k in range(count))
        counted, counts, size = Signal(range(count + 1)), Signal(), Signal(32)
        m.d.sync += [counted.eq(kept), counts.eq(gives_1 & (source_1 == _STRIP))]
        with m.If(counts):
            m.d.sync += size.eq(size + counted)
        with m.If(stores):
            m.d.sync += size.eq(0)
        stored = add_ram(
            m, "sizes", 1 << max(4, (self._strips - 1).bit_length()), 32, write=stores,
            write_address=entries, data=size, address=entry,
        )  # fmt: skip
        # 2: the run of them.
        value = Mux(source_1 == _SIZE, stored, crc.value)
        half = Mux(upper_1, value[16:], value[:16])
        run = aligner.run
        m.d.sync += [
            run.data.eq(choose([header_1, word_1.data, half, half], source_1)),
            run.top.eq(choose([Const(0, 1), kept - 1, Const(1, 1), Const(1, 1)], source_1)),
            run.last.eq(last_1), aligner.take.eq(gives_1),
        ]  # fmt: skip
        m.d.comb += [
            crc.data.eq(Mux(source_1 == _SIZE, half, header_1)),
            crc.byte.eq(gives_1 & (source_1 == _HEADER)),
            crc.pair.eq(gives_1 & (source_1 == _SIZE)),
        ]  # fmt: skip
        return gives_1
