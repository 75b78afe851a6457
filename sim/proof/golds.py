"""The networks of a model in a build: which modules they are, and what each must compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lutgen.codec.coder import RANS
from lutgen.errors import InputError
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.shipped import AnyModel
from lutgen.model.upsample import GROUPS, Upsampler
from lutgen.sim.check.expected_tables import codec_tables
from lutgen.sim.proof.gold import Gold
from lutgen.sim.proof.gold_network import CountedNetwork, IndexedNetwork
from lutgen.sim.proof.gold_plane import GoldPlane
from lutgen.sim.proof.gold_prediction import GoldPrediction

__all__ = ["Network", "networks_of"]

_PIXEL, _LOCATION = 8, 9


@dataclass(frozen=True)
class Network:
    """A module that is a network.

    Members
    -------
    name : for people
    module : its name in the Verilog
    golds : makes what it must compute, from the flat design: several things by name if an input
        chooses one of them
    """

    name: str
    module: str
    golds: Callable[[Mapping], Mapping[str, Gold]]


def networks_of(
    model: AnyModel, modules: Iterable[str], *, depth: int = 8, near: int = 0
) -> Iterator[Network]:
    """Those of a model among a build's modules.

    Parameters
    ----------
    model :
    modules :
        Names in the build's Verilog.
    depth :
        Bits of a sample.
    near :
        The largest error of a sample that the build can be told to allow.
    """
    made = _tiled(model) if isinstance(model, Model) else _predictive(model, depth, near)
    for module in modules:
        for end, (name, golds) in made.items():
            if module.endswith(end):
                yield Network(name, module, golds)
                break


def _predictive(model: PredictiveModel | ColourModel, depth: int, near: int) -> dict:
    if isinstance(model, ColourModel):
        def golds(design: Mapping) -> dict[str, Gold]:
            return {
                f"plane {k}": GoldPlane(model.planes, k, depth, design, near)
                for k in range(len(model.planes))
            }
    else:
        def golds(design: Mapping) -> dict[str, Gold]:
            return {"": GoldPrediction(model, depth, near)}
    return {"__prediction": ("prediction", golds)}


def _tiled(model: Model) -> dict:
    found = {"core__network": ("network", lambda design: {"": _network(model, design)})}
    if upsampler := model.upsampler:
        found["upsample__network"] = (
            "upsampling network", lambda design: {"": _upsampling(upsampler)}
        )
    return found


def _network(model: Model, design: Mapping) -> Gold:
    head = model.head
    if "index" in head.groups:
        stored = codec_tables("encoder", model, RANS)
        stages = model.walker.stages if model.walker else ()
        words = [stored[".network.walker", f"stage{number}"] for number in range(len(stages))]
        return IndexedNetwork(model.network, model.walker, words, design, _bits(head.classes - 1))
    if not isinstance(head, LaplaceHead):
        raise InputError(f"head must be Laplace where outputs are counted, not {head.kind}")
    scale, location = "sigma", "mu"
    tables = {name: getattr(head, name).tolist() for name in (location, scale)}
    classes = [(location, _LOCATION), (scale, _bits(head.scales - 1))]
    return CountedNetwork(
        model.network, tables, [("classes", classes)], {"classes": ("classifier.o",)}
    )


def _upsampling(upsampler: Upsampler) -> Gold:
    tables = {
        name: values.tolist() for name, values in zip(GROUPS, upsampler.values, strict=True)
    }
    outputs = [(f"block__{k}", [(name, _PIXEL)]) for k, name in enumerate(GROUPS)]
    return CountedNetwork(upsampler.network, tables, outputs, {})


def _bits(most: int) -> int:
    """Bits of a number up to so many, at least one."""
    return max(1, most.bit_length())
