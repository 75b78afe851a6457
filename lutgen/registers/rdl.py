"""Compiles ``registers.rdl``; run as a module, writes ``registers.json`` beside it.

Needs systemrdl-compiler, of the extra ``dev``.  For developers only: what a build needs is in
``registers.json``.
"""

import json
from pathlib import Path
from typing import Any

from lutgen.errors import InputError

from .register_map import KINDS, MAPS, Field, Register, RegisterMap

__all__ = ["JSON", "RDL", "compile_rdl", "table_text"]

RDL = Path(__file__).with_name("registers.rdl")
JSON = RDL.with_suffix(".json")
#: Values that registers of one map alone depend on.
_ONLY_OF = {
    "max_level": "decoder", "tiles": "decoder", "strips": "decoder", "max_near": "encoder",
    "max_order": "encoder",
}  # fmt: skip


def compile_rdl(name: str, values: dict[str, int] | None = None) -> RegisterMap:
    """The register map ``name`` as the RDL has it.

    Parameters
    ----------
    name:
        One of `lutgen.registers.register_map.MAPS`.
    values:
        Values of a build, which become parameters of the address map.  Without them the map is the
        one of all builds, whose fields name the values.

    Raises
    ------
    ImportError
        If systemrdl-compiler is not installed.
    InputError
        If the RDL uses what the register file does not know.
    systemrdl.messages.RDLCompileError
        If it is not SystemRDL.
    """
    from systemrdl import RDLCompiler

    compiler = RDLCompiler()
    compiler.compile_file(str(RDL))
    parameters: dict[str, Any] = {
        key.upper(): value
        for key, value in (values or {}).items() if _ONLY_OF.get(key, name) == name
    }  # fmt: skip
    top = compiler.elaborate(f"lutgen_{name}", parameters=parameters).top
    registers = [
        Register(
            name=node.inst_name,
            offset=node.address_offset,
            title=node.get_property("name"),
            description=_text(node),
            needs=node.get_property("needs", default=None),
            fields=tuple(_field(node, field, values is not None) for field in node.fields()),
        )
        for node in top.registers()
    ]
    return RegisterMap(
        name=name,
        title=top.get_property("name"),
        description=_text(top),
        registers=tuple(registers),
    )


def _text(node) -> str:
    """Description in one line."""
    return " ".join((node.get_property("desc") or "").split())


def _field(register, node, of_build: bool) -> Field:
    kind = _kind(node)
    value = node.get_property("build_value", default=None)
    reset = node.get_property("reset")
    if kind == "cause" and node.get_property("enable").get_path() != node.get_path().replace(
        ".isr.", ".ier."
    ):
        raise InputError(f"{node.get_path()} must be enabled by the field of its name in ier")
    return Field(
        name=node.inst_name,
        low=node.lsb,
        width=node.width,
        kind=kind,
        reset=(reset or 0) if of_build or not value else 0,
        build_value=value,
        increment=(node.get_property("incrwidth") if node.get_property("counter") else 0) or 1,
        needs=node.get_property("needs", default=None),
        description=_text(node),
    )


def _kind(node) -> str:
    """The kind of a field, from its properties; InputError if it is none of `KINDS`."""
    access = node.get_property("sw").name, node.get_property("hw").name
    if node.get_property("counter"):
        kind: str | None = "saturating" if node.get_property("incrsaturate") else "wrapping"
        expected = ("r", "r")
    elif node.get_property("intr"):
        kind, expected = "cause", ("rw", "w")
    elif node.get_property("singlepulse"):
        kind, expected = "strobe", ("rw", "r")
    elif node.get_property("onwrite") is not None:
        kind, expected = "request", ("rw", "rw")
    else:
        kind = {("r", "na"): "constant", ("rw", "r"): "setting", ("r", "w"): "flag"}.get(access)
        expected = access
    if kind is None or kind not in KINDS or access != expected:
        raise InputError(f"{node.get_path()} must be of a known kind, not sw = {access[0]}, "
                         f"hw = {access[1]}")  # fmt: skip
    return kind


def table_text() -> str:
    """What belongs into ``registers.json``."""
    return json.dumps({name: compile_rdl(name).as_json() for name in MAPS}, indent=1) + "\n"


if __name__ == "__main__":
    JSON.write_text(table_text(), encoding="utf-8")
