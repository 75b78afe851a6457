"""Builds with registers: files, ports, record and resources."""

import json
import re

import pytest
from click.testing import CliRunner

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions
from lutgen.build.text import summary, table
from lutgen.cli import main
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.ip.build_map import build_map
from lutgen.handoff.registers import register_texts
from lutgen.registers.register_map import shared_map
from lutgen.sim.tool.design import Design
from tests.models import pyramid_table_model, table_model

SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 40, "name": "lutgen"}
CONFIG = {"tile_width": 8, "tile_height": 8, "max_width": 24, "max_height": 40}
#: Of each core, and of both.
OWN = ("lutgen_{}_registers.h", "lutgen_{}_registers.md", "lutgen_{}.h", "lutgen_{}.c")
SHARED = ("lutgen_ip.h", "lutgen_ip.c", "lutgen_ip_registers.h", "lutgen_driver.py")
SOFTWARE = (".c", ".h", ".md", ".py")


def make(out, target="generic", model=None, **parameters):
    return build(
        target, model or table_model(), BuildOptions(**SMALL | {"registers": True} | parameters),
        out=out, estimate=False
    )  # fmt: skip


@pytest.fixture(scope="module")
def codec(tmp_path_factory):
    out = tmp_path_factory.mktemp("build") / "codec"
    return make(out), out


def software(out) -> set[str]:
    return {path.name for path in out.iterdir() if path.suffix in SOFTWARE}


def test_files(codec):
    """On a target without Vivado, too; those of a build without registers go away again."""
    record, out = codec
    own = {name.format(core) for name in OWN for core in ("encoder", "decoder")}
    assert software(out) == own | set(SHARED)
    assert software(out) <= set(record["files"])
    config = CoreConfig(table_model(), **CONFIG)
    for core in ("encoder", "decoder"):
        for name, text in register_texts(build_map(core, config), "lutgen").items():
            assert (out / name).read_text() == text


@pytest.mark.slow
def test_one_core(tmp_path):
    out = tmp_path / "build"
    make(out, top="decoder", model=pyramid_table_model())
    assert software(out) == {name.format("decoder") for name in OWN} | set(SHARED)
    assert "LUTGEN_DECODER_LEVEL_OFFSET" in (out / "lutgen_decoder_registers.h").read_text()
    record = make(out, top="decoder", registers=False)
    assert not software(out)
    assert record["parameters"]["registers"] is False
    assert record["cores"]["decoder"]["registers"] is None


def test_record_and_ports(codec):
    record, out = codec
    assert record["parameters"]["registers"] is True
    for core in ("encoder", "decoder"):
        entry = record["cores"][core]
        assert entry["registers"] == {
            "interface": "s_axi_control", "bytes": 128, "interrupt": "interrupt",
            "header": f"lutgen_{core}_registers.h", "page": f"lutgen_{core}_registers.md",
        }  # fmt: skip
        ports = Design.of(out / f"lutgen_{core}.v", f"lutgen_{core}").ports.values()
        assert {p.name: (p.width, p.is_input) for p in ports} == {
            p["name"]: (p["width"], p["direction"] == "input") for p in entry["ports"]
        }
        names = {port["name"] for port in entry["ports"]}
        assert {"interrupt", "s_axi_control_awaddr", "s_axi_control_rdata"} <= names
        assert not names & {"width", "height", "images", "level", "idle", "error", "clear_error"}
    wrapper = Design.of(out / "lutgen_codec.v").ports
    assert {"encoder_s_axi_control_awaddr", "decoder_interrupt"} <= set(wrapper)
    text = summary(record)
    assert "registers of the encoder: lutgen_encoder_registers.md" in text


@pytest.mark.slow
def test_same_inputs_same_bytes(codec, tmp_path, monkeypatch):
    record, _ = codec
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert make(tmp_path / "again")["files"] == record["files"]


def test_shared_registers():
    """What is shared is the same in both cores, but for what its text says."""
    config = CoreConfig(pyramid_table_model(), **CONFIG)
    maps = {core: build_map(core, config) for core in ("encoder", "decoder")}
    for registers in maps.values():
        shared = shared_map(registers)
        names = [register.name for register in shared]
        assert {"control", "gie", "ier", "isr", "version", "model_hash_0", "status", "pixels",
                "output_stalls", "max_height"} <= set(names)  # fmt: skip
        assert not {"id", "width", "level", "sof_early", "bad_tile"} & set(names)
        assert [f.name for f in shared["ier"].fields] == ["frame_done", "file_done"]
        assert "update" not in [f.name for f in shared["control"].fields]
        for register in shared:
            for other in maps.values():
                twin = other[register.name]
                assert (twin.offset, register.title) == (register.offset, twin.title)
                for field in register.fields:
                    match = twin[field.name]
                    assert (match.low, match.width, match.kind, match.reset) == (
                        field.low, field.width, field.kind, field.reset,
                    )  # fmt: skip
                    assert field.description in (match.description, "See the core's own registers.")


@pytest.mark.exhaustive
def test_resources(tmp_path):
    """Registers on a line of their own; the rest is about what it is without them."""
    found = {}
    for registers in (False, True):
        record = build(
            "zynq7020", table_model(), BuildOptions(registers=registers, **SMALL),
            out=tmp_path / "build"
        )  # fmt: skip
        found[registers] = record["cores"]
        for core in record["cores"].values():
            blocks = core["resources"]["blocks"]
            assert ("registers" in blocks) == registers
            for kind in ("lut", "ff", "bram36"):
                assert sum(b[kind] for b in blocks.values()) == core["resources"]["total"][kind]
            assert core["resources"]["levels"] <= 4
    for core in ("encoder", "decoder"):
        plain, ip = (found[key][core]["resources"] for key in (False, True))
        assert 100 < ip["blocks"]["registers"]["lut"] < 300
        others = ip["total"]["lut"] - ip["blocks"]["registers"]["lut"]
        assert abs(others - plain["total"]["lut"]) < 250
    assert "registers" in [str(cell) for cell in table(record).columns[0].cells]


def test_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table_model().save("m.lutgen")
    arguments = ["build", "--target", "generic", "--model", "m.lutgen", "--top", "encoder",
                 "--tile", "8x8", "--max-width", "16", "--max-height", "16", "--no-estimate",
                 "--out", "b", "--registers", "--name", "camera", "--json"]  # fmt: skip
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["parameters"]["registers"] is True
    header = (tmp_path / "b" / "camera_encoder_registers.h").read_text()
    assert re.search(r"^#define CAMERA_ENCODER_MAX_WIDTH_AFTER_RESET 0x00000010u$", header, re.M)
    result = CliRunner().invoke(main, ["sim", "--build", "b", "--registers"])
    assert result.exit_code == 2
    assert "--build must stand without --registers, which the build decides" in result.stderr
