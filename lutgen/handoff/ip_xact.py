"""A build's top as an IP-XACT component (IEEE 1685-2009), with Vivado's extensions.

What ``package_ip.tcl`` has Vivado write, without Vivado: a folder that holds ``component.xml`` and
the files that it names is an IP repository.  The order of elements is the standard's.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lutgen.names import top_module
from lutgen.registers.register_map import RegisterMap

from .interfaces import CLOCK, MAPPED, RESET, Interface, bus_interfaces
from .memory_map import add_memory_map, check_maps
from .spirit import SPIRIT, add, add_vlnv, spirit

__all__ = ["FAMILIES", "Identity", "component_xml"]

#: Device families with LUT6, as Vivado calls them: the Verilog maps to all of them, though the
#: clock goal is for the target's alone.
FAMILIES = (
    # 7-series: commercial, low-voltage (l behind), automotive (a before) and defence (q before).
    "zynq", "azynq", "qzynq",
    "artix7", "artix7l", "aartix7", "qartix7",
    "kintex7", "kintex7l", "akintex7", "qkintex7", "qkintex7l",
    "virtex7", "qvirtex7",
    "spartan7", "aspartan7",
    # UltraScale; qr: radiation-tolerant.
    "kintexu", "qkintexu", "qrkintexu",
    "virtexu",
    # UltraScale+.
    "zynquplus", "azynquplus", "qzynquplus", "zynquplusRFSOC", "qzynquplusRFSOC",
    "artixuplus", "aartixuplus",
    "kintexuplus", "qkintexuplus",
    "virtexuplus", "qvirtexuplus", "virtexuplusHBM", "qvirtexuplusHBM", "virtexuplus58g",
    "spartanuplus",
)  # fmt: skip

_XILINX = "http://www.xilinx.com"
#: Views by the names that Vivado gives them, and what it calls their purpose.
_VERILOG_VIEWS = {
    "xilinx_anylanguagesynthesis": ":vivado.xilinx.com:synthesis",
    "xilinx_anylanguagebehavioralsimulation": ":vivado.xilinx.com:simulation",
}
_GUI_VIEW = ("xilinx_xpgui", ":vivado.xilinx.com:xgui.ui")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the IP of a build is called."""

    vendor: str
    library: str
    name: str
    version: str
    display_name: str
    description: str

    @property
    def vlnv(self) -> str:
        """Vendor, library, name and version, as block designs write them."""
        return f"{self.vendor}:{self.library}:{self.name}:{self.version}"

    @classmethod
    def of(cls, record: Mapping) -> "Identity":
        """The identity of a build, from its ``build.json``."""
        parameters, model = record["parameters"], record["model"]
        version = record["generator"]["version"]
        top = top_module(record)
        if parameters["top"] == "entropy-engine":
            what = f"Entropy engine of lutgen {version}: model {model['hash']}"
        else:
            # Builds of tiles take 8 bits and do not say so.
            depth = f" of {parameters['depth']} bits" if "depth" in parameters else ""
            kind = "Lossless and near-lossless" if parameters.get("near") else "Lossless"
            what = (
                f"{kind} image {parameters['top']} of lutgen {version}: model {model['hash']}, "
                f"images up to {parameters['max_width']} x {parameters['max_height']} pixels{depth}"
            )
        return cls(
            vendor="lutgen",
            library="codec",
            name=top,
            version=".".join(version.split(".")[:2]),  # Vivado takes two numbers
            display_name=f"{top} {model['profile']} {model['hash'][:16]}",
            description=what,
        )


