"""Drivers of a build: C for bare metal, Python for PYNQ and everything else."""

import json
import re
from collections.abc import Sequence
from importlib.resources import files

from lutgen.registers.register_map import RegisterMap, shared_map

from .registers import c_header

__all__ = ["driver_files"]

#: What the names in the sources here begin with.
_STEM = re.compile("lutgen_|LUTGEN_")


def driver_files(maps: Sequence[RegisterMap], vlnv: str, name: str) -> dict[str, str]:
    """Sources by file name; they go with the headers of `.registers.register_texts`.

    Parameters
    ----------
    maps:
        Registers of each core of the build.
    vlnv:
        What block designs call the IP, for PYNQ to find it by.
    name:
        What the build is called: files, functions, types and macros begin with it.
    """
    parts = ["ip", *(registers.name for registers in maps)]
    sources = [*(f"lutgen_{part}.{kind}" for part in parts for kind in "hc"), "lutgen_driver.py"]
    folder = files("lutgen.handoff").joinpath("drivers")
    stems = {"lutgen_": f"{name}_", "LUTGEN_": f"{name}_".upper()}
    found = {}
    for source in sources:
        text = folder.joinpath(source).read_text(encoding="utf-8")
        source, text = (_STEM.sub(lambda stem: stems[stem[0]], part) for part in (source, text))
        found[source] = text.replace("@BUILD@", _build(maps, vlnv))
    found[f"{name}_ip_registers.h"] = c_header(shared_map(maps[0]), name)
    return found


def _build(maps: Sequence[RegisterMap], vlnv: str) -> str:
    """What the Python driver knows of a build, as json in lines."""
    cores = {
        registers.name: {
            register.name: {
                "offset": register.offset,
                "reset": register.reset,
                "fields": {
                    field.name: [field.low, field.width, field.kind] for field in register.fields
                },
            }
            for register in registers
        }
        for registers in maps
    }
    lines = [f'{{"vlnv": {json.dumps(vlnv)}, "cores": {{']
    for name, registers in cores.items():
        rows = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in registers.items()]
        comma = "," if name != maps[-1].name else ""
        lines += [f" {json.dumps(name)}: {{", ",\n".join(rows), f" }}{comma}"]
    return "\n".join([*lines, "}}"])
