"""Indices of near-lossless samples in gateware: every sample, every prediction, every near."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.kernel import target
from lutgen.errors import InputError
from lutgen.gateware.fabric.timeline import Timeline
from lutgen.gateware.prediction.near import Near, NearTables
from lutgen.gateware.prediction.quantities import Widths
from lutgen.model.predictive.neighbourhood import FRACTION_BITS
from lutgen.model.samples import SampleFormat
from tests.gateware.bundle import Pipelines
from tests.models import predictive_model

#: Clocks in which near, and what goes with it, are on their way.
_BEFORE, _LATENCY = 3, 8


class _Indices(wiring.Component):
    """A sample's index and what it stands for, and the index that a prediction is nearest to."""

    def __init__(self, depth: int, most: int) -> None:
        self._form, self._widths = Near(depth, most), Widths(depth)
        super().__init__({
            "near": In(self._form.bits), "sample": In(depth),
            "prediction": In(self._widths.prediction), "index": Out(depth), "restored": Out(depth),
            "whole": Out(depth), "rest": Out(FRACTION_BITS),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        line = Timeline(m)
        near = NearTables(m, line, self._form, line.given("near", self.near))
        sample, prediction = (
            line.given(name, line.given(f"given_{name}", value).at(_BEFORE), _BEFORE)
            for name, value in (("sample", self.sample), ("prediction", self.prediction))
        )
        index = near.add_index(sample)
        restored = near.add_restored(index)
        whole, rest = near.add_nearest(prediction)
        m.d.comb += [
            getattr(self, name).eq(value.at(_LATENCY)) for name, value in (
                ("index", index), ("restored", restored), ("whole", whole), ("rest", rest),
            )
        ]  # fmt: skip
        return m


#: Depths and greatest nears: of the second one predictions go beyond the greatest index.
CASES = {"eight": (8, 5), "nine": (9, 5), "sixteen": (16, 5), "deep_table": (8, 127)}


def test_indices():
    """All samples and all predictions, of all nears, as the reference has them; some of 16 bits."""
    assert [Near(*case).overruns for case in CASES.values()] == [False, True, False, True]
    blocks = Pipelines({name: _Indices(*case) for name, case in CASES.items()})
    kernel = predictive_model().kernel
    for name, (depth, most) in CASES.items():
        nears = range(most + 1) if most < 9 else (0, 1, 13, 90, most)
        top = (1 << depth) - 1
        samples = np.arange(0, top + 1, 1 if depth < 12 else 51, dtype=SampleFormat(depth).dtype)
        predictions = np.linspace(0, top << FRACTION_BITS, min((top << FRACTION_BITS) + 1, 4096))
        predictions = predictions.astype(np.int64)
        count = len(predictions)
        inputs = {
            "near": np.repeat(nears, count),
            "sample": np.tile(np.resize(samples, count), len(nears)),
            "prediction": np.tile(predictions, len(nears)),
        }
        found = blocks({f"{name}_{k}": v for k, v in inputs.items()}, extra=_LATENCY)
        given = {k: found[f"{name}_{k}"][_LATENCY:] for k in ("index", "restored", "whole", "rest")}
        for k, near in enumerate(nears):
            form, part = SampleFormat(depth, near=near), np.s_[k * count :]
            indices = form.quantise(samples)
            np.testing.assert_array_equal(given["index"][part][: len(samples)], indices)
            np.testing.assert_array_equal(
                given["restored"][part][: len(samples)], form.restore(indices)
            )
            wanted = np.array([
                target(kernel, int(p), 0, False, form.step, form.levels - 1)[:2]
                for p in predictions
            ])  # fmt: skip
            np.testing.assert_array_equal(given["whole"][part][:count], wanted[:, 0])
            np.testing.assert_array_equal(given["rest"][part][:count], wanted[:, 1] & 7)


@pytest.mark.parametrize("depth", range(8, 17))
def test_indices_are_exact(depth):
    """A product in place of a division, for every sample of every near that there is."""
    for most in (5, min(SampleFormat.MAX_NEAR, (1 << depth) - 1 >> 1)):
        factors, shift = Near(depth, most).factors
        samples = np.arange(1 << depth, dtype=np.int64)
        for near, factor in enumerate(factors):
            wanted = (samples + near) // (2 * near + 1)
            assert np.array_equal((samples + near) * factor >> shift, wanted), near
    few, _ = Near(depth, 5).factors
    assert max(few).bit_length() <= 21  # with samples of 17 bits a DSP's product


def test_refused_nears():
    with pytest.raises(InputError, match="near of 8-bit samples must be 0 to 127, not 128"):
        Near(8, 128)

