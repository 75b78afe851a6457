"""A step of training of the lossy codec, as one graph of kernels where that pays.

The context networks are some thousand small kernels, which a GPU has done with sooner than Python
has launched them: recorded once and replayed, a step takes the time of its arithmetic.
"""

import torch
from torch import nn

from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.schedule import TrainConfig
from lutgen.training.run.parallel import rank, world

__all__ = ["TrainingStep", "bits_per_pixel"]

#: Steps before one is recorded, in which libraries choose kernels and optimizers make their state.
_BEFORE = 3


def bits_per_pixel(out: dict) -> torch.Tensor:
    """Rate of what `Codec.forward` gave, a scalar."""
    batch, _, height, width = out["x_hat"].shape
    bits = sum(-v.log2().sum() for v in out["likelihoods"].values())
    return bits / (batch * height * width)


class TrainingStep:
    """Changes a codec's weights, crops by crops.

    Parameters
    ----------
    network:
        Codec in training mode, on its device.
    config:
        Of the run.

    Members
    -------
    main, auxiliary : optimizers of all weights, and of the quantiles of the factorized prior
    """

    def __init__(self, network: Codec, config: TrainConfig) -> None:
        self._network, self._config = network, config
        quantiles = network.prior.quantiles
        self._others = [p for p in network.parameters() if p is not quantiles]
        device = quantiles.device
        # What is replayed reads rates from memory, and counts steps there.
        self._recorded = device.type == "cuda" and world() == 1
        self._rate = torch.zeros((), device=device)
        fused = True if self._recorded else None  # else torch's own choice
        self.main = torch.optim.Adam(
            self._others, lr=self._rate if self._recorded else 0.0, capturable=self._recorded,
            fused=fused,
        )  # fmt: skip
        self.auxiliary = torch.optim.Adam(
            [quantiles], lr=config.auxiliary_rate, capturable=self._recorded, fused=fused
        )
        self._form: tuple | None = None
        self._count = 0

    def __call__(self, step: int, x: torch.Tensor) -> torch.Tensor:
        """Take a step.

        Parameters
        ----------
        step:
            Its number, from 0; noise and rate are functions of it.
        x:
            Images in [0, 1], (B, 3, crop, crop).

        Returns
        -------
        torch.Tensor
            Loss, bits per pixel, squared error, and loss of the quantiles, as before the step:
            (4,), which the next step may overwrite.
        """
        contexts = self._config.stage(step).contexts
        self._set_rate(self._config.rate_of(step))
        # The noise of a step must not depend on where a run went on.
        torch.manual_seed(((self._config.seed << 20) + step) * 1024 + rank())
        if not self._recorded:
            return self._take(x, contexts)
        form = (tuple(x.shape), contexts)
        if form != self._form:
            self._form, self._count = form, 0
            self._graph, self._x = torch.cuda.CUDAGraph(), torch.empty_like(x)
            self._stream = torch.cuda.Stream()
        self._x.copy_(x)
        self._count += 1
        if self._count <= _BEFORE:
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                values = self._take(self._x, contexts)
            torch.cuda.current_stream().wait_stream(self._stream)
            return values
        if self._count == _BEFORE + 1:
            self._clear()
            with torch.cuda.graph(self._graph):
                self._values = self._take(self._x, contexts)
        self._graph.replay()
        return self._values

    def _set_rate(self, rate: float) -> None:
        for group in self.main.param_groups:
            group["lr"] = self._rate.fill_(rate) if self._recorded else rate

    def _clear(self) -> None:
        """Gradients to none, so that networks without a part in the stage rest."""
        self.main.zero_grad()
        self.auxiliary.zero_grad()

    def _rounding(self, x: torch.Tensor) -> torch.Tensor | float:
        """Rounding steps of images, (B, 1, 1, 1): one of each part of the range."""
        least, greatest = self._config.rounding
        if least == greatest:
            return least
        share = torch.arange(len(x), device=x.device) + torch.rand(len(x), device=x.device)
        return (least * (greatest / least) ** (share / len(x)))[:, None, None, None]

    def _take(self, x: torch.Tensor, contexts: bool) -> torch.Tensor:
        step = self._rounding(x)
        out = self._network(x, contexts=contexts, step=step)
        rate = bits_per_pixel(out)
        squares = (out["x_hat"] - x) ** 2
        loss = self._config.weight * 255**2 * (squares / step**2).mean() + rate
        error = squares.mean()
        side = self._network.prior.loss()
        self._clear()
        # Of other parameters the side loss has no gradient, of the quantiles the loss has none.
        (loss + side).backward()
        values = torch.stack([loss, rate, error, side]).detach()
        if world() > 1:
            _mean(self._network, values)
        nn.utils.clip_grad_norm_(self._others, self._config.clip)
        self.main.step()
        self.auxiliary.step()
        return values


def _mean(network: nn.Module, values: torch.Tensor) -> None:
    """Mean over processes of the gradients and of the values, in place."""
    for parameter in network.parameters():
        if parameter.grad is None:
            continue
        torch.distributed.all_reduce(parameter.grad)
        parameter.grad /= world()
    torch.distributed.all_reduce(values)
    values /= world()
