"""Global context from other slices."""

import torch
from torch import nn

from lutgen.training.loclic.contexts.feed_forward import FeedForward
from lutgen.training.loclic.contexts.linear_attention import LinearAttention
from lutgen.training.loclic.networks.convolution import conv1x1, conv5x5, depthwise3x3

__all__ = ["InterSliceContext"]


class InterSliceContext(nn.Module):
    """What a slice can expect from the decoded slices all over the image, of MLIC++, section 3.3.

    ::

                        +- conv1x1 -- dw3x3 -- q -+
        (B, i c, h, w) -+- conv1x1 -- dw3x3 -- k -+- linear attention, i heads
                        +- conv1x1 -- dw3x3 -- v -+      |
        (B, 2c, h, w) --- FeedForward(3c, 4c, 2c) --- conv5x5(i c, 3c)
    """

    def __init__(self, known: int, c: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            nn.Sequential(conv1x1(known, known), depthwise3x3(known)) for _ in range(3)
        )
        self.attend = LinearAttention(known // c)
        self.merge = conv5x5(known, 3 * c)
        self.mix = FeedForward(3 * c, 4 * c, 2 * c)

    def forward(self, decoded: torch.Tensor) -> torch.Tensor:
        q, k, v = self.query(decoded), self.key(decoded), self.value(decoded)
        return self.mix(self.merge(self.attend(q, k, v)))
