"""Small models with random contents: every structure, no training."""

import numpy as np

from lutgen.model.channels import channel_groups
from lutgen.model.head import LaplaceHead, TableHead
from lutgen.model.model import Model
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.features import Scale, early_features, standard_features
from lutgen.model.predictive.model import TABLES, PredictiveModel
from lutgen.model.predictive.neighbourhood import TAPS
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.reference import LEVELS_OF_ONE, TAPS_OF_ONE
from lutgen.model.predictive.trees import LutTrees
from lutgen.model.upsample import GROUPS, Upsampler
from lutgen.model.walker import Walker, WalkerStage
from lutgen.model.window import Window


def random_netlist(rng, features: int, groups: dict[str, int], *, inputs: int, nodes: int):
    """A netlist of random tables; outputs are drawn from its last nodes."""
    builder = NetlistBuilder(features)
    ids = [
        builder.input(int(rng.integers(features)), int(rng.integers(255))) for _ in range(inputs)
    ]
    made = []
    for _ in range(nodes):
        pool = ids + made
        pins = rng.choice(len(pool), size=min(6, len(pool)), replace=False)
        made.append(builder.node([pool[p] for p in pins], int(rng.integers(1 << 62)) * 4 + 1))
    for name, bits in groups.items():
        builder.output(name, [made[i] for i in rng.integers(len(made), size=bits)])
    return builder.build()


def random_walker(rng, *, features: int, entries: int, stages: int, groups: int, classes: int):
    """A walker of random records."""
    result = []
    records = entries
    for s in range(stages):
        last = s == stages - 1
        children = classes if last else groups
        result.append(WalkerStage(
            rng.integers(features, size=(records, 3)),
            rng.integers(256, size=(records, 3)),
            rng.integers(children, size=(records, 4) if last else records),
        ))  # fmt: skip
        records = 4 * groups
    return Walker(result)


def random_head(rng, classes: int) -> TableHead:
    """Tables from nearly flat to nearly certain."""
    shape = 10.0 ** rng.uniform(-2, 1, size=(classes, 1))
    return TableHead.from_counts(rng.gamma(shape, size=(classes, 256)))


def table_model(seed: int = 0, *, size: int = 5, walker: bool = True, bits: int = 3) -> Model:
    """A raster-table model."""
    rng = np.random.default_rng(seed)
    window = Window(size)
    net = random_netlist(rng, window.features, {"index": bits}, inputs=30, nodes=20)
    walk = None
    if walker:
        walk = random_walker(
            rng, features=window.features, entries=1 << bits, stages=2, groups=5, classes=13
        )
    head = random_head(rng, 13 if walker else 1 << bits)
    return Model("raster-table", window, net, walk, head, {"data": "random"})


def one_class_model(seed: int = 0) -> Model:
    """A raster-table model whose contexts are all one."""
    rng = np.random.default_rng(seed)
    window = Window(3)
    net = random_netlist(rng, window.features, {"index": 1}, inputs=9, nodes=1)
    walk = random_walker(
        rng, features=window.features, entries=2, stages=1, groups=1, classes=1
    )
    return Model("raster-table", window, net, walk, random_head(rng, 1), {"data": "random"})


