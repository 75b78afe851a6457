"""What the tables of a core of profile ``predictive`` must hold, from the model alone.

See `.expected_tables`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lutgen.gateware.prediction.colour_predictor import coefficient_words as plane_words
from lutgen.gateware.prediction.colour_predictor import plane_addresses, plane_steps
from lutgen.gateware.prediction.leaves import leaf_addresses
from lutgen.gateware.prediction.plane_models import PlaneModels
from lutgen.gateware.prediction.predictor import coefficient_words, steps
from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.residual import token_of
from lutgen.sim.check.expected_tables import Tables

__all__ = ["predictive_tables"]


def predictive_tables(core: str, planes: PlaneModels, depth: int) -> Tables:
    """Tables of an ``encoder`` or ``decoder`` of samples of so many bits, of planes with a model
    each."""
    if len(planes.models) == 1:
        predictor = planes.models[0].predictor
        addresses = leaf_addresses(predictor)
        # A memory of each step's coefficients, one behind the other.
        words = [w for taps in steps() for w in coefficient_words(predictor, addresses, taps)]
    else:
        of_planes, bits = plane_addresses(planes)
        words = [
            w for taps in plane_steps(planes) for w in plane_words(planes, of_planes, bits, taps)
        ]
    cumulative = np.concatenate([model.cumulative for model in planes.models])
    ends = (_ends if core == "encoder" else _bounds)(cumulative, depth)
    return {(".prediction", "coefficients"): words, **ends}


def _joined(rows: np.ndarray, bits: int) -> list[int]:
    """Words of numbers of so many bits, the first one lowest."""
    return [sum(int(n) << bits * k for k, n in enumerate(row)) for row in rows]


def _ends(cumulative: np.ndarray, depth: int) -> Tables:
    """Where the intervals of all tokens end, less one."""
    tokens = 1 << token_of((1 << depth) - 1)[0].bit_length()
    ends = (cumulative[:, 1 : tokens + 1] - 1) % (1 << PROB_BITS)
    return {(".intervals", "ends"): ends.ravel().tolist()}


def _bounds(cumulative: np.ndarray, depth: int) -> Tables:
    """Bounds of three steps of a search."""
    tokens, table = 4 * depth, cumulative % (1 << PROB_BITS)
    parts = -(-tokens // 16)
    # Where parts of 16 tokens begin, but the first; where those of this depth end; where the last
    # part ends, if some of its tokens are of greater depths.
    first = [*range(16, tokens, 16)]
    if tokens < 64:
        first.append(tokens)
    if tokens % 16 and parts < 4:
        first.append(16 * parts)
    halves = 1 << (parts - 1).bit_length()  # rows of the second step: a power of two

    def inner(starts: Sequence[int], step: int) -> list[int]:
        """The three inner bounds of parts of four steps."""
        places = [[start + step * k for k in (1, 2, 3)] for start in starts]
        return _joined(table[:, places].reshape(-1, 3), PROB_BITS)

    return {
        (".search", "first"): _joined(table[:, first], PROB_BITS),
        (".search", "second"): inner(range(0, 16 * halves, 16), 4),
        (".search", "third"): inner(range(0, 16 * parts, 4), 1),
    }
