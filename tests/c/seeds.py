"""Seeds of the fuzz targets, and the library that they are for: python -m tests.c.seeds OUT."""

import sys
from pathlib import Path

import numpy as np

from lutgen.c.folder import write_folder
from lutgen.codec.any_profile import codec_of
from tests.c.compiled import TARGETS
from tests.c.damage import tile_victims, victims
from tests.c.library import library

__all__ = ["seeds"]

#: Fields before the samples of an input of ``fuzz_encode``, and pixels that it knows.
_FIELDS, _PIXELS = 13, 8


def seeds(target: str, codecs) -> list[bytes]:
    """Inputs of a target, by codecs of all models of the library in its order."""
    rng = np.random.default_rng(9)
    if target == "encode":
        return [_to_encode(rng, number) for number in range(len(codecs)) for _ in range(3)]
    one, many = victims(codecs, rng)
    files = []
    for name, file in [*one, *many, *tile_victims(codecs, rng)]:
        files.append(bytearray(file))
        files[-1][4] = list(codecs).index(name)  # the target takes this model
    return [bytes(file) for file in files]


def _to_encode(rng, model: int) -> bytes:
    """Model, pixels, width, height, depth, shift, error, strips, tiles, images, coder, order,
    slabs.
    """
    fields = np.zeros(_FIELDS, dtype=np.uint8)
    fields[:4] = model, rng.integers(_PIXELS), rng.integers(1, 60), rng.integers(1, 60)
    fields[8], fields[12] = rng.choice([0, 16, 255]), rng.choice([1, 1, 2, 8])
    return bytes(fields) + rng.bytes(int(rng.integers(1, 200)))


def _main(out: Path) -> None:
    models = library()
    write_folder(models, out / "lutgen")
    codecs = {name: codec_of(model, threads=1) for name, model in models.items()}
    for target in TARGETS:
        folder = out / "seeds" / target
        folder.mkdir(parents=True, exist_ok=True)
        for k, data in enumerate(seeds(target, codecs)):
            (folder / str(k)).write_bytes(data)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
