"""Building of netlists, node by node, with what is constant or twice there folded."""

from collections.abc import Iterable

import numpy as np

from lutgen.model.netlist import MAX_FEATURES, Netlist, NetlistError, check_integer, check_name
from lutgen.model.truth import FULL, PINS, cofactors, extend, remap

__all__ = ["NetlistBuilder"]


class NetlistBuilder:
    """Builds a `Netlist` in which equal nodes exist once.

    Each node is simplified as it is added: constants, pins that cannot matter, repeated pins and
    combinations that cannot occur (``f > 5`` without ``f > 3``) are removed, pins are sorted, and
    an equal input or node is used again. The ids are the builder's own; `build` renumbers.

    Parameters
    ----------
    features : int
        Number of window features, 1 to 1024.
    """

    def __init__(self, features: int):
        self._features = check_integer("features", features, 1, MAX_FEATURES)
        # Of each id: None for a constant, (feature, threshold) or (pins, table).
        self._signals: list = [None, None]
        self._known: dict = {}
        self._outputs: dict[str, list[int]] = {}

    def input(self, feature: int, threshold: int) -> int:
        """Return the id of the bit ``feature > threshold``."""
        feature = check_integer("feature of an input", feature, 0, self._features - 1)
        threshold = check_integer("threshold of an input", threshold, 0, 254)
        return self._intern((feature, threshold))

    def node(self, ids: Iterable[int], table: int) -> int:
        """Return an id for a truth table on at most six signals.

        Parameters
        ----------
        ids : iterable of int
            Signals on pins 0, 1, ...
        table : int
            ``2**len(ids)`` bits; bit k is the output when pin j carries bit j of k.
        """
        ids = tuple(check_integer("signal of a node", i, 0, len(self._signals) - 1) for i in ids)
        if len(ids) > 6:
            raise NetlistError(f"number of pins must be at most 6, not {len(ids)}")
        table = check_integer(f"table of {len(ids)} pins", table, 0, (1 << (1 << len(ids))) - 1)
        return self.intern(*self.reduce(ids, extend(table, len(ids))))

    def output(self, name: str, ids: Iterable[int]) -> None:
        """Name a group of signals, least significant bit first."""
        check_name(name)
        if name in self._outputs:
            raise NetlistError(f"output names must be unique, not {name!r} twice")
        ids = [check_integer("signal of an output", i, 0, len(self._signals) - 1) for i in ids]
        self._outputs[name] = ids

    def build(self) -> Netlist:
        """Return the netlist: inputs and nodes in the order of their creation."""
        inputs = [i for i, signal in enumerate(self._signals) if self.is_input(i)]
        nodes = [i for i, signal in enumerate(self._signals) if self.is_node(i)]
        place = {0: 0, 1: 1} | {old: new for new, old in enumerate(inputs + nodes, 2)}
        fanin = np.zeros((len(nodes), 6), dtype=np.int32)
        for row, node in zip(fanin, nodes, strict=True):
            pins = [place[pin] for pin in self._signals[node][0]]
            row[: len(pins)] = pins
        return Netlist(
            features=self._features,
            inputs=np.array([self._signals[i] for i in inputs], dtype=np.int64).reshape(-1, 2),
            fanin=fanin,
            tables=np.array([self._signals[i][1] for i in nodes], dtype=np.uint64),
            outputs={
                name: np.array([place[i] for i in ids], dtype=np.int64)
                for name, ids in self._outputs.items()
            },
        )

    # --- for lutgen.model.optimise: tables here are repeated to 64 bits (see lutgen.model.truth)

    def is_input(self, signal: int) -> bool:
        """Say whether an id is an input."""
        return signal > 1 and not isinstance(self._signals[signal][0], tuple)

    def is_node(self, signal: int) -> bool:
        """Say whether an id is a node."""
        return signal > 1 and isinstance(self._signals[signal][0], tuple)

    def definition(self, node: int) -> tuple[tuple[int, ...], int]:
        """Return the pins and the table of a node."""
        return self._signals[node]

    def reduce(self, ids: tuple[int, ...], table: int) -> tuple[tuple[int, ...], int]:
        """Return sorted distinct pins that matter, and their table.

        Outputs for combinations of thermometer bits that cannot occur are set to 0.
        """
        pins = sorted(set(ids) - {0, 1})
        if list(ids) != pins:
            spot = {0: -1, 1: -2} | {pin: place for place, pin in enumerate(pins)}
            table = remap(table, tuple(spot[pin] for pin in ids))
        care = self._possible(pins)
        kept = []
        for place in range(len(pins) - 1, -1, -1):
            low, high = cofactors(table, place)
            low_care, high_care = cofactors(care, place)
            if (low ^ high) & low_care & high_care:
                kept.append(place)
            else:
                table = low & low_care | high & high_care
                care = low_care | high_care
        table &= care
        if len(kept) < len(pins):
            kept.reverse()
            spot = {place: new for new, place in enumerate(kept)}
            table = remap(table, tuple(spot.get(place, -1) for place in range(len(pins))))
            pins = [pins[place] for place in kept]
        return tuple(pins), table

    def _possible(self, pins: list[int]) -> int:
        """Return the table of pin combinations that can occur."""
        care = FULL
        bits = [(p, *self._signals[pin]) for p, pin in enumerate(pins) if self.is_input(pin)]
        for p, feature, threshold in bits:
            for q, other, above in bits:
                if feature == other and above > threshold:
                    care &= PINS[p] | ~PINS[q]
        return care

    def intern(self, pins: tuple[int, ...], table: int) -> int:
        """Return the id of a reduced node; constants and buffers need none."""
        if not pins:
            return table & 1
        if len(pins) == 1 and table == PINS[0]:
            return pins[0]
        return self._intern((pins, table))

    def _intern(self, definition: tuple) -> int:
        signal = self._known.setdefault(definition, len(self._signals))
        if signal == len(self._signals):
            self._signals.append(definition)
        return signal
