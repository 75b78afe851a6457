"""Logic levels between sequential elements of a flat mapped design.

A LUT of any size is one level, and so are the asynchronous read of a LUT memory or of an SRL with
a variable address, an unregistered DSP and a whole carry chain from its first bit to its last.
MUXF7 and MUXF8 are dedicated wires beside the LUTs: they are counted apart.  Levels are exact,
unlike any delay that an open tool can give for 7-series; but they are those of one mapping, whose
trade of levels for LUTs depends on the wire delay that `.yosys` gives to ABC.

What Vivado calls logic levels is another count, kept beside it: every cell on the way is one, each
CARRY4 of a chain and each MUXF among them.
"""

from collections import Counter
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from .cells import Cell, Net, arcs, endpoints, launches
from .design import FlatDesign
from .yosys import SynthError

__all__ = ["Depth", "Endpoint", "LevelAnalysis"]

Depth = tuple[int, int]
"""Levels, then MUXF7/MUXF8 cells, compared in this order."""


@dataclass(frozen=True)
class Endpoint:
    """The deepest path into one cell (``cell`` is None for an output port of the top).

    ``logic_levels`` is the most cells on any path into it, which may be another path.
    """

    cell: Cell | None
    net: Net
    depth: Depth
    logic_levels: int


class LevelAnalysis:
    """Arrival of every net, in levels after the last sequential element or input port."""

    def __init__(self, design: FlatDesign):
        self._design = design
        self._driver: dict[Net, Cell] = {}
        self._arrival: dict[Net, Depth] = {net: (0, 0) for net in design.inputs}
        self._before: dict[Net, Net] = {}
        self._cells: dict[Net, int] = dict.fromkeys(self._arrival, 0)
        self._propagate()

    def endpoints(self) -> list[Endpoint]:
        """The deepest path into every sequential cell, and into the output ports of the top."""
        found = []
        for cell in self._design.cells:
            timed = [net for net in endpoints(cell) if net in self._arrival]
            if timed:
                worst = max(timed, key=self._arrival.__getitem__)
                most = max(self._cells[net] for net in timed)
                found.append(Endpoint(cell, worst, self._arrival[worst], most))
        found.extend(
            Endpoint(None, net, self._arrival[net], self._cells[net])
            for net in self._design.outputs
            if net in self._arrival
        )
        return found

    def histogram(self, found: list[Endpoint]) -> dict[int, int]:
        """How many of the endpoints lie at each number of levels."""
        return dict(sorted(Counter(end.depth[0] for end in found).items()))

    def path(self, end: Endpoint) -> list[dict]:
        """Cells on the deepest path into ``end``, first to last.

        Each is a dict of ``type``, ``module`` (hierarchy path), ``net`` (name of the net it
        drives, or of the pin's net for the last), and ``levels`` after that cell.
        """
        steps = [_step(end.cell, self._name(end.net), end.depth[0])] if end.cell else []
        net: Net | None = end.net
        while net is not None:
            steps.append(_step(self._driver.get(net), self._name(net), self._arrival[net][0]))
            net = self._before.get(net)
        return steps[::-1]

    def _propagate(self) -> None:
        ways: dict[Net, list] = {}
        for cell in self._design.cells:
            for net, start in launches(cell):
                self._arrival[net] = (start, 0)
                self._cells[net] = 0
                self._driver[net] = cell
            for arc in arcs(cell):
                ways.setdefault(arc.output, []).append(arc)
                self._driver[arc.output] = cell
        order = TopologicalSorter(
            {net: {source for arc in into for source in arc.sources} for net, into in ways.items()}
        )
        try:
            nets = list(order.static_order())
        except CycleError as error:
            names = " -> ".join(self._name(net) for net in error.args[1])
            raise SynthError(f"design has a combinational loop: {names}") from None
        for net in nets:
            for arc in ways.get(net, ()):
                for source in arc.sources:
                    if source in self._arrival:
                        levels, muxes = self._arrival[source]
                        depth = (levels + arc.levels, muxes + arc.muxes)
                        cells = self._cells[source] + 1
                        self._cells[net] = max(self._cells.get(net, 0), cells)
                        if depth > self._arrival.get(net, (-1, 0)):
                            self._arrival[net], self._before[net] = depth, source

    def _name(self, net: Net) -> str:
        return self._design.names.get(net, "")


def _step(cell: Cell | None, net: str, levels: int) -> dict:
    return {
        "type": cell.type if cell else "port",
        "module": cell.path if cell else "",
        "net": net,
        "levels": levels,
    }
