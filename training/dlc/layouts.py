"""Layouts of the paper's networks: where their features lie, and what their last layer's bits are.

A network of C channels reads the features of all, and has the output groups of each, one channel
after the other, in a last layer of C times as many nodes.
"""

from collections.abc import Sequence
from dataclasses import replace

from lutgen.errors import InputError
from lutgen.model.channels import channel_groups
from lutgen.model.head import LaplaceHead
from lutgen.model.upsample import GROUPS
from lutgen.model.window import Window
from lutgen.training.dlc.config import NetworkConfig
from lutgen.training.dlc.wiring import Group, Layout

__all__ = ["arm_layout", "distances", "ups_layout", "widened"]

#: How much farther a pixel's other channels are than its own, in pixels.
_OTHER_CHANNEL = 1.0


def distances(window: Window) -> list[list[float]]:
    """Distance of each feature to the pixel that is coded, of each channel; upsampled are farther.
    """
    own = [
        abs(dy) + abs(dx) + (0.5 if i >= window.causal else 0.0)
        for i, (dy, dx) in enumerate(window.offsets)
    ]
    return _of_channels(own, window.channels)


def _of_channels(own: Sequence[float], channels: int) -> list[list[float]]:
    """Distances of the features of all channels to each channel's target, from those of its own."""
    return [
        [distance + (_OTHER_CHANNEL if other != channel else 0.0)
         for other in range(channels) for distance in own]
        for channel in range(channels)
    ]  # fmt: skip


def arm_layout(window: Window, nodes: int) -> Layout:
    """Layout of an autoregressive model with a Laplace head.

    ``nodes`` is of a channel: half of the bits are its location, half its scale.
    """
    groups = [
        Group(name, count, target)
        for k, (mu, sigma) in enumerate(channel_groups(LaplaceHead.groups, window.channels))
        for name, count, target in ((mu, nodes // 2, k), (sigma, nodes - nodes // 2, None))
    ]
    return Layout(distances(window), groups)


def ups_layout(square: Window, nodes: int) -> Layout:
    """Layout of an upsampling model, whose square is a window with a prior.

    ``nodes`` is of a channel: a quarter of the bits for each pixel of its block.
    """
    if nodes % 4:
        raise InputError(f"last layer must be a multiple of 4 nodes, not {nodes}")
    # The four pixels lie a quarter of a coarse pixel off its centre.
    centres = [(dy, dx) for dy in (-0.25, 0.25) for dx in (-0.25, 0.25)]
    by_pixel = [
        _of_channels([abs(y - cy) + abs(x - cx) for y, x in square.offsets], square.channels)
        for cy, cx in centres
    ]
    names = [name for group in channel_groups(GROUPS, square.channels) for name in group]
    return Layout(
        [pixel[channel] for channel in range(square.channels) for pixel in by_pixel],
        [Group(name, nodes // 4, k) for k, name in enumerate(names)],
    )


def widened(config: NetworkConfig, channels: int) -> NetworkConfig:
    """The shape of a network of so many channels: as many nodes for each."""
    return replace(config, layers=tuple(channels * nodes for nodes in config.layers))
