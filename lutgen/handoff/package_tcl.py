"""Tcl for Vivado: packaging as IP."""

from collections.abc import Mapping, Sequence

from lutgen.constraints import read
from lutgen.names import build_of
from lutgen.registers.register_map import RegisterMap
from lutgen.targets import Target

from .interfaces import CLOCK, RESET, Interface, bus_interfaces
from .ip_xact import FAMILIES, Identity
from .memory_map import (
    BLOCK,
    RANGE,
    check_maps,
    describe,
    field_access,
    register_access,
    write_effect,
)
from .tcl import PRIMITIVES, heading, text, word, words

__all__ = ["gui_tcl", "package_tcl"]


def package_tcl(
    record: Mapping,
    target: Target,
    module: str,
    ports: Sequence[Mapping],
    tables: Sequence[str],
    maps: Mapping[str, RegisterMap] | None = None,
) -> str:
    """``package_ip.tcl``: packages a module as IP, with interfaces, registers, clock and reset.

    Parameters
    ----------
    record:
        ``build.json``, for the heading and the IP's name.
    target:
        Device; its part is the one of the project that packages.
    module:
        Top module.
    ports:
        Its ports as in ``build.json``: dicts of ``name``, ``direction`` and ``width``.
    tables:
        Files that the Verilog reads.
    maps:
        Registers of each AXI4-Lite slave by the interface's name.

    Raises
    ------
    InputError
        As `.interfaces.bus_interfaces`, if a slave has no registers or registers no slave, or if a
        name would be more than a word to Tcl.
    """
    identity = Identity.of(record)
    interfaces = bus_interfaces(ports)
    maps = check_maps(interfaces, maps or {})
    driver = f"{build_of(record)}_driver.py"
    return heading(record, f"Packages {module} as IP.") + (
        read("package_ip.tcl").replace("@PART@", word(target.part))
        .replace("@MODULE@", word(module))
        .replace("@VENDOR@", word(identity.vendor))
        .replace("@LIBRARY@", word(identity.library))
        .replace("@NAME@", word(identity.name))
        .replace("@VERSION@", word(identity.version))
        .replace("@DISPLAY@", text(identity.display_name))
        .replace("@DESCRIPTION@", text(identity.description))
        .replace("@TABLES@", words(tables))
        .replace("@INTERFACES@", "".join(map(_interface, interfaces)))
        .replace("@MAPS@", "".join(_memory_map(*item) for item in maps.items()))
        .replace("@BLOCK@", BLOCK)
        .replace("@RANGE@", str(RANGE))
        .replace("@FAMILIES@", words([f"{family} Beta" for family in FAMILIES]))
        .replace("@CLOCK@", CLOCK)
        .replace("@RESET@", RESET)
        .replace("@PRIMITIVES@", PRIMITIVES)
        .replace("@DRIVER@", word(driver) if maps else "{}")
        .replace("@BINDING@", _BINDING.format(driver) if maps else _NO_BINDING)
    )


def gui_tcl(record: Mapping) -> str:
    """``xgui.tcl``, which ``component.xml`` names: the IP's window with nothing but its name."""
    return heading(record, "Window of the IP that component.xml describes.") + (
        "proc init_gui {IPINST} {\n"
        "  ipgui::add_param $IPINST -name Component_Name\n"
        "}\n"
    )


def _interface(interface: Interface) -> str:
    ports, parameters = (
        " ".join(f"{word(key)} {word(value)}" for key, value in mapping.items())
        for mapping in (interface.ports, interface.parameters)
    )
    return (
        f"  {{{word(interface.name)} {interface.library} {interface.bus} {interface.mode}\n"
        f"    {{{ports}}}\n"
        f"    {{{parameters}}}}}\n"
    )


def _memory_map(name: str, registers: RegisterMap) -> str:
    lines = [f"  {word(name)} {{"]
    for register in registers:
        access = register_access(register)
        said = text(describe(register))
        lines.append(f"    {{{word(register.name)} {register.offset:#04x} {access} {said}")
        for field in register.fields:
            effect = write_effect(field) or "{}"
            lines.append(
                f"      {{{word(field.name)} {field.low} {field.width} {field_access(field)} "
                f"{effect}"
            )
            lines.append(f"       {text(field.description)}}}")
        lines[-1] += "}"
    return "\n".join([*lines, "  }\n"])


_NO_BINDING = "Nothing else\n# in this folder depends on it."
_BINDING = """PYNQ finds
# the driver by it, bindto in {0}: FOLDER gets a copy of that file that binds to
# the new name. Import the copy, or change "vlnv" in yours. The C drivers do not depend on it."""
