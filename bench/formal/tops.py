"""Tops as `lutgen build` writes them, and the contracts of their ports.

What stands behind the slices and the registers of a top is free here: whatever a core does, its
ports keep the rules.  So the proofs hold for every model and every size.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lutgen.build.codec import build, load_build
from lutgen.build.engine import build_engine
from lutgen.build.options import ENGINE, BuildOptions, EngineOptions, PredictiveOptions
from lutgen.model.shipped import shipped

from .bind import Bound

__all__ = ["BUILDS", "Top", "axi_lite", "tops_of"]

_SMALL = {"max_width": 48, "max_height": 42}
_TILES = {"max_width": 64, "max_height": 32, "tile": (16, 8)}
#: Small builds of shipped models, by what they show.
BUILDS = {
    "photo": ("photo", PredictiveOptions(**_SMALL)),
    "photo, registers": ("photo", PredictiveOptions(**_SMALL, registers=True)),
    "digits": ("digits", BuildOptions(**_TILES)),
    "digits, registers": ("digits", BuildOptions(**_TILES, registers=True)),
    "digits, 2 cores": ("digits", BuildOptions(**_TILES, cores=2)),
    ENGINE: (None, EngineOptions()),
}
BUS = "s_axi_control"
#: Parts of a top that are not free: slices, registers.
_KEPT = re.compile(r"__(?:slice_in|slice_out|slice_words|registers|null_beats)$")
_PORTS = re.compile(r"^  (input|output)(?: \[(\d+):0\])? (\w+);$", re.M)


@dataclass(frozen=True)
class Top:
    """A top's Verilog and what is bound to it.

    Members
    -------
    name : build and core
    module : its module
    verilog : of it and of the parts that are kept
    contracts : what it keeps
    """

    name: str
    module: str
    verilog: str
    contracts: tuple[Bound, ...]


def tops_of(name: str, folder: Path) -> Iterator[Top]:
    """Make a build of `BUILDS`; returns its cores."""
    model, options = BUILDS[name]
    if model is None:
        made = build_engine("zynq7045", options=options, out=folder, estimate=False)
    else:
        build("zynq7045", shipped(model), options, out=folder, estimate=False)
        made = load_build(folder)
    for core, record in made["cores"].items():
        module = record["module"]
        text = with_free_parts((folder / f"{module}.v").read_text(), module)
        yield Top(f"{core} ({name})", module, text, port_contracts(text, module))


def port_contracts(text: str, module: str) -> tuple[Bound, ...]:
    """Contracts of all streams that leave a module, and of its bus."""
    start = re.search(rf"^module {module}\b", text, re.M).start()
    body = text[start : text.index("endmodule", start)]
    widths = {name: int(high or 0) + 1 for _, high, name in _PORTS.findall(body)}
    # A software reset with ``control.restart`` resets the streams as well, but not the bus.
    reset = "rst | restart" if re.search(r"^  reg restart\b", body, re.M) else "rst"
    found = []
    for port in widths:
        if not re.fullmatch(r"m_axis_\w+_tvalid", port):
            continue
        prefix = port.removesuffix("_tvalid")
        fields = [
            f"{prefix}_{field}" for field in ("tlast", "tuser", "tkeep", "tdata")
            if f"{prefix}_{field}" in widths
        ]  # fmt: skip
        found.append(Bound("handshake", prefix, {
            "rst": reset, "valid": port, "ready": f"{prefix}_tready",
            "payload": f"{{{', '.join(fields)}}}",
        }, {"WIDTH": sum(widths[field] for field in fields)}))  # fmt: skip
    return (*found, *(axi_lite() if f"{BUS}_bvalid" in widths else ()))


def axi_lite() -> tuple[Bound, ...]:
    """Contracts of the register bus."""
    def offers(channel: str, *fields: str) -> Bound:
        names = [f"{BUS}_{field}" for field in fields]
        width = sum({"awaddr": 8, "araddr": 8, "wdata": 32, "wstrb": 4}[f] for f in fields)
        return Bound("offers", f"{channel}_offered", {
            "valid": f"{BUS}_{channel}valid", "ready": f"{BUS}_{channel}ready",
            "payload": f"{{{', '.join(names)}}}",
        }, {"WIDTH": width})  # fmt: skip

    ports = (
        "awvalid", "awready", "wvalid", "wready", "bvalid", "bready", "bresp",
        "arvalid", "arready", "rvalid", "rready", "rresp",
    )  # fmt: skip
    return (
        Bound("handshake", "b", {
            "valid": f"{BUS}_bvalid", "ready": f"{BUS}_bready", "payload": f"{BUS}_bresp",
        }, {"WIDTH": 2}),
        Bound("handshake", "r", {
            "valid": f"{BUS}_rvalid", "ready": f"{BUS}_rready",
            "payload": f"{{{BUS}_rresp, {BUS}_rdata}}",
        }, {"WIDTH": 34}),
        Bound("axi_lite", "bus", {port: f"{BUS}_{port}" for port in ports}),
    )  # fmt: skip


def with_free_parts(text: str, module: str) -> str:
    """A module and those parts of it that are kept; of the others there are only the ports."""
    modules = {
        found[1]: found[0]
        for found in re.finditer(r"^module (\w+)\b.*?^endmodule$", text, re.M | re.S)
    }
    result, waiting = [], [module]
    for name in waiting:
        body = modules[name]
        if name == module or _KEPT.search(name):
            parts = [part for part in modules if re.search(rf"^  {part} \w+ \(", body, re.M)]
            waiting += [part for part in parts if part not in waiting]
        else:
            head = body[: body.index(";") + 1]
            ports = (
                f"  {way} {high and f'[{high}:0]'} {port};"
                for way, high, port in _PORTS.findall(body)
            )
            body = "\n".join(["(* blackbox *)", head, *ports, "endmodule"])
        result.append(body)
    return "\n".join(result)
