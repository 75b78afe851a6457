"""cocotb bench of a design that tests itself: drives it until it has finished.

``tick``, on each change of which the design makes a burst of clocks for itself, is driven by the
simulator's side of cocotb, so that Python wakes up only at the end.
"""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from lutgen.sim.tool import exchange

_RESULTS = ("rounds", "failures", "first_failure", "first_output")


@cocotb.test()
async def sweep(dut) -> None:
    _, settings = exchange.read()
    for name, value in settings.items():
        getattr(dut, name).value = value
    dut.tick.value = 0
    Clock(dut.tick, 2, "step", impl="gpi").start()
    await RisingEdge(dut.finished)
    exchange.write({}, {name: getattr(dut, name).value.to_signed() for name in _RESULTS})
