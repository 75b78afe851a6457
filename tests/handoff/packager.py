"""Stand-in for Vivado's IP packager: the commands of `tests.handoff.vivado` that make an IP."""

import fnmatch
import re
from dataclasses import dataclass, field
from pathlib import Path

from lutgen.sim.tool.design import Design


class VivadoError(Exception):
    """What Vivado would refuse."""


@dataclass(frozen=True)
class Spec:
    """Options of a command: bare ones, ones with a value, and how many words there are else."""

    flags: str = ""
    values: str = ""
    words: tuple[int, int] = (0, 0)


PACKAGER = {
    "add_files": Spec("norecurse scan_for_includes", "fileset of_objects", (0, 1)),
    "current_fileset": Spec("constrset simset srcset"),
    "update_compile_order": Spec("force_gui", "fileset"),
    "set_property": Spec("quiet", "dict", (3, 3)),
    "get_property": Spec("quiet min max", "", (2, 2)),
    "ipx::package_project": Spec(
        "import_files generated_files force", "root_dir vendor library taxonomy module set_current"
    ),
    "ipx::current_core": Spec(),
    "ipx::get_bus_interfaces": Spec("", "of_objects filter", (0, 1)),
    "ipx::remove_bus_interface": Spec("quiet", "", (2, 2)),
    "ipx::add_bus_interface": Spec("quiet", "", (2, 2)),
    "ipx::add_port_map": Spec("quiet", "", (2, 2)),
    "ipx::add_bus_parameter": Spec("quiet", "", (2, 2)),
    "ipx::remove_all_memory_map": Spec("quiet", "", (1, 1)),
    "ipx::add_memory_map": Spec("quiet", "", (2, 2)),
    "ipx::add_address_block": Spec("quiet", "", (2, 2)),
    "ipx::add_register": Spec("quiet", "", (2, 2)),
    "ipx::add_field": Spec("quiet", "", (2, 2)),
    "ipx::associate_bus_interfaces": Spec("clear remove", "busif clock reset", (1, 1)),
    "ipx::create_xgui_files": Spec("quiet", "", (1, 1)),
    "ipx::update_checksums": Spec("quiet", "", (1, 1)),
    "ipx::check_integrity": Spec("quiet kernel", "", (1, 1)),
    "ipx::save_core": Spec("quiet", "", (1, 1)),
}
_CORE = {"name", "version", "display_name", "description", "supported_families"}
#: Properties of what a memory map is made of.
_MAPPED = {
    "block": {"base_address", "range", "width", "usage", "access"},
    "register": {"address_offset", "size", "access", "description"},
    "field": {"bit_offset", "bit_width", "access", "description", "modified_write_value"},
}
_CHILDREN = {"map": "block", "block": "register", "register": "field"}
_ACCESS = {"read-only", "write-only", "read-write"}
_EFFECTS = {"oneToClear", "oneToSet"}


@dataclass
class Core:
    """An IP that was packaged."""

    properties: dict[str, str]
    files: list[str]
    buses: dict[str, dict] = field(default_factory=dict)
    maps: dict[str, dict] = field(default_factory=dict)  #: by name: properties, and what is inside
    done: list[str] = field(default_factory=list)


