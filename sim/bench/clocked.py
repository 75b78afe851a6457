"""The bench's side of `lutgen.sim.tool.harness`: clock, and one wake-up of Python per clock."""

from __future__ import annotations

from collections.abc import Callable

from cocotb.clock import Clock
from cocotb.triggers import Timer

__all__ = ["Clocked"]


class Clocked:
    """The vectors of a harness.

    Members
    -------
    drive(word) : set the inputs that are valid after the clock edge of this time step
    sample() : outputs as the flip-flops see them at the clock edge of this time step
    edge : trigger to await for the time step of the next rising edge
    """

    def __init__(self, dut, settings: dict) -> None:
        self._dut = dut
        self._settings = settings
        self._fixed = self._writer("fixed")
        self.drive = self._writer("drive")
        self.sample = self._reader("sample")
        self._period = settings["period"]
        self.edge = Timer(self._period, "step")

    async def start(self, fixed: int) -> None:
        """Start the clock and hold the reset for two edges; the next drive() ends it."""
        self._dut.clk.value = 0
        self._fixed(fixed)
        self.drive(0)
        await self.edge
        Clock(self._dut.clk, self._period, "step").start()
        for _ in range(2):
            await self.edge
            self.drive(1 << self._settings["reset"])
        await self.edge

    def _handles(self, name: str) -> list:
        return [getattr(self._dut, f"{name}{k}") for k in range(self._settings[name])]

    def _writer(self, name: str) -> Callable[[int], None]:
        handles = self._handles(name)
        if len(handles) == 1:
            (handle,) = handles
            last = None

            def write(word: int) -> None:
                nonlocal last
                if word != last:
                    handle.value = last = word

            return write
        width = self._settings["chunk"]
        mask = (1 << width) - 1
        chunks: list[int | None] = [None] * len(handles)

        def write_chunks(word: int) -> None:
            for k, handle in enumerate(handles):
                chunk = (word >> (k * width)) & mask
                if chunk != chunks[k]:
                    handle.value = chunks[k] = chunk

        return write_chunks

    def _reader(self, name: str) -> Callable[[], int]:
        handles = self._handles(name)
        if len(handles) == 1:
            (handle,) = handles
            return lambda: handle.value.to_unsigned()

        width = self._settings["chunk"]

        def read_chunks() -> int:
            word = 0
            for k, handle in enumerate(handles):
                word |= handle.value.to_unsigned() << (k * width)
            return word

        return read_chunks
