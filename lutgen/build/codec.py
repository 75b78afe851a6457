"""``lutgen build``: from a model to a folder of Verilog, constraints and figures.

Everything in the folder is a pure function of model, device and options: the same inputs give
the same bytes, but for the seconds that ``build.json`` records.
"""

import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lutgen.handoff.vivado import vivado_files
from lutgen.model.model import Model
from lutgen.names import top_module
from lutgen.targets import Target, get_target

from .buildable import find_buildable
from .cores import rate
from .folder import BuildError, load_build, make_folder, new_record
from .options import BuildOptions
from .registers import build_maps, register_files, slave_maps
from .testbench import Picture, picture_testbench
from .text import codec_ports, header, wrapper
from .verilog import list_files

__all__ = ["BuildError", "BuildOptions", "build", "load_build"]

_WORKER = "from lutgen.build.core import work; work()"


def build(
    target: str | Target,
    model: Model | str | os.PathLike | None = None,
    options: BuildOptions | None = None,
    *,
    out: str | os.PathLike | None = None,
    estimate: bool = True,
    testbench: str | os.PathLike | None = None,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Write the Verilog of a model's cores, and what belongs to it, into a folder.

    Encoder and decoder are made in two processes side by side.

    Parameters
    ----------
    target:
        Device, or its name.
    model:
        Model, its file, or None for the embedded one.
    options:
        What the cores are made of; None for the defaults.
    out:
        Folder; by default ``rtl_out/<target>/<top>-<profile>``.  An earlier build in it is
        replaced when the new one is complete; files that no build wrote stay.
    estimate:
        Whether Yosys shall count resources and logic levels, which takes most of the time.
    testbench:
        Gray image for the testbench, of which the upper left is taken if it is larger than the
        cores' largest; None for a small drawn one.
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
    model = find_buildable(model)
    options = (options or BuildOptions()).settle(model, target)
    config = options.core_config(model)
    picture = Picture.of(
        testbench, (options.max_width, options.max_height), cores=options.cores,
        tile_height=options.tile[1],
    )  # fmt: skip
    record = new_record(target) | {
        "model": _describe_model(model),
        "parameters": options.record(),
        "rate": rate(config, options.cores, target.clock_mhz),
        "cores": {},
    }

    def further(verilog: list[str], memories: list[str]) -> dict[str, str]:
        texts, module = {}, top_module(record)
        if options.top == "codec":
            verilog.append(f"{module}.v")
            texts[verilog[-1]] = header(record, module) + wrapper(record["cores"], module)
        texts |= list_files(verilog, target.lut_primitive)
        maps = build_maps(options.made, config) if options.registers else {}
        if options.registers:
            texts |= register_files(record, maps)
        if "vivado" in target.tools:
            ports = {core["module"]: core["ports"] for core in record["cores"].values()}
            if options.top == "codec":
                ports[module] = codec_ports(record["cores"])
            texts |= vivado_files(
                record, target, ports, verilog, memories, slave_maps(options.top, maps)
            )
        return texts | picture_testbench(
            record, picture, coded.result(), stream_bytes=options.stream_bytes,
            cores=options.cores, quiet=_quiet(record["cores"], picture, config), maps=maps,
        )  # fmt: skip

    # Beside the cores' processes: a first run compiles the codec.
    with ThreadPoolExecutor(1) as pool:
        coded = pool.submit(_encode, picture, config)
        return make_folder(
            _default_folder(options, model, target) if out is None else Path(out),
            record, options.made, target,
            save_input=lambda work: model.save(work / "model.lutgen"), further=further,
            worker=_WORKER, estimate=estimate, progress=progress,
        )  # fmt: skip


def _encode(picture: Picture, config) -> bytes:
    """The reference's file of a picture."""
    from lutgen.codec.codec import Codec

    tile = config.tile_width, config.tile_height
    codec = Codec(config.model, threads=1)
    return codec.encode(picture.samples, tile=tile, coder=config.coder).data


def _quiet(cores: Mapping, picture: Picture, config) -> dict[str, int]:
    """Clocks in which a core may be silent: a few tiles, one after the other, with their levels."""
    height, width = picture.samples.shape
    tile = min(width, config.tile_width) * min(height, config.tile_height)
    return {name: 4 * tile * core["lanes"] for name, core in cores.items()}


def _default_folder(options: BuildOptions, model: Model, target: Target) -> Path:
    name = f"{options.top}-{model.profile}"
    name += f"-tans{options.tans_bits}" if options.coder == "tans" else ""
    name += f"-x{options.cores}" if options.cores > 1 else ""
    return Path("rtl_out") / target.name / re.sub(r"[^A-Za-z0-9_.-]", "-", name)


def _describe_model(model: Model) -> dict:
    net = model.network
    return {
        "file": "model.lutgen",
        "hash": model.hash,
        "profile": model.profile,
        "window": model.window.size,
        "head": model.head.kind,
        "classes": model.head.classes,
        "inputs": len(net.inputs),
        "nodes": net.n_nodes,
        "depth": net.depth,
        "records": [stage.records for stage in model.walker.stages] if model.walker else [],
    }
