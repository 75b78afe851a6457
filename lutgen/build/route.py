"""``lutgen route``: a model's cores, or blocks of them, placed and routed on a real device."""

import os
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import lutgen
from lutgen.errors import InputError
from lutgen.model.model import Model
from lutgen.targets import Target, get_target

__all__ = ["CORES", "SCHEMA", "TOPS", "route_cores", "summary", "table"]

#: Version of the record.
SCHEMA = 1
CORES = ("encoder", "decoder")
TOPS = (*CORES, "codec")


def route_cores(
    target: str | Target,
    model: Model | str | os.PathLike | None = None,
    *,
    top: str = "codec",
    blocks: Sequence[str] = (),
    seed: int = 1,
    lanes: int | None = None,
    encoder_lanes: int | None = None,
    tile: tuple[int, int] = (32, 32),
    max_width: int = 512,
    max_height: int = 4096,
    stream_bytes: int = 4,
    coder: str = "rans",
    tans_bits: int | None = None,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Route each core on its own, or named blocks of the cores, as many at once as there are CPUs.

    Parameters
    ----------
    target:
        Device that nextpnr routes, or its name.
    model:
        Model, its file, or None for the embedded one.
    top:
        ``encoder``, ``decoder``, or ``codec`` for both, one after the other.
    blocks:
        Parts of the cores to route instead, each on its own, by their path in the hierarchy below
        the core: ``coder``, ``head``, ``network.walker``.  A core without such a part is left out.
    seed:
        Where placement begins.
    lanes, encoder_lanes, tile, max_width, max_height, stream_bytes, coder, tans_bits:
        As in :func:`.codec.build`.
    progress:
        Called with a core and what is being done for it, from several threads.

    Returns
    -------
    dict
        ``schema``, ``command``, ``generator``, ``target``, ``model``, ``parameters``, ``tools``
        and ``runs``: for each core and block what :func:`lutgen.synth.route.route` returns, and
        ``core`` and ``block``.

    Raises
    ------
    InputError
        If a parameter is outside its range, or no core has the block.
    SynthError, RouteError
        If a tool refuses a design.
    """
    from lutgen.codec.coder import coder_named
    from lutgen.gateware.core.config import CoreConfig
    from lutgen.gateware.core.top import DecoderTop, EncoderTop
    from lutgen.gateware.fabric.verilog import to_verilog
    from lutgen.synth.harness import modules
    from lutgen.synth.nextpnr import device_options, tools
    from lutgen.synth.route import route

    command = ["lutgen", "route", "--top", top, "--seed", str(seed)]
    command += [word for block in blocks for word in ("--block", block)]
    if not isinstance(model, Model | None):
        command += ["--model", os.fspath(model)]
    for name, value in (
        ("lanes", lanes), ("encoder-lanes", encoder_lanes), ("tile", "x".join(map(str, tile))),
        ("max-width", max_width), ("max-height", max_height), ("stream-bytes", stream_bytes),
        ("coder", coder), ("tans-bits", tans_bits),
    ):  # fmt: skip
        command += [f"--{name}", str(value)] if value is not None else []
    target = get_target(target) if isinstance(target, str) else target
    if top not in TOPS:
        raise InputError(f"top must be one of {', '.join(TOPS)}, not {top!r}")
    device_options(target.part)
    versions = tools()
    if not isinstance(model, Model):
        model = Model.default() if model is None else Model.load(model)
    config = CoreConfig(
        model, lanes=lanes, encoder_lanes=encoder_lanes, tile_width=tile[0], tile_height=tile[1],
        max_width=max_width, max_height=max_height, primitive=target.lut_primitive,
        fabric=target.fabric, coder=coder_named(coder, tans_bits),
    )  # fmt: skip
    jobs = []
    known: set[str] = set()
    for core in CORES if top == "codec" else (top,):
        name = f"lutgen_{core}"
        component = {"encoder": EncoderTop, "decoder": DecoderTop}[core]
        text = to_verilog(component(config, stream_bytes=stream_bytes), name)
        paths = {module.removeprefix(f"{name}.core."): module for module in modules(text)}
        paths = {path: module for path, module in paths.items() if path != module}
        known |= paths.keys()
        if blocks:
            jobs += [(core, path, text, paths[path]) for path in blocks if path in paths]
        else:
            jobs.append((core, None, text, name))
    if missing := [path for path in blocks if path not in known]:
        raise InputError(
            f"block must be a part of a core, not {missing[0]!r}: "
            f"choose from {', '.join(sorted(path for path in known if '.' not in path))}"
        )

    def run(job) -> dict:
        core, block, text, module = job
        name = f"{core} {block}" if block else core
        if progress:
            progress(name, "mapping, placement, routing")
        found = route(text, module, target, seed=seed)
        if progress:
            progress(name, "done")
        return {"core": core, "block": block} | found

    # The tools are processes of their own.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(run, jobs))
    return {
        "schema": SCHEMA,
        "command": shlex.join([*command, "--target", target.name, "--json"]),
        "generator": {"name": "lutgen", "version": lutgen.__version__},
        "target": {
            "name": target.name, "part": target.part, "clock_mhz": target.clock_mhz,
        },
        "model": {"hash": model.hash, "profile": model.profile},
        "parameters": {
            "top": top,
            "tile_width": tile[0],
            "tile_height": tile[1],
            "max_width": max_width,
            "max_height": max_height,
            "lanes": config.decoder_lanes,
            "encoder_lanes": config.lanes_of_encoder,
            "stream_bytes": stream_bytes,
            "coder": coder,
            "tans_bits": tans_bits,
            "fabric": config.fabric,
            "levels_per_stage": config.levels_per_stage,
        },
        "tools": versions,
        "runs": runs,
    }  # fmt: skip


def table(record: dict):
    """One row for each core or block that was routed."""
    from rich.table import Table

    result = Table(title=f"{record['target']['name']}, {record['target']['part']}, routed")
    for name in ("core", "block", "MHz", "LUT4", "FF", "EBR", "carry", "worst path", "levels",
                 "logic ns", "routing ns"):  # fmt: skip
        result.add_column(name, justify="left" if name in ("core", "block", "worst path")
                          else "right")  # fmt: skip
    for run in record["runs"]:
        cells, path = run["cells"], run["critical_path"]
        logic = path["clk_to_q_ns"] + path["logic_ns"] + path["setup_ns"]
        result.add_row(
            run["core"], run["block"] or "", f"{run['fmax_mhz']:.1f}",
            *[str(cells.get(kind, 0)) for kind in ("LUT4", "TRELLIS_FF", "DP16KD", "CCU2C")],
            f"{path['from_block']} to {path['to_block']}", str(path["levels"]),
            f"{logic:.2f}", f"{path['routing_ns']:.2f}",
        )  # fmt: skip
    return result


def summary(record: dict) -> str:
    """What the figures are worth."""
    goal = record["target"]["clock_mhz"]
    met = sum(run["met"] for run in record["runs"])
    return (
        f"goal {goal:g} MHz: met by {met} of {len(record['runs'])}; each routed alone, in a frame "
        f"of registers, seed {record['runs'][0]['seed']}; levels are cells on the worst path, a "
        "carry chain as one; "
        + ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    )
