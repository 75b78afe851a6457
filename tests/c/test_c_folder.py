"""The command c, and what it writes."""

import json
import os
import re
import shutil
import subprocess
from importlib import resources

import numpy as np
import pytest
from click.testing import CliRunner

from lutgen.c.tables import depths
from lutgen.c.text import identifier
from lutgen.cli import main
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, tans
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.errors import InputError
from lutgen.formats.netpbm import netpbm_bytes
from lutgen.model.samples import SignificantBits
from lutgen.model.shipped import find_model
from tests.models import (
    mosaic_model,
    predictive_model,
    pyramid_laplace_model,
    pyramid_table_model,
)

#: Version of the interface.
MAJOR = int(re.search(
    r"API_MAJOR (\d+)", (resources.files("lutgen.c") / "sources/lutgen.h").read_text()
)[1])  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(main, ["c", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the command writes for models of gray, colour, colour filter arrays and tiles."""
    place = tmp_path_factory.mktemp("c")
    predictive_model().save(place / "own 1.lutgen")
    mosaic_model().save(place / "mosaic.lutgen")
    pyramid_table_model().save(place / "tiles.lutgen")
    out = place / "out"
    done = run("--model", "photo", "--model", place / "own 1.lutgen", "--model", "photo-rgb",
               "--model", place / "mosaic.lutgen", "--model", place / "tiles.lutgen",
               "--out", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    return out


def test_record_names_files_and_models(folder):
    record = json.loads((folder / "lutgen-c.json").read_text())
    assert record["models"] == {
        "photo": find_model("photo").hash, "own 1": predictive_model().hash,
        "photo-rgb": find_model("photo-rgb").hash, "mosaic": mosaic_model().hash,
        "tiles": pyramid_table_model().hash,
    }  # fmt: skip
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert found == {*record["files"], "lutgen-c.json"}
    assert {"src/lutgen.h", "src/model_photo.c", "src/model_own_1.h", "program/lutgen_c.c",
            "program/threads.c", "CMakeLists.txt", "lutgen.pc.in", "README.md"} < found  # fmt: skip


def test_writing_again_removes_what_is_old(tmp_path):
    predictive_model().save(tmp_path / "a.lutgen")
    predictive_model(1).save(tmp_path / "b.lutgen")
    for name in "ab":
        assert run("--model", tmp_path / f"{name}.lutgen", "--out", tmp_path / "out").exit_code == 0
    assert not (tmp_path / "out/src/model_a.c").exists()
    assert (tmp_path / "out/src/model_b.c").exists()


def test_other_folders_and_models_are_refused(tmp_path):
    (tmp_path / "mine").write_text("x")
    for arguments, what in (
        (("--out", tmp_path), "out must be new, empty or written by an earlier"),
        (("--out", tmp_path / "mine"), "out must be a folder"),
        (("--model", "photo", "--model", "photo", "--out", tmp_path / "o"), "different names"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2 and what in done.output, done.output
    assert not (tmp_path / "o").exists()


def test_tiles_of_several_channels_are_refused(tmp_path):
    pyramid_laplace_model(bits=8, nodes=20, channels=3).save(tmp_path / "rgb-one.lutgen")
    done = run("--model", tmp_path / "rgb-one.lutgen", "--out", tmp_path / "o")
    assert done.exit_code == 2 and not (tmp_path / "o").exists()
    assert "model rgb-one must have one channel in C, not 3 of profile gic-dlc" in done.output


def test_names_become_identifiers():
    assert identifier("photo-16") == "photo_16"
    with pytest.raises(InputError, match="name of a model must have a letter or digit, not '-'"):
        identifier("-")


def test_sums_of_the_shipped_models_fit():
    """A feature of 8-bit samples is at most 15 bits wide: the fast code for 8 bits counts on it."""
    assert {depths(find_model(name)) for name in ("photo", "photo-16")} == {(8, 16)}


@pytest.fixture(scope="module")
def program(folder):
    """The example, as CMake builds it."""
    for tool in ("cmake", "gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    build = folder.parent / "build"
    for command in (["cmake", "-S", folder, "-B", build, "-DCMAKE_C_COMPILER=gcc",
                     "-DCMAKE_C_FLAGS=-O1 -Wall -Wextra -Werror -pedantic -Wconversion",
                     "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_INSTALL_PREFIX={build}/installed"],
                    ["cmake", "--build", build], ["cmake", "--install", build]):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    return build / "installed/bin/lutgen-c"


@pytest.mark.slow
def test_cmake_installs_what_programs_need(program):
    place = program.parents[1]
    assert (place / "include/lutgen/lutgen.h").is_file()
    assert (place / "include/lutgen/model_photo.h").is_file()
    assert (place / "bin/lutgen-c").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["pkg-config", "cmake"])
def test_what_is_installed_may_be_moved(program, tmp_path, way):
    """Other projects find it where it lies, in C and C++, by the version of its interface."""
    if shutil.which(way) is None:
        pytest.skip(f"needs {way}")
    place = shutil.copytree(program.parents[1], tmp_path / "moved")
    (tmp_path / "use.cpp").write_text(
        "#include <lutgen.h>\n#include <lutgen_models.h>\n"
        "int main() {\n"
        "    return lutgen_api_major() != LUTGEN_API_MAJOR || lutgen_models_count != 5;\n"
        "}\n"
    )
    if way == "pkg-config":
        (config,) = place.glob("lib*/**/lutgen.pc")
        words = subprocess.run(
            [way, "--cflags", "--libs", f"lutgen >= {MAJOR}", f"lutgen < {MAJOR + 1}"],
            env=os.environ | {"PKG_CONFIG_PATH": config.parent}, capture_output=True, text=True,
            check=True,
        ).stdout.split()  # fmt: skip
        subprocess.run(["g++", "use.cpp", *words, "-o", "use"], cwd=tmp_path, check=True)
    else:
        (tmp_path / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.13)\nproject(use CXX)\n"
            f"find_package(lutgen {MAJOR}.0 REQUIRED)\n"
            "add_executable(use use.cpp)\ntarget_link_libraries(use lutgen::lutgen)\n"
        )
        for command in (["-S", ".", "-B", ".", f"-DCMAKE_PREFIX_PATH={place}"], ["--build", "."]):
            subprocess.run([way, *command], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([tmp_path / "use"], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(("top", "options"), [
    (255, {}), (4095, {"near": 2}), (65535, {"strip_height": 5}), (1023, {"tile_width": 7}),
])  # fmt: skip
def test_example_codes_pictures(program, tmp_path, top, options):
    depth = top.bit_length()
    picture = (np.add.outer(np.arange(23), np.arange(31)) * 37 % (top + 1)).astype(
        np.uint8 if depth == 8 else np.uint16
    )
    (tmp_path / "in.pgm").write_bytes(netpbm_bytes(picture, top))
    words = [w for name, value in options.items()
             for w in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip
    subprocess.run([program, "encode", *words, "in.pgm", "x.lgc"], cwd=tmp_path, check=True)
    file = (tmp_path / "x.lgc").read_bytes()
    codec = PredictiveCodec(find_model("photo"), threads=1)
    bits = SignificantBits.of(picture, depth)
    assert file == codec.encode(picture, depth=bits.depth, shift=bits.shift, **options)
    subprocess.run([program, "decode", "x.lgc", "out.pgm"], cwd=tmp_path, check=True)
    assert (tmp_path / "out.pgm").read_bytes() == netpbm_bytes(
        codec.decode(file)[0], (1 << bits.top) - 1
    )


def pam_bytes(picture: np.ndarray) -> bytes:
    height, width, channels = picture.shape
    kind = {2: "GRAYSCALE_ALPHA", 4: "RGB_ALPHA"}[channels]
    return (
        f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL 255\nTUPLTYPE {kind}\n"
        "ENDHDR\n"
    ).encode() + picture.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "options"), [
    (1, {"cfa": "GBRG"}), (1, {"cfa": "RGGB", "strip_height": 9, "tile_width": 7}), (2, {}),
    (3, {}), (3, {"near": 1, "strip_height": 4}), (4, {}),
])  # fmt: skip
def test_example_codes_colour_and_arrays(program, tmp_path, channels, options):
    picture = np.random.default_rng(1).integers(0, 256, (22, 30, channels), dtype=np.uint8)
    if channels == 1:
        picture = picture[..., 0]
    whole = pam_bytes if channels in (2, 4) else netpbm_bytes
    (tmp_path / "in").write_bytes(whole(picture))
    words = [w for name, value in options.items()
             for w in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip
    subprocess.run([program, "encode", *words, "in", "x.lgc"], cwd=tmp_path, check=True)
    file = (tmp_path / "x.lgc").read_bytes()
    model = mosaic_model() if "cfa" in options else find_model("photo-rgb")
    codec = PredictiveCodec(model, threads=1)
    assert file == codec.encode(picture, depth=8, channels=channels, **options)
    subprocess.run([program, "decode", "x.lgc", "out"], cwd=tmp_path, check=True)
    assert (tmp_path / "out").read_bytes() == whole(codec.decode(file)[0])
    said = subprocess.run([program, "info", "x.lgc"], cwd=tmp_path, capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    for line in ("version 2", "width 30", "height 22", f"channels {channels}", "model is known 1",
                 f"pattern {options.get('cfa', 'none')}"):  # fmt: skip
        assert f"{line}\n" in said
    if "cfa" in options and "strip_height" in options:
        assert "strip height 10\ntile width 8\n" in said  # even, in rows and columns of the image


@pytest.mark.parametrize("model", ["photo", "tiles"])
def test_example_codes_by_threads(program, tmp_path, model):
    """More threads than strips, too; damage is told likewise."""
    picture = np.random.default_rng(3).integers(90, 120, (90, 40), dtype=np.uint8)
    (tmp_path / "in.pgm").write_bytes(netpbm_bytes(picture))

    def call(*words):
        return subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True)

    for threads in ("1", "3", "200"):
        done = call("encode", "--model", model, "--strip-height", "16", "--threads", threads,
                    "in.pgm", f"{threads}.lgc")  # fmt: skip
        assert done.returncode == 0, done.stderr
        file = (tmp_path / f"{threads}.lgc").read_bytes()
        assert file == (tmp_path / "1.lgc").read_bytes()
        assert call("decode", "--threads", threads, "1.lgc", "out.pgm").returncode == 0
        assert (tmp_path / "out.pgm").read_bytes() == netpbm_bytes(picture)
    damaged = bytearray(file)
    damaged[len(file) // 2] ^= 16
    (tmp_path / "bad.lgc").write_bytes(damaged)
    said = set()
    for threads in ("1", "3"):
        done = call("decode", "--threads", threads, "bad.lgc", "out.pgm")
        assert done.returncode == 1 and done.stderr.count("are missing") == 1
        said.add((done.stderr, (tmp_path / "out.pgm").read_bytes()))
    assert len(said) == 1


@pytest.mark.parametrize(("words", "tile", "coder"), [
    ((), (32, 32), RANS), (("--tile-width", "16", "--strip-height", "24"), (16, 24), RANS),
    (("--tans", "9"), (32, 32), tans(9)),
])  # fmt: skip
def test_example_codes_tiles(program, tmp_path, words, tile, coder):
    picture = np.random.default_rng(2).integers(90, 120, (45, 52), dtype=np.uint8)
    (tmp_path / "in.pgm").write_bytes(netpbm_bytes(picture))
    subprocess.run([program, "encode", "--model", "tiles", *words, "in.pgm", "x.lgc"],
                   cwd=tmp_path, check=True)  # fmt: skip
    file = (tmp_path / "x.lgc").read_bytes()
    codec = Codec(pyramid_table_model(), threads=1)
    assert file == codec.encode(picture, tile=tile, coder=coder).data
    subprocess.run([program, "decode", "x.lgc", "out.pgm"], cwd=tmp_path, check=True)
    assert (tmp_path / "out.pgm").read_bytes() == netpbm_bytes(picture)
    said = subprocess.run([program, "info", "x.lgc"], cwd=tmp_path, capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    for line in ("version 1", "levels 2", f"coder {coder.code}", f"strip height {tile[1]}"):
        assert f"{line}\n" in said


def test_a_program_has_the_code_of_its_models_alone(program):
    """That of tiles does not come with a predictive model, nor the other way round."""
    if shutil.which("nm") is None:
        pytest.skip("needs nm")
    (library,) = program.parents[1].glob("lib*/liblutgen.a")
    for model, other in (("own_1", "lutgen_tile_profile"), ("tiles", "lutgen_predictive_profile")):
        out = program.parents[1] / model
        source = (
            f'#include "model_{model}.h"\nint main(void) {{ return '
            f"(int)lutgen_decode(&lutgen_{model}, 0, 0, 0, 0, 0, 0, 0, 0) == 0; }}\n"
        )
        include = f"-I{program.parents[1]}/include/lutgen"
        subprocess.run(["gcc", "-x", "c", "-", "-x", "none", include, library, "-o", out],
                       input=source, text=True, check=True)  # fmt: skip
        assert other not in subprocess.run(["nm", out], capture_output=True, text=True).stdout


def test_example_says_what_is_wrong(program, tmp_path):
    (tmp_path / "bad.lgc").write_bytes(b"LGC\x02" + bytes(40))
    (tmp_path / "odd.pgm").write_bytes(netpbm_bytes(np.zeros((4, 5), np.uint8)))
    (tmp_path / "rgb.ppm").write_bytes(netpbm_bytes(np.zeros((4, 5, 3), np.uint8)))
    for words, code, what in (
        ((), 2, "lutgen-c encode"), (("decode", "bad.lgc", "o.pgm"), 1, "field of the header"),
        (("encode", "bad.lgc", "o"), 1, "raw PGM"), (("info", "none"), 1, "cannot be read"),
        (("encode", "--cfa", "RGGB", "odd.pgm", "o"), 1, "a PGM whose sides are even"),
        (("encode", "--cfa", "RGBG", "odd.pgm", "o"), 2, "lutgen-c encode"),
        (("encode", "--model", "photo", "rgb.ppm", "o"), 1, "does not code images of so many"),
    ):  # fmt: skip
        done = subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == code and what in done.stderr
