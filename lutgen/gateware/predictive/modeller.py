"""The encoder's model: pictures in, folded residuals and their token rows out."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel

from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import delay, drive
from ..fabric.timeline import Timeline
from ..prediction.fold import FOLD_LATENCY, add_fold
from ..prediction.near import Near, NearTables
from ..prediction.quantities import Widths
from .group_blocks import GroupBlocks
from .group_memory import GroupMemory
from .picture_in import PICTURE_EVENTS, PictureIn
from .planes import Planes
from .planes_in import PlanesIn
from .walk import PRIMING, Walk

__all__ = ["Modeller", "symbol_layout"]


def symbol_layout(depth: int, lanes: int, rows: int, *, near: bool = False) -> StructLayout:
    """What is coded in a clock."""
    return StructLayout({
        "valid": 1,
        "lane": bits_for(lanes - 1),
        "side": 1,  # of its group, see `Walk`
        "row": bits_for(rows - 1),  # of the token tables
        "folded": depth,
        "first": 1,  # of its group
        "last": 1,
        "file_begins": 1,  # the group is the first of its file
        "strip_ends": 1,  # the group is the last of its strip
        "file_ends": 1,  # ... and of its file
        # Of a folded residual in plain form, with ``last``.
        **({"raw_bits": bits_for(depth)} if near else {}),
    })


class Modeller(wiring.Component):
    """Turns pictures into symbols, one per clock, in the order of staggered rows.

    Pictures of W columns take ``4 * max(17 * lanes, W + 3)`` clocks for each four rows, so 1.002
    clocks a pixel at 1,920.  A group's first symbol comes when its four rows have come, unless
    groups before it are still under way.  Reset forgets all pictures.

    Parameters
    ----------
    model:
        The codec model, of gray, of colour, or of colour filter arrays.
    depth:
        Bits of a sample.
    lanes:
        Groups that are walked side by side: as many that a period is as long as the loop.
    max_width, max_height, strip_height:
        See `PictureIn`.
    fabric:
        Whose memories to use.
    events:
        Whether to tell what happens to pictures.
    max_near:
        Greatest near of a picture; where it is not 0, samples become indices on their way from the
        memory, so that the loop is no longer for it.

    Members
    -------
    pixels, width, height, file_begins, file_width, file_height, bad_marker, bad_size
        See `PictureIn`.
    (near, file_near)
        With ``max_near``, likewise.
    (order, file_order)
        Of several planes, see `PlanesIn`.
    hold : In(1)
        Begin no period; symbols of the one under way, and of :attr:`latency` clocks more, follow.
    symbol : Out(...)
        See `symbol_layout`.
    busy : Out(1)
        A picture is under way.
    (`picture_in.PICTURE_EVENTS`) : Out(1)
        With ``events``, likewise.
    """

    def __init__(
        self, model: PredictiveModel | ColourModel, depth: int, *, lanes: int = 8, max_width: int,
        max_height: int, strip_height: int | None = None, fabric: Fabric = LUT6,
        events: bool = False, max_near: int = 0,
    ) -> None:  # fmt: skip
        planes = Planes.of(model)
        self._events = PICTURE_EVENTS if events else ()
        self._depth, self._gray = depth, planes.count == 1
        self._near = near = Near(depth, max_near) if max_near else None
        strip_height = strip_height or max_height
        self._loop = planes.loop(
            depth, lanes, planes.columns(max_width), fabric=fabric, near=near
        )
        self._pictures = PictureIn(
            depth, GroupBlocks(
                max_width, lanes, self._loop.least_stagger, depth=depth, decodes=False,
                fabric=fabric,
            ), max_height=max_height, strip_height=strip_height, events=events, max_near=max_near,
        ) if planes.count == 1 else PlanesIn(
            planes, depth, GroupMemory(planes.columns(max_width), lanes, planes=planes.count),
            max_lines=planes.lines(max_height), strip_lines=planes.lines(strip_height),
            fabric=fabric, events=events, max_near=max_near,
        )  # fmt: skip
        #: What a picture is told of, and what is told of it when it begins.
        members = self._pictures.signature.members
        self._given = [name for name in ("width", "height", "order") if name in members]
        self._told = [
            name for name in ("file_begins", "file_width", "file_height", "file_order")
            if name in members
        ]
        #: Clocks from a visit to its symbol.
        self.latency = self._loop.latency + FOLD_LATENCY
        self._walk = Walk(
            lanes, planes.columns(max_width), least=self._loop.least_stagger,
            tag=self._pictures.tag.size, planes=planes.count,
        )  # fmt: skip
        super().__init__({
            **{name: members[name] for name in ("pixels", *self._given, *self._told)},
            "bad_marker": Out(1),
            "bad_size": Out(1),
            "hold": In(1),
            "symbol": Out(symbol_layout(depth, lanes, len(planes.cumulative), near=bool(near))),
            "busy": Out(1),
            **{name: self._pictures.signature.members[name] for name in self._near_ports},
            **dict.fromkeys(self._events, Out(1)),
        })

    @property
    def loop_clocks(self) -> dict[str, int]:
        """Clocks from a visit, see `SampleLoop.clocks`."""
        return self._loop.clocks

    @property
    def _near_ports(self) -> tuple[str, ...]:
        return ("near", "file_near") if self._near else ()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.pictures, m.submodules.loop, m.submodules.walk = pictures, loop, walk = (
            self._pictures, self._loop, self._walk
        )  # fmt: skip
        wiring.connect(m, wiring.flipped(self.pixels), pictures.pixels)
        wiring.connect(m, pictures.groups, walk.groups)
        line = Timeline(m)
        visit = walk.visit
        tag = pictures.tag(visit.tag)
        m.d.comb += [
            *drive(pictures, self, *self._given),
            *drive(self, pictures, *self._told, "bad_marker", "bad_size", *self._events),
            walk.width.eq(pictures.walk_width),
            walk.hold.eq(self.hold),
            pictures.walking.eq(walk.busy),
            pictures.base.eq(tag.base),
            *([pictures.wanted.eq(visit.sample)] if self._gray else []),
            pictures.row.eq(visit.row),
            pictures.column.eq(visit.ahead - PRIMING),
            *[getattr(loop.visit, name).eq(getattr(visit, name))
              for name in loop.visit.shape().members],
        ]  # fmt: skip
        sample = coded = line.given("sample", pictures.sample, pictures.latency)
        end, at = loop.latency, self.latency
        symbol, greatest = self.symbol, None
        if self._near:
            given = line.given("near", tag.near)
            near = NearTables(m, line, self._near, given)
            coded = near.add_index(sample)
            sample = near.add_restored(coded)
            greatest = near.greatest(end)
            m.d.comb += [
                pictures.near.eq(self.near), self.file_near.eq(pictures.file_near),
                loop.near.eq(given.now), symbol.raw_bits.eq(near.raw_bits(at).now),
            ]  # fmt: skip
        m.d.comb += loop.sample.eq(sample.at(loop.sample_clock))

        folded = add_fold(
            line, Widths(self._depth), line.given("whole", loop.whole, end),
            line.given("below", loop.below, end), coded, greatest,
        )  # fmt: skip
        row = line.given("table_row", loop.row, end)
        m.d.comb += [
            symbol.row.eq(row.at(at)),
            symbol.folded.eq(folded.now),
            # The last register has a reset, which shift-register LUTs have not: they are slow, and
            # what takes symbols looks at them at once.
            *[
                getattr(symbol, name).eq(
                    delay(m, line.given(name, value).at(at - 1), 1, name=f"{name}_out", reset=True)
                )
                for name, value in (
                    ("lane", visit.lane), ("side", visit.side), ("first", visit.first),
                    ("last", visit.last), ("file_begins", tag.file_begins),
                    ("strip_ends", tag.strip_ends), ("file_ends", tag.file_ends),
                )
            ],
            symbol.valid.eq(line.given("valid", visit.sample, reset=True).at(at)),
        ]  # fmt: skip
        ended = Signal()
        m.d.comb += [ended.eq(symbol.valid & symbol.last), pictures.finished.eq(ended)]
        m.d.sync += self.busy.eq(pictures.busy | walk.busy)
        return m