class Packager:
    """Stubs of the packager; what it needs of a project is `tests.handoff.vivado.Vivado`'s."""

    # Packaging.

    def _core(self, name: str = "core") -> Core:
        if name != "core" or not self.cores:
            raise VivadoError(f"no such core: {name}")
        return self.cores[-1]

    def _bus(self, name: str) -> dict:
        kind, _, bus = name.partition(" ")
        if kind != "bus" or bus not in self._core().buses:
            raise VivadoError(f"no such bus interface: {name}")
        return self._core().buses[bus]

    def _add_files(self, options, files) -> str:
        return self._add(files, ".v", ".mem")

    def _current_fileset(self, options) -> str:
        self._open()
        return "sources_1"

    def _update_compile_order(self, options) -> str:
        if options["fileset"] != "sources_1" or "top" not in self._open():
            raise VivadoError("must be sources_1, with a top")
        return ""

    def _ipx_package_project(self, options) -> str:
        project = self._open()
        verilog = [file for file in project["files"] if file.endswith(".v")]
        self._check_tables(verilog)
        ports = Design.of([Path(file) for file in verilog], project["top"]).ports
        if not Path(options["root_dir"]).is_dir():
            raise VivadoError(f"no such folder: {options['root_dir']}")
        core = Core(
            {"name": project["top"], "version": "1.0", "root": options["root_dir"]}
            | {key: options[key] for key in ("vendor", "library")},
            list(project["files"]),
        )
        # As if inferred, and not as the script wants it.
        core.maps = {"s_axi": {"inside": {}}}
        core.buses = {"clk": {"parameters": {"POLARITY": "ACTIVE_LOW"}}, "s_axis": {}}
        project["ports"] = ports
        self.cores.append(core)
        return "core"

    def _ipx_current_core(self, options) -> str:
        self._core()
        return "core"

    def _ipx_get_bus_interfaces(self, options, pattern="*") -> list[str]:
        names = fnmatch.filter(self._core(options["of_objects"]).buses, pattern)
        return [f"bus {name}" for name in names]

    def _ipx_remove_bus_interface(self, options, name, core) -> str:
        del self._core(core).buses[name]
        return ""

    def _ipx_add_bus_interface(self, options, name, core) -> str:
        if name in self._core(core).buses:
            raise VivadoError(f"bus interface exists: {name}")
        self._core(core).buses[name] = {"ports": {}, "parameters": {}}
        return f"bus {name}"

    def _ipx_add_port_map(self, options, name, bus) -> str:
        self._bus(bus)["ports"][name] = None
        return f"port {name} of {bus}"

    def _ipx_add_bus_parameter(self, options, name, bus) -> str:
        self._bus(bus)["parameters"][name] = None
        return f"parameter {name} of {bus}"

    def _ipx_associate_bus_interfaces(self, options, core) -> str:
        buses = self._core(core).buses
        clock = buses[options["clock"]]["parameters"]
        if options.keys() & {"busif", "reset"} == set():
            raise VivadoError("must have -busif or -reset")
        if "busif" in options:
            buses[options["busif"]]  # must exist
            known = clock.get("ASSOCIATED_BUSIF")
            clock["ASSOCIATED_BUSIF"] = ":".join(filter(None, [known, options["busif"]]))
        if "reset" in options:
            buses[options["reset"]]  # must exist
            clock["ASSOCIATED_RESET"] = options["reset"]
        return ""

    def _set_property(self, options, name, value, objects) -> str:
        name = name.lower()
        if objects.startswith("{"):  # what a query found
            (objects,) = self._list(objects)
        if objects == "sources_1" and name == "top":
            self._open()["top"] = value
        elif objects == "core" and name in _CORE:
            self._core().properties[name] = value
        elif objects.startswith("bus ") and name in (
            "abstraction_type_vlnv", "bus_type_vlnv", "interface_mode", "slave_memory_map_ref",
        ):  # fmt: skip
            self._bus(objects)[name] = value
        elif match := re.fullmatch(r"(port|parameter) (\S+) of (bus \S+)", objects):
            kind, item, bus = match.groups()
            if name != {"port": "physical_name", "parameter": "value"}[kind]:
                raise VivadoError(f"no property {name} of {objects}")
            if kind == "port" and value not in self._open()["ports"]:
                raise VivadoError(f"no such port: {value}")
            self._bus(bus)[f"{kind}s"][item] = value
        elif match := re.fullmatch(r"(block|register|field) (\S+)", objects):
            self._set_mapped(match[1], match[2], name, value)
        else:
            raise VivadoError(f"no property {name} of {objects!r}")
        return ""

    # Memory maps: the handle of an item is its kind and its path.

    def _mapped(self, path: str) -> dict:
        item = {"inside": self._core().maps}
        for name in path.split("/"):
            if name not in item["inside"]:
                raise VivadoError(f"no {name} of {path}")
            item = item["inside"][name]
        return item

    def _add_mapped(self, name: str, parent: str, kind: str) -> str:
        above, _, path = parent.partition(" ")
        if _CHILDREN.get(above) != kind:
            raise VivadoError(f"{kind} must be added to another thing than {parent!r}")
        inside = self._mapped(path)["inside"]
        if name in inside:
            raise VivadoError(f"{kind} exists: {name}")
        inside[name] = {"inside": {}}
        return f"{kind} {path}/{name}"

    def _set_mapped(self, kind: str, path: str, name: str, value: str) -> None:
        if name not in _MAPPED[kind]:
            raise VivadoError(f"no property {name} of a {kind}")
        if name == "access" and value not in _ACCESS:
            raise VivadoError(f"no access {value}")
        if name == "modified_write_value" and value not in _EFFECTS:
            raise VivadoError(f"no effect {value}")
        self._mapped(path)[name] = value

    def _ipx_remove_all_memory_map(self, options, core) -> str:
        self._core(core).maps.clear()
        return ""

    def _ipx_add_memory_map(self, options, name, core) -> str:
        if name in self._core(core).maps:
            raise VivadoError(f"memory map exists: {name}")
        self._core(core).maps[name] = {"inside": {}}
        return f"map {name}"

    def _ipx_add_address_block(self, options, name, parent) -> str:
        return self._add_mapped(name, parent, "block")

    def _ipx_add_register(self, options, name, parent) -> str:
        return self._add_mapped(name, parent, "register")

    def _ipx_add_field(self, options, name, parent) -> str:
        return self._add_mapped(name, parent, "field")

    def _get_property(self, options, name, objects) -> str:
        self._bus(objects)
        if name.lower() != "name":
            raise VivadoError(f"no property {name}")
        return objects.partition(" ")[2]

    def _finish(self, options, core) -> None:
        self._core(core).done.append(self.calls[-1][0])

    def _ipx_create_xgui_files(self, options, core) -> str:
        self._finish(options, core)
        return ""

    def _ipx_update_checksums(self, options, core) -> str:
        self._finish(options, core)
        return ""

    def _ipx_check_integrity(self, options, core) -> str:
        for name, bus in self._core(core).buses.items():
            values = [*bus["ports"].values(), *bus["parameters"].values()]
            if None in values or not bus["ports"] or "interface_mode" not in bus:
                raise VivadoError(f"bus interface {name} is not complete")
            mapped = bus["bus_type_vlnv"].split(":")[2] == "aximm"
            if mapped != (bus.get("slave_memory_map_ref") in self._core(core).maps):
                raise VivadoError(f"bus interface {name} must have a memory map if it is aximm")
        self._finish(options, core)
        return ""

    def _ipx_save_core(self, options, core) -> str:
        if self._core(core).done != [
            "ipx::create_xgui_files", "ipx::update_checksums", "ipx::check_integrity",
        ]:  # fmt: skip
            raise VivadoError("window, checksums and check must come first")
        Path(self._core().properties["root"], "component.xml").write_text("stub\n")
        self._finish(options, core)
        return ""
