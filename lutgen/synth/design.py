"""Flatten Yosys' hierarchical json design without losing the path of any cell."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .cells import Cell, Net

__all__ = ["Design", "flatten"]


@dataclass(eq=False)
class Design:
    """A flat mapped design.

    ``inputs`` and ``outputs`` are the nets of the top's ports, ``names`` gives a readable name to
    nets that have one ("network.layer0.sum[3]"), and ``modules`` lists the path of every instance.
    """

    cells: list[Cell] = field(default_factory=list)
    inputs: list[Net] = field(default_factory=list)
    outputs: list[Net] = field(default_factory=list)
    names: dict[Net, str] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)


class _Nets:
    """Nets of all instances, joined where a port connects two of them."""

    def __init__(self):
        self._parent: list[int] = []

    def new(self) -> int:
        self._parent.append(len(self._parent))
        return len(self._parent) - 1

    def find(self, net: Net) -> Net:
        if isinstance(net, str):
            return net
        root = net
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[net] != root:
            self._parent[net], net = root, self._parent[net]
        return root

    def join(self, a: Net, b: Net) -> None:
        a, b = self.find(a), self.find(b)
        # A constant starts no path, so a port tied to one simply has no driver.
        if isinstance(a, int) and isinstance(b, int):
            self._parent[b] = a


def flatten(mapped: dict, top: str) -> Design:
    """Flatten the output of ``write_json``; modules marked as boxes are leaves."""
    modules = {name: module for name, module in mapped["modules"].items()
               if not module["attributes"].keys() & {"blackbox", "whitebox"}}
    nets, raw, design = _Nets(), [], Design()
    ports = _instance(modules, top, "", nets, raw, design)
    for direction, bits in ports.values():
        side = design.inputs if direction == "input" else design.outputs
        side.extend(nets.find(bit) for bit in bits)
    names, design.names = dict(design.names), {}
    # Reversed, so that the name nearest to the top is the one that stays.
    for net, name in reversed(names.items()):
        design.names[nets.find(net)] = name
    for path, name, cell, bits in raw:
        sides = {"input": {}, "output": {}}
        for pin, nodes in bits.items():
            direction = cell["port_directions"][pin]
            sides.get(direction, {})[pin] = tuple(nets.find(node) for node in nodes)
        design.cells.append(Cell(path, name, cell["type"], cell["parameters"],
                                 sides["input"], sides["output"]))
    return design


def _instance(modules: dict, module_name: str, path: str, nets: _Nets, raw: list,
              design: Design) -> dict[str, tuple[str, list[Net]]]:
    module = modules[module_name]
    local: dict[int, int] = {}

    def resolve(bits: list) -> list[Net]:
        return [bit if isinstance(bit, str) else
                local[bit] if bit in local else local.setdefault(bit, nets.new()) for bit in bits]

    design.modules.append(path)
    ports = {name: (port["direction"], resolve(port["bits"]))
             for name, port in module["ports"].items()}
    for name, net in _public_bits(module):
        design.names.setdefault(resolve([net])[0], f"{path}.{name}" if path else name)
    for name, cell in module["cells"].items():
        bits = {pin: resolve(nodes) for pin, nodes in cell["connections"].items()}
        if cell["type"] not in modules:
            raw.append((path, name, cell, bits))
            continue
        inner = _instance(modules, cell["type"], f"{path}.{name}" if path else name,
                          nets, raw, design)
        for pin, nodes in bits.items():
            for outside, inside in zip(nodes, inner[pin][1], strict=True):
                nets.join(outside, inside)
    return ports


def _public_bits(module: dict) -> Iterator[tuple[str, int]]:
    for name, net in module["netnames"].items():
        if net["hide_name"] or name.startswith("$"):
            continue
        for bit, node in enumerate(net["bits"]):
            if isinstance(node, int):
                yield (f"{name}[{bit}]" if len(net["bits"]) > 1 else name), node
