"""Images of tiles for the codec in C, and the reference's answers to them."""

import numpy as np

from lutgen.codec.coder import RANS, tans
from lutgen.model.head import TableHead
from lutgen.model.model import Model
from tests.c.compiled import SUCCESS

__all__ = ["tiles_both_ways"]


def drawn(rng, kind: int, shape) -> np.ndarray:
    """Images of noise, of one value, of strokes, or of smooth surfaces."""
    if kind == 0:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == 1:
        return np.full(shape, rng.integers(256), dtype=np.uint8)
    if kind == 2:
        return np.where(rng.random(shape) < 0.2, rng.integers(1, 256, shape), 0).astype(np.uint8)
    steps = rng.normal(0, 6, shape).cumsum(axis=1).cumsum(axis=2)
    return (steps + 128).clip(0, 255).astype(np.uint8)


def coders(model: Model) -> list:
    """The coders that a model can have."""
    has_tables = isinstance(model.head, TableHead) and not model.constraint
    return [RANS, *(tans(bits) for bits in range(8, 13) if has_tables)]


def cases(rng, count: int, model: Model):
    """Images, tile and coder: of one tile, of parts of it, of more than 64 tiles."""
    kinds = coders(model)
    sizes = [(1, 1), (28, 28), (9, 70), (33, 31), (1, 64), (64, 3), (40, 17), (5, 200)]
    for k in range(count):
        height, width = sizes[k % len(sizes)] if k % 2 else rng.integers(1, 50, 2)
        number = (1, 1, 2, 70)[k % 4] if height * width < 900 else 1
        step = 1 << model.levels
        tile = tuple(int(step * rng.integers(1, 64 // step + 1)) for _ in range(2))
        tile = ((32, 32), tile, (step, step), (64, 64))[k % 4]
        images = drawn(rng, k % 4 if k % 5 else 3, (number, height, width))
        yield images, tile, kinds[k % len(kinds)]


def tiles_both_ways(program, codecs, rng, count: int, names) -> None:
    wanted = []
    for name in names:
        for k, (images, tile, coder) in enumerate(cases(rng, count, program.models[name])):
            file = codecs[name].encode(images, tile=tile, coder=coder).data
            program.encode_tiles(name, images, tile, coder=coder, by_strips=k % 3 == 1)
            program.decode(name, file, by_strips=k % 3 == 2)
            wanted.append((file, images, f"{name}: {images.shape}, {tile}, {coder}"))
    answers = program.answers()
    for (file, images, what), encoded, decoded in zip(wanted, answers[::2], answers[1::2],
                                                      strict=True):  # fmt: skip
        assert encoded.status == SUCCESS and encoded.data == file, what
        assert decoded.status == SUCCESS and decoded.damaged == (), what
        assert np.array_equal(decoded.images(file), images), what
