"""cocotb bench that carries out a script on an IP, with the buses driven by cocotbext-axi.

A step is a list of an operation and its arguments; its result is appended to a list.
"""

import itertools
import logging
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from lutgen.sim.tool import exchange

_PERIOD = 10


class Bench:
    """The operations of a script are this class's coroutines."""

    def __init__(self, dut, arrays) -> None:
        self._dut, self._arrays = dut, arrays
        self._bus = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi_control"), dut.clk, dut.rst)
        self._source = self._sink = None
        for kind in ("video", "stream"):
            if hasattr(dut, f"s_axis_{kind}_tdata"):
                bus = AxiStreamBus.from_prefix(dut, f"s_axis_{kind}")
                self._source = AxiStreamSource(bus, dut.clk, dut.rst)
            if hasattr(dut, f"m_axis_{kind}_tdata"):
                bus = AxiStreamBus.from_prefix(dut, f"m_axis_{kind}")
                self._sink = AxiStreamSink(bus, dut.clk, dut.rst)
        self._traffic = None
        self._stalls = {"in": 0, "out": 0}

    async def start(self) -> None:
        self._dut.rst.value = 1
        Clock(self._dut.clk, _PERIOD, "ns").start()
        await ClockCycles(self._dut.clk, 3)
        self._dut.rst.value = 0
        await ClockCycles(self._dut.clk, 2)
        if self._source:
            cocotb.start_soon(self._watch("in", self._source.bus))
            cocotb.start_soon(self._watch("out", self._sink.bus))

    async def _watch(self, port: str, bus) -> None:
        while True:
            await RisingEdge(self._dut.clk)
            self._stalls[port] += int(bus.tvalid.value) & ~int(bus.tready.value)

    async def stalls(self):
        """Clocks in which a beat was offered and not taken, by port."""
        return dict(self._stalls)

    async def pulse(self, name: str, value: int, clocks: int):
        """Hold an input of the component for some clocks."""
        getattr(self._dut, name).value = value
        await ClockCycles(self._dut.clk, clocks)
        getattr(self._dut, name).value = 0

    async def hold(self, name: str, value: int):
        """Hold an input of the component from now on."""
        getattr(self._dut, name).value = value

    async def output(self, name: str):
        """Value of an output of the component."""
        return int(getattr(self._dut, name).value)

    async def write(self, address: int, values: list[int]):
        """Write bytes; those of a word without a value get no strobe."""
        return int((await self._bus.write(address, bytes(values))).resp)

    async def read(self, address: int):
        """Value and response of a word."""
        found = await self._bus.read(address, 4)
        return [int.from_bytes(found.data, "little"), int(found.resp)]

    async def send(self, name: str, ends: list[int]):
        """Offer beats in packets that end before these beats."""
        data = self._arrays[name]
        users = self._arrays.get(f"{name}_user")
        for first, end in itertools.pairwise([0, *ends]):
            user = None if users is None else users[first:end]
            self._source.send_nowait(AxiStreamFrame(data[first:end], tuser=user))

    async def take(self, count: int):
        """Data and TUSER of so many packets."""
        found = []
        for _ in range(count):
            packet = await self._sink.recv(compact=True)
            user = packet.tuser if isinstance(packet.tuser, list) else [packet.tuser]
            found.append([list(packet.tdata), user])
        return found

    async def waiting(self):
        """Packets that are complete and have not been taken."""
        return self._sink.count()

    async def stall(self, port: str, share: float, seed: int):
        """Pause a port for this share of the clocks, from now on."""
        rng = random.Random(seed)
        pause = iter(lambda: rng.random() < share, None)
        {"in": self._source, "out": self._sink}[port].set_pause_generator(
            pause if share else itertools.repeat(False)
        )

    async def clocks(self, count: int):
        await ClockCycles(self._dut.clk, count)

    async def interrupt(self, at: int):
        """Wait until the interrupt is at this level; the clocks that took."""
        for clock in itertools.count():
            if int(self._dut.interrupt.value) == at:
                return clock
            await RisingEdge(self._dut.clk)

    async def until(self, address: int, mask: int, value: int):
        """Read until the masked word has this value; the word."""
        while True:
            word, _ = await self.read(address)
            if word & mask == value:
                return word

    async def traffic(self, seed: int, words: list[int], writable: list[int]):
        """Random reads, and writes to some words, in the background until `join`."""
        rng = random.Random(seed)
        log = []

        async def go() -> None:
            while True:
                word = rng.choice(words)
                if word in writable and rng.random() < 0.5:
                    first = rng.randrange(4)
                    values = list(rng.randbytes(rng.randint(1, 4 - first)))
                    log.append(["write", word, first, values,
                                await self.write(word + first, values)])  # fmt: skip
                else:
                    log.append(["read", word, *await self.read(word)])
                if rng.random() < 0.3:
                    await ClockCycles(self._dut.clk, rng.randrange(1, 8))

        self._traffic = cocotb.start_soon(go()), log

    async def join(self):
        """End the traffic; what it did."""
        task, log = self._traffic
        task.cancel()
        await ClockCycles(self._dut.clk, 20)
        return log


@cocotb.test()
async def script(dut) -> None:
    logging.getLogger("cocotb").setLevel(logging.WARNING)
    arrays, settings = exchange.read()
    bench = Bench(dut, arrays)
    await bench.start()
    results = []
    for operation, *arguments in settings["script"]:
        step = getattr(bench, operation)(*arguments)
        results.append(await with_timeout(step, settings["limit"] * _PERIOD, "ns"))
    exchange.write({}, {"results": results})
