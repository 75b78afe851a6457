"""Register maps as block designs know them: IP-XACT memory maps, and the same for Vivado's Tcl."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from lutgen.errors import InputError
from lutgen.registers.register_map import Field, Register, RegisterMap

from .interfaces import MAPPED, Interface
from .spirit import add

__all__ = ["BLOCK", "RANGE", "add_memory_map", "check_maps", "describe", "field_access",
           "register_access", "write_effect"]  # fmt: skip

#: The one address block of a map, as Vivado calls it.
BLOCK = "reg0"
#: Bytes of the block: what lies behind the registers repeats, and no interconnect decodes less.
RANGE = 4096

_ACCESS = {"setting": "read-write", "request": "read-write", "cause": "read-write",
           "strobe": "write-only"}  # fmt: skip
_EFFECT = {"request": "oneToSet", "cause": "oneToClear"}


def check_maps(
    interfaces: Sequence[Interface], maps: Mapping[str, RegisterMap]
) -> Mapping[str, RegisterMap]:
    """``maps``; InputError if they are not those of the interfaces that need one."""
    slaves = [interface.name for interface in interfaces if interface.bus == MAPPED]
    if set(slaves) != set(maps):
        raise InputError(
            f"registers must be given for {', '.join(slaves) or 'no interface'}, "
            f"not for {', '.join(maps) or 'none'}"
        )
    return maps


def field_access(field: Field) -> str:
    """What a bus can do to a field, in the standard's words."""
    return _ACCESS.get(field.kind, "read-only")


def write_effect(field: Field) -> str | None:
    """What a write does that does not just store, in the standard's words."""
    return _EFFECT.get(field.kind)


def register_access(register: Register) -> str:
    """What a bus can do to a register, in the standard's words."""
    kinds = {field_access(field) for field in register.fields}
    return "read-only" if kinds == {"read-only"} else "read-write"


def add_memory_map(parent: ET.Element, name: str, registers: RegisterMap) -> None:
    """A ``memoryMap`` with one block of registers, as the last child of ``parent``."""
    memory_map = add(parent, "memoryMap")
    add(memory_map, "name", name)
    block = add(memory_map, "addressBlock")
    add(block, "name", BLOCK)
    add(block, "baseAddress", "0")
    add(block, "range", str(RANGE))
    add(block, "width", "32")
    add(block, "usage", "register")
    add(block, "access", "read-write")
    for register in registers:
        _add_register(block, register)
    add(memory_map, "addressUnitBits", "8")


def _add_register(block: ET.Element, register: Register) -> None:
    item = add(block, "register")
    add(item, "name", register.name)
    add(item, "displayName", register.title)
    add(item, "description", describe(register))
    add(item, "addressOffset", hex(register.offset))
    add(item, "size", "32")
    add(item, "access", register_access(register))
    if not any(field.kind == "flag" for field in register.fields):
        add(add(item, "reset"), "value", hex(register.reset))
    for field in register.fields:
        entry = add(item, "field")
        add(entry, "name", field.name)
        add(entry, "description", field.description)
        add(entry, "bitOffset", str(field.low))
        add(entry, "bitWidth", str(field.width))
        add(entry, "access", field_access(field))
        if effect := write_effect(field):
            add(entry, "modifiedWriteValue", effect)


def describe(register: Register) -> str:
    """Description of a register, its title where it has no other."""
    return register.description or register.title
