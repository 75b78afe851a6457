"""cocotb bench for streams: drives and samples every clock, and leaves all judging to the caller.

The lowest bits of the vectors `drive` and `sample` are arranged so that bit j of both belongs to
the same stream: for outputs drive has ready and sample valid, for inputs, which follow, drive has
valid and sample ready. A beat is therefore a bit of ``drive & sample``. Channels of a bus are the
last of the outputs and of the inputs.
"""

from __future__ import annotations

import time

import cocotb
import numpy as np

from lutgen.sim import exchange
from lutgen.sim.bus_master import BusMaster
from lutgen.sim.clocked import Clocked


@cocotb.test()
async def stream(dut) -> None:
    arrays, settings = exchange.read()
    bench = Clocked(dut, settings["harness"])
    await bench.start(int(settings["fixed"], 16))
    drive, sample, edge = bench.drive, bench.sample, bench.edge

    n_out, n_in = settings["outputs"], settings["inputs"]
    sent = range(n_in)
    bus = None
    if settings["bus"] is not None:
        bus = BusMaster(**settings["bus"])
    handshakes = (1 << (n_out + n_in + (3 if bus else 0))) - 1
    control = handshakes | 1 << settings["harness"]["reset"]
    beats = [[int.from_bytes(row.tobytes(), "little") for row in arrays[f"beats{i}"]] for i in sent]
    lengths = [len(b) for b in beats]
    stalls = [arrays[f"stall{i}"].tolist() for i in sent]
    ready = arrays["ready"].tolist()
    period = len(ready)

    max_clocks, reset_at = settings["max_clocks"], settings["reset_at"]
    expect, drain = settings["expect"], settings["drain"]
    idle_bit = 0 if settings["idle"] is None else 1 << settings["idle"]
    idle_clocks = settings["idle_clocks"]

    driven: list[int] = []
    sampled: list[int] = []
    taken, held, received = [0] * n_in, [0] * n_in, [0] * n_out
    all_taken = not any(lengths)
    idle_for = 0
    start = 0
    stop_at = max_clocks
    timed_out = True

    def complete() -> bool:
        if not all_taken or expect is None or clock <= reset_at:
            return False
        return all(map(int.__ge__, received, expect))

    clock = 0
    began = time.perf_counter()
    while clock < stop_at:
        if clock == reset_at:
            for _ in range(settings["reset_clocks"]):
                word = control & ~handshakes
                drive(word)
                await edge
                driven.append(word)
                sampled.append(sample())
                clock += 1
            taken, held, received = [0] * n_in, [0] * n_in, [0] * n_out
            all_taken = not any(lengths)
            idle_for = 0
            start = clock
            stop_at, timed_out = max_clocks, True
        phase = clock % period
        word = ready[phase]
        if bus:
            word |= bus.word
        for i in sent if bus is None or bus.started else ():
            if not held[i] and taken[i] < lengths[i] and not stalls[i][phase]:
                held[i] = beats[i][taken[i]]
            word |= held[i]
        drive(word)
        await edge
        seen = sample()
        driven.append(word & control)
        sampled.append(seen)
        clock += 1
        moved = word & seen & handshakes
        if moved:
            for j in range(n_out):
                received[j] += moved >> j & 1
            if moved >> n_out:
                for i in sent:
                    if moved >> (n_out + i) & 1:
                        taken[i] += 1
                        held[i] = 0
                all_taken = taken == lengths
        if bus:
            bus.clock(moved, seen, all_taken)
            if bus.done:
                timed_out = False
                break
        if timed_out and all_taken and complete():
            stop_at, timed_out = min(max_clocks, clock + drain), False
        if idle_bit and all_taken and clock > reset_at:
            idle_for = idle_for + 1 if seen & idle_bit else 0
            if idle_for >= idle_clocks:
                timed_out = False
                break

    seconds = time.perf_counter() - began
    size = settings["sample_bytes"]
    table = np.frombuffer(b"".join([s.to_bytes(size, "little") for s in sampled]), np.uint8)
    exchange.write(
        {"sample": table.reshape(-1, size), "drive": np.array(driven, np.int64)},
        {"start": start, "timed_out": timed_out, "seconds": seconds,
         "words": bus.results if bus else []},
    )
