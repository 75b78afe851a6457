"""Networks with fewer thresholds on each feature."""

import numpy as np

from lutgen.errors import InputError
from lutgen.model.netlist import Netlist
from lutgen.training.slim.rebuild import rebuilt

__all__ = ["Medians", "fewer_thresholds"]


def fewer_thresholds(
    netlist: Netlist, features: np.ndarray, weights: np.ndarray, most: int
) -> Netlist:
    """At most so many thresholds in all, chosen so that the fewest pins change.

    Thresholds of a feature are grouped, neighbours with neighbours, and each group reads the one
    of its thresholds that changes least: k medians on a line, the share of windows below.  How
    many of them a feature gets is decided by what they change, too.

    Parameters
    ----------
    netlist:
        The network.
    features, weights:
        Windows uint8 (F, N), and how often they occur.
    most:
        Thresholds of all features together.

    Returns
    -------
    Netlist
        Not optimised: equal inputs are one, nodes are as they were.

    Raises
    ------
    InputError
        If there are fewer than one for each feature that is read.
    """
    inputs = netlist.inputs.astype(np.int64)
    if most < np.unique(inputs[:, 0]).size:
        raise InputError(
            f"number of thresholds must be at least {np.unique(inputs[:, 0]).size}, one for each "
            f"pixel that is read, not {most}"
        )
    reads = np.concatenate([netlist.fanin.ravel(), *netlist.outputs.values()])
    reads = np.bincount(reads, minlength=netlist.signals)[2 : 2 + len(inputs)]
    lines: list[tuple[np.ndarray, np.ndarray, np.ndarray, Medians]] = []
    gains: list[tuple[float, int, int]] = []
    for feature in np.unique(inputs[:, 0]).tolist():
        own = np.flatnonzero(inputs[:, 0] == feature)
        levels, place = np.unique(inputs[own, 1], return_inverse=True)
        below = np.cumsum(np.bincount(features[feature], weights, 256))[levels]
        medians = Medians(below, np.bincount(place, reads[own]))
        # More groups never help more than fewer did, so the best gains are first gains.
        gains += [(-gain, len(lines), k) for k, gain in enumerate(-np.diff(medians.costs))]
        lines.append((own, levels, place, medians))
    count = [1] * len(lines)
    for _, line, _ in sorted(gains)[: most - len(lines)]:
        count[line] += 1
    moved = inputs[:, 1].copy()
    for groups, (own, levels, place, medians) in zip(count, lines, strict=True):
        moved[own] = levels[medians.moved(groups)][place]
    return rebuilt(netlist, moved, netlist.outputs)


class Medians:
    """Points on a line in groups of neighbours, each of which moves to one of its points.

    Parameters
    ----------
    at, weights:
        Places of the points, float64 (n,), never decreasing, and what a unit of way costs them.

    Members
    -------
    costs:
        Element k is what k + 1 groups cost at least, float64 (n,).
    """

    def __init__(self, at: np.ndarray, weights: np.ndarray) -> None:
        n = len(at)
        total = np.concatenate([[0.0], np.cumsum(weights)])
        moment = np.concatenate([[0.0], np.cumsum(weights * at)])
        first, last = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
        middle = np.searchsorted(total[1:], (total[first] + total[last + 1]) / 2)
        median = np.clip(middle, first, np.maximum(first, last))
        below = at[median] * (total[median] - total[first]) - (moment[median] - moment[first])
        above = moment[last + 1] - moment[median] - at[median] * (total[last + 1] - total[median])
        # What a group from first to last costs.
        cost = np.where(first <= last, below + above, np.inf)
        self._median = median
        # Where the last group begins, of one, two, ... groups that end at each point.
        self._begins = [np.zeros(n, dtype=np.int64)]
        best = cost[0]
        costs = [best[-1]]
        for _ in range(1, n):
            sums = best[:-1, None] + cost[1:]
            begin = sums.argmin(axis=0)
            sums = sums[begin, np.arange(n)]
            fewer = best <= sums  # no more groups than points
            self._begins.append(np.where(fewer, self._begins[-1], begin + 1))
            best = np.where(fewer, best, sums)
            costs.append(best[-1])
        self.costs = np.array(costs)

    def moved(self, groups: int) -> np.ndarray:
        """The point that each point moves to, int64 (n,)."""
        end = len(self._median) - 1
        moved = np.empty(end + 1, dtype=np.int64)
        while end >= 0:
            groups -= 1
            begin = self._begins[groups][end]
            moved[begin : end + 1] = self._median[begin, end]
            end = begin - 1
        return moved
