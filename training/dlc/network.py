"""A LUT network that can be trained, and the hard netlist that it becomes."""

import numpy as np
import torch
from torch import nn

from lutgen.errors import InputError
from lutgen.model.netlist import Netlist
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.optimise import optimise
from lutgen.training.dlc.config import Hardness, NetworkConfig
from lutgen.training.dlc.connect import BitConnection, ThermometerConnection
from lutgen.training.dlc.fast import hard_layer
from lutgen.training.dlc.node import FANIN, NeuraLutNodes, TableNodes
from lutgen.training.dlc.wiring import Layout, aligned_bits, aligned_thermometer, stratified
from lutgen.training.run.modules import ListOf

__all__ = ["LutNetwork"]


class LutNetwork(nn.Module):
    """Layers of LUT6 on thermometer bits.

    Parameters
    ----------
    layout:
        Features and output groups; the last layer has as many nodes as its groups together.
    config:
        Shape.
    seed:
        Of the first weights and of drawn candidates.
    """

    def __init__(self, layout: Layout, config: NetworkConfig, seed: int = 0) -> None:
        super().__init__()
        if layout.nodes != config.layers[-1]:
            raise InputError(
                f"last layer must have the {layout.nodes} nodes of the output groups, "
                f"not {config.layers[-1]}"
            )
        self.config = config
        self.layout = layout
        # The middle of equal parts: 255 thresholds are 0, 1, ... 254.
        steps = config.thresholds
        thresholds = np.array([int(255 * (2 * t + 1) / (2 * steps)) for t in range(steps)])
        generator = torch.Generator().manual_seed(seed)
        rng = np.random.default_rng(seed)
        common = {"dtype": getattr(torch, config.dtype), "generator": generator}
        connections: list[ThermometerConnection | BitConnection] = []
        layers: list[NeuraLutNodes | TableNodes] = []
        before: int | None = None
        for depth, size in enumerate(config.layers):
            candidates = layout.features * steps if before is None else before
            chosen, aligned = None, None
            sampled = min(config.sampled or candidates, candidates)
            if config.aligned and before is None:
                chosen = aligned_thermometer(layout, size, thresholds, sampled, rng)
                aligned = np.ones(size, dtype=np.bool_)
            elif config.aligned and before is not None and depth == len(config.layers) - 1:
                chosen, aligned = aligned_bits(layout, before, sampled, rng)
            elif sampled < candidates:
                chosen = stratified(candidates, FANIN * size, sampled, generator)
            options = {"chosen": chosen, "favour": 1.0 if config.aligned else 0.0, **common}
            connection: ThermometerConnection | BitConnection
            if before is None:
                connection = ThermometerConnection(
                    layout.features, FANIN * size, thresholds, **options
                )
            else:
                connection = BitConnection(before, FANIN * size, **options)
            connections.append(connection)
            layers.append(self._nodes(size, aligned, generator))
            before = size
        self.connections = ListOf(connections)
        self.layers = ListOf(layers)

    def _nodes(
        self, size: int, aligned: np.ndarray | None, generator: torch.Generator
    ) -> NeuraLutNodes | TableNodes:
        if self.config.nodes == "neuralut":
            return NeuraLutNodes(
                size, hidden=self.config.hidden, residual=self.config.residual, generator=generator
            )
        passed = 2.0 * torch.eye(FANIN)[0] * self.config.residual
        pins = passed.expand(size, -1)
        if aligned is not None:
            # A weighted majority of bits of neighbours, the nearest first: a median filter.
            majority = torch.tensor([0.6, 0.6, 0.5, 0.3, 0.2, 0.2])
            pins = torch.where(torch.from_numpy(aligned)[:, None], majority, pins)
        # Little where there is a beginning to keep; nodes of an aligned layer that have none
        # (sigma) begin undecided, and are soon moved.
        begun = self.config.residual or aligned is not None
        return TableNodes(size, pins=pins, spread=0.2 if begun else 1.0, generator=generator)

    @property
    def quick(self) -> bool:
        """Whether a hard forward pass can take the compiled path of `fast`."""
        return all(isinstance(layer, TableNodes) for layer in self.layers) and all(
            c.chosen is not None and not c.logits.is_cuda for c in self.connections
        )

    def forward(
        self, features: torch.Tensor, how: Hardness, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Bits (B, N) of the last layer, in [0, 1], of uint8 features (B, F)."""
        if how.hard and self.quick:
            x = features.T.contiguous()
            tables = [layer for layer in self.layers if isinstance(layer, TableNodes)]
            for connection, table in zip(self.connections, tables, strict=True):
                chosen, thresholds = connection.candidate_bits()
                x = hard_layer(
                    x, connection.logits, table.entries, chosen, thresholds,
                    how.tau_connections, how.tau_nodes,
                )  # fmt: skip
            return x.T
        x = features
        for connection, layer in zip(self.connections, self.layers, strict=True):
            pins = connection(x, how.tau_connections, how.hard)
            x = layer(pins, how.tau_nodes, how.hard, how.noise, generator)
        return x

    @torch.no_grad()
    def hard(self, features: torch.Tensor) -> torch.Tensor:
        """Hard bits, bool (B, N): argmax connections and truth tables, no gradients."""
        x = features
        for connection, layer in zip(self.connections, self.layers, strict=True):
            pins = connection.hard_pins(x)
            pins = pins.view(len(pins), -1, FANIN)
            index = pins[..., 0].long()
            for j in range(1, FANIN):
                index += pins[..., j].long() << j
            tables = layer.tables()
            x = tables[torch.arange(len(tables), device=index.device), index]
        return x

    def netlist(self) -> Netlist:
        """Hard netlist with the layout's output groups, optimised: no bit of them changes."""
        builder = NetlistBuilder(self.layout.features)
        below: list[int] = []
        for connection, layer in zip(self.connections, self.layers, strict=True):
            choice = connection.choice().tolist()
            if isinstance(connection, ThermometerConnection):
                thresholds, features = connection.thresholds.tolist(), connection.features
                signals = [builder.input(c % features, thresholds[c // features]) for c in choice]
            else:
                signals = [below[c] for c in choice]
            bits = layer.tables().cpu().numpy()
            words = np.packbits(bits, axis=1, bitorder="little").view("<u8")[:, 0]
            below = [
                builder.node(signals[FANIN * n : FANIN * (n + 1)], int(word))
                for n, word in enumerate(words)
            ]
        for name, nodes in self.layout.ranges().items():
            builder.output(name, [below[n] for n in nodes])
        return optimise(builder.build())
