"""Cheaper layouts of trained LUT networks: fewer thresholds, narrower outputs, fewer scales.

The paper spends 255 thresholds on each pixel and 512 bits on each average (GIC-DLC, section 3.1).
Here a trained model gives some of that up, and no network is trained again:

1. Of each output group the bits stay whose average follows the group's target best.
2. What no output reads any more goes (`lutgen.model.optimise`).
3. The thresholds stay that let the fewest bits change on training images.
4. What counts of ones mean is counted again (`LaplaceOutput.recounted`).
5. Of the scales those stay that the code length misses most.

The upsampling network comes first, for its pixels are what the other one reads.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist, NetlistBuilder
from lutgen.model.upsample import GROUPS, Upsampler
from lutgen.model.window import Window
from lutgen.training.data.datasets import check_images, data_hash
from lutgen.training.data.samples import collect_levels, upsampling_samples
from lutgen.training.dlc.output import LaplaceOutput
from lutgen.training.dlc.train import integer_bpp
from lutgen.training.tree.classes import fewer_classes

__all__ = ["Slim", "fewer_bits", "fewer_scales", "fewer_thresholds", "slim_model"]

#: Tiles that models are trained for.
_TILE = 32
#: Windows evaluated at once, and the most that one may weigh where bits are chosen: sums of a
#: block stay below 2**24 and so are exact in float32, in any order, on every machine.
_BLOCK = 1 << 16
_HEAVIEST = 255


@dataclass(frozen=True, kw_only=True)
class Slim:
    """What a model is to be cut down to; None leaves a part as it is.

    Parameters
    ----------
    thresholds:
        Thresholds of a pixel, on average over the window, in both networks: 1 to 254.  Pixels get
        as many as they need, so near ones have more.
    output_bits:
        Bits of ``mu`` and of ``sigma``, each.
    ups_bits:
        Bits of each of the four pixels of the upsampling model.
    scales:
        Scale classes of the head.
    classes:
        Classes of a table head; of a model that has one, nothing else can be cut.
    limit:
        Most training images to choose and count on.
    seed:
        Of the choice of these images.
    """

    thresholds: int | None = None
    output_bits: int | None = None
    ups_bits: int | None = None
    scales: int | None = None
    classes: int | None = None
    limit: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for name, most in (
            ("thresholds", 254), ("output_bits", 4096), ("ups_bits", 4096), ("scales", 4096),
            ("classes", 4096), ("limit", 1 << 30),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise ValueError(f"{name.replace('_', ' ')} must be 1 to {most}, not {value!r}")


def slim_model(
    model: Model,
    images: Sequence[np.ndarray],
    config: Slim,
    *,
    name: str = "unnamed images",
    licence: str = "",
    date: str | None = None,
) -> Model:
    """Cut a trained model down.  The same arguments give the same model.

    Parameters
    ----------
    model:
        A model with a Laplace head, with or without levels, or with a table head and a walker.
    images:
        Training images, uint8 arrays of shape (H, W), sizes may differ.
    config:
        What to cut.
    name, licence, date:
        For the training record.

    Returns
    -------
    Model
        Its training record is that of ``model`` without the metrics, which are not true any more,
        and one more entry in the list ``slim``: the hash of ``model``, the configuration, the
        images, and ``bpp_before`` and ``bpp``, ideal, of both models on these images.

    Raises
    ------
    DatasetError
        If the images are not what they must be.
    ValueError
        If the model has not what is to be cut.
    """
    table = not isinstance(model.head, LaplaceHead)
    for part in ("thresholds", "output_bits", "scales", "classes"):
        value = getattr(config, part)
        if value is not None and table != (part == "classes"):
            raise ValueError(
                f"{part.replace('_', ' ')} must be absent for a model with a "
                f"{'table' if table else 'Laplace'} head, not {value}"
            )
    if config.ups_bits is not None and model.upsampler is None:
        raise ValueError(f"ups bits must be absent for a model of 0 levels, not {config.ups_bits}")
    images = check_images(images)
    order = np.random.default_rng(config.seed).permutation(len(images))
    images = [images[i] for i in order[: config.limit]]

    upsampler = model.upsampler
    if upsampler is not None:
        upsampler = _slim_upsampler(upsampler, images, model.levels, config)
    if table:
        slim = replace(model, upsampler=upsampler)
        if config.classes is not None:
            slim = fewer_classes(slim, images, config.classes, tile=_TILE)
    else:
        network, head = _slim_network(model, upsampler, images, config)
        slim = replace(model, upsampler=upsampler, network=network, head=head)
    entry = {
        "of": model.hash,
        "config": asdict(config),
        "data": {
            "name": name, "images": len(images), "sha256": data_hash(images), "licence": licence,
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "bpp_before": sum(integer_bpp(model, images, _TILE)),
        "bpp": sum(integer_bpp(slim, images, _TILE)),
    }  # fmt: skip
    record = {key: value for key, value in model.training.items() if key != "metrics"}
    return slim.with_training(record | {"slim": [*record.get("slim", []), entry]})


def _slim_upsampler(upsampler: Upsampler, images, levels: int, config: Slim) -> Upsampler:
    network = upsampler.network
    window = Window(upsampler.size, prior=True)
    features, targets, weights = upsampling_samples(images, window, _TILE, levels)
    if config.ups_bits is not None:
        network = fewer_bits(network, features, {
            group: (targets[k], weights[k], 255) for k, group in enumerate(GROUPS)
        }, config.ups_bits).optimise()  # fmt: skip
    if config.thresholds is not None:
        # Of a block the top left pixel always exists: its weight is the window's.
        most = config.thresholds * network.features
        network = fewer_thresholds(network, features, weights[0], most)
    return Upsampler(upsampler.size, network.optimise())


def _slim_network(
    model: Model, upsampler: Upsampler | None, images, config: Slim
) -> tuple[Netlist, LaplaceHead]:
    network, head = model.network, model.head
    levels = collect_levels(
        images, model.window, _TILE, levels=model.levels,
        upsample=None if upsampler is None else upsampler.upsample,
    )  # fmt: skip
    features = np.concatenate([s.features for s in levels], axis=1)
    symbols = np.concatenate([s.symbols for s in levels])
    weights = np.concatenate([s.weights for s in levels])
    location = head.mu[network.evaluate_count("mu", features)]
    scale = head.sigma[network.evaluate_count("sigma", features)]
    if config.output_bits is not None:
        # A location must be the more exact, the narrower the distribution: the probability of
        # the pixel at its centre tells.
        narrow = (head.cdf[:, 513] - head.cdf[:, 511]) >> 6
        network = fewer_bits(network, features, {
            "mu": (location, weights * np.maximum(1, narrow[scale]), None),
            "sigma": (scale, weights, None),
        }, config.output_bits).optimise()  # fmt: skip
    if config.thresholds is not None:
        network = fewer_thresholds(network, features, weights, config.thresholds * network.features)
    network = network.optimise()
    mu, sigma = (network.evaluate_count(group, features) for group in ("mu", "sigma"))
    start = LaplaceHead(
        _carried(location, mu, weights, len(network.outputs["mu"])),
        _carried(scale, sigma, weights, len(network.outputs["sigma"])),
        head.cdf,
    )
    head = _Recount(start).recounted(mu, sigma, symbols, weights)
    if config.scales is not None and config.scales < head.scales:
        start = fewer_scales(head, mu, sigma, symbols, weights, config.scales)
        head = _Recount(start).recounted(mu, sigma, symbols, weights)
    return network, head


class _Recount(LaplaceOutput):
    """Counting that starts from tables that there are."""

    def __init__(self, start: LaplaceHead) -> None:
        super().__init__(start.mu.size - 1, start.sigma.size - 1)
        self._start = start

    def head(self) -> LaplaceHead:
        return self._start


# --- thresholds


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
    ValueError
        If there are fewer than one for each feature that is read.
    """
    inputs = netlist.inputs.astype(np.int64)
    if most < np.unique(inputs[:, 0]).size:
        raise ValueError(
            f"number of thresholds must be at least {np.unique(inputs[:, 0]).size}, one for each "
            f"pixel that is read, not {most}"
        )
    reads = np.concatenate([netlist.fanin.ravel(), *netlist.outputs.values()])
    reads = np.bincount(reads, minlength=netlist.signals)[2 : 2 + len(inputs)]
    lines, gains = [], []
    for feature in np.unique(inputs[:, 0]).tolist():
        own = np.flatnonzero(inputs[:, 0] == feature)
        levels, place = np.unique(inputs[own, 1], return_inverse=True)
        below = np.cumsum(np.bincount(features[feature], weights, 256))[levels]
        medians = _Medians(below, np.bincount(place, reads[own]))
        # More groups never help more than fewer did, so the best gains are first gains.
        gains += [(-gain, len(lines), k) for k, gain in enumerate(-np.diff(medians.costs))]
        lines.append((own, levels, place, medians))
    count = [1] * len(lines)
    for _, line, _ in sorted(gains)[: most - len(lines)]:
        count[line] += 1
    moved = inputs[:, 1].copy()
    for groups, (own, levels, place, medians) in zip(count, lines, strict=True):
        moved[own] = levels[medians.moved(groups)][place]
    return _rebuilt(netlist, moved, netlist.outputs)


