"""The lossy codec with float networks, to tell what integers cost."""

import torch

from lutgen.codec.lossy.model import LossyModelFile
from lutgen.training.loclic.deployed import DeployedCodec
from lutgen.training.loclic.fixed.number import UNIT
from lutgen.training.loclic.model import Codec

__all__ = ["FloatCodec"]


class FloatCodec(DeployedCodec):
    """A deployed codec whose shared networks are those that were trained.

    Its files can be read on the machine that wrote them, perhaps: for measurements only.

    Parameters
    ----------
    network:
        Trained codec.
    file:
        What it was exported to.
    device:
        Of torch.
    """

    def __init__(self, network: Codec, file: LossyModelFile, device: str = "cpu") -> None:
        super().__init__(file, device)
        for part in self.shared:
            setattr(self, part, getattr(network, part).eval().to(self.device))
        self.unit = 1
        self.thresholds = (self.thresholds / UNIT).float()
        self.medians = (self.medians / UNIT).float()

    def fixed(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def _tensor(self, values) -> torch.Tensor:
        return super()._tensor(values).float()
