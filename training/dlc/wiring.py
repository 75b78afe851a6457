"""Which candidates a pin is given, and which one it begins with.

The paper gives every pin all candidates.  On few samples per second it pays to choose them well.
A network whose output groups are averages works like a threshold decomposition (a stack filter):
the bit of a group that stands for threshold t is best when it says whether the pixel exceeds t,
and for this the bits ``neighbour > about t`` say most.  `Aligned` wiring orders each layer by
threshold and draws candidates close by, in threshold and in the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lutgen.training.dlc.node import FANIN

__all__ = ["Group", "Layout", "aligned_bits", "aligned_thermometer", "stratified"]


@dataclass(frozen=True)
class Group:
    """A named run of nodes of the last layer.

    Parameters
    ----------
    name:
        Of the netlist's output group.
    nodes:
        How many.
    target:
        Row of `Layout.distances`: the pixel whose value the average of the bits is to be;
        None for a group that means something else.
    """

    name: str
    nodes: int
    target: int | None = None


@dataclass(frozen=True)
class Layout:
    """What goes into a network and comes out.

    Parameters
    ----------
    distances:
        One row per target pixel: distance of each feature to it, in pixels, above 0.
    groups:
        Of the last layer, in order.
    """

    distances: Sequence[Sequence[float]]
    groups: Sequence[Group]

    @property
    def features(self) -> int:
        """Number of features."""
        return len(self.distances[0])

    @property
    def nodes(self) -> int:
        """Nodes of the last layer."""
        return sum(group.nodes for group in self.groups)

    def ranges(self) -> dict[str, range]:
        """Nodes of each group."""
        out, start = {}, 0
        for group in self.groups:
            out[group.name] = range(start, start + group.nodes)
            start += group.nodes
        return out


#: Mean distance of a drawn threshold from the node's own, and share drawn anywhere.
_SPREAD = 24
_ANYWHERE = 0.25


def stratified(candidates: int, pins: int, sampled: int, generator) -> torch.Tensor:
    """Distinct candidates of each pin, spread over all: int64 (sampled, pins)."""
    edge = torch.linspace(0, candidates, sampled + 1).long()
    width = (edge[1:] - edge[:-1])[:, None]
    draw = torch.rand(sampled, pins, generator=generator)
    chosen = edge[:-1, None] + (draw * width).long()
    return (chosen + torch.randint(candidates, (pins,), generator=generator)) % candidates


def aligned_thermometer(
    layout: Layout, nodes: int, thresholds: np.ndarray, sampled: int, rng: np.random.Generator
) -> torch.Tensor:
    """Candidates of a first layer, int64 (sampled, 6 nodes), numbered as there.

    Node n stands for threshold ``255 (n + 1/2) / nodes`` of target ``n mod targets``.  Its pins
    begin (row 0) at the nearest features, one after the other, and that threshold.
    """
    distance = np.asarray(layout.distances, dtype=float)
    targets, features = distance.shape
    node = np.repeat(np.arange(nodes), FANIN)
    target = node % targets
    centre = 255 * (node + 0.5) / nodes
    level = np.clip(centre + rng.laplace(0, _SPREAD, (sampled, node.size)), 0, 254)
    level[0] = centre
    anywhere = rng.random(level.shape) < _ANYWHERE
    anywhere[0] = False
    level[anywhere] = rng.uniform(0, 255, anywhere.sum())
    # The nearest of the thresholds that there are.
    middle = (thresholds[1:] + thresholds[:-1]) / 2
    bit = np.searchsorted(middle, level)
    feature = np.empty(level.shape, dtype=np.int64)
    for k in range(targets):
        here = target == k
        chance = distance[k] ** -2.0
        feature[:, here] = rng.choice(features, (sampled, here.sum()), p=chance / chance.sum())
        nearest = np.argsort(distance[k], kind="stable")
        feature[0, here] = np.resize(nearest[:FANIN], here.sum())
    return torch.from_numpy(bit * features + feature)


def aligned_bits(
    layout: Layout, before: int, sampled: int, rng: np.random.Generator
) -> tuple[torch.Tensor, np.ndarray]:
    """Candidates of the last layer among ``before`` nodes ordered by threshold.

    Returns
    -------
    (candidates, aligned):
        int64 (sampled, 6 nodes), and bool (nodes,): whether a node belongs to a target.  Pins of
        such nodes begin at the node of equal threshold and target, and its neighbours.
    """
    targets = len(layout.distances)
    rows, flags = [], []
    for group in layout.groups:
        pins = FANIN * group.nodes
        anywhere = rng.integers(0, before, (sampled, pins))
        flags.append(np.full(group.nodes, group.target is not None))
        if group.target is None:
            rows.append(anywhere)
            continue
        node = np.repeat(np.arange(group.nodes), FANIN)
        centre = before * (node + 0.5) / group.nodes
        near = centre + rng.laplace(0, _SPREAD / 255 * before / 3, (sampled, pins))
        near = np.where(rng.random(near.shape) < _ANYWHERE, anywhere, near)
        own = centre // targets * targets + group.target
        near[0] = own + targets * (np.resize(np.arange(FANIN), pins) - 2)
        rows.append(np.clip(near, 0, before - 1).astype(np.int64))
    return torch.from_numpy(np.concatenate(rows, axis=1)), np.concatenate(flags)
