"""Payloads of every length in the ring, and zeros behind them, which damaged ones are read into."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from lutgen.gateware.strips.payload_store import PayloadStore

ADDRESS_BITS = 6
ZEROS = 2  # words behind the one in which a payload ends


def stored(count: int, payloads: list[bytes], phases: list[int]):
    """Ring of words, and first and last address of each payload."""
    dut, ring, ends = PayloadStore(count, ADDRESS_BITS), {}, []

    async def bench(ctx):
        async def clock(**values):
            for name, value in values.items():
                ctx.set(getattr(dut, name), value)
            await ctx.tick()
            for name in values:
                ctx.set(getattr(dut, name), 0)
            if ctx.get(dut.write):
                ring[ctx.get(dut.address)] = ctx.get(dut.word)

        for payload, phase in zip(payloads, phases, strict=True):
            begin = ctx.get(dut.begin)
            await clock(open=1, phase=phase)
            left = payload
            while left:
                if count > 1 and len(left) >= count and ctx.get(dut.aligned):
                    await clock(leap=1, data=int.from_bytes(left[:count], "little"))
                    left = left[count:]
                else:
                    await clock(step=1, data=left[0])
                    left = left[1:]
            await clock(close=1)
            for _ in range(4):
                await clock()
            ends.append((begin, ctx.get(dut.end)))
            ctx.set(dut.free_to, ctx.get(dut.begin))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return ring, ends


@pytest.mark.parametrize("count", [1, 2])
def test_every_length(count):
    rng = np.random.default_rng(count)
    lengths = [*range(1, 14), *range(13, 0, -1)]
    # No zeros in them, so that what is left of one before shows behind a shorter one.
    payloads = [rng.integers(1, 256, length, dtype=np.uint8).tobytes() for length in lengths]
    phases = [k % count for k in range(len(lengths))]
    # One after the other, as a ring of so few words keeps none of them for long.
    for k in range(len(lengths)):
        ring, ends = stored(count, payloads[max(0, k - 3) : k + 1], phases[max(0, k - 3) : k + 1])
        begin, end = ends[-1]
        size = 1 << ADDRESS_BITS
        words = (end - begin) % size + ZEROS
        found = b"".join(
            ring[(begin + word) % size].to_bytes(4, "big") for word in range(words)
        )
        wanted = payloads[k].ljust(4 * words - phases[k], b"\0")
        assert found[phases[k] :] == wanted
        assert end == (begin + -(-(phases[k] + lengths[k]) // 4)) % size
