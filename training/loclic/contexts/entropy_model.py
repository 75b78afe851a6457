"""Multi-reference entropy model of y."""

from collections.abc import Callable

import torch
from torch import nn

from lutgen.training.loclic.contexts.checkerboard import anchors
from lutgen.training.loclic.contexts.slice_model import SliceModel
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.run.modules import ListOf

__all__ = ["Coder", "EntropyModel"]

#: Gets the slice, the cells to code (bool, (h, w)), their scales and means, (B, c, h, w); returns
#: the decoded values, (B, c, h, w), of which only those cells are used.
Coder = Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class EntropyModel(nn.Module):
    """Scales and means of all of y in the order of coding, of MLIC++.

    Slices one after the other, each in two passes: anchors, then the others, which know the
    anchors.  Decoded values get a predicted residual before anything else sees them.

    ::

        for i in slices:
            anchors:  contexts of slices < i            -- parameters -- code -- + residual
            others:   the same and contexts of anchors  -- parameters -- code -- + residual
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.slices = ListOf(SliceModel(config, i) for i in range(config.slices))

    def forward(
        self, scales: torch.Tensor, means: torch.Tensor, code: Coder
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Walk over y.

        Parameters
        ----------
        scales, means:
            What the hyper-synthesis gives, each (B, M, h, w).
        code:
            Called twice for each slice; it rounds, writes or reads the values of the cells.

        Returns
        -------
        tuple of torch.Tensor
            Decoded y, scales and means, each (B, M, h, w).
        """
        hyper = torch.cat([scales, means], 1)
        mask = anchors(hyper)
        decoded: list[torch.Tensor] = []
        all_scales, all_means = [], []
        for index, model in enumerate(self.slices):
            contexts = model.known(hyper, decoded)
            s0, m0 = model.anchor_parameters(contexts)
            first = code(index, mask, s0, m0) * mask
            first = first + mask * model.anchor_residual(torch.cat([means, *decoded, first], 1))

            s1, m1 = model.other_parameters([*model.near(first, decoded, mask), *contexts])
            whole = first + code(index, ~mask, s1, m1) * ~mask
            whole = whole + ~mask * model.other_residual(torch.cat([means, *decoded, whole], 1))

            decoded.append(whole)
            all_scales.append(torch.where(mask, s0, s1))
            all_means.append(torch.where(mask, m0, m1))
        return torch.cat(decoded, 1), torch.cat(all_scales, 1), torch.cat(all_means, 1)
