"""Registers of the IP as data: what ``registers.rdl`` says, compiled.

``registers.json`` beside it is what `lutgen.registers.rdl` makes of it, so that neither a build nor
its user needs a SystemRDL compiler.
"""

import json
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from importlib.resources import files

from lutgen.errors import InputError

__all__ = ["KINDS", "MAPS", "Field", "Register", "RegisterMap", "shared_map", "stored_map"]

#: Kinds of fields: what a bus read gives, what a write does, what is behind it.
KINDS = {
    "constant": "fixed when the core is built",
    "setting": "kept as written",
    "strobe": "writing 1 acts once; reads 0",
    "request": "writing 1 asks for it; reads 1 until it is done",
    "flag": "state of the core",
    "cause": "set by the event; writing 1 clears, but an event in the same clock wins",
    "wrapping": "counter modulo 2^32",
    "saturating": "counter that stays at its largest value",
}
MAPS = ("encoder", "decoder")
_DIFFERS = "See the core's own registers."


@dataclass(frozen=True, kw_only=True)
class Field:
    """Bits of a register.

    Members
    -------
    name : str
    low, width : int
        Lowest bit and number of bits.
    kind : str
        One of `KINDS`.
    reset : int
        Value after reset; 0 where it has none.
    build_value : str, optional
        Value of a build that takes the place of ``reset``.
    increment : int
        Bits of what is added to a counter.
    needs : str, optional
        Value of a build that must not be 0 for the field to be there.
    description : str
    """

    name: str
    low: int
    width: int
    kind: str
    reset: int = 0
    build_value: str | None = None
    increment: int = 1
    needs: str | None = None
    description: str = ""

    @property
    def mask(self) -> int:
        """The field's bits in the register."""
        return ((1 << self.width) - 1) << self.low


@dataclass(frozen=True, kw_only=True)
class Register:
    """A word of 32 bits at a byte offset."""

    name: str
    offset: int
    title: str
    fields: tuple[Field, ...]
    description: str = ""
    needs: str | None = None

    @property
    def reset(self) -> int:
        """Value after reset."""
        return sum(field.reset << field.low for field in self.fields)

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


@dataclass(frozen=True, kw_only=True)
class RegisterMap:
    """Registers of one IP in the order of their offsets."""

    name: str
    title: str
    registers: tuple[Register, ...]
    description: str = ""

    #: Bits of a byte address, all registers within.
    address_bits = 7

    def __iter__(self) -> Iterator[Register]:
        return iter(self.registers)

    def __getitem__(self, name: str) -> Register:
        return next(register for register in self.registers if register.name == name)

    def of_build(self, values: dict[str, int]) -> "RegisterMap":
        """The map of a build: reset values put in, and without what such a build does not have.

        Raises
        ------
        InputError
            If a value does not fit its field.
        """
        registers = []
        for register in self.registers:
            if register.needs and not values[register.needs]:
                continue
            kept = []
            for field in register.fields:
                if field.needs and not values[field.needs]:
                    continue
                reset = values[field.build_value] if field.build_value else field.reset
                if not 0 <= reset < 1 << field.width:
                    raise InputError(
                        f"{field.build_value} must be a number of {field.width} bits, not {reset!r}"
                    )
                kept.append(replace(field, reset=reset))
            registers.append(replace(register, fields=tuple(kept)))
        return replace(self, registers=tuple(registers))

    def as_json(self) -> dict:
        """For ``registers.json``."""
        registers = [
            _given(register) | {"fields": [_given(field) for field in register.fields]}
            for register in self.registers
        ]
        return _given(self) | {"registers": registers}

    @classmethod
    def from_json(cls, stored: dict) -> "RegisterMap":
        """What `as_json` gave."""
        registers = tuple(
            Register(**{**register, "fields": tuple(Field(**f) for f in register["fields"])})
            for register in stored["registers"]
        )
        return cls(**{**stored, "registers": registers})


def _given(item) -> dict:
    """Members that have no default or another value."""
    members = {member.name: getattr(item, member.name) for member in fields(item)}
    defaults = {member.name: member.default for member in fields(item)}
    return {
        name: value for name, value in members.items()
        if defaults[name] is MISSING or value != defaults[name]
    }  # fmt: skip


@cache
def stored_map(name: str) -> RegisterMap:
    """Registers of all builds of the ``encoder`` or the ``decoder``, one of `MAPS`."""
    if name not in MAPS:
        raise InputError(f"register map must be one of {', '.join(MAPS)}, not {name!r}")
    text = files("lutgen.registers").joinpath("registers.json").read_text(encoding="utf-8")
    return RegisterMap.from_json(json.loads(text)[name])


def shared_map(registers: RegisterMap) -> RegisterMap:
    """What of a build's map every IP of that build has as well, under the name ``ip``.

    Constants that tell IPs apart are left out, and what differs in its description says so.
    """
    first, second = (stored_map(name) for name in MAPS)
    others = {register.name: register for register in second}
    own = {register.name for register in registers}
    kept = []
    for stored in first:
        other = others.get(stored.name)
        if other is None or stored.name not in own:
            continue
        same = {}
        for field in stored.fields:
            twin = next((f for f in other.fields if f.name == field.name), None)
            if twin and replace(twin, description="") == replace(field, description=""):
                same[field.name] = field.description == twin.description
        found = registers[stored.name]
        fields = tuple(
            field if same[field.name] else replace(field, description=_DIFFERS)
            for field in found.fields if field.name in same
        )  # fmt: skip
        if fields:
            kept.append(replace(found, fields=fields))
    return RegisterMap(
        name="ip",
        title="Encoder and decoder",
        registers=tuple(kept),
        description="Registers that both have.",
    )
