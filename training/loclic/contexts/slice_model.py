"""The context networks of one slice."""

import torch
from torch import nn

from lutgen.training.loclic.contexts.channel_context import ChannelContext
from lutgen.training.loclic.contexts.entropy_parameters import EntropyParameters
from lutgen.training.loclic.contexts.inter_slice_context import InterSliceContext
from lutgen.training.loclic.contexts.intra_slice_context import IntraSliceContext
from lutgen.training.loclic.contexts.latent_residual import LatentResidual
from lutgen.training.loclic.contexts.local_context import LocalContext
from lutgen.training.loclic.networks.config import CodecConfig

__all__ = ["SliceModel"]


class SliceModel(nn.Module):
    """What the entropy model of MLIC++ has for slice i; slice 0 has no slice before it.

    ::

        slices 0 .. i-1 -- channel context ----- 4c -+
                       +-- inter-slice context - 2c -+
        hyper-synthesis: scales, means -------- 2M --+-- anchor parameters
                                                     +-- non-anchor parameters
        anchors of slice i -- local context ---- 2c -+
                          +-- intra-slice context 2c-+
    """

    def __init__(self, config: CodecConfig, index: int) -> None:
        super().__init__()
        c, m, known = config.channels, config.latent, index * config.channels
        before = 6 * c if index else 0
        here = 4 * c if index else 2 * c
        self.channel = ChannelContext(known, c) if index else None
        self.inter = InterSliceContext(known, c) if index else None
        self.intra = IntraSliceContext(c) if index else None
        self.local = LocalContext(c, config.window)
        self.anchor_parameters = EntropyParameters(2 * m + before, c)
        self.other_parameters = EntropyParameters(2 * m + before + here, c)
        self.anchor_residual = LatentResidual(config, index)
        self.other_residual = LatentResidual(config, index)

    def known(self, hyper: torch.Tensor, decoded: list[torch.Tensor]) -> list[torch.Tensor]:
        """Contexts that both halves have.

        Parameters
        ----------
        hyper:
            (B, 2M, h, w).
        decoded:
            The slices before, each (B, c, h, w).
        """
        if self.inter is None or self.channel is None:
            return [hyper]
        slices = torch.cat(decoded, 1)
        return [self.inter(slices), self.channel(slices), hyper]

    def near(
        self, anchors: torch.Tensor, decoded: list[torch.Tensor], mask: torch.Tensor
    ) -> list[torch.Tensor]:
        """Contexts that non-anchors have from anchors; see `IntraSliceContext.forward`."""
        local = [self.local(anchors, mask)]
        return local if self.intra is None else [*local, self.intra(decoded[-1], anchors, mask)]
