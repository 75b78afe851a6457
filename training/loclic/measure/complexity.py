"""Multiplications per pixel of a codec, in closed form from its configuration.

A network is listed as its layers, each with the scale of its output; a counting rule turns a layer
into multiply-accumulate operations (MAC) per image pixel.  Importable without torch.

Rules
-----
``macs``
    A k x k convolution with its output at 1/s of the resolution has Cin Cout k^2 / (groups s^2)
    MAC, a transposed one at its *input* scale.  A linear layer is a 1 x 1 convolution.  GDN, C^2 /
    s^2, and the matrix products of attention are kept apart, in `Count.gdn` and `Count.attention`.
``torchinfo``
    What the package torchinfo prints: weights *and biases* of convolutions, once for each position
    of the *output*, so that a transposed convolution costs four times what it computes; linear
    layers once per image, which is next to nothing per pixel and counts as nothing here; neither
    GDN nor matrix products.  It gives 270.8 and 1256.5 where the LoC-LIC paper has 270 and 1256.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from lutgen.errors import InputError
from lutgen.training.loclic.networks.config import CodecConfig

__all__ = ["RULES", "Count", "Layer", "codec_layers", "count"]

#: Counting rules, and what to write beside a figure.
RULES = {
    "macs": "convolutions at their output scale, transposed ones at their input scale, "
    "and linear layers; GDN and attention products apart",
    "torchinfo": "as torchinfo counts: weights and biases of convolutions at their output scale, "
    "transposed ones too; no linear layers, no GDN, no attention products",
}

_UNCOUNTED = {
    "macs": ("parameters",),
    "torchinfo": ("parameters", "linear", "gdn", "attention"),
}


@dataclass(frozen=True)
class Layer:
    """One operation.

    Parameters
    ----------
    block:
        The part of the codec that it belongs to.
    inputs, outputs:
        Channels.
    scale:
        Its output has 1/scale of the image's sides.
    kernel:
        Side of the kernel.
    groups:
        Groups of a convolution.
    kind:
        ``convolution``; ``transposed``, of stride 2; ``linear``; ``gdn``; ``attention``, a matrix
        product; or ``parameters``, which multiply nothing.
    extra:
        Further parameters.
    """

    block: str
    inputs: int
    outputs: int
    scale: int
    kernel: int = 1
    groups: int = 1
    kind: str = "convolution"
    extra: int = 0

    @property
    def weights(self) -> int:
        if self.kind in ("attention", "parameters"):
            return 0
        return self.inputs * self.outputs * self.kernel**2 // self.groups

    @property
    def parameters(self) -> int:
        biases = 0 if self.kind in ("attention", "parameters") else self.outputs
        return self.weights + biases + self.extra

    def macs(self, rule: str) -> float:
        """MAC per image pixel."""
        if self.kind == "attention":
            return self.inputs * self.outputs / self.scale**2
        if rule == "torchinfo":
            return self.parameters / self.scale**2
        return self.weights / (self.scale * (2 if self.kind == "transposed" else 1)) ** 2


@dataclass(frozen=True)
class Count:
    """Complexity of a codec.

    Parameters
    ----------
    rule:
        Counting rule, see the module.
    blocks:
        kMAC per pixel of convolutions and linear layers, by block.
    gdn:
        kMAC per pixel of GDN, by block; empty under ``torchinfo``.
    attention:
        kMAC per pixel of the matrix products of attention, by block; empty under ``torchinfo``.
    parameters:
        Number of trained values.
    """

    rule: str
    blocks: dict[str, float]
    gdn: dict[str, float]
    attention: dict[str, float]
    parameters: int

    @property
    def total(self) -> float:
        """kMAC per pixel of convolutions and linear layers."""
        return sum(self.blocks.values())

    @property
    def all_in(self) -> float:
        """kMAC per pixel with GDN and attention."""
        return self.total + sum(self.gdn.values()) + sum(self.attention.values())


def count(layers, rule: str = "macs") -> Count:
    """Complexity of a list of layers.

    Raises
    ------
    InputError
        If there is no such rule.
    """
    if rule not in RULES:
        raise InputError(f"rule must be one of {', '.join(RULES)}, not {rule!r}")
    layers = list(layers)
    parts: dict[str, dict[str, float]] = {"blocks": {}, "gdn": {}, "attention": {}}
    for layer in layers:
        if layer.kind in _UNCOUNTED[rule]:
            continue
        part = parts[layer.kind if layer.kind in parts else "blocks"]
        part[layer.block] = part.get(layer.block, 0.0) + layer.macs(rule) / 1000
    return Count(rule=rule, parameters=sum(layer.parameters for layer in layers), **parts)


def codec_layers(config: CodecConfig) -> Iterator[Layer]:
    """All layers of `lutgen.training.loclic.model.Codec`."""
    yield from _analysis(config)
    yield from _synthesis(config)
    yield from _hyper(config)
    for index in range(config.slices):
        yield from _slice(config, index)
    if config.remainder:
        yield from _remainder(config)


def _chain(block: str, widths, scale: int, kernel: int = 1, **more) -> Iterator[Layer]:
    for a, b in pairwise(widths):
        yield Layer(block, a, b, scale, kernel, **more)


def _gdn(block: str, width: int, scale: int) -> Layer:
    return Layer(block, width, width, scale, kind="gdn")


def residual(block: str, a: int, b: int, scale: int) -> Iterator[Layer]:
    """A residual block."""
    yield from _chain(block, [a, b, b], scale, 3)
    if a != b:
        yield Layer(block, a, b, scale)


def residual_down(block: str, a: int, b: int, scale: int) -> Iterator[Layer]:
    """A residual block that halves the resolution, to 1/scale."""
    yield from _chain(block, [a, b, b], scale, 3)
    yield Layer(block, a, b, scale)
    yield _gdn(block, b, scale)


def residual_up(block: str, a: int, b: int, scale: int) -> Iterator[Layer]:
    """A residual block that doubles the resolution, to 1/scale."""
    for _ in ("body", "skip"):
        yield Layer(block, a, 4 * b, 2 * scale, 3)
    yield Layer(block, b, b, scale, 3)
    yield _gdn(block, b, scale)


def _analysis(config: CodecConfig) -> Iterator[Layer]:
    block, before = "analysis", 3
    for width, scale in zip(config.widths, (2, 4, 8), strict=True):
        yield from residual_down(block, before, width, scale)
        yield from residual(block, width, width, scale)
        before = width
    yield Layer(block, before, config.latent, 16, 3)


def _synthesis(config: CodecConfig) -> Iterator[Layer]:
    block, before = "synthesis", config.latent
    firsts = (config.synthesis_width, *config.widths[1::-1])
    for first, width, scale in zip(firsts, config.widths[::-1], (8, 4, 2), strict=True):
        yield from residual(block, before, first, 2 * scale)
        yield from residual_up(block, first, width, scale)
        before = width
    yield from residual(block, before, before, 2)
    yield Layer(block, before, 4 * 3, 2, 3)


def _hyper(config: CodecConfig) -> Iterator[Layer]:
    n, m = config.hyper_width, config.latent
    block = "hyper-analysis"
    for a, scale in ((m, 16), (n, 16), (n, 32), (n, 32), (n, 64)):
        yield Layer(block, a, n, scale, 3)
    block = "hyper-synthesis"
    yield Layer(block, n, m, 64, 3)
    yield Layer(block, m, 4 * m, 64, 3)
    yield Layer(block, m, 3 * m // 2, 32, 3)
    yield Layer(block, 3 * m // 2, 6 * m, 32, 3)
    yield Layer(block, 3 * m // 2, 2 * m, 16, 3)
    # Per channel: matrices 33, biases 13, factors 12 and 3 quantiles.
    yield Layer("factorized prior", 0, 0, 64, kind="parameters", extra=61 * n)


def _projections(block: str, width: int) -> Iterator[Layer]:
    """Queries, keys and values: 1 x 1, then depthwise 3 x 3, each."""
    for _ in "qkv":
        yield Layer(block, width, width, 16)
        yield Layer(block, width, width, 16, 3, groups=width)


def _feed_forward(block: str, a: int, hidden: int, b: int) -> Iterator[Layer]:
    yield Layer(block, a, hidden, 16)
    yield Layer(block, hidden, hidden, 16, 3, groups=hidden)
    yield Layer(block, hidden, b, 16)


def _slice(config: CodecConfig, index: int) -> Iterator[Layer]:
    c, m, window = config.channels, config.latent, config.window
    known = index * c
    heads = (320, 256, 128, 2 * c)
    yield from _chain("anchor parameters", [2 * m + (6 * c if index else 0), *heads], 16)
    yield from _chain("non-anchor parameters", [2 * m + (10 * c if index else 2 * c), *heads], 16)
    for _ in ("anchor", "non-anchor"):
        for (a, b), side in zip(
            pairwise(config.residual_widths(index)), config.residual_sides, strict=True
        ):
            yield Layer("latent residual", a, b, 16, side)
    yield from _local(c, window)
    if not index:
        return
    yield from _chain("channel context", [known, 192, 128, 4 * c], 16, 3)

    block = "inter-slice context"
    yield from _projections(block, known)
    for _ in ("k v^T", "context^T q"):
        yield Layer(block, known, c, 16, kind="attention")  # `index` heads of c x c
    yield Layer(block, known, 3 * c, 16, 5)
    yield Layer(block, 3 * c, 2 * c, 16)
    yield from _feed_forward(block, 3 * c, 4 * c, 2 * c)

    block = "intra-slice context"
    yield from _projections(block, c)
    for _ in ("k v^T", "context^T q"):
        yield Layer(block, c, c // 2, 16, kind="attention")  # two heads
    yield Layer(block, c, 2 * c, 16, 5)
    yield from _feed_forward(block, 2 * c, 4 * c, 2 * c)


def _remainder(config: CodecConfig) -> Iterator[Layer]:
    block, r = "remainder", config.remainder
    yield from _chain(block, [3 * 16**2, r, 3 * 16**2], 16)
    yield Layer(block, 3 * config.latent, 128, 16)
    yield Layer(block, 128, 96, 16, 3)
    yield Layer(block, 96, 2 * r, 16)


def _local(c: int, window: int) -> Iterator[Layer]:
    block, cells = "local context", window**2
    # Gains and offsets of the layer norms; two heads' relative positions.
    extra = 2 * c + 4 * c + 2 * (2 * window - 1) ** 2
    yield Layer(block, 0, 0, 16, kind="parameters", extra=extra)
    yield Layer(block, c, 3 * c, 16, kind="linear")
    for _ in ("q^T k", "v a"):
        yield Layer(block, cells * cells, c, 16, kind="attention")
    yield Layer(block, c, 2 * c, 16, window)
    yield from _chain(block, [2 * c, 2 * c], 16, kind="linear")
    yield from _chain(block, [2 * c, 4 * c, 2 * c], 16, kind="linear")
