"""State of a run of the tree trainer on disk: the run goes on from it with the same result.

Everything else follows from images and configuration, so a state is trees: those of the steps that
are done, and one that grows, with the splits that wait for their turn.
"""

import io
import json
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lutgen.errors import InputError
from lutgen.files.archive import write_archive
from lutgen.files.whole import write_file
from lutgen.training.run.archived import read_checkpoint
from lutgen.training.tree.tree import Grower, Tree

__all__ = ["TreeCheckpoint"]

_KIND, _VERSION = "tree-checkpoint", 1
_PARTS: dict[str, type[np.generic]] = {
    "feature": np.int16, "threshold": np.uint8, "child": np.int32, "top": np.bool_,
}


class TreeCheckpoint:
    """Trees by the name of a step, and notes.

    Parameters
    ----------
    path:
        File, None for none.
    identity:
        What the run is: a checkpoint of another one is an error.
    seconds:
        Time between two states of a tree that grows.

    Raises
    ------
    InputError
        If the file is of another run, or no checkpoint.
    OSError
        If it cannot be read.
    """

    def __init__(
        self, path: Path | None = None, identity: Mapping | None = None, seconds: float = 60.0
    ) -> None:
        self._path = None if path is None else Path(path)
        self._identity = json.loads(json.dumps(identity))
        self._seconds = seconds
        self._notes: dict = {}
        self._arrays: dict[str, np.ndarray] = {}
        self._saved = time.monotonic()
        if self._path is not None and self._path.exists():
            self._notes, self._arrays = read_checkpoint(
                self._path, _KIND, _VERSION, self._identity, "tree", _check_trees
            )

    def note(self, name: str) -> dict | None:
        """What `write_note` was given."""
        return self._notes.get(name)

    def write_note(self, name: str, value: dict) -> None:
        """Keep a json object, and drop all trees: a part of the run is over."""
        self._notes[name] = json.loads(json.dumps(value))
        self._arrays = {}
        self._save()

    def get(self, name: str) -> Tree | None:
        """The tree of a step that is done."""
        if f"{name}.feature" not in self._arrays or f"{name}.heap" in self._arrays:
            return None
        return _tree(self._arrays, name)

    def labelled(self, name: str) -> tuple[Tree, np.ndarray] | None:
        """The tree of a step that is done and the class of each leaf, if both were given."""
        tree, label = self.get(name), self._arrays.get(f"{name}.label")
        return None if tree is None or label is None else (tree, label)

    def put(self, name: str, tree: Tree, label: np.ndarray | None = None, drop: str = "") -> None:
        """Keep the tree of a step; forget that of the step ``drop``, which it is made from."""
        self._set(name, tree, {} if label is None else {"label": label.astype(np.int64)}, drop)
        self._save()

    def growing(self, name: str) -> tuple[Tree, np.ndarray] | None:
        """A tree that grows and what `Grower.waiting` gave."""
        heap = self._arrays.get(f"{name}.heap")
        return None if heap is None else (_tree(self._arrays, name), heap)

    def keep(self, name: str, grower: Grower) -> None:
        """Keep a tree that grows, if it is time to."""
        if self._path is not None and time.monotonic() - self._saved >= self._seconds:
            self._set(name, grower.tree(), {"heap": grower.waiting()})
            self._save()

    def _set(self, name: str, tree: Tree, more: Mapping, drop: str = "") -> None:
        gone = [f"{n}." for n in (name, drop) if n]
        kept = {k: v for k, v in self._arrays.items() if not k.startswith(tuple(gone))}
        own = {part: getattr(tree, part) for part in _PARTS} | dict(more)
        own["top"] = own["top"].astype(np.uint8)
        self._arrays = kept | {f"{name}.{part}": value for part, value in own.items()}

    def _save(self) -> None:
        if self._path is None:
            return
        file = io.BytesIO()
        meta = {"identity": self._identity, "notes": self._notes}
        write_archive(file, _KIND, _VERSION, meta, self._arrays)
        write_file(self._path, file.getvalue())
        self._saved = time.monotonic()


def _check_trees(arrays: Mapping[str, np.ndarray]) -> None:
    """InputError or KeyError unless all arrays are those of trees."""
    for name in {name.rpartition(".")[0] for name in arrays}:
        _tree(arrays, name)


def _tree(arrays: Mapping[str, np.ndarray], name: str) -> Tree:
    """
    Raises
    ------
    InputError
        If it is no tree, whose children follow their parents.
    """
    feature, threshold, child, top = (
        arrays[f"{name}.{part}"].astype(kind) for part, kind in _PARTS.items()
    )
    n = feature.size
    inner = feature >= 0
    if (
        not n or feature.shape != (n,) or threshold.shape != (n,) or top.shape != (n,)
        or child.shape != (n, 2) or (child[inner] <= np.flatnonzero(inner)[:, None]).any()
        or (child[inner] >= n).any() or (top & ~inner).any()
    ):  # fmt: skip
        raise InputError(f"{name} must be a tree")
    return Tree(feature, threshold, child, top)
