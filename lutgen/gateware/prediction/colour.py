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
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.predictive.model import CLASS_BITS, SCALE_STEP, TABLES
from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    ERRORS,
    FRACTION_BITS,
    MEDIAN,
    SAMPLES,
    TAPS,
)
from lutgen.model.predictive.predictor import COEFFICIENT_BITS
from lutgen.model.predictive.reference import LETTERS, LEVELS_OF_ONE, REFERENCE_TAPS
from lutgen.model.predictive.trees import NEVER, PINS, LutTrees

from ..fabric.blockmem import add_rom
from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import clamped
from ..fabric.timeline import Timed, Timeline
from .features import Comparisons
from .leaves import Branch, Numbers, add_leaf_bits, leaf_addresses, leaf_at
from .plane_models import PlaneModels
from .predictor import COEFFICIENT_WIDTH, ROM_LATENCY
from .quantities import ALL_ENERGIES, ALL_ERRORS, ALL_SAMPLES, Context, DifferenceWidths
from .scale import Logarithm, add_logarithm
from .surroundings import COUNTED_TERMS, add_changes, add_median, add_plain
from .target import LEAST_LOGARITHM, add_corrected, add_target
from .trees import look_up

__all__ = [
    "ColourPrediction", "coefficient_words", "colour_quantities", "plane_addresses", "plane_steps",
]  # fmt: skip

#: Chains of products of the scale, and of the prediction.
_SCALE_CHAINS = 8
_CHAINS = 8
#: Bits of a coefficients' address: block memories have so many rows of the words that are read.
_ADDRESS_BITS = 9


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


class ColourPrediction(wiring.Component):
    """Predicts one sample per clock; no stall, no reset.

    Parameters
    ----------
    planes:
        The models.
    depth:
        Bits of a sample, 8 to 16.
    fabric:
        Whose memories to use.

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
    first : Out(depth + 3)
        First prediction of the sample, in 1/8, ``first_latency`` clocks later.
    whole : Out(depth)
        Nearest whole number of the corrected prediction, ``latency`` clocks later; so are these:
    below : Out(1)
        Whether the prediction is below it.
    row : Out(...)
        Row of the token tables, those of all models one after the other.
    """

    def __init__(self, planes: PlaneModels, depth: int, *, fabric: Fabric = LUT6) -> None:
        self._planes = planes
        self._widths = widths = DifferenceWidths(depth)
        self._fabric = fabric
        self._kinds = colour_quantities(planes.references)
        shapes = {"sample": widths.value, "error": widths.error, "energy": widths.energy}
        rows = sum(len(model.cumulative) for model in planes.models)
        super().__init__({
            "number": In(planes.bits),
            "level": In(widths.sample),
            **{name: In(shapes[kind]) for name, kind in self._kinds.items()},
            "first": Out(widths.prediction),
            "whole": Out(widths.sample),
            "below": Out(1),
            "row": Out(bits_for(rows - 1)),
        })
        # Made at once, as latencies follow from the models and are counted where they come about.
        self._module = Module()
        #: Clocks from the quantities to ``first``, and to the others.
        self.first_latency, self.latency = self._build(self._module)

    def elaborate(self, platform) -> Module:
        return self._module

    def _build(self, m: Module) -> tuple[int, int]:
        """Add all to ``m``; returns the latencies."""
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
        plain = add_plain(context, changes)
        logarithm = _add_scale(context, planes, number)
        comparisons = Comparisons(
            context, features, planes.questions, planes.early_questions, logarithm, changes
        )
        first = _add_first_prediction(
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
        row = _add_row(context, scales, logarithm, planes, number)
        target = add_target(context, corrected, row, plain)
        end = line.ready(target.whole, target.below, target.row)
        m.d.comb += [
            self.first.eq(first.now),
            self.whole.eq(target.whole.at(end)),
            self.below.eq(target.below.at(end)),
            self.row.eq(target.row.at(end)),
        ]
        return first.clock, end


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
        ((context.size(text), [s.weights.get(text, 0) << context.zeros(text) for s in scales])
         for text in texts),
        key=lambda term: term[0].clock,
    )  # fmt: skip
    parts = []
    for k in range(min(_SCALE_CHAINS, len(terms))):
        least = [scale.least for scale in scales]
        start = line.register("least", planes.of(number, least, 0), 0) if k == 0 else None
        parts.append(_chain(line, f"s_chain{k}", terms[k::_SCALE_CHAINS], number, start))
    return add_logarithm(line, line.sum("scale", parts), bits_for(most))


