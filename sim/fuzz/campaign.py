"""The campaign that fits a build's core."""

from __future__ import annotations

from lutgen.gateware.core.top import ENCODER_ERRORS
from lutgen.sim.check.checked import CheckedBuild
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
    build: CheckedBuild, core: str, seed: int, *, largest: tuple[int, int] | None = None
) -> Fuzz:
    """Damaged files for a decoder, or random traffic for an encoder.

    ``largest`` is the greatest width and height of pictures, by default small.
    """
    largest = tuple(min(pair) for pair in zip(largest or _LARGEST, build.largest, strict=True))
    files = (StripFiles if build.config.strips else TileFiles)(build, seed)
    if core == "decoder":
        return DecoderFuzz(files, seed=seed, largest=largest)
    ports = build.design(core).ports
    bits = {name: ports[name].width for name in _SETTINGS if name in ports}
    return EncoderFuzz(
        build, files, files.encode, errors=ENCODER_ERRORS, bits=bits, seed=seed, largest=largest
    )
