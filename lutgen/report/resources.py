"""Resources, share of the device and logic levels of a build, as tables."""

from collections.abc import Mapping

from lutgen.targets.fit import basis, levels_basis
from lutgen.targets.fit import depths as describe_depth

from .charts import bar
from .memory import amount, unit
from .sheet import Sheet

__all__ = ["GOAL_LEVELS", "levels", "resources", "share"]

#: LUT levels between registers that every block aims at.
GOAL_LEVELS = 4
_KINDS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36", "dsp": "DSP"}
_HEAT = 5


def resources(sheet: Sheet) -> list[dict]:
    """A table for each core: rows of blocks and their counts, the bar of each, and the total."""
    record = sheet.record
    counted = _counted(record)
    largest = max(
        (block["lut"] for core in counted.values() for block in core["blocks"].values()), default=0
    )
    tables = []
    for name, found in counted.items():
        rows = []
        for block in sheet.blocks.ordered(found["blocks"]):
            use = found["blocks"][block]
            title, purpose = sheet.blocks.label(block)
            parts = [(use[f"lut_{kind}"], kind) for kind in ("logic", "memory", "shift")]
            rows.append({
                "name": title, "purpose": purpose, "bar": bar(parts, largest),
                "memory": amount(record, use), "logic_levels": None, **use,
            })  # fmt: skip
        tables.append({
            "core": name, "rows": rows, "tool": found["tool"], "largest": largest,
            "total": found["total"] | {
                "levels": found["levels"], "logic_levels": found.get("logic_levels"),
                "memory": amount(record, found["total"]),
            },
            "levels_basis": levels_basis(record["target"]["yosys_family"]),
            "memory_unit": unit(record),
            "memory_bits": {
                kind: bits for kind, bits in record["cores"][name]["memory_bits"].items() if bits
            },
        })  # fmt: skip
    return tables


def share(record: Mapping) -> dict | None:
    """What the build takes of its device, or None if nothing was counted."""
    pair, target = record["pair"], record["target"]
    if not pair:
        return None
    held = dict(zip(_KINDS, (target[k] for k in ("luts", "ffs", "bram36", "dsps")), strict=True))
    counted = _counted(record)
    rows = []
    for kind, name in _KINDS.items():
        compared = kind in pair["percent"]
        totals = {core: found["total"] for core, found in counted.items()}
        if kind == "bram36":
            name = name if unit(record) == name else f"memory, {unit(record)}"
            uses = {core: amount(record, found) for core, found in totals.items()}
        else:
            uses = {core: found[kind] for core, found in totals.items()}
        rows.append({
            "name": name, "uses": uses, "total": sum(uses.values()),
            "held": held[kind] if compared else None, "percent": pair["percent"].get(kind),
            "bar": bar([(use, core) for core, use in uses.items()], held[kind])
            if compared and held[kind] else "",
        })  # fmt: skip
    return {
        "cores": list(counted),
        "rows": rows,
        "fits": pair["fits"],
        "depths": describe_depth(pair),
        "levels_basis": levels_basis(target["yosys_family"]),
        "basis": basis(target["family"], target["yosys_family"]),
    }


def levels(sheet: Sheet) -> list[dict]:
    """A table for each core: how many registers and outputs each block reaches at which depth."""
    record, label = sheet.record, sheet.blocks.label
    tables = []
    for name, found in _counted(record).items():
        blocks = found["blocks"]
        deepest = max(
            (int(depth) for block in blocks.values() for depth in block["endpoints"]), default=0
        )
        depths = range(max(deepest, GOAL_LEVELS) + 1)
        most = max((n for block in blocks.values() for n in block["endpoints"].values()), default=1)
        rows, beyond = [], 0
        for block in sheet.blocks.ordered(blocks):
            ends = blocks[block]["endpoints"]
            cells = [{"count": n, "heat": _heat(n, most)} for n in
                     (ends.get(str(depth), 0) for depth in depths)]  # fmt: skip
            beyond += sum(n for depth, n in ends.items() if int(depth) > GOAL_LEVELS)
            rows.append({"name": label(block)[0], "cells": cells})
        tables.append({
            "core": name, "depths": list(depths), "rows": rows, "levels": found["levels"],
            "deepest": describe_depth(found),
            "basis": levels_basis(record["target"]["yosys_family"]),
            "beyond": beyond, "worst": label(found["worst_block"])[0]
            if found["worst_block"] else None,
            "path": [step["type"] for step in found["worst_path"]],
        })  # fmt: skip
    return tables


def _counted(record: Mapping) -> dict[str, Mapping]:
    """Resources by core, without those that were not counted."""
    return {name: core["resources"] for name, core in record["cores"].items() if core["resources"]}


def _heat(n: int, most: int) -> int:
    """Shade of a cell: 0 for none, then by powers up to the largest."""
    if not n:
        return 0
    return max(1, min(_HEAT, 1 + round((_HEAT - 1) * (n.bit_length() - 1) / most.bit_length())))
