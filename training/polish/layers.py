"""A hard network as two full layers of LUT6, the form of the paper (GIC-DLC, section 3.2)."""

from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError
from lutgen.model.netlist import Netlist
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.optimise import optimise
from lutgen.training.polish.kernels import FANIN

__all__ = ["TwoLayers", "thermometer_bits"]

_CORNERS = np.arange(1 << FANIN)


@dataclass(eq=False)
class TwoLayers:
    """Two layers of LUT6: hidden nodes read thermometer bits, output nodes read hidden nodes.

    Parameters
    ----------
    features:
        Number of window features.
    feature, threshold:
        int32 and uint8, shape (H, 6): the thermometer bit of each pin of the hidden nodes.
    hidden:
        uint8, shape (H, 64): their truth tables.
    pins:
        int32, shape (M, 6): the hidden node of each pin of the output nodes.
    outputs:
        uint8, shape (M, 64): their truth tables.
    groups:
        Name and number of bits of each output group, in order.
    allowed:
        bool, shape (features, 255): thermometer bits that pins may read.
    """

    features: int
    feature: np.ndarray
    threshold: np.ndarray
    hidden: np.ndarray
    pins: np.ndarray
    outputs: np.ndarray
    groups: dict[str, int]
    allowed: np.ndarray

    @classmethod
    def of(
        cls, netlist: Netlist, rng: np.random.Generator, *, same_inputs: bool = False
    ) -> "TwoLayers":
        """The form of a netlist of at most two levels; what it left out is drawn by chance.

        There are as many hidden nodes as output bits, or as many as the netlist needs; the free
        ones read any thermometer bits, and free pins any node, until something better is found.

        With ``same_inputs`` pins may read thermometer bits of the netlist alone.

        Raises
        ------
        InputError
            If an output is more than two LUTs deep.
        """
        if netlist.depth > 2:
            raise InputError(
                f"network must be at most 2 levels of LUTs deep to be polished, "
                f"not {netlist.depth}"
            )
        first = 2 + netlist.n_inputs
        levels = netlist.levels()
        place: dict[int, int] = {}
        feature: list[np.ndarray] = []
        threshold: list[np.ndarray] = []
        hidden: list[np.ndarray] = []

        allowed = np.full((netlist.features, 255), not same_inputs or not netlist.n_inputs)
        allowed[netlist.inputs[:, 0], netlist.inputs[:, 1]] = True

        def drawn() -> tuple[np.ndarray, np.ndarray]:
            return thermometer_bits(allowed, rng)

        def hidden_node(signal: int) -> int:
            """Hidden node of a signal: a node of the first level, or an input passed on."""
            if signal in place:
                return place[signal]
            features, thresholds = drawn()
            if signal < first:
                features[0], thresholds[0] = netlist.inputs[signal - 2]
                table = _CORNERS & 1
            else:
                table, pins = _without_constants(netlist, signal)
                for j, pin in enumerate(pins):
                    if pin > 1:
                        features[j], thresholds[j] = netlist.inputs[pin - 2]
            place[signal] = len(hidden)
            feature.append(features)
            threshold.append(thresholds)
            hidden.append(table)
            return place[signal]

        rows: list[list[int | None]] = []
        outputs: list[np.ndarray] = []
        for signals in netlist.outputs.values():
            for signal in signals.tolist():
                pins: list[int | None] = [None] * FANIN
                if signal < 2:
                    table = np.full(1 << FANIN, signal)
                elif levels[signal] < 2:
                    pins[0] = hidden_node(signal)
                    table = _CORNERS & 1
                else:
                    table, read = _without_constants(netlist, signal)
                    pins = [None if pin < 2 else hidden_node(pin) for pin in read]
                rows.append(pins)
                outputs.append(table)
        while len(hidden) < len(outputs):
            features, thresholds = drawn()
            feature.append(features)
            threshold.append(thresholds)
            hidden.append(rng.integers(0, 2, 1 << FANIN))
        free = rng.integers(0, len(hidden), (len(rows), FANIN))
        return cls(
            netlist.features,
            np.array(feature, dtype=np.int32), np.array(threshold, dtype=np.uint8),
            np.array(hidden, dtype=np.uint8),
            np.array(
                [[f if p is None else p for p, f in zip(*row, strict=True)]
                 for row in zip(rows, free.tolist(), strict=True)], dtype=np.int32,
            ),
            np.array(outputs, dtype=np.uint8),
            {name: len(ids) for name, ids in netlist.outputs.items()},
            allowed,
        )  # fmt: skip

    def netlist(self) -> Netlist:
        """The netlist, optimised: no output bit of it differs."""
        builder = NetlistBuilder(self.features)
        below = [
            builder.node(
                [builder.input(int(f), int(t)) for f, t in zip(*bits, strict=True)], _word(table)
            )
            for *bits, table in zip(self.feature, self.threshold, self.hidden, strict=True)
        ]
        above = [
            builder.node([below[p] for p in pins], _word(table))
            for pins, table in zip(self.pins, self.outputs, strict=True)
        ]
        start = 0
        for name, bits in self.groups.items():
            builder.output(name, above[start : start + bits])
            start += bits
        return optimise(builder.build())


def thermometer_bits(
    allowed: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Features and thresholds of six of the allowed thermometer bits."""
    drawn = rng.choice(np.flatnonzero(allowed), FANIN)
    return drawn // allowed.shape[1], drawn % allowed.shape[1]


def _without_constants(netlist: Netlist, signal: int) -> tuple[np.ndarray, list[int]]:
    """Truth table (64,) and pins of a node; the table does not depend on pins that are constant."""
    node = signal - 2 - netlist.n_inputs
    pins = netlist.fanin[node].tolist()
    word = int(netlist.tables[node])
    index = _CORNERS.copy()
    for j, pin in enumerate(pins):
        if pin < 2:
            index = index & ~(1 << j) | pin << j
    return np.array([word >> int(k) & 1 for k in index], dtype=np.uint8), pins


def _word(table: np.ndarray) -> int:
    return int(np.packbits(table, bitorder="little").view("<u8")[0])
