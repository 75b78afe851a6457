"""Files, tables and LUTs of builds are compared with the model: nothing is simulated here."""

import re
import shutil

import pytest

from lutgen.build.codec import build, load_build
from lutgen.build.engine import build_engine, load_engine_tables
from lutgen.build.options import BuildOptions
from lutgen.model.model import Model
from lutgen.sim.check.build_tables import changed_files, compare_tables, wrong_wiring
from lutgen.sim.check.expected_tables import codec_tables, engine_tables
from lutgen.sim.check.network_text import network_luts
from tests.models import laplace_model, pyramid_laplace_model, pyramid_table_model, table_model

SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 24}
#: Model, target and options of a build, and how many tables its encoder and decoder have.
KINDS = {
    "table": (table_model, "zynq7045", {}, (3, 6)),
    "plain logic and tANS": (table_model, "generic", {"coder": "tans"}, (5, 3)),
    "laplace": (laplace_model, "zynq7045", {}, (3, 6)),
    "levels with the constraint": (
        lambda: pyramid_laplace_model(constraint=True), "zynq7045", {}, (13, 16),
    ),
    "levels, a table with the constraint": (
        lambda: pyramid_table_model(constraint=True), "zynq7045", {"registers": True}, (11, 14),
    ),
    "two cores": (table_model, "ecp5-45k", {"cores": 2}, (3, 6)),
}  # fmt: skip


def compared(folder):
    record = load_build(folder)
    model = Model.load(folder / "model.lutgen")
    coder = BuildOptions.of_record(record["parameters"]).core_config(model).coder
    return {
        core: compare_tables(record, core, codec_tables(core, model, coder), network_luts(model))
        for core in record["cores"]
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("tables") / "build"
    build("zynq7045", table_model(), BuildOptions(name="lutgen", **SMALL), out=out, estimate=False)
    return out


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_build(kind, tmp_path):
    make, target, options, tables = KINDS[kind]
    build(target, make(), BuildOptions(**SMALL, **options), out=tmp_path / "b", estimate=False)
    assert changed_files(load_build(tmp_path / "b")) == []
    found = compared(tmp_path / "b")
    assert {core: problems for core, (_, problems) in found.items()} == {
        "encoder": [], "decoder": [],
    }  # fmt: skip
    assert tuple(counts["tables"] for counts, _ in found.values()) == tables
    assert target == "ecp5-45k" or all(counts["luts"] for counts, _ in found.values())


@pytest.mark.slow
def test_entropy_engine(tmp_path):
    build_engine("zynq7045", out=tmp_path / "e", estimate=False)
    record = load_build(tmp_path / "e", tops=None)
    tables = load_engine_tables(tmp_path / "e")
    for core in ("encoder", "decoder"):
        counts, problems = compare_tables(record, core, engine_tables(core, tables))
        assert problems == [] and counts["words"] >= 85 * tables.classes


def test_good_build(folder):
    assert changed_files(load_build(folder)) == []
    model = table_model()
    for core, (counts, problems) in compared(folder).items():
        assert problems == []
        table = 256 if core == "encoder" else 85
        records = sum(stage.records for stage in model.walker.stages)
        assert counts["words"] == table * model.head.classes + records


@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_any_bit_of_any_table(copy, core):
    """The first and the last word, one bit of each memory of the core."""
    for path in sorted(copy.glob(f"lutgen_{core}_*.mem")):
        text = path.read_text()
        words = text.split()
        for row in (0, len(words) - 1):
            changed = list(words)
            changed[row] = f"{int(words[row], 16) ^ 1:x}"
            path.write_text("\n".join(changed))
            _, problems = compared(copy)[core]
            wanted = f"{path.name}: address {row} must hold {int(words[row], 16):#x}, not "
            # A file of zeros is that of several memories.
            assert len(problems) == 1 or (problems and "_zeros_" in path.name)
            assert all(wanted in problem for problem in problems)
            assert changed_files(load_build(copy)) == [f"{path.name} is not what was written"]
        path.write_text(text)
    assert compared(copy)[core][1] == []


@pytest.mark.parametrize(("change", "message"), [
    (lambda words: words[:-1], "it must hold {n} words, not {m}"),
    (lambda words: [*words, "0"], "it must hold {n} words, not {m}"),
    (lambda words: [*words[:-1], "zz"], "it must be of hexadecimal words"),
])  # fmt: skip
def test_bad_memory_file(copy, change, message):
    path = sorted(copy.glob("lutgen_encoder_*.mem"))[0]
    words = path.read_text().split()
    changed = change(words)
    path.write_text("\n".join(changed))
    problems = "\n".join(compared(copy)["encoder"][1])
    assert f"{path.name}: {message.format(n=len(words), m=len(changed))}" in problems


def edit(copy, pattern, replacement):
    path = copy / "lutgen_encoder.v"
    text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.S)
    assert count == 1
    path.write_text(text)
    return "\n".join(compared(copy)["encoder"][1])


