"""``lutgen prove`` of a build: what lies in its folder is what is proven."""

import json
import re
import shutil

import pytest

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions
from tests.commands import error, ok, run, said, usage
from tests.models import pyramid_laplace_model, table_model

pytestmark = pytest.mark.slow
SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 24}


def made(out, model, target="zynq7045", **options):
    build(target, model, BuildOptions(name="lutgen", **SMALL, **options), out=out, estimate=False)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("prove") / "b", table_model())


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def test_a_build(copy):
    """Proven, told in a table, kept beside it, and shown by the report while files stay."""
    text = ok("prove", "--build", copy)
    assert text.count("proven ") >= 4 and "same text as" in text and "words" in text
    found = json.loads((copy / "prove.json").read_text())
    assert found["ok"] and [n["core"] for n in found["networks"]] == ["encoder", "decoder"]
    assert all(counts["words"] for counts in found["read_back"].values())
    said("report", copy)
    page = (copy / "report.html").read_text()
    assert "equals the model’s tables for all inputs" in page
    verilog = copy / "lutgen_encoder.v"
    verilog.write_text(verilog.read_text() + "\n")
    assert "as they are now" in error("report", copy)


def test_a_changed_memory(copy):
    """A word of a record of the walker: found by the proof and by reading back."""
    text = (copy / "lutgen_decoder.v").read_text()
    (name,) = re.findall(r'\$readmemh\("([^"]+)", stage0_0,', text)
    words = (copy / name).read_text().split("\n")
    row = next(k for k, word in enumerate(words) if re.fullmatch(r"[0-9a-f]+", word))
    words[row] = f"{int(words[row], 16) ^ 1:0{len(words[row])}x}"
    (copy / name).write_text("\n".join(words))
    status, _, err = run("prove", "--build", copy)
    assert status == 1 and err.startswith("error: build and model must agree, but:")
    assert re.search(r"decoder, network: walker stage 0 is WRONG: walker\.stage0_0_0 must be ", err)
    assert f"{name}: address 0 must hold" in err


@pytest.mark.exhaustive
def test_levels_in_plain_logic_behind_two_cores(tmp_path):
    """The upsampling network, the pooling constraint, LUTs of four inputs, a shared core."""
    model = pyramid_laplace_model(constraint=True)
    folder = made(tmp_path / "b", model, "ecp5-45k", cores=2)
    found = json.loads(ok("prove", "--build", folder, "--json"))
    assert {(n["core"], n["network"]) for n in found["networks"]} == {
        (core, network)
        for core in ("encoder", "decoder") for network in ("network", "upsampling network")
    }  # fmt: skip


def test_no_build(tmp_path):
    assert "build folder must hold build.json" in error("prove", "--build", tmp_path)
    assert "Missing option '--build'" in usage("prove")
