"""A bench that goes wrong in the way that its settings say."""

import os
import sys

import cocotb
from cocotb.triggers import Event

from lutgen.sim.tool import exchange


@cocotb.test()
async def misbehave(dut):
    _, settings = exchange.read()
    how = settings["how"]
    if how == "raise":
        raise RuntimeError("bench is broken")
    if how == "fail":
        assert dut.clk.value == 2, "clock is wrong"
    if how == "spin":
        while True:
            pass
    if how == "wait":
        await Event().wait()
    if how == "exit":
        os._exit(0)
    if how == "exit 3":
        os._exit(3)
    if how == "half":
        (exchange.Path(os.environ["LUTGEN_SIM_FOLDER"]) / exchange.PARTIAL).write_bytes(b"")
    if how == "tell what is loaded":
        exchange.write({}, {name: name in sys.modules for name in ("cocotb", "numpy", "pytest")})
    if how == "write":
        exchange.write({}, {"fine": True})
