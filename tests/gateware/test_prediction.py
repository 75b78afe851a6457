"""The prediction's pipeline against `lutgen.codec.predictive.kernel`, on pictures."""

from dataclasses import replace

import numpy as np
import pytest

from lutgen.codec.predictive.kernel import begin, predict, scratch, target
from lutgen.files.compiled import njit
from lutgen.gateware.prediction.leaves import Numbers, leaf_addresses, leaf_at
from lutgen.gateware.prediction.normaliser import Span
from lutgen.gateware.prediction.prediction import Prediction
from lutgen.gateware.prediction.sums import shared_sums
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    ERRORS,
    FRACTION_BITS,
    QUANTITIES,
    SAMPLES,
    end_row,
    keep,
    new_rows,
)
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.trees import NEVER, LutTrees
from lutgen.model.shipped import shipped
from tests.gateware.bundle import Pipelines
from tests.models import predictive_model
from tests.tiers import all_slow


@njit(nogil=True)
def trace(kernel, rows, picture, depth, quantities, results):
    """Quantities and results of every sample of a picture, as `model_unit` has them."""
    quantity, feature, place = scratch(len(kernel.gain))
    at = 0
    for y in range(picture.shape[0]):
        begin(rows, y, depth, place)
        for x in range(picture.shape[1]):
            first, final, scale, plain = predict(
                kernel, rows, x, depth, 1, quantity, feature, place
            )
            whole, rest, row = target(kernel, final, scale, plain, 1, (1 << depth) - 1)
            quantities[at] = quantity[: quantities.shape[1]]  # without those of colour
            results[at, 0], results[at, 1] = first, whole
            results[at, 2], results[at, 3] = rest < 0, row
            at += 1
            keep(rows, y, x, picture[y, x], first)
        end_row(rows, y)


