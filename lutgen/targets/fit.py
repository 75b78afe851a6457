"""What fits a device, by counts alone: nothing here was placed or routed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .target import Target

__all__ = ["FLAGSHIP", "Fit", "basis", "depths", "fit", "levels_basis"]

#: Encoder and decoder of the model `photo`, gray of 8 bits up to 1,920 x 1,080: `pair.total` of
#: bench/results/build-predictive.json, which `lutgen build --target zynq7045 --json` writes.  A
#: test keeps the two equal.
FLAGSHIP = MappingProxyType({"lut": 13079, "ff": 13452, "bram36": 117.5, "dsp": 46})

_COUNTED = ("Zynq-7000", "Kintex-7", "Artix-7")
_LABELS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36", "dsp": "DSP"}


@dataclass(frozen=True)
class Fit:
    """How many flagship pairs a device holds.

    Attributes
    ----------
    pairs
        Whole pairs at 100 % use, an upper bound; None where nothing limits them or nothing was
        estimated.
    limit
        What runs out first: "LUT", "FF", "BRAM36" or "DSP", or "".
    basis
        How the counts differ from the device's own, or "" where they are its own; see `basis`.
    """

    pairs: int | None
    limit: str
    basis: str


def basis(family: str, yosys_family: str | None) -> str:
    """In which way `lutgen.synth` counts other cells than those of ``family``; "" if it does not.

    ``yosys_family`` is the family that it maps to, as in `Target`.
    """
    if yosys_family is None:
        return "counted as 6-input LUTs and flip-flops, memories left whole"
    if family not in _COUNTED:
        return f"counted as 7-series cells, an estimate for {family}"
    return ""


def levels_basis(yosys_family: str | None) -> str:
    """How `lutgen.synth` counts LUT levels and logic levels: belongs beside every such number."""
    if yosys_family is None:
        return "LUT levels: of 6-input LUTs, mapped with ABC's own wire delay, no carry chains"
    return (
        "LUT levels: mapped with 700 ps of wire per LUT in ABC, a carry chain as one, MUXF as "
        "none; logic levels: every LUT, CARRY4 and MUXF as one, as Vivado counts"
    )


def depths(found: Mapping) -> str:
    """LUT levels and logic levels of a block or a whole, "4 LUT levels, 10 logic levels".

    Records of the first versions have LUT levels only.
    """
    parts = [f"{found['levels']} LUT levels"]
    if found.get("logic_levels") is not None:
        parts.append(f"{found['logic_levels']} logic levels")
    return ", ".join(parts)


def fit(target: Target) -> Fit:
    """How many flagship pairs ``target`` holds."""
    if target.yosys_family is None:
        if target.luts is None:
            return Fit(None, "", "no particular device, no limit")
        return Fit(
            None, "",
            f"not estimated: it has {target.lut_inputs}-input LUTs and 18-kbit memories",
        )  # fmt: skip
    pairs, kind = min(
        (int(held // FLAGSHIP[kind]), kind)
        for kind, held in target.capacity.items()
        if FLAGSHIP[kind]
    )
    return Fit(pairs, _LABELS[kind], basis(target.family, target.yosys_family))
