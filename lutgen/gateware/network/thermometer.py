"""Thermometer encoder: one comparator for each bit that a node reads, and no other."""

from amaranth.hdl import Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.netlist import Netlist

__all__ = ["Thermometer"]

#: Low bits compared apart: the other five and the result fill one LUT6.
_LOW_BITS = 3


class Thermometer(wiring.Component):
    """Comparators ``feature > threshold`` of a netlist's inputs.

    Latency of one clock, one window per clock.  A comparison of 8 bits with a constant is two
    levels of LUTs: one looks at the low three bits and is shared by all thresholds of the feature
    that have these in common, one at the other five and the first's result.  With LUTs of four
    inputs, there are tables of both halves of the feature and one LUT that joins them.  No carry
    chain.

    Parameters
    ----------
    netlist:
        The network that reads the bits.
    primitive:
        ``"LUT6"`` to instantiate Xilinx primitives, or None for plain logic.

    Members
    -------
    features : In(8 * netlist.features)
        Window, feature 0 in the low byte.
    o : Out(len(netlist.inputs))
        Thermometer bits in the order of the netlist's inputs.
    """

    latency = 1

    def __init__(self, netlist: Netlist, *, primitive: str | None = None) -> None:
        self._netlist = netlist
        self._primitive = primitive
        super().__init__({
            "features": In(8 * netlist.features),
            "o": Out(max(1, len(netlist.inputs))),
        })

    def elaborate(self, platform) -> Module:
        if platform is not None and platform.lut_inputs == 4:
            return self._elaborate_halves()
        m = Module()
        shared = {}
        for i, (feature, threshold) in enumerate(self._netlist.inputs.tolist()):
            pixel = self.features.word_select(feature, 8)
            high, low = threshold >> _LOW_BITS, threshold & ((1 << _LOW_BITS) - 1)
            if (feature, low) not in shared:
                shared[feature, low] = Signal(name=f"low{feature}_{low}")
                m.d.comb += shared[feature, low].eq(pixel[:_LOW_BITS] > low)
            rest, above = pixel[_LOW_BITS:], shared[feature, low]
            if self._primitive == "LUT6":
                table = (1 << 64) - (1 << (2 * high + 2)) | 1 << (2 * high + 1)
                o = Signal(name=f"above{feature}_{threshold}")
                m.submodules[f"lut{i}"] = Instance(
                    "LUT6", ("p", "INIT", Const(table, 64)), ("i", "I0", above),
                    *[("i", f"I{k + 1}", rest[k]) for k in range(5)], ("o", "O", o),
                )  # fmt: skip
            else:
                o = (rest > high) | ((rest == high) & above)
            m.d.sync += self.o[i].eq(o)
        return m

    def _elaborate_halves(self) -> Module:
        m = Module()
        shared = {}

        def test(feature: int, half: int, name: str, table: int) -> Value:
            """A function of four bits; described as a comparison, it would become a carry chain."""
            key = (feature, half, table)
            if key not in shared:
                shared[key] = Signal(name=f"{name}{feature}_{half}_{table:x}")
                bits = self.features.word_select(2 * feature + half, 4)
                m.d.comb += shared[key].eq(Const(table, 16).bit_select(bits, 1))
            return shared[key]

        for i, (feature, threshold) in enumerate(self._netlist.inputs.tolist()):
            low, high = threshold & 15, threshold >> 4
            above, same = (0xFFFF << high + 1) & 0xFFFF, 1 << high
            low_above = test(feature, 0, "above", (0xFFFF << low + 1) & 0xFFFF)
            m.d.sync += self.o[i].eq(
                test(feature, 1, "above", above)
                | (test(feature, 1, "same", same) & low_above)
            )  # fmt: skip
        return m
