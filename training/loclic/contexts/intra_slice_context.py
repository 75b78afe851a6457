"""Global context from the same slice."""

import torch
from torch import nn

from lutgen.training.loclic.contexts.feed_forward import FeedForward
from lutgen.training.loclic.contexts.linear_attention import LinearAttention
from lutgen.training.loclic.networks.convolution import conv1x1, conv5x5, depthwise3x3

__all__ = ["IntraSliceContext"]


class IntraSliceContext(nn.Module):
    """What non-anchors can expect from the anchors of their slice all over the image.

    MLIC++, section 3.3: which cells resemble each other is told by the slice before, of which all
    is known; two heads.

    ::

        non-anchors of the slice before - conv1x1 -- dw3x3 -- q -+
        anchors of the slice before ----- conv1x1 -- dw3x3 -- k -+- linear attention
        anchors of this slice ----------- conv1x1 -- dw3x3 -- v -+      |
             (B, 2c, h, w) --- FeedForward(2c, 4c, 2c) --- conv5x5(c, 2c)

    Only anchors are keys, and only non-anchors get something, whatever the convolutions spread to
    the other cells.
    """

    HEADS = 2

    def __init__(self, c: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            nn.Sequential(conv1x1(c, c), depthwise3x3(c)) for _ in range(3)
        )
        self.attend = LinearAttention(self.HEADS)
        self.merge = conv5x5(c, 2 * c)
        self.mix = FeedForward(2 * c, 4 * c, 2 * c)

    def forward(
        self, before: torch.Tensor, anchors: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Context of each cell, (B, 2c, h, w).

        Parameters
        ----------
        before:
            The decoded slice before, (B, c, h, w).
        anchors:
            This slice, zero but for anchors, (B, c, h, w).
        mask:
            Which cells are anchors, bool, (h, w).
        """
        q = self.query(before * ~mask)
        k = self.key(before * mask)
        v = self.value(anchors)
        return self.mix(self.merge(self.attend(q, k, v, mask) * ~mask))
