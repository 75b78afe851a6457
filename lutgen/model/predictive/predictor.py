"""The first prediction: a tree over early features chooses one of many linear predictors."""

from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError
from lutgen.files.compiled import njit

from .neighbourhood import FRACTION_BITS, QUANTITIES, TAPS
from .reference import LEVELS_OF_ONE, MOST_REFERENCES, OF_ONE, TAPS_OF_ONE, level_of

__all__ = ["COEFFICIENT_BITS", "Predictor", "first_prediction", "leaf_of", "taps_of_planes"]

#: A coefficient is a whole number of 1/128.
COEFFICIENT_BITS = 7
_MOST_COEFFICIENT = 255
_MOST_LEAVES = 1024
_TAPS, _BASE = len(TAPS), len(QUANTITIES)


@dataclass(frozen=True, eq=False)
class Predictor:
    """Tree of thresholds and a table of coefficients.

    Parameters
    ----------
    feature, threshold:
        uint8, shape (n,): node k goes to its second child if the feature is above the threshold.
    child:
        int16, shape (n, 2): a later node, or ``-1 - leaf``.  Without nodes there is one leaf.
    coefficients:
        int16, shape (n + 1, 19), -255 to 255: those of each leaf, in the order of
        `.neighbourhood.TAPS`, in 1/128; those of a leaf add up to 128, so that the prediction
        follows the samples' level.  With K reference planes the shape is (n + 1, 19 + 10 K): behind
        those 19 stand those of `.reference.REFERENCE_TAPS`; those of a plane's samples add up to 0.

    Raises
    ------
    InputError
        If the arrays are no tree, or a value is outside its range.
    """

    feature: np.ndarray
    threshold: np.ndarray
    child: np.ndarray
    coefficients: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.feature)
        shapes = {"feature": (n,), "threshold": (n,), "child": (n, 2),
                  "coefficients": (n + 1, len(TAPS) + TAPS_OF_ONE * self.references)}  # fmt: skip
        types = {"feature": "u1", "threshold": "u1", "child": "i2", "coefficients": "i2"}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.dtype != types[name] or array.shape != shape:
                raise InputError(
                    f"{name} of the predictor must be {np.dtype(types[name])} of shape {shape}, "
                    f"not {array.dtype} of shape {array.shape}"
                )
        if n + 1 > _MOST_LEAVES:
            raise InputError(f"predictor must have at most {_MOST_LEAVES} leaves, not {n + 1}")
        self._check_tree(n)
        worst = int(np.abs(self.coefficients.astype(np.int32)).max())
        if worst > _MOST_COEFFICIENT:
            raise InputError(
                f"coefficients must be -{_MOST_COEFFICIENT} to {_MOST_COEFFICIENT}, not {worst}"
            )
        self._check_sums()

    def _check_sums(self) -> None:
        """Coefficients of the own plane must add up to one, those of each other to nothing."""
        own, *others = taps_of_planes(self.references)
        sums = self.coefficients[:, own].sum(axis=1, dtype=np.int64)
        for taps in others:
            if self.coefficients[:, taps].sum(axis=1, dtype=np.int64).any():
                raise InputError("coefficients of a reference plane must add up to 0 in each leaf")
        if (sums != 1 << COEFFICIENT_BITS).any():
            raise InputError(
                f"coefficients of a leaf must add up to {1 << COEFFICIENT_BITS}, "
                f"not {int(sums[sums != 1 << COEFFICIENT_BITS][0])}"
            )

    def _check_tree(self, n: int) -> None:
        """Every node and every leaf must be the child of exactly one node, a later one."""
        child = self.child.astype(np.int64)
        if (child >= n).any() or (child < -1 - n).any():
            raise InputError(f"children must be nodes or leaves of {n} nodes")
        inner = child >= 0
        if (child[inner] <= np.nonzero(inner)[0]).any():
            raise InputError("children of a node must come behind it")
        found = np.sort(child.ravel())
        wanted = np.concatenate([np.arange(-1 - n, 0), np.arange(1, n)]) if n else found
        if not np.array_equal(found, wanted):
            raise InputError("every node and leaf must be the child of one node")

    @property
    def references(self) -> int:
        """Number of reference planes."""
        wide = self.coefficients.ndim == 2
        more = (self.coefficients.shape[1] - len(TAPS)) // TAPS_OF_ONE if wide else 0
        return min(max(more, 0), MOST_REFERENCES)

    @property
    def leaves(self) -> int:
        """Number of linear predictors."""
        return len(self.coefficients)

    @property
    def depth(self) -> int:
        """Most comparisons on a way to a leaf."""
        depth = [0] * len(self.feature)
        deepest = 0
        for k, pair in enumerate(self.child.tolist()):
            deepest = max(deepest, depth[k] + 1)
            for c in pair:
                if c >= 0:
                    depth[c] = depth[k] + 1
        return deepest


def taps_of_planes(references: int) -> list[slice]:
    """Which taps are samples of the own plane, and of each reference plane."""
    begins = [len(TAPS) + r * TAPS_OF_ONE for r in range(references)]
    return [slice(0, len(TAPS)), *(slice(at, at + LEVELS_OF_ONE) for at in begins)]


@njit(nogil=True, forceinline=True)
def leaf_of(kernel, feature):
    """Leaf of a sample, whose early features are known."""
    if len(kernel.split_feature) == 0:
        return 0
    node = 0
    while node >= 0:
        above = feature[kernel.split_feature[node]] > kernel.split_threshold[node]
        node = kernel.split_child[node, 1 if above else 0]
    return -1 - node


@njit(nogil=True, forceinline=True)
def first_prediction(kernel, leaf, quantity, maximum, references=0):
    """First prediction, in 1/8, of a sample between 0 and the greatest, or of its difference."""
    total = 1 << (COEFFICIENT_BITS - 1)
    taps = kernel.coefficients.shape[1] - references * TAPS_OF_ONE
    for k in range(taps):
        total += kernel.coefficients[leaf, k] * quantity[k]
    for r in range(references):
        for k in range(TAPS_OF_ONE):
            weight = kernel.coefficients[leaf, _TAPS + r * TAPS_OF_ONE + k]
            total += weight * quantity[_BASE + r * OF_ONE + k]
    level = 0
    if references:
        level = level_of(quantity, references)
    return min(max(total >> COEFFICIENT_BITS, -level), (maximum << FRACTION_BITS) - level)
