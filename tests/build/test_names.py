"""Names of builds, and what stands side by side because of them."""

import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions
from lutgen.cli import main
from lutgen.names import build_name, module_name, top_module
from lutgen.sim.tool.verilator import verilator_bin
from tests.handoff.bench_driver import load_python_driver
from tests.ip_version import IP_VERSION
from tests.models import table_model

SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 40}
DIGEST = "873863f397e88be5"


def lint(folder, *arguments) -> subprocess.CompletedProcess:
    """Verilator's elaboration of files in ``folder``, warnings being errors, as by default."""
    return subprocess.run(
        [verilator_bin() / "verilator", "--lint-only", *arguments], cwd=folder,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "digest", "expected"),
    [
        (None, DIGEST, "lutgen_873863f3"), (None, None, "lutgen"), ("lutgen", DIGEST, "lutgen"),
        ("Cam2_x", None, "Cam2_x"), ("a", DIGEST, "a"), (64 * "n", DIGEST, 64 * "n"),
    ],
)  # fmt: skip
def test_names(name, digest, expected):
    assert build_name(name, digest) == expected
    assert module_name(expected, "entropy-encoder") == f"{expected}_entropy_encoder"


@pytest.mark.parametrize("name", ["", "1a", "_a", "a_", "a-b", "a b", "a$", "é", 65 * "n", 7])
def test_refused_names(name):
    with pytest.raises(ValueError, match=r"^name must be 1 to 64 letters, digits and '_', the f"):
        build_name(name, DIGEST)


def test_command_refuses_a_name():
    for more in ([], ["--top", "entropy-engine"]):
        result = CliRunner().invoke(main, ["build", "--target", "generic", "--name", "1a", *more])
        assert result.exit_code == 2
        assert "name must be 1 to 64 letters" in " ".join(result.stderr.split())


