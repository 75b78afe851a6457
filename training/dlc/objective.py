"""What is minimised, and the figures of it on held-out images."""

from collections.abc import Sequence

import numpy as np
import torch

from lutgen.model.head import SYMBOLS
from lutgen.training.data.samples import Samples
from lutgen.training.dlc.config import Hardness
from lutgen.training.dlc.network import LutNetwork
from lutgen.training.dlc.output import LaplaceOutput, TableOutput, UpsampleOutput, floored

__all__ = ["ArmObjective", "UpsObjective"]

#: Windows evaluated at a time.
_BLOCK = 8192


class ArmObjective:
    """Code length of an autoregressive model (GIC-DLC, section 3.1).

    Of several channels it is that of all: the last layer has bits of each, one channel after the
    other, and they mean the same for all.

    Parameters
    ----------
    output:
        What the bits of a channel mean.
    """

    def __init__(self, output: LaplaceOutput | TableOutput) -> None:
        self.output = output

    def loss(
        self, bits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, empty: torch.Tensor
    ) -> torch.Tensor:
        """Code length of a batch (`lutgen.training.dlc.batches.Batch`), as its weights say."""
        empty = empty.view(-1, SYMBOLS)
        channel, seen = torch.nonzero(empty, as_tuple=True)
        bits = bits.reshape(len(bits), len(empty), -1)
        bits = torch.cat([bits[:-1].flatten(0, 1), bits[-1, channel]])
        targets = torch.cat([targets.reshape(-1).long(), seen])
        weights = torch.cat([weights.reshape(-1), empty[channel, seen]])
        if isinstance(self.output, TableOutput):
            # In windows, not in shares of the loss: smoothing is a matter of how many there were.
            self.output.count(bits, targets, weights * (len(weights) / weights.sum()))
        return (self.output.code_length(bits, targets) * weights).sum()

    def bpp(self, network: LutNetwork, levels: Sequence[Samples], how: Hardness) -> list[float]:
        """Bits of each level per pixel of level 0, floored as integer tables are."""
        return [self._bits(network, s, how) / levels[0].pixels for s in levels]

    @torch.no_grad()
    def _bits(self, network, samples: Samples, how: Hardness) -> float:
        device = next(network.parameters()).device
        total = 0.0
        for start in range(0, len(samples.symbols), _BLOCK):
            part = slice(start, start + _BLOCK)
            features = torch.from_numpy(np.ascontiguousarray(samples.features[:, part].T))
            symbols = torch.from_numpy(samples.symbols[part].reshape(-1)).to(device)
            bits = network(features.to(device), how).reshape(len(symbols), -1)
            length = self.output.code_length(bits, symbols)
            if isinstance(self.output, LaplaceOutput):
                length = floored(length)
            length = length.cpu().double()
            total += float((length * torch.from_numpy(samples.weights[part].reshape(-1))).sum())
        return total


class UpsObjective:
    """Squared error of an upsampling model (GIC-DLC, section 3.1).

    Parameters
    ----------
    output:
        What its bits mean.
    """

    def __init__(self, output: UpsampleOutput) -> None:
        self.output = output

    def loss(
        self, bits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, empty: torch.Tensor
    ) -> torch.Tensor:
        """Squared error of a batch, as its weights say."""
        total = (self.output.squared_error(bits[:-1], targets) * weights).sum()
        value = torch.arange(SYMBOLS, device=bits.device)
        after = (self.output.pixels(bits[-1:]).T - value).square()
        return total + (after * empty).sum()

    @torch.no_grad()
    def rmse(self, network: LutNetwork, samples, how: Hardness) -> float:
        """Root of the mean squared error on what `upsampling_samples` gives."""
        features, targets, weights = samples
        device = next(network.parameters()).device
        total = 0.0
        for start in range(0, features.shape[1], _BLOCK):
            part = slice(start, start + _BLOCK)
            x = torch.from_numpy(np.ascontiguousarray(features[:, part].T)).to(device)
            target = torch.from_numpy(np.ascontiguousarray(targets[:, part].T)).to(device)
            error = self.output.squared_error(network(x, how), target).cpu().double()
            total += float((error * torch.from_numpy(weights[:, part].T)).sum())
        return float((total / weights.sum()) ** 0.5)
