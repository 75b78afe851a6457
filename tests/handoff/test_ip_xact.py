"""``component.xml`` against the schema of IEEE 1685-2009, the build, and Vivado's own packager."""

from dataclasses import replace

import pytest
from lxml import etree

from lutgen.handoff.interfaces import bus_interfaces
from lutgen.handoff.ip_xact import FAMILIES, Identity, component_xml
from tests.handoff.component import SPIRIT, buses_of, parse, path, text
from tests.handoff.vivado import Vivado
from tests.tiers import slow_but_first

XILINX = "{http://www.xilinx.com}"
FIXTURES = ["built", "built_decoder", "built_registers", "built_decoder_registers"]


@pytest.mark.parametrize("fixture", slow_but_first(FIXTURES))
def test_valid(fixture, schema, request):
    document = etree.parse(request.getfixturevalue(fixture) / "component.xml")
    assert schema.validate(document), schema.error_log


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("component", "name"),
        ("component", "version"),
        ("busInterface", "busType"),
        ("portMap", "physicalPort"),
        ("view", "envIdentifier"),
        ("port", "wire"),
        ("vector", "right"),
        ("file", "name"),
        ("parameter", "value"),
    ],
)
def test_the_schema_sees_what_is_missing_or_out_of_order(built, schema, parent, child):
    for moved in (False, True):
        root = etree.parse(built / "component.xml").getroot()
        element = root if parent == "component" else root.find(f".//{SPIRIT}{parent}")
        found = element.find(SPIRIT + child)
        place = 0 if element[-1] is found else len(element)
        element.remove(found)
        if moved:
            element.insert(place, found)
        assert not schema.validate(root)


def test_same_as_vivado_would_package(folder):
    """The file, and what ``package_ip.tcl`` makes of the same build, are one IP."""
    component = parse(folder)
    vivado = Vivado()
    vivado.source(folder / "package_ip.tcl")
    (core,) = vivado.cores
    assert buses_of(component) == core.buses
    for key in ("vendor", "library", "name", "version", "description"):
        assert text(component, key) == core.properties[key]
    extensions = component.find(path("vendorExtensions") + f"/{XILINX}coreExtensions")
    assert extensions.findtext(f"{XILINX}displayName") == core.properties["display_name"]
    assert extensions.findtext(f"{XILINX}taxonomies/{XILINX}taxonomy") == "/UserIP"
    families = extensions.iterfind(f"{XILINX}supportedFamilies/{XILINX}family")
    assert core.properties["supported_families"].split() == [
        word for family in families for word in (family.text, family.get(f"{XILINX}lifeCycle"))
    ]
    (first, second, _) = component.iterfind(path("fileSets", "fileSet"))
    for block in (first, second):
        assert [text(file, "name") for file in block.iterfind(path("file"))] == core.files


def test_interfaces(built):
    buses = buses_of(parse(built))
    assert {name: bus["interface_mode"] for name, bus in buses.items()} == {
        "encoder_s_axis_video": "slave", "encoder_m_axis_stream": "master",
        "decoder_s_axis_stream": "slave", "decoder_m_axis_video": "master",
        "rst": "slave", "clk": "slave",
    }  # fmt: skip
    assert buses["decoder_m_axis_video"]["bus_type_vlnv"] == "xilinx.com:interface:axis:1.0"
    assert buses["decoder_m_axis_video"]["parameters"] == {
        "TDATA_NUM_BYTES": "1", "TDEST_WIDTH": "0", "TID_WIDTH": "0", "TUSER_WIDTH": "1",
        "HAS_TREADY": "1", "HAS_TSTRB": "0", "HAS_TKEEP": "0", "HAS_TLAST": "1",
    }  # fmt: skip
    stream = buses["decoder_s_axis_stream"]["parameters"]
    assert (stream["TDATA_NUM_BYTES"], stream["TUSER_WIDTH"], stream["HAS_TKEEP"]) == (
        "4", "0", "1",
    )  # fmt: skip
    assert buses["rst"]["parameters"] == {"POLARITY": "ACTIVE_HIGH"}
    assert buses["clk"]["parameters"]["ASSOCIATED_RESET"] == "rst"
    associated = buses["clk"]["parameters"]["ASSOCIATED_BUSIF"].split(":")
    assert associated == [name for name in buses if "axis" in name]


