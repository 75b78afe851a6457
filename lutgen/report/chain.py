"""What a block diagram shows of a core: rows from the image side to the file side, and arrows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .text import count

__all__ = [
    "BOTH", "DOWN", "UP", "Chain", "Dimension", "Feed", "Inner", "Loop", "Row", "port_row",
]  # fmt: skip

#: Flows from a row to the one below it.
DOWN, UP, BOTH = "down", "up", "both"


class Inner(NamedTuple):
    """A small box: its words, and below them the LUTs of a block, or more words."""

    words: str
    block: str = ""
    more: str = ""


@dataclass
class Row:
    """A box, a port (no block), or a frame around smaller boxes.

    ``counted`` names the blocks whose resources the box shows; ``place`` is where the arrows
    look for it; ``flow`` is the arrow to the row below, if there is one.
    """

    place: str
    title: str
    note: str
    counted: tuple[str, ...] = ()
    inner: Sequence[Inner] = ()
    flow: str | None = DOWN

    @property
    def blocks(self) -> list[str]:
        """All blocks whose resources it shows."""
        return [*self.counted, *(inner.block for inner in self.inner)]


class Loop(NamedTuple):
    """The loop that sets the number of lanes, at the right: from a place to others above it, or
    from a row to itself.  Its words stand in the middle between two places."""

    start: str
    ends: tuple[str, ...]
    words: str
    beside: tuple[str, str]


class Feed(NamedTuple):
    """What goes from a place past others to one below it, at the right, with words beside it."""

    start: str
    end: str
    words: str
    beside: tuple[str, str]


class Dimension(NamedTuple):
    """A dimension line at the left, from the top of a place to the bottom of another; its column
    is 0, beside the boxes, or 1."""

    column: int
    first: str
    last: str
    words: str


@dataclass(frozen=True)
class Chain:
    """What a diagram shows of a core; ``told`` is the picture in words."""

    rows: Sequence[Row]
    loop: Loop
    told: str
    dimensions: Sequence[Dimension] = ()
    feeds: Sequence[Feed] = ()


def port_row(made: Mapping, name: str, place: str, what: str, flow: str | None = DOWN) -> Row:
    """The row of a stream's port of a core."""
    widths = {port["name"]: port["width"] for port in made["ports"]}
    bits = widths.get(f"{name}_tdata")
    return Row(place, name, f"{what}, {count(bits)} bits" if bits else what, flow=flow)
