"""Networks of profiles with tiles as graphs, written from the model: netlists, counts and walks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lutgen.model.netlist import Netlist
from lutgen.model.walker import Walker
from lutgen.sim.proof.aig import FALSE, TRUE, Aig
from lutgen.sim.proof.gold import CUT, Gold, Port
from lutgen.sim.proof.integers import Integer, Integers

__all__ = ["CountedNetwork", "IndexedNetwork"]

_PIXEL = 8


class _Network(Gold):
    """A netlist on the pixels of a window."""

    nets = {"features": ("thermometer.features",)}

    def __init__(self, net: Netlist, ports: Sequence[Port]) -> None:
        self._net = net
        super().__init__([Port("features", _PIXEL * net.features), *ports])

    def _outputs(self, do: Integers, features: Integer) -> dict[str, list[int]]:
        """Literals of the netlist's outputs."""
        net = self._net
        pixels = [self._pixel(do, features, k) for k in range(net.features)]
        known = [FALSE, TRUE, *(
            do.at_least(pixels[feature], threshold + 1)
            for feature, threshold in net.inputs.tolist()
        )]  # fmt: skip
        for pins, table in zip(net.fanin.tolist(), net.tables.tolist(), strict=True):
            known.append(do.aig.table(int(table), [known[pin] for pin in pins]))
        return {name: [known[k] for k in bits.tolist()] for name, bits in net.outputs.items()}

    @staticmethod
    def _pixel(do: Integers, features: Integer, k: int) -> Integer:
        return do.unsigned([features.bit(_PIXEL * k + bit) for bit in range(_PIXEL)])


class IndexedNetwork(_Network):
    """A netlist that gives a class, or the record that a walk begins with.

    Parameters
    ----------
    net, walker, words :
        The netlist, the walk if there is one, and the words of its stages.
    design :
        The module, whose memories' registers are cut.
    bits :
        Of a class.
    """

    def __init__(
        self, net: Netlist, walker: Walker | None, words: Sequence[Sequence[int]],
        design: Mapping, bits: int,
    ) -> None:  # fmt: skip
        self._walker, self._words, self._bits = walker, words, bits
        self._pieces = _pieces(design, len(words))
        self._select = max(1, (net.features - 1).bit_length())
        index = Port("layers.index" + CUT, len(net.outputs["index"]), 0,
                     walker.entries - 1 if walker else None)  # fmt: skip
        cut = [index] if walker else []
        self.nets = _Network.nets | {"classes": ("walker.o",) if walker else ("layers.index",)}
        super().__init__(net, [*cut, *(
            Port(name + CUT, width) for pieces in self._pieces for name, width, _ in pieces
        )])  # fmt: skip

    def numbers(self, do: Integers) -> dict[str, Integer]:
        """See `.gold.Gold`: no record leads to one that there is not."""
        found = super().numbers(do)
        stages = self._walker.stages if self._walker else ()
        for number, (stage, pieces) in enumerate(zip(stages, self._pieces, strict=True)):
            if stage.last or not pieces:
                continue
            at = {first + k: (name, k) for name, bits, first in pieces for k in range(bits)}
            begin = 3 * (self._select + _PIXEL)
            end = max(self._words[number]).bit_length()
            bits = [found[at[k][0] + CUT].bit(at[k][1]) for k in range(begin, end)]
            group = do.clamped(do.unsigned(bits), 0, int(stage.child.max()))
            for k in range(begin, end):
                name, bit = at[k]
                found[name + CUT].bits[bit] = group.bit(k - begin)
        return found

    def build(self, aig: Aig, ports: Mapping[str, Integer]) -> None:
        """See `.gold.Gold`."""
        do = Integers(aig)
        index = do.unsigned(self._outputs(do, ports["features"])["index"])
        if self._walker is None:
            self.out("netlist", "classes", index, self._bits)
            return
        self.out("netlist", "layers.index", index, len(index.bits) - 1)
        pixels = [self._pixel(do, ports["features"], k) for k in range(self._net.features)]
        address = ports["layers.index" + CUT].bits[:-1]
        for number, (stage, words) in enumerate(zip(self._walker.stages, self._words, strict=True)):
            width = max(words).bit_length()
            columns = [[word >> k & 1 for word in words] for k in range(width)]
            word = [aig.select(column, address) for column in columns]
            for name, bits, first in self._pieces[number]:
                value = do.unsigned((word + [FALSE] * bits)[first : first + bits])
                self.out(f"walker stage {number}", name, value, bits)
                word[first : first + bits] = ports[name + CUT].bits[:bits][: len(word) - first]
            address = self._step(do, stage, word, pixels)
        self.out("walker's class", "classes", do.unsigned(address), self._bits)

    def _step(self, do: Integers, stage, word: list[int], pixels: list[Integer]) -> list[int]:
        """Address of the next record, or the class."""
        at = 0

        def take(width: int) -> list[int]:
            nonlocal at
            at += width
            return (word + [FALSE] * width)[at - width : at]

        chosen = [
            do.unsigned([do.aig.select([p.bit(k) for p in pixels], address) for k in range(_PIXEL)])
            for address in [take(self._select) for _ in range(3)]
        ]
        above = [do.less(do.unsigned(take(_PIXEL)), pixel) for pixel in chosen]
        width = max(1, int(stage.child.max()).bit_length())
        children = [take(width) for _ in range(4 if stage.last else 1)]
        step = [do.aig.mux(above[0], above[2], above[1]), above[0]]
        if not stage.last:
            return step + children[0]
        return [do.aig.select([child[k] for child in children], step) for k in range(width)]


