"""Near-lossless samples: their indices, what these stand for, and what follows for predictions.

See :class:`lutgen.model.samples.SampleFormat` and `lutgen.codec.predictive.kernel.target`.  Each
sample comes with the *near* of its file, the greatest error of a sample.  What follows from it
stands in small tables, so files of any nears can be under way together.

Nothing is divided by 2 near + 1: of predictions the format itself asks for the product with a
reciprocal of 16 bits, and the encoder's indices are products that are exact for all samples
(`Near.factors`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, signed, unsigned
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import raw_bits
from lutgen.codec.predictive.kernel import RECIPROCAL_BITS, near_offset, reciprocal_of
from lutgen.model.predictive.neighbourhood import FRACTION_BITS
from lutgen.model.samples import SampleFormat

from ..fabric.pipeline import look_up
from ..fabric.timeline import Timed, Timeline
from .quantities import Widths

__all__ = ["RESTORE_LATENCY", "Near", "NearTables"]

#: Clocks from an index to its sample.
RESTORE_LATENCY = 1
_TABLE_LATENCY = 2


@dataclass(frozen=True)
class Near:
    """The nears that a core takes, and of each, from 0 to ``most``, what follows from it.

    Parameters
    ----------
    depth:
        Bits of a sample.
    most:
        Greatest near, 1 or more.

    Raises
    ------
    InputError
        If no such samples have it.
    """

    depth: int
    most: int

    def __post_init__(self) -> None:
        SampleFormat(self.depth, near=self.most)

    @property
    def bits(self) -> int:
        """Bits of a near."""
        return bits_for(self.most)

    @property
    def forms(self) -> list[SampleFormat]:
        """The samples of each near."""
        return [SampleFormat(self.depth, near=near) for near in range(self.most + 1)]

    @property
    def steps(self) -> list[int]:
        """Samples of an index."""
        return [form.step for form in self.forms]

    @property
    def greatest(self) -> list[int]:
        """Greatest index."""
        return [form.levels - 1 for form in self.forms]

    @property
    def raw_bits(self) -> list[int]:
        """Bits of a folded residual in plain form."""
        return [raw_bits(form.levels) for form in self.forms]

    @property
    def reciprocals(self) -> list[int]:
        """Factors that bring predictions to indices, by the format's definition."""
        return [reciprocal_of(step) for step in self.steps]

    @property
    def offsets(self) -> list[int]:
        """What the scale of indices is below that of samples."""
        return [int(near_offset(step)) for step in self.steps]

    @property
    def factors(self) -> tuple[list[int], int]:
        """Factors and a shift: ``(x + near) * factor >> shift`` is the index of each sample x.

        Let ``e = factor * step - 2 ** shift``, and n be ``x + near``.  The product is above the
        quotient ``n / step`` by ``n * e / 2 ** shift / step``.  That changes no whole part if it is
        less than ``1 / step``: so for all n, ``n * e`` must be less than ``2 ** shift``.
        """
        shift = self.depth
        while True:
            factors = [-(-(1 << shift) // step) for step in self.steps]
            if all(
                (form.maximum + form.near) * (factor * form.step - (1 << shift)) < 1 << shift
                for form, factor in zip(self.forms, factors, strict=True)
            ):
                return factors, shift
            shift += 1

    @property
    def overruns(self) -> bool:
        """Whether the index of the greatest prediction may be above the greatest one."""
        top = (1 << self.depth) - 1 << FRACTION_BITS
        return any(
            top * reciprocal + _ROUND >> _INDEX_SHIFT > greatest
            for reciprocal, greatest in zip(self.reciprocals, self.greatest, strict=True)
        )


#: Where the whole number of an index begins in the product of a prediction and a reciprocal, and
#: what rounds the product to eighths, and these to the nearest whole number.
_INDEX_SHIFT = RECIPROCAL_BITS + FRACTION_BITS
_ROUND = (1 << (RECIPROCAL_BITS - 1)) + (1 << (_INDEX_SHIFT - 1))


class NearTables:
    """Tables of nears in a pipeline, and what is computed with them.

    Parameters
    ----------
    m:
        Module that receives all.
    timeline:
        Of the pipeline.
    form:
        Nears that there are.
    near:
        Of the sample that enters in clock 0.
    """

    def __init__(self, m: Module, timeline: Timeline, form: Near, near: Timed) -> None:
        self._m, self._line, self._form, self._near = m, timeline, form, near
        self._widths = Widths(form.depth)

    def _table(self, name: str, values: Sequence[int], clock: int) -> Timed:
        """Value of the sample's near, there in ``clock``."""
        bits = max(bits_for(max(values)), bits_for(min(values))) + (min(values) < 0)
        words = [value & (1 << bits) - 1 for value in values]
        found = look_up(self._m, name, words, bits, self._near.at(clock - _TABLE_LATENCY))
        return self._line.given(name, found.as_signed() if min(values) < 0 else found, clock)

    def lossless(self, clock: int):
        """Whether the near is 0."""
        return ~self._near.at(clock).any()

    def greatest(self, clock: int) -> Timed:
        """Greatest index, from ``clock`` on."""
        return self._table("greatest_index", self._form.greatest, clock)

    def raw_bits(self, clock: int) -> Timed:
        """Bits of a folded residual in plain form, from ``clock`` on."""
        return self._table("raw_bits", self._form.raw_bits, clock)

    def less_offset(self, constant: int, clock: int) -> Timed:
        """A constant less the scale's offset, from ``clock`` on."""
        return self._table(
            "scale_origin", [constant - offset for offset in self._form.offsets], clock
        )

    def add_index(self, sample: Timed) -> Timed:
        """Index of a sample, two clocks later."""
        line, form = self._line, self._form
        factors, shift = form.factors
        clock = sample.clock
        raised = line.register("raised", sample.now + self._near.at(clock), clock)
        factor = self._table("index_factor", factors, raised.clock)
        product = line.register("index_product", raised.now * factor.now, raised.clock)
        index = product.now[shift : shift + form.depth]
        return line.given("index", index, product.clock)

    def add_restored(self, index: Timed) -> Timed:
        """Sample of an index, a clock later: not above the greatest sample."""
        line, depth = self._line, self._form.depth
        step = self._table("step", self._form.steps, index.clock)
        product = line.register(
            "restored", (index.now * step.now)[: depth + 1], index.clock, unsigned(depth + 1)
        )
        beyond = product.now[depth].replicate(depth)
        return line.given("restored_sample", product.now[:depth] | beyond, product.clock)

    def add_nearest(self, corrected: Timed) -> tuple[Timed, Timed]:
        """Nearest index of a prediction, and the rest in 1/8."""
        line, form, sample = self._line, self._form, self._widths.sample
        clock = corrected.clock
        reciprocal = self._table("reciprocal", form.reciprocals, clock)
        product = line.register("scaled", corrected.now * reciprocal.now + _ROUND, clock)
        clock = product.clock
        # Rounded to the nearest whole number by adding a half: without it the top bit is the other.
        part = product.now[RECIPROCAL_BITS:_INDEX_SHIFT]
        rest = Cat(part[:-1], ~part[-1]).as_signed()
        index = product.now[_INDEX_SHIFT:]
        if not form.overruns:
            return line.given("whole", index[: form.depth], clock), line.given("rest", rest, clock)
        greatest = self.greatest(clock)
        over = index > greatest.now
        return (
            line.register("whole", Mux(over, greatest.now, index), clock, sample),
            line.register("rest", Mux(over, 0, rest), clock, signed(FRACTION_BITS)),
        )
