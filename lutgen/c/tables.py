"""Tables of predictive models as C, for ``model.h``, and how wide numbers their sums need.

The C code holds quantities in integers of 32 bits, or, where a model's features fit, of 16; how
large they can become is worked out here from the model, so that no sum can overflow.
"""

from functools import partial

import numpy as np

from lutgen.errors import InputError
from lutgen.model.head import PROB_BITS
from lutgen.model.predictive import reference
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.features import LEAST_EXPONENT, difference
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    FRACTION_BITS,
    PREDICTION,
    SAMPLES,
    TAPS,
    ZERO,
)  # fmt: skip
from lutgen.model.predictive.predictor import COEFFICIENT_BITS
from lutgen.model.predictive.reference import ALL_QUANTITIES, LETTERS, REFERENCE_TAPS
from lutgen.model.predictive.trees import NEVER
from lutgen.model.samples import SampleFormat

from .text import array_text, model_text, opening, struct_text

__all__ = ["depths", "guesses", "predictive_source"]

#: Bits of a slot that say where the search for its token begins.
_GUESS_BITS = 6
#: Column of a row of taps that stands below the sample.
_TAP_COLUMN = 3
_LEAST_DEPTH = 8
#: Differences whose sizes say whether surroundings are plain, see ``neighbourhood.h``.
_COUNTED = 8
#: Bits of a scale whose shift is at most 14, and which a float holds.
_NARROW_SCALE_BITS = 22
_MOST_PLANES = 4


def predictive_source(model: PredictiveModel | ColourModel, name: str) -> str:
    """``model_NAME.c``: its tables.

    Raises
    ------
    InputError
        If sums of the model do not fit into 32 bits.
    """
    planes = getattr(model, "planes", (model,))
    # A fourth plane that has no model is alpha, which goes the way of the first.
    of_planes = ", ".join(f"&plane_{k if k < len(planes) else 0}" for k in range(_MOST_PLANES))
    return "\n".join([
        opening(model.hash, name, "model.h"),
        *(_plane_source(plane, k) for k, plane in enumerate(planes)),
        model_text(model.hash, name, {
            "profile": "&lutgen_predictive_profile", "planes": len(planes),
            "plane": f"{{{of_planes}}}",
        }),
    ])  # fmt: skip


def _plane_source(model: PredictiveModel, number: int) -> str:
    """Tables of plane ``number``."""
    kernel = model.kernel
    narrow, wide = depths(model)
    if not _fits(model):
        narrow = wide = 0
    numbers = kernel.number.tolist()
    weights = [(w, *difference(t)) for t, w in model.scale.weights.items() if w]
    features = [
        (first, int(absolute != 0), max(gain, 0), int(gain < 0))
        for first, absolute, gain in zip(kernel.first.tolist(), kernel.absolute.tolist(),
                                         kernel.gain.tolist(), strict=False)
    ] + [(int(kernel.first[-1]), 0, 0, 0)]  # fmt: skip
    nodes, children = _breadth_first(kernel)
    rows, median = _taps(model.predictor.coefficients)
    arrays = {
        "weight": ("struct lutgen_weight", weights, ""),
        "feature": ("struct lutgen_feature", features, ""),
        "term": ("uint8_t", np.stack([kernel.minuend, kernel.subtrahend], axis=1), "[2]"),
        "node": ("uint8_t", nodes, "[2]"),
        "child": ("int16_t", children, "[2]"),
        "taps": ("int16_t", rows, "[32]"),
        "median": ("int16_t", median, ""),
        "tree": ("struct lutgen_tree", [*_trees(model.corrections, numbers),
                                        *_trees(model.scales, numbers)], ""),
        "value": ("int8_t", np.concatenate([model.corrections.values, model.scales.values]),
                  "[LUTGEN_ENTRIES]"),
        "cumulative": ("uint16_t", kernel.cumulative, "[LUTGEN_TOKENS + 1]"),
        "guess": ("uint8_t", guesses(kernel.cumulative), "[1 << LUTGEN_GUESS_BITS]"),
    }  # fmt: skip
    if model.references:
        others, errors = _reference_taps(model.predictor.coefficients)
        arrays["reference_taps"] = "int16_t", others, "[LUTGEN_MOST_REFERENCES][32]"
        arrays["reference_error"] = "int16_t", errors, "[LUTGEN_MOST_REFERENCES]"
    members = {
        "references": model.references, "lane_depth": wide, "narrow_depth": narrow,
        "least": kernel.least, "origin": kernel.origin, "classes": kernel.classes,
        "weights": len(weights), "nodes": len(kernel.split_feature),
        "corrections": len(model.corrections), "scales": len(model.scales),
        "part": "{" + ", ".join(map(str, kernel.part)) + "}",
        **{table: f"{table}_{number}" for table in arrays},
    }  # fmt: skip
    return "\n".join([
        *(array_text(kind, f"{table}_{number}", values, shape)
          for table, (kind, values, shape) in arrays.items()),
        struct_text("static const struct lutgen_tables", f"plane_{number}", members),
    ])  # fmt: skip


def _fits(model: PredictiveModel) -> bool:
    """Whether the code for many samples at once has room for the model, see ``lanes.h``."""
    kernel = model.kernel
    return (
        len(kernel.split_feature) <= 255 and len(model.corrections) + len(model.scales) <= 128
        and len(kernel.weight) <= 32 and len(kernel.minuend) < 256
    )