def _pieces(design: Mapping, stages: int) -> list[list[tuple[str, int, int]]]:
    """Registers behind the memories of each stage: name, bits and the first of the word's."""
    found: list[list[tuple[str, int, int]]] = [[] for _ in range(stages)]
    for name, net in design["netnames"].items():
        if match := re.fullmatch(r"walker\.stage(\d+)_(\d+)_0", name):
            found[int(match[1])].append((name, len(net["bits"]), int(match[2])))
    return found


class CountedNetwork(_Network):
    """A netlist whose groups of outputs are counted, and whose counts are looked up.

    Parameters
    ----------
    net :
        The netlist.
    tables :
        Of each group, what the module gives for each count; groups in the order of their bits in
        the output.
    outputs :
        Name and bits of each table's output, or of one that has all of them side by side.
    nets :
        Where outputs may be found, see `.gold.Gold`.
    """

    def __init__(
        self, net: Netlist, tables: Mapping[str, Sequence[int]],
        outputs: Sequence[tuple[str, Sequence[tuple[str, int]]]], nets: Mapping,
    ) -> None:  # fmt: skip
        self._tables, self._given = tables, outputs
        self.nets = {**_Network.nets, **nets}
        super().__init__(net, [
            *(Port(f"layers.{name}{CUT}", len(net.outputs[name])) for name in tables),
            *(Port(f"popcount_{name}.o{CUT}", len(net.outputs[name]).bit_length(), 0,
                   len(net.outputs[name])) for name in tables),
        ])  # fmt: skip

    def build(self, aig: Aig, ports: Mapping[str, Integer]) -> None:
        """See `.gold.Gold`."""
        do, net = Integers(aig), self._net
        for name, bits in self._outputs(do, ports["features"]).items():
            self.out("netlist", f"layers.{name}", do.unsigned(bits), len(bits))
        looked_up = {}
        for name, table in self._tables.items():
            width = len(net.outputs[name])
            ones = _ones(do, ports[f"layers.{name}{CUT}"].bits[:width])
            self.out("counts", f"popcount_{name}.o", ones, width.bit_length())
            count = ports[f"popcount_{name}.o{CUT}"].bits[: width.bit_length()]
            looked_up[name] = [
                aig.select([int(value) >> k & 1 for value in table], count)
                for k in range(max(table).bit_length())
            ]
        for output, groups in self._given:
            word: list[int] = []
            for name, width in groups:
                word += (looked_up[name] + [FALSE] * width)[:width]
            self.out("tables", output, do.unsigned(word), len(word))


def _ones(do: Integers, bits: Sequence[int]) -> Integer:
    """Number of ones: six bits of a weight are a number of three, until two rows are left."""
    columns: list[list[int]] = [list(bits)]
    while max(map(len, columns)) > 2:
        after: list[list[int]] = [[] for _ in range(len(columns) + 2)]
        for weight, column in enumerate(columns):
            for first in range(0, len(column), 6):
                group = column[first : first + 6]
                if len(group) <= 2:
                    after[weight] += group
                    continue
                for bit in range(len(group).bit_length()):
                    table = sum((k.bit_count() >> bit & 1) << k for k in range(1 << len(group)))
                    after[weight + bit].append(do.aig.table(table, group))
        while not after[-1]:
            after.pop()
        columns = after
    rows = [
        do.unsigned([column[row] if row < len(column) else FALSE for column in columns])
        for row in range(2)
    ]
    return do.add(*rows)
