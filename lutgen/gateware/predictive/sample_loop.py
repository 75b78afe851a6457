"""The loop of a sample: its context, its prediction, and what it leaves for those behind it.

Encoder and decoder share it: they differ in where the sample comes from.  See
:mod:`lutgen.model.predictive.neighbourhood` for what stands in a context, at borders, too.
"""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from lutgen.codec.predictive.container import GROUP
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import ENERGIES, ERRORS, FRACTION_BITS, SAMPLES

from ..fabric.blockmem import add_ram, add_wide_ram
from ..fabric.fabric import LUT6, Fabric
from ..fabric.timeline import Timed, Timeline
from ..prediction.near import Near
from ..prediction.prediction import Prediction
from ..prediction.quantities import Widths
from .walk import least_stagger, visit_layout

__all__ = ["ABOVE", "WINDOW", "SampleLoop"]

#: Entries of a window, relative to the sample's column, after its newest one has come.
WINDOW = {
    "n": range(-3, 4), "nn": range(-2, 4), "nnn": range(-1, 4),
    "en": range(-1, 4), "enn": range(4), "energy": range(4),
}  # fmt: skip
#: Quantities of rows above: window and entry of each.
ABOVE = {
    "N": ("n", 0), "NW": ("n", -1), "NWW": ("n", -2), "NWWW": ("n", -3),
    "NE": ("n", 1), "NEE": ("n", 2), "NEEE": ("n", 3),
    "NN": ("nn", 0), "NNW": ("nn", -1), "NNWW": ("nn", -2), "NNE": ("nn", 1), "NNEE": ("nn", 2),
    "NNN": ("nnn", 0), "NNNW": ("nnn", -1), "NNNE": ("nnn", 1),
    "eN": ("en", 0), "eNW": ("en", -1), "eNE": ("en", 1), "eNEE": ("en", 2), "eNN": ("enn", 0),
    "ENE": ("energy", 1), "ENEEE": ("energy", 3),
}  # fmt: skip


