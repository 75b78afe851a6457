"""Registers in ``component.xml`` and ``package_ip.tcl``: the register map, and one IP."""

import json
import re
import shutil

import pytest
from lxml import etree

from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.ip.build_map import build_map
from lutgen.handoff.ip_xact import Identity, component_xml
from lutgen.handoff.package_tcl import package_tcl
from lutgen.model.model import Model
from lutgen.targets import get_target
from tests.handoff.component import SPIRIT, buses_of, parse, path, text
from tests.handoff.vivado import Vivado

#: What fields of each kind must be to a block design.
ACCESS = {
    "constant": ("read-only", None), "flag": ("read-only", None), "wrapping": ("read-only", None),
    "saturating": ("read-only", None), "setting": ("read-write", None),
    "strobe": ("write-only", None), "request": ("read-write", "oneToSet"),
    "cause": ("read-write", "oneToClear"),
}  # fmt: skip
BUILDS = {
    "built_registers": {"encoder_s_axi_control": "encoder", "decoder_s_axi_control": "decoder"},
    "built_decoder_registers": {"s_axi_control": "decoder"},
}


@pytest.fixture(params=BUILDS)
def build_folder(request):
    return request.param, request.getfixturevalue(request.param)


def expected_maps(name: str, folder) -> dict:
    config = CoreConfig(
        Model.load(folder / "model.lutgen"), tile_width=8, tile_height=8, max_width=24,
        max_height=40,
    )  # fmt: skip
    return {bus: build_map(core, config) for bus, core in BUILDS[name].items()}


def maps_of(component) -> dict:
    """Memory maps in the form in which the stand-in for Vivado keeps them."""

    def entry(element, names: dict) -> dict:
        found = {key: text(element, name) for key, name in names.items()}
        return {key: value for key, value in found.items() if value is not None}

    maps = {}
    for memory_map in component.iterfind(path("memoryMaps", "memoryMap")):
        blocks = {}
        for block in memory_map.iterfind(path("addressBlock")):
            registers = {}
            for register in block.iterfind(path("register")):
                fields = {
                    text(field, "name"): entry(field, {
                        "bit_offset": "bitOffset", "bit_width": "bitWidth", "access": "access",
                        "description": "description", "modified_write_value": "modifiedWriteValue",
                    }) | {"inside": {}}
                    for field in register.iterfind(path("field"))
                }  # fmt: skip
                registers[text(register, "name")] = entry(register, {
                    "address_offset": "addressOffset", "size": "size", "access": "access",
                    "description": "description",
                }) | {"inside": fields}  # fmt: skip
            blocks[text(block, "name")] = entry(block, {
                "base_address": "baseAddress", "range": "range", "width": "width",
                "usage": "usage", "access": "access",
            }) | {"inside": registers}  # fmt: skip
        maps[text(memory_map, "name")] = {"inside": blocks}
    return maps


def normal(maps: dict) -> dict:
    """Numbers as numbers, however they are written."""
    return {
        key: normal(value) if isinstance(value, dict)
        else int(value, 0) if re.fullmatch("0x[0-9a-f]+|[0-9]+", value) else value
        for key, value in maps.items()
    }  # fmt: skip


def test_maps_are_those_of_the_registers(build_folder):
    name, folder = build_folder
    component = parse(folder)
    maps = maps_of(component)
    expected = expected_maps(name, folder)
    assert list(maps) == list(expected)
    for bus, registers in expected.items():
        (block,) = maps[bus]["inside"].values()
        assert int(block["range"]) >= 1 << registers.address_bits
        assert (block["base_address"], block["width"], block["usage"]) == ("0", "32", "register")
        found = block["inside"]
        assert list(found) == [register.name for register in registers]
        for register in registers:
            assert int(found[register.name]["address_offset"], 0) == register.offset
            fields = found[register.name]["inside"]
            assert list(fields) == [field.name for field in register.fields]
            for field in register.fields:
                entry = fields[field.name]
                assert (int(entry["bit_offset"]), int(entry["bit_width"])) == (
                    field.low, field.width,
                )  # fmt: skip
                assert (entry["access"], entry.get("modified_write_value")) == ACCESS[field.kind]
                assert entry["description"] == field.description


