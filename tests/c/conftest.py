"""The library that the tests of the codec share, compiled once for each way."""

import numpy as np
import pytest

from lutgen.codec.any_profile import codec_of
from tests.c.compiled import SANITIZERS, build
from tests.c.library import library
from tests.tiers import all_exhaustive, all_slow

#: Flags of what is compiled: the fastest code that this processor has and that for SSE4.1, with
#: sanitizers, which take half a minute to compile, and plain C99 as it is used.
VARIANTS = {
    "fastest": SANITIZERS,
    "sse4.1": (*SANITIZERS, "-DLUTGEN_NO_AVX2"),
    "portable": ("-O2", "-DLUTGEN_PORTABLE"),
}


@pytest.fixture(scope="session")
def models():
    return library()


@pytest.fixture(scope="session", params=[
    *all_slow(["fastest"]), *all_exhaustive(["sse4.1"]), "portable",
])  # fmt: skip
def program(models, tmp_path_factory, request):
    return build(tmp_path_factory.mktemp("c") / "lutgen", models, VARIANTS[request.param])


class Remembering:
    """A codec of the reference that does nothing twice: all variants are compared with it."""

    def __init__(self, codec) -> None:
        self._codec = codec
        self._found = {}

    def __getattr__(self, name: str):
        return getattr(self._codec, name)

    def encode(self, images: np.ndarray, **options):
        key = images.tobytes(), images.dtype, images.shape, repr(options)
        if key not in self._found:
            self._found[key] = self._codec.encode(images, **options)
        return self._found[key]

    def decode(self, file: bytes):
        if file not in self._found:
            self._found[file] = self._codec.decode(file)
        return self._found[file]


@pytest.fixture(scope="session")
def codecs(models):
    return {name: Remembering(codec_of(model, threads=1)) for name, model in models.items()}