class _Medians:
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


def _rebuilt(netlist: Netlist, thresholds: np.ndarray, outputs: Mapping) -> Netlist:
    """The netlist with other thresholds and other outputs."""
    builder = NetlistBuilder(netlist.features)
    new = [0, 1]
    for feature, threshold in zip(netlist.inputs[:, 0], thresholds, strict=True):
        new.append(builder.input(feature, threshold))
    for pins, table in zip(netlist.fanin.tolist(), netlist.tables.tolist(), strict=True):
        new.append(builder.node([new[pin] for pin in pins], table))
    for name, ids in outputs.items():
        builder.output(name, [new[i] for i in ids.tolist()])
    return builder.build()


# --- output bits


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
            outputs[name] = ids[_choose(*moments, bits, None if full is None else full / bits)]
    return _rebuilt(netlist, netlist.inputs[:, 1], outputs)


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


def _choose(products: np.ndarray, aim: np.ndarray, count: int, step: float | None) -> np.ndarray:
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


# --- tables


def _carried(meaning: np.ndarray, count: np.ndarray, weights: np.ndarray, bits: int) -> np.ndarray:
    """What each count stood for on average, int64 (bits + 1,).

    ``meaning`` and ``count`` are of windows, shape (N,).  Counts that never occur lie between
    their neighbours.
    """
    seen = np.bincount(count, weights, bits + 1)
    total = np.bincount(count, weights * meaning, bits + 1)
    there = np.flatnonzero(seen)
    table = np.interp(np.arange(bits + 1), there, total[there] / seen[there])
    return np.rint(table).astype(np.int64)


def fewer_scales(
    head: LaplaceHead, mu: np.ndarray, sigma: np.ndarray, symbols: np.ndarray,
    weights: np.ndarray, count: int,
) -> LaplaceHead:  # fmt: skip
    """So many scale classes: one after the other, the class goes that is cheapest to do without.

    ``mu``, ``sigma``, ``symbols`` and ``weights`` are of windows, as in
    `LaplaceOutput.recounted`.
    """
    paid = np.stack([
        np.bincount(
            sigma, head.code_length(512 * scale + head.mu[mu], symbols) * weights, head.sigma.size
        )
        for scale in range(head.scales)
    ])  # fmt: skip
    # Of counts that never occur, the nearest class is the best one.
    paid += 1e-6 * np.abs(np.arange(head.scales)[:, None] - head.sigma)
    kept = np.arange(head.scales)
    while len(kept) > count:
        # Without its best class, a count pays what the second best costs.
        best, second = np.sort(paid[kept], axis=0)[:2]
        more = np.bincount(paid[kept].argmin(axis=0), second - best, len(kept))
        kept = np.delete(kept, more.argmin())
    return LaplaceHead(head.mu, paid[kept].argmin(axis=0), head.cdf[kept])
