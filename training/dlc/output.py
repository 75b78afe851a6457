"""What the last layer's bits mean while a network is trained: losses, and integer heads."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import nn

from lutgen.model.head import PROB_BITS, SYMBOLS, LaplaceHead, TableHead

__all__ = ["LaplaceOutput", "TableOutput", "UpsampleOutput", "floored"]

#: Scale classes of the integer tables, and their range in pixels.
_SCALES = 64
_LEAST, _MOST = 0.03, 400.0
#: How far a recounted location may move, in half pixels, and how many windows it takes.
_REACH = 24
_RARE = 50


def floored(bits: torch.Tensor) -> torch.Tensor:
    """Code length in bits when every symbol keeps a frequency of one, as in the integer tables."""
    unit = 2.0**-PROB_BITS
    return -torch.log2((1 - SYMBOLS * unit) * torch.exp2(-bits) + unit)


class LaplaceOutput:
    """The paper's head: averages of bits are location and scale (GIC-DLC, sections 3.1 and 3.2).

    ``mu`` is 255 times the average of its group.  The logarithm of ``sigma`` is the inverse
    sigmoid of the average of its group, counted with half a bit more on both sides, so that it
    is finite: 512 bits reach from 0.001 to 1,000 pixels.

    Parameters
    ----------
    mu, sigma:
        Number of bits of the groups, in this order in the last layer.
    """

    def __init__(self, mu: int, sigma: int) -> None:
        self.mu = mu
        self.sigma = sigma

    def parameters(self, bits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Location and log scale (B,) in pixels, of bits (B, mu + sigma) in [0, 1]."""
        mu = 255 * bits[:, : self.mu].mean(1)
        average = (bits[:, self.mu :].sum(1) + 0.5) / (self.sigma + 1)
        return mu, torch.logit(average)

    def code_length(self, bits: torch.Tensor, symbols: torch.Tensor) -> torch.Tensor:
        """Bits (B,) of symbols (B,): ``-log2`` of the mass of [x - 0.5, x + 0.5].

        The mass beyond 0 and 255 is theirs.  Far tails keep a gradient: no floor, see `floored`.
        """
        mu, log_scale = self.parameters(bits)
        scale = log_scale.exp()
        x = symbols.to(mu.dtype)
        d = (x - mu).abs()
        inside = d < 0.5
        # Each branch gets arguments at which it is finite, or its gradient would be NaN.
        far = torch.where(inside, 1.0, d)
        far = -(far - 0.5) / scale + torch.log(-0.5 * torch.expm1(-1 / scale) + 1e-30)
        near = torch.where(inside, d, 0.0)
        near = 0.5 * (torch.exp(-(0.5 - near) / scale) + torch.exp(-(0.5 + near) / scale))
        near = torch.log1p(-near.clamp(max=1 - 1e-6))
        log_p = torch.where(inside, near, far)
        log_p = torch.where(x <= 0, _log_cdf(0.5 - mu, scale), log_p)
        log_p = torch.where(x >= 255, _log_cdf(mu - 254.5, scale), log_p)
        return -log_p / math.log(2)

    def head(self) -> LaplaceHead:
        """Integer tables of the paper's mapping: half-pixel locations, the nearest of 64 scales."""
        scales = np.geomspace(_LEAST, _MOST, _SCALES)
        tables = LaplaceHead.from_scales(scales, self.mu, self.sigma)
        count = np.arange(self.sigma + 1)
        own = np.log((count + 0.5) / (self.sigma - count + 0.5))
        nearest = np.abs(own[:, None] - np.log(scales)).argmin(1)
        return LaplaceHead(tables.mu, nearest, tables.cdf)

    def recounted(
        self, mu: np.ndarray, sigma: np.ndarray, symbols: np.ndarray, weights: np.ndarray
    ) -> LaplaceHead:
        """Integer tables whose location and scale of each count suit training windows best.

        As with the pmfs of a table head, what counts mean is counted again when the network is
        hard: each count of ones gets the scale, then the location near its own, of least code
        length.  Rare counts keep their meaning.

        Parameters
        ----------
        mu, sigma:
            int64, shape (N,): counts of ones.
        symbols, weights:
            Shape (N,): what followed, and how often.
        """
        head = self.head()
        for _ in range(2):
            scale = _best(
                sigma, head.sigma, range(-head.scales, head.scales), head.scales - 1,
                lambda new, head=head: head.code_length(
                    512 * new[sigma] + head.mu[mu], symbols
                ) * weights,
            )  # fmt: skip
            head = LaplaceHead(head.mu, scale, head.cdf)
            location = _best(
                mu, head.mu, range(-_REACH, _REACH + 1), 2 * (SYMBOLS - 1),
                lambda new, head=head: head.code_length(
                    512 * head.sigma[sigma] + new[mu], symbols
                ) * weights,
            )  # fmt: skip
            head = LaplaceHead(location, head.sigma, head.cdf)
        return head


