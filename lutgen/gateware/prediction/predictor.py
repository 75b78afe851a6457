"""The first prediction: a tree chooses a row of coefficients, which weigh samples.

See :mod:`lutgen.model.predictive.predictor`.
"""

from collections.abc import Iterator

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from lutgen.model.predictive.neighbourhood import FRACTION_BITS, MEDIAN, TAPS
from lutgen.model.predictive.predictor import COEFFICIENT_BITS, Predictor

from ..fabric.blockmem import add_rom
from ..fabric.fabric import Fabric
from ..fabric.pipeline import clamped, one_hot_select
from ..fabric.timeline import Timed
from .features import Comparisons
from .quantities import Context

__all__ = ["add_first_prediction", "coefficient_words"]

#: Bits of a coefficient, -255 to 255.
_WIDTH = 9
_ROM_LATENCY = 2


def coefficient_words(predictor: Predictor) -> list[int]:
    """Words of the coefficient memory, one for each leaf, the first tap lowest."""
    mask = (1 << _WIDTH) - 1
    return [
        sum((int(c) & mask) << (_WIDTH * k) for k, c in enumerate(row))
        for row in predictor.coefficients
    ]


def _paths(predictor: Predictor) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
    """Each leaf with its nodes, and whether their features are above the threshold."""
    todo = [(0, [])]
    while todo:
        node, path = todo.pop()
        if node < 0:
            yield -1 - node, path
            continue
        for side in (0, 1):
            todo.append((int(predictor.child[node, side]), [*path, (node, bool(side))]))


def _add_leaf(context: Context, predictor: Predictor, comparisons: Comparisons) -> Timed:
    """Number of the leaf: one line for each leaf, then their numbers' bits."""
    line = context.timeline
    answers = [
        comparisons.above(int(feature), int(threshold))
        for feature, threshold in zip(predictor.feature, predictor.threshold, strict=True)
    ]
    clock = line.ready(*answers)
    lines: list[Value] = [Const(0)] * predictor.leaves
    for leaf, path in _paths(predictor):
        lines[leaf] = Cat(
            answers[node].at(clock) if above else ~answers[node].at(clock) for node, above in path
        ).all()
    chosen = line.register("leaves", Cat(lines), clock)
    number = one_hot_select(range(predictor.leaves), chosen.now)
    return line.register("leaf", number, chosen.clock)


def add_first_prediction(
    m: Module, context: Context, predictor: Predictor, comparisons: Comparisons, plain: Timed,
    fabric: Fabric,
) -> Timed:  # fmt: skip
    """Add the tree, the coefficients' memory and the sum of products; returns P, in 1/8.

    Where surroundings are plain P is the median.
    """
    line, widths = context.timeline, context.widths
    words = coefficient_words(predictor)
    clock = 0
    leaf = Const(0, 1)
    if predictor.leaves > 1:
        chosen = _add_leaf(context, predictor, comparisons)
        leaf, clock = chosen.now, chosen.clock
    (word,) = add_rom(m, "coefficients", words, _WIDTH * len(TAPS), [leaf], fabric)
    row = line.given("coefficients", word, clock + _ROM_LATENCY)
    products = []
    for k, name in enumerate(TAPS):
        tap = context.quantities[name]
        at = line.ready(row, tap)
        # A multiplier's registers: its inputs and its product.
        factor = line.register(f"coefficient_{k}", row.at(at)[_WIDTH * k : _WIDTH * (k + 1)], at,
                               signed(_WIDTH))  # fmt: skip
        sample = line.register(f"tap_{k}", tap.at(at), at, widths.sample)
        products.append(line.register(f"product_{k}", factor.now * sample.now, factor.clock))
    total = line.sum("weighted", products)
    # Samples are whole, the sum is in 1/128, P in 1/8.
    cut = COEFFICIENT_BITS - FRACTION_BITS
    rounded = line.register(
        "rounded", (total.now + (1 << (cut - 1))) >> cut, total.clock,
        signed(len(total) + 2 - cut),
    )  # fmt: skip
    value = rounded.now
    top = widths.greatest << FRACTION_BITS
    median = context.eighths(MEDIAN, rounded.clock)
    return line.register(
        "first", Mux(plain.at(rounded.clock), median, clamped(value, top)), rounded.clock,
        widths.prediction,
    )  # fmt: skip
