"""The model's network: from window to class."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.model import Model

from ..heads.head import head_class_bits
from .lut_layer import LutLayers
from .readout import readout_of
from .thermometer import Thermometer

__all__ = ["Network"]


class Network(wiring.Component):
    """Thermometer encoder, LUT layers, and what makes a class of their outputs.

    What that is, `.readout` says.  Latency :attr:`latency`, one window per clock.

    Parameters
    ----------
    model:
        The model.
    levels_per_stage, primitive:
        See :class:`.lut_layer.LutLayers`.
    registers:
        See :class:`.walker.Walker`.

    Members
    -------
    features : In(8 * features)
        Window, feature 0 in the low byte.
    classes : Out(...)
        Class.
    """

    def __init__(
        self, model: Model, *, levels_per_stage: int, primitive: str | None,
        registers: int = 0,
    ) -> None:  # fmt: skip
        self.model, self.primitive, self.registers = model, primitive, registers
        self._levels = levels_per_stage
        self.latency = self.latency_of(model, levels_per_stage, registers)
        super().__init__({
            "features": In(8 * model.window.features),
            "classes": Out(head_class_bits(model.head)),
        })

    @staticmethod
    def latency_of(model: Model, levels_per_stage: int, registers: int = 0) -> int:
        """Latency in clocks of a model's network."""
        net = model.network
        latency = Thermometer.latency + LutLayers.latency_of(net, levels_per_stage)
        return latency + readout_of(model).latency_of(model, registers)

    def elaborate(self, platform) -> Module:
        m = Module()
        net = self.model.network
        m.submodules.thermometer = thermometer = Thermometer(net, primitive=self.primitive)
        m.submodules.layers = layers = LutLayers(
            net, levels_per_stage=self._levels, primitive=self.primitive
        )
        m.d.comb += [thermometer.features.eq(self.features), layers.i.eq(thermometer.o)]
        m.d.comb += self.classes.eq(readout_of(self.model).add(m, self, layers))
        return m
