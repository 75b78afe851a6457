"""cocotb bench without handshake: one input vector per clock, all outputs recorded every clock."""

from __future__ import annotations

import cocotb
import numpy as np

from lutgen.sim.bench.clocked import Clocked
from lutgen.sim.tool import exchange


@cocotb.test()
async def pipeline(dut) -> None:
    arrays, settings = exchange.read()
    size = settings["sample_bytes"]
    bench = Clocked(dut, settings["harness"])
    await bench.start(int(settings["fixed"], 16))
    drive, sample, edge = bench.drive, bench.sample, bench.edge
    recorded = []
    for vector in arrays["vectors"]:
        drive(int.from_bytes(vector.tobytes(), "little"))
        await edge
        recorded.append(sample().to_bytes(size, "little"))
    table = np.frombuffer(b"".join(recorded), np.uint8).reshape(-1, size)
    exchange.write({"sample": table}, {})
