"""What a build of several cores behind one pair of ports has more than one of a single core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lutgen.targets import Target

if TYPE_CHECKING:
    from amaranth.lib.wiring import Component

    from lutgen.gateware.bands.multi import DecoderCores, EncoderCores
    from lutgen.gateware.core.config import CoreConfig

__all__ = ["GLUE", "count_core", "count_cores", "count_glue", "rate", "top_of_cores"]

_DEPTHS = ("levels", "muxf_levels", "logic_levels")
#: Block of what stands around the cores.
GLUE = "distribution"


def top_of_cores(
    core: str, config: CoreConfig, cores: int, stream_bytes: int, *, core_ports: bool = False
) -> EncoderCores | DecoderCores:
    """The top of an encoder or decoder; with ``core_ports`` without its cores."""
    return _kind(core)(config, cores=cores, stream_bytes=stream_bytes, core_ports=core_ports)


def _kind(core: str) -> type[EncoderCores] | type[DecoderCores]:
    from lutgen.gateware.bands.multi import DecoderCores, EncoderCores

    return EncoderCores if core == "encoder" else DecoderCores


def count_core(core: str, config: CoreConfig, target: Target, blocks: Mapping) -> dict:
    """An estimate, see `lutgen.synth.estimate`, of one of several encoders or decoders.

    The inputs that are constant where the cores are placed are so here: what they make superfluous
    is gone.  ``blocks`` are those of a single core, below ``core``.
    """
    from lutgen.gateware.fabric.verilog import to_verilog
    from lutgen.synth import estimate

    kind = _kind(core)
    return estimate(to_verilog(kind.alone(config), kind.module), kind.module, target, blocks)


def count_glue(
    glue: Component, target: Target, blocks: Mapping[str, list[str]] | None = None
) -> dict:
    """An estimate of what stands around the cores, whose ports are ports of ``glue``.

    ``blocks`` are counted on their own, see `lutgen.synth.estimate`.
    """
    from lutgen.gateware.fabric.verilog import to_verilog
    from lutgen.synth import estimate

    return estimate(to_verilog(glue, "glue"), "glue", target, {GLUE: [""], **(blocks or {})})


def count_cores(core: dict, glue: dict, cores: int) -> dict:
    """The estimate of so many equal cores and the glue.

    Every stream between the two passes through registers, and nothing is shared between cores, so
    that the sum is what the whole is, whose LUTs are mapped module by module as well.  Of a mapper
    that merges LUTs across modules it is an upper estimate.  Paths through the seam are counted on
    both sides, so that the levels are those within a core or within the glue.
    """
    several = {name: _times(block, cores) for name, block in core["blocks"].items()}
    worst = max((core, glue), key=lambda found: found["levels"] or 0)
    return core | {
        "total": _sum(_times(core["total"], cores), glue["total"]),
        "blocks": several | glue["blocks"],
        "levels": worst["levels"],
        "logic_levels": max(
            (n for found in (core, glue) if (n := found["logic_levels"]) is not None), default=None
        ),
        "worst_block": worst["worst_block"],
    }


def _times(found: Mapping, cores: int) -> dict:
    """Counts of so many cores; levels and paths stay."""
    many: dict = {}
    for name, value in found.items():
        if isinstance(value, Mapping):
            many[name] = _times(value, cores)
        elif isinstance(value, int | float) and name not in _DEPTHS:
            many[name] = cores * value
        else:
            many[name] = value
    return many


def _sum(a: Mapping, b: Mapping) -> dict:
    """Counts of both, by name and by type of cell."""
    return {
        name: _sum(a.get(name, {}), b.get(name, {}))
        if isinstance(a.get(name, b.get(name)), Mapping)
        else a.get(name, 0) + b.get(name, 0)
        for name in {**a, **b}
    }


def rate(config: CoreConfig, cores: int, clock_mhz: float) -> dict:
    """Pixels per clock and Mpx/s at most: each core takes a turn for each symbol of a tile.

    What a core really takes is measured by simulation: ``lutgen sim`` and ``bench/cores.py``.
    """
    clocks = config.tile_symbols / (config.tile_width * config.tile_height) / cores
    return {
        "pixels_per_beat": cores,
        "clocks_per_pixel": round(clocks, 6),
        "mpx_per_s": round(clock_mhz / clocks, 3),
    }
