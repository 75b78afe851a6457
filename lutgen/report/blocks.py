"""The blocks that a build counts: their order along the pipeline and what they do."""

from collections.abc import Iterable, Mapping

__all__ = ["Blocks", "Label"]

#: Name and purpose of a block.
Label = tuple[str, str]


class Blocks:
    """What a page calls the blocks of a profile.

    Parameters
    ----------
    labels
        Name and purpose by the block's name in ``build.json``, along the pipeline.  A block that is
        not among them comes last, under its own name.
    """

    def __init__(self, labels: Mapping[str, Label]) -> None:
        self._labels = dict(labels)

    def label(self, name: str) -> Label:
        """Name and purpose of a block."""
        return self._labels.get(name, (name, ""))

    def ordered(self, blocks: Mapping | Iterable[str]) -> list[str]:
        """Names of blocks, along the pipeline."""
        known = {name: k for k, name in enumerate(self._labels)}
        names = list(dict.fromkeys(blocks))
        return sorted(names, key=lambda name: known.get(name, len(known) + names.index(name)))
