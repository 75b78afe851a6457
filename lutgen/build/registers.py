"""Registers of a build: what its AXI4-Lite slaves are, and the files that software needs."""

from collections.abc import Iterable, Mapping

from lutgen.handoff.driver import driver_files
from lutgen.handoff.ip_xact import Identity
from lutgen.handoff.registers import register_texts
from lutgen.registers.register_map import RegisterMap

__all__ = ["build_maps", "describe_registers", "register_files", "slave_maps"]

_INTERFACE = "s_axi_control"


def describe_registers(registers: RegisterMap, name: str) -> dict:
    """What ``build.json`` tells of a core's registers, in a build called ``name``."""
    header, page = register_texts(registers, name)
    return {
        "interface": _INTERFACE,
        "bytes": 1 << registers.address_bits,
        "interrupt": "interrupt",
        "header": header,
        "page": page,
    }


def build_maps(cores: Iterable[str], config) -> dict[str, RegisterMap]:
    """Registers by core."""
    from lutgen.gateware.ip.build_map import build_map

    return {core: build_map(core, config) for core in cores}


def slave_maps(top: str, maps: Mapping[str, RegisterMap]) -> dict[str, RegisterMap]:
    """Registers by interface of the top."""
    prefix = "{}_" if top == "codec" else ""
    return {prefix.format(core) + _INTERFACE: found for core, found in maps.items()}


def register_files(record: Mapping, maps: Mapping[str, RegisterMap]) -> dict[str, str]:
    """Headers, register pages and drivers: text by file name."""
    files: dict[str, str] = {}
    name = record["parameters"]["name"]
    for registers in maps.values():
        files |= register_texts(registers, name)
    return files | driver_files(list(maps.values()), Identity.of(record).vlnv, name)
