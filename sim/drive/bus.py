"""Transactions on an AXI4-Lite slave, carried out in order beside the streams of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lutgen.sim.drive.script import Script
from lutgen.sim.tool.design import Design

__all__ = ["CHANNELS", "BusScript"]

#: Fields of each channel; the first three go to the slave.
CHANNELS = {
    "aw": ("addr",), "w": ("data", "strb"), "ar": ("addr",), "b": ("resp",), "r": ("data", "resp"),
}  # fmt: skip


@dataclass
class BusScript(Script):
    """Steps among which are transactions of a slave.

    Members
    -------
    prefix : what the slave's ports begin with, such as ``s_axi_control``
    steps : what to do
    """

    steps: list[tuple] = field(default_factory=list, kw_only=True)
    prefix: str

    def write(self, address: int, value: int) -> None:
        """Write a word."""
        self._add("write", address, value)

    def read(self, address: int) -> int:
        """Read a word; the number of the step, whose result it will be."""
        return self._add("read", address)

    def until(self, address: int, mask: int, value: int) -> None:
        """Read a word again and again until its bits in ``mask`` are ``value``."""
        self._add("until", address, mask, value)

    def channel(self, name: str) -> str:
        """The stream that a channel is, ports named by ``{stream}{signal}``."""
        return f"{self.prefix}_{name}"

    def places(self, design: Design, drive: Mapping[str, int], sample: Mapping[str, int]) -> dict:
        """First bits of the fields in the bench's vectors, and bits of the data."""
        found = {"bits": design.find(f"{self.prefix}_wdata").width}
        for number, (name, fields) in enumerate(CHANNELS.items()):
            for key in fields:
                port = f"{self.prefix}_{name}{key}"
                found[f"{name}{key}"] = (drive if number < 3 else sample)[port]
        return found
