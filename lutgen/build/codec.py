"""``lutgen build``: from a model to a folder of Verilog, constraints and figures.

Everything in the folder is a pure function of the model and the parameters: the same inputs give
the same bytes, but for the seconds that ``build.json`` records.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from lutgen.errors import InputError
from lutgen.handoff.vivado import vivado_files
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.names import build_name, top_module
from lutgen.targets import Target, get_target

from .core import core_config
from .cores import rate
from .folder import CORES, TOPS, BuildError, load_build, make_folder, new_record
from .registers import build_maps, register_files, slave_maps
from .text import codec_ports, header, wrapper
from .verilog import list_files

__all__ = ["CORES", "TOPS", "BuildError", "build", "load_build"]

_WORKER = "from lutgen.build.core import work; work()"


def build(
    target: str | Target,
    model: Model | str | os.PathLike | None = None,
    *,
    top: str = "codec",
    lanes: int | None = None,
    encoder_lanes: int | None = None,
    tile: tuple[int, int] = (32, 32),
    max_width: int = 512,
    max_height: int = 4096,
    stream_bytes: int = 4,
    cores: int = 1,
    coder: str = "rans",
    tans_bits: int | None = None,
    registers: bool = False,
    name: str | None = None,
    out: str | os.PathLike | None = None,
    estimate: bool = True,
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
    top:
        ``encoder``, ``decoder``, or ``codec`` for both and a wrapper around them.
    lanes, encoder_lanes, tile, max_width, max_height:
        See :class:`lutgen.gateware.core.config.CoreConfig`; ``tile`` is width and height.
    stream_bytes:
        Width of the stream's TDATA in bytes: 1, 2, 4 or 8.
    cores:
        Cores behind each pair of ports, and pixels of a beat: 1, 2, 4 or 8, see
        :mod:`lutgen.gateware.bands.multi`.
    coder, tans_bits:
        See :func:`lutgen.codec.coder.coder_named`.
    registers:
        Whether the cores have registers behind AXI4-Lite and an interrupt, see
        `lutgen.gateware.ip.ip`, in place of the ports that set sizes and tell errors; headers and
        drivers come with them.
    name:
        What the names of modules, tables, IP and drivers begin with; by default
        ``lutgen_<hash of the model>``, so that builds of two models stand side by side.
    out:
        Folder; by default ``rtl_out/<target>/<top>-<profile>``.  An earlier build in it is
        replaced when the new one is complete; files that no build wrote stay.
    estimate:
        Whether Yosys shall count resources and logic levels, which takes most of the time.
    progress:
        Called with a core and what is being done for it, from several threads.

    Returns
    -------
    dict
        The contents of ``build.json``, and ``folder``.

    Raises
    ------
    InputError
        If a parameter is outside its range; the message names value, rule and fix.
    BuildError
        If Yosys refuses a core, or a process that makes one is killed.
    OSError
        If a file cannot be read or written.
    """
    target = get_target(target) if isinstance(target, str) else target
    if top not in TOPS:
        raise InputError(f"top must be one of {', '.join(TOPS)}, not {top!r}")
    if stream_bytes not in (1, 2, 4, 8):
        raise InputError(f"stream width must be 1, 2, 4 or 8 bytes, not {stream_bytes!r}")
    for what, value, core in (
        ("lanes", lanes, "decoder"), ("encoder lanes", encoder_lanes, "encoder"),
    ):  # fmt: skip
        if value is not None and top not in (core, "codec"):
            raise InputError(
                f"{what} must be left out of a build without {core}, not {value!r}: "
                f"choose top {core} or codec"
            )
    from lutgen.gateware.bands.bands import check_cores  # loads Amaranth

    check_cores(cores, stream_bytes)
    if cores > 1 and registers:
        raise InputError(
            f"cores must be 1 with registers, not {cores!r}: leave out --registers or --cores"
        )
    model = _model(model)
    tile_width, tile_height = tile
    parameters = {
        "top": top,
        "name": build_name(name, model.hash),
        "tile_width": tile_width,
        "tile_height": tile_height,
        "max_width": max_width,
        "max_height": max_height,
        "lanes": lanes,
        "encoder_lanes": encoder_lanes,
        "stream_bytes": stream_bytes,
        "registers": registers,
        "cores": cores,
        "primitive": target.lut_primitive,
        "coder": coder,
        "tans_bits": tans_bits,
        "fabric": target.fabric,
    }
    config = core_config(model, parameters)
    parameters |= {
        "lanes": config.decoder_lanes if top != "encoder" else None,
        "encoder_lanes": config.lanes_of_encoder if top != "decoder" else None,
        "levels_per_stage": config.levels_per_stage,
        "tans_bits": config.coder.state_bits if config.coder.name == "tans" else None,
    }
    if out is None:
        suffix = f"-tans{config.coder.state_bits}" if config.coder.name == "tans" else ""
        suffix += f"-x{cores}" if cores > 1 else ""
        folder = re.sub(r"[^A-Za-z0-9_.-]", "-", f"{top}-{model.profile}{suffix}")
        out = Path("rtl_out") / target.name / folder
    record = new_record(target) | {
        "model": _describe_model(model),
        "parameters": parameters,
        "rate": rate(config, cores, target.clock_mhz),
        "cores": {},
    }

    def further(verilog: list[str], memories: list[str]) -> dict[str, str]:
        texts, module = {}, top_module(record)
        if top == "codec":
            verilog.append(f"{module}.v")
            texts[verilog[-1]] = header(record, module) + wrapper(record["cores"], module)
        texts |= list_files(verilog, target.lut_primitive)
        maps = build_maps(tuple(record["cores"]), config) if registers else {}
        if registers:
            texts |= register_files(record, maps)
        if "vivado" in target.tools:
            ports = {core["module"]: core["ports"] for core in record["cores"].values()}
            if top == "codec":
                ports[module] = codec_ports(record["cores"])
            texts |= vivado_files(
                record, target, ports, verilog, memories, slave_maps(top, maps)
            )
        return texts

    return make_folder(
        Path(out), record, CORES if top == "codec" else (top,), target,
        save_input=lambda work: model.save(work / "model.lutgen"), further=further,
        worker=_WORKER, estimate=estimate, progress=progress,
    )  # fmt: skip


def _model(model) -> Model:
    if isinstance(model, Model):
        return model
    if model is None:
        return Model.default()
    if not Path(model).is_file():
        raise InputError(
            f"model must be a .lutgen file, not {os.fspath(model)!r}, which does not exist: "
            "train one with `lutgen train`, or leave it out for the embedded model"
        )
    return Model.load(model)


def _describe_model(model: Model) -> dict:
    net = model.network
    return {
        "file": "model.lutgen",
        "hash": model.hash,
        "profile": model.profile,
        "window": model.window.size,
        "head": "laplace" if isinstance(model.head, LaplaceHead) else "table",
        "classes": model.head.classes,
        "inputs": len(net.inputs),
        "nodes": net.n_nodes,
        "depth": net.depth,
        "records": [stage.records for stage in model.walker.stages] if model.walker else [],
    }
