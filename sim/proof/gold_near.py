"""What the near of a sample means for its prediction, as a graph.

See `lutgen.codec.predictive.kernel.target`: predictions become those of indices by the product with
a reciprocal, the scale of indices is less than that of samples by an offset, and no surroundings
are plain but those of lossless samples.
"""

from __future__ import annotations

from functools import cached_property

from lutgen.codec.predictive.kernel import RECIPROCAL_BITS, near_offset, reciprocal_of
from lutgen.model.predictive.neighbourhood import FRACTION_BITS
from lutgen.model.samples import SampleFormat
from lutgen.sim.proof.integers import Integer, Integers

__all__ = ["GoldNear", "rounded"]

_HALF = 1 << RECIPROCAL_BITS - 1


class GoldNear:
    """Numbers that follow from a near.

    Parameters
    ----------
    do :
        Arithmetic of the graph.
    depth, most :
        Bits of a sample, and the greatest near.
    near :
        That of the sample.
    """

    def __init__(self, do: Integers, depth: int, most: int, near: Integer) -> None:
        self._do, self._near = do, near
        self._forms = [SampleFormat(depth, near=k) for k in range(most + 1)]
        self._top = ((1 << depth) - 1) << FRACTION_BITS

    @property
    def lossless(self) -> int:
        """Literal of a near of 0."""
        return self._do.nonzero(self._near) ^ 1

    @property
    def offset(self) -> Integer:
        """What the scale of indices is less than that of samples."""
        return self._table([int(near_offset(form.step)) for form in self._forms])

    @cached_property
    def _reciprocals(self) -> list[int]:
        return [reciprocal_of(form.step) for form in self._forms]

    def nearest(self, final: Integer) -> tuple[Integer, Integer]:
        """Nearest index of a prediction, and the rest in 1/8."""
        do = self._do
        product = do.product(final, self._table(self._reciprocals))
        scaled = do.right(do.add(product, do.constant(_HALF)), RECIPROCAL_BITS)
        whole, rest = rounded(do, scaled)
        # An index grows with the prediction, so that of the greatest one tells for all.
        greatest = [form.levels - 1 for form in self._forms]
        if any(map(int.__gt__, map(self._last, self._reciprocals), greatest)):
            most = self._table(greatest)
            beyond = do.less(most, whole)
            whole = do.choose(beyond, most, whole)
            rest = do.choose(beyond, do.constant(0), rest)
        return whole, rest

    def _last(self, reciprocal: int) -> int:
        """Index of the greatest prediction."""
        scaled = self._top * reciprocal + _HALF >> RECIPROCAL_BITS
        return scaled + (1 << FRACTION_BITS - 1) >> FRACTION_BITS

    def _table(self, values: list[int]) -> Integer:
        """What goes with the near."""
        return self._do.look_up(values, self._near)


def rounded(do: Integers, value: Integer) -> tuple[Integer, Integer]:
    """Nearest whole number of a number in 1/8, and the rest."""
    whole = do.right(do.add(value, do.constant(1 << FRACTION_BITS - 1)), FRACTION_BITS)
    return whole, do.subtract(value, do.left(whole, FRACTION_BITS))
