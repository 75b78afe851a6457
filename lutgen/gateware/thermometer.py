"""Thermometer encoder: one comparator for each bit that a node reads, and no other."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..netlist import Netlist

__all__ = ["Thermometer"]


class Thermometer(wiring.Component):
    """Comparators ``feature > threshold`` of a netlist's inputs.

    Latency of one clock, one window per clock.  A comparison of 8 bits with a constant is two
    levels of LUTs at most, and the synthesiser shares what comparators of one feature have in
    common; no carry chain is used.

    Parameters
    ----------
    netlist:
        The network that reads the bits.

    Members
    -------
    features : In(8 * netlist.features)
        Window, feature 0 in the low byte.
    o : Out(len(netlist.inputs))
        Thermometer bits in the order of the netlist's inputs.
    """

    latency = 1

    def __init__(self, netlist: Netlist) -> None:
        self._netlist = netlist
        super().__init__({
            "features": In(8 * netlist.features),
            "o": Out(max(1, len(netlist.inputs))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        for i, (feature, threshold) in enumerate(self._netlist.inputs):
            pixel = self.features.word_select(int(feature), 8)
            m.d.sync += self.o[i].eq(pixel > int(threshold))
        return m
