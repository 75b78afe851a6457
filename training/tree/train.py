"""Training of a table model: images in, codec model out.

1. Collect the window and the symbol of every pixel.
2. Grow an entropy tree, merge its leaves to classes, prune it by what the classes gain.
3. Choose the top that the netlist decides, grow and prune again below it, then choose all tests
   again for the subtrees and classes as they are.
4. Merge, count the tables, decide their smoothing on held-out images, round to integers.
5. Compile to netlist and walker.

Steps 2 to 4 run once without the held-out images, which gives the smoothing and honest figures,
and once with all of them.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import numpy as np

from lutgen.model.head import TableHead
from lutgen.model.model import Model
from lutgen.model.window import Window
from lutgen.training.data.datasets import check_images, data_hash
from lutgen.training.data.holdout import hold_out
from lutgen.training.data.samples import Samples, collect, orientations
from lutgen.training.tree.compile import collapse, compile_tree
from lutgen.training.tree.merge import class_counts, code_bits, merge_leaves
from lutgen.training.tree.prune import choose_top, prune
from lutgen.training.tree.refine import refine
from lutgen.training.tree.tree import Grower, Tree
from lutgen.training.tree.tree_checkpoint import TreeCheckpoint
from lutgen.training.tree.tree_config import RasterTable

__all__ = [
    "STRENGTHS", "bits_per_pixel", "fit_classes", "grow_tree", "head_bits", "ideal_bpp",
    "progress_bar", "table_head", "train_table_model",
]  # fmt: skip

#: Called with the name of the step, the work done in it and all work of it.
Progress = Callable[[str, int, int], None]

#: Pseudo-counts per class to choose from, spread like the histogram of all pixels.
STRENGTHS = (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)


@dataclass(frozen=True, eq=False)
class _Fit:
    tree: Tree
    label: np.ndarray  # class of each leaf
    counts: np.ndarray  # (classes, 256)
    grown_bits: np.ndarray  # (grown leaves, 256) and the tree they belong to, for the report
    grown: Tree


def _prior(counts: np.ndarray) -> np.ndarray:
    prior = counts.sum(axis=0) + 1.0
    return prior / prior.sum()


def _ignore(step: str, done: int, total: int) -> None:
    pass


def _shares(progress: Progress, step: str, parts: int) -> Callable[[int], Callable[[float], None]]:
    """Progress of a step of equal parts: of a part's number, what takes the share of it done."""

    def part(k: int) -> Callable[[float], None]:
        return lambda share: progress(step, round(1000 * (k + share)), 1000 * parts)

    return part


def _pruned(
    tree: Tree, samples: Samples, leaves: int, config: RasterTable, step: str, progress: Progress
) -> tuple[Tree, np.ndarray, np.ndarray]:
    """Tree of at most ``leaves`` leaves, its leaf histograms and class counts."""
    part = _shares(progress, step, 3)
    counts = tree.histograms(samples)
    label = merge_leaves(counts, config.classes, seed=config.seed, progress=part(0))
    total = class_counts(counts, label, config.classes)
    prior = _prior(total)
    # Twice: the classes of the smaller tree differ, and some of its leaves become equal.
    for k in (1, 2):
        part(k)(0)
        tree = prune(tree, counts, code_bits(total, prior, 1.0), leaves)
        counts = tree.histograms(samples)
        label = merge_leaves(counts, config.classes, start=total, progress=part(k))
        total = class_counts(counts, label, config.classes)
    part(3)(0)
    return tree, counts, label


def _grown(
    samples: Samples, config: RasterTable, step: str, progress: Progress, store: TreeCheckpoint,
    top: Tree | None = None,
) -> Tree:  # fmt: skip
    """A tree of as many leaves as are grown before pruning, below a top if there is one."""
    leaves = min(round(config.leaves * config.overgrow), 1 << 17)
    depth = 2 * config.stages
    progress(step, 0, leaves)
    grower = Grower(samples)
    name = step.replace(" ", "-").replace(":", "")
    if (found := store.growing(name)) is not None:
        grower.resume(*found, None if top is None else depth)
    elif top is not None:
        grower.start(top, depth)

    def tell(count: int) -> None:
        progress(step, count, leaves)
        store.keep(name, grower)

    grower.grow(leaves, config.min_gain, tell)
    progress(step, grower.leaves, grower.leaves)  # no split gains more
    return grower.tree()


