"""Slab cutter: from a raster of several pixels a beat to the beats of slabs."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.several import beat_layout
from ..predictive.config import PredictiveConfig
from ..predictive.picture_in import PICTURE_EVENTS, tell_events
from ..strips.slabs import slab_steps, step_begins
from .layouts import part_layout, picture_layout

__all__ = ["SlabCutter", "slab_events"]


def slab_events(config: PredictiveConfig) -> dict:
    """Ports of what a `SlabCutter` tells of pictures."""
    return {**dict.fromkeys(PICTURE_EVENTS, Out(1)), "pixel_taken": Out(bits_for(config.cores))}


class SlabCutter(wiring.Component):
    """Shares the beats of each row out to the slabs.

    One beat per clock, and seven clocks between pictures; latency of one clock.  A line begins with
    a beat of its own, so that its last beat may be filled in part; what is behind the line's last
    pixel there is ignored.  Geometry is counted, as `lutgen.gateware.predictive.picture_in` does:
    a beat without ``sof`` where a picture should begin is dropped, a marker in a wrong place is
    reported and otherwise ignored.  The size, near and order are sampled when a picture begins, and
    must have been stable for two clocks; impossible ones are reported and the first beat dropped.
    Reset forgets the picture.

    Parameters
    ----------
    config:
        The cores.
    events:
        Whether to tell what happens to pictures.

    Members
    -------
    beats : In(stream of `lutgen.gateware.core.several.beat_layout`)
        Raster.
    width, height, (near), (order) : In(...)
        Of the next picture.
    room : In(1)
        All queues have room for three more beats, and for a picture.
    begins, picture : Out(1), Out(`.layouts.picture_layout`)
        Pulse: a picture begins.
    write, part : Out(slabs), Out(`.layouts.part_layout`)
        A beat for the slab whose bit is set.
    bad_marker, bad_size : Out(1)
        Pulses.
    busy : Out(1)
        A picture is incomplete.
    (`lutgen.gateware.predictive.picture_in.PICTURE_EVENTS`) : Out(...)
        With ``events``, as those of a `PictureIn`, but that ``pixel_taken`` is how many a beat has,
        and ``sof_late`` is told of each beat that is dropped.
    """

    #: Clocks in which the slabs' beats are counted.
    _SETTLING = 4

    def __init__(self, config: PredictiveConfig, *, events: bool = False) -> None:
        self._config, self._events = config, events
        picture = picture_layout(config)
        super().__init__({
            "beats": In(stream.Signature(beat_layout(config.cores, config.pixel_bits))),
            **{name: In(bits) for name, bits in picture.members.items()},
            "room": In(1),
            "begins": Out(1),
            "picture": Out(picture),
            "write": Out(config.cores),
            "part": Out(part_layout(config)),
            "bad_marker": Out(1),
            "bad_size": Out(1),
            "busy": Out(1),
            **(slab_events(config) if events else {}),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c, slabs, beat = self._config, self._config.cores, self.beats.payload
        good = Signal()  # the size that is offered
        fits = (
            (slab_steps(c.planes.columns(self.width), slabs) >= slabs)
            & (self.width <= c.max_width) & (self.height != 0) & (self.height <= c.max_height)
        )  # fmt: skip
        if c.planes.mosaic:
            fits &= ~(self.width[0] | self.height[0])
        if c.max_near:
            fits &= self.near <= c.max_near
        if c.max_order:
            fits &= self.order <= c.max_order
        m.d.sync += good.eq(fits)

        picture = self.picture
        counts, rest = self._counts(m)
        turn, at = Signal(slabs, init=1), Signal(range(slabs))
        left = Signal.like(counts[0])  # beats of this part behind this one
        ends = Signal()  # none
        rows = Signal(bits_for(c.max_height))  # rows behind this one
        # A clock late, as a row has two beats at least.
        last_row, first = Signal(), Signal()
        settling = Signal(range(self._SETTLING + 1))
        take, starts = Signal(), Signal()
        row_ends = ends & turn[-1]
        m.d.sync += [self.begins.eq(0), self.write.eq(0), last_row.eq(rows == 0)]
        with m.FSM(name="raster") as fsm:
            with m.State("compare"):  # the size, which registers of this clock will know
                m.next = "begin"
            with m.State("begin"):
                with m.If(self.beats.valid & ~(beat.sof & good)):
                    m.d.comb += self.beats.ready.eq(1)
                    m.d.sync += [
                        self.bad_marker.eq(~beat.sof), self.bad_size.eq(beat.sof & ~good),
                    ]  # fmt: skip
                with m.Elif(self.beats.valid & self.room):
                    m.d.comb += starts.eq(1)
                    m.next = "settle"
            with m.State("settle"):
                m.d.sync += settling.eq(settling + 1)
                with m.If(settling == self._SETTLING):
                    m.d.sync += [
                        settling.eq(0), left.eq(counts[0]), ends.eq(counts[0] == 0),
                        rows.eq(picture.height - 1), first.eq(1),
                    ]  # fmt: skip
                    m.next = "take"
            with m.State("take"):
                m.d.comb += [
                    self.beats.ready.eq(self.room), take.eq(self.beats.valid & self.room),
                ]
                with m.If(take):
                    m.d.sync += [
                        self.bad_marker.eq((beat.eol != row_ends) | (beat.sof != first)),
                        first.eq(0), left.eq(left - 1), ends.eq(left == 1),
                    ]  # fmt: skip
                    with m.If(ends):
                        following = Array(counts[1:] + counts[:1])[at]
                        m.d.sync += [
                            turn.eq(turn.rotate_left(1)), at.eq(at + 1), left.eq(following),
                            ends.eq(following == 0),
                        ]  # fmt: skip
                    with m.If(row_ends):
                        m.d.sync += rows.eq(rows - 1)
                        with m.If(last_row):
                            m.next = "compare"
        with m.If(starts):
            m.d.sync += [
                self.begins.eq(1),
                *(getattr(picture, name).eq(getattr(self, name))
                  for name in picture.shape().members),
            ]  # fmt: skip
        with m.If(~(self.beats.valid & self.beats.ready)):
            m.d.sync += [self.bad_marker.eq(0), self.bad_size.eq(0)]
        with m.If(take):
            m.d.sync += [self.bad_size.eq(0), self.write.eq(turn)]
        last = Mux(row_ends, rest, slabs - 1)
        self._write(m, last, ends)
        if self._events:
            tell_events(
                m, self, beat, starts=starts, taken=take, first=first, at_right=row_ends,
                dropped=self.beats.valid & self.beats.ready & ~take,
                ends=take & row_ends & last_row,
            )
            m.d.sync += self.pixel_taken.eq(Mux(take, last + 1, 0))
        m.d.sync += self.busy.eq(~(fsm.ongoing("compare") | fsm.ongoing("begin")) | starts)
        return m

    def _write(self, m: Module, last, ends) -> None:
        """The beat that is written, and the number of its last pixel."""
        c, beat = self._config, self.beats.payload
        size, used = c.pixel_bits, c.packed_bits
        m.d.sync += [
            self.part.top.eq(last), self.part.eol.eq(ends),
            *(
                self.part.data.word_select(k, used).eq(beat.data[size * k : size * k + used])
                for k in range(c.cores)
            ),
        ]  # fmt: skip

    def _counts(self, m: Module) -> tuple[list[Signal], Signal]:
        """Beats of each slab's part of a row but one, and pixels of a row's last beat but one."""
        c, slabs, width = self._config, self._config.cores, self.picture.width
        bits = bits_for(-(-c.max_width // slabs))
        bounds = [Signal(bits, name=f"bound{k}", reset_less=True) for k in range(slabs + 1)]
        counts = [Signal(bits, name=f"count{k}", reset_less=True) for k in range(slabs)]
        # A step is one beat, or two of a colour filter array; the last one may be within a step.
        steps = slab_steps(c.planes.columns(width), slabs)
        m.d.sync += [
            bound.eq(step_begins(steps, k, slabs) << (c.planes.square - 1))
            for k, bound in enumerate(bounds[:-1])
        ]
        m.d.sync += bounds[-1].eq(slab_steps(width, slabs))
        m.d.sync += [count.eq(bounds[k + 1] - bounds[k] - 1) for k, count in enumerate(counts)]
        rest = Signal(range(slabs), reset_less=True)
        m.d.sync += rest.eq(width - 1)
        return counts, rest
