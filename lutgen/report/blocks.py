"""The blocks that a build counts: their order along the pipeline and what they do."""

from collections.abc import Iterable, Mapping

__all__ = ["ORDER", "Label", "label", "ordered"]

#: Along the pipeline.  A block that is not named here comes last, under its own name.
ORDER = (
    "memories", "levels", "ups comparators", "ups layers", "ups popcounts", "lanes", "comparators",
    "layers", "popcounts", "walker", "head", "constraint", "coder", "registers", "rest",
)  # fmt: skip
_LABELS = {
    "memories": ("tile and payload buffers", "raster to tiles or back, packets of the file"),
    "levels": ("pyramid and priors", "levels of the pyramid, upsampled pixels, their memories"),
    "ups comparators": ("upsampler, comparators", "pixel > threshold"),
    "ups layers": ("upsampler, LUT layers", "trained truth tables"),
    "ups popcounts": ("upsampler, popcounts", "bits that are set"),
    "lanes": ("lanes and window", "rotation of the lanes, neighbours of each pixel"),
    "comparators": ("comparators", "pixel > threshold"),
    "layers": ("LUT layers", "trained truth tables, delay lines beside them"),
    "popcounts": ("popcounts", "bits that are set"),
    "walker": ("walker", "the rest of the context tree, in memories"),
    "head": ("head", "class to probabilities"),
    "constraint": ("constraint", "what a known average leaves"),
    "coder": ("entropy coder", "ANS state, bits and words"),
    "registers": ("registers", "AXI4-Lite slave, settings, counters, interrupt"),
    "rest": ("rest", "ports, queues, control"),
}
Label = tuple[str, str]


def label(name: str) -> Label:
    """Name and purpose of a block."""
    return _LABELS.get(name, (name, ""))


def ordered(blocks: Mapping | Iterable[str]) -> list[str]:
    """Names of blocks, along the pipeline."""
    known = {name: k for k, name in enumerate(ORDER)}
    names = list(dict.fromkeys(blocks))
    return sorted(names, key=lambda name: known.get(name, len(known) + names.index(name)))
