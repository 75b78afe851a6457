"""What is written for Vivado of profile ``predictive``, from the stored record of a build."""

import json
from pathlib import Path

import pytest
from lxml import etree

from lutgen.build.text import codec_ports, wrapper
from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.handoff.driver import driver_files
from lutgen.handoff.registers import register_texts
from lutgen.handoff.vivado import vivado_files
from lutgen.registers.register_map import MAPS
from lutgen.targets import get_target
from tests.handoff.bench_driver import load_python_driver
from tests.handoff.c_driver import CDriver, compile_library
from tests.handoff.component import buses_of, parse, text
from tests.handoff.vivado import Vivado
from tests.models import predictive_model

RECORD = Path(__file__).parents[2] / "bench" / "results" / "build-predictive.json"
#: What TDATA of pixels is in bytes, by bits of a sample.
BYTES = {8: "1", 12: "2", 16: "2"}


@pytest.fixture(params=BYTES)
def deep(request, tmp_path):
    """Folder of a build of so many bits, without the Verilog of its cores."""
    record = json.loads(RECORD.read_text())
    record["parameters"]["depth"] = request.param
    for core in record["cores"].values():
        for port in core["ports"]:
            if port["name"].endswith("video_tdata"):
                port["width"] = 8 * int(BYTES[request.param])
    ports = {core["module"]: core["ports"] for core in record["cores"].values()}
    ports["lutgen_94c2ad2c_codec"] = codec_ports(record["cores"])
    verilog, tables = ([name for name in record["files"] if name.endswith(end)]
                       for end in (".v", ".mem"))  # fmt: skip
    texts = vivado_files(record, get_target("zynq7045"), ports, verilog, tables)
    assert set(texts) <= set(record["files"])
    texts |= dict.fromkeys((*verilog, *tables), "") | {
        "files.f": "\n".join(verilog) + "\n",
        "lutgen_94c2ad2c_codec.v": wrapper(record["cores"], "lutgen_94c2ad2c_codec"),
    }
    for name, content in texts.items():
        (tmp_path / name).write_text(content)
    return request.param, tmp_path


def test_ip_says_what_pixels_it_takes(deep, schema):
    depth, folder = deep
    document = etree.parse(folder / "component.xml")
    assert schema.validate(document), schema.error_log
    component = parse(folder)
    said = text(component, "description")
    assert said.endswith(f"images up to 1920 x 1080 pixels of {depth} bits")
    buses = buses_of(component)
    for name in ("encoder_s_axis_video", "decoder_m_axis_video"):
        assert buses[name]["parameters"]["TDATA_NUM_BYTES"] == BYTES[depth]
        assert buses[name]["ports"]["TUSER"] == f"{name}_tuser"
    vivado = Vivado()
    vivado.source(folder / "package_ip.tcl")
    (core,) = vivado.cores
    assert core.buses == buses
    assert core.properties["description"] == said


def test_near_of_the_drivers(tmp_path):
    """Both drivers set what the encoder of a near-lossless build takes, and no more."""
    maps = {}
    for near in (0, 5):
        config = PredictiveConfig(predictive_model(), max_near=near)
        maps[near] = [build_map(name, config) for name in MAPS]
        folder = tmp_path / f"near{near}"
        folder.mkdir()
        texts = driver_files(maps[near], "a:b:c:1", "lutgen")
        for registers in maps[near]:
            texts |= register_texts(registers, "lutgen")
        for name, content in texts.items():
            (folder / name).write_text(content)
        compile_library(folder, folder / "driver.so", own_access=True)
    encoder = maps[5][0]
    control, update = encoder["control"].offset, encoder["control"]["update"].mask
    words = {register.offset: register.reset for register in encoder}

    class Bus:
        read = staticmethod(words.__getitem__)

        @staticmethod
        def write(offset: int, value: int) -> None:
            words[offset] = value & ~update if offset == control else value

    python = load_python_driver(str(tmp_path / "near5" / "lutgen_driver.py")).open_core(Bus)
    c = CDriver(tmp_path / "near5" / "driver.so", "encoder", Bus, {})
    for number, driver in enumerate((python, c)):
        for near in (5 - number, 2):
            driver.set_near(near, timeout=1)
            assert words[encoder["near"].offset] == near
        with pytest.raises(ValueError):
            driver.set_near(6, timeout=1)
        assert words[encoder["near"].offset] == 2
    lossless = load_python_driver(str(tmp_path / "near0" / "lutgen_driver.py")).open_core(Bus)
    lossless.set_near(0)
    with pytest.raises(ValueError, match="near must be 0 to 0, not 1"):
        lossless.set_near(1)


def test_nothing_speaks_of_tiles(deep):
    for file in deep[1].iterdir():
        assert "tile" not in file.read_text().lower()
