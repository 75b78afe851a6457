"""cocotb bench for streams: drives and samples every clock, and leaves all judging to the caller.

The lowest bits of the vectors `drive` and `sample` are arranged so that bit j of both belongs to
the same stream: for outputs drive has ready and sample valid, for inputs, which follow, drive has
valid and sample ready. A beat is therefore a bit of ``drive & sample``. Channels of a bus are the
last of the outputs and of the inputs.  The reset's bit comes next, and then what a script sets.
"""

from __future__ import annotations

import time

import cocotb

from lutgen.sim.bench.clocked import Clocked
from lutgen.sim.bench.script_player import ScriptPlayer
from lutgen.sim.tool import exchange


@cocotb.test()
async def stream(dut) -> None:
    arrays, settings = exchange.read()
    bench = Clocked(dut, settings["harness"])
    await bench.start(settings["fixed"])
    drive, sample, edge = bench.drive, bench.sample, bench.edge

    n_out, n_in = settings["outputs"], settings["inputs"]
    sent = range(n_in)
    reset = settings["harness"]["reset"]
    handshakes = (1 << reset) - 1
    control = handshakes | 1 << reset
    beats = [arrays[f"beats{i}"] for i in sent]
    lengths = [len(b) for b in beats]
    all_stalls = [arrays[f"stall{i}"] for i in sent]  # by profile
    all_ready = arrays["ready"]
    period = len(all_ready[0])
    script = None
    if settings["script"] is not None:
        script = ScriptPlayer(lengths=lengths, reset=reset, **settings["script"])
    profile = 0
    ready, stalls = all_ready[0], [masks[0] for masks in all_stalls]
    limits = script.limits if script else lengths

    max_clocks, reset_at = settings["max_clocks"], settings["reset_at"]
    patience = settings["patience"] or max_clocks
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

    clock = moved_at = 0
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
        if script:
            limits = script.limits
            if script.profile != profile:
                profile = script.profile
                ready, stalls = all_ready[profile], [masks[profile] for masks in all_stalls]
                word = ready[phase]
            if script.resets:
                word = 0
                taken, held = list(limits), [0] * n_in
            word |= script.word
        for i in sent:
            if not held[i] and taken[i] < limits[i] and not stalls[i][phase]:
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
            moved_at = clock
            for j in range(n_out):
                received[j] += moved >> j & 1
            if moved >> n_out:
                for i in sent:
                    if moved >> (n_out + i) & 1:
                        taken[i] += 1
                        held[i] = 0
                all_taken = taken == limits
        if script:
            script.clock(moved, seen, taken == script.limits)
            if script.waits:
                moved_at = clock
            elif clock - moved_at > patience:
                break
            if script.done:
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
    exchange.write(
        {"sample": sampled, "drive": driven},
        {"start": start, "timed_out": timed_out, "seconds": seconds,
         "words": script.results if script else [], "steps": script.clocks if script else []},
    )
