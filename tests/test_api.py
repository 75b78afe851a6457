"""The package's own functions, and the page that shows them."""

import doctest
import re
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import lutgen
from lutgen.api import Info
from lutgen.codec.codec import Codec, ModelMismatchError
from lutgen.codec.coder import tans
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.errors import InputError
from lutgen.files.archive import write_archive
from lutgen.formats.rules import ImageError
from lutgen.model.default import DEFAULT, NAMES
from lutgen.model.model import Model, ModelError
from lutgen.model.shipped import SHIPPED, find_model, name_of, shipped
from tests.models import colour_model, predictive_model, pyramid_laplace_model, table_model

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
SOME = np.random.default_rng(0).integers(0, 256, (40, 33), dtype=np.uint8)


def test_examples_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predictive_model().save("deep.lutgen")
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
    assert lutgen.encode(SOME, "digits") == Codec(Model.default()).encode(SOME).data
    model = predictive_model()
    assert lutgen.encode(SOME, model) == PredictiveCodec(model).encode(SOME)
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
    assert data != lutgen.encode(SOME, DEFAULT) == lutgen.encode(SOME)
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
    assert set(NAMES) == set(SHIPPED)  # what commands' help names
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
        lutgen.encode(array, "digits")


@pytest.mark.parametrize("array, message", [
    (np.zeros((4, 6)), "encode: array must hold uint8 or uint16 of shape (H, W) or (N, H, W), "),
    (np.zeros((4, 6, 3), np.uint16), "encode: array of shape (N, H, W) must have W of at least 5"),
    (np.zeros((1, 65536), np.uint8), "encode: image width must be 1 to 65535 pixels, not 65536"),
])  # fmt: skip
def test_arrays_that_predictive_models_refuse(array, message):
    with pytest.raises(ImageError, match=f"^{re.escape(message)}"):
        lutgen.encode(array, predictive_model())


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=20),
           elements=st.integers(0, 4095)),
    st.integers(0, 4), st.sampled_from([0, 1, 3, 20]),
)  # fmt: skip
def test_deep_images_come_back_within_near(image, shift, near):
    model = predictive_model()
    image = image << shift
    found = lutgen.decode(lutgen.encode(image, model, near=near), model)
    assert found.dtype == np.uint16 and found.shape == image.shape
    assert np.abs(found.astype(int) - image).max() <= near


def test_deep_arrays_of_any_byte_order():
    model = predictive_model()
    deep = SOME.astype(np.uint16) << 3
    assert lutgen.encode(deep.astype(">u2"), model) == lutgen.encode(deep, model)


@pytest.mark.parametrize(("near", "message"), [
    (128, "near of 8-bit samples must be 0 to 127, not 128"),
    (-1, "near of 8-bit samples must be 0 to 127, not -1"),
    (1.5, "near of 8-bit samples must be 0 to 127, not 1.5"),
])  # fmt: skip
def test_near_that_is_refused(near, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        lutgen.encode(SOME, predictive_model(), near=near)


def test_deep_images_take_the_default_for_deep_images(monkeypatch):
    """Where the default is photo, more than 8 significant bits are coded by photo-16."""
    photo, deeper = predictive_model(1), predictive_model(2)
    monkeypatch.setitem(SHIPPED, "photo", lambda: photo)
    monkeypatch.setitem(SHIPPED, "photo-16", lambda: deeper)
    monkeypatch.setattr("lutgen.model.shipped.DEFAULT", "photo")
    shipped.cache_clear()
    try:
        deep = SOME.astype(np.uint16) * 5
        for array, model in ((SOME, photo), (deep, deeper), (SOME.astype(np.uint16) << 8, photo)):
            data = lutgen.encode(array)
            assert data == lutgen.encode(array, model)
            assert lutgen.info(data).model_name == ("photo" if model is photo else "photo-16")
            np.testing.assert_array_equal(lutgen.decode(data), array)
        assert lutgen.encode(deep, "photo") == lutgen.encode(deep, photo)
    finally:
        shipped.cache_clear()


def test_colour_takes_the_default_for_colour(monkeypatch):
    """Where the default is photo, colour of any depth is coded by photo-rgb."""
    photo, colour = predictive_model(1), colour_model(2)
    monkeypatch.setitem(SHIPPED, "photo", lambda: photo)
    monkeypatch.setitem(SHIPPED, "photo-rgb", lambda: colour)
    shipped.cache_clear()
    try:
        for channels in (2, 3, 4):
            array = np.dstack([SOME + np.uint8(k) for k in range(channels)])
            for image in (array, np.stack([array, array[::-1]]), array.astype(np.uint16) * 257):
                data = lutgen.encode(image)
                found = lutgen.info(data)
                assert (found.model_name, found.channels) == ("photo-rgb", channels)
                assert (found.width, found.height) == (33, 40)
                back = lutgen.decode(data)
                assert back.dtype == image.dtype
                np.testing.assert_array_equal(back, image)
        assert lutgen.info(lutgen.encode(SOME)).model_name == "photo"
        assert lutgen.info(lutgen.encode(SOME, colour)).model_name == "photo-rgb"
    finally:
        shipped.cache_clear()


def test_order_of_planes():
    """Any order comes back; there is none where there are no three planes, or no planes at all."""
    model, image = colour_model(3), np.dstack([SOME, SOME // 2, 255 - SOME])
    files = {lutgen.encode(image, model, order=order) for order in range(6)}
    assert len(files) == 6 and lutgen.encode(image, model) in files
    for file in files:
        np.testing.assert_array_equal(lutgen.decode(file, model), image)
    for array, order, message in (
        (image, 6, "^order of 3 planes must be 0 to 5, not 6$"),
        (SOME, 1, "^order of 1 planes must be 0 to 0, not 1$"),
    ):
        with pytest.raises(ValueError, match=message):
            lutgen.encode(array, model, order=order)
    with pytest.raises(ValueError, match="^order must be None with a model of profile raster-tab"):
        lutgen.encode(SOME, "digits", order=1)


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((4, 6, 3)), "encode: array must hold uint8 or uint16 of shape (H, W) or (N, H, W), "
     "or of colour (H, W, C) or (N, H, W, C), not float64 of shape (4, 6, 3)"),
    (np.zeros((4, 6, 1), np.uint8), "encode: array of shape (N, H, W) must have W of at least 5"),
    (np.zeros((2, 4, 6, 5), np.uint8), "encode: array must hold uint8 or uint16 of shape (H, W) "),
    (np.zeros((0, 4, 6, 3), np.uint8), "encode: array must hold at least one image, not 0"),
    (np.zeros((1, 65536, 3), np.uint8), "encode: image width must be 1 to 65535 pixels, not 65536"),
])  # fmt: skip
def test_arrays_that_models_of_colour_refuse(array, message):
    with pytest.raises(ImageError, match=f"^{re.escape(message)}"):
        lutgen.encode(array, colour_model())