def test_addresses_of_readmemh(copy):
    """With first and last address, in either order of the rows."""
    text = (copy / "lutgen_encoder.v").read_text()
    name, depth = re.search(r"reg \[\d+:0\] (table_0) \[(\d+):0\];", text).groups()
    load = rf'(\$readmemh\("[^"]+", table_0), 0, {depth}\)'
    assert edit(copy, load, r"\1)") == ""
    assert "must hold" in edit(copy, load.replace(f", 0, {depth}", ""), rf"\1, {depth}, 0)")


@pytest.mark.parametrize(("pattern", "replacement", "message"), [
    (r'  initial \$readmemh\("[^"]+", stage1_0, 0, \d+\);\n', "",
     r"it has no table stage1 in network.walker"),
    (r"\(64'h[0-9a-f]{16}\)(\s*\) lut3 )", r"(64'h0123456789abcdef)\1",
     r"INIT of lut3 in \S+ must be [0-9a-f]{16}, not 0123456789abcdef"),
    (r"(lut0 \(\s*\.I0\()(i\[\d+\])(\),\s*\.I1\()(i\[\d+\])", r"\1\4\3\2",
     r"input 0 of lut0 in \S+layers is at i\[\d+\]"),
    (r"(layers.*\.O\()n\d+(\)\n  \);.*\.O\()(n\d+)", r"\1\3\2\3",
     r"output of lut\d+ in \S+layers is at n\d+"),
    (r"(thermometer\(.*?lut0 \(\s*\.I0\()(\w+)(\),\s*\.I1\()(features\[\d+\])", r"\1\4\3\2",
     r"input 0 of lut0 in \S+thermometer is at features\[\d+\]\n.*input 1 of lut0 .* is at low"),
    (r"(low(\d+)_(\d+) = features\[\d+:\d+\] > \d+'h)\d;", r"\g<1>9;",
     r"input 0 of lut\d+ in \S+thermometer is at low"),
    (r"(thermometer\(.*? n1\[1\] = )(\w+)(;\s+n1\[2\] = )(\w+)", r"\1\4\3\2",
     r"output of lut[12] in \S+thermometer is at above\d+_\d+"),
    (r"\) lut3 \(", ") lut99 (", r"\S+ has no LUT lut3"),
    (r"table_0\b", "other_0", r"table: bits 0x\w+ of word \d+ are in no memory"),
    (r"_zeros_\d+(\.mem\", columns, 0, \d+)", r"_0\1", r"no table of the model is called columns"),
])  # fmt: skip
def test_changed_verilog(copy, pattern, replacement, message):
    assert re.search(message, edit(copy, pattern, replacement))


def test_list_of_files(copy):
    record = load_build(copy)
    (copy / "extra.mem").write_text("0\n")
    (copy / "files.f").unlink()
    assert changed_files(record) == ["files.f is missing", "extra.mem is no file of the build"]
    lost = {name: file for name, file in record["files"].items() if name != "lutgen_encoder.v"}
    assert changed_files(record | {"files": lost}) == [
        "build.json: its list of files is not the one that was written",
        "files.f is missing",
        "lutgen_encoder.v is no file of the build",
        "extra.mem is no file of the build",
        "lutgen_encoder.v is not in the list of files",
    ]
    # Builds of the first versions have no hash of the list.
    del record["files_sha256"]
    assert "build.json" not in "".join(changed_files(record))


@pytest.mark.parametrize(("old", "new", "message"), [
    (".s_axis_video_tuser(encoder_s_axis_video_tuser)",
     ".s_axis_video_tuser(encoder_s_axis_video_tlast)",
     "s_axis_video_tuser of the encoder must be at encoder_s_axis_video_tuser"),
    (".rst(rst)", ".rst(1'b0)", "rst of the encoder must be at rst"),
    ("wire [31:0] encoder_images", "wire [30:0] encoder_images",
     "encoder_images must be an input of 32 bits"),
])  # fmt: skip
def test_wrapper(copy, old, new, message):
    assert wrong_wiring(load_build(copy)) == []
    path = copy / "lutgen_codec.v"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert wrong_wiring(load_build(copy)) == [f"lutgen_codec.v: {message}"]