def _chain(
    line: Timeline, name: str, terms: Sequence[tuple[Timed, Sequence[int]]], number: Timed,
    start: Timed | None,
) -> Timed:  # fmt: skip
    """Products of values and the model's weights, in multipliers with an adder behind each."""
    total = start
    for k, (value, weights) in enumerate(terms):
        clock = value.clock if total is None else max(value.clock, total.clock - 1)
        factor = line.register(f"{name}_factor{k}", value.at(clock), clock)
        weight = line.register(
            f"{name}_weight{k}", PlaneModels.of(number, list(weights), clock), clock
        )
        product = factor.now * weight.now
        if total is not None:
            product = product + total.at(factor.clock)
        total = line.register(f"{name}_{k}", product, factor.clock)
    return total


@dataclass(frozen=True)
class _Chain:
    """Products that are added one after the other, the first one in clock ``step``."""

    step: int
    taps: Sequence[str]


def _chains(references: int) -> tuple[list[_Chain], _Chain]:
    """Chains of taps that are samples, and that of errors, which have a fraction.

    The latter ends with the last samples.
    """
    count = len(REFERENCE_TAPS) // len(LETTERS)
    others = REFERENCE_TAPS[: references * count]
    levels = [name for k, name in enumerate(others) if k % count < LEVELS_OF_ONE]
    samples = [*TAPS, *levels]
    errors = [name for name in others if name not in levels]
    steps = -(-len(samples) // _CHAINS)
    return (
        [_Chain(0, samples[k::_CHAINS]) for k in range(_CHAINS)],
        _Chain(steps - len(errors), errors),
    )


def _steps(chains: Sequence[_Chain]) -> list[dict[int, str]]:
    """Taps whose coefficients are read together, by the number of the chain, clock by clock."""
    last = max(chain.step + len(chain.taps) for chain in chains)
    return [
        {
            k: chain.taps[step - chain.step] for k, chain in enumerate(chains)
            if chain.step <= step < chain.step + len(chain.taps)
        }
        for step in range(last)
    ]  # fmt: skip


def plane_steps(planes: PlaneModels) -> list[list[str]]:
    """Taps of each coefficients' memory."""
    samples, errors = _chains(planes.references)
    return [[*taken.values()] for taken in _steps([*samples, errors])]


def plane_addresses(planes: PlaneModels) -> tuple[list[Branch | Numbers], int]:
    """Addresses of the leaves of each model, and the bits of one."""
    most = max(model.predictor.leaves for model in planes.models)
    bits = max(_ADDRESS_BITS - planes.bits, bits_for(most - 1))
    addresses = [leaf_addresses(model.predictor, bits) for model in planes.models]
    return addresses, max(1, *(part.bits for part in addresses))


def _tap_number(name: str) -> int:
    """Column of a tap in a model's coefficients."""
    return TAPS.index(name) if name in TAPS else len(TAPS) + REFERENCE_TAPS.index(name)


def coefficient_words(
    planes: PlaneModels, addresses: Sequence[Branch | Numbers], bits: int, taps: Sequence[str]
) -> list[int]:  # fmt: skip
    """Words of a coefficients' memory: some taps' of each model, each of ``2 ** bits`` addresses.

    The first tap is lowest; a model without such a tap has 0.
    """
    mask = (1 << COEFFICIENT_WIDTH) - 1
    words = []
    for model, part in zip(planes.models, addresses, strict=True):
        table = model.predictor.coefficients
        columns = [n if (n := _tap_number(name)) < table.shape[1] else None for name in taps]
        of_leaf = [
            sum((int(row[n]) & mask) << (COEFFICIENT_WIDTH * k)
                for k, n in enumerate(columns) if n is not None)
            for row in table
        ]  # fmt: skip
        words += [
            of_leaf[leaf_at(part, address & ((1 << part.bits) - 1))] for address in range(1 << bits)
        ]
    return words


def _add_first_prediction(
    m: Module, context: Context, planes: PlaneModels, number: Timed, level: Timed,
    comparisons: Comparisons, plain: Timed, fabric: Fabric,
) -> Timed:  # fmt: skip
    """Add the trees, the coefficients' memories and the sum of products; returns P of the sample.

    Coefficients of all models share memories; see `.predictor.add_first_prediction`.
    """
    line = context.timeline
    leaf, addresses = _add_leaf(line, planes, number, comparisons)
    samples, errors = _chains(planes.references)
    chains = [*samples, errors]
    totals: list[Timed | None] = [None] * len(chains)
    for step, taken in enumerate(_steps(chains)):
        clock = leaf.clock + step
        words = coefficient_words(planes, addresses, len(leaf), [*taken.values()])
        (word,) = add_rom(
            m, f"coefficients_{step}", words, COEFFICIENT_WIDTH * len(taken),
            [Cat(leaf.at(clock), number.at(clock))], fabric,
        )  # fmt: skip
        clock += ROM_LATENCY
        for n, (k, name) in enumerate(taken.items()):
            factor = line.register(f"coefficient_{name}", word.word_select(n, COEFFICIENT_WIDTH),
                                   clock, signed(COEFFICIENT_WIDTH))  # fmt: skip
            tap = line.register(f"tap_{name}", context.quantities[name].at(clock), clock)
            before = totals[k]
            if before is not None:
                start = before.now
            elif chains[k] is errors:  # half of 1/8, in 1/1024
                start = Const(1 << (COEFFICIENT_BITS - 1))
            else:  # the level, in 1/128
                level_of_tap = Cat(Const(0, COEFFICIENT_BITS), level.at(factor.clock))
                start = Const(0) if k else level_of_tap
            totals[k] = line.register(f"chain_{name}", factor.now * tap.now + start, factor.clock)
    # What errors have below 1/128 does not matter, as it is less than one of the sum.
    rest = line.given("weighted_errors", totals[-1].now[FRACTION_BITS:].as_signed(),
                      totals[-1].clock)  # fmt: skip
    value = line.sum("weighted", [*totals[:-1], rest])
    return _add_rounded(context, value, level, plain)


def _add_leaf(
    line: Timeline, planes: PlaneModels, number: Timed, comparisons: Comparisons
) -> tuple[Timed, list[Branch | Numbers]]:
    """Address of the leaf that the sample's model chooses; and addresses of all models' leaves."""
    addresses, bits = plane_addresses(planes)
    found = []
    for k, (model, part) in enumerate(zip(planes.models, addresses, strict=True)):
        predictor = model.predictor
        answers = [
            comparisons.above(planes.number(k, int(feature)), int(threshold))
            for feature, threshold in zip(predictor.feature, predictor.threshold, strict=True)
        ]
        found.append(
            add_leaf_bits(line, part, answers, f"leaf_{k}") if answers
            else line.given(f"leaf_{k}", Const(0, 1))
        )  # fmt: skip
    clock = line.ready(*found)
    chosen = planes.of(number, [leaf.at(clock) for leaf in found], clock)
    return line.register("leaf", chosen, clock, bits), addresses


def _add_rounded(context: Context, value: Timed, level: Timed, plain: Timed) -> Timed:
    """The sum of products, level included, as a prediction; where all is plain, the median."""
    line, widths = context.timeline, context.widths
    median = context.quantities[MEDIAN]
    raised = line.register("raised", median.now + level.at(median.clock), median.clock)
    flat = line.register("flat", clamped(raised.now, widths.greatest), raised.clock)
    clock = value.clock
    rounded = value.now[COEFFICIENT_BITS - FRACTION_BITS :].as_signed()
    top = widths.greatest << FRACTION_BITS
    return line.register(
        "first", Mux(
            plain.at(clock), Cat(Const(0, FRACTION_BITS), flat.at(clock)), clamped(rounded, top)
        ), clock, widths.prediction,
    )  # fmt: skip


@dataclass(frozen=True)
class _Tree:
    """A LUT tree: its numbers, and what they are chosen by."""

    values: Sequence[int]
    pins: Sequence[Timed | None]

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
        found.append(_Tree((trees.values[tree] - least[tree]).tolist(), pins))
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

    A register holds one of several trees, one of each model: so there is one sum for all.
    """
    of_models = [
        _trees(planes, k, getattr(model, name), comparisons)
        for k, model in enumerate(planes.models)
    ]
    for trees in of_models:  # the last ones, which have the rest, together
        while len(trees) < max(map(len, of_models)):
            trees.insert(0, _Tree([0] * (1 << PINS), [None] * PINS))
    found = []
    for k, trees in enumerate(zip(*of_models, strict=True)):
        clock = max(tree.clock for tree in trees)
        chosen = planes.of(number, [tree.number(clock) for tree in trees], clock)
        found.append(line.register(f"{name}_{k}", chosen, clock))
    return line.sum(name, found)


def _add_row(
    context: Context, scales: Timed, logarithm: Logarithm, planes: PlaneModels, number: Timed
) -> Timed:
    """First of the three rows of a class, see `.target.add_row`, behind those of other models."""
    line, models = context.timeline, planes.models
    clock = line.ready(scales, logarithm.shift, logarithm.mantissa)
    constants = [SCALE_STEP * LEAST_LOGARITHM - model.origin for model in models]
    constant = line.register("origin", planes.of(number, constants, clock - 1), clock - 1)
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