def test_files_of_other_kinds_are_no_models(tmp_path):
    write_archive(tmp_path / "n.lutgen", "netlist", 1, {}, {})
    message = "n.lutgen: kind must be codec-model or predictive-model or predictive-colour-mo"
    with pytest.raises(ModelError, match=message):
        find_model(tmp_path / "n.lutgen")
    predictive_model().save(tmp_path / "p.lutgen")
    assert find_model(tmp_path / "p.lutgen").profile == "predictive"
    with pytest.raises(ModelError, match="p.lutgen: kind must be 'codec-model', not 'predictive"):
        Model.load(tmp_path / "p.lutgen")


def test_near_of_a_lossless_model():
    message = "near must be 0 with a model of profile raster-table, which is lossless only, not 2"
    with pytest.raises(ValueError, match=f"^{message}$"):
        lutgen.encode(SOME, "digits", near=2)


def test_info():
    model = pyramid_laplace_model()
    data = lutgen.encode(np.stack([SOME, SOME]), model)
    found = lutgen.info(data)
    assert asdict(found) == {
        "version": 1, "model_hash": model.hash[:16], "model_name": None, "images": 2, "width": 33,
        "height": 40, "depth": 8, "channels": 1, "near": 0, "shift": 0,
        "cfa": None, "layout": "tiles of 32 x 32", "levels": 2, "slabs": 1,
        "coder": "rans", "packets": 8,
        "file_bytes": len(data),
    }  # fmt: skip
    assert found.bpp == 8 * len(data) / (2 * SOME.size)
    data = Codec(table_model()).encode(SOME, tile=(16, 64), coder=tans(9)).data
    found = lutgen.info(data)
    assert (found.layout, found.coder, found.packets) == (
        "tiles of 16 x 64", "tans, 2^9 states", 3,
    )  # fmt: skip
    assert lutgen.info(lutgen.encode(SOME)).model_name == DEFAULT


def test_info_of_version_2():
    model = predictive_model()
    wide = np.zeros((40, 200), np.uint16) + (np.arange(200, dtype=np.uint16) << 6)
    data = PredictiveCodec(model).encode(np.stack([wide] * 3), near=64, strip_height=16)
    assert asdict(lutgen.info(data)) == {
        "version": 2, "model_hash": model.hash[:16], "model_name": None, "images": 3, "width": 200,
        "height": 40, "depth": 8, "channels": 1, "near": 64, "shift": 6,
        "cfa": None, "layout": "rows, strips of 16", "levels": 0, "slabs": 1,
        "coder": "rans", "packets": 9,
        "file_bytes": len(data),
    }  # fmt: skip
    data = PredictiveCodec(model).encode(wide, coder=tans(11))
    assert lutgen.info(data).coder == "tans, 2^11 states"


@pytest.mark.parametrize("use", [lutgen.decode, lutgen.info])
@pytest.mark.parametrize("model", ["digits", predictive_model()], ids=["digits", "predictive"])
def test_damaged_bytes(use, model):
    use = partial(use, model=model) if use is lutgen.decode else use
    data = lutgen.encode(SOME, model)
    for bad in (b"", data[:-1], data + b"\0", b"PNG" + data[3:], data[:3] + b"\7" + data[4:]):
        with pytest.raises(CorruptStreamError):
            use(bad)
    with pytest.raises(InputError, match="^data must be bytes of a file, not str$"):
        use("a.lgc")
