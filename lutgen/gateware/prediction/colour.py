"""The prediction of a sample of a colour image: models of its planes in one pipeline.

It mirrors :mod:`lutgen.codec.predictive.kernel` with reference planes.  In each clock comes a
sample of any plane, so models share what takes room: differences, sums, shifters and multipliers,
whose constants the sample's model chooses.  Comparisons and LUT trees each model has of its own.

Of planes behind the first, samples and predictions are differences to the first plane, whose sample
at the place is the *level*.  It is the start of the chains of products, so what comes out of them
is the prediction of the sample itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value, unsigned
from amaranth.utils import bits_for

from lutgen.model.predictive.model import CLASS_BITS, SCALE_STEP, TABLES
from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    ERRORS,
    FRACTION_BITS,
    SAMPLES,
)
from lutgen.model.predictive.reference import LETTERS
from lutgen.model.predictive.trees import NEVER, PINS, LutTrees

from ..fabric.fabric import LUT6, Fabric
from ..fabric.timeline import Timed, Timeline
from .colour_predictor import add_first_of_planes
from .features import Comparisons
from .near import Near, NearTables
from .pipeline import PredictionPipeline
from .plane_models import PlaneModels
from .quantities import (
    ALL_ENERGIES,
    ALL_ERRORS,
    ALL_SAMPLES,
    Context,
    DifferenceWidths,
    legal,
)
from .scale import Logarithm, add_logarithm
from .surroundings import COUNTED_TERMS, add_changes, add_median, add_plain
from .target import LEAST_LOGARITHM, add_corrected, add_target
from .trees import look_up

__all__ = ["ColourPrediction", "colour_quantities"]

#: Chains of products of the scale.
_SCALE_CHAINS = 8


def colour_quantities(references: int) -> dict[str, str]:
    """Names of all quantities, with the kind of each: ``sample``, ``error`` or ``energy``."""
    letters = LETTERS[:references]
    return {
        name: kind
        for kind, names, own in (
            ("sample", ALL_SAMPLES, SAMPLES), ("error", ALL_ERRORS, ERRORS),
            ("energy", ALL_ENERGIES, ENERGIES),
        )
        for name in names if name in own or name[0] in letters
    }  # fmt: skip


class ColourPrediction(PredictionPipeline):
    """Predicts one sample per clock; no stall, no reset.

    Parameters
    ----------
    planes:
        The models.
    depth:
        Bits of a sample, 8 to 16.
    fabric:
        Whose memories to use.
    near:
        Nears that samples may have; by default all are lossless.

    Members
    -------
    number : In(...)
        Number of the sample's model.
    level : In(depth)
        What the sample is more than the value that its row holds.
    W, WW, ..., aX, ... : In(signed)
        Values of rows by the names of `lutgen.model.predictive.neighbourhood` and `.reference`.
    eW, ..., aeX, ... : In(signed)
        Errors of first predictions, in 1/8.
    EW, ..., aEX, ... : In(...)
        Energies.
    (near), first, whole, below, row
        See `.pipeline.PredictionPipeline`; rows of the token tables are those of all models, one
        after the other.
    """

    def __init__(
        self, planes: PlaneModels, depth: int, *, fabric: Fabric = LUT6, near: Near | None = None
    ) -> None:
        self._planes, self._fabric, widths = planes, fabric, DifferenceWidths(depth)
        self._kinds = colour_quantities(planes.references)
        shapes = {"sample": widths.value, "error": widths.error, "energy": widths.energy}
        given = {"number": planes.bits, "level": widths.sample}
        given |= {name: shapes[kind] for name, kind in self._kinds.items()}
        rows = sum(len(model.cumulative) for model in planes.models)
        super().__init__(widths, given, rows, near)

    def _build(self, m: Module) -> tuple[int, int]:
        planes, line = self._planes, Timeline(m)
        number = line.given("number", self.number)
        level = line.given("level", self.level)
        context = Context(line, self._widths, {
            name: line.given(f"in_{name}", getattr(self, name)) for name in self._kinds
        })  # fmt: skip
        features = planes.features
        context.plan_sums([COUNTED_TERMS, *(
            features[k].terms for k in planes.questions if features[k].absolute
        )])  # fmt: skip
        add_median(context)
        changes = add_changes(context)
        near = self._near_tables(m, line)
        plain = add_plain(context, changes, near)
        logarithm = _add_scale(context, planes, number)
        comparisons = Comparisons(
            context, features, planes.questions, planes.early_questions, logarithm, changes
        )
        first = add_first_of_planes(
            m, context, planes, number, level, comparisons, plain, self._fabric
        )
        difference = line.register(
            "first_difference",
            first.now - Cat(Const(0, FRACTION_BITS), level.at(first.clock)), first.clock,
        )  # fmt: skip
        context.add_prediction(difference, first)
        correction = _add_tree_sum(line, "corrections", planes, number, comparisons)
        scales = _add_tree_sum(line, "scales", planes, number, comparisons)
        corrected = add_corrected(context, correction, logarithm, plain)
        row = _add_row(context, scales, logarithm, planes, number, near)
        target = add_target(context, corrected, row, plain, near)
        return self._give(m, line, first, target)


def _add_scale(context: Context, planes: PlaneModels, number: Timed) -> Logarithm:
    """Add S and its logarithm: each term has a multiplier, whose weight is the model's."""
    line = context.timeline
    scales = [model.scale for model in planes.models]
    texts = [
        text for text in dict.fromkeys(t for scale in scales for t in scale.weights)
        if any(scale.weights.get(text, 0) for scale in scales)
    ]  # fmt: skip
    most = max(
        scale.least + sum(w * context.widths.most(text) for text, w in scale.weights.items())
        for scale in scales
    )
    terms = sorted(
        ((context.size(text), f"weight_of_{legal(text)}",
          [s.weights.get(text, 0) << context.zeros(text) for s in scales]) for text in texts),
        key=lambda term: term[0].clock,
    )  # fmt: skip
    # All chains begin with a share of the least scale, as those of the first prediction do.
    count = max(1, min(_SCALE_CHAINS, len(terms)))
    least = planes.of(number, [scale.least - (count - 1) for scale in scales], 0)
    starts = [
        line.register("least", least, 0),
        *(line.given(f"s_start{k}", Const(1)) for k in range(1, count)),
    ]
    parts = [
        _chain(line, f"s_chain{k}", terms[k::_SCALE_CHAINS], number, start)
        for k, start in enumerate(starts)
    ]
    return add_logarithm(line, line.sum("scale", parts), bits_for(most))


