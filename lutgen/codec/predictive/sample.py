"""Pictures drawn from a predictive model, which visit its classes and tokens as real ones do."""

from typing import cast

import numpy as np

from lutgen.codec.sample import blended
from lutgen.model.predictive.model import Kernel, PredictiveModel
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.model.predictive.residual import TOKENS, token_of

from .codec import PredictiveCodec
from .container import GROUP, LAG
from .row_coder import RANS_ENTRIES
from .strip import decode_unit, model_unit

__all__ = ["sample", "visited"]

#: Bytes that a sample takes at most: its token's bits, and raw ones.
_BYTES = 4


def sample(
    codec: PredictiveCodec, width: int, height: int, *, depth: int = 8, share: float = 0.0,
    seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """A picture whose samples a decoder would make of random bits.

    Parameters
    ----------
    codec:
        Codec of a model of gray images.
    width, height:
        Size in pixels.
    depth:
        Bits of a sample, 8 to 16.
    share:
        Share of uniform noise in each token's distribution, 0 to 1: rare tokens then come in the
        classes that likely ones lead to.
    seed:
        Of the bits.

    Returns
    -------
    numpy.ndarray
        uint8, deeper ones uint16, shape (height, width).
    """
    kernel = _kernel(codec)
    table = blended(kernel.cumulative, share, _tokens(depth)).astype(np.int32)
    kernel = kernel._replace(cumulative=np.ascontiguousarray(table))
    rng, context = np.random.default_rng(seed), new_rows(width, 1)
    image = np.zeros((height, width), dtype=np.uint8 if depth == 8 else np.uint16)
    most = (1 << depth) - 1
    for y in range(0, height, GROUP):
        rows = image[y : y + GROUP]
        data = rng.integers(1, 256, size=_BYTES * rows.size + 16, dtype=np.uint8)
        decode_unit(
            kernel, context, y, data, 0, len(data), 0, LAG, depth, 1, most, rows, RANS_ENTRIES
        )  # fmt: skip
    return image


def visited(codec: PredictiveCodec, image: np.ndarray, *, depth: int = 8) -> np.ndarray:
    """Which tokens come in which rows of the tables: bool, (rows, tokens of this depth)."""
    kernel, (height, width) = _kernel(codec), image.shape
    seen = np.zeros((len(kernel.cumulative), _tokens(depth)), dtype=bool)
    context = new_rows(width, 1)
    samples = image.astype(np.int32)
    for y in range(0, height, GROUP):
        rows = np.ascontiguousarray(samples[y : y + GROUP])
        folded, row = np.empty((2, rows.size), dtype=np.int32)
        model_unit(
            kernel, context, y, rows, rows, LAG, depth, 1, (1 << depth) - 1, folded, row
        )
        tokens = [token_of(int(value))[0] for value in folded]
        seen[row, tokens] = True
    return seen


def _kernel(codec: PredictiveCodec) -> Kernel:
    return cast(PredictiveModel, codec.model).kernel


def _tokens(depth: int) -> int:
    """Tokens of folded residuals of so many bits."""
    return min(TOKENS, token_of((1 << depth) - 1)[0] + 1)