def _breadth_first(kernel) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of the predictor's tree and their children, level by level.

    Nodes that follow one another then do not wait for each other.
    """
    order = [0][: len(kernel.split_feature)]
    for node in order:
        order += [child for child in kernel.split_child[node].tolist() if child >= 0]
    new = np.empty(len(order), dtype=np.int16)
    new[order] = np.arange(len(order))
    children = kernel.split_child[order]
    nodes = np.stack([kernel.split_feature, kernel.split_threshold], axis=1)[order]
    return nodes, np.where(children >= 0, new[np.maximum(children, 0)], children)


def _trees(trees, numbers: list[int]) -> list[tuple]:
    """Features and thresholds of each tree; pins that are not used ask about feature 0."""
    return [
        (
            [numbers.index(f) if t < NEVER else 0 for f, t in zip(feature, threshold, strict=True)],
            threshold,
        )
        for feature, threshold in zip(trees.feature.tolist(), trees.threshold.tolist(), strict=True)
    ]


def _taps(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients as they stand above one another in the picture, and those of the median."""
    rows = np.zeros((len(coefficients), 4, 8), dtype=np.int16)
    for name, (y, x) in SAMPLES.items():
        rows[:, -y, _TAP_COLUMN + x] = coefficients[:, TAPS.index(name)]
    return rows.reshape(-1, 32), coefficients[:, 0]


def _reference_taps(coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of two reference planes likewise, 0 of one that there is not; those of their errors."""
    own = coefficients[:, len(TAPS) :]
    planes = np.pad(own, ((0, 0), (0, len(REFERENCE_TAPS) - own.shape[1])))
    planes = planes.reshape(len(coefficients), len(LETTERS), -1)
    rows = np.zeros((len(coefficients), len(LETTERS), 4, 8), dtype=np.int16)
    for k, (y, x) in enumerate(reference.SAMPLES.values()):
        rows[:, :, -y, _TAP_COLUMN + x] = planes[:, :, k]
    return rows.reshape(-1, len(LETTERS), 32), planes[:, :, -1]


def guesses(cumulative: np.ndarray) -> np.ndarray:
    """Token, or symbol, of the first of each 256 slots."""
    slots = np.arange(1 << _GUESS_BITS) << (PROB_BITS - _GUESS_BITS)
    return np.stack([np.searchsorted(row, slots, side="right") - 1 for row in cumulative])


def depths(model: PredictiveModel) -> tuple[int, int]:
    """Greatest depths at which features fit into 16 bits, and all sums into 32; 0 where at none.

    With features of 16 bits so do quantities, and a scale has at most 22.  Of the first plane they
    have a sign; those of others that are sums of sizes have none.

    Raises
    ------
    InputError
        If a scale of 16-bit samples does not fit into 32 bits, as no sum of STANDARD_TERMS.
    """
    narrow = wide = 0
    coefficients = np.abs(model.predictor.coefficients.astype(np.int64)).sum(axis=1).max()
    corrections = np.abs(model.corrections.values.astype(np.int64)).max(axis=1, initial=0).sum()
    for depth in range(_LEAST_DEPTH, SampleFormat.MAX_DEPTH + 1):
        top = ((1 << depth) - 1) << FRACTION_BITS
        size = partial(_size, _spans(top, model.references))
        scale = model.scale.least + sum(w * size(t) for t, w in model.scale.weights.items())
        if scale >= 1 << 32:
            raise InputError(f"scale of {depth}-bit samples must be of 32 bits, not up to {scale}")
        sums = {
            absolute: max((sum(map(size, f.terms)) << f.gain for f in model.features
                           if not f.special and f.absolute == absolute), default=0)
            for absolute in (False, True)
        }  # fmt: skip
        correction = int(corrections) << (scale.bit_length() - 1 - LEAST_EXPONENT)
        prediction = int(coefficients) * top + (1 << COEFFICIENT_BITS)
        if max(scale, *sums.values(), correction, prediction) < 1 << 31:
            wide = depth
            counted = _COUNTED * size("W-NW")
            if (
                max(sums[False], counted) < 1 << 15 and scale < 1 << _NARROW_SCALE_BITS
                and sums[True] < 1 << (16 if model.references else 15)
            ):  # fmt: skip
                narrow = depth
    return narrow, wide


def _size(spans: list[tuple[int, int]], term: str) -> int:
    """Greatest absolute value of a difference of quantities of these spans."""
    a, b = (spans[k] for k in difference(term))
    return max(a[1] - b[0], b[1] - a[0])


def _spans(top: int, references: int) -> list[tuple[int, int]]:
    """Least and greatest value of each quantity, if samples are at most ``top``.

    An energy is at most twice the greatest error: a mean of a smaller one and of half of that sum.
    All planes but the first, that of the last letter, hold differences of samples.
    """
    letters = LETTERS[:references]
    energies = {*ENERGIES, *(letter + name for letter in letters for name in reference.ENERGIES)}
    levels = {letters[-1] + name for name in reference.SAMPLES} if references else {*TAPS}

    def span(name: str) -> tuple[int, int]:
        if name == ZERO:
            return 0, 0
        if name in energies:
            return 0, 2 * top
        return (0 if name in levels or name == PREDICTION and not references else -top), top

    return [span(name) for name in ALL_QUANTITIES]