def pictures(rng: np.random.Generator, depth: int) -> list[np.ndarray]:
    """Smooth, noisy, drawn, extreme."""
    top = (1 << depth) - 1
    y, x = np.mgrid[:40, :48]
    smooth = top * (0.5 + 0.4 * np.sin(x / 9) * np.cos(y / 7))
    drawn = np.where((x // 5 + y // 9) % 3 == 0, top, top // 3)
    lines = np.where(rng.random((40, 1)) < 0.3, 0, top)
    return [np.clip(p, 0, top).astype(np.int32) for p in (
        smooth, smooth + rng.normal(0, top / 200, smooth.shape),
        rng.integers(0, top + 1, (40, 48)), drawn, np.full((8, 48), top), lines + 0 * x,
        np.where(rng.random((40, 48)) < 0.05, rng.integers(0, top + 1, (40, 48)), drawn),
        top * (rng.random((40, 48)) < 0.5),
    )]  # fmt: skip


CASES = {"photo": 8, "photo-16": 12}


def odd_model() -> PredictiveModel:
    """A model without corrections, of whose scale trees one is constant and one asks nothing."""
    model = predictive_model(5)
    scales = model.scales
    values = scales.values.copy()
    values[1], values[2, 1:] = -7, 3
    threshold = scales.threshold.copy()
    threshold[2] = NEVER
    return replace(
        model, corrections=LutTrees.none(), scales=LutTrees(scales.feature, threshold, values)
    )


@pytest.mark.parametrize("name", all_slow(["photo", "photo-16", "odd"]))
def test_prediction(name):
    depth = CASES.get(name, 8)
    model = odd_model() if name == "odd" else shipped(name)
    block = Prediction(model, depth)
    found_q, found_r = [], []
    for picture in pictures(np.random.default_rng(depth), depth):
        quantities = np.zeros((picture.size, len(QUANTITIES)), np.int64)
        results = np.zeros((picture.size, 4), np.int64)
        trace(model.kernel, new_rows(picture.shape[1]), picture, depth, quantities, results)
        found_q.append(quantities)
        found_r.append(results)
    quantities, results = np.concatenate(found_q), np.concatenate(found_r)
    inputs = {}
    for names, shift in ((SAMPLES, FRACTION_BITS), (ERRORS, 0), (ENERGIES, 0)):
        for quantity in names:
            inputs[quantity] = quantities[:, QUANTITIES[quantity]] >> shift
    for error in ERRORS:
        inputs[error] &= (1 << (depth + FRACTION_BITS + 1)) - 1
    pipelines = Pipelines({"p": block})
    found = pipelines({f"p_{k}": v for k, v in inputs.items()}, extra=block.latency)
    count = len(results)
    first = found["p_first"][block.first_latency :][:count]
    np.testing.assert_array_equal(first, results[:, 0])
    for k, port in enumerate(("whole", "below", "row"), 1):
        np.testing.assert_array_equal(found[f"p_{port}"][block.latency :][:count], results[:, k])
    assert len(np.unique(results[:, 3])) > model.classes


def added_up(term) -> list[str]:
    """The terms that a term of a shared sum stands for."""
    return [term] if isinstance(term, str) else [name for part in term for name in added_up(part)]


def test_sums_share_parts():
    """Each sum stays what it is; what occurs in several is added once."""
    sums = ["abcdefgh", "abc", "def", "abcdef", "bcd", "x", "gy"]
    shared = shared_sums([*name] for name in sums)
    assert [sorted(n for term in terms for n in added_up(term)) for terms in shared] == [
        sorted(name) for name in sums
    ]
    pairs = {term for terms in shared for term in terms if not isinstance(term, str)}
    while inner := {p for pair in pairs for p in pair if not isinstance(p, str)} - pairs:
        pairs |= inner
    assert len(pairs) + sum(len(terms) - 1 for terms in shared) == 9
    assert sum(len(name) - 1 for name in sums) == 19


@pytest.mark.parametrize("cuts", [
    {1}, {3, 64}, {8, 24, 32}, {255}, {0}, {-1, 1}, {-127, 127}, {-14}, {-28, 0, 4, 8}, {64, -64},
])  # fmt: skip
def test_span_tells_cuts_apart(cuts):
    """Bits within a span, and whether a value is beyond them, say what it is at least."""
    span = Span.of(cuts)
    values = np.arange(0 if min(cuts) > 0 else -2000, 2000)
    kept = values >> span.low
    inside = (kept >= -(1 << span.bits)) & (kept < 1 << span.bits)
    seen = np.where(inside, kept, np.sign(values) << 12)
    for cut in cuts:
        np.testing.assert_array_equal(seen >= cut >> span.low, values >= cut)
    assert span.bits <= max(map(abs, cuts)).bit_length()


def trees() -> dict[str, Predictor]:
    """The shipped ones, one that is a single way of sixteen nodes, and one without nodes."""
    def of(child) -> Predictor:
        n = len(child)
        coefficients = np.zeros((n + 1, 19), np.int16)
        coefficients[:, 0] = 128
        child = np.array(child, np.int16).reshape(n, 2)
        return Predictor(np.zeros(n, np.uint8), np.zeros(n, np.uint8), child, coefficients)

    way = of([(-1 - k, k + 1 if k < 15 else -17) for k in range(16)])
    return {name: shipped(name).predictor for name in CASES} | {"way": way, "leaf": of([])}


@pytest.mark.parametrize("name", [*CASES, "way", "leaf"])
def test_leaf_addresses(name):
    """Whatever the answers of nodes that are not asked, the address is one of the leaf."""
    predictor = trees()[name]
    root = leaf_addresses(predictor)
    assert root.bits <= 9
    rng = np.random.default_rng(1)

    def address(part, answers) -> int:
        if isinstance(part, Numbers):
            return next(
                (k for k, (_, way) in enumerate(part.ways) if all(answers[n] == y for n, y in way)),
                0,
            )
        sides = [address(side, answers) for side in (part.no, part.yes)]
        widths = [side.bits for side in (part.no, part.yes)]
        yes = bool(answers[part.node])
        below = sides[yes] | sides[~yes & 1] >> widths[yes] << widths[yes]
        return below | yes << (part.bits - 1)

    seen = set()
    for answers in rng.integers(2, size=(4000, len(predictor.feature))) == 1:
        node = 0 if len(answers) else -1
        while node >= 0:
            node = int(predictor.child[node, int(answers[node])])
        assert leaf_at(root, address(root, answers)) == -1 - node
        seen.add(-1 - node)
    assert len(seen) > min(predictor.leaves - 1, 8)