class SampleLoop(wiring.Component):
    """Contexts and predictions of staggered rows, one sample per clock; no stall.

    Visits that are not valid leave nothing.  Nothing is reset but these.

    Parameters
    ----------
    model:
        The codec model.
    depth:
        Bits of a sample.
    lanes, max_width:
        Of the walk.
    sample_after:
        Clocks from the results to the sample; by default it comes with the first prediction, which
        is the earliest.
    fabric:
        Whose memories to use.
    near:
        Nears that files may have; by default all are lossless.

    Members
    -------
    visit : In(...)
        From the walk.
    near : In(...)
        With ``near``, and with the visit: that of the visit's file.
    whole, below, row : Out(...)
        See `Prediction`, :attr:`latency` clocks after the visit.
    sample : In(depth)
        The visit's sample, as a decoder has it, :attr:`sample_clock` clocks after it.
    """

    #: Clocks from a visit to its quantities.
    context_latency = 4

    def __init__(
        self, model: PredictiveModel, depth: int, lanes: int, max_width: int, *,
        sample_after: int | None = None, fabric: Fabric = LUT6, near: Near | None = None,
    ) -> None:  # fmt: skip
        self._settle(
            Widths(depth), Prediction(model, depth, fabric=fabric, near=near), sample_after,
            lambda least: visit_layout(lanes, max_width, least, 0), lanes, fabric, near,
        )  # fmt: skip

    def _settle(
        self, widths: Widths, prediction: Component, sample_after: int | None,
        layout: Callable[[int], StructLayout], lanes: int, fabric: Fabric,
        near: Near | None = None,
    ) -> None:  # fmt: skip
        """Latencies and ports; ``layout`` is that of visits, by the least stagger of groups."""
        self._widths, self._fabric, self._near = widths, fabric, near
        self.prediction = prediction
        first = self.context_latency + self.prediction.first_latency
        #: Clocks from a visit to the results.
        self.latency = self.context_latency + self.prediction.latency
        #: Clocks from a visit to its sample.
        self.sample_clock = first if sample_after is None else self.latency + sample_after
        #: Clocks from a visit to when its record is written.
        self.written = self.sample_clock + 2
        period = GROUP * lanes
        if not lanes + 2 < self.written + 1 <= period + 2:
            raise ValueError(
                f"a period must be {self.written - 1} clocks at least, not {period}"
            )
        #: Fewest periods between groups.
        self.least_stagger = least_stagger(lanes, self.written + 1)
        super().__init__({
            "visit": In(layout(self.least_stagger)),
            "whole": Out(self._widths.sample),
            "below": Out(1),
            "row": Out(len(self.prediction.row)),
            "sample": In(self._widths.sample),
            **({"near": In(near.bits)} if near else {}),
        })

    @property
    def clocks(self) -> dict[str, int]:
        """Clocks from a visit to what the loop has of it by then; ``record`` closes it."""
        return {
            "context": self.context_latency,
            "first prediction": self.context_latency + self.prediction.first_latency,
            "row of the token tables": self.latency,
            "sample": self.sample_clock,
            "record": self.written,
        }

    @property
    def _record_layout(self) -> StructLayout:
        """What a sample leaves: itself, its error and energy, and the two samples above it."""
        widths = self._widths
        return StructLayout({
            "n": widths.value, "nn": widths.value, "nnn": widths.value,
            "en": widths.error, "enn": widths.error, "energy": widths.energy,
        })  # fmt: skip

    @property
    def _window_layout(self) -> StructLayout:
        """What a row keeps from visit to visit: its windows without their oldest entries."""
        widths, shapes = self._widths, self._record_layout.members
        return StructLayout({
            f"{name}_{k - entries.start - 1}": shapes[name]
            for name, entries in WINDOW.items() for k in entries if k > entries.start
        } | {"w": widths.value, "ww": widths.value, "ew": widths.error})  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.prediction = prediction = self.prediction
        line = Timeline(m)
        visit = {
            name: line.given(f"visit_{name}", getattr(self.visit, name),
                             reset=name in ("valid", "sample"))
            for name in self.visit.shape().members
        }  # fmt: skip
        slot = line.given("slot", Cat(self.visit.lane, self.visit.row))
        write, record = Signal(), Signal(self._record_layout)
        newest, own = self._records(m, line, visit, slot, write, record)
        windows, west = self._windows(m, line, visit, slot, newest, own)
        quantities = self._quantities(line, visit, windows, west)
        for name, value in quantities.items():
            m.d.comb += getattr(prediction, name).eq(value.now)
        if self._near:
            near = line.given("visit_near", self.near)
            m.d.comb += prediction.near.eq(near.at(self.context_latency))
        m.d.comb += [
            self.whole.eq(prediction.whole),
            self.below.eq(prediction.below),
            self.row.eq(prediction.row),
        ]
        self._complete(m, line, visit, quantities, windows, write, record)
        return m

    def _records(self, m: Module, line: Timeline, visit, slot: Timed, write, record):
        """The record three columns further right in the row above, and that of W.

        Within a group both are the latest of their rows; the first row of a group reads what the
        last one of the lane before has left in a block memory, each record at its period.
        """
        shape = record.shape()
        m.submodules.latest = memory = Memory(
            shape=shape.size, depth=1 << len(slot), init=[]
        )
        writer = memory.write_port()
        done = self.written
        m.d.comb += [
            writer.addr.eq(slot.at(done)),
            writer.data.eq(record),
            writer.en.eq(write),
        ]
        reads = []
        above_slot = Cat(visit["lane"].at(2), visit["row"].at(2) - 1)
        for address in (slot.at(2), above_slot):
            reader = memory.read_port(domain="comb")
            m.d.comb += reader.addr.eq(address[: len(slot)])
            reads.append(reader.data)
        own = line.register("own", reads[0], 2)
        place = Cat(visit["period"].at(done), visit["lane"].at(done))
        between = add_ram(
            m, "between", 1 << len(place), shape.size,
            write=write & (visit["row"].at(done) == GROUP - 1), write_address=place,
            data=record.as_value(), address=Cat(visit["above_period"].now, visit["above"].now),
            fabric=self._fabric,
        )  # fmt: skip
        above = Mux(visit["row"].at(2) == 0, between, reads[1])
        return line.register("newest", above, 2), own

    def _windows(self, m: Module, line: Timeline, visit, slot: Timed, newest: Timed, own: Timed):
        """Windows of the rows above, and W, WW, WWW, eW, eWW and EW, in clock 3.

        Those of rows above do not heed a row's first visit, after which they are only stored.
        """
        shape = self._window_layout
        stored_next = Signal(shape, reset_less=True)
        kept = add_wide_ram(
            m, "kept", 1 << len(slot), shape.size, write=visit["valid"].at(4),
            write_address=slot.at(4), data=stored_next.as_value(), address=slot.at(0),
            fabric=self._fabric,
        )  # fmt: skip
        stored = shape(line.given("stored", kept, 2).at(3))
        windows = self._shift(m, visit, self._record_layout(newest.now), stored, stored_next)
        west = self._west(visit, self._record_layout(own.now), stored, windows)
        m.d.sync += [
            stored_next.w.eq(west["W"]),
            stored_next.ww.eq(west["WW"]),
            stored_next.ew.eq(west["eW"]),
        ]
        return windows, west

    def _shift(
        self, m: Module, visit, new, stored, stored_next
    ) -> dict[str, dict[int, Value]]:
        """Windows of the rows above with what has come newly, and what is kept of them."""
        beyond, begin = visit["beyond"].at(3), visit["begin"].at(3)
        windows: dict[str, dict[int, Value]] = {}
        for name, entries in WINDOW.items():
            last = len(entries) - 2
            windows[name] = {k: stored[f"{name}_{i}"] for i, k in enumerate(entries[:-1])}
            windows[name][entries[-1]] = Mux(beyond, stored[f"{name}_{last}"], new[name])
            for i, k in enumerate(entries[1:]):
                m.d.sync += stored_next[f"{name}_{i}"].eq(Mux(begin, new[name], windows[name][k]))
        return windows

    def _middle(self, visit) -> Value:
        """What stands left of a strip's first sample."""
        return Const(1 << (self._widths.depth - 1), self._widths.depth)

    def _west(self, visit, before, stored, windows) -> dict[str, Value]:
        """What stands left in the row; ``before`` is the record of W."""
        left, top = visit["left"].at(3), visit["top"].at(3)
        edge = Mux(top, self._middle(visit), windows["n"][0])
        edge_error = Mux(top, 0, windows["en"][0])
        return {
            "W": Mux(left, edge, before.n),
            "WW": Mux(left, edge, stored.w),
            "WWW": Mux(left, edge, stored.ww),
            "eW": Mux(left, edge_error, before.en),
            "eWW": Mux(left, edge_error, stored.ew),
            "EW": Mux(left, Mux(top, 0, windows["energy"][0]), before.energy),
        }

    def _quantities(self, line: Timeline, visit, windows, west) -> dict[str, Timed]:
        """All quantities of the context; in a strip's first row those above are W's."""
        widths, top = self._widths, visit["top"].at(3)
        found = {}
        for names, shape, stand_in in (
            (SAMPLES, widths.value, "W"), (ERRORS, widths.error, "eW"),
            (ENERGIES, widths.energy, "EW"),
        ):  # fmt: skip
            for name in names:
                value = west.get(name)
                if value is None:
                    window, entry = ABOVE[name]
                    value = Mux(top, west[stand_in], windows[window][entry])
                found[name] = line.register(name, value, 3, shape)
        return found

    def _value(self, line: Timeline, quantities) -> Timed:
        """What rows below see of the sample."""
        return line.given("sample", self.sample, self.sample_clock)

    def _complete(
        self, m: Module, line: Timeline, visit, quantities, windows, write, record
    ) -> None:
        """The sample's record: its error, and its energy, which decays to the right."""
        widths = self._widths
        # Half of the greater energy above, plus that of W; with |error| twice the new one.
        further = line.register("further", windows["energy"][2], 3, widths.energy)
        east, west = quantities["ENEEE"], quantities["EW"]
        top = visit["top"].at(4)
        greater = line.register(
            "greater",
            Mux(top, west.now, Mux(further.now > east.now, further.now, east.now))[1:], 4,
        )  # fmt: skip
        base = line.register("base", greater.now + west.at(5), 5)
        at = self.sample_clock
        first = line.given("first", self.prediction.first, self.context_latency
                           + self.prediction.first_latency)  # fmt: skip
        error = line.register(
            "error", Cat(Const(0, FRACTION_BITS), self.sample) - first.at(at), at, widths.error
        )
        value = self._value(line, quantities)
        sign = error.now[-1]
        size = (error.now ^ sign.replicate(len(error)))[:-1].as_unsigned()
        energy = line.register(
            "energy", (base.at(at + 1) + size + sign)[1:], at + 1, widths.energy
        )
        done = self.written
        top = visit["top"].at(done)
        north, north_2 = quantities["N"].at(done), quantities["NN"].at(done)
        m.d.comb += [
            write.eq(visit["sample"].at(done)),
            record.n.eq(value.at(done)),
            record.nn.eq(Mux(top, value.at(done), north)),
            record.nnn.eq(Mux(top, value.at(done), north_2)),
            record.en.eq(error.at(done)),
            record.enn.eq(Mux(top, error.at(done), quantities["eN"].at(done))),
            record.energy.eq(energy.at(done)),
        ]
