"""The library that the tests of the codec share, compiled once for each way."""

import pytest

from lutgen.codec.any_profile import codec_of
from tests.c.compiled import SANITIZERS, build
from tests.c.library import library


@pytest.fixture(scope="session")
def models():
    return library()


@pytest.fixture(scope="session", params=["fastest", "portable"])
def program(models, tmp_path_factory, request):
    """The fastest code that this processor has, with sanitizers, and plain C99 as it is used."""
    flags = SANITIZERS if request.param == "fastest" else ("-O2", "-DLUTGEN_PORTABLE")
    return build(tmp_path_factory.mktemp("c") / "lutgen", models, flags)


@pytest.fixture(scope="session")
def codecs(models):
    return {name: codec_of(model, threads=1) for name, model in models.items()}