def _chain(
    line: Timeline, name: str, terms: Sequence[tuple[Timed, str, Sequence[int]]], number: Timed,
    start: Timed,
) -> Timed:  # fmt: skip
    """Products of values and the model's weights, in multipliers with an adder behind each.

    Weights have names, by which `lutgen.sim` finds them in the Verilog.
    """
    total = start
    for k, (value, weight_name, weights) in enumerate(terms):
        clock = max(value.clock, total.clock - 1)
        factor = line.register(f"{name}_factor{k}", value.at(clock), clock)
        weight = line.register(
            weight_name, PlaneModels.of(number, list(weights), clock), clock
        )
        total = line.register(
            f"{name}_{k}", factor.now * weight.now + total.at(factor.clock), factor.clock
        )
    return total


@dataclass(frozen=True)
class _Tree:
    """A LUT tree: its numbers, what they are chosen by, and its place in its network; or no tree,
    but a single number."""

    values: Sequence[int]
    pins: Sequence[Timed | None]
    place: int | None = None

    @property
    def clock(self) -> int:
        """When all answers are there."""
        return max((pin.clock for pin in self.pins if pin is not None), default=0)

    def number(self, clock: int) -> Value:
        """Its number."""
        shape = Shape.cast(range(min(self.values), max(self.values) + 1))
        address = Cat(Const(0, 1) if pin is None else pin.at(clock) for pin in self.pins)
        number = look_up(self.values, shape.width, address)
        return number.as_signed() if shape.signed else number