def grow_tree(
    samples: Samples, config: RasterTable, run: str, progress: Progress = _ignore,
    store: TreeCheckpoint | None = None,
) -> Tree:  # fmt: skip
    """The tree before its last pruning, its top chosen."""
    store = store or TreeCheckpoint()
    if not config.stages:
        return _grown(samples, config, f"{run}: growing", progress, store)
    if (top := store.get("top")) is None:
        tree = _grown(samples, config, f"{run}: growing", progress, store)
        tree, counts, label = _pruned(
            tree, samples, config.leaves, config, f"{run}: choosing the top", progress
        )
        bits = code_bits(class_counts(counts, label, config.classes), _prior(counts), 1.0)
        top = choose_top(tree, counts, bits, config.top_leaves, 2 * config.stages)
        store.put("top", top, drop=f"{run}-growing")
    return _grown(samples, config, f"{run}: growing below the top", progress, store, top)


def fit_classes(
    grown: Tree, samples: Samples, config: RasterTable, run: str = "", progress: Progress = _ignore,
    store: TreeCheckpoint | None = None,
) -> _Fit:  # fmt: skip
    """Prune and refine a grown tree and count its classes."""
    store = store or TreeCheckpoint()
    names = [f"sweep-{k}" for k in range(config.sweeps + 1)]
    kept = [(k, found) for k, name in enumerate(names) if (found := store.labelled(name))]
    begun = 0
    if kept:
        begun, (tree, label) = kept[-1]
        counts = tree.histograms(samples)
    else:
        tree, counts, label = _pruned(
            grown, samples, config.leaves, config, f"{run}: merging classes", progress
        )
        store.put(names[0], tree, label)
    part = _shares(progress, f"{run}: refining", 2 * config.sweeps)
    for k in range(begun, config.sweeps):
        total = class_counts(counts, label, config.classes)
        tree = refine(tree, label, samples, code_bits(total, _prior(total), 1.0), part(2 * k))
        counts = tree.histograms(samples)
        label = merge_leaves(counts, config.classes, start=total, progress=part(2 * k + 1))
        store.put(names[k + 1], tree, label, drop=names[k])
    if config.sweeps:
        part(2 * config.sweeps)(0)
    if not config.stages:
        tree = replace(tree, top=tree.feature >= 0)
    # Classes by weight, without those that no leaf has.
    total = class_counts(counts, label, config.classes)
    order = np.argsort(-total.sum(axis=1), kind="stable")
    order = order[np.bincount(label, minlength=config.classes)[order] > 0]
    rank = np.empty(config.classes, dtype=np.int64)
    rank[order] = np.arange(order.size)
    own = grown.histograms(samples)
    own_bits = code_bits(own, _prior(own), 8.0, floor=0)
    return _Fit(tree, rank[label], total[order], own_bits, grown)


def bits_per_pixel(
    tree: Tree, bits: np.ndarray, samples: Samples, label: np.ndarray | None = None
) -> float:
    """Ideal bits per pixel of coding the samples with row ``label`` (the leaf itself if None)."""
    counts = tree.histograms(samples)
    if label is not None:
        counts = class_counts(counts, label, bits.shape[0])
    return float((counts * bits).sum() / samples.pixels)


def head_bits(head: TableHead) -> np.ndarray:
    return 14 - np.log2(np.diff(head.cumulative, axis=1))


def table_head(fit: _Fit, strength: float) -> TableHead:
    return TableHead.from_counts(fit.counts + strength * _prior(fit.counts))


def _figures(fit: _Fit, head: TableHead, samples: Samples) -> dict[str, float]:
    """Ideal bpp of each stage: a pmf per grown leaf, per class, integer tables."""
    merged = code_bits(fit.counts, _prior(fit.counts), 1.0, floor=0)
    return {
        "tree": round(bits_per_pixel(fit.grown, fit.grown_bits, samples), 5),
        "merged": round(bits_per_pixel(fit.tree, merged, samples, fit.label), 5),
        "integer": round(bits_per_pixel(fit.tree, head_bits(head), samples, fit.label), 5),
    }


def ideal_bpp(model: Model, images, tile: int = 32) -> float:
    """Ideal bits per pixel of the model's integer tables on images: no headers, no rounding.

    The class of each pixel comes from the model's netlist and walker.
    """
    samples = collect(check_images(images), model.window, tile)
    classes = model.classify(samples.features)
    bits = model.head.code_length(classes, samples.symbols)
    return float((bits * samples.weights).sum() / samples.pixels)


def _trained(
    samples: Samples, config: RasterTable, run: str, progress: Progress, store: TreeCheckpoint
) -> _Fit:
    """The fit of a run on samples, from where its checkpoint is."""
    if (grown := store.get("grown")) is None:
        grown = grow_tree(samples, config, run, progress, store)
        store.put("grown", grown, drop="top")
    return fit_classes(grown, samples, config, run, progress, store)