def test_records_without_a_name():
    """Builds of 0.1.0."""
    assert top_module({"parameters": {"top": "entropy-engine"}}) == "lutgen_entropy_engine"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two builds of two models with registers: records and folders."""
    out = tmp_path_factory.mktemp("pair")
    return [
        (build(
            "zynq7045", table_model(seed), BuildOptions(registers=True, **SMALL),
            out=out / str(seed), estimate=False,
        ), out / str(seed))
        for seed in (0, 1)
    ]  # fmt: skip


#: Files that every build has and whose names say nothing.
COMMON = {"files.f", "primitives.v", "lutgen.xdc", "model.lutgen", "synth_ooc.tcl",
          "package_ip.tcl", "component.xml", "xgui.tcl"}  # fmt: skip


@pytest.mark.exhaustive
def test_two_builds_in_one_elaboration(pair, tmp_path):
    tops, sources = [], []
    for record, folder in pair:
        name = f"lutgen_{record['model']['hash'][:8]}"
        assert record["parameters"]["name"] == name
        assert record["cores"]["decoder"]["module"] == f"{name}_decoder"
        own = {name for name in record["files"] if not name.startswith("c/")} - COMMON
        assert own and all(file.startswith(f"{name}_") for file in own)
        for file in own:
            shutil.copy(folder / file, tmp_path)
        tops.append(top_module(record))
        sources += (folder / "files.f").read_text().split()
    shutil.copy(pair[0][1] / "primitives.v", tmp_path)
    (tmp_path / "both.v").write_text(
        "module both(input clk, input rst);\n"
        + "".join(f"  {top} u{k} (.clk(clk), .rst(rst));\n" for k, top in enumerate(tops))
        + "endmodule\n"
    )
    # primitives.v stands there twice, as it does where each build has its own folder.
    files = ["both.v", *sources]
    assert files.count("primitives.v") == 2
    done = lint(tmp_path, "--top-module", "both", "-Wno-PINMISSING", "-Wno-MODDUP", *files)
    assert done.returncode == 0, done.stderr
    # That is no matter of luck: a module of both is seen.
    clash = (tmp_path / f"{tops[1]}.v").read_text().replace(tops[1], tops[0])
    (tmp_path / "clash.v").write_text(clash)
    done = lint(tmp_path, "--top-module", "both", "-Wno-PINMISSING", *files, "clash.v")
    assert done.returncode and "MODDUP" in done.stderr


@pytest.mark.slow
def test_two_builds_in_one_program(pair, tmp_path):
    sources = [path for _, folder in pair for path in folder.glob("*.c")]
    assert len(sources) == 6
    include = [word for _, folder in pair for word in ("-I", folder)]
    command = ["gcc", "-Wall", "-Wextra", "-Werror", "-pedantic", "-std=c99", "-shared", "-fPIC"]
    subprocess.run([*command, *include, *sources, "-o", tmp_path / "both.so"], check=True)
    names = [record["parameters"]["name"] for record, _ in pair]
    # One unit that includes everything: types and macros do not clash either.
    headers = [f"{name}_{part}.h" for name in names for part in ("encoder", "decoder")]
    (tmp_path / "unit.c").write_text(
        "".join(f'#include "{header}"\n' for header in headers)
        + "".join(f"struct {n}_ip a{k}; unsigned b{k} = {n.upper()}_IP_MODEL_HASH_0_AFTER_RESET;\n"
                  for k, n in enumerate(names))
    )  # fmt: skip
    subprocess.run([*command, *include, tmp_path / "unit.c", "-o", tmp_path / "u.so"], check=True)


@pytest.mark.slow
def test_two_ips_and_drivers(pair):
    found = set()
    for record, folder in pair:
        top = top_module(record)
        root = ElementTree.parse(folder / "component.xml").getroot()
        space = {"s": root.tag[1:].partition("}")[0]}
        vlnv = ":".join(root.findtext(f"s:{k}", namespaces=space)
                        for k in ("vendor", "library", "name", "version"))  # fmt: skip
        assert vlnv == f"lutgen:codec:{top}:{IP_VERSION}"
        driver = load_python_driver(str(folder / f"{record['parameters']['name']}_driver.py"))
        assert driver._BUILD["vlnv"] == vlnv
        assert json.loads((folder / "build.json").read_text())["parameters"]["name"] in vlnv
        found.add(vlnv)
    assert len(found) == 2


VARIANTS = {
    "ultrascale+": ("zu7ev", {"registers": True}),
    "kintex": ("kintex7", {"coder": "tans", "top": "encoder"}),
    "ecp5": ("ecp5-45k", {}),
    "generic": ("generic", {"registers": True, "top": "decoder"}),
    "cores": ("zynq7045", {"cores": 2}),
}


@pytest.mark.slow
def test_build_elaborates_in_verilator(pair):
    """From its file list alone, LUT6 included, without a warning."""
    for _, folder in pair:
        assert "LUT6" in (folder / "primitives.v").read_text()
        done = lint(folder, "-f", "files.f")
        assert done.returncode == 0, done.stderr
    # The models are what makes it so.
    bare = [name for name in (folder / "files.f").read_text().split() if name != "primitives.v"]
    assert "LUT6" in lint(folder, *bare).stderr
    # To a tool that does not say that it is one of the two simulators, the file is empty.
    assert "LUT6" in lint(folder, "-UVERILATOR", "-f", "files.f").stderr


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_kind_of_build_elaborates_in_verilator(variant, tmp_path):
    target, parameters = VARIANTS[variant]
    model = table_model(size=3, walker=False)
    record = build(
        target, model, BuildOptions(name="mine", **SMALL | parameters), out=tmp_path / "b",
        estimate=False,
    )
    done = lint(tmp_path / "b", "-f", "files.f")
    assert done.returncode == 0, done.stderr
    assert ("primitives.v" in record["files"]) == bool(record["target"]["lut_primitive"])
    for core in record["cores"].values():
        text = (tmp_path / "b" / f"{core['module']}.v").read_text()
        assert "\\" not in text and "init =" not in text and "for (" not in text
        assert ("LUT6 " in text) == bool(record["target"]["lut_primitive"])
        reads = [line for line in text.splitlines() if "$readmemh" in line]
        read = re.compile(r'  initial \$readmemh\("mine_\w+\.mem", \w+, 0, \d+\);')
        assert reads and all(map(read.fullmatch, reads))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")
def test_build_elaborates_in_icarus(pair, tmp_path):
    _, folder = pair[0]
    done = subprocess.run(
        ["iverilog", "-o", tmp_path / "codec.vvp", "-c", "files.f"], cwd=folder,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
