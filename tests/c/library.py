"""The models that the tests of the codec in C put into one library."""

from lutgen.model.shipped import SHIPPED, AnyModel, find_model
from tests.models import (
    colour_model,
    laplace_model,
    mosaic_model,
    predictive_model,
    pyramid_laplace_model,
    pyramid_table_model,
    table_model,
)

__all__ = ["TILES", "library"]

#: Models that code tiles, random but for one: walker or none, both heads, levels, the constraint.
TILES = {
    "digits": lambda: find_model("digits"),
    "table": lambda: table_model(3, size=7, walker=False),
    "laplace": lambda: laplace_model(1),
    "pyramid": lambda: pyramid_table_model(2, levels=3, size=3, ups_size=7),
    "pyramid-4": lambda: pyramid_table_model(4, levels=1, constraint=True),
    "gic-dlc": lambda: pyramid_laplace_model(5, levels=2, bits=300, nodes=150),
    "gic-dlc-4": lambda: pyramid_laplace_model(6, levels=2, constraint=True),
}


def library() -> dict[str, AnyModel]:
    """All that ship, and random ones of all kinds, by name."""
    return {
        **{name: find_model(name) for name in SHIPPED},
        "random": predictive_model(), "random-rgb": colour_model(5),
        "random-bayer": mosaic_model(6),
        **{name: made() for name, made in TILES.items()},
    }  # fmt: skip
