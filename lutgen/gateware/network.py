"""The model's network: from window to class."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..codec.head import LaplaceHead
from ..model import Model
from .head import LaplaceClassifier, head_class_bits
from .lut_layer import LutLayers
from .pipeline import delay
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

    Members
    -------
    features : In(8 * features)
        Window, feature 0 in the low byte.
    classes : Out(...)
        Class.
    """

    def __init__(self, model: Model, *, levels_per_stage: int, primitive: str | None) -> None:
        self._model = model
        net = model.network
        self._layers = LutLayers(net, levels_per_stage=levels_per_stage, primitive=primitive)
        self._front = Thermometer.latency + self._layers.latency
        self.latency = self._front
        if isinstance(model.head, LaplaceHead):
            self._counts = {name: Popcount(len(net.outputs[name])) for name in ("mu", "sigma")}
            slowest = max(count.latency for count in self._counts.values())
            self.latency += slowest + LaplaceClassifier.latency
        elif model.walker:
            self._walker = Walker(model.walker, features=model.window.features)
            self.latency += self._walker.latency
        super().__init__({
            "features": In(8 * model.window.features),
            "classes": Out(head_class_bits(model.head)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.thermometer = thermometer = Thermometer(self._model.network)
        m.submodules.layers = layers = self._layers
        m.d.comb += [thermometer.features.eq(self.features), layers.i.eq(thermometer.o)]
        if isinstance(self._model.head, LaplaceHead):
            m.submodules.classifier = classifier = LaplaceClassifier(self._model.head)
            slowest = max(count.latency for count in self._counts.values())
            for name, count in self._counts.items():
                m.submodules[f"popcount_{name}"] = count
                m.d.comb += count.i.eq(getattr(layers, name))
                total = delay(m, count.o, slowest - count.latency, name=f"count_{name}")
                m.d.comb += getattr(classifier, name).eq(total)
            m.d.comb += self.classes.eq(classifier.o)
        elif self._model.walker:
            m.submodules.walker = walker = self._walker
            m.d.comb += [
                walker.features.eq(delay(m, self.features, self._front, name="features")),
                walker.index.eq(layers.index),
                self.classes.eq(walker.o),
            ]
        else:
            m.d.comb += self.classes.eq(layers.index)
        return m
