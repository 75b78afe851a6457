"""The package's own functions, and the page that shows them."""

import doctest
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

import lutgen
from lutgen.api import Info
from lutgen.codec.codec import Codec, ModelMismatchError
from lutgen.codec.coder import tans
from lutgen.codec.container import CorruptStreamError
from lutgen.formats.rules import ImageError
from lutgen.model.model import Model, ModelError
from lutgen.model.shipped import SHIPPED, find_model, name_of, shipped
from tests.models import pyramid_laplace_model, table_model

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
SOME = np.random.default_rng(0).integers(0, 256, (40, 33), dtype=np.uint8)


def test_examples_of_the_page():
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 10 and not result.failed


def test_names_are_the_package_s_own():
    assert {"Info", "decode", "encode", "info"} <= set(dir(lutgen))
    assert lutgen.Info is Info
    with pytest.raises(AttributeError, match="^module 'lutgen' has no attribute 'compress'$"):
        lutgen.compress  # noqa: B018


def test_neither_torch_nor_amaranth_is_loaded():
    program = (
        "import sys, lutgen; assert 'numpy' not in sys.modules; import numpy as np; "
        "x = np.zeros((5, 6), np.uint8); assert (lutgen.decode(lutgen.encode(x)) == x).all(); "
        "sys.exit(not {'torch', 'amaranth', 'imagecodecs', 'PIL'}.isdisjoint(sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PAGE.parents[1])


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_an_image_comes_back(image):
    found = lutgen.decode(lutgen.encode(image))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, image)


def test_bytes_are_those_of_the_codec():
    assert lutgen.encode(SOME) == Codec(Model.default()).encode(SOME).data
    stack = np.stack([SOME, ~SOME])
    np.testing.assert_array_equal(lutgen.decode(lutgen.encode(stack)), stack)
    assert lutgen.decode(lutgen.encode(stack[:1])).shape == SOME.shape
    np.testing.assert_array_equal(lutgen.decode(memoryview(lutgen.encode(SOME))), SOME)


def test_models_by_name_by_file_and_by_themselves(tmp_path):
    model = table_model()
    model.save(tmp_path / "m.lutgen")
    data = lutgen.encode(SOME, model)
    assert data == lutgen.encode(SOME, tmp_path / "m.lutgen")
    assert data == lutgen.encode(SOME, str(tmp_path / "m.lutgen"))
    assert data != lutgen.encode(SOME, "digits") == lutgen.encode(SOME)
    np.testing.assert_array_equal(lutgen.decode(data, model), SOME)
    known = ", ".join(SHIPPED)
    message = f"stream was written with model {model.hash[:16]}, which is none of {known}: "
    with pytest.raises(ModelMismatchError, match=f"^{message}give the model file it was encoded"):
        lutgen.decode(data)
    with pytest.raises(ModelMismatchError, match="^stream was written with model"):
        lutgen.decode(data, "digits")
    with pytest.raises(FileNotFoundError):
        lutgen.encode(SOME, "photographs")
    (tmp_path / "bad.lutgen").write_bytes(b"no model")
    with pytest.raises(ModelError):
        lutgen.encode(SOME, tmp_path / "bad.lutgen")


def test_many_models_in_turn():
    """More than are kept; each codes with its own tables."""
    models = [table_model(), pyramid_laplace_model(), *(table_model(bits=b) for b in (1, 2, 3, 4))]
    for model in [*models, *models]:
        np.testing.assert_array_equal(lutgen.decode(lutgen.encode(SOME, model), model), SOME)


def test_shipped_models_load_and_are_found_by_their_hash():
    for name in SHIPPED:
        model = shipped(name)
        assert find_model(name) is model
        assert name_of(bytes.fromhex(model.hash)[:8]) == name
    assert name_of(bytes(8)) is None


@pytest.mark.parametrize("array, message", [
    (np.zeros((4, 6), np.uint16), "encode: array must hold uint8 of shape (H, W) or (N, H, W), not "
     "uint16 of shape (4, 6); take a model of profile predictive"),
    (np.zeros((4, 6)), "encode: array must hold uint8 of shape (H, W) or (N, H, W), not float64"),
    ([1, 2], "encode: array must hold uint8 of shape (H, W) or (N, H, W), not int64"),
    (np.zeros((4, 6, 3), np.uint8), "encode: array of shape (N, H, W) must have W of at least 5"),
    (np.zeros((0, 6), np.uint8), "encode: image height must be 1 to 16384 pixels, not 0"),
    (np.zeros((1, 16385), np.uint8), "encode: image width must be 1 to 16384 pixels, not 16385"),
])  # fmt: skip
def test_arrays_that_are_refused(array, message):
    with pytest.raises(ImageError, match=f"^{re.escape(message)}"):
        lutgen.encode(array)


def test_near_of_a_lossless_model():
    message = "near must be 0 with a model of profile raster-table, which is lossless only, not 2"
    with pytest.raises(ValueError, match=f"^{message}$"):
        lutgen.encode(SOME, near=2)


def test_info():
    model = pyramid_laplace_model()
    data = lutgen.encode(np.stack([SOME, SOME]), model)
    found = lutgen.info(data)
    assert asdict(found) == {
        "version": 1, "model_hash": model.hash[:16], "model_name": None, "images": 2, "width": 33,
        "height": 40, "depth": 8, "channels": 1, "near": 0, "shift": 0,
        "layout": "tiles of 32 x 32", "levels": 2, "coder": "rans", "packets": 8,
        "file_bytes": len(data),
    }  # fmt: skip
    assert found.bpp == 8 * len(data) / (2 * SOME.size)
    data = Codec(table_model()).encode(SOME, tile=(16, 64), coder=tans(9)).data
    found = lutgen.info(data)
    assert (found.layout, found.coder, found.packets) == (
        "tiles of 16 x 64", "tans, 2^9 states", 3,
    )  # fmt: skip
    assert lutgen.info(lutgen.encode(SOME)).model_name == "digits"


@pytest.mark.parametrize("use", [lutgen.decode, lutgen.info])
def test_damaged_bytes(use):
    data = lutgen.encode(SOME)
    for bad in (b"", data[:-1], data + b"\0", b"PNG" + data[3:], data[:3] + b"\7" + data[4:]):
        with pytest.raises(CorruptStreamError):
            use(bad)
    with pytest.raises(TypeError, match="^data must be bytes of a file, not str$"):
        use("a.lgc")
