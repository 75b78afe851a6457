"""What a build of several cores behind one pair of ports has more than one of a single core."""

from collections.abc import Mapping

from .synth import estimate

__all__ = ["GLUE", "count_cores", "rate", "top_of_cores"]

#: Block of what stands around the cores.
GLUE = "distribution"


def top_of_cores(core: str, config, parameters: Mapping, *, core_ports: bool = False):
    """The top of an encoder or decoder; with ``core_ports`` without its cores."""
    from .gateware.multi import DecoderCores, EncoderCores

    kind = {"encoder": EncoderCores, "decoder": DecoderCores}[core]
    return kind(
        config, cores=parameters["cores"], stream_bytes=parameters["stream_bytes"],
        core_ports=core_ports,
    )  # fmt: skip


def count_cores(top, glue, target, blocks: Mapping, cores: int) -> dict:
    """An estimate as `lutgen.synth.estimate` gives it, of ``cores`` equal cores and the glue.

    One core is mapped, and counted so many times; what stands around the cores is mapped with
    their ports as its own.  Every stream between the two passes through registers, and nothing is
    shared between cores, so that the sum is what the whole would be, but for a few LUTs at the
    seam; paths through it are counted on both sides.

    Parameters
    ----------
    top, glue
        Tops of the same parameters, with their cores and with their ports instead.
    target, blocks
        See `lutgen.synth.estimate`; blocks of a single core, below ``core``.
    cores
        Number of cores.
    """
    from .gateware.verilog import to_verilog

    ((module, core),) = top.separate.items()
    inner = {
        name: [path.removeprefix("core.") for path in paths if path != "core"]
        for name, paths in blocks.items()
    }
    one = estimate(to_verilog(core, module), module, target, inner)
    around = estimate(to_verilog(glue, "glue"), "glue", target, {GLUE: [""]})
    several = {name: _times(block, cores) for name, block in one["blocks"].items()}
    worst = max((one, around), key=lambda found: found["levels"] or 0)
    return one | {
        "total": _sum(_times(one["total"], cores), around["total"]),
        "blocks": several | around["blocks"],
        "levels": worst["levels"],
        "worst_block": worst["worst_block"],
    }


def _times(found: Mapping, count: int) -> dict:
    """Counts of so many; what is no count stays."""
    return {
        name: {kind: number * count for kind, number in value.items()}
        if isinstance(value, Mapping)
        else value * count
        if isinstance(value, int | float) and name not in ("levels", "muxf_levels")
        else value
        for name, value in found.items()
    }


def _sum(a: Mapping, b: Mapping) -> dict:
    return {
        name: _sum(value, b.get(name, {}))
        if isinstance(value, Mapping)
        else value + b.get(name, 0)
        for name, value in ({name: 0 for name in b} | dict(a)).items()
        if not isinstance(b.get(name), Mapping) or isinstance(value, Mapping)
    }


def rate(config, cores: int, clock_mhz: float) -> dict:
    """Pixels per clock and Mpx/s at most: each core takes a turn for each symbol of a tile.

    What a core really takes is measured by simulation: ``lutgen sim`` and ``bench/cores.py``.
    """
    clocks = config.tile_symbols / (config.tile_width * config.tile_height) / cores
    return {
        "pixels_per_beat": cores,
        "clocks_per_pixel": round(clocks, 6),
        "mpx_per_s": round(clock_mhz / clocks, 3),
    }
