"""The LUT network: nodes as LUT6 primitives or plain logic, registered every few levels."""

from amaranth.hdl import Cat, Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.netlist import Netlist

__all__ = ["LutLayers"]


class LutLayers(wiring.Component):
    """A netlist as a pipeline.

    A node of LUT level l is computed in stage ``(l - 1) // levels_per_stage``; each stage ends in
    registers, and signals that are read in a later stage are carried along.  Latency is the number
    of stages, at least one; one result per clock.

    Parameters
    ----------
    netlist:
        The network.
    levels_per_stage:
        LUT levels between registers, 1 or more.
    primitive:
        ``"LUT6"`` to instantiate Xilinx primitives, whose tables synthesis keeps as they are, or
        None for plain logic.

    Members
    -------
    i : In(len(netlist.inputs))
        Thermometer bits.
    <group> : Out(bits)
        One port for each output group of the netlist.
    """

    def __init__(
        self, netlist: Netlist, *, levels_per_stage: int = 4, primitive: str | None = None
    ) -> None:
        if levels_per_stage < 1:
            raise ValueError(f"levels per stage must be at least 1, not {levels_per_stage!r}")
        if primitive not in (None, "LUT6"):
            raise ValueError(f"primitive must be 'LUT6' or None, not {primitive!r}")
        self._netlist = netlist
        self._per_stage = levels_per_stage
        self._primitive = primitive
        self._levels = [int(level) for level in netlist.levels()]
        self.latency = self.latency_of(netlist, levels_per_stage)
        super().__init__({
            "i": In(max(1, len(netlist.inputs))),
            **{name: Out(len(bits)) for name, bits in netlist.outputs.items()},
        })

    @staticmethod
    def latency_of(netlist: Netlist, levels_per_stage: int) -> int:
        """Latency in clocks of a network's layers."""
        return max(1, -(-netlist.depth // levels_per_stage))

    def _stage(self, signal: int) -> int:
        """Stage in which a signal is computed; inputs belong to stage 0."""
        return max(0, self._levels[signal] - 1) // self._per_stage

    def elaborate(self, platform) -> Module:
        m = Module()
        net = self._netlist
        inputs = len(net.inputs)
        # at[signal, s]: the signal's value in stage s.
        at: dict[tuple[int, int], Value] = {}

        def value(signal: int, stage: int) -> Value:
            if signal < 2:
                return Const(signal, 1)
            key = (signal, stage)
            if key not in at:
                if stage == self._stage(signal):  # a node is entered below, before it is read
                    at[key] = self.i[signal - 2]
                else:
                    carried = Signal(name=f"s{signal}_{stage}", reset_less=True)
                    m.d.sync += carried.eq(value(signal, stage - 1))
                    at[key] = carried
            return at[key]

        for node in range(len(net.tables)):
            signal = 2 + inputs + node
            stage = self._stage(signal)
            pins = [value(int(pin), stage) for pin in net.fanin[node]]
            table = int(net.tables[node])
            o = Signal(name=f"n{signal}")
            if self._primitive == "LUT6":
                m.submodules[f"lut{node}"] = Instance(
                    "LUT6",
                    ("p", "INIT", Const(table, 64)),
                    *[("i", f"I{k}", pin) for k, pin in enumerate(pins)],
                    ("o", "O", o),
                )
            else:
                used = max([k for k, pin in enumerate(net.fanin[node]) if pin] or [0]) + 1
                short = Const(table & ((1 << (1 << used)) - 1), 1 << used)
                m.d.comb += o.eq(short.bit_select(Cat(pins[:used]), 1))
            at[signal, stage] = o
        for name, bits in net.outputs.items():
            last = [value(int(bit), self.latency - 1) for bit in bits]
            m.d.sync += getattr(self, name).eq(Cat(last))
        return m
