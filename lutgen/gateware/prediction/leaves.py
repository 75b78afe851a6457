"""The leaf of a tree as an address: of a memory with more rows than there are leaves.

A node's answer is a bit of the address itself, and the bits below it are those of the child that it
chooses.  So a leaf has as many addresses as there are bits that its way does not ask for, and no
leaf needs a number.  Where a way is longer than the address, its last nodes choose a number.
"""

from dataclasses import dataclass
from functools import cache, cached_property

from amaranth.hdl import Cat, Mux, Value

from lutgen.model.predictive.predictor import Predictor

from ..fabric.timeline import Timed, Timeline

__all__ = ["Branch", "Numbers", "add_leaf_address", "add_leaf_bits", "leaf_addresses", "leaf_at"]

#: Bits of an address at least: block memories have so many rows of the words that are read.
_ADDRESS_BITS = 9
#: Nodes on a way between two registers.
_NODES = 4


@dataclass(frozen=True)
class Numbers:
    """Leaves that have numbers, each with its nodes and whether these answer yes; one has none."""

    ways: tuple[tuple[int, tuple[tuple[int, bool], ...]], ...]

    @cached_property
    def bits(self) -> int:
        """Bits of their numbers."""
        return (len(self.ways) - 1).bit_length()

    @cached_property
    def nodes(self) -> int:
        """How many nodes the logic counts for: those of the longest way, up to a stage's."""
        return min(_NODES, max(len(way) for _, way in self.ways))


@dataclass(frozen=True)
class Branch:
    """A node whose answer is the highest bit, above those of its children."""

    node: int
    no: "Branch | Numbers"
    yes: "Branch | Numbers"

    @cached_property
    def bits(self) -> int:
        """Bits of the address."""
        return 1 + max(self.no.bits, self.yes.bits)

    @cached_property
    def nodes(self) -> int:
        """Nodes on the longest way."""
        return 1 + max(self.no.nodes, self.yes.nodes)


def leaf_addresses(predictor: Predictor, bits: int = _ADDRESS_BITS) -> Branch | Numbers:
    """How a tree's leaves are told by at most so many bits, or those that their number has."""
    child = predictor.child.tolist()

    @cache
    def ways(node: int) -> tuple:
        if node < 0:
            return ((-1 - node, ()),)
        return tuple(
            (leaf, ((node, bool(side)), *way))
            for side in (0, 1) for leaf, way in ways(child[node][side])
        )  # fmt: skip

    @cache
    def fits(node: int, bits: int) -> bool:
        return len(ways(node)) <= 1 << bits or splits(node, bits)

    def splits(node: int, bits: int) -> bool:
        return node >= 0 and bits > 0 and all(fits(part, bits - 1) for part in child[node])

    def part(node: int, bits: int) -> Branch | Numbers:
        if not splits(node, bits):
            return Numbers(ways(node))
        return Branch(node, *(part(side, bits - 1) for side in child[node]))

    most = max(bits, (predictor.leaves - 1).bit_length())
    return part(0 if child else -1, most)


def leaf_at(part: Branch | Numbers, address: int) -> int:
    """The leaf that has an address; any one if none has it."""
    while isinstance(part, Branch):
        part = part.yes if address >> (part.bits - 1) & 1 else part.no
        address &= (1 << part.bits) - 1
    return part.ways[min(address, len(part.ways) - 1)][0]


def add_leaf_address(line: Timeline, part: Branch | Numbers, answers: list[Timed]) -> Timed:
    """Add the address, which has a bit at least, from the answers of all nodes: two clocks."""
    address = add_leaf_bits(line, part, answers, "leaf")
    return line.register("leaf", address.now, address.clock)


def add_leaf_bits(
    line: Timeline, part: Branch | Numbers, answers: list[Timed], name: str
) -> Timed:
    """The same a clock earlier, before it is registered."""
    clock = line.ready(*answers)

    def bits(part: Branch | Numbers, at: int) -> list[Value]:
        if isinstance(part, Numbers):
            lines = [
                Cat(answers[n].at(at) if yes else ~answers[n].at(at) for n, yes in way).all()
                for _, way in part.ways
            ]
            return [
                Cat(one for k, one in enumerate(lines) if k >> bit & 1).any()
                for bit in range(part.bits)
            ]
        if at > clock and part.nodes <= _NODES:
            below = line.register(f"{name}_below_{part.node}", Cat(bits(part, clock)), clock)
            return list(below.now)
        no, yes = bits(part.no, at), bits(part.yes, at)
        answer, both = answers[part.node].at(at), min(len(no), len(yes))
        chosen = [Mux(answer, b, a) for a, b in zip(no, yes, strict=False)]
        return [*chosen, *no[both:], *yes[both:], answer]

    return line.given(name, Cat(bits(part, clock + 1)), clock + 1)
