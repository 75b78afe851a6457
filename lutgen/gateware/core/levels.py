"""Levels: what stands beside the lanes of a codec with a pyramid.

The encoder builds and upsamples a tile's levels before a lane takes it.  The decoder upsamples a
level when its lane has decoded it, one lane after the other; meanwhile the lane waits.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.errors import InputError

from ..fabric.pipeline import choose, delay, drive
from ..lanes.lanes import backward_tile
from ..lanes.window import row_banks
from ..levels.coarse import CoarseMemory
from ..levels.prior import PriorMemory
from ..levels.pyramid import PyramidBuilder
from ..levels.upsample import UpsamplePass, upsample_order
from ..streams.axi import SkidBuffer
from ..streams.lut_fifo import LutFifo
from .config import CoreConfig

__all__ = ["DecoderLevels", "EncoderLevels"]

#: Pixels that wait where the pyramid cannot take one in every clock; images a few pixels wide.
_PIXELS = 16


def _add_memories(m: Module, c: CoreConfig, *, slots: int, prior_slots: int, levels: int):
    """Memories of decoded or pooled pixels, and of the upsampled ones."""
    tile = {"tile_width": c.tile_width, "tile_height": c.tile_height}
    m.submodules.coarse = coarse = CoarseMemory(c.model.levels, **tile, slots=slots)
    m.submodules.priors = priors = PriorMemory(
        radius=c.model.window.radius, slots=prior_slots, levels=levels, **tile,
        parents=c.model.constraint,
    )  # fmt: skip
    return coarse, priors


def _add_pass(m: Module, c: CoreConfig, order, coarse, priors) -> UpsamplePass:
    """Pass from one memory to the other; its reads are to be connected."""
    upsampler = c.model.upsampler
    if upsampler is None:
        raise InputError("levels of the model must be 1 or more, not 0")
    m.submodules.upsample = upsample = UpsamplePass(
        upsampler, order, levels_per_stage=c.levels_of_stage, primitive=c.primitive
    )
    m.d.comb += [
        *[upsample.banks[b].eq(coarse.banks[b]) for b in range(8)],
        priors.write.eq(upsample.write),
        priors.write_slot.eq(upsample.write_slot[: len(priors.write_slot)]),
        priors.write_level.eq(upsample.write_level),
        priors.write_x.eq(upsample.write_x),
        priors.write_y.eq(upsample.write_y),
        priors.write_parent.eq(upsample.write_parent),
        *[priors.write_block[i].eq(upsample.write_block[i]) for i in range(4)],
    ]
    return upsample


class EncoderLevels(wiring.Component):
    """Pyramid and priors of the tiles that are to be encoded.

    Takes one level-0 pixel per clock, upsamples one pixel of a coarser level in every clock in
    which no lane reads one, and hands a tile on when all its levels are upsampled.  After reset
    nothing is inside.

    Members
    -------
    store, stored : In(...)
        Pixel of level 0 that is stored, see :func:`lutgen.gateware.levels.pyramid.level_pixel`.
    hold : Out(1)
        There is room for five pixels at most.
    tiles : In(stream)
        Tiles whose level 0 is complete, see :func:`lutgen.gateware.lanes.lanes.backward_tile`.
    ready : Out(stream)
        The same tiles, when all their levels are upsampled.
    oldest : In(...)
        Sequence number of the oldest tile that is not encoded.
    following : Out(...)
        Sequence number of the next tile to be upsampled.
    busy : Out(1)
        That tile is inside.
    reads : In(1)
        A lane needs this column now, ...
    tile, level, column, row : In(...)
        ... of this tile and level, down to and from this row.
    x, y : In(...)
        Its pixel's position.
    banks : Out(8) array
        Pixels of a level above 0, as :class:`lutgen.gateware.files.raster_in.RasterToTiles` gives
        those of level 0.
    rows : Out(8) array
        Upsampled pixels, see :class:`lutgen.gateware.levels.prior.PriorMemory`.
    parent : Out(8)
        Pixel of the next coarser level, two clocks later.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = c = config
        tile = backward_tile(c.tile_width, c.tile_height)
        column, row = bits_for(c.tile_width - 1), bits_for(c.tile_height - 1)
        super().__init__({
            "store": In(1),
            "stored": In(c.level_pixel),
            "hold": Out(1),
            "tiles": In(stream.Signature(tile)),
            "ready": Out(stream.Signature(tile)),
            "oldest": In(c.sequence_bits),
            "following": Out(c.sequence_bits),
            "busy": Out(1),
            "reads": In(1),
            "tile": In(c.sequence_bits),
            "level": In(bits_for(c.model.levels)),
            "column": In(column),
            "row": In(row),
            "x": In(column),
            "y": In(row),
            "banks": Out(8).array(row_banks(c.model.window)),
            "rows": Out(8).array(c.model.window.radius + 1),
            "parent": Out(8),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        levels = c.model.levels
        tile = {"tile_width": c.tile_width, "tile_height": c.tile_height}
        slots, prior_slots = c.input_buffers, c.packet_buffers
        coarse, priors = _add_memories(
            m, c, slots=slots, prior_slots=prior_slots, levels=levels
        )
        m.submodules.pyramid = pyramid = PyramidBuilder(
            levels, **tile, max_width=c.max_width, slots=slots
        )
        m.submodules.pixels = pixels = fifo.SyncFIFOBuffered(
            width=c.level_pixel.size, depth=_PIXELS
        )
        wiring.connect(m, pixels.r_stream, pyramid.pixels)
        m.d.comb += [pixels.w_data.eq(self.stored), pixels.w_en.eq(self.store)]
        m.d.sync += self.hold.eq(pixels.level > _PIXELS - 6)
        m.d.comb += drive(
            coarse, pyramid, "write", "write_tile", "write_level", "write_x", "write_y",
            "write_pixel",
        )

        order = upsample_order(slots, levels, **tile, tag_bits=1)
        upsample = _add_pass(m, c, order, coarse, priors)
        queue = self._order(m, pyramid, upsample, coarse)
        self._hand_on(m, upsample, queue)
        self._read(m, coarse, priors, upsample)
        return m

    def _order(self, m: Module, pyramid, upsample, coarse) -> LutFifo:
        """Orders, coarsest level first, one after the other; all of a tile before the next.

        Returns the queue of tiles that are upsampled.
        """
        c = self._config
        levels, prior_slots = c.model.levels, c.packet_buffers
        m.submodules.tiles = tiles = SkidBuffer(self.tiles.payload.shape())
        wiring.connect(m, wiring.flipped(self.tiles), tiles.i)
        m.d.comb += self.busy.eq(tiles.o.valid)
        complete = Signal(c.sequence_bits)  # tiles whose pyramid is complete
        with m.If(pyramid.complete):
            m.d.sync += complete.eq(complete + 1)
        # Never full: each of its tiles has a place for its priors.
        m.submodules.queue = queue = LutFifo(self.tiles.payload.shape(), prior_slots)
        level = Signal(range(levels + 1), init=levels)
        startable = Signal()
        # Registered: a tile's first order waits until these have settled.
        m.d.sync += startable.eq(
            (complete != self.following) & tiles.o.valid
            & ((self.following - self.oldest)[: len(self.oldest)] < prior_slots)
        )
        # Flags of the coming order, so that nothing has to be compared when it is taken.
        at_first, last = Signal(init=1), Signal(init=levels == 1)
        ordering = Signal()
        now = tiles.o.payload
        m.d.comb += [
            ordering.eq(tiles.o.valid & (~at_first | startable)),
            upsample.orders.valid.eq(ordering),
            upsample.orders.payload.slot.eq(self.following[: len(coarse.tile)]),
            upsample.orders.payload.level.eq(level),
            upsample.orders.payload.width.eq(
                choose([now.width >> k for k in range(1, levels + 1)], (level - 1)[:len(level)])
            ),
            upsample.orders.payload.height.eq(
                choose([now.height >> k for k in range(1, levels + 1)], (level - 1)[:len(level)])
            ),
            upsample.orders.payload.tag.eq(last),
            queue.i.payload.eq(now),
        ]
        taken = Signal()
        m.d.comb += taken.eq(ordering & upsample.orders.ready)
        with m.If(taken):
            m.d.sync += [
                level.eq(Mux(last, levels, level - 1)),
                at_first.eq(last),
                last.eq(Mux(last, levels == 1, level == 2)),
            ]
            with m.If(last):
                m.d.comb += [tiles.o.ready.eq(1), queue.i.valid.eq(1)]
                m.d.sync += [self.following.eq(self.following + 1), startable.eq(0)]
        return queue

    def _hand_on(self, m: Module, upsample, queue: LutFifo) -> None:
        """Give the tiles whose last block is written to the lanes."""
        c = self._config
        finished, handed = Signal(c.sequence_bits), Signal(c.sequence_bits)
        some = Signal()
        m.submodules.ready = ready = SkidBuffer(self.ready.payload.shape())
        wiring.connect(m, ready.o, wiring.flipped(self.ready))
        given = ready.i.valid & ready.i.ready
        m.d.sync += some.eq((finished != handed) & ~given)
        with m.If(upsample.done & upsample.done_tag):
            m.d.sync += finished.eq(finished + 1)
        with m.If(given):
            m.d.sync += handed.eq(handed + 1)
        m.d.comb += [
            ready.i.payload.eq(queue.o.payload),
            ready.i.valid.eq(queue.o.valid & some),
            queue.o.ready.eq(given),
        ]

    def _read(self, m: Module, coarse, priors, upsample) -> None:
        """One read port of the coarser levels: lanes come first."""
        lane_reads = self.reads & (self.level != 0)
        m.d.comb += [
            upsample.granted.eq(~lane_reads),
            coarse.tile.eq(
                Mux(lane_reads, self.tile[: len(coarse.tile)], upsample.slot)
            ),
            coarse.level.eq(Mux(lane_reads, self.level, upsample.level)),
            coarse.column.eq(Mux(lane_reads, self.column, upsample.column)),
            coarse.row.eq(Mux(lane_reads, self.row, upsample.row)),
        ]
        count = len(self.banks)
        low = bits_for(count - 1)
        row = delay(m, self.row[:3], CoarseMemory.latency, name="row")
        for b, bank in enumerate(self.banks):
            above = (row[low:] - (row[:low] < b))[: 3 - low]
            m.d.comb += bank.eq(choose([coarse.banks[k] for k in range(b, 8, count)], above))
        m.d.comb += [
            priors.slot.eq(self.tile[: bits_for(self._config.packet_buffers - 1)]),
            priors.level.eq(self.level),
            priors.column.eq(self.column),
            priors.row.eq(self.row),
            priors.parent_x.eq(self.x >> 1),
            priors.parent_y.eq(self.y >> 1),
            self.parent.eq(priors.parent),
            *[self.rows[k].eq(priors.rows[k]) for k in range(len(self.rows))],
        ]


class DecoderLevels(wiring.Component):
    """Decoded pixels of coarser levels, and the priors made of them, by lane.

    Upsamples one pixel per clock.  After reset no order is inside.

    Members
    -------
    write : In(1)
        Write a decoded pixel, ...
    write_lane, write_level, write_x, write_y, write_pixel : In(...)
        ... of a level above 0.
    order : In(1)
        With or after its last pixel: upsample a level, ...
    order_lane, order_level, order_width, order_height, order_phase : In(...)
        ... of this lane; its last column and row.
    upsampled : Out(1)
        An order is done, ...
    upsampled_lane, upsampled_phase : Out(...)
        ... with these.
    lane, column, row : In(...)
        Column to read, see :class:`lutgen.gateware.levels.prior.PriorMemory`, ...
    x, y : In(...)
        ... and its pixel's position.
    rows : Out(8) array
        Upsampled pixels, three clocks later.
    parent : Out(8)
        Pixel of the next coarser level, two clocks later.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = c = config
        lane = bits_for(c.decoder_lanes - 1)
        column, row = bits_for(c.tile_width - 1), bits_for(c.tile_height - 1)
        level = bits_for(c.model.levels)
        super().__init__({
            "write": In(1),
            "write_lane": In(lane),
            "write_level": In(level),
            "write_x": In(column),
            "write_y": In(row),
            "write_pixel": In(8),
            "order": In(1),
            "order_lane": In(lane),
            "order_level": In(level),
            "order_width": In(column),
            "order_height": In(row),
            "order_phase": In(1),
            "upsampled": Out(1),
            "upsampled_lane": Out(lane),
            "upsampled_phase": Out(1),
            "lane": In(lane),
            "column": In(column),
            "row": In(row),
            "x": In(column),
            "y": In(row),
            "rows": Out(8).array(c.model.window.radius + 1),
            "parent": Out(8),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        slots = 1 << len(self.lane)
        coarse, priors = _add_memories(m, c, slots=slots, prior_slots=slots, levels=1)
        order = upsample_order(
            slots, c.model.levels, c.tile_width, c.tile_height, tag_bits=1 + len(self.lane)
        )
        upsample = _add_pass(m, c, order, coarse, priors)
        # As many as there are lanes, each of which has one at most.
        m.submodules.orders = orders = fifo.SyncFIFOBuffered(
            width=order.size, depth=c.decoder_lanes
        )
        now = Signal(order)
        m.d.comb += [
            now.slot.eq(self.order_lane),
            now.level.eq(self.order_level),
            now.width.eq(self.order_width),
            now.height.eq(self.order_height),
            now.tag.eq(Cat(self.order_phase, self.order_lane)),
            orders.w_data.eq(now),
            orders.w_en.eq(self.order),
        ]
        wiring.connect(m, orders.r_stream, upsample.orders)
        m.d.comb += [
            coarse.write.eq(self.write),
            coarse.write_tile.eq(self.write_lane),
            coarse.write_level.eq(self.write_level),
            coarse.write_x.eq(self.write_x),
            coarse.write_y.eq(self.write_y),
            coarse.write_pixel.eq(self.write_pixel),
            coarse.tile.eq(upsample.slot),
            coarse.level.eq(upsample.level),
            coarse.column.eq(upsample.column),
            coarse.row.eq(upsample.row),
            upsample.granted.eq(1),
            priors.slot.eq(self.lane),
            priors.level.eq(0),
            priors.column.eq(self.column),
            priors.row.eq(self.row),
            priors.parent_x.eq(self.x >> 1),
            priors.parent_y.eq(self.y >> 1),
            self.parent.eq(priors.parent),
            *[self.rows[k].eq(priors.rows[k]) for k in range(len(self.rows))],
            self.upsampled.eq(upsample.done),
            self.upsampled_phase.eq(upsample.done_tag[0]),
            self.upsampled_lane.eq(upsample.done_tag[1:]),
        ]
        return m
