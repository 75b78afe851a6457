"""The first prediction: a tree chooses a row of coefficients, which weigh samples.

See :mod:`lutgen.model.predictive.predictor`.
"""

from amaranth.hdl import Const, Module, Mux, signed

from lutgen.model.predictive.neighbourhood import FRACTION_BITS, MEDIAN, TAPS
from lutgen.model.predictive.predictor import COEFFICIENT_BITS, Predictor

from ..fabric.blockmem import add_rom
from ..fabric.fabric import Fabric
from ..fabric.pipeline import clamped
from ..fabric.timeline import Timed
from .features import Comparisons
from .leaves import Branch, Numbers, add_leaf_address, leaf_addresses, leaf_at
from .quantities import Context

__all__ = ["COEFFICIENT_WIDTH", "ROM_LATENCY", "add_first_prediction", "coefficient_words", "steps"]

#: Bits of a coefficient, -255 to 255.
COEFFICIENT_WIDTH = 9
ROM_LATENCY = 2
#: Chains of products: each addition takes a clock, so as many as take no longer than a tree.
_CHAINS = 4


def steps() -> list[slice]:
    """Taps whose coefficients are read together, clock by clock."""
    return [slice(first, first + _CHAINS) for first in range(0, len(TAPS), _CHAINS)]


def coefficient_words(
    predictor: Predictor, addresses: Branch | Numbers, taps: slice
) -> list[int]:  # fmt: skip
    """Words of a coefficient memory: some taps' of the leaf of each address, the first one lowest.
    """
    mask = (1 << COEFFICIENT_WIDTH) - 1
    words = [
        sum((int(c) & mask) << (COEFFICIENT_WIDTH * k) for k, c in enumerate(row[taps]))
        for row in predictor.coefficients
    ]
    return [words[leaf_at(addresses, address)] for address in range(1 << addresses.bits)]


def add_first_prediction(
    m: Module, context: Context, predictor: Predictor, comparisons: Comparisons, plain: Timed,
    fabric: Fabric,
) -> Timed:  # fmt: skip
    """Add the tree, the coefficients' memories and the sum of products; returns P, in 1/8.

    Products are added up in chains, as multipliers with an adder behind them do: each adds its
    product to what the one before it gives.  So its coefficients are read a clock later.  Where
    surroundings are plain P is the median.
    """
    line, widths = context.timeline, context.widths
    addresses = leaf_addresses(predictor)
    leaf = line.given("leaf", Const(0, 1))
    if predictor.leaves > 1:
        leaf = add_leaf_address(line, addresses, [
            comparisons.above(int(feature), int(threshold))
            for feature, threshold in zip(predictor.feature, predictor.threshold, strict=True)
        ])  # fmt: skip
    # Samples are whole, the sum is in 1/128, P in 1/8: a half rounds.  Each chain begins with a
    # share of it, as its first multiplier has an adder, too.  A product that nothing is added to
    # would be taken by tools for the start of the adder behind it, and the next product, which is
    # then in no register, for what is added.
    cut = COEFFICIENT_BITS - FRACTION_BITS
    chains = [Const((1 << (cut - 1)) // _CHAINS, cut)] * _CHAINS
    ends = []
    for step, taps in enumerate(steps()):
        first, names = taps.start, TAPS[taps]
        clock = leaf.clock + step
        words = coefficient_words(predictor, addresses, taps)
        (word,) = add_rom(
            m, f"coefficients_{step}", words, COEFFICIENT_WIDTH * len(names), [leaf.at(clock)],
            fabric,
        )  # fmt: skip
        clock += ROM_LATENCY
        for k, name in enumerate(names):
            factor = line.register(
                f"coefficient_{first + k}", word.word_select(k, COEFFICIENT_WIDTH), clock,
                signed(COEFFICIENT_WIDTH),
            )  # fmt: skip
            sample = line.register(
                f"tap_{first + k}", context.quantities[name].at(clock), clock, widths.sample
            )
            total = line.register(
                f"chain_{first + k}", factor.now * sample.now + chains[k], factor.clock
            )
            chains[k] = total.now
            if first + k + _CHAINS >= len(TAPS):
                ends.append(total)
    value = line.sum("weighted", ends)
    clock, rounded = value.clock, value.now[cut:].as_signed()
    top = widths.greatest << FRACTION_BITS
    return line.register(
        "first", Mux(plain.at(clock), context.eighths(MEDIAN, clock), clamped(rounded, top)), clock,
        widths.prediction,
    )  # fmt: skip