def _trees(
    planes: PlaneModels, model: int, trees: LutTrees, comparisons: Comparisons
) -> list[_Tree]:
    """Trees of a network whose numbers are not all the same, those that come early first.

    All but the last have the least of their numbers subtracted, see `.trees`; it has the rest.
    """
    least = trees.values.min(axis=1).astype(int)
    found = []
    for tree in np.flatnonzero(trees.values.max(axis=1) > least).tolist():
        pins = [
            None if threshold == NEVER
            else comparisons.above(planes.number(model, int(feature)), int(threshold))
            for feature, threshold in zip(trees.feature[tree], trees.threshold[tree], strict=True)
        ]
        found.append(_Tree((trees.values[tree] - least[tree]).tolist(), pins, tree))
    found.sort(key=lambda tree: tree.clock)
    if not found:
        return [_Tree([int(least.sum())] * 64, [None] * PINS)]
    last = found[-1]
    found[-1] = replace(last, values=[int(least.sum()) + value for value in last.values])
    return found


def _add_tree_sum(
    line: Timeline, name: str, planes: PlaneModels, number: Timed, comparisons: Comparisons
) -> Timed:
    """Add the trees of a network of all models, and the sum of those of the sample's model.

    A register holds one of several trees, one of each model: so there is one sum for all.  Its name
    has their places, by which `lutgen.sim` finds them in the Verilog.
    """
    of_models = [
        _trees(planes, k, getattr(model, name), comparisons)
        for k, model in enumerate(planes.models)
    ]
    for trees in of_models:  # the last ones, which have the rest, together
        while len(trees) < max(map(len, of_models)):
            trees.insert(0, _Tree([0] * (1 << PINS), [None] * PINS))
    found = []
    for k, shared in enumerate(zip(*of_models, strict=True)):
        clock = max(tree.clock for tree in shared)
        chosen = planes.of(number, [tree.number(clock) for tree in shared], clock)
        places = "_".join("none" if tree.place is None else str(tree.place) for tree in shared)
        found.append(line.register(f"{name}_{k}_of_{places}", chosen, clock))
    return line.sum(name, found)


def _add_row(
    context: Context, scales: Timed, logarithm: Logarithm, planes: PlaneModels, number: Timed,
    near: NearTables | None = None,
) -> Timed:  # fmt: skip
    """First of the three rows of a class, see `.target.add_row`, behind those of other models."""
    line, models = context.timeline, planes.models
    clock = line.ready(scales, logarithm.shift, logarithm.mantissa)
    constants = [SCALE_STEP * LEAST_LOGARITHM - model.origin for model in models]
    early = clock - (2 if near else 1)
    constant = line.register("origin", planes.of(number, constants, early), early)
    if near:
        offset = near.less_offset(0, clock - 1)
        constant = line.register("near_origin", constant.now + offset.now, clock - 1)
    level = Cat(Const(0, bits_for(SCALE_STEP) - 1), logarithm.above_least(clock))
    total = line.register("spread", scales.at(clock) + level + constant.now, clock)
    clock = total.clock
    value = total.now >> CLASS_BITS
    last = line.register(
        "last_class", planes.of(number, [model.classes - 1 for model in models], clock - 1),
        clock - 1,
    )  # fmt: skip
    kept = Mux(value < 0, 0, Mux(value > last.now, last.now, value[: len(last)]))[: len(last)]
    chosen = line.register("class", kept, clock)
    clock = chosen.clock
    starts = np.cumsum([0, *(len(model.cumulative) for model in models)]).tolist()
    start = line.register(
        "first_row", planes.of(number, starts[:-1], clock - 1), clock - 1
    )
    return line.register(
        "class_row", chosen.now * TABLES + start.now, clock, unsigned(bits_for(starts[-1] - 1))
    )
