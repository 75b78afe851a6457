"""The lossy codec as a network."""

import torch
from torch import nn

from lutgen.errors import InputError
from lutgen.training.loclic.contexts.entropy_model import EntropyModel
from lutgen.training.loclic.contexts.remainder_parameters import RemainderParameters
from lutgen.training.loclic.networks.analysis import Analysis
from lutgen.training.loclic.networks.block_transform import BlockAnalysis, BlockSynthesis
from lutgen.training.loclic.networks.config import ALIGNMENT, CodecConfig
from lutgen.training.loclic.networks.factorized_prior import FactorizedPrior
from lutgen.training.loclic.networks.gaussian import likelihood
from lutgen.training.loclic.networks.hyper_analysis import HyperAnalysis
from lutgen.training.loclic.networks.hyper_synthesis import HyperSynthesis
from lutgen.training.loclic.networks.synthesis import Synthesis

__all__ = ["Codec", "noisy", "straight_round"]


def straight_round(x: torch.Tensor) -> torch.Tensor:
    """Round; gradients pass as if it did not."""
    return x + (torch.round(x) - x).detach()


def noisy(x: torch.Tensor) -> torch.Tensor:
    """With noise of the width of a rounding step of one."""
    return x + torch.empty_like(x).uniform_(-0.5, 0.5)


class Codec(nn.Module):
    """LoC-LIC, or MLIC++ by its configuration.

    LoC-LIC, section 3.1, figure 2, equation 2.

    ::

        x -- analysis -- y -------------------- round to means + integers -- y_hat -- synthesis
             |           |                            ^ scales, means                    |
        (B, 3, H, W)     hyper-analysis               |                                x_hat
                         |                      entropy model
                         z -- round -- z_hat -- hyper-synthesis
                              ^ factorized prior

    A configuration with a remainder codes what that leaves of the image, as it will be decoded::

        x - x_hat -- blocks -- round to means + integers -- blocks -- (+) x_hat
                                 ^ scales, means, from y_hat and the hyper-synthesis

    Parameters
    ----------
    config:
        One of `lutgen.training.loclic.networks.config.PRESETS`, or any other.
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.analysis = Analysis(config)
        self.synthesis = Synthesis(config)
        self.hyper_analysis = HyperAnalysis(config)
        self.hyper_synthesis = HyperSynthesis(config)
        self.entropy_model = EntropyModel(config)
        self.prior = FactorizedPrior(config.hyper_width)
        if config.remainder:
            self.remainder_analysis = BlockAnalysis(config.remainder)
            self.remainder_synthesis = BlockSynthesis(config.remainder)
            self.remainder_parameters = RemainderParameters(config)

    def forward(
        self, x: torch.Tensor, *, contexts: bool = True, step: torch.Tensor | float = 1.0
    ) -> dict:
        """Image and rate.

        In training, rates are of values with uniform noise (LoC-LIC, section 3.1), images of
        rounded ones with straight gradients; in evaluation both are of rounded ones.

        Parameters
        ----------
        x:
            Image in [0, 1], (B, 3, H, W), sides multiples of 64.
        contexts:
            Without, scales and means are those of the hyper-synthesis, as in Minnen et al. 2018:
            much faster, for the first steps of training.
        step:
            Rounding step of y and of the remainder, for each image, (B, 1, 1, 1), or for all.

        Returns
        -------
        dict
            ``x_hat``, shape of x, and ``likelihoods``, a dict of ``y``, (B, M, H/16, W/16), and
            ``z``, (B, N, H/64, W/64), and where there is one ``remainder``, (B, r, H/16, W/16):
            probabilities, of which the rate is minus the sum of binary logarithms.

        Raises
        ------
        InputError
            If x is of another shape.
        """
        if x.ndim != 4 or x.shape[1] != 3 or x.shape[2] % ALIGNMENT or x.shape[3] % ALIGNMENT:
            raise InputError(
                f"images must be of shape (B, 3, H, W) with sides that are multiples of "
                f"{ALIGNMENT}, not {tuple(x.shape)}"
            )
        c = self.config.channels
        # Training with channels last ends in corrupt memory, torch 2.13 on the CPU.
        x = x.contiguous()
        y = self.analysis(x)
        z = self.hyper_analysis(y)
        medians = self.prior.medians
        z_hat = straight_round(z - medians) + medians

        def rounded(values: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
            return straight_round((values - means) / step) * step + means

        def probability(
            values: torch.Tensor, scales: torch.Tensor, means: torch.Tensor
        ) -> torch.Tensor:
            values, scales, means = values / step, scales / step, means / step
            seen = noisy(values) if self.training else torch.round(values - means) + means
            return likelihood(seen, scales, means)

        def code(
            index: int, cells: torch.Tensor, scales: torch.Tensor, means: torch.Tensor
        ) -> torch.Tensor:
            return rounded(y[:, index * c : (index + 1) * c], means)

        hyper = self.hyper_synthesis(z_hat)
        if contexts:
            y_hat, scales, means = self.entropy_model(*hyper, code)
        else:
            scales, means = hyper
            y_hat = rounded(y, means)
        x_hat = self.synthesis(y_hat)
        likelihoods = {
            "y": probability(y, scales, means),
            "z": self.prior.likelihood(noisy(z) if self.training else z_hat),
        }
        if self.config.remainder:
            left = self.remainder_analysis(x - x_hat)
            scales, means = self.remainder_parameters(*hyper, y_hat)
            likelihoods["remainder"] = probability(left, scales, means)
            x_hat = x_hat + self.remainder_synthesis(rounded(left, means))
        return {"x_hat": x_hat, "likelihoods": likelihoods}