def train_table_model(
    images,
    config: RasterTable | None = None,
    *,
    checkpoint=None,
    save_seconds: float = 60.0,
    progress: Progress | None = None,
    name: str = "unnamed images",
    licence: str = "",
    date: str | None = None,
    validation=None,
) -> Model:
    """Train a ``raster-table`` model.  The same images and configuration give the same model.

    Parameters
    ----------
    images:
        uint8 arrays of shape (H, W), sizes may differ, of two pixels at least.  Whole images are
        held out; of a single one, its last rows (`lutgen.training.data.holdout`).
    config:
        Configuration, `RasterTable()` unless told.
    checkpoint:
        File that the state is written to after each step, and every ``save_seconds`` while a tree
        grows; a run goes on from it with the same result.  It stays: remove it when the model is
        in safety.
    progress:
        Called with step, work done and all work of the step, often; see `progress_bar`.
    name, licence:
        Of the data, for the training record.
    date:
        ISO date for the training record, today's unless told.
    validation:
        Further images for the figures in the record; nothing is decided by them.

    Returns
    -------
    Model
        Its ``training`` holds profile, data, licence, date, configuration and metrics: ideal bpp
        ``train`` and ``held_out`` of a run without the held-out images, then ``final`` on all
        images and ``validation``, each for ``tree`` (one pmf per grown leaf), ``merged`` (one per
        class) and ``integer`` (integer tables); ``split`` says in words what was held out.

    Raises
    ------
    DatasetError
        If the images are not what they must be.
    InputError
        If the checkpoint is of another run.
    """
    config = RasterTable() if config is None else config
    progress = _ignore if progress is None else progress
    images = check_images(images)
    split = hold_out(images, config.held_out, config.seed)
    window = Window(config.window)
    identity = {"data": data_hash(images), "config": asdict(config)}
    store = TreeCheckpoint(checkpoint, identity, save_seconds)

    def samples(chosen, step: str, turns=config.orientations) -> Samples:
        chosen = orientations(chosen, turns)
        pixels, done = sum(image.size for image in chosen), 0

        def tell(count: int) -> None:
            nonlocal done
            done += count
            progress(f"{step}: collecting windows", done, pixels)

        return collect(chosen, window, config.tile, progress=tell)

    trial = store.note("trial")
    if trial is None:
        kept = samples(split.kept, "trial")
        fit = _trained(kept, config, "trial", progress, store)
        out = samples(split.held, "held out", 1)
        heads = {strength: table_head(fit, strength) for strength in STRENGTHS}
        paid = {
            s: bits_per_pixel(fit.tree, head_bits(head), out, fit.label)
            for s, head in heads.items()
        }
        strength = min(paid, key=paid.__getitem__)
        trial = {"smoothing": strength, "metrics": {
            "train": _figures(fit, heads[strength], kept),
            "held_out": _figures(fit, heads[strength], out),
        }}  # fmt: skip
        del kept, out
        store.write_note("trial", trial)
    strength, metrics = trial["smoothing"], {**trial["metrics"], "split": split.how}

    everything = samples(images, "final")
    fit = _trained(everything, config, "final", progress, store)
    head = table_head(fit, strength)
    metrics["final"] = _figures(fit, head, everything)
    if validation is not None:
        metrics["validation"] = _figures(
            fit, head, samples(check_images(validation), "validation", 1)
        )

    progress("compiling", 0, 1)
    tree, label = collapse(fit.tree, fit.label)
    network, walker = compile_tree(tree, label, features=window.features, stages=config.stages)
    metrics |= {
        "leaves": int(tree.leaves.size),
        "classes": head.classes,
        "top_leaves": int(tree.top_leaves.size),
        "luts": network.n_nodes,
        "thermometer_bits": network.n_inputs,
        "depth": network.depth,
        "records": [] if walker is None else [stage.records for stage in walker.stages],
        "smoothing": strength,
    }
    if walker is None:  # a row for every number that the index can be
        rows = 1 << len(network.outputs["index"])
        head = TableHead(np.pad(head.cumulative, ((0, rows - head.classes), (0, 0)), mode="edge"))
    progress("compiling", 1, 1)
    record: Mapping = {
        "profile": "raster-table",
        "data": {
            "name": name, "images": len(images), "pixels": sum(i.size for i in images),
            "sha256": data_hash(images), "licence": licence,
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "config": asdict(config),
        "metrics": metrics,
    }
    return Model("raster-table", window, network, walker, head, record)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A rich progress bar on stderr, as the ``progress`` of a training function."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    with Bar(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield progress
