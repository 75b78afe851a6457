"""The model's network: from window to class."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model

from ..fabric.pipeline import delay
from ..heads.head import head_class_bits
from ..heads.laplace import LaplaceClassifier
from .lut_layer import LutLayers
from .popcount import Popcount
from .thermometer import Thermometer
from .walker import Walker

__all__ = ["Network"]


class Network(wiring.Component):
    """Thermometer encoder, LUT layers, and what makes a class of their outputs.

    For a table head that is the netlist's index, refined by the tree walker if there is one; for
    a Laplace head two popcounts and their tables.  Latency :attr:`latency`, one window per clock.

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
        self._model = model
        self._levels, self._primitive = levels_per_stage, primitive
        self._registers = registers
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
        if isinstance(model.head, LaplaceHead):
            counts = max(Popcount.latency_of(len(bits)) for bits in net.outputs.values())
            return latency + counts + LaplaceClassifier.latency
        return latency + (Walker.latency_of(model.walker, registers) if model.walker else 0)

    def elaborate(self, platform) -> Module:
        m = Module()
        net = self._model.network
        m.submodules.thermometer = thermometer = Thermometer(net, primitive=self._primitive)
        m.submodules.layers = layers = LutLayers(
            net, levels_per_stage=self._levels, primitive=self._primitive
        )
        m.d.comb += [thermometer.features.eq(self.features), layers.i.eq(thermometer.o)]
        if isinstance(self._model.head, LaplaceHead):
            m.submodules.classifier = classifier = LaplaceClassifier(self._model.head)
            counts = {
                name: Popcount(len(bits), primitive=self._primitive)
                for name, bits in net.outputs.items()
            }
            slowest = max(count.latency for count in counts.values())
            for name, count in counts.items():
                m.submodules[f"popcount_{name}"] = count
                m.d.comb += count.i.eq(getattr(layers, name))
                total = delay(m, count.o, slowest - count.latency, name=f"count_{name}")
                m.d.comb += getattr(classifier, name).eq(total)
            m.d.comb += self.classes.eq(classifier.o)
        elif self._model.walker:
            walker = Walker(
                self._model.walker, features=self._model.window.features,
                registers=self._registers,
            )  # fmt: skip
            m.submodules.walker = walker
            front = self.latency - walker.latency
            m.d.comb += [
                walker.features.eq(delay(m, self.features, front, name="features")),
                walker.index.eq(layers.index),
                self.classes.eq(walker.o),
            ]
        else:
            m.d.comb += self.classes.eq(layers.index)
        return m
