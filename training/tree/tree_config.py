"""Configuration of the trainer of context trees."""

from dataclasses import dataclass

from lutgen.errors import InputError

__all__ = ["RasterTable"]


@dataclass(frozen=True, kw_only=True)
class RasterTable:
    """Profile ``raster-table``: a context tree and one learned table per class.

    Figures in the comments are ideal bpp on 1,000 EMNIST digits not trained on.

    Raises
    ------
    InputError
        If a number is out of its range.
    """

    # Tests the netlist decides, plus one: 256 is an 8-bit index and about 200 LUTs.
    top_leaves: int = 256
    # Radix-4 stages of the walker, two tests each; 0 makes the netlist decide all tests.  Four
    # with 128 top leaves cost more memory for the same bpp, two with 512 save half of it for 0.05.
    stages: int = 3
    # Leaves after pruning.  256 x 4 ** 3 is full; the last quarter of them gains nothing on
    # images not trained on, and memories are full at 8,192 already (3,892 records of 4,096).
    leaves: int = 12288
    # Leaves grown before pruning, as a multiple; walkers of more stages use it better.
    overgrow: float = 2.0
    # Sweeps of choosing all tests again: 0.009 bpp, 0.001, 0.0004, then nothing changes.
    sweeps: int = 3
    # Tables: 128 take 13 BRAM36 of 14-bit entries in each direction, 256 take 26.
    classes: int = 128
    # K of the window: the paper's 5; 7 gained nothing.
    window: int = 5
    # Side of a tile: a 28 x 28 image is one tile; power of two for the address logic.
    tile: int = 32
    # Flips and turns added to the training images: 1 (none), 2, 4 or 8.  Digits have a slant, so
    # 8 lost 0.01 bpp with 8,000 images.
    orientations: int = 1
    # Least gain of a split in bits, over all training pixels: no split that says nothing.
    min_gain: float = 8.0
    # Share of the training images on which the smoothing of the tables is decided.
    held_out: float = 0.1
    # Of the first classes and of the choice of held-out images.
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("top_leaves", 2, 1 << 12), ("stages", 0, 16), ("leaves", 2, 1 << 16),
            ("overgrow", 1, 16), ("sweeps", 0, 100), ("classes", 2, 1 << 12), ("tile", 4, 1 << 12),
            ("min_gain", 0, float("inf")), ("seed", 0, (1 << 63) - 1),
        ):
            value = getattr(self, name)
            real = name in ("overgrow", "min_gain")
            if isinstance(value, bool) or not isinstance(value, int | float if real else int):
                raise InputError(f"{name} must be a number, not {value!r}")
            if not low <= value <= high:
                raise InputError(f"{name} must be {low} to {high}, not {value!r}")
        if self.window not in (3, 5, 7):
            raise InputError(f"window must be 3, 5 or 7, not {self.window!r}")
        if self.orientations not in (1, 2, 4, 8):
            raise InputError(f"orientations must be 1, 2, 4 or 8, not {self.orientations!r}")
        if not 0 < self.held_out < 1:
            raise InputError(f"held_out must be between 0 and 1, not {self.held_out!r}")
        if self.stages and self.leaves < self.top_leaves:
            raise InputError(
                f"leaves must be at least top_leaves, {self.top_leaves}, not {self.leaves}"
            )
