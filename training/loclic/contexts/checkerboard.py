"""The two halves that a slice of y is coded in.

He et al., "Checkerboard Context Model for Efficient Learned Image Compression", CVPR 2021: anchors,
which are coded first, are the cells with an odd sum of row and column.
"""

import torch

__all__ = ["anchors", "window_anchors"]


def anchors(y: torch.Tensor) -> torch.Tensor:
    """Which cells of y, (B, C, h, w), are anchors: bool, (h, w)."""
    height, width = y.shape[-2:]
    rows = torch.arange(height, device=y.device)[:, None]
    columns = torch.arange(width, device=y.device)[None]
    return (rows + columns) % 2 == 1


def window_anchors(side: int) -> torch.Tensor:
    """Which cells of a window round a non-anchor are anchors: bool, (side * side,)."""
    steps = torch.arange(side) - side // 2
    return ((steps[:, None] + steps[None]) % 2 == 1).flatten()
