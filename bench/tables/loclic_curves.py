"""Rate-distortion curves on Kodak side by side: those measured here, and published ones.

Measured are all files ``loclic-*.json`` of a folder in CompressAI's schema; the others are numbers
of `lutgen.training.loclic.measure.published`.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from lutgen.training.loclic.measure.bd import bd_quality, bd_rate
from lutgen.training.loclic.measure.complexity import Count, codec_layers, count
from lutgen.training.loclic.measure.published import KODAK, KODAK_MS_SSIM
from lutgen.training.loclic.measure.reference import REFERENCES, reference_layers
from lutgen.training.loclic.measure.results import Results
from lutgen.training.loclic.networks.config import PRESETS, preset

__all__ = [
    "Curve", "Difference", "ahead", "decibel", "difference", "measured", "models", "published",
]  # fmt: skip

_READ_OFF = " (read off a plot)"

#: Least points of a curve with Bjøntegaard differences.
_POINTS = 4


def decibel(ms_ssim: float) -> float:
    """MS-SSIM as it is usually plotted: -10 log10 of what is missing to one."""
    return -10 * math.log10(1 - ms_ssim)


@dataclass(frozen=True)
class Curve:
    """Points of a codec.

    Parameters
    ----------
    name:
        The codec.
    source:
        ``measured``, ``published`` or ``published, read off a plot``.
    rates:
        Bits per pixel.
    qualities:
        By name: ``psnr`` in dB, and ``ms-ssim`` in dB where it is known.
    results:
        All that was measured, if it was.
    """

    name: str
    source: str
    rates: list[float]
    qualities: dict[str, list[float]]
    results: Results | None = None

    @property
    def label(self) -> str:
        return f"{self.name}, {self.source}"

    def best(self, quality: str) -> tuple[list[float], list[float]]:
        """The points that no other one beats at a lower rate, in the order of rates."""
        rates, values = [], []
        for rate, value in sorted(zip(self.rates, self.qualities[quality], strict=True)):
            if values and value <= values[-1]:
                continue
            if rates and rate == rates[-1]:
                rates.pop(), values.pop()
            rates.append(rate)
            values.append(value)
        return rates, values


def measured(folder: Path) -> list[Curve]:
    """Curves of all files of a folder that are of the schema, by the names of the files."""
    curves = []
    for path in sorted(folder.glob("loclic-*.json")):
        try:
            results = Results.load(path)
        except ValueError:
            continue  # something else that is called so
        found = results.results
        name = path.stem.removeprefix("loclic-")
        if _preset_of(f"loc-lic-{name}"):
            name = f"loc-lic-{name}"
        qualities = {
            "psnr": found["psnr-rgb"], "ms-ssim": [decibel(v) for v in found["ms-ssim-rgb"]],
        }  # fmt: skip
        curves.append(Curve(name, "measured", found["bpp"], qualities, results))
    return curves


def published() -> list[Curve]:
    """Curves that others measured."""
    curves = []
    for name, (rates, psnr) in KODAK.items():
        qualities = {"psnr": list(psnr)}
        if name in KODAK_MS_SSIM:
            qualities["ms-ssim"] = [decibel(v) for v in KODAK_MS_SSIM[name]]
        source = "published" + (", read off a plot" if name.endswith(_READ_OFF) else "")
        curves.append(Curve(name.removesuffix(_READ_OFF), source, list(rates), qualities))
    return curves


def models(name: str, rule: str) -> dict[str, Count]:
    """Complexity of the models behind a curve, the smallest first; none if it is no network."""
    if name in REFERENCES:
        return {size: count(reference_layers(name, size), rule) for size in REFERENCES[name]}
    if name == "mlic++":
        names = [name, "mlic++-old"]
    else:
        names = [found] if (found := _preset_of(name)) else []
    return {found: count(codec_layers(preset(found)), rule) for found in names}


def _preset_of(name: str) -> str | None:
    """The configuration that a name begins with; of the paper's only its very name counts."""
    for found in sorted(PRESETS, key=len, reverse=True):
        if name == found or (name.startswith(f"{found}-") and found != "loc-lic"):
            return found
    return None


@dataclass(frozen=True)
class Difference:
    """Bjøntegaard differences of a curve to an anchor, each with the range that both share.

    ``rate`` in percent at equal quality, ``quality`` in dB at equal rate; None, and the reason in
    place of the range, where it is undefined.
    """

    rate: float | None
    rate_over: tuple[float, float] | str
    quality: float | None
    quality_over: tuple[float, float] | str


def difference(anchor: Curve, test: Curve, quality: str = "psnr") -> Difference:
    """How ``test`` differs from ``anchor``, by the best points of both."""
    curves = anchor.best(quality), test.best(quality)
    found: list = []
    for make, axis in ((bd_rate, 1), (bd_quality, 0)):
        low, high = (max(min(c[axis]) for c in curves), min(max(c[axis]) for c in curves))
        if any(len(c[0]) < _POINTS for c in curves):
            found += [None, f"fewer than {_POINTS} points"]
        elif low >= high:
            found += [None, "no overlap"]
        else:
            found += [make(*curves), (low, high)]
    return Difference(*found)


def ahead(anchor: Curve, test: Curve, quality: str = "psnr") -> list[tuple[float, float]]:
    """Ranges of rates in which ``test`` is better, of those that both curves have.

    Between points curves are straight lines over the logarithm of the rate.
    """
    (r0, q0), (r1, q1) = anchor.best(quality), test.best(quality)
    low, high = max(r0[0], r1[0]), min(r0[-1], r1[-1])
    if low >= high:
        return []
    rates = np.log(sorted({low, high, *(r for r in (*r0, *r1) if low < r < high)}))
    more = np.interp(rates, np.log(r1), q1) - np.interp(rates, np.log(r0), q0)
    found: list[tuple[float, float]] = []
    for (a, b), (x, y) in zip(pairwise(rates), pairwise(more), strict=True):
        if max(x, y) <= 0:
            continue
        crossing = a + (b - a) * x / (x - y) if x != y else a
        start, end = (crossing if x < 0 else a), (crossing if y < 0 else b)
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return [(math.exp(start), math.exp(end)) for start, end in found]
