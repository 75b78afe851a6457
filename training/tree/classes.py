"""Fewer classes for a trained model with a table head.

Tables, of tANS above all, cost memory for every class.  Classes whose counts on training images
differ least in code length are merged (:mod:`.merge`), the walker's leaves name the merged ones,
and their tables are counted again; network and context tree stay.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lutgen.errors import InputError
from lutgen.model.head import SYMBOLS, TableHead
from lutgen.model.model import Model
from lutgen.model.walker import Walker
from lutgen.training.data.samples import collect_levels
from lutgen.training.tree.merge import class_counts, merge_leaves

__all__ = ["fewer_classes"]


def fewer_classes(model: Model, images: Sequence[np.ndarray], classes: int, *, tile: int) -> Model:
    """Merge the classes of a model down to ``classes``.

    Parameters
    ----------
    model:
        A model with a table head and a walker.
    images:
        Training images, uint8 arrays of shape (H, W), sizes may differ.
    classes:
        Classes to be left, 2 up to the model's.
    tile:
        Side of the tiles in pixels.

    Raises
    ------
    InputError
        If the model has no walker, whose leaves could be renamed, or fewer classes.
    """
    if model.head.kind != "table" or model.walker is None:
        raise InputError("classes can be merged only in a model with a table head and a walker")
    if not 2 <= classes <= model.head.classes:
        raise InputError(
            f"classes must be 2 to {model.head.classes}, the model's own, not {classes!r}"
        )
    samples = collect_levels(
        images, model.window, tile, levels=model.levels,
        upsample=None if model.upsampler is None else model.upsampler.upsample,
    )  # fmt: skip
    counts = np.zeros((model.head.classes, SYMBOLS))
    for part in samples:
        np.add.at(counts, (model.classify(part.features), part.symbols), part.weights)
    label = merge_leaves(counts, classes)
    # What the images never showed counts as the old table says, with the weight of one pixel.
    pmf = np.diff(model.head.cumulative, axis=1) / model.head.cumulative[0, -1]
    head = TableHead.from_counts(class_counts(counts + pmf, label, classes))
    *stages, last = model.walker.stages
    walker = Walker([*stages, replace(last, child=label[last.child].astype(np.uint16))])
    return replace(model, walker=walker, head=head)
