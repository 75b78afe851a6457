"""The tree walker: a context tree kept in memories, two binary tests per stage.

A netlist decides the top of a context tree; below it a tree of thousands of leaves costs fewer
LUTs as a walk through small memories than as logic.  Each stage reads one record, makes two
binary decisions and moves to one of four children of the next stage's memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError

__all__ = ["Walker", "WalkerStage"]

_MAX_RECORDS = 1 << 16


def _array(name: str, value, dtype, shape: tuple[int | None, ...]) -> np.ndarray:
    array = np.asarray(value)
    if array.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
    ):
        raise InputError(f"walker {name} must be of shape {shape}, not {array.shape!r}")
    if array.dtype.kind not in "iu":
        raise InputError(f"walker {name} must be of an integer type, not {array.dtype!r}")
    info = np.iinfo(dtype)
    if array.size and (array.min() < info.min or array.max() > info.max):
        raise InputError(f"walker {name} must be within {info.min}..{info.max}")
    array = np.ascontiguousarray(array, dtype=dtype)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class WalkerStage:
    """One radix-4 stage of ``n`` records.

    A test is ``window[feature] > threshold``; threshold 255 is never true.  With ``b0`` the
    outcome of test 0, the second decision is test 1 if ``b0`` is 0 and test 2 if it is 1; the
    child is ``c = 2 * b0 + second``.

    Parameters
    ----------
    feature, threshold:
        uint8, shape (n, 3).
    child:
        uint16.  Shape (n,) in every stage but the last: the group of four records of the next
        stage, so that the next record is ``4 * child + c``.  Shape (n, 4) in the last stage: the
        class of each child.
    """

    feature: np.ndarray
    threshold: np.ndarray
    child: np.ndarray

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "feature", _array("feature", self.feature, np.uint8, (None, 3)))
        n = len(self.feature)
        if not 1 <= n <= _MAX_RECORDS:
            raise InputError(f"walker stage must have 1 to {_MAX_RECORDS} records, not {n}")
        set_(self, "threshold", _array("threshold", self.threshold, np.uint8, (n, 3)))
        shape = (n, 4) if np.ndim(self.child) == 2 else (n,)
        set_(self, "child", _array("child", self.child, np.uint16, shape))

    @property
    def records(self) -> int:
        """Number of records."""
        return len(self.feature)

    @property
    def last(self) -> bool:
        """Whether the children are classes."""
        return self.child.ndim == 2


@dataclass(frozen=True, eq=False)
class Walker:
    """A chain of stages; stage 0 is entered at the record that the netlist's index names.

    Raises
    ------
    InputError
        If a stage points outside the next one, or only the last stage does not name classes.
    """

    stages: Sequence[WalkerStage]

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        if not 1 <= len(self.stages) <= 16:
            raise InputError(f"walker must have 1 to 16 stages, not {len(self.stages)}")
        for i, stage in enumerate(self.stages):
            if stage.last != (i == len(self.stages) - 1):
                raise InputError(f"walker stage {i} must name classes only if it is the last")
        for i, (stage, after) in enumerate(zip(self.stages, self.stages[1:], strict=False)):
            if 4 * (int(stage.child.max()) + 1) > after.records:
                raise InputError(
                    f"walker stage {i} must point to the {after.records} records of the next "
                    f"stage, not to group {stage.child.max()}"
                )

    @property
    def entries(self) -> int:
        """Number of indices the walker accepts."""
        return self.stages[0].records

    @property
    def classes(self) -> int:
        """One more than the greatest class named."""
        return int(self.stages[-1].child.max()) + 1

    @property
    def features(self) -> int:
        """One more than the greatest feature read."""
        return max(int(stage.feature.max()) for stage in self.stages) + 1

    def walk(self, index: np.ndarray, features: np.ndarray) -> np.ndarray:
        """Class of each pixel.

        Parameters
        ----------
        index:
            Integers, shape (P,): the netlist's index.
        features:
            uint8, shape (F, P).

        Returns
        -------
        numpy.ndarray
            uint16, shape (P,).
        """
        record = np.asarray(index, dtype=np.int64)
        pixel = np.arange(record.size)
        for stage in self.stages:
            test = [
                features[stage.feature[record, i], pixel] > stage.threshold[record, i]
                for i in range(3)
            ]
            child = 2 * test[0] + np.where(test[0], test[2], test[1])
            if stage.last:
                return stage.child[record, child]
            record = 4 * stage.child[record].astype(np.int64) + child
        raise AssertionError("unreachable: the last stage names classes")
