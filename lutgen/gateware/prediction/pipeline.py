"""What predictions of one plane and of several have in common: ports, nears, and what they give."""

from abc import abstractmethod
from collections.abc import Mapping

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.timeline import Timed, Timeline
from .near import Near, NearTables
from .quantities import Widths
from .target import Target

__all__ = ["PredictionPipeline"]


class PredictionPipeline(wiring.Component):
    """A pipeline that predicts one sample per clock; no stall, no reset.

    It is made at once, as latencies follow from the models and are counted where they come about.

    Parameters
    ----------
    widths:
        Widths of quantities.
    given:
        Shapes of the quantities around a sample, and of what else a prediction is given, by name.
    rows:
        Rows of the token tables.
    near:
        Nears that samples may have; by default all are lossless.

    Members
    -------
    near : In(...)
        With ``near``: that of the sample's file.
    first : Out(depth + 3)
        First prediction of the sample, in 1/8, ``first_latency`` clocks later.
    whole : Out(depth)
        Nearest whole number of the corrected prediction, or nearest index, ``latency`` clocks
        later; so are these:
    below : Out(1)
        Whether the prediction is below it.
    row : Out(...)
        Row of the token tables.
    """

    def __init__(
        self, widths: Widths, given: Mapping, rows: int, near: Near | None = None
    ) -> None:
        self._widths, self._near = widths, near
        super().__init__({
            **{name: In(shape) for name, shape in given.items()},
            "first": Out(widths.prediction),
            "whole": Out(widths.sample),
            "below": Out(1),
            "row": Out(bits_for(rows - 1)),
            **({"near": In(near.bits)} if near else {}),
        })
        self._module = Module()
        #: Clocks from the quantities to ``first``, and to the others.
        self.first_latency, self.latency = self._build(self._module)

    def elaborate(self, platform) -> Module:
        return self._module

    @abstractmethod
    def _build(self, m: Module) -> tuple[int, int]:
        """Add all to ``m``; returns the latencies."""

    def _near_tables(self, m: Module, line: Timeline) -> NearTables | None:
        """What follows from the near; None if all are lossless."""
        if self._near is None:
            return None
        return NearTables(m, line, self._near, line.given("in_near", self.near))

    def _give(self, m: Module, line: Timeline, first: Timed, target: Target) -> tuple[int, int]:
        """Connect the outputs; returns the latencies."""
        end = line.ready(target.whole, target.below, target.row)
        m.d.comb += [
            self.first.eq(first.now),
            self.whole.eq(target.whole.at(end)),
            self.below.eq(target.below.at(end)),
            self.row.eq(target.row.at(end)),
        ]
        return first.clock, end
