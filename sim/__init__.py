"""Simulation of lutgen's Verilog with cocotb and Verilator, as functions of numpy arrays."""

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
