"""The prediction of a sample: from the quantities around it to the row of its token tables.

It mirrors :mod:`lutgen.codec.predictive.kernel`.
"""

from amaranth.hdl import Module

from lutgen.model.predictive.model import TABLES, PredictiveModel
from lutgen.model.predictive.neighbourhood import ENERGIES, ERRORS, SAMPLES

from ..fabric.fabric import LUT6, Fabric
from ..fabric.timeline import Timeline
from .features import Comparisons, early_questions, questions
from .near import Near
from .pipeline import PredictionPipeline
from .predictor import add_first_prediction
from .quantities import Context, Widths
from .scale import add_scale
from .surroundings import COUNTED_TERMS, add_changes, add_median, add_plain
from .target import add_corrected, add_row, add_target
from .trees import add_tree_sum

__all__ = ["Prediction"]


class Prediction(PredictionPipeline):
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
    (near), first, whole, below, row
        See `PredictionPipeline`.
    """

    def __init__(
        self, model: PredictiveModel, depth: int, *, fabric: Fabric = LUT6,
        near: Near | None = None,
    ) -> None:  # fmt: skip
        self._model, self._fabric, widths = model, fabric, Widths(depth)
        given = {
            **dict.fromkeys(SAMPLES, widths.sample), **dict.fromkeys(ERRORS, widths.error),
            **dict.fromkeys(ENERGIES, widths.energy),
        }  # fmt: skip
        super().__init__(widths, given, TABLES * model.classes, near)

    def _build(self, m: Module) -> tuple[int, int]:
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
        near = self._near_tables(m, line)
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
        return self._give(m, line, first, target)
