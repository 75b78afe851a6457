"""The two halves that a slice of y is coded in.

He et al., "Checkerboard Context Model for Efficient Learned Image Compression", CVPR 2021: anchors,
which are coded first, are the cells with an odd sum of row and column.
"""

import torch
from torch.nn import functional

__all__ = ["anchors", "windows"]


def anchors(y: torch.Tensor) -> torch.Tensor:
    """Which cells of y, (B, C, h, w), are anchors: bool, (h, w)."""
    height, width = y.shape[-2:]
    rows = torch.arange(height, device=y.device)[:, None]
    columns = torch.arange(width, device=y.device)[None]
    return (rows + columns) % 2 == 1


def windows(mask: torch.Tensor, side: int) -> torch.Tensor:
    """A mask of cells, bool (h, w), in the window round each: bool, (h * w, side * side).

    Nothing of a window that lies outside the image is in it.
    """
    return functional.unfold(mask[None, None].float(), side, padding=side // 2)[0].T > 0