def test_reset_values(build_folder):
    """Of all registers but STATUS, which has none."""
    name, folder = build_folder
    component = parse(folder)
    for bus, registers in expected_maps(name, folder).items():
        (memory_map,) = [
            m for m in component.iterfind(path("memoryMaps", "memoryMap")) if text(m, "name") == bus
        ]
        resets = {
            text(r, "name"): text(r, "reset", "value")
            for r in memory_map.iterfind(path("addressBlock", "register"))
        }
        assert resets.pop("status") is None
        assert {key: int(value, 0) for key, value in resets.items()} == {
            r.name: r.reset for r in registers if r.name != "status"
        }


def test_same_as_vivado_would_package(build_folder, tmp_path, monkeypatch):
    _, folder = build_folder
    copy = shutil.copytree(folder, tmp_path / "build")
    monkeypatch.chdir(tmp_path)
    vivado = Vivado()
    vivado.source(copy / "package_ip.tcl")
    (core,) = vivado.cores
    component = parse(folder)
    assert buses_of(component) == core.buses
    assert normal(maps_of(component)) == normal(core.maps)


def test_interfaces(built_registers):
    buses = buses_of(parse(built_registers))
    bus = buses["decoder_s_axi_control"]
    assert bus["bus_type_vlnv"] == "xilinx.com:interface:aximm:1.0"
    assert (bus["interface_mode"], bus["slave_memory_map_ref"]) == (
        "slave", "decoder_s_axi_control",
    )  # fmt: skip
    parameters = bus["parameters"]
    assert (parameters["PROTOCOL"], parameters["DATA_WIDTH"], parameters["ADDR_WIDTH"]) == (
        "AXI4LITE", "32", "7",
    )  # fmt: skip
    assert len(bus["ports"]) == 17
    assert bus["ports"]["AWADDR"] == "decoder_s_axi_control_awaddr"
    interrupt = buses["encoder_interrupt"]
    assert interrupt == {
        "bus_type_vlnv": "xilinx.com:signal:interrupt:1.0",
        "abstraction_type_vlnv": "xilinx.com:signal:interrupt_rtl:1.0",
        "interface_mode": "master",
        "ports": {"INTERRUPT": "encoder_interrupt"},
        "parameters": {"SENSITIVITY": "LEVEL_HIGH"},
    }
    associated = buses["clk"]["parameters"]["ASSOCIATED_BUSIF"].split(":")
    assert associated == [name for name in buses if "_axi" in name]
    assert buses["clk"]["parameters"]["ASSOCIATED_RESET"] == "rst"


def test_schema_sees_registers_out_of_order(built_registers, schema):
    root = etree.parse(built_registers / "component.xml").getroot()
    assert schema.validate(root)
    register = root.find(f".//{SPIRIT}register")
    register.append(register.find(SPIRIT + "addressOffset"))
    assert not schema.validate(root)


def test_maps_must_be_given(built_registers, record):
    registers = json.loads((built_registers / "build.json").read_text())
    ports = registers["cores"]["encoder"]["ports"]
    message = r"^registers must be given for s_axi_control, not for none$"
    with pytest.raises(ValueError, match=message):
        component_xml(Identity.of(registers), "lutgen_encoder", ports, [], [], "xgui.tcl")
    with pytest.raises(ValueError, match=message):
        package_tcl(registers, get_target("zynq7045"), "lutgen_encoder", ports, [])
    plain = record["cores"]["encoder"]["ports"]
    maps = expected_maps("built_decoder_registers", built_registers)
    with pytest.raises(ValueError, match=r"^registers must be given for no interface, not for s_"):
        component_xml(Identity.of(record), "lutgen_encoder", plain, [], [], "xgui.tcl", maps)
    fewer = [port for port in ports if port["name"] != "s_axi_control_wstrb"]
    with pytest.raises(
        ValueError, match=r"^AXI4-Lite s_axi_control must have all signals, not be without WSTRB$"
    ):
        component_xml(Identity.of(registers), "lutgen_encoder", fewer, [], [], "xgui.tcl", maps)
