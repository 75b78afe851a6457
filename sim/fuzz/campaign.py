"""The campaign that fits a build's core."""

from __future__ import annotations

from lutgen.errors import InputError
from lutgen.gateware.core.top import ENCODER_ERRORS
from lutgen.sim.check.checked import CheckedBuild
from lutgen.sim.check.predictive_build import PredictiveBuild
from lutgen.sim.check.tile_build import TileBuild
from lutgen.sim.fuzz.decoder import DecoderFuzz
from lutgen.sim.fuzz.encoder import EncoderFuzz
from lutgen.sim.fuzz.fuzz import Fuzz
from lutgen.sim.fuzz.strip_files import StripFiles
from lutgen.sim.fuzz.tile_files import TileFiles

__all__ = ["campaign"]

#: Largest pictures: small ones take few clocks, and damage meets more of a small file.
_LARGEST = (20, 12)
#: Ports of an encoder.
_SETTINGS = ("width", "height", "images", "near")


def campaign(
    build: CheckedBuild, core: str, seed: int, *, largest: tuple[int, int] | None = None,
    long: bool = False,
) -> Fuzz:  # fmt: skip
    """Damaged files for a decoder, or random traffic for an encoder.

    ``largest`` is the greatest width and height of pictures, by default small; for ``long`` see
    `DecoderFuzz` and `EncoderFuzz`.
    """
    width, height = map(min, largest or _LARGEST, build.largest)
    largest = width, height
    files = _files(build, seed)
    if core == "decoder":
        return DecoderFuzz(files, seed=seed, largest=largest, long=long)
    ports = build.design(core).ports
    bits = {name: ports[name].width for name in _SETTINGS if name in ports}
    return EncoderFuzz(
        build, files, files.encode, errors=ENCODER_ERRORS, bits=bits, seed=seed, largest=largest,
        long=long,
    )  # fmt: skip


def _files(build: CheckedBuild, seed: int) -> StripFiles | TileFiles:
    if isinstance(build, PredictiveBuild):
        return StripFiles(build, seed)
    if isinstance(build, TileBuild):
        return TileFiles(build, seed)
    raise InputError(f"build must be one of a known profile, not {type(build).__name__}")
