"""cocotb bench without handshake: one input vector per clock, all outputs recorded every clock."""

from __future__ import annotations

import cocotb

from lutgen.sim.bench.clocked import Clocked
from lutgen.sim.tool import exchange


@cocotb.test()
async def pipeline(dut) -> None:
    arrays, settings = exchange.read()
    bench = Clocked(dut, settings["harness"])
    await bench.start(settings["fixed"])
    drive, sample, edge = bench.drive, bench.sample, bench.edge
    recorded = []
    for vector in arrays["vectors"]:
        drive(vector)
        await edge
        recorded.append(sample())
    exchange.write({"sample": recorded}, {})