@pytest.mark.parametrize("fixture", FIXTURES)
def test_ports_and_files_are_those_of_the_build(fixture, request):
    from lutgen.sim.tool.design import Design

    folder = request.getfixturevalue(fixture)
    component = parse(folder)
    top = text(component, "name")
    ports = {}
    for port in component.iterfind(path("model", "ports", "port")):
        left = text(port, "wire", "vector", "left")
        width = 1 if left is None else int(left) + 1
        ports[text(port, "name")] = (width, text(port, "wire", "direction") == "in")
    verilog = (folder / "files.f").read_text().split()
    design = Design.of([folder / name for name in verilog], top)
    assert ports == {p.name: (p.width, p.is_input) for p in design.ports.values()}
    views = component.findall(path("model", "views", "view"))
    assert [text(view, "modelName") for view in views] == [top, top, None]
    sets = {text(block, "name"): block for block in component.iterfind(path("fileSets", "fileSet"))}
    for view in views:
        block = sets.pop(text(view, "fileSetRef", "localName"))
        names = [text(file, "name") for file in block.iterfind(path("file"))]
        assert all((folder / name).is_file() for name in names)
        if text(view, "modelName"):
            own = verilog[1:]  # Vivado has the primitives itself
            assert verilog[0] == "primitives.v" and names[: len(own)] == own
            assert {*names[len(own) :]} == {path.name for path in folder.glob("*.mem")}
        else:
            assert names == ["xgui.tcl"]
    assert not sets
    tags = {child.tag.removeprefix(SPIRIT) for child in component}
    assert "addressSpaces" not in tags
    assert ("memoryMaps" in tags) == fixture.endswith("registers")


def test_text_is_escaped(record, schema):
    identity = replace(Identity.of(record), description='<a> & "b" \u00e9')
    ports = record["cores"]["encoder"]["ports"]
    written = component_xml(identity, "lutgen_encoder", ports, ["a.v"], [], "xgui.tcl")
    root = etree.fromstring(written.encode())
    assert schema.validate(root), schema.error_log
    assert root.findtext(path("description")) == identity.description


def test_version_has_two_numbers(record):
    for version, short in (("0.1.0", "0.1"), ("12.3.4.dev1", "12.3")):
        record["generator"]["version"] = version
        assert Identity.of(record).version == short


def test_refused_ports():
    def port(name, width=1, direction="input"):
        return {"name": name, "direction": direction, "width": width}

    common = [port("clk"), port("rst")]
    with pytest.raises(ValueError, match=r"^ports must have 'clk', not only none$"):
        bus_interfaces([])
    with pytest.raises(ValueError, match=r"^ports must have 'rst', not only clk$"):
        bus_interfaces([port("clk")])
    with pytest.raises(
        ValueError,
        match=r"^stream s_axis_a must have TDATA, TVALID and TREADY, not without TREADY, TVALID$",
    ):
        bus_interfaces([*common, port("s_axis_a_tdata", 8)])
    assert [bus.name for bus in bus_interfaces([*common, port("taxis")])] == ["rst", "clk"]


def test_paths_of_this_machine_are_nowhere(built):
    for file in built.iterdir():
        if file.suffix in (".xml", ".tcl", ".xdc"):
            assert str(built.parent) not in file.read_text()


def test_families_of_every_grade():
    """Low-voltage, automotive and defence parts, and RFSoC, are families of their own to Vivado."""
    assert len(set(FAMILIES)) == len(FAMILIES)
    assert set(FAMILIES) >= {
        "zynq", "azynq", "qzynq", "artix7", "artix7l", "aartix7", "qartix7", "kintex7l",
        "spartan7", "aspartan7", "qvirtex7", "zynquplus", "azynquplus", "zynquplusRFSOC",
        "virtexuplusHBM", "spartanuplus",
    }  # fmt: skip
    assert not any("versal" in family for family in FAMILIES)  # other cells, other memories
