"""Read Yosys' json: the cells of every instance, and the flat design that paths run through."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .cells import Cell, Net

__all__ = ["FlatDesign", "cells_by_instance", "flat_design"]


@dataclass(frozen=True, eq=False)
class FlatDesign:
    """A mapped design without hierarchy.

    ``inputs`` and ``outputs`` are the nets of the top's ports; ``names`` gives a readable name to
    the nets that have one ("network.layers.sum[3]").
    """

    cells: list[Cell]
    inputs: list[Net]
    outputs: list[Net]
    names: dict[Net, str]


def cells_by_instance(mapped: Mapping, top: str) -> dict[str, list[Cell]]:
    """The leaf cells of every instance of a design with hierarchy, by path ("" is the top).

    Nets are local to each instance.
    """
    modules = mapped["modules"]
    found: dict[str, list[Cell]] = {}

    def visit(name: str, path: str) -> None:
        cells = found[path] = []
        for cell_name, cell in modules[name]["cells"].items():
            inner = modules.get(cell["type"])
            if inner is None or "blackbox" in inner["attributes"]:
                cells.append(_cell(path, cell_name, cell))
            else:
                visit(cell["type"], f"{path}.{cell_name}" if path else cell_name)

    visit(top, "")
    return found


def flat_design(mapped: Mapping, top: str, paths: Iterable[str]) -> FlatDesign:
    """A design that `flatten` has merged into its top, where ``paths`` are the former instances.

    Each cell gets the path of the instance that its name begins with.  Cells that were made after
    the flattening, which are LUTs, have no such name and get the path "".
    """
    module = mapped["modules"][top]
    known = frozenset(paths)
    design = FlatDesign([], [], [], {})
    for name, cell in module["cells"].items():
        design.cells.append(_cell(_instance_of(name, known), name, cell))
    for port in module["ports"].values():
        (design.inputs if port["direction"] == "input" else design.outputs).extend(port["bits"])
    for name, net in module["netnames"].items():
        if not net["hide_name"] and not name.startswith("$"):
            for bit, node in enumerate(net["bits"]):
                label = f"{name}[{bit}]" if len(net["bits"]) > 1 else name
                design.names.setdefault(node, label)
    return design


def _cell(path: str, name: str, cell: dict) -> Cell:
    pins: dict[str, dict] = {"input": {}, "output": {}, "inout": {}}
    for pin, nets in cell["connections"].items():
        pins[cell["port_directions"][pin]][pin] = tuple(nets)
    return Cell(path, name, cell["type"], cell["parameters"], pins["input"], pins["output"])


def _instance_of(name: str, known: frozenset[str]) -> str:
    # Yosys writes "$flatten\network.\layers.$auto$..." for cells without a name of their own, and
    # "network.layers.n5" for the others.
    parts = name.removeprefix("$flatten").replace("\\", "").split(".")
    for length in range(len(parts) - 1, 0, -1):
        if (path := ".".join(parts[:length])) in known:
            return path
    return ""