def component_xml(
    identity: Identity,
    module: str,
    ports: Sequence[Mapping],
    verilog: Sequence[str],
    tables: Sequence[str],
    gui: str,
    maps: Mapping[str, RegisterMap] | None = None,
) -> str:
    """Text of ``component.xml``: interfaces, registers, ports and files of a module.

    Constraints are not among the files: the clock is the block design's, and Vivado makes its own
    for an IP out of context.

    Parameters
    ----------
    identity:
        What the IP is called.
    module:
        Top module.
    ports:
        Its ports as in ``build.json``: dicts of ``name``, ``direction`` and ``width``.
    verilog, tables:
        Files beside ``component.xml``: Verilog in order of compilation, and what it reads.
    gui:
        File of Tcl that draws the IP's window.
    maps:
        Registers of each AXI4-Lite slave by the interface's name.

    Raises
    ------
    InputError
        As `.interfaces.bus_interfaces`, or if a slave has no registers or registers no slave.
    """
    ET.register_namespace("spirit", SPIRIT)
    ET.register_namespace("xilinx", _XILINX)
    interfaces = bus_interfaces(ports)
    root = ET.Element(spirit("component"))
    for name in ("vendor", "library", "name", "version"):
        add(root, name, getattr(identity, name))
    buses = add(root, "busInterfaces")
    for interface in interfaces:
        _add_interface(buses, interface, _parameters(interface, interfaces))
    maps = check_maps(interfaces, maps or {})
    if maps:
        block = add(root, "memoryMaps")
        for name, registers in maps.items():
            add_memory_map(block, name, registers)
    _add_model(root, module, ports)
    sets = add(root, "fileSets")
    for view in _VERILOG_VIEWS:
        files = [(name, ("fileType", "verilogSource")) for name in verilog]
        files += [(name, ("userFileType", "mem")) for name in tables]
        _add_files(sets, view, files)
    _add_files(sets, _GUI_VIEW[0], [(gui, ("fileType", "tclSource"))], ["XGUI_VERSION_2"])
    add(root, "description", identity.description)
    parameter = add(add(root, "parameters"), "parameter")
    add(parameter, "name", "Component_Name")
    add(parameter, "value", f"{identity.name}_v{identity.version.replace('.', '_')}",
         resolve="user", id="PARAM_VALUE.Component_Name", order="1")  # fmt: skip
    _add_extensions(root, identity)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _parameters(interface: Interface, interfaces: Sequence[Interface]) -> dict[str, str]:
    """Parameters of an interface; those of the clock say what runs on it."""
    if interface.name != CLOCK:
        return dict(interface.parameters)
    buses = [other.name for other in interfaces if other.library == "interface"]
    return {"ASSOCIATED_BUSIF": ":".join(buses), "ASSOCIATED_RESET": RESET}


def _add_interface(parent: ET.Element, interface: Interface, parameters: dict) -> None:
    bus = add(parent, "busInterface")
    add(bus, "name", interface.name)
    add_vlnv(bus, "busType", interface.vlnv())
    add_vlnv(bus, "abstractionType", interface.vlnv(abstraction=True))
    mode = add(bus, interface.mode)
    if interface.bus == MAPPED:
        add(mode, "memoryMapRef", memoryMapRef=interface.name)
    maps = add(bus, "portMaps")
    for logical, physical in interface.ports.items():
        entry = add(maps, "portMap")
        add(add(entry, "logicalPort"), "name", logical)
        add(add(entry, "physicalPort"), "name", physical)
    if parameters:
        block = add(bus, "parameters")
        for name, value in parameters.items():
            parameter = add(block, "parameter")
            add(parameter, "name", name)
            add(parameter, "value", value,
                 id=f"BUSIFPARAM_VALUE.{interface.name.upper()}.{name}")  # fmt: skip


def _add_model(root: ET.Element, module: str, ports: Sequence[Mapping]) -> None:
    model = add(root, "model")
    views = add(model, "views")
    for name, purpose in (*_VERILOG_VIEWS.items(), _GUI_VIEW):
        view = add(views, "view")
        add(view, "name", name)
        add(view, "envIdentifier", purpose)
        if name in _VERILOG_VIEWS:
            add(view, "language", "Verilog")
            add(view, "modelName", module)
        add(add(view, "fileSetRef"), "localName", f"{name}_view_fileset")
    entries = add(model, "ports")
    for port in ports:
        entry = add(entries, "port")
        add(entry, "name", port["name"])
        wire = add(entry, "wire")
        add(wire, "direction", {"input": "in", "output": "out"}[port["direction"]])
        if port["width"] > 1:
            vector = add(wire, "vector")
            add(vector, "left", str(port["width"] - 1), format="long")
            add(vector, "right", "0", format="long")
        kind = add(add(wire, "wireTypeDefs"), "wireTypeDef")
        add(kind, "typeName", "wire")
        for name in _VERILOG_VIEWS:
            add(kind, "viewNameRef", name)


def _add_files(parent: ET.Element, view: str, files, more: Sequence[str] = ()) -> None:
    block = add(parent, "fileSet")
    add(block, "name", f"{view}_view_fileset")
    for name, (element, kind) in files:
        file = add(block, "file")
        add(file, "name", name)
        add(file, element, kind)
        for extra in more:
            add(file, "userFileType", extra)


def _add_extensions(root: ET.Element, identity: Identity) -> None:
    """What Vivado needs to list the IP."""

    def extend(
        parent: ET.Element, name: str, text: str | None = None, /, **attributes: str
    ) -> ET.Element:
        child = ET.SubElement(
            parent, f"{{{_XILINX}}}{name}",
            {f"{{{_XILINX}}}{key}": value for key, value in attributes.items()},
        )  # fmt: skip
        child.text = text
        return child

    core = extend(add(root, "vendorExtensions"), "coreExtensions")
    families = extend(core, "supportedFamilies")
    for family in FAMILIES:
        extend(families, "family", family, lifeCycle="Beta")
    extend(extend(core, "taxonomies"), "taxonomy", "/UserIP")
    extend(core, "displayName", identity.display_name)
    extend(core, "coreRevision", "1")
