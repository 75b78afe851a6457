"""A component as a Verilog module of its own, so that several instances share one text."""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

__all__ = ["Placed"]


class Placed(wiring.Component):
    """An instance of a component whose Verilog is a module beside this one.

    Same ports, latency, throughput and reset behaviour as the component.  Whoever places it names
    the module in its attribute ``separate``, see :func:`.verilog.to_verilog`.

    Parameters
    ----------
    component:
        What is placed; it is not elaborated here.
    module:
        Name of its Verilog module.
    """

    def __init__(self, component: wiring.Component, module: str) -> None:
        self._module = module
        super().__init__(component.signature)

    def elaborate(self, platform) -> Module:
        m = Module()
        pins = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        for path, member, value in self.signature.flatten(self):
            direction = "i" if member.flow is In else "o"
            pins[f"{direction}_{'__'.join(map(str, path))}"] = Value.cast(value)
        m.submodules.instance = Instance(self._module, **pins)
        return m
