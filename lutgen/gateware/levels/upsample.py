"""Upsampling: the UPS network, and the pass over a level that makes the next finer one's priors."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.upsample import GROUPS
from lutgen.model.upsample import Upsampler as Parameters

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import delay
from ..network.lut_layer import LutLayers
from ..network.popcount import Popcount
from ..network.thermometer import Thermometer
from .coarse import CoarseMemory

__all__ = ["Upsampler", "UpsamplePass", "upsample_order"]


def upsample_order(
    slots: int, levels: int, tile_width: int, tile_height: int, tag_bits: int
) -> StructLayout:
    """Order to upsample one level: tile slot, coarser level, its last column and row, and a tag."""
    return StructLayout({
        "slot": bits_for(slots - 1),
        "level": bits_for(levels),
        "width": bits_for(tile_width - 1) - 1,
        "height": bits_for(tile_height - 1) - 1,
        "tag": tag_bits,
    })


class Upsampler(wiring.Component):
    """UPS network: from the square around a pixel to the block of the next finer level.

    Thermometer encoder, LUT layers, four popcounts and the tables that scale their counts.  Latency
    :attr:`latency`, one block per clock.

    Parameters
    ----------
    upsampler:
        The network and its tables.
    levels_per_stage, primitive:
        See :class:`lutgen.gateware.network.lut_layer.LutLayers`.

    Members
    -------
    features : In(8 * size**2)
        Square, feature 0 in the low byte.
    block : Out(8) array
        Pixels: top left, top right, bottom left, bottom right.
    """

    def __init__(
        self, upsampler: Parameters, *, levels_per_stage: int, primitive: str | None
    ) -> None:
        self._upsampler = upsampler
        self._levels, self._primitive = levels_per_stage, primitive
        net = upsampler.network
        self._counted_at = max(Popcount.latency_of(len(net.outputs[name])) for name in GROUPS)
        self.latency = (
            Thermometer.latency + LutLayers.latency_of(net, levels_per_stage)
            + self._counted_at + 2
        )  # fmt: skip
        super().__init__({"features": In(8 * net.features), "block": Out(8).array(len(GROUPS))})

    def elaborate(self, platform) -> Module:
        m = Module()
        net = self._upsampler.network
        m.submodules.thermometer = thermometer = Thermometer(net, primitive=self._primitive)
        m.submodules.layers = layers = LutLayers(
            net, levels_per_stage=self._levels, primitive=self._primitive
        )
        m.d.comb += [thermometer.features.eq(self.features), layers.i.eq(thermometer.o)]
        counts = []
        for name in GROUPS:
            count = Popcount(len(net.outputs[name]), primitive=self._primitive)
            m.submodules[f"popcount_{name}"] = count
            m.d.comb += count.i.eq(getattr(layers, name))
            counts.append(
                delay(m, count.o, self._counted_at - count.latency, name=f"count_{name}")
            )
        # Groups with as many bits have the same table, and a memory has two ports.
        values = [table.tolist() for table in self._upsampler.values]
        for first in (0, 2):
            pair = (first, first + 1)
            if values[first] == values[first + 1]:
                pixels = add_rom(
                    m, f"values{first}", values[first], 8, [counts[i] for i in pair], platform
                )
            else:
                pixels = [
                    pixel
                    for i in pair
                    for pixel in add_rom(m, f"values{i}", values[i], 8, [counts[i]], platform)
                ]
            for i, pixel in zip(pair, pixels, strict=True):
                m.d.comb += self.block[i].eq(pixel)
        return m


class UpsamplePass(wiring.Component):
    """Walks a level in raster order and upsamples every pixel of it.

    One pixel per clock in which its read of the level's memory is granted; ``radius`` clocks
    between two orders.  The level's columns flow through one window without a gap; what lies
    outside is masked by position.  The last block of an order is written :attr:`latency` clocks
    after its last column was read.  After reset no order is at work.

    Parameters
    ----------
    upsampler, levels_per_stage, primitive:
        See :class:`Upsampler`.
    order:
        Layout of an order, see :func:`upsample_order`.

    Members
    -------
    orders : In(stream)
        Levels to upsample; all their pixels are in memory.
    read : Out(1)
        A column is wanted ...
    granted : In(1)
        ... and is read in this clock ...
    slot, level, column, row : Out(...)
        ... from here, see :class:`.coarse.CoarseMemory`, ...
    banks : In(8) array
        ... and is there two clocks later.
    write : Out(1)
        Write a block, ...
    write_slot, write_level, write_x, write_y, write_block, write_parent : Out(...)
        ... see :class:`.prior.PriorMemory`; the level is the finer one.
    done : Out(1)
        The last block of an order is written in this clock; ...
    done_tag : Out(...)
        ... that order's tag.
    """

    #: Clocks from a column's address to the window whose last column it is.
    _WINDOW_AT = CoarseMemory.latency + 2

    def __init__(
        self, upsampler: Parameters, order: StructLayout, *, levels_per_stage: int,
        primitive: str | None,
    ) -> None:  # fmt: skip
        self._radius = upsampler.radius
        self._offsets = upsampler.offsets
        self._network = Upsampler(
            upsampler, levels_per_stage=levels_per_stage, primitive=primitive
        )
        self.latency = self._WINDOW_AT + self._network.latency
        self._order = order
        x, y = order["width"].shape, order["height"].shape
        super().__init__({
            "orders": In(stream.Signature(order)),
            "read": Out(1),
            "granted": In(1),
            "slot": Out(order["slot"].shape),
            "level": Out(order["level"].shape),
            "column": Out(x),
            "row": Out(y),
            "banks": In(8).array(8),
            "write": Out(1),
            "write_slot": Out(order["slot"].shape),
            "write_level": Out(order["level"].shape),
            "write_x": Out(x),
            "write_y": Out(y),
            "write_block": Out(8).array(len(GROUPS)),
            "write_parent": Out(8),
            "done": Out(1),
            "done_tag": Out(order["tag"].shape),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        r = self._radius
        now = Signal(self._order)
        x, y = Signal.like(self.column), Signal.like(self.row)
        idle, reading = Signal(init=1), Signal()
        flushing = Signal(range(r + 1))  # columns that are still to push the last ones through
        step = Signal()
        row_end, ends = Signal(), Signal()
        m.d.comb += [
            self.read.eq(reading),
            self.slot.eq(now.slot),
            self.level.eq(now.level),
            self.column.eq(x),
            self.row.eq(y),
            step.eq((reading & self.granted) | (flushing != 0)),
            row_end.eq(x == now.width),
            ends.eq(row_end & (y == now.height)),
            self.orders.ready.eq(idle),
        ]
        with m.If(reading):
            with m.If(self.granted):
                m.d.sync += x.eq(Mux(row_end, 0, x + 1))
                with m.If(row_end):
                    m.d.sync += y.eq(y + 1)
                with m.If(ends):
                    m.d.sync += [reading.eq(0), flushing.eq(r)]
        with m.Elif(flushing != 0):
            m.d.sync += [flushing.eq(flushing - 1), idle.eq(flushing == 1)]
        with m.If(idle):
            # Taken whether valid or not: an order that does not come is never read.
            m.d.sync += [now.eq(self.orders.payload), x.eq(0), y.eq(0)]
            with m.If(self.orders.valid):
                m.d.sync += [reading.eq(1), idle.eq(0)]
        shift, columns, places = self._fetch(m, now, x, y, step, reading, ends)
        centre = places[r]
        features = self._extract(m, columns, centre)
        m.submodules.network = network = self._network
        m.d.comb += network.features.eq(features)
        self._show(m, now, shift & centre.valid, centre, features)
        return m

    def _fetch(self, m: Module, now, x, y, step, reading, ends):
        """The column, its rows put in order, and where its own pixel has neighbours.

        Returns whether columns move on, the columns under the window, the newest first, and where
        their pixels are, up to that of the centre.
        """
        r = self._radius
        fetched = CoarseMemory.latency
        shift = delay(m, step, fetched + 1, name="shift", reset=True)
        banks = Array(self.banks)
        row = delay(m, y[:3], fetched, name="row")
        entering = Signal(ArrayLayout(8, 2 * r + 1), reset_less=True)
        m.d.sync += [
            entering[k].eq(banks[(row + (k - r))[:3]]) for k in range(2 * r + 1)
        ]
        place = StructLayout({
            "valid": 1, "ends": 1, "x": len(x), "y": len(y), "before_x": r, "after_x": r,
            "before_y": r, "after_y": r,
        })  # fmt: skip
        at = Signal(place)
        last_x, last_y = now.width, now.height
        m.d.comb += [at.valid.eq(reading), at.ends.eq(ends), at.x.eq(x), at.y.eq(y)]
        early = {}
        for name, here, last in (("x", x, last_x), ("y", y, last_y)):
            early[f"before_{name}"] = Cat(here >= d for d in range(1, r + 1))
            early[f"after_{name}"] = Cat(here + d <= last for d in range(1, r + 1))
        for name, flags in early.items():
            m.d.comb += at[name].eq(flags)
        entering_at = Signal(place)
        m.d.comb += entering_at.eq(
            delay(m, at, fetched + 1, name="entering_at", reset=True)
        )
        columns = [entering, *[
            Signal(ArrayLayout(8, 2 * r + 1), name=f"column{j}", reset_less=True)
            for j in range(2 * r)
        ]]  # fmt: skip
        places = [entering_at, *[Signal(place, name=f"place{j}") for j in range(r)]]
        with m.If(shift):
            m.d.sync += [b.eq(a) for a, b in zip(columns[:-1], columns[1:], strict=True)]
            m.d.sync += [b.eq(a) for a, b in zip(places[:-1], places[1:], strict=True)]
        return shift, columns, places

    def _extract(self, m: Module, columns, centre) -> Signal:
        """The window's pixels; those outside the level are zero."""
        r = self._radius
        features = Signal(8 * len(self._offsets), reset_less=True)
        for f, (dy, dx) in enumerate(self._offsets):
            inside = [
                centre[f"{'before' if d < 0 else 'after'}_{name}"][abs(d) - 1]
                for name, d in (("x", dx), ("y", dy))
                if d
            ]
            pixel = columns[r - dx][dy + r]
            m.d.sync += features.word_select(f, 8).eq(
                Mux(Cat(inside).all(), pixel, 0) if inside else pixel
            )
        return features

    def _show(self, m: Module, now, done, centre, features) -> None:
        """What is written, when the network is through.

        The order's fields do not change before its last column is through.
        """
        fetched, network = CoarseMemory.latency, self._network
        latency = 1 + network.latency
        fields = delay(m, Cat(now.slot, now.level, now.tag), fetched + 1, name="fields")
        slot, level, tag = (
            fields[: len(now.slot)],
            fields[len(now.slot) : len(now.slot) + len(now.level)],
            fields[len(now.slot) + len(now.level) :],
        )
        parent = features.word_select(self._offsets.index((0, 0)), 8)
        m.d.comb += [
            self.write.eq(
                delay(m, done, latency, name="write", reset=True)
            ),
            self.done.eq(
                delay(m, done & centre.ends, latency, name="done", reset=True)
            ),
            self.write_slot.eq(delay(m, slot, latency, name="write_slot")),
            self.write_level.eq(delay(m, (level - 1)[: len(level)], latency, name="write_level")),
            self.write_x.eq(delay(m, centre.x, latency, name="write_x")),
            self.write_y.eq(delay(m, centre.y, latency, name="write_y")),
            self.write_parent.eq(delay(m, parent, network.latency, name="write_parent")),
            self.done_tag.eq(delay(m, tag, latency, name="done_tag")),
            *[self.write_block[i].eq(network.block[i]) for i in range(len(GROUPS))],
        ]
