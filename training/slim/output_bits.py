"""Networks whose averages are counted from fewer bits."""

from collections.abc import Mapping

import numpy as np

from lutgen.model.netlist import Netlist
from lutgen.training.slim.rebuild import rebuilt

__all__ = ["choose", "fewer_bits"]

#: Windows evaluated at once, and the most that one may weigh where bits are chosen: sums of a
#: block stay below 2**24 and so are exact in float32, in any order, on every machine.
_BLOCK = 1 << 16
_HEAVIEST = 255


def fewer_bits(netlist: Netlist, features: np.ndarray, targets: Mapping, bits: int) -> Netlist:
    """So many bits of each output group, those whose count follows its target best.

    Parameters
    ----------
    netlist:
        The network.
    features:
        Windows, uint8 (F, N).
    targets:
        Of each group: the target of each window (N,), its weight (N,), and what all ones stand
        for, or None if a table may give each count a meaning.
    bits:
        Bits to keep of each group; groups that have no more stay as they are.

    Returns
    -------
    Netlist
        Not optimised: the nodes are as they were.
    """
    outputs = {}
    for name, ids in netlist.outputs.items():
        outputs[name] = ids
        if len(ids) > bits:
            target, weights, full = targets[name]
            alone = Netlist(
                netlist.features, netlist.inputs, netlist.fanin, netlist.tables, {name: ids}
            )
            moments = _moments(alone, name, features, target, weights, centred=full is None)
            outputs[name] = ids[choose(*moments, bits, None if full is None else full / bits)]
    return rebuilt(netlist, netlist.inputs[:, 1], outputs)


def _moments(
    netlist: Netlist, name: str, features, target, weights, *, centred: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Average products of a group's bits with each other (n, n) and with the target (n,)."""
    n = len(netlist.outputs[name])
    products, sums, aim = np.zeros((n, n)), np.zeros(n), np.zeros(n)
    weights = np.minimum(weights, _HEAVIEST)
    for start in range(0, len(weights), _BLOCK):
        block = slice(start, start + _BLOCK)
        bits = netlist.evaluate(np.ascontiguousarray(features[:, block]))[name]
        bits = bits.astype(np.float32)
        weight = weights[block].astype(np.float32)
        products += (bits * weight) @ bits.T
        sums += bits @ weight
        aim += bits @ (weights[block] * target[block].astype(np.float64))
    total = max(1, weights.sum())  # of a picture of one row, some pixels of blocks never exist
    products, sums, aim = products / total, sums / total, aim / total
    if centred:
        products -= sums[:, None] * sums
        aim -= sums * (weights @ target.astype(np.float64) / total)
    return products, aim


def choose(products: np.ndarray, aim: np.ndarray, count: int, step: float | None) -> np.ndarray:
    """Indices of the bits whose sum comes nearest to the target in the mean square.

    ``step`` is what a bit adds; None if that is free, which makes the correlation largest.  Bits
    are taken away one by one, then exchanged as long as that helps.
    """

    def loss(square, linear):
        if step is None:
            return -linear * np.abs(linear) / np.maximum(square, 1e-12)
        return step**2 * square - 2 * step * linear

    own = np.diag(products)
    kept = np.ones(len(aim), dtype=np.bool_)
    for _ in range(len(aim) - count):
        on = np.flatnonzero(kept)
        row = products[np.ix_(on, on)].sum(axis=1)
        after = loss(row.sum() - 2 * row + own[on], aim[on].sum() - aim[on])
        kept[on[after.argmin()]] = False
    while True:
        on, off = np.flatnonzero(kept), np.flatnonzero(~kept)
        row = products[:, on].sum(axis=1)
        square, linear = row[on].sum(), aim[on].sum()
        after = loss(
            square - 2 * row[on, None] + own[on, None] + 2 * row[off] + own[off]
            - 2 * products[np.ix_(on, off)],
            linear - aim[on, None] + aim[off],
        )  # fmt: skip
        out, into = np.unravel_index(after.argmin(), after.shape)
        if not after[out, into] < loss(square, linear) - 1e-9:
            return on
        kept[on[out]], kept[off[into]] = False, True
