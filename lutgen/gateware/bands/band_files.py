"""Band files: puts the packets of bands together to files."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from ..core.config import CoreConfig
from ..fabric.pipeline import choose
from ..files.header import BuildHeader
from ..files.raster import file_layout
from ..streams.axi import word_layout
from ..streams.byte_aligner import ByteAligner
from ..streams.run import run_layout

__all__ = ["BandFiles", "order_layout"]


def order_layout(config: CoreConfig) -> StructLayout:
    """What is to be known of a band: its file, and whether it is the first or last of it."""
    return StructLayout({
        "first": 1, "last": 1, "file": file_layout(config.max_width, config.max_height),
    })  # fmt: skip


class BandFiles(wiring.Component):
    """Writes the header of each file and the packets of its bands, which come from the cores in
    turn.

    One word per clock, and two clocks between two bands; three and those of the header between
    two files.

    Parameters
    ----------
    config:
        The core, with the largest image.
    cores:
        Cores that give bands.
    count:
        Bytes of a run and of a word.

    Members
    -------
    order : In(stream of `order_layout`)
        The bands, in order.
    runs : In(stream of `lutgen.gateware.streams.run.run_layout`) array
        Each core's packets.
    words : Out(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files.
    band_ends : Out(1)
        Pulse: a band has been written.
    busy : Out(1)
        Something is on its way from ``runs`` to ``words``.
    """

    def __init__(self, config: CoreConfig, cores: int, count: int) -> None:
        self._config, self._cores, self._count = config, cores, count
        super().__init__({
            "order": In(stream.Signature(order_layout(config))),
            "runs": In(stream.Signature(run_layout(count))).array(cores),
            "words": Out(stream.Signature(word_layout(count))),
            "band_ends": Out(1),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        order = self.order.payload
        m.submodules.aligner = aligner = ByteAligner(self._count)
        wiring.connect(m, aligner.words, wiring.flipped(self.words))

        turn = Signal(self._cores, init=1)  # whose band it is, one bit a core
        at = Signal(range(self._cores))
        run = Signal(run_layout(self._count))
        m.d.comb += run.eq(choose([Cat(r.payload) for r in self.runs], at))
        valid = (Cat(r.valid for r in self.runs) & turn).any()
        copies, take = Signal(), Signal()
        m.d.comb += [r.ready.eq(copies & turn[k]) for k, r in enumerate(self.runs)]

        # Sizes are known long before they are written.
        file = order.file
        header = BuildHeader.of(self._config).bytes({
            "image width": file.width, "image height": file.height, "images": file.images,
        })  # fmt: skip
        words = Array(
            Cat(header[k : k + self._count]) for k in range(0, len(header), self._count)
        )
        word = Signal(range(len(words)))

        # Registered before the aligner.
        m.d.sync += [aligner.take.eq(0), aligner.run.last.eq(run.last & order.last & copies)]
        with m.FSM() as fsm:
            with m.State("wait"):
                with m.If(self.order.valid & order.first):
                    m.next = "header"
                with m.Elif(self.order.valid):
                    m.next = "copy"
            with m.State("header"):
                m.d.sync += [
                    aligner.take.eq(aligner.room), aligner.run.data.eq(words[word]),
                    aligner.run.top.eq(self._count - 1),
                ]  # fmt: skip
                with m.If(aligner.room):
                    m.d.sync += word.eq(Mux(word == len(words) - 1, 0, word + 1))
                    with m.If(word == len(words) - 1):
                        m.next = "copy"
            with m.State("copy"):
                m.d.comb += [copies.eq(aligner.room), take.eq(valid & aligner.room)]
                m.d.sync += [
                    aligner.take.eq(take), aligner.run.data.eq(run.data),
                    aligner.run.top.eq(run.top),
                ]  # fmt: skip
                with m.If(take & run.last):
                    m.d.sync += [at.eq(at + 1), turn.eq(turn.rotate_left(1))]
                    m.next = "done"
            with m.State("done"):  # also the pause that the aligner wants after a file
                m.d.comb += [self.order.ready.eq(1), self.band_ends.eq(1)]
                m.next = "wait"
        m.d.comb += self.busy.eq(~fsm.ongoing("wait") | aligner.take | aligner.busy)
        return m
