"""The convolutions that blocks are made of; all keep the size, or divide or multiply it by two."""

from torch import nn

__all__ = ["conv1x1", "conv3x3", "conv5x5", "depthwise3x3", "subpixel3x3"]


def conv1x1(a: int, b: int, stride: int = 1) -> nn.Conv2d:
    """(B, a, H, W) -> (B, b, H/stride, W/stride)."""
    return nn.Conv2d(a, b, 1, stride)


def conv3x3(a: int, b: int, stride: int = 1) -> nn.Conv2d:
    """(B, a, H, W) -> (B, b, H/stride, W/stride)."""
    return nn.Conv2d(a, b, 3, stride, padding=1)


def conv5x5(a: int, b: int) -> nn.Conv2d:
    """(B, a, H, W) -> (B, b, H, W)."""
    return nn.Conv2d(a, b, 5, padding=2)


def depthwise3x3(a: int) -> nn.Conv2d:
    """(B, a, H, W) -> (B, a, H, W), each channel by itself."""
    return nn.Conv2d(a, a, 3, padding=1, groups=a)


def subpixel3x3(a: int, b: int) -> nn.Sequential:
    """(B, a, H, W) -> (B, b, 2H, 2W): four outputs per position, laid out as a 2 x 2 block."""
    return nn.Sequential(nn.Conv2d(a, 4 * b, 3, padding=1), nn.PixelShuffle(2))
