"""Encoder core: pixels in, file out, one pixel per clock."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..coders.rans import BitPacker
from ..fabric.pipeline import delay, drive
from ..files.header import BuildHeader
from ..files.packet_writer import PacketWriter
from ..files.raster import PIXEL, file_layout
from ..files.raster_in import RASTER_EVENTS, RasterToTiles
from ..lanes.completion import Completion
from ..lanes.lanes import BackwardLanes
from ..lanes.window import BackwardWindow, block_sum
from ..levels.prior import PriorMemory, PriorWindow
from ..streams.axi import BYTE
from ..streams.lut_fifo import LutFifo
from .config import CoreConfig
from .levels import EncoderLevels

__all__ = ["EncoderCore"]

_EVENTS = ("in_file", "file_begins", *RASTER_EVENTS)


class EncoderCore(wiring.Component):
    """Encoder of one model.

    One symbol per clock as long as a tile's payload has no more bytes than the tile has pixels and
    the output is ready: a tile of w x h pixels keeps its lane for ``w * h + radius + 2`` turns, and
    for each level above the image for its pixels and ``radius`` more.
    The first byte leaves about ``lanes * w * h`` clocks after the last pixel of the first tile.
    After reset the core clears itself for as many clocks as it has tile buffers.

    Parameters
    ----------
    config :
        The core.
    events :
        Whether it has the ports that a register file needs.

    Members
    -------
    pixels : In(stream of PIXEL)
        Images in raster order.
    width, height, images : In(...)
        See :class:`lutgen.gateware.files.raster_in.RasterToTiles`.
    bytes : Out(stream of BYTE)
        Files.
    idle : Out(1)
        Nothing was inside the core a clock ago.
    bad_marker, bad_size : Out(1)
        Pulses, see :class:`lutgen.gateware.files.raster_in.RasterToTiles`.
    in_file, file_begins, (`lutgen.gateware.files.raster_in.RASTER_EVENTS`) : Out(1)
        With ``events``, likewise.
    """

    def __init__(self, config: CoreConfig, *, events: bool = False) -> None:
        self._config, self._events = config, events
        super().__init__(self.signature_of(config, events=events))

    @staticmethod
    def signature_of(config: CoreConfig, *, events: bool = False) -> wiring.Signature:
        """The ports of such a core."""
        return wiring.Signature({
            "pixels": In(stream.Signature(PIXEL)),
            "width": In(bits_for(config.max_width)),
            "height": In(bits_for(config.max_height)),
            "images": In(32),
            "bytes": Out(stream.Signature(BYTE)),
            "idle": Out(1),
            "bad_marker": Out(1),
            "bad_size": Out(1),
            **(dict.fromkeys(_EVENTS, Out(1)) if events else {}),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        b = self._add_blocks(m)
        clear = self._clear(m, b)
        self._take(m, b, clear)
        following, busy = self._classify(m, b)
        self._write(m, b, *self._code(m, b))
        oldest = self._retire(m, b, clear)
        m.d.sync += self.idle.eq(
            ~clear & ~busy & ~b.writer.busy
            & (following == b.writer.query) & (oldest == following)
        )  # fmt: skip
        return m

    def _add_blocks(self, m: Module) -> SimpleNamespace:
        c = self._config
        lanes_count = c.lanes_of_encoder
        tile = {"tile_width": c.tile_width, "tile_height": c.tile_height}
        size = {"max_width": c.max_width, "max_height": c.max_height}
        bits = {"sequence_bits": c.sequence_bits}
        window_shape = c.model.window

        m.submodules.raster = raster = RasterToTiles(
            window_shape, **tile, **size, buffers=c.input_buffers, **bits,
            pooled=c.level_pixel if c.model.levels else None, events=self._events,
        )  # fmt: skip
        m.submodules.lanes = lanes = BackwardLanes(
            window_shape, lanes=lanes_count, **tile, buffers=c.packet_buffers, **bits,
            levels=c.model.levels,
        )
        m.submodules.window = window = BackwardWindow(window_shape, lanes=lanes_count, **tile)
        m.submodules.network = network = c.network(encoder=True)
        m.submodules.head = head = c.encoder_head()
        m.submodules.coder = coder = c.encoder_coder()
        m.submodules.packer = packer = BitPacker(lanes_count)
        m.submodules.writer = writer = PacketWriter(
            header=BuildHeader.of(c), tile_symbols=c.tile_symbols, **size,
            buffers=c.packet_buffers, **bits, coder=c.coder, registers=c.cells.registers,
        )
        m.submodules.read = read = Completion(c.input_buffers)
        m.submodules.packed = packed = Completion(c.packet_buffers)
        return SimpleNamespace(
            raster=raster, lanes=lanes, window=window, network=network, head=head, coder=coder,
            packer=packer, writer=writer, read=read, packed=packed,
        )  # fmt: skip

    def _clear(self, m: Module, b: SimpleNamespace) -> Signal:
        """Clear every lane and completion bit after a reset; whether that goes on."""
        c = self._config
        span = max(c.input_buffers, c.packet_buffers, c.lanes_of_encoder)
        cleared = Signal(range(span))
        clear = Signal(init=1)
        with m.If(clear):
            m.d.sync += [cleared.eq(cleared + 1), clear.eq(cleared != span - 1)]
        m.d.comb += b.lanes.clear.eq(clear)
        for completion in (b.read, b.packed):
            m.d.comb += [
                completion.clear.eq(clear),
                completion.clear_at.eq(cleared[: len(completion.clear_at)]),
            ]
        return clear

    def _take(self, m: Module, b: SimpleNamespace, clear: Signal) -> None:
        """Pixels into the tile buffers, files to the writer, bytes out of it."""
        c, raster, writer = self._config, b.raster, b.writer
        size = {"max_width": c.max_width, "max_height": c.max_height}
        m.d.comb += [
            raster.pixels.payload.eq(self.pixels.payload),
            raster.pixels.valid.eq(self.pixels.valid & ~clear),
            self.pixels.ready.eq(raster.pixels.ready & ~clear),
            raster.width.eq(self.width),
            raster.height.eq(self.height),
            raster.images.eq(self.images),
        ]
        m.d.sync += [
            self.bad_marker.eq(raster.bad_marker),
            self.bad_size.eq(raster.bad_size),
        ]
        if self._events:
            m.d.comb += drive(self, raster, *_EVENTS)
        # Never full: each file has a tile in a buffer.
        m.submodules.files = files = LutFifo(
            file_layout(**size), c.input_buffers + c.packet_buffers
        )
        m.d.comb += [files.i.payload.eq(raster.file), files.i.valid.eq(raster.file_begins)]
        wiring.connect(m, files.o, writer.files)
        wiring.connect(m, wiring.flipped(self.bytes), writer.bytes)

    def _classify(self, m: Module, b: SimpleNamespace) -> tuple[Value, Value]:
        """Window, class, interval.

        Returns the sequence number of the next tile, and whether more pixels are to come.
        """
        c, raster, lanes, window = self._config, b.raster, b.lanes, b.window
        network, head = b.network, b.head
        m.d.comb += [
            raster.tile.eq(lanes.tile),
            raster.column.eq(lanes.column),
            raster.row.eq(lanes.row),
            window.lane.eq(lanes.lane),
            window.active.eq(lanes.active),
            window.x.eq(lanes.x),
            window.y.eq(lanes.y),
            window.width.eq(lanes.width),
            window.row.eq(lanes.row),
            head.classes.eq(network.classes),
            head.symbol.eq(delay(m, window.pixel, network.latency, name="symbol")),
        ]
        following, busy = lanes.following, raster.busy
        if c.model.levels:
            m.submodules.levels = levels = EncoderLevels(c)
            following, busy = levels.following, raster.busy | levels.busy
            m.d.comb += levels.oldest.eq(raster.oldest)
            m.d.comb += [
                levels.store.eq(raster.store),
                levels.stored.eq(raster.stored),
                raster.hold.eq(levels.hold),
            ]
            wiring.connect(m, raster.tiles, levels.tiles)
            wiring.connect(m, levels.ready, lanes.tiles)
            self._connect_levels(m, lanes, raster, levels, window, network, head)
        else:
            wiring.connect(m, raster.tiles, lanes.tiles)
            m.d.comb += [
                *[window.banks[b].eq(raster.banks[b]) for b in range(len(raster.banks))],
                network.features.eq(window.features),
            ]
        return following, busy

    def _code(self, m: Module, b: SimpleNamespace) -> tuple[SimpleNamespace, int]:
        """Coder and packer.

        Returns what is at the coder, and the clocks from there to the packer.
        """
        c, lanes, network, head = self._config, b.lanes, b.network, b.head
        coder, packer = b.coder, b.packer
        at = c.encoder_interval_at

        def at_coder(value, name: str, extra: int = 0, reset: bool = False):
            return delay(m, value, at + extra, name=name, reset=reset)

        lane = at_coder(lanes.lane, "lane")
        code = at_coder(lanes.code, "code")
        first = at_coder(lanes.first & lanes.code, "first")
        flush = at_coder(lanes.flush, "flush")
        final = at_coder(lanes.final, "final", reset=True)
        number = at_coder(lanes.tile, "number")
        ends = at_coder(lanes.ends, "ends")
        later = coder.bits_latency
        m.d.comb += [
            coder.lane.eq(lane),
            coder.code.eq(code),
            coder.first.eq(first),
            coder.flush.eq(flush),
            coder.start.eq(head.start),
            coder.freq.eq(head.freq),
            packer.lane.eq(delay(m, lane, later, name="packer_lane")),
            packer.first.eq(delay(m, first, later, name="packer_first")),
            packer.last.eq(delay(m, final, later, name="packer_last")),
            packer.bits.eq(coder.bits),
            packer.count.eq(coder.count),
        ]
        if c.coder.name == "tans":
            m.d.comb += [
                coder.escape.eq(head.escape),
                coder.classes.eq(delay(m, network.classes, head.latency, name="coder_class")),
                coder.symbol.eq(delay(m, head.symbol, head.latency, name="coder_symbol")),
            ]
        coded = SimpleNamespace(
            lane=lane, first=first, final=final, number=number, ends=ends,
            live=code | flush | final,
        )  # fmt: skip
        return coded, later

    def _write(self, m: Module, b: SimpleNamespace, at_coder: SimpleNamespace, later: int) -> None:
        """Number the words of each lane as they come, and hand them to the writer."""
        packer, writer = b.packer, b.writer
        later += BitPacker.latency
        word_lane = delay(m, at_coder.lane, later, name="word_lane")
        word_first = delay(m, at_coder.first, later, name="word_first")
        word_final = delay(m, at_coder.final, later, name="word_final", reset=True)
        word_tile = delay(m, at_coder.number, later, name="word_tile")
        word_valid = Signal()
        word_live = delay(m, at_coder.live, later, name="word_live", reset=True)
        m.submodules.counts = counts = Memory(
            shape=len(writer.write_index), depth=self._config.lanes_of_encoder, init=[]
        )
        count_read, count_write = counts.read_port(domain="comb"), counts.write_port()
        index = Mux(word_first, 0, count_read.data)
        m.d.comb += [
            word_valid.eq(packer.valid & word_live),
            count_read.addr.eq(word_lane),
            count_write.addr.eq(word_lane),
            count_write.data.eq(index + packer.valid),
            count_write.en.eq(1),
        ]
        write = {
            "write": word_valid, "write_tile": word_tile, "write_index": index,
            "write_word": packer.word, "final": word_final, "both": packer.both,
            "ends": delay(m, at_coder.ends, later, name="word_ends"),
        }  # fmt: skip
        for name, value in write.items():
            port = getattr(writer, name)
            control = name in ("write", "final")
            m.d.comb += port.eq(delay(m, value, 1, name=f"to_{name}", reset=control))

    def _retire(self, m: Module, b: SimpleNamespace, clear: Signal) -> Signal:
        """Complete payloads and give input buffers back, in the order of the tiles.

        A payload is complete when its last word is written, an input buffer when it is read: the
        last columns are fetched two clocks before the flush is over.  Returns the sequence number
        of the oldest tile whose buffer is in use.
        """
        c, raster, lanes, writer, read, packed = (
            self._config, b.raster, b.lanes, b.writer, b.read, b.packed
        )  # fmt: skip
        oldest = Signal(c.sequence_bits)
        frees, freed = Signal(), Signal()
        m.d.sync += [frees.eq(read.done[0] & ~clear & ~frees & ~freed), freed.eq(frees)]
        with m.If(frees):
            m.d.sync += oldest.eq(oldest + 1)
        fetched = BackwardWindow.fetch_latency
        m.d.comb += [
            packed.mark.eq(delay(m, writer.final, 1, name="marked", reset=True)),
            packed.marked.eq(delay(m, writer.write_tile, 1, name="marked_tile")),
            packed.query[0].eq(writer.query),
            lanes.oldest.eq(writer.query),
            read.mark.eq(delay(m, lanes.final, fetched, name="read", reset=True)),
            read.marked.eq(delay(m, lanes.tile, fetched, name="read_tile")),
            read.query[0].eq(oldest),
            raster.oldest.eq(oldest),
        ]
        m.d.sync += writer.done.eq(packed.done[0] & ~clear)
        return oldest

    def _connect_levels(self, m: Module, lanes, raster, levels, window, network, head) -> None:
        """Pixels of all levels, and the upsampled part of the window."""
        c = self._config
        m.submodules.prior = prior = PriorWindow(
            c.model.window, lanes=c.lanes_of_encoder, tile_width=c.tile_width,
            tile_height=c.tile_height, backward=True,
        )  # fmt: skip
        coarser = lanes.level != 0
        upsampled = lanes.level != c.model.levels
        below = delay(m, coarser, BackwardWindow.fetch_latency, name="coarser")
        m.d.comb += [
            levels.reads.eq(lanes.active),
            *drive(levels, lanes, "tile", "level", "column", "row", "x", "y"),
            *[
                window.banks[b].eq(Mux(below, levels.banks[b], raster.banks[b]))
                for b in range(len(raster.banks))
            ],
            *drive(prior, lanes, "lane", "active", "x", "y", "width", "height"),
            prior.has_prior.eq(upsampled),
            *[prior.rows[k].eq(levels.rows[k]) for k in range(len(prior.rows))],
            network.features.eq(Cat(window.features, prior.features)),
        ]
        if c.model.constraint:
            at = c.encoder_class_at
            parent = delay(
                m, levels.parent, at - PriorMemory.parent_latency, name="parent"
            )
            ends_block = lanes.x[0] & lanes.y[0] & upsampled
            m.d.comb += [
                head.constrained.eq(delay(m, ends_block, at, name="ends_block")),
                head.parent.eq(parent),
                head.known.eq(
                    delay(m, block_sum(window), at - BackwardWindow.latency, name="known")
                ),
            ]
