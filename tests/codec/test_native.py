"""The codec in C behind the reference: what it gives is what the loops in Python give."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lutgen
from lutgen.c.folder import folder_files
from lutgen.codec import native, native_tiles
from lutgen.codec.any_profile import codec_of
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, tans
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import DamagedStripsError, PredictiveCodec
from lutgen.errors import InputError
from tests.models import (
    colour_model,
    mosaic_model,
    predictive_model,
    pyramid_table_model,
    table_model,
)

MODELS = {"gray": predictive_model(), "rgb": colour_model(), "raw": mosaic_model(),
          "tiles": table_model(), "pyramid": pyramid_table_model()}  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A shared library of the models, as one builds it by hand."""
    folder = tmp_path_factory.mktemp("native")
    files = {name: text for name, text in folder_files(MODELS).items() if name.startswith("src/")}
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    try:
        subprocess.run(
            ["cc", "-std=c99", "-O1", "-fPIC", "-shared", *(n for n in files if n.endswith(".c")),
             "-o", "own.so"], cwd=folder, check=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("needs a C compiler")
    return folder / "own.so"


@pytest.fixture
def codecs(library, monkeypatch):
    """Those in C and those in Python, by the names of the models."""
    monkeypatch.setenv(native.VARIABLE, str(library))
    fast = {name: codec_of(model, threads=2) for name, model in MODELS.items()}
    slow = {}
    for name, model in MODELS.items():
        with monkeypatch.context() as patch:
            patch.setenv(native.VARIABLE, "python")
            slow[name] = codec_of(model, threads=2)
    return fast, slow


@pytest.fixture
def spy(monkeypatch):
    """How often the library coded something with success."""
    calls = []

    def spied(name, old):
        def call(*arguments):
            found = old(*arguments)
            if found is not None and found is not False:
                calls.append(name)
            return found

        monkeypatch.setattr(native.NativeModel, name, call)

    for name in ("encode_strip", "decode_strip", "encode", "decode"):
        spied(name, getattr(native.NativeModel, name))
    return calls


CASES = [
    ("gray", (3, 40, 150), {"depth": 8}), ("gray", (1, 30, 20), {"depth": 12, "near": 2}),
    ("gray", (2, 41, 130), {"depth": 10, "shift": 6, "strip_height": 8}),
    ("gray", (2, 41, 150), {"depth": 8, "strip_height": 16, "slabs": 4}),
    ("raw", (1, 22, 130), {"depth": 14, "cfa": "RGGB", "strip_height": 9, "slabs": 2}),
    ("rgb", (1, 20, 60, 3), {"depth": 8, "channels": 3, "tile_width": 25}),
    ("rgb", (2, 20, 130, 4), {"depth": 16, "channels": 4, "strip_height": 7}),
    ("rgb", (1, 9, 9, 2), {"depth": 8, "channels": 2}),
    ("raw", (1, 22, 130), {"depth": 14, "cfa": "GRBG", "strip_height": 9}),
]  # fmt: skip


def drawn(shape, depth: int, shift: int = 0) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    steps = rng.integers(-3, 4, shape).cumsum(axis=2) + (1 << (depth - 1))
    kind = np.uint8 if depth + shift == 8 else np.uint16
    return (steps.clip(0, (1 << depth) - 1) << shift).astype(kind)


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_predictive_files_and_samples(codecs, spy, name, shape, options):
    fast, slow = codecs
    images = drawn(shape, options["depth"], options.get("shift", 0))
    counts: dict[str, list[int]] = {"fast": [], "slow": []}
    file = fast[name].encode(images, **options, progress=counts["fast"].append)
    strips = len(spy)
    assert set(spy) == {"encode_strip"}
    assert file == slow[name].encode(images, **options, progress=counts["slow"].append)
    assert sorted(counts["fast"]) == sorted(counts["slow"])
    found, wanted = fast[name].decode(file), slow[name].decode(file)
    assert spy[strips:] == ["decode_strip"] * strips
    assert found.dtype == wanted.dtype and np.array_equal(found, wanted)


def test_samples_that_are_wider_than_they_must_be(codecs):
    """Eight bits in arrays of 16."""
    images = drawn((1, 10, 130), 8).astype(np.uint16)
    assert codecs[0]["gray"].encode(images, depth=8) == codecs[1]["gray"].encode(images, depth=8)


@pytest.mark.parametrize(("name", "shape", "tile", "coder", "parts"), [
    ("tiles", (70, 20, 28), (32, 32), RANS, 1), ("tiles", (70, 20, 28), (32, 32), tans(9), 1),
    # Runs of images, each and the last of which has fewer; runs of rows of tiles likewise.
    ("tiles", (20, 20, 28), (9, 7), RANS, 4), ("tiles", (2, 90, 150), (16, 8), tans(8), 12),
    ("pyramid", (5, 33, 20), (16, 32), RANS, 2), ("pyramid", (1, 150, 70), (16, 4), RANS, 4),
    ("pyramid", (3, 50, 99), (64, 64), RANS, 3),
])  # fmt: skip
def test_tiles(codecs, monkeypatch, spy, name, shape, tile, coder, parts):
    """Files, images and figures, in parts that threads share out."""
    if parts > 1:
        monkeypatch.setattr(native_tiles, "_PART_PIXELS", 3000)
    codec, images = codecs[0][name], drawn(shape, 8)
    counts: dict[str, list[int]] = {"encode": [], "decode": []}
    encoded = codec.encode(images, tile=tile, coder=coder, progress=counts["encode"].append)
    decoded = codec.decode(encoded.data, progress=counts["decode"].append)
    assert spy == ["encode"] * parts + ["decode"] * parts
    assert np.array_equal(decoded, images)
    for each in counts.values():
        assert len(each) == parts and sum(each) == images.size
    monkeypatch.setenv(native.VARIABLE, "python")
    wanted = codec.encode(images, tile=tile, coder=coder)
    assert encoded == wanted and encoded.level_bits == wanted.level_bits
    assert encoded.ideal_bits == pytest.approx(sum(wanted.level_bits))
    assert np.array_equal(codec.decode(encoded.data), images)
    assert len(spy) == 2 * parts


@pytest.mark.parametrize("at", [-3, 60, 200, 400])
def test_damage_is_told_by_the_reference(codecs, at):
    images = drawn((1, 40, 150), 8)
    file = bytearray(codecs[1]["gray"].encode(images, depth=8, strip_height=8))
    file[at] ^= 64
    found = []
    for codec in (each["gray"] for each in codecs):
        try:
            found.append((None, codec.decode(bytes(file))))
        except DamagedStripsError as error:
            found.append((str(error), error.images))
    assert found[0][0] == found[1][0]
    assert np.array_equal(found[0][1], found[1][1])


def test_damaged_tiles_are_told_by_the_reference(codecs, monkeypatch):
    file = bytearray(codecs[0]["tiles"].encode(drawn((2, 40, 50), 8)).data)
    file[-1] ^= 1
    said = []
    for chosen in (None, "python"):
        if chosen:
            monkeypatch.setenv(native.VARIABLE, chosen)
        with pytest.raises(CorruptStreamError) as error:
            codecs[0]["tiles"].decode(bytes(file))
        said.append(str(error.value))
    assert said[0] == said[1] and "image 1, tile 3" in said[0]


def test_other_models_are_coded_in_python(codecs, spy):
    other = PredictiveCodec(predictive_model(7), threads=1)
    images = drawn((1, 8, 30), 8)
    assert np.array_equal(other.decode(other.encode(images, depth=8)), images)
    assert spy == []


def test_the_variable_is_checked(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "_installed", lambda: None)
    monkeypatch.delenv(native.VARIABLE, raising=False)
    assert native.native_model(MODELS["gray"].hash) is None
    monkeypatch.setenv(native.VARIABLE, "c")
    with pytest.raises(InputError, match="^LUTGEN_CODEC must be python where lutgen was installed"):
        codec_of(MODELS["gray"])
    (tmp_path / "x.so").write_bytes(b"none")
    monkeypatch.setenv(native.VARIABLE, str(tmp_path / "x.so"))
    with pytest.raises(InputError, match="^codec in C must be a library of what `lutgen c`"):
        codec_of(MODELS["gray"])


def test_a_command_does_without_numba(library, tmp_path):
    """To import it takes longer than all else that encoding of a small image takes."""
    script = (
        "import sys\n"
        "import numpy as np\n"
        "from lutgen.codec.any_profile import codec_of\n"
        "from tests.models import predictive_model, table_model\n"
        "codec = codec_of(predictive_model())\n"
        "codec.decode(codec.encode(np.zeros((4, 9), np.uint8)))\n"
        "codec = codec_of(table_model())\n"
        "codec.decode(codec.encode(np.zeros((4, 9), np.uint8)).data)\n"
        "assert 'numba' not in sys.modules\n"
    )
    root = Path(lutgen.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root), native.VARIABLE: str(library)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_level_0_alone_is_decoded_in_c(codecs, spy):
    assert isinstance(codecs[0]["tiles"], Codec)
    with pytest.raises(InputError, match="level must be 0 to 0"):
        codecs[0]["tiles"].decode(b"", level=1)
