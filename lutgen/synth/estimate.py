"""Resources and logic levels of a design, block by block."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain

from lutgen.targets import Target

from .blocks import REST, check_paths, owner_of, path_parts
from .cells import Cell, cost
from .design import cells_by_instance, flat_design
from .levels import Endpoint, LevelAnalysis
from .yosys import SynthError, map_generic, map_xilinx

__all__ = ["estimate"]

_RESOURCES = (
    "lut",
    "lut_logic",
    "lut_memory",
    "lut_shift",
    "ff",
    "bram36",
    "dsp",
    "carry4",
    "muxf",
    "memory_bits",
)


def estimate(verilog: str, top: str, target: Target, blocks: Mapping[str, Iterable[str]]) -> dict:
    """Map a design with Yosys and split what it uses by block.

    Parameters
    ----------
    verilog
        The design, all modules in one text.
    top
        Name of the top module.
    target
        Decides the primitives: those of its Xilinx family, or 6-input LUTs and whole memories for
        the generic target.
    blocks
        Hierarchy paths of the instances that make up each block, relative to the top, such as
        ``{"network": ["decoder.network"]}``.  A path covers everything below it, each part may
        hold the wildcards of `fnmatch` ("lane*.rans"), and the longest path that fits wins, the
        first block listed if several do.  The empty path is the top itself.  Cells that fit
        nowhere are counted as "other".

    Returns
    -------
    dict
        Ready for json::

            {"target", "top", "tool",
             "total":  resources,
             "blocks": {name: resources + {"levels", "muxf_levels", "logic_levels",
                                           "endpoints", "path"}},
             "levels", "logic_levels", "worst_block",
             "capacity": {"lut", "ff", "bram36", "dsp"} or {}}

        where resources are ``lut`` (sites: the sum of ``lut_logic``, ``lut_memory`` and
        ``lut_shift``), ``ff``, ``bram36`` (halves are RAMB18), ``dsp``, ``carry4``, ``muxf``,
        ``memory_bits`` (generic target only) and ``cells``, the count of each cell type.

        ``levels`` is the deepest path that ends in the block, in LUT levels as
        `lutgen.synth.levels` counts them, or None if no path does; ``endpoints`` maps levels to
        the number of sequential cells (and output ports) reached at that depth, and ``path``
        lists the cells of the deepest path.  ``logic_levels`` is the most cells on a path, as
        Vivado counts them: each LUT, each CARRY4 of a chain and each MUXF.

    Notes
    -----
    Yosys does not pack two small LUTs into one site and leaves the output registers of block
    memories in flip-flops: vendor tools come out lower on both.  It uses dedicated carry only
    where the design adds, subtracts or compares.

    Raises
    ------
    SynthError
        Yosys refuses the design, a block's path fits no instance, a cell type has no known cost,
        or the design has a combinational loop.
    """
    parts = {name: [path_parts(path) for path in paths] for name, paths in blocks.items()}
    if REST in parts:
        raise SynthError(f"block names must not be {REST!r}, which holds what fits nowhere")
    by_module, dissolved = (
        map_xilinx(verilog, top, target.yosys_family)
        if target.yosys_family
        else map_generic(verilog, top)
    )
    instances = cells_by_instance(by_module, top)
    flat = flat_design(dissolved, top, instances)
    check_paths(parts, instances)
    _check_types([*chain(*instances.values()), *flat.cells])

    owner = {path: owner_of(path_parts(path), parts) for path in instances}
    names = [*parts, *([REST] if REST in owner.values() else [])]
    members: dict[str, list[Cell]] = {name: [] for name in names}
    for path, cells in instances.items():
        members[owner[path]].extend(cells)
    analysis = LevelAnalysis(flat)
    ends: dict[str, list[Endpoint]] = {name: [] for name in names}
    for end in analysis.endpoints():
        # Output ports belong to the top.
        ends[owner[end.cell.path if end.cell else ""]].append(end)

    result = {name: _resources(members[name]) | _timing(analysis, ends[name]) for name in names}
    worst = max(
        (name for name in names if ends[name]),
        default=None,
        key=lambda name: (result[name]["levels"], result[name]["muxf_levels"]),
    )
    return {
        "target": target.name,
        "top": top,
        "tool": by_module["creator"].split(" (")[0],
        "total": _resources(list(chain(*members.values()))),
        "blocks": result,
        "levels": result[worst]["levels"] if worst else None,
        "logic_levels": max(
            (block["logic_levels"] for block in result.values() if block["path"]), default=None
        ),
        "worst_block": worst,
        "capacity": target.capacity,
    }


def _resources(cells: list[Cell]) -> dict:
    total: Counter = Counter()
    for cell in cells:
        total.update(cost(cell))
    total["lut"] = total["lut_logic"] + total["lut_memory"] + total["lut_shift"]
    return {name: total[name] for name in _RESOURCES} | {
        "cells": dict(sorted(Counter(cell.type for cell in cells).items()))
    }


def _timing(analysis: LevelAnalysis, ends: list[Endpoint]) -> dict:
    if not ends:
        return {
            "levels": None, "muxf_levels": None, "logic_levels": None, "endpoints": {}, "path": [],
        }  # fmt: skip
    worst = max(ends, key=lambda end: end.depth)
    return {
        "levels": worst.depth[0],
        "muxf_levels": worst.depth[1],
        "logic_levels": max(end.logic_levels for end in ends),
        "endpoints": analysis.histogram(ends),
        "path": analysis.path(worst),
    }


def _check_types(cells: list[Cell]) -> None:
    for cell in cells:
        try:
            cost(cell)
        except KeyError:
            raise SynthError(
                f"cell {cell.name!r} in {cell.path or 'the top'!r} must be of a type "
                f"with a known cost, not {cell.type!r}"
            ) from None
