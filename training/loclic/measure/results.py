"""Rate-distortion results in CompressAI's json schema; importable without torch.

::

    {"name": ..., "description": ...,
     "results": {"psnr-rgb": [...], "ms-ssim-rgb": [...], "bpp": [...],
                 "encoding_time": [...], "decoding_time": [...]}}

One number for each point of the curve, the mean over images: dB, no unit, bits per pixel, seconds.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from lutgen.errors import InputError
from lutgen.files.whole import write_file

__all__ = ["FIGURES", "Results"]

#: Figures that every point has.
FIGURES = ("psnr-rgb", "ms-ssim-rgb", "bpp", "encoding_time", "decoding_time")


@dataclass(frozen=True)
class Results:
    """A rate-distortion curve.

    Parameters
    ----------
    name, description:
        What was measured, how and where.
    results:
        Lists of equal lengths: at least `FIGURES`.

    Raises
    ------
    InputError
        If one is missing, or lists are not of finite numbers or of different lengths.
    """

    name: str
    description: str
    results: dict[str, list[float]]

    def __post_init__(self) -> None:
        missing = [name for name in FIGURES if name not in self.results]
        if missing:
            raise InputError(f"results must have the list {missing[0]!r}; see {', '.join(FIGURES)}")
        points = len(self.results["bpp"])
        for name, values in self.results.items():
            if not isinstance(values, list) or len(values) != points or not points:
                raise InputError(f"{name} must be a list of {points or 'some'} numbers like bpp")
            if not all(
                isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
                for v in values
            ):
                raise InputError(f"{name} must be finite numbers, not {values!r}")

    def curve(self, quality: str = "psnr-rgb") -> tuple[list[float], list[float]]:
        """Rates and qualities, for `lutgen.training.loclic.measure.bd`."""
        return self.results["bpp"], self.results[quality]

    @classmethod
    def load(cls, path) -> "Results":
        """Read a file.

        Raises
        ------
        InputError
            If it is not of the schema.
        OSError
            If it cannot be read.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            if not isinstance(data, dict) or not isinstance(data.get("results"), dict):
                raise InputError("it must be an object with an object 'results'")
            return cls(str(data.get("name", "")), str(data.get("description", "")), data["results"])
        except ValueError as error:
            raise InputError(f"{path} must hold results in CompressAI's schema: {error}") from None

    def save(self, path) -> None:
        """Write a file, whole or not at all."""
        data = {"name": self.name, "description": self.description, "results": self.results}
        write_file(path, (json.dumps(data, indent=1) + "\n").encode())
