"""``lutgen route``: a model's cores, or blocks of them, placed and routed on a real device."""

import os
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import lutgen
from lutgen.errors import InputError
from lutgen.model.shipped import AnyModel
from lutgen.names import raw_name
from lutgen.targets import Target, get_target

from .buildable import find_plan
from .options import BuildOptions, PredictiveOptions

__all__ = ["SCHEMA", "route_cores", "summary", "table"]

#: Version of the record.
SCHEMA = 1
#: Options that the record does not name: they are those of every routed core.
_FIXED = ("name", "registers", "cores", "primitive")
#: And those that the command does not name, as the device decides.
_UNSAID = (*_FIXED, "fabric", "levels_per_stage")


def route_cores(
    target: str | Target,
    model: AnyModel | str | os.PathLike | None = None,
    options: BuildOptions | PredictiveOptions | None = None,
    *,
    blocks: Sequence[str] = (),
    seed: int = 1,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Route each core on its own, or named blocks of the cores, as many at once as there are CPUs.

    Parameters
    ----------
    target:
        Device that nextpnr routes, or its name.
    model:
        See `.codec.build`.
    options:
        What the cores are made of, without registers, one behind each pair of ports; None for the
        defaults.  Of the top ``codec``, both are routed, one after the other.
    blocks:
        Parts of the cores to route instead, each on its own, by their path in the hierarchy below
        the core: ``coder``, ``head``, ``network.walker``.  A core without such a part is left out.
    seed:
        Where placement begins.
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
    from lutgen.gateware.fabric.verilog import to_verilog
    from lutgen.synth.harness import modules
    from lutgen.synth.nextpnr import device_options, tools
    from lutgen.synth.route import route

    target = get_target(target) if isinstance(target, str) else target
    device_options(target.part)
    versions = tools()
    plan = find_plan(model, options, target)
    command = _command(options or type(plan.options)(), model, blocks, seed)
    routed, settled = plan.model, plan.options
    if plan.cores != 1 or plan.maps():
        raise InputError("routed cores must be single and without registers, see the options")
    jobs: list[tuple[str, str | None, str, str]] = []
    known: set[str] = set()
    for core in settled.made:
        name = raw_name(core)
        text = to_verilog(plan.component(core), name)
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

    def run(job: tuple[str, str | None, str, str]) -> dict:
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
        "command": shlex.join(["lutgen", "route", *command, "--target", target.name, "--json"]),
        "generator": {"name": "lutgen", "version": lutgen.__version__},
        "target": {
            "name": target.name, "part": target.part, "clock_mhz": target.clock_mhz,
        },
        "model": {"hash": routed.hash, "profile": routed.profile},
        "parameters": {k: v for k, v in settled.record().items() if k not in _FIXED},
        "tools": versions,
        "runs": runs,
    }  # fmt: skip


def _command(
    options: BuildOptions | PredictiveOptions, model, blocks: Sequence[str], seed: int
) -> list[str]:
    """The words of the command line that ask for the same."""
    words = ["--top", options.top, "--seed", str(seed)]
    words += [word for block in blocks for word in ("--block", block)]
    if model is None and isinstance(options, BuildOptions):
        words += ["--model", "digits"]  # which is not the default of the command line
    elif not isinstance(model, AnyModel | None):
        words += ["--model", os.fspath(model)]
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name not in (*_UNSAID, "top") and value is not None:
            shown = "x".join(map(str, value)) if field.name == "tile" else str(value)
            words += [f"--{field.name.replace('_', '-')}", shown]
    return words


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
