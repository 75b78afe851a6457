"""Coordinate descent on a hard network: one node after the other becomes the best it can be.

Gradients move a network's soft form, and what they find has to survive being made hard.  Here the
hard network itself is changed.  Everything else held still, one sum over windows tells the best
truth table of a node, and the best thermometer bit, or hidden node, for any of its pins
(`lutgen.training.polish.kernels`); a node takes the change that saves most.  The cost of the
windows at hand so falls with each step; each sweep has other windows, that the network does not
learn some by heart.
"""

from dataclasses import dataclass

import numpy as np

from lutgen.training.polish import kernels
from lutgen.training.polish.costs import Costs
from lutgen.training.polish.kernels import FANIN
from lutgen.training.polish.layers import TwoLayers, thermometer_bits

__all__ = ["Descent", "Windows"]


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows and what follows them.

    Parameters
    ----------
    features:
        uint8, shape (F, W).
    targets:
        uint8, shape (T, W): the value of each output of the network.
    weights:
        float32, shape (T, W): what a unit of each one's cost counts for.
    """

    features: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


class Descent:
    """A network and the windows that it is judged by.

    Parameters
    ----------
    layers:
        The network; changed in place.
    costs:
        Of each of its T outputs.
    groups:
        Output and count, 0 or 1, of each output group, in order.
    rng:
        Of the order of nodes and the choice of candidates.
    signals:
        Hidden nodes that each output node tries on its pins in a sweep.
    tried:
        Features that each hidden node tries on its pins in a sweep, all thresholds of each.
    """

    def __init__(
        self, layers: TwoLayers, costs: Costs, groups: list[tuple[int, int]],
        rng: np.random.Generator, *, signals: int, tried: int,
    ) -> None:  # fmt: skip
        self.layers = layers
        self._costs = costs
        bits = list(layers.groups.values())
        self._outputs = np.repeat([output for output, _ in groups], bits)
        self._roles = np.repeat([role for _, role in groups], bits)
        self._rng = rng
        self._signals = min(signals, len(layers.hidden))
        self._tried = min(tried, layers.features)
        self._doubt = 0.0

    def load(self, windows: Windows) -> None:
        """Judge by these windows from now on."""
        layers, count = self.layers, windows.features.shape[1]
        self._windows = windows
        self._stakes = np.empty(count, dtype=np.float32)
        self._moved = np.zeros((len(windows.targets), 2, count), dtype=np.int16)
        self._index = np.empty((len(layers.hidden), count), dtype=np.uint8)
        self._bits = np.empty_like(self._index)
        kernels.evaluate_nodes(
            windows.features, layers.feature, layers.threshold, layers.hidden, self._index,
            self._bits,
        )  # fmt: skip
        self._above = np.empty((len(layers.outputs), count), dtype=np.uint8)
        #: Numbers of ones, int16 (T, 2, W).
        self._counts = np.zeros((len(windows.targets), 2, count), dtype=np.int16)
        bit, zero = np.empty((1, count), dtype=np.uint8), np.zeros((1, FANIN), dtype=np.uint8)
        for m in range(len(layers.outputs)):
            one = slice(m, m + 1)
            kernels.evaluate_nodes(
                self._bits, layers.pins[one], zero, layers.outputs[one], self._above[one], bit
            )
            self._counts[self._outputs[m], self._roles[m]] += bit[0]
        #: Of each hidden node, the output nodes that read it, and on which pins.
        self._readers: list[dict[int, int]] = [{} for _ in layers.hidden]
        for m, pins in enumerate(layers.pins.tolist()):
            for j, n in enumerate(pins):
                self._read(m, j, n)

    def _read(self, m: int, j: int, n: int) -> None:
        self._readers[n][m] = self._readers[n].get(m, 0) | 1 << j

    def cost(self) -> float:
        """What all windows pay."""
        place, cost = self._costs.place, self._costs.cost
        total = 0.0
        for counts, x, weights in zip(
            self._counts, self._windows.targets, self._windows.weights, strict=True
        ):
            total += float((cost[counts[1], place[counts[0], x]] * weights).sum(dtype=np.float64))
        return total

    def sweep(self, doubt: float) -> None:
        """Visit each output node, then each hidden node, once.

        What an entry of a table is to save must be more than ``doubt`` standard deviations of it.
        """
        self._doubt = doubt
        for m in self._rng.permutation(len(self.layers.outputs)):
            self._output(int(m))
        for n in self._rng.permutation(len(self.layers.hidden)):
            if self._readers[n]:
                self._hidden(int(n))
            else:
                self._begin(int(n))

    def _output(self, m: int) -> None:
        layers, index = self.layers, self._above[m]
        output, role = self._outputs[m], self._roles[m]
        kernels.output_stakes(
            index, layers.outputs[m], role, self._counts[output], self._windows.targets[output],
            self._windows.weights[output], self._costs.place, self._costs.cost, self._stakes,
        )  # fmt: skip
        least, pin, signal = np.inf, 0, int(layers.pins[m, 0])
        for n in self._rng.choice(len(layers.hidden), self._signals, replace=False):
            by_pin = kernels.best_signal(kernels.signal_sums(index, self._bits[n], self._stakes))
            if by_pin.min() < least:
                least, pin, signal = by_pin.min(), int(by_pin.argmin()), int(n)
        later, table, moved = self._judged(
            index, layers.outputs[m], pin, self._bits[signal], 0
        )
        if moved:
            before = int(layers.pins[m, pin])
            self._readers[before][m] &= ~(1 << pin)
            if not self._readers[before][m]:
                del self._readers[before][m]
            self._read(m, pin, signal)
            layers.pins[m, pin] = signal
        kernels.update_output(
            index, layers.outputs[m], later, table, self._counts[output, role]
        )
        layers.outputs[m] = table

    def _judged(
        self, index: np.ndarray, table: np.ndarray, pin: int, values: np.ndarray, threshold: int
    ) -> tuple[np.ndarray, np.ndarray, bool]:  # fmt: skip
        """Index and table of a node from now on, and whether its pin reads ``values`` now.

        Both are changed if other windows, too, would save by it: if what is saved is more than so
        many standard deviations of it.
        """
        sums, squares = kernels.sums(index, self._stakes)
        own = np.where(np.abs(sums) > self._doubt * np.sqrt(squares), sums < 0, table)
        own = own.astype(np.uint8)
        later = index.copy()
        kernels.change_pin(later, pin, values, threshold)
        new = (kernels.sums(later, self._stakes)[0] < 0).astype(np.uint8)
        saved, variance = kernels.saving(index, own, later, new, self._stakes)
        if saved > self._doubt * np.sqrt(variance):
            return later, new, True
        return index, own, False

    def _hidden(self, n: int) -> None:
        layers, index, features = self.layers, self._index[n], self._windows.features
        readers = np.fromiter(self._readers[n], dtype=np.int64)
        masks = np.fromiter(self._readers[n].values(), dtype=np.uint8)
        kernels.hidden_stakes(
            self._bits[n], readers, masks, self._above, layers.outputs, self._outputs, self._roles,
            self._counts, self._windows.targets, self._windows.weights, self._costs.place,
            self._costs.cost, self._moved, self._stakes,
        )  # fmt: skip
        least, pin = np.inf, 0
        feature, threshold = int(layers.feature[n, 0]), int(layers.threshold[n, 0])
        for f in self._rng.choice(layers.features, self._tried, replace=False):
            where, by_pin = kernels.best_threshold(
                kernels.threshold_sums(index, features[f], self._stakes), layers.allowed[f]
            )
            if by_pin.min() < least:
                least, pin, feature = by_pin.min(), int(by_pin.argmin()), int(f)
                threshold = int(where[pin])
        later, table, moved = self._judged(
            index, layers.hidden[n], pin, features[feature], threshold
        )
        if moved:
            layers.feature[n, pin], layers.threshold[n, pin] = feature, threshold
            self._index[n] = later
        layers.hidden[n] = table
        kernels.update_hidden(
            self._bits[n], table, self._index[n], readers, masks, self._above, layers.outputs,
            self._outputs, self._roles, self._counts,
        )  # fmt: skip

    def _begin(self, n: int) -> None:
        """Let a hidden node that nobody reads pass any thermometer bit on: one may want it."""
        layers, one = self.layers, slice(n, n + 1)
        layers.feature[n], layers.threshold[n] = thermometer_bits(layers.allowed, self._rng)
        layers.hidden[n] = np.arange(1 << FANIN) & 1
        kernels.evaluate_nodes(
            self._windows.features, layers.feature[one], layers.threshold[one], layers.hidden[one],
            self._index[one], self._bits[one],
        )  # fmt: skip