def _best(
    count: np.ndarray, table: np.ndarray, shifts: Iterable[int], most: int,
    paid: Callable[..., np.ndarray],
) -> np.ndarray:  # fmt: skip
    """Each entry of a table moved as far as makes its windows cheapest."""
    seen = np.bincount(count, minlength=len(table))
    least, best = np.full(len(table), np.inf), table
    for shift in sorted(shifts, key=abs):
        moved = np.clip(table + shift, 0, most)
        bits = np.bincount(count, paid(moved), len(table))
        better = (bits < least) & ((seen >= _RARE) | (shift == 0))
        least = np.where(better, bits, least)
        best = np.where(better, moved, best)
    return best


def _log_cdf(z: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Logarithm of the Laplace distribution function."""
    below = z < 0
    left = math.log(0.5) + torch.where(below, z, 0.0) / scale
    right = torch.log1p(-0.5 * torch.exp(-torch.where(below, 0.0, z) / scale))
    return torch.where(below, left, right)


class UpsampleOutput:
    """Four pixels, each 255 times the average of its group of bits (GIC-DLC, section 3.1).

    Of several channels there are four of each: P groups in all.

    Parameters
    ----------
    pixel:
        Bits of each of the groups.
    """

    def __init__(self, pixel: int) -> None:
        self.pixel = pixel

    def pixels(self, bits: torch.Tensor) -> torch.Tensor:
        """Pixels (B, P), float, of bits (B, P * pixel) in [0, 1]."""
        return 255 * bits.view(len(bits), bits.shape[1] // self.pixel, self.pixel).mean(2)

    def squared_error(self, bits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Squared errors (B, P) against targets (B, P)."""
        return (self.pixels(bits) - targets.to(bits.dtype)).square()


class _Paid(torch.autograd.Function):
    """Code length at a class index; the gradient of a bit is the difference that it makes."""

    @staticmethod
    def forward(ctx, bits, lengths, symbols):
        place = 1 << torch.arange(bits.shape[1], device=bits.device)
        index = ((bits > 0.5).long() * place).sum(1)
        ctx.save_for_backward(index, lengths, symbols, place)
        return lengths[index, symbols]

    @staticmethod
    def backward(ctx, grad):
        index, lengths, symbols, place = ctx.saved_tensors
        at = index[:, None], symbols[:, None]
        to_bits = lengths[at[0] | place, at[1]] - lengths[at[0] & ~place, at[1]]
        return to_bits * grad[:, None], None, None


class TableOutput(nn.Module):
    """Head ``table``: the bits are a class index, each class has a pmf that is counted.

    Counts are those of the training windows, of late ones more than of early ones: given the
    classes, they are the best pmfs at any moment.  A bit hears how much longer or shorter the
    code would be if it were the other.

    Parameters
    ----------
    bits:
        Of the class index.
    memory:
        Share of the counts that a step leaves.
    """

    counts: torch.Tensor

    def __init__(self, bits: int, memory: float = 0.99) -> None:
        super().__init__()
        self.memory = memory
        self.register_buffer("counts", torch.zeros(1 << bits, SYMBOLS, dtype=torch.float64))

    def lengths(self, strength: float = 1.0) -> torch.Tensor:
        """Code length in bits of each symbol in each class, float32 (classes, 256), floored.

        ``strength`` pseudo-counts per class are spread like all symbols.
        """
        total = self.counts.sum(0) + 1.0
        pmf = self.counts + strength * total / total.sum()
        pmf = pmf / pmf.sum(1, keepdim=True)
        unit = 2.0**-PROB_BITS
        return -torch.log2((1 - SYMBOLS * unit) * pmf + unit).float()

    def code_length(self, bits: torch.Tensor, symbols: torch.Tensor) -> torch.Tensor:
        """Bits (B,) of symbols (B,)."""
        return _Paid.apply(bits, self.lengths(), symbols.long())

    @torch.no_grad()
    def count(self, bits: torch.Tensor, symbols: torch.Tensor, weights: torch.Tensor) -> None:
        """Add what was seen; a class index is made of hard bits."""
        place = 1 << torch.arange(bits.shape[1], device=bits.device)
        index = ((bits > 0.5).long() * place).sum(1) * SYMBOLS + symbols.long()
        seen = torch.bincount(index, weights.double(), self.counts.numel())
        self.counts.mul_(self.memory).add_(seen.view_as(self.counts))

    def head(self, strength: float) -> TableHead:
        """Integer tables of the counts."""
        counts = self.counts.cpu().numpy()
        total = counts.sum(0) + 1.0
        return TableHead.from_counts(counts + strength * total / total.sum())
