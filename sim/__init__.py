"""Simulation of lutgen's Verilog with cocotb and Verilator, as functions of numpy arrays."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lutgen.sim.drive.pipeline import rtl_pipeline
    from lutgen.sim.drive.stall import Stall
    from lutgen.sim.drive.stream import AMARANTH, AXIS, ProtocolError, StreamResult, rtl_stream
    from lutgen.sim.tool.design import Design
    from lutgen.sim.tool.simulation import Simulation, build_simulation
    from lutgen.sim.tool.verilator import SimulationError

__all__ = [
    "AMARANTH",
    "AXIS",
    "Design",
    "ProtocolError",
    "Simulation",
    "SimulationError",
    "Stall",
    "StreamResult",
    "build_simulation",
    "rtl_pipeline",
    "rtl_stream",
]

_PLACES = {
    "AMARANTH": "drive.stream",
    "AXIS": "drive.stream",
    "Design": "tool.design",
    "ProtocolError": "drive.stream",
    "Simulation": "tool.simulation",
    "SimulationError": "tool.verilator",
    "Stall": "drive.stall",
    "StreamResult": "drive.stream",
    "build_simulation": "tool.simulation",
    "rtl_pipeline": "drive.pipeline",
    "rtl_stream": "drive.stream",
}


def __getattr__(name: str):
    # When it is used: the simulator's own process needs the benches only.
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    return object.__getattribute__(sys.modules[__name__], name)  # which is an error


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
