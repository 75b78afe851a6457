"""Channels of a tile model: images as planes, and a network's output groups of each channel.

Gray has one channel, and then nothing here is to be seen: arrays have no axis for it, and groups
are called as ever.  With C channels an axis of planes stands before rows and columns, and the
groups of channel c have its number behind their names, ``mu_0`` to ``mu_2`` of RGB.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .netlist import Netlist

__all__ = ["channel_groups", "channel_network", "planes_of", "stack_planes"]


def channel_groups(names: Sequence[str], channels: int) -> list[list[str]]:
    """Output groups of each channel of a network, in the order of the names."""
    if channels == 1:
        return [list(names)]
    return [[f"{name}_{channel}" for name in names] for channel in range(channels)]


def channel_network(
    network: Netlist, names: Sequence[str], channels: int, channel: int
) -> Netlist:
    """A network with the groups of one channel alone, called as if there were no other."""
    if channels == 1:
        return network
    groups = channel_groups(names, channels)[channel]
    outputs = {name: network.outputs[group] for name, group in zip(names, groups, strict=True)}
    return replace(network, outputs=outputs)


def planes_of(array: np.ndarray, channels: int) -> list[np.ndarray]:
    """Planes (..., H, W) of an array of shape (..., H, W), or (..., C, H, W) of C > 1 channels."""
    return [array] if channels == 1 else [array[..., k, :, :] for k in range(channels)]


def stack_planes(planes: Sequence[np.ndarray]) -> np.ndarray:
    """The array whose planes these are, see `planes_of`."""
    return planes[0] if len(planes) == 1 else np.stack(planes, axis=-3)
