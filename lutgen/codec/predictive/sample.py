"""Pictures drawn from a predictive model, which visit its classes and tokens as real ones do."""

from dataclasses import replace

import numpy as np

from lutgen.codec.sample import blended
from lutgen.model.cfa import CFAS
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.model.predictive.residual import TOKENS, token_of

from .codec import PredictiveCodec
from .container import GROUP, LAG, Frame
from .planes import cfa_mosaic, from_rows
from .row_coder import RANS_ENTRIES
from .unit_models import UnitModels

__all__ = ["sample", "visited"]

#: Bytes that a sample takes at most: its token's bits, and raw ones.
_BYTES = 4


def sample(
    codec: PredictiveCodec, width: int, height: int, *, depth: int = 8, share: float = 0.0,
    seed: int = 0, order: int = 0,
) -> np.ndarray:  # fmt: skip
    """A picture whose samples a decoder would make of random bits.

    Parameters
    ----------
    codec:
        Codec of a model.
    width, height:
        Size in pixels; even of a colour filter array.
    depth:
        Bits of a sample, 8 to 16.
    share:
        Share of uniform noise in each token's distribution, 0 to 1: rare tokens then come in the
        classes that likely ones lead to.
    seed:
        Of the bits.
    order:
        Number of the order of the planes in `.planes.ORDERS`, or of a colour filter array that of
        its pattern in `lutgen.model.cfa.CFAS`.

    Returns
    -------
    numpy.ndarray
        uint8, deeper ones uint16, shape (height, width), of a model of colour (height, width, 3).
    """
    units = UnitModels.of(codec.model)
    units = replace(units, kernels=tuple(
        kernel._replace(cumulative=np.ascontiguousarray(
            blended(kernel.cumulative, share, _tokens(depth)).astype(np.int32)
        ))
        for kernel in units.kernels
    ))  # fmt: skip
    planes, mosaic = 1, False
    if isinstance(codec.model, ColourModel):
        planes, mosaic = len(codec.model.planes), codec.model.mosaic
    columns, lines = (width // 2, height // 2) if mosaic else (width, height)
    rng, context = np.random.default_rng(seed), new_rows(columns, planes)
    dtype = np.uint8 if depth == 8 else np.uint16
    rows = np.zeros((lines * planes, columns), dtype=dtype if planes == 1 else np.uint16)
    most = (1 << depth) - 1
    for y in range(0, len(rows), GROUP):
        part = rows[y : y + GROUP]
        data = rng.integers(1, 256, size=_BYTES * part.size + 16, dtype=np.uint8)
        data.flags.writeable = False  # as a file's bytes are: numba compiles nothing anew
        units.decode(
            planes, context, y, data, 0, len(data), 0, LAG, depth, 1, most, samples=part,
            entries=RANS_ENTRIES,
        )  # fmt: skip
    if planes == 1:
        return rows
    if mosaic:
        return cfa_mosaic(from_rows(rows, planes, 0), CFAS[order]).astype(dtype)
    return np.ascontiguousarray(from_rows(rows, planes, order).astype(dtype))


def visited(codec: PredictiveCodec, image: np.ndarray, **options) -> np.ndarray:
    """Which tokens come in which rows of the tables: bool, (rows, tokens of this depth).

    ``options`` are those of `PredictiveCodec.encode`; the image is lossless, and one strip.
    """
    file = codec.encode(image, tile_width=0, strip_height=len(image), **options)
    frame = Frame.unpack(file)
    models = UnitModels.of(codec.model).kernels[: frame.channels]
    rows = sum(len(kernel.cumulative) for kernel in models)
    seen = np.zeros((rows, _tokens(frame.samples.depth)), dtype=bool)
    for folded, table_row in codec.residuals(frame, image):
        seen[table_row, [token_of(int(value))[0] for value in folded]] = True
    return seen


def _tokens(depth: int) -> int:
    """Tokens of folded residuals of so many bits."""
    return min(TOKENS, token_of((1 << depth) - 1)[0] + 1)
