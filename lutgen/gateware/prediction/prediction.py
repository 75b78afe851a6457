"""The prediction of a sample: from the quantities around it to the row of its token tables.

It mirrors :mod:`lutgen.codec.predictive.kernel`.
"""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.predictive.model import TABLES, PredictiveModel
from lutgen.model.predictive.neighbourhood import ENERGIES, ERRORS, SAMPLES

from ..fabric.fabric import LUT6, Fabric
from ..fabric.timeline import Timeline
from .features import Comparisons, early_questions, questions
from .near import Near, NearTables
from .predictor import add_first_prediction
from .quantities import Context, Widths
from .scale import add_scale
from .surroundings import COUNTED_TERMS, add_changes, add_median, add_plain
from .target import add_corrected, add_row, add_target
from .trees import add_tree_sum

__all__ = ["Prediction"]


class Prediction(wiring.Component):
    """Predicts one sample per clock; no stall, no reset.

    Parameters
    ----------
    model:
        The codec model.
    depth:
        Bits of a sample, 8 to 16.
    fabric:
        Whose memories to use.
    near:
        Nears that samples may have; by default all are lossless.

    Members
    -------
    W, WW, ... : In(depth)
        Samples by the names of `lutgen.model.predictive.neighbourhood`.
    eW, ... : In(signed)
        Errors of first predictions, in 1/8.
    EW, ... : In(...)
        Energies.
    near : In(...)
        With ``near``: that of the sample's file.
    first : Out(depth + 3)
        First prediction, in 1/8, ``first_latency`` clocks later.
    whole : Out(depth)
        Nearest whole number of the corrected prediction, or nearest index, ``latency`` clocks
        later; so are these:
    below : Out(1)
        Whether the prediction is below it.
    row : Out(...)
        Row of the token tables.
    """

    def __init__(
        self, model: PredictiveModel, depth: int, *, fabric: Fabric = LUT6,
        near: Near | None = None,
    ) -> None:  # fmt: skip
        self._model, self._near = model, near
        self._widths = widths = Widths(depth)
        self._fabric = fabric
        super().__init__({
            **{name: In(widths.sample) for name in SAMPLES},
            **{name: In(widths.error) for name in ERRORS},
            **{name: In(widths.energy) for name in ENERGIES},
            "first": Out(widths.prediction),
            "whole": Out(widths.sample),
            "below": Out(1),
            "row": Out(bits_for(TABLES * model.classes - 1)),
            **({"near": In(near.bits)} if near else {}),
        })
        # Made at once, as latencies follow from the model and are counted where they come about.
        self._module = Module()
        #: Clocks from the quantities to ``first``, and to the others.
        self.first_latency, self.latency = self._build(self._module)

    def elaborate(self, platform) -> Module:
        return self._module

    def _build(self, m: Module) -> tuple[int, int]:
        """Add all to ``m``; returns the latencies."""
        model, line = self._model, Timeline(m)
        context = Context(line, self._widths, {
            name: line.given(f"in_{name}", getattr(self, name))
            for name in (*SAMPLES, *ERRORS, *ENERGIES)
        })  # fmt: skip
        context.plan_sums([COUNTED_TERMS, *(
            model.features[k].terms for k in questions(model) if model.features[k].absolute
        )])  # fmt: skip
        add_median(context)
        changes = add_changes(context)
        near = None
        if self._near:
            near = NearTables(m, line, self._near, line.given("in_near", self.near))
        plain = add_plain(context, changes, near)
        logarithm = add_scale(context, model.scale)
        comparisons = Comparisons(
            context, model.features, questions(model), early_questions(model), logarithm, changes
        )
        first = add_first_prediction(
            m, context, model.predictor, comparisons, plain, self._fabric
        )
        context.add_prediction(first)
        correction = add_tree_sum(line, "correction", model.corrections, comparisons)
        scales = add_tree_sum(line, "scales", model.scales, comparisons)
        corrected = add_corrected(context, correction, logarithm, plain)
        row = add_row(context, scales, logarithm, model.origin, model.classes, near)
        target = add_target(context, corrected, row, plain, near)
        end = line.ready(target.whole, target.below, target.row)
        m.d.comb += [
            self.first.eq(first.now),
            self.whole.eq(target.whole.at(end)),
            self.below.eq(target.below.at(end)),
            self.row.eq(target.row.at(end)),
        ]
        return first.clock, end
