"""``lutgen build``: from a model to a folder of Verilog, constraints and figures.

Everything in the folder is a pure function of model, device and options: the same inputs give
the same bytes, but for the seconds that ``build.json`` records.
"""

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lutgen.c.folder import folder_files
from lutgen.handoff.vivado import vivado_files
from lutgen.model.shipped import AnyModel, name_of
from lutgen.names import top_module
from lutgen.targets import Target, get_target

from .buildable import find_plan
from .folder import BuildError, load_build, make_folder, new_record
from .options import BuildOptions, PredictiveOptions
from .predictive_blueprint import PredictiveBlueprint
from .registers import register_files, slave_maps
from .testbench import picture_testbench
from .text import codec_ports, wrapper
from .tile_blueprint import TileBlueprint
from .verilog import list_files

__all__ = ["BuildError", "BuildOptions", "build", "load_build"]

#: Where the codec in C is in the folder, and what it calls a model that has no name.
_SOFTWARE, _OWN = "c", "own"
_WORKER = "from lutgen.build.core import work; work()"


def build(
    target: str | Target,
    model: AnyModel | str | os.PathLike | None = None,
    options: BuildOptions | PredictiveOptions | None = None,
    *,
    out: str | os.PathLike | None = None,
    estimate: bool = True,
    testbench: str | os.PathLike | None = None,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Write the Verilog of a model's cores, and what belongs to it, into a folder.

    The same codec in C, for the other end of the wire, is in the folder ``c`` in it.

    Encoder and decoder are made in two processes side by side.

    Parameters
    ----------
    target:
        Device, or its name.
    model:
        Model, its file or shipped name; None for the default one of the options' profile, that
        for photographs without options.
    options:
        What the cores are made of, of the kind that the model's profile has; None for the
        defaults.
    out:
        Folder; by default one below ``rtl_out/<target>`` that the blueprint names.  An earlier
        build in it is replaced when the new one is complete; files that no build wrote stay.
    estimate:
        Whether Yosys shall count resources and logic levels, which takes most of the time.
    testbench:
        Image for the testbench, of which the upper left is taken if it is larger than the cores'
        largest; None for a small drawn one.
    progress:
        Called with a core and what is being done for it, from several threads.

    Returns
    -------
    dict
        The contents of ``build.json``, and ``folder``.

    Raises
    ------
    InputError
        If the model has no such cores; the message names value, rule and fix.
    lutgen.formats.rules.ImageError
        If the testbench's image is none that the model codes.
    BuildError
        If Yosys refuses a core, or a process that makes one is killed.
    OSError
        If a file cannot be read or written.
    """
    target = get_target(target) if isinstance(target, str) else target
    plan = find_plan(model, options, target)
    built, made = plan.model, plan.options
    picture = plan.picture(testbench)
    record = new_record(target) | {
        "model": plan.model_record(),
        "parameters": made.record(),
        "rate": plan.rate(target.clock_mhz),
        "cores": {},
    }

    def further(verilog: list[str], memories: list[str]) -> dict[str, str]:
        texts, module = {}, top_module(record)
        if made.top == "codec":
            verilog.append(f"{module}.v")
            texts[verilog[-1]] = plan.header(record, module) + wrapper(record["cores"], module)
        texts |= list_files(verilog, plan.primitive)
        if maps := plan.maps():
            texts |= register_files(record, maps)
        name = name_of(bytes.fromhex(built.hash)) or _OWN
        texts |= {f"{_SOFTWARE}/{path}": text
                  for path, text in folder_files({name: built}).items()}  # fmt: skip
        if "vivado" in target.tools:
            ports = {core["module"]: core["ports"] for core in record["cores"].values()}
            if made.top == "codec":
                ports[module] = codec_ports(record["cores"])
            texts |= vivado_files(
                record, target, ports, verilog, memories, slave_maps(made.top, maps)
            )
        return texts | picture_testbench(
            record, picture, coded.result(), plan.decoded(picture), settings=plan.settings,
            stream_bytes=made.stream_bytes, cores=plan.cores,
            quiet={core: plan.silence(core, picture) for core in record["cores"]}, maps=maps,
        )  # fmt: skip

    # Beside the cores' processes: a first run compiles the codec.
    with ThreadPoolExecutor(1) as pool:
        coded = pool.submit(plan.encode, picture)
        return make_folder(
            _default_folder(plan, target) if out is None else Path(out),
            record, made.made, target,
            save_input=lambda work: built.save(work / "model.lutgen"), further=further,
            worker=_WORKER, estimate=estimate, progress=progress,
        )  # fmt: skip


def _default_folder(plan: TileBlueprint | PredictiveBlueprint, target: Target) -> Path:
    return Path("rtl_out") / target.name / re.sub(r"[^A-Za-z0-9_.-]", "-", plan.folder)
