"""What makes a class of the netlist's outputs: by the groups that a head reads.

A readout is a class with

- ``latency_of(model, registers)``: clocks from the outputs to the class, and
- ``add(m, network, layers)``: its logic in a network's module, which returns the class; ``network``
  is the `.network.Network`, ``layers`` its LUT layers.
"""

from amaranth.hdl import Module, Value

from lutgen.model.model import Model

from ..fabric.pipeline import delay
from ..heads.laplace import LaplaceClassifier
from .popcount import Popcount
from .walker import Walker

__all__ = ["readout_of"]


class _Index:
    """The index itself, refined by the tree walker if there is one."""

    @staticmethod
    def latency_of(model: Model, registers: int) -> int:
        return Walker.latency_of(model.walker, registers) if model.walker else 0

    @staticmethod
    def add(m: Module, network, layers) -> Value:
        model = network.model
        if not model.walker:
            return layers.index
        m.submodules.walker = walker = Walker(
            model.walker, features=model.window.features, registers=network.registers
        )
        front = network.latency - walker.latency
        m.d.comb += [
            walker.features.eq(delay(m, network.features, front, name="features")),
            walker.index.eq(layers.index),
        ]
        return walker.o


class _Counts:
    """Two popcounts and the tables of a Laplace head."""

    @staticmethod
    def latency_of(model: Model, registers: int) -> int:
        counts = [Popcount.latency_of(len(bits)) for bits in model.network.outputs.values()]
        return max(counts) + LaplaceClassifier.latency

    @staticmethod
    def add(m: Module, network, layers) -> Value:
        model = network.model
        m.submodules.classifier = classifier = LaplaceClassifier(model.head)
        counts = {
            name: Popcount(len(bits), primitive=network.primitive)
            for name, bits in model.network.outputs.items()
        }
        slowest = max(count.latency for count in counts.values())
        for name, count in counts.items():
            m.submodules[f"popcount_{name}"] = count
            m.d.comb += count.i.eq(getattr(layers, name))
            total = delay(m, count.o, slowest - count.latency, name=f"count_{name}")
            m.d.comb += getattr(classifier, name).eq(total)
        return classifier.o


_READOUTS = {("index",): _Index, ("mu", "sigma"): _Counts}


def readout_of(model: Model):
    """The readout of a model's netlist."""
    return _READOUTS[model.head.groups]