def laplace_model(seed: int = 0, *, bits: int = 40, nodes: int = 100) -> Model:
    """A raster-laplace model."""
    rng = np.random.default_rng(seed)
    window = Window(5)
    groups = {"mu": bits, "sigma": bits // 2}
    net = random_netlist(rng, window.features, groups, inputs=60, nodes=nodes)
    head = LaplaceHead.from_scales(np.geomspace(0.3, 60, 8), bits, bits // 2)
    return Model("raster-laplace", window, net, None, head, {"data": "random"})


def random_upsampler(
    rng, *, size: int = 5, bits: int = 9, inputs: int = 60, nodes: int = 40, channels: int = 1
) -> Upsampler:
    """An upsampler whose groups differ in length."""
    names = [name for names in channel_groups(GROUPS, channels) for name in names]
    groups = {name: bits + i for i, name in enumerate(names)}
    net = random_netlist(rng, channels * size * size, groups, inputs=inputs, nodes=nodes)
    return Upsampler(size, net, channels)


def pyramid_table_model(
    seed: int = 0, *, levels: int = 2, size: int = 5, ups_size: int = 5, bits: int = 3,
    constraint: bool = False,
) -> Model:
    """A model of a pyramid whose head is a table, with a walker."""
    rng = np.random.default_rng(seed)
    window = Window(size, prior=True)
    net = random_netlist(rng, window.features, {"index": bits}, inputs=40, nodes=20)
    walk = random_walker(
        rng, features=window.features, entries=1 << bits, stages=2, groups=5, classes=13
    )
    return Model(
        "pyramid-table", window, net, walk, random_head(rng, 13), {"data": "random"}, levels,
        random_upsampler(rng, size=ups_size), constraint,
    )  # fmt: skip


def pyramid_laplace_model(
    seed: int = 0, *, levels: int = 2, bits: int = 40, inputs: int = 60, nodes: int = 100,
    constraint: bool = False, size: int = 5, channels: int = 1,
) -> Model:
    """A model of the paper's kind: a pyramid, networks that count, a Laplace head."""
    rng = np.random.default_rng(seed)
    window = Window(size, levels > 0, channels)
    names = channel_groups(LaplaceHead.groups, channels)
    groups = {
        name: count for pair in names for name, count in zip(pair, (bits, bits // 2), strict=True)
    }
    net = random_netlist(rng, window.features, groups, inputs=inputs, nodes=nodes)
    head = LaplaceHead.from_scales(np.geomspace(0.3, 60, 8), bits, bits // 2)
    ups = None
    if levels:
        ups = random_upsampler(
            rng, size=size, bits=bits // 4, inputs=inputs, nodes=nodes, channels=channels
        )
    return Model(
        "gic-dlc", window, net, None, head, {"data": "random"}, levels, ups, constraint
    )  # fmt: skip


def random_trees(rng, count: int, features: int, most: int) -> LutTrees:
    """LUT trees that ask about any features."""
    return LutTrees(
        rng.integers(features, size=(count, 6), dtype=np.uint8),
        rng.integers(256, size=(count, 6), dtype=np.uint8),
        rng.integers(-most, most + 1, size=(count, 64), dtype=np.int8),
    )


def predictive_model(
    seed: int = 0, *, classes: int = 24, references: int = 0
) -> PredictiveModel:
    """A model of profile predictive: three linear predictors, random trees, geometric tables."""
    rng = np.random.default_rng(seed)
    features = standard_features(references)
    rows = np.zeros((3, len(TAPS) + references * TAPS_OF_ONE), dtype=np.int16)
    for r in range(references):
        taps = rows[:, len(TAPS) + r * TAPS_OF_ONE :][:, :TAPS_OF_ONE]
        taps[:] = rng.integers(-20, 21, taps.shape)
        taps[:, 0] -= taps[:, :LEVELS_OF_ONE].sum(axis=1, dtype=np.int16)
    for row, weights in zip(rows, ({"W": 96, "N": 96, "NW": -64}, {"W": 128}, {"N": 128}),
                            strict=True):  # fmt: skip
        for name, weight in weights.items():
            row[TAPS.index(name)] = weight
    early = len(early_features(features))
    predictor = Predictor(
        rng.integers(1, early, size=2, dtype=np.uint8), np.array([120, 140], dtype=np.uint8),
        np.array([[-1, 1], [-2, -3]], dtype=np.int16), rows,
    )  # fmt: skip
    spread = np.geomspace(0.3, 300, classes).repeat(TABLES)[:, None]
    first = np.array([t if t < 16 else (4 + (t & 3)) << ((t - 16 >> 2) + 2) for t in range(65)])
    tails = np.exp(-first / spread)
    mass = tails[:, :-1] - tails[:, 1:]
    freq = np.maximum(1, (mass * ((1 << 14) - 64)).astype(np.int32))
    freq[:, 0] += (1 << 14) - freq.sum(axis=1)
    cumulative = np.pad(freq.cumsum(axis=1), ((0, 0), (1, 0))).astype(np.int32)
    return PredictiveModel(
        features, Scale({"eW": 23, "eN": 16, "eNE": 12, "eNW": 8, "eWW": 10, "EW": 11}, 205),
        predictor, random_trees(rng, 4, len(features), 6),
        random_trees(rng, 5, len(features), 8), 2 * 16 * 7, cumulative, {"data": "random"},
    )  # fmt: skip


def colour_model(seed: int = 0) -> ColourModel:
    """A model of colour, of three such models."""
    planes = tuple(predictive_model(seed + k, classes=20 + k, references=k) for k in range(3))
    return ColourModel(planes, {"data": "random"})


def mosaic_model(seed: int = 0) -> ColourModel:
    """A model of colour filter arrays, of four such models."""
    fourth = predictive_model(seed + 3, classes=23, references=2)
    return ColourModel((*colour_model(seed).planes, fourth), {"data": "random"})
