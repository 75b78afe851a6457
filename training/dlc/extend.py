"""A trained network beside a netlist that is there already: a context tree, say."""

import numpy as np
import torch

from lutgen.model.netlist import Netlist
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.optimise import optimise
from lutgen.training.dlc.config import Hardness, NetworkConfig
from lutgen.training.dlc.network import LutNetwork
from lutgen.training.dlc.output import TableOutput
from lutgen.training.dlc.wiring import Layout

__all__ = ["INDEX", "ClassNetwork"]

#: Output group of a class index.
INDEX = "index"


class ClassNetwork(LutNetwork):
    """Network whose bits are a class index, the low bits trained, the high ones given.

    Parameters
    ----------
    layout, config, seed:
        As in `LutNetwork`; the layout has one group, ``index``.
    base:
        Netlist with a group ``index``, which is not trained; None for none.
    """

    place: torch.Tensor

    def __init__(
        self, layout: Layout, config: NetworkConfig, base: Netlist | None = None, seed: int = 0
    ) -> None:
        super().__init__(layout, config, seed)
        self.base = base
        given = 0 if base is None else len(base.outputs[INDEX])
        self.output = TableOutput(layout.nodes + given)
        self.register_buffer("place", torch.arange(given))

    def forward(
        self, features: torch.Tensor, how: Hardness, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Bits (B, N) of the class index, least significant first."""
        bits = super().forward(features, how, generator)
        if self.base is None:
            return bits
        windows = np.ascontiguousarray(features.cpu().numpy().T)
        index = torch.from_numpy(self.base.evaluate_index(INDEX, windows)).to(bits.device)
        return torch.cat([bits, (index[:, None] >> self.place & 1).to(bits.dtype)], dim=1)

    def netlist(self) -> Netlist:
        """Hard netlist of both, optimised together."""
        own = super().netlist()
        if self.base is None:
            return own
        builder = NetlistBuilder(own.features)
        index = [bit for net in (own, self.base) for bit in _copy(net, builder)]
        builder.output(INDEX, index)
        return optimise(builder.build())


def _copy(net: Netlist, builder: NetlistBuilder) -> list[int]:
    """Add a netlist's nodes to a builder; gives the signals of its index."""
    signals = [0, 1, *(builder.input(int(f), int(t)) for f, t in net.inputs)]
    for pins, table in zip(net.fanin, net.tables, strict=True):
        signals.append(builder.node([signals[p] for p in pins], int(table)))
    return [signals[s] for s in net.outputs[INDEX]]
