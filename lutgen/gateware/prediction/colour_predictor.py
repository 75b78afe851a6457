"""The first prediction of a sample of a colour image, see :mod:`.predictor`.

Trees are those of all planes' models, coefficients stand in memories that they share, and the
first plane's sample at the place, the *level*, is the start of the chains of products.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, signed
from amaranth.utils import bits_for

from lutgen.model.predictive.neighbourhood import FRACTION_BITS, MEDIAN, TAPS
from lutgen.model.predictive.predictor import COEFFICIENT_BITS
from lutgen.model.predictive.reference import LETTERS, LEVELS_OF_ONE, REFERENCE_TAPS

from ..fabric.blockmem import add_rom
from ..fabric.fabric import Fabric
from ..fabric.pipeline import clamped
from ..fabric.timeline import Timed, Timeline
from .features import Comparisons
from .leaves import Branch, Numbers, add_leaf_bits, leaf_addresses, leaf_at
from .plane_models import PlaneModels
from .predictor import COEFFICIENT_WIDTH, ROM_LATENCY
from .quantities import Context

__all__ = ["add_first_of_planes", "coefficient_words", "plane_addresses", "plane_steps"]

#: Chains of products.
_CHAINS = 8
#: Bits of a coefficients' address: block memories have so many rows of the words that are read.
_ADDRESS_BITS = 9


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


def add_first_of_planes(
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
    # Share of the chains but the first in half of 1/8, which rounds; in 1/1024, as errors have it.
    half = (1 << (COEFFICIENT_BITS - 1)) // (len(chains) - 1)
    totals: dict[int, Timed] = {}
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
            before = totals.get(k)
            if before is not None:
                start = before.now
            elif k == 0:  # the level, in 1/128
                start = Cat(Const(0, COEFFICIENT_BITS), level.at(factor.clock))
            else:  # see `.predictor.add_first_prediction`
                start = Const(half if chains[k] is errors else half >> FRACTION_BITS)
            totals[k] = line.register(f"chain_{name}", factor.now * tap.now + start, factor.clock)
    # What errors have below 1/128 does not matter, as it is less than one of the sum.
    of_errors = totals[len(samples)]
    rest = line.given("weighted_errors", of_errors.now[FRACTION_BITS:].as_signed(),
                      of_errors.clock)  # fmt: skip
    value = line.sum("weighted", [*(totals[k] for k in range(len(samples))), rest])
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
