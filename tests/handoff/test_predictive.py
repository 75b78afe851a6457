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
from tests.models import colour_model, mosaic_model, predictive_model

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


def driven(folder, config):
    """Both drivers of an encoder whose bus is the words that they write, the Python one first."""
    maps = [build_map(name, config) for name in MAPS]
    folder.mkdir()
    texts = driver_files(maps, "a:b:c:1", "lutgen")
    for registers in maps:
        texts |= register_texts(registers, "lutgen")
    for name, content in texts.items():
        (folder / name).write_text(content)
    compile_library(folder, folder / "driver.so", own_access=True)
    encoder = maps[0]
    control, update = encoder["control"].offset, encoder["control"]["update"].mask
    words = {register.offset: register.reset for register in encoder}

    class Bus:
        read = staticmethod(words.__getitem__)

        @staticmethod
        def write(offset: int, value: int) -> None:
            words[offset] = value & ~update if offset == control else value

    python = load_python_driver(str(folder / "lutgen_driver.py")).open_core(Bus)
    c = CDriver(folder / "driver.so", "encoder", Bus, {})
    return (python, c), lambda name: words[encoder[name].offset]


@pytest.mark.parametrize(("name", "most", "config"), [
    ("near", 5, PredictiveConfig(predictive_model(), max_near=5)),
    ("order", 5, PredictiveConfig(colour_model())),
    ("order", 3, PredictiveConfig(mosaic_model())),
])  # fmt: skip
def test_settings_of_some_builds(tmp_path, name, most, config):
    """Both drivers set what the encoder takes, and no more."""
    drivers, word = driven(tmp_path / "build", config)
    for number, driver in enumerate(drivers):
        for value in (most - number, 2):
            getattr(driver, f"set_{name}")(value, timeout=1)
            assert word(name) == value
        with pytest.raises(ValueError):
            getattr(driver, f"set_{name}")(most + 1, timeout=1)
        assert word(name) == 2
        driver.set_size(8, 6, timeout=1)
        if config.planes.mosaic:
            with pytest.raises(ValueError):
                driver.set_size(10, 7, timeout=1)
        else:
            driver.set_size(10, 7, timeout=1)
        assert (word("width"), word("height")) == ((8, 6) if config.planes.mosaic else (10, 7))


def test_settings_that_a_build_does_not_have(tmp_path):
    (python, _), _ = driven(tmp_path / "build", PredictiveConfig(predictive_model()))
    for name in ("near", "order"):
        getattr(python, f"set_{name}")(0)
        with pytest.raises(ValueError, match=f"{name} must be 0 to 0, not 1"):
            getattr(python, f"set_{name}")(1)


def test_nothing_speaks_of_tiles(deep):
    for file in deep[1].iterdir():
        assert "tile" not in file.read_text().lower()
