"""Decoder core: file in, pixels out, one pixel per clock."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..coders.payload import PayloadMemory
from ..fabric.pipeline import delay, drive
from ..files.header import BuildHeader
from ..files.packet_reader import PacketReader
from ..files.raster import PIXEL, frame_layout
from ..files.raster_out import TilesToRaster
from ..lanes.completion import Completion
from ..lanes.lanes import ForwardLanes
from ..lanes.window import ForwardWindow, block_sum
from ..levels.prior import PriorMemory, PriorWindow
from ..streams.axi import BYTE, SkidBuffer
from ..streams.lut_fifo import LutFifo
from .config import CoreConfig
from .levels import DecoderLevels

__all__ = ["DecoderCore", "level_port"]


def level_port(config: CoreConfig) -> dict:
    """The port ``level`` of a decoder, if its model has levels."""
    levels = config.model.levels
    return {"level": In(bits_for(levels))} if levels else {}


class DecoderCore(wiring.Component):
    """Decoder of one model.

    One symbol per clock as long as the file has no more bytes than pixels, both ports are served,
    and as many tiles as there are lanes are at hand: a tile of w x h pixels keeps its lane for
    ``w * h + 1`` turns, and for each level above the image for its pixels, ``radius`` more and
    those in which it waits to be upsampled.  The first pixel leaves about ``lanes * w * h`` clocks
    after the first payload has been read.  After reset the core clears itself for as many clocks as
    it has tile buffers.

    Parameters
    ----------
    config :
        The core.
    events :
        Whether it has the port that a register file needs.

    Members
    -------
    bytes : In(stream of BYTE)
        Files.
    pixels : Out(stream of PIXEL)
        Images in raster order.
    eof : Out(1)
        With ``events`` and ``pixels``: the image's last pixel.
    level : In(...)
        With levels: level to decode, 0 for the images; heeded while the core is idle.  A level
        above 0 is a smaller picture, whose tiles cannot be checked.
    idle : Out(1)
        Nothing was inside the core a clock ago.
    bad_header, bad_model, bad_packet : Out(1)
        Pulses, see :class:`lutgen.gateware.files.packet_reader.PacketReader`.
    bad_tile : Out(1)
        Pulse: a tile did not end in the check state at the end of its payload.
    """

    def __init__(self, config: CoreConfig, *, events: bool = False) -> None:
        self._config, self._events = config, events
        super().__init__(self.signature_of(config, events=events))

    @staticmethod
    def signature_of(config: CoreConfig, *, events: bool = False) -> wiring.Signature:
        """The ports of such a core."""
        return wiring.Signature({
            "bytes": In(stream.Signature(BYTE)),
            "pixels": Out(stream.Signature(PIXEL)),
            **({"eof": Out(1)} if events else {}),
            **level_port(config),
            "idle": Out(1),
            "bad_header": Out(1),
            "bad_model": Out(1),
            "bad_packet": Out(1),
            "bad_tile": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        b = self._add_blocks(m)
        clear = self._clear(m, b)
        wiring.connect(m, wiring.flipped(self.pixels), b.raster.pixels)
        if self._events:
            m.d.comb += self.eof.eq(b.raster.eof)
        waiting = self._queue(m, b)
        ends, checked = self._decode(m, b)
        self._code(m, b, ends, checked)
        retired = self._retire(m, b, clear)
        m.d.sync += [
            self.bad_header.eq(b.reader.bad_header),
            self.bad_model.eq(b.reader.bad_model),
            self.bad_packet.eq(b.reader.bad_packet),
        ]
        m.d.sync += self.idle.eq(
            ~clear & ~b.reader.busy & ~b.raster.busy & ~waiting[0] & ~waiting[1] & retired
        )
        return m

    def _add_blocks(self, m: Module) -> SimpleNamespace:
        c = self._config
        count = c.decoder_lanes
        tile = {"tile_width": c.tile_width, "tile_height": c.tile_height}
        size = {"max_width": c.max_width, "max_height": c.max_height}
        shape = c.model.window

        m.submodules.reader = reader = PacketReader(
            header=BuildHeader.of(c), tile_symbols=c.tile_symbols, **tile, **size,
            address_bits=c.payload_address_bits, coder=c.coder,
        )
        m.submodules.payload = payload = PayloadMemory(
            c.payload_address_bits, registers=c.coder_registers
        )
        m.submodules.lanes = lanes = ForwardLanes(
            shape, lanes=count, **tile, address_bits=c.payload_address_bits + 3,
            buffers=c.output_buffers, sequence_bits=c.sequence_bits, levels=c.model.levels,
        )  # fmt: skip
        m.submodules.window = window = ForwardWindow(shape, lanes=count, **tile)
        m.submodules.network = network = c.network(encoder=False)
        m.submodules.head = head = c.decoder_head()
        m.submodules.coder = coder = c.decoder_coder()
        m.submodules.raster = raster = TilesToRaster(
            **tile, **size, buffers=c.output_buffers, sequence_bits=c.sequence_bits,
            levels=c.model.levels, events=self._events, registers=c.cells.registers,
        )  # fmt: skip
        m.submodules.decoded = decoded = Completion(c.output_buffers)
        return SimpleNamespace(
            reader=reader, payload=payload, lanes=lanes, window=window, network=network, head=head,
            coder=coder, raster=raster, decoded=decoded,
        )  # fmt: skip

    def _clear(self, m: Module, b: SimpleNamespace) -> Signal:
        """Clear every lane and completion bit after a reset; whether that goes on."""
        span = max(self._config.output_buffers, self._config.decoder_lanes)
        cleared = Signal(range(span))
        clear = Signal(init=1)
        with m.If(clear):
            m.d.sync += [cleared.eq(cleared + 1), clear.eq(cleared != span - 1)]
        m.d.comb += [
            b.lanes.clear.eq(clear),
            b.decoded.clear.eq(clear),
            b.decoded.clear_at.eq(cleared[: len(b.decoded.clear_at)]),
            b.reader.bytes.payload.eq(self.bytes.payload),
            b.reader.bytes.valid.eq(self.bytes.valid & ~clear),
            self.bytes.ready.eq(b.reader.bytes.ready & ~clear),
        ]
        return clear

    def _queue(self, m: Module, b: SimpleNamespace) -> tuple[Signal, Signal]:
        """Queues between the parser and the lanes, and the parser and the raster.

        Returns whether a frame waits in the slice, and in the queue behind it.
        """
        c = self._config
        size = {"max_width": c.max_width, "max_height": c.max_height}
        m.submodules.frames = frames = fifo.SyncFIFOBuffered(
            width=frame_layout(**size).size, depth=c.output_buffers
        )
        m.submodules.slice_frames = slice_frames = SkidBuffer(frame_layout(**size))
        wiring.connect(m, b.reader.frames, slice_frames.i)
        wiring.connect(m, slice_frames.o, frames.w_stream)
        wiring.connect(m, frames.r_stream, b.raster.frames)
        m.submodules.tiles = tiles = LutFifo(c.tile_layout, c.decoder_lanes)
        m.submodules.slice_tiles = slice_tiles = SkidBuffer(c.tile_layout)
        wiring.connect(m, b.reader.tiles, slice_tiles.i)
        wiring.connect(m, slice_tiles.o, tiles.i)
        wiring.connect(m, tiles.o, b.lanes.tiles)
        m.d.comb += [
            b.payload.write.eq(b.reader.write),
            b.payload.address.eq(b.reader.address),
            b.payload.data.eq(b.reader.data),
            b.payload.fetch.eq(b.coder.fetch),
            b.coder.word.eq(b.payload.word),
        ]
        return slice_frames.o.valid, frames.r_rdy

    def _decode(self, m: Module, b: SimpleNamespace) -> tuple[Value, Value]:
        """Window, class, symbol.

        Returns whether a lane's symbol is its tile's last, and whether the tile can be checked.
        """
        c = self._config
        lanes, window, network, head, coder = b.lanes, b.window, b.network, b.head, b.coder
        shape, raster = c.model.window, b.raster
        at = c.decoder_symbol_at
        lane = delay(m, lanes.lane, at, name="lane")
        x = delay(m, lanes.x, at, name="x")
        y = delay(m, lanes.y, at, name="y")
        void = delay(m, lanes.void, at, name="void")
        number = delay(m, lanes.tile, at, name="number")
        write = delay(m, lanes.code, at, name="write", reset=True)
        radius = shape.radius
        above = [
            window.features.word_select(shape.offsets.index((-d, 0)), 8) for d in range(1, radius)
        ]
        if c.coder.name == "tans":
            symbol = coder.symbol
            answer = {"found": head.symbol, "escape": head.escape, "reduced": head.reduced}
        else:
            symbol = head.symbol
            answer = {"start": head.start, "freq": head.freq}
        m.d.comb += [getattr(coder, name).eq(value) for name, value in answer.items()]
        pixel = Mux(void, 0, symbol)
        finest, ends, checked = 1, lanes.last, 1
        if c.model.levels:
            # The level to decode changes only when nothing is inside.
            level = Signal.like(self.level)
            with m.If(self.idle):
                m.d.sync += level.eq(self.level)
            m.d.comb += [lanes.until.eq(level), raster.level.eq(level)]
            checked = level == 0
            finest = delay(m, lanes.ends, at, name="finest")
            ends = lanes.last & lanes.ends
            self._connect_levels(m, lanes, window, network, head, write, pixel)
        else:
            m.d.comb += network.features.eq(window.features)
        m.d.comb += [
            window.lane.eq(lanes.lane),
            window.active.eq(lanes.active),
            window.x.eq(lanes.x),
            window.y.eq(lanes.y),
            window.width.eq(lanes.width),
            window.column.eq(lanes.column),
            head.classes.eq(network.classes),
            head.slot.eq(coder.slot),
            window.write.eq(write),
            window.write_lane.eq(lane),
            window.write_column.eq(x),
            window.write_pixel.eq(pixel),
            raster.write.eq(delay(m, write & finest, 1, name="store", reset=True)),
            raster.write_tile.eq(delay(m, number, 1, name="store_tile")),
            raster.write_x.eq(delay(m, x, 1, name="store_x")),
            raster.write_y.eq(delay(m, y, 1, name="store_y")),
            raster.write_pixel.eq(delay(m, pixel, 1, name="store_pixel")),
        ]
        for d, value in enumerate(above):
            value = delay(m, value, at - ForwardWindow.latency, name=f"above{d}")
            m.d.comb += window.write_above.word_select(d, 8).eq(value)
        return ends, checked

    def _code(self, m: Module, b: SimpleNamespace, ends: Value, checked: Value) -> None:
        """The coder, whose slot must meet the class at the head, and the end of a tile."""
        c, lanes, coder, decoded = self._config, b.lanes, b.coder, b.decoded
        at = c.decoder_class_at - coder.slot_latency
        tile_in = lanes.tiles.payload
        m.d.comb += [
            coder.lane.eq(delay(m, lanes.lane, at, name="coder_lane")),
            coder.code.eq(delay(m, lanes.code, at, name="coder_code")),
            coder.load.eq(delay(m, lanes.load, at, name="coder_load")),
            coder.last.eq(delay(m, ends, at, name="coder_last")),
            coder.position.eq(delay(m, tile_in.position, at, name="coder_position")),
            coder.end.eq(delay(m, tile_in.end, at, name="coder_end")),
        ]
        at += coder.done_latency
        done = delay(m, lanes.code & ends, at, name="done", reset=True)
        done_void = delay(m, lanes.void, at, name="done_void")
        m.d.comb += [
            decoded.mark.eq(done),
            decoded.marked.eq(delay(m, lanes.tile, at, name="done_tile")),
            lanes.oldest.eq(b.raster.oldest),
            self.bad_tile.eq(done & ~done_void & ~coder.good & checked),
        ]

    def _retire(self, m: Module, b: SimpleNamespace, clear: Signal) -> Value:
        """Make tiles readable and give payload bytes back, in the order of the tiles.

        Returns whether there is no tile to retire.
        """
        c, reader, raster, decoded = self._config, b.reader, b.raster, b.decoded
        m.submodules.ends_at = ends_at = Memory(
            shape=len(reader.ends_at), depth=2 * c.output_buffers, init=[],
            attrs={"ram_style": "distributed"},
        )
        queued = Signal(range(2 * c.output_buffers))
        retired = Signal(c.sequence_bits)
        retired_at = Signal.like(queued)
        end_write, end_read = ends_at.write_port(), ends_at.read_port(domain="comb")
        accepted = reader.tiles.valid & reader.tiles.ready
        free_to = Signal.like(reader.free_to)
        # At most every third clock, so that the query can be registered.
        retire, resting = Signal(), Signal()
        m.d.sync += [
            retire.eq(decoded.done[0] & ~clear & ~retire & ~resting),
            resting.eq(retire),
        ]
        m.d.comb += [
            end_write.addr.eq(queued),
            end_write.data.eq(reader.ends_at),
            end_write.en.eq(accepted),
            end_read.addr.eq(retired_at),
            decoded.query[0].eq(retired),
            raster.done_to.eq(retired),
            reader.free_to.eq(free_to),
        ]
        with m.If(accepted):
            m.d.sync += queued.eq(queued + 1)
        with m.If(retire):
            m.d.sync += [
                retired.eq(retired + 1),
                retired_at.eq(retired_at + 1),
                free_to.eq(end_read.data),
            ]
        return queued == retired_at

    def _connect_levels(self, m: Module, lanes, window, network, head, write, pixel) -> None:
        """Orders to upsample a level, and the upsampled part of the window."""
        c = self._config
        m.submodules.levels = levels = DecoderLevels(c)
        m.submodules.prior = prior = PriorWindow(
            c.model.window, lanes=c.decoder_lanes, tile_width=c.tile_width,
            tile_height=c.tile_height, backward=False,
        )  # fmt: skip
        upsampled = lanes.level != c.model.levels
        coarser = lanes.level != 0
        at = c.decoder_symbol_at
        names = ("lane", "level", "width", "height", "phase", "x", "y")
        late = {name: delay(m, getattr(lanes, name), at, name=f"{name}_done") for name in names}
        order = delay(m, lanes.code & lanes.last & ~lanes.ends, at, name="order", reset=True)
        m.d.comb += [
            levels.write.eq(write & delay(m, coarser, at, name="coarser")),
            levels.write_pixel.eq(pixel),
            *[
                getattr(levels, f"write_{name}").eq(late[name])
                for name in ("lane", "level", "x", "y")
            ],
            levels.order.eq(order),
            *[
                getattr(levels, f"order_{name}").eq(late[name])
                for name in ("lane", "level", "width", "height", "phase")
            ],
            *drive(lanes, levels, "upsampled", "upsampled_lane", "upsampled_phase"),
            *drive(levels, lanes, "lane", "column", "row", "x", "y"),
            *drive(prior, lanes, "lane", "active", "x", "y", "width", "height"),
            prior.has_prior.eq(upsampled),
            *[prior.rows[k].eq(levels.rows[k]) for k in range(len(prior.rows))],
        ]
        wait = PriorWindow.latency - ForwardWindow.latency
        decoded = delay(m, window.features, wait, name="decoded")
        m.d.comb += network.features.eq(Cat(decoded, prior.features))
        if c.model.constraint:
            at = c.decoder_class_at
            ends_block = lanes.x[0] & lanes.y[0] & upsampled
            m.d.comb += [
                head.constrained.eq(delay(m, ends_block, at, name="ends_block")),
                head.parent.eq(
                    delay(m, levels.parent, at - PriorMemory.parent_latency, name="parent")
                ),
                head.known.eq(
                    delay(m, block_sum(window), at - ForwardWindow.latency, name="known")
                ),
            ]
