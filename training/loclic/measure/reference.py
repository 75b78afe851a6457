"""Layers of CompressAI's models, for the complexity of the codecs that LoC-LIC is compared with.

==========================  ========================================================
name                        paper
==========================  ========================================================
``factorized``              Ballé et al. 2018, factorized prior
``hyperprior``              Ballé et al. 2018, scale hyperprior
``mbt2018-mean``            Minnen et al. 2018, without autoregression
``mbt2018``                 Minnen et al. 2018
``cheng2020-anchor``        Cheng et al. 2020, without attention
==========================  ========================================================

Each has two sizes: its first qualities are ``low``, its last ``high``.  Importable without torch.
"""

from collections.abc import Iterator
from itertools import pairwise

from lutgen.errors import InputError
from lutgen.training.loclic.measure.complexity import Layer, residual, residual_down, residual_up

__all__ = ["REFERENCES", "reference_layers"]

#: Channels (N, M) of each model, low and high.
REFERENCES = {
    "factorized": {"low": (128, 192), "high": (192, 320)},
    "hyperprior": {"low": (128, 192), "high": (192, 320)},
    "mbt2018-mean": {"low": (128, 192), "high": (192, 320)},
    "mbt2018": {"low": (192, 192), "high": (192, 320)},
    "cheng2020-anchor": {"low": (128, 128), "high": (192, 192)},
}


def reference_layers(name: str, size: str) -> Iterator[Layer]:
    """All layers of a model, but for what its factorized prior holds.

    Raises
    ------
    InputError
        If there is no such model or size.
    """
    if name not in REFERENCES:
        raise InputError(f"model must be one of {', '.join(REFERENCES)}, not {name!r}")
    if size not in REFERENCES[name]:
        raise InputError(f"size must be low or high, not {size!r}")
    n, m = REFERENCES[name][size]
    if name == "cheng2020-anchor":
        yield from _cheng(n)
        return
    yield from _balle(n, m)
    if name == "hyperprior":
        yield Layer("hyper-analysis", m, n, 16, 3)
        yield from _down("hyper-analysis", n, n)
        yield from _up("hyper-synthesis", n, n, n)
        yield Layer("hyper-synthesis", n, m, 16, 3)
    elif name.startswith("mbt2018"):
        yield Layer("hyper-analysis", m, n, 16, 3)
        yield from _down("hyper-analysis", n, n)
        yield from _up("hyper-synthesis", n, m, 3 * m // 2)
        yield Layer("hyper-synthesis", 3 * m // 2, 2 * m, 16, 3)
        if name == "mbt2018":
            yield from _autoregression(m)


def _balle(n: int, m: int) -> Iterator[Layer]:
    widths = (3, n, n, n, m)
    for (a, b), scale in zip(pairwise(widths), (2, 4, 8, 16), strict=True):
        yield Layer("analysis", a, b, scale, 5)
        if scale < 16:
            yield Layer("analysis", b, b, scale, kind="gdn")
    for (a, b), scale in zip(pairwise(widths[::-1]), (8, 4, 2, 1), strict=True):
        yield Layer("synthesis", a, b, scale, 5, kind="transposed")
        if scale > 1:
            yield Layer("synthesis", b, b, scale, kind="gdn")


def _down(block: str, a: int, b: int) -> Iterator[Layer]:
    yield Layer(block, a, b, 32, 5)
    yield Layer(block, b, b, 64, 5)


def _up(block: str, a: int, b: int, c: int) -> Iterator[Layer]:
    yield Layer(block, a, b, 32, 5, kind="transposed")
    yield Layer(block, b, c, 16, 5, kind="transposed")


def _autoregression(m: int) -> Iterator[Layer]:
    # The masked half of the kernel is multiplied, by zeros.
    yield Layer("context", m, 2 * m, 16, 5)
    widths = (4 * m, 10 * m // 3, 8 * m // 3, 2 * m)
    for a, b in pairwise(widths):
        yield Layer("entropy parameters", a, b, 16)


def _cheng(n: int) -> Iterator[Layer]:
    before = 3
    for scale in (2, 4, 8):
        yield from residual_down("analysis", before, n, scale)
        yield from residual("analysis", n, n, scale)
        before = n
    yield Layer("analysis", n, n, 16, 3)
    for scale in (8, 4, 2):
        yield from residual("synthesis", n, n, 2 * scale)
        yield from residual_up("synthesis", n, n, scale)
    yield from residual("synthesis", n, n, 2)
    yield Layer("synthesis", n, 4 * 3, 2, 3)
    for scale in (16, 16, 32, 32, 64):
        yield Layer("hyper-analysis", n, n, scale, 3)
    yield Layer("hyper-synthesis", n, n, 64, 3)
    yield Layer("hyper-synthesis", n, 4 * n, 64, 3)
    yield Layer("hyper-synthesis", n, 3 * n // 2, 32, 3)
    yield Layer("hyper-synthesis", 3 * n // 2, 6 * n, 32, 3)
    yield Layer("hyper-synthesis", 3 * n // 2, 2 * n, 16, 3)
    yield from _autoregression(n)
