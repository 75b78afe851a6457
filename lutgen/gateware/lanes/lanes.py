"""Lanes: who uses the pipeline this clock, and where in its tile it is.

Lanes take turns in a fixed rotation.  A lane that has no tile takes the next one off the queue in
its turn; a tile that has begun never waits for either port, because its input is complete and its
output has a place before it begins.  So nothing in the pipelines behind ever stalls.

With levels a tile is its whole pyramid, walked level by level.  In the decoder a lane that has done
a level waits, its turns unused, until that level is upsampled; in the encoder it never waits.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.window import Window

from ..fabric.pipeline import choose, delay

__all__ = ["BackwardLanes", "ForwardLanes", "backward_tile", "forward_tile"]

#: Fields of a lane's state that make it act; the others matter only beside these.
_ACTS = ("active", "flush", "final", "waits", "phase")


def forward_tile(tile_width: int, tile_height: int, address_bits: int) -> StructLayout:
    """A tile to decode: last column and row, payload position and end, and whether it is void."""
    return StructLayout({
        "width": bits_for(tile_width - 1),
        "height": bits_for(tile_height - 1),
        "position": address_bits,
        "end": address_bits,
        "void": 1,
    })


def backward_tile(tile_width: int, tile_height: int) -> StructLayout:
    """A tile to encode: last column and row, and whether it begins or ends a file."""
    return StructLayout({
        "width": bits_for(tile_width - 1),
        "height": bits_for(tile_height - 1),
        "first": 1,
        "last": 1,
    })


class _Lanes(wiring.Component):
    """Rotation, state memory and clearing that both directions share."""

    def __init__(
        self, state: StructLayout, lanes: int, buffers: int, sequence_bits: int, ports: dict
    ) -> None:
        self._state = state
        self._lanes = lanes
        self._buffers = buffers
        super().__init__({
            "clear": In(1),
            "oldest": In(sequence_bits),
            "lane": Out(bits_for(lanes - 1)),
            "tile": Out(sequence_bits),
            "following": Out(sequence_bits),
            **ports,
        })

    def _sequence(self, m: Module, load):
        """Returns the number of the next tile and whether there is a buffer for it."""
        following = self.following
        with m.If(load):
            m.d.sync += following.eq(following + 1)
        # Registered, so one buffer is kept for the tile that has just been taken.
        free = Signal()
        m.d.sync += free.eq((following - self.oldest)[: len(following)] < self._buffers - 1)
        return following, free

    def _rotation(self, m: Module):
        """Returns the lane's state, the same a clock later, and then where to put its next one."""
        m.submodules.states = memory = Memory(shape=self._state, depth=self._lanes, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        turn = Signal(range(self._lanes))
        # A lane that was at work when a reset came must not act once more: the memory keeps its
        # state, so what makes it act is reset, and not taken from the memory while it is cleared.
        acts = [name for name in self._state.members if name in _ACTS]
        acting = Signal(len(acts))
        fetched = Signal(self._state, reset_less=True)
        state = Signal(self._state)
        before = Signal(self._state, reset_less=True)
        after = Signal(self._state)
        m.d.comb += [
            read.addr.eq(turn),
            state.eq(Cat(
                acting[acts.index(name)] if name in acts else fetched[name]
                for name in self._state.members
            )),
            after.eq(before),
            write.addr.eq(delay(m, self.lane, 1, name="lane")),
            write.data.eq(after),
            write.en.eq(1),
        ]
        m.d.sync += [
            turn.eq(Mux(turn == self._lanes - 1, 0, turn + 1)),
            self.lane.eq(turn),
            fetched.eq(read.data),
            acting.eq(Cat(read.data[name] & ~self.clear for name in acts)),
            before.eq(state),
        ]
        return state, before, after


class ForwardLanes(_Lanes):
    """Decoder's rotation: a slot to load the tile's ANS state, then its pixels in raster order.

    One slot per clock; a level of w x h pixels takes ``max(w, radius + 1) * h`` slots of its lane,
    a tile one more to load it, each level that has a prior ``radius`` more to fill its window, and
    those that pass until it is upsampled.  All outputs of a clock belong to ``lane``.  While
    ``clear`` is held for a full rotation, all lanes become idle.

    Members
    -------
    clear : In(1)
        Make this clock's lane idle.
    tiles : In(stream)
        Tiles in order, see :func:`forward_tile`.
    oldest : In(...)
        Sequence number of the oldest tile whose result buffer is in use.
    lane : Out(...)
        Lane of this clock.
    load : Out(1)
        The lane takes the tile at the head of ``tiles``.
    active : Out(1)
        The lane advances by one column.
    code : Out(1)
        It decodes a pixel.
    last : Out(1)
        It is its level's last.
    void : Out(1)
        The tile has no payload; its pixels are zero.
    x, y, width, column : Out(...)
        See :class:`.window.ForwardWindow`.
    until : In(...)
        With levels: the last level to decode; must not change while tiles are at work.
    level, height, row : Out(...)
        With levels: level, its last row, and the row of ``column``.
    ends : Out(1)
        With levels: the level is the last to decode.
    phase : Out(1)
        With levels: turns over with each level of the lane; goes with the order to upsample it.
    upsampled : In(1)
        With levels: a level that a lane has done is upsampled, ...
    upsampled_lane, upsampled_phase : In(...)
        ... the lane, and its ``phase`` when the level was done.
    tile : Out(...)
        Sequence number of the lane's tile; with ``load``, of the tile before.
    following : Out(...)
        Sequence number of the next tile to be taken.
    """

    def __init__(
        self, window: Window, *, lanes: int, tile_width: int, tile_height: int,
        address_bits: int, buffers: int, sequence_bits: int, levels: int = 0,
    ) -> None:  # fmt: skip
        if tile_width < window.min_row:
            raise ValueError(f"tile width must be at least {window.min_row}, not {tile_width!r}")
        self._window = window
        self._levels = levels
        descriptor = forward_tile(tile_width, tile_height, address_bits)
        column, row = bits_for(tile_width - 1), bits_for(tile_height - 1)
        state = {
            "active": 1, "void": 1, "x": column, "y": row, "column": column, "width": column,
            "height": row, "row_end": column, "tile": sequence_bits,
        }  # fmt: skip
        ports = {
            "tiles": In(stream.Signature(descriptor)),
            "load": Out(1),
            "active": Out(1),
            "code": Out(1),
            "last": Out(1),
            "void": Out(1),
            "x": Out(column),
            "y": Out(row),
            "width": Out(column),
            "column": Out(column),
        }
        if levels:
            level = bits_for(levels)
            state |= {
                "waits": 1, "phase": 1, "lead": bits_for(window.radius), "row": row,
                "level": level, "whole_width": column, "whole_height": row,
            }  # fmt: skip
            ports |= {
                "until": In(level),
                "level": Out(level),
                "height": Out(row),
                "row": Out(row),
                "ends": Out(1),
                "phase": Out(1),
                "upsampled": In(1),
                "upsampled_lane": In(bits_for(lanes - 1)),
                "upsampled_phase": In(1),
            }
        super().__init__(StructLayout(state), lanes, buffers, sequence_bits, ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        state, before, after = self._rotation(m)
        radius = self._window.radius
        following, free = self._sequence(m, self.load)
        idle = ~(state.active | state.waits) if self._levels else ~state.active
        lead = state.lead != 0 if self._levels else 0
        m.d.comb += [
            self.tiles.ready.eq(idle & free & ~self.clear),
            self.load.eq(idle & free & ~self.clear & self.tiles.valid),
            self.active.eq(state.active),
            self.code.eq(state.active & (state.x <= state.width) & ~lead),
            self.last.eq((state.x == state.width) & (state.y == state.height)),
            self.void.eq(state.void),
            self.x.eq(state.x),
            self.y.eq(state.y),
            self.width.eq(state.width),
            self.column.eq(state.column),
            self.tile.eq(state.tile),
        ]
        # The next state, a clock later: what it depends on is compared in between.
        load = delay(m, self.load, 1, name="load", reset=True)
        number = delay(m, following, 1, name="number")
        row_done = delay(m, (state.x == state.row_end) & ~lead, 1, name="row_done")
        wrapped = delay(m, state.column == state.row_end, 1, name="wrapped")
        bottom = delay(m, state.y == state.height, 1, name="bottom")
        tile = Signal.like(self.tiles.payload, reset_less=True)
        m.d.sync += tile.eq(self.tiles.payload)
        m.d.comb += [
            after.x.eq(Mux(row_done, 0, before.x + 1)),
            after.y.eq(before.y + row_done),
            after.column.eq(Mux(wrapped, 0, before.column + 1)),
            after.active.eq(before.active & ~(row_done & bottom)),
        ]
        if self._levels:
            self._elaborate_levels(m, state, before, after, (row_done, wrapped, bottom))
        short = delay(m, (self.tiles.payload.width >> self._levels) < radius, 1, name="short")
        width, height = tile.width >> self._levels, tile.height >> self._levels
        with m.If(load):
            m.d.comb += [
                after.active.eq(1),
                after.void.eq(tile.void),
                after.x.eq(0),
                after.y.eq(0),
                after.column.eq(radius),
                after.width.eq(width),
                after.height.eq(height),
                after.row_end.eq(Mux(short, radius, width)),
                after.tile.eq(number),
            ]
            if self._levels:
                m.d.comb += [
                    after.waits.eq(0),
                    after.lead.eq(0),
                    after.row.eq(0),
                    after.level.eq(self._levels),
                    after.whole_width.eq(tile.width),
                    after.whole_height.eq(tile.height),
                ]
        return m

    def _elaborate_levels(self, m: Module, state, before, after, flags) -> None:
        """What the lane does between two levels; a load overrides it."""
        row_done, wrapped, bottom = flags
        radius = self._window.radius
        m.submodules.upsampled = memory = Memory(shape=1, depth=self._lanes, init=[])
        read, write = memory.read_port(domain="comb"), memory.write_port()
        clear = delay(m, self.clear, 1, name="clear")  # of this clock's lane
        m.d.comb += [
            self.level.eq(state.level),
            self.height.eq(state.height),
            self.row.eq(state.row),
            self.phase.eq(state.phase),
            read.addr.eq(self.lane),
            write.addr.eq(Mux(clear, self.lane, self.upsampled_lane)),
            write.data.eq(~clear & ~self.upsampled_phase),
            write.en.eq(self.upsampled | clear),
        ]
        m.d.comb += self.ends.eq(state.level == self.until)
        more = delay(m, ~self.ends, 1, name="more")
        waits = row_done & bottom & before.active & more
        resume = delay(
            m, state.waits & (read.data == state.phase), 1, name="resume", reset=True
        )
        finer = Signal.like(before.level, name="finer")
        m.d.sync += finer.eq(state.level - 1)
        width = delay(
            m, choose([state.whole_width >> k for k in range(self._levels)], state.level - 1),
            1, name="finer_width",
        )  # fmt: skip
        height = delay(
            m, choose([state.whole_height >> k for k in range(self._levels)], state.level - 1),
            1, name="finer_height",
        )  # fmt: skip
        m.d.comb += [
            after.row.eq(before.row + wrapped),
            after.phase.eq(before.phase ^ waits),
            after.waits.eq((before.waits & ~resume) | waits),
        ]
        with m.If(before.lead != 0):
            # The window of upsampled pixels fills; those that are decoded begin after it.
            m.d.comb += [after.lead.eq(before.lead - 1), after.x.eq(0), after.y.eq(0)]
        with m.If(resume):
            m.d.comb += [
                after.active.eq(1),
                after.lead.eq(radius),
                after.x.eq(0),
                after.y.eq(0),
                after.row.eq(0),
                after.column.eq(0),
                after.level.eq(finer),
                after.width.eq(width),
                after.height.eq(height),
                after.row_end.eq(Mux(width < radius, radius, width)),
            ]


class BackwardLanes(_Lanes):
    """Encoder's rotation: columns to fill the window, the pixels from last to first, the flush.

    One slot per clock; a level of w x h pixels takes ``radius + max(w, radius + 1) * h`` slots of
    its lane, a tile two more, and one that finds it idle.  Level 0 comes first, as all goes
    backwards.  All outputs of a clock belong to ``lane``.

    Members
    -------
    clear, oldest, lane, tiles, active, code, width, tile :
        See :class:`ForwardLanes` and :func:`backward_tile`.
    x, y : Out(...)
        Position; ``x`` begins ``radius`` beyond the row.
    column, row : Out(...)
        Column to fetch and its lowest row.
    level, height : Out(...)
        With levels: level, and its last row.
    first : Out(1)
        With ``code``: the first pixel coded, the tile's last.
    flush : Out(1)
        Slot that emits the final state's low bits.
    final : Out(1)
        Slot that completes the last word.
    ends : Out(2)
        With ``final``: the tile begins (bit 0) and ends (bit 1) a file.
    """

    def __init__(
        self, window: Window, *, lanes: int, tile_width: int, tile_height: int,
        buffers: int, sequence_bits: int, levels: int = 0,
    ) -> None:  # fmt: skip
        if tile_width < window.min_row:
            raise ValueError(f"tile width must be at least {window.min_row}, not {tile_width!r}")
        self._window = window
        self._levels = levels
        column, row = bits_for(tile_width - 1), bits_for(tile_height - 1)
        x = bits_for(tile_width - 1 + window.radius)
        state = {
            "active": 1, "flush": 1, "final": 1, "x": x, "y": row, "column": column,
            "row": row, "width": column, "height": row, "row_end": column,
            "tile": sequence_bits, "ends": 2,
        }  # fmt: skip
        ports = {
            "tiles": In(stream.Signature(backward_tile(tile_width, tile_height))),
            "active": Out(1),
            "code": Out(1),
            "first": Out(1),
            "flush": Out(1),
            "final": Out(1),
            "ends": Out(2),
            "x": Out(x),
            "y": Out(row),
            "width": Out(column),
            "column": Out(column),
            "row": Out(row),
        }
        if levels:
            state |= {"level": bits_for(levels)}
            ports |= {"level": Out(bits_for(levels)), "height": Out(row)}
        super().__init__(StructLayout(state), lanes, buffers, sequence_bits, ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        state, before, after = self._rotation(m)
        radius = self._window.radius
        idle = ~(state.active | state.flush | state.final)
        finest = state.level == 0 if self._levels else 1
        taken = Signal()
        following, free = self._sequence(m, taken)
        m.d.comb += [
            self.tiles.ready.eq(idle & free & ~self.clear),
            taken.eq(idle & free & ~self.clear & self.tiles.valid),
            self.active.eq(state.active),
            self.code.eq(state.active & (state.x <= state.width)),
            self.first.eq((state.x == state.width) & (state.y == state.height) & finest),
            self.flush.eq(state.flush),
            self.final.eq(state.final),
            self.ends.eq(state.ends),
            self.x.eq(state.x),
            self.y.eq(state.y),
            self.width.eq(state.width),
            self.column.eq(state.column),
            self.row.eq(state.row),
            self.tile.eq(state.tile),
        ]
        # The next state, a clock later: what it depends on is compared in between.
        load = delay(m, taken, 1, name="load", reset=True)
        number = delay(m, following, 1, name="number")
        row_done = delay(m, state.x == 0, 1, name="row_done")
        wrapped = delay(m, state.column == 0, 1, name="wrapped")
        top = delay(m, state.y == 0, 1, name="top")
        tile = Signal.like(self.tiles.payload, reset_less=True)
        row_end = Signal(len(self.column), reset_less=True)
        m.d.sync += [
            tile.eq(self.tiles.payload),
            row_end.eq(
                Mux(self.tiles.payload.width < radius, radius, self.tiles.payload.width)
            ),
        ]
        level_done = before.active & row_done & top
        m.d.comb += [
            after.x.eq(Mux(row_done, before.row_end, before.x - 1)),
            after.y.eq(before.y - row_done),
            after.column.eq(Mux(wrapped, before.row_end, before.column - 1)),
            after.row.eq(before.row - wrapped),
            after.active.eq(before.active & ~(row_done & top)),
            after.flush.eq(level_done),
            after.final.eq(before.flush),
        ]
        if self._levels:
            m.d.comb += [self.level.eq(state.level), self.height.eq(state.height)]
            half = before.width >> 1
            height = before.height >> 1
            half_end = delay(
                m, Mux((state.width >> 1) < radius, radius, state.width >> 1), 1, name="half_end"
            )
            coarsest = delay(m, state.level == self._levels, 1, name="coarsest")
            with m.If(level_done & ~coarsest):
                m.d.comb += [
                    after.flush.eq(0),
                    after.active.eq(1),
                    after.level.eq(before.level + 1),
                    after.x.eq(half_end + radius),
                    after.y.eq(height),
                    after.column.eq(half_end),
                    after.row.eq(height),
                    after.width.eq(half),
                    after.height.eq(height),
                    after.row_end.eq(half_end),
                ]
        with m.If(load):
            m.d.comb += [
                after.active.eq(1),
                after.flush.eq(0),
                after.final.eq(0),
                after.x.eq(row_end + radius),
                after.y.eq(tile.height),
                after.column.eq(row_end),
                after.row.eq(tile.height),
                after.width.eq(tile.width),
                after.height.eq(tile.height),
                after.row_end.eq(row_end),
                after.tile.eq(number),
                after.ends.eq(Cat(tile.first, tile.last)),
            ]
            if self._levels:
                m.d.comb += after.level.eq(0)
        return m
