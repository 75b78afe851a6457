"""Configurations of the lossy codec, one frozen dataclass and a table of named ones.

Importable without torch.
"""

from dataclasses import dataclass

from lutgen.errors import InputError

__all__ = ["ALIGNMENT", "PRESETS", "CodecConfig", "preset"]

#: Sides of an image are padded to multiples of this: z is a 64th of the image.
ALIGNMENT = 64

_RESIDUALS = ("narrow", "pointwise", "tapered")
#: Most cells of a side of the local context's window: a table of them grows with the fourth power.
_MOST_WINDOW = 15


@dataclass(frozen=True, kw_only=True)
class CodecConfig:
    """Shape of a codec with MLIC++'s entropy model.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    # Where the numbers are from.
    source: str
    # Channels at half, quarter and eighth of the resolution: N in LoC-LIC, section 3.2, which
    # doubles them as the resolution halves; MLIC++ has the same everywhere.
    widths: tuple[int, int, int] = (32, 64, 128)
    # Channels of y, at a 16th of the resolution: M.
    latent: int = 320
    # Parts of y, of equally many channels, that are coded one after the other.
    slices: int = 10
    # Channels of z, at a 64th of the resolution; the last width unless told.
    hyper_width: int = None  # type: ignore[assignment]  # a number behind __post_init__
    # Channels behind the first residual block of the synthesis; M unless told.
    synthesis_width: int = None  # type: ignore[assignment]  # a number behind __post_init__
    # Layers of the latent residual prediction: "narrow" 224, 128; "pointwise" 128, 64, the first
    # of single cells; "tapered" in quarters from the width of its input to that of a slice.
    residual: str = "narrow"
    # Side of the window of the local context, in cells of y.
    window: int = 5
    # Channels, at a 16th of the resolution, of a transform of blocks of what the synthesis leaves
    # of the image, coded behind y; none in the papers.  Few channels and narrow transforms cannot
    # tell more than so much of an image, however fine the steps are.
    remainder: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        for name in ("hyper_width", "synthesis_width"):
            if getattr(self, name) is None:
                default = self.widths[-1] if name == "hyper_width" else self.latent
                object.__setattr__(self, name, default)
        sizes = (*self.widths, self.latent, self.hyper_width, self.synthesis_width)
        if len(self.widths) != 3 or any(not 1 <= n <= 4096 for n in sizes):
            raise InputError(
                f"widths must be three numbers of 1 to 4096 channels, and so must latent, "
                f"hyper_width and synthesis_width, not {sizes!r}"
            )
        if self.slices < 1 or self.latent % self.slices or self.channels % 2:
            raise InputError(
                "slices must divide latent into slices of an even number of channels, "
                f"not {self.latent} into {self.slices}"
            )
        if self.residual not in _RESIDUALS:
            raise InputError(
                f"residual must be one of {', '.join(_RESIDUALS)}, not {self.residual!r}"
            )
        if not 0 <= self.remainder <= 768:
            raise InputError(
                "remainder must be 0 to 768 channels, all of a block of 16 x 16 pixels, not "
                f"{self.remainder!r}"
            )
        if not 1 <= self.window <= _MOST_WINDOW or self.window % 2 == 0:
            raise InputError(
                f"window must be an odd number of cells, at most {_MOST_WINDOW}, not "
                f"{self.window!r}"
            )

    @property
    def channels(self) -> int:
        """Channels of a slice: c."""
        return self.latent // self.slices

    @property
    def residual_sides(self) -> list[int]:
        """Sides of the kernels of a latent residual prediction."""
        return {"narrow": [3, 3, 3], "pointwise": [1, 3, 3], "tapered": [3] * 4}[self.residual]

    def residual_widths(self, index: int) -> list[int]:
        """Channels from input to output of a latent residual prediction in slice ``index``."""
        out = self.channels
        first = self.latent + (index + 1) * out
        if self.residual == "narrow":
            return [first, 224, 128, out]
        if self.residual == "pointwise":
            return [first, 128, 64, out]
        return [first, *(first - (first - out) * k // 4 for k in (1, 2, 3)), out]


_LOCLIC = "LoC-LIC, section 3"
_OURS = "LoC-LIC, fewer channels"
_MLIC = "MLIC++, the transforms that LoC-LIC replaces"
_SAME = (192, 192, 192)

#: Named configurations.  kMAC per pixel, of convolutions and linear layers:
#: 271.39, 202.18, 145.36, 60.82, 43.70, 42.21; 1126.88 and 1256.60, of which the LoC-LIC paper
#: cites the second.
PRESETS = {
    "loc-lic": CodecConfig(source=_LOCLIC),
    "loc-lic-256": CodecConfig(source=_OURS, latent=256, slices=8),
    "loc-lic-192": CodecConfig(source=_OURS, latent=192, slices=6),
    "loc-lic-small": CodecConfig(source=_OURS, widths=(16, 32, 64), latent=128, slices=4),
    "loc-lic-mini": CodecConfig(
        source=_OURS, widths=(16, 32, 64), latent=128, slices=4, residual="pointwise",
        remainder=128,
    ),
    "loc-lic-mini-plain": CodecConfig(
        source=_OURS, widths=(16, 32, 64), latent=128, slices=4, residual="pointwise"
    ),
    "mlic++": CodecConfig(source=_MLIC, widths=_SAME),
    "mlic++-old": CodecConfig(
        source=f"{_MLIC}, as first published", widths=_SAME, synthesis_width=192,
        residual="tapered",
    ),
}  # fmt: skip


def preset(name: str) -> CodecConfig:
    """The configuration of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise InputError(
            f"configuration must be one of {', '.join(PRESETS)}, not {name!r}"
        ) from None
