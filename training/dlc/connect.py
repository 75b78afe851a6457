"""Learned connections: which signal each pin of a LUT layer reads (GIC-DLC, section 3.2).

Each pin holds a weight per candidate signal.  A soft pin is the softmax-weighted mean of its
candidates, a hard pin the candidate of largest weight.

The candidates of the first layer are thermometer bits ``feature > threshold``.  The mean over the
bits of one feature, ``sum_t w[t] (v > t)``, is a prefix sum of ``w`` looked up at ``v``; so the
product with 255 bits per feature becomes one row of a table per feature, added up.  It is exact,
and its gradients are too: rows are scattered back and summed from the other end.
"""

import torch
import torch.nn.functional as F
from torch import nn

from lutgen.errors import InputError

__all__ = ["BitConnection", "ThermometerConnection", "prefix_lookup"]


def _prefix_sum(weights: torch.Tensor) -> torch.Tensor:
    """Sums of the first 0, 1, ... T rows of (T, ...): shape (T + 1, ...)."""
    out = weights.new_zeros(weights.shape[0] + 1, *weights.shape[1:])
    if weights.is_cuda:
        torch.cumsum(weights, 0, out=out[1:])
        return out
    # Whole rows at a time: several times faster than cumsum across the slow dimension.
    for row, before, after in zip(weights, out, out[1:], strict=False):
        torch.add(before, row, out=after)
    return out


class _PrefixLookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weights, rank, dtype):
        table = _prefix_sum(weights.float()).to(dtype)
        ctx.save_for_backward(rank)
        ctx.shape = weights.shape
        return F.embedding_bag(rank, table.flatten(0, 1), mode="sum").to(weights.dtype)

    @staticmethod
    def backward(ctx, grad):
        (rank,) = ctx.saved_tensors
        thresholds, features, pins = ctx.shape
        rows = _scatter_rows(rank, grad, (thresholds + 1) * features)
        rows = rows.view(thresholds + 1, features, pins)
        # Bit t is set in samples of rank above t: sum from the last rank down to t + 1.
        for t in range(thresholds - 1, 0, -1):
            rows[t] += rows[t + 1]
        return rows[1:], None, None


def _scatter_rows(rank: torch.Tensor, grad: torch.Tensor, rows: int) -> torch.Tensor:
    """Sum of the rows of ``grad`` (B, P) by each of their ranks (B, F): shape (rows, P)."""
    if grad.is_cuda:
        out = grad.new_zeros(rows, grad.shape[1])
        for column in rank.T:
            out.index_add_(0, column, grad)
        return out
    # The transposed lookup: bags are the ranks, what they hold are samples.
    order = torch.argsort(rank.flatten(), stable=True)
    count = torch.bincount(rank.flatten(), minlength=rows)
    start = torch.cumsum(count, 0) - count
    return F.embedding_bag(order // rank.shape[1], grad, start, mode="sum")


def prefix_lookup(
    weights: torch.Tensor, rank: torch.Tensor, dtype: torch.dtype = torch.float32
) -> torch.Tensor:
    """Product of all thermometer bits with a matrix, by prefix sums.

    Parameters
    ----------
    weights:
        Shape (T, F, P): of bit ``t`` of feature ``f`` for pin ``p``.
    rank:
        int64, shape (B, F): ``r * F + f``, where the first ``r`` of the T bits are set.
    dtype:
        In which the table of sums is read; sums themselves are float32.

    Returns
    -------
    torch.Tensor
        Shape (B, P): ``sum over f and t < r of weights[t, f]``.
    """
    return _PrefixLookup.apply(weights, rank, dtype)


class _Softmax(torch.autograd.Function):
    """Softmax over the first dimension of (C, P) at a temperature, gradient in one pass."""

    @staticmethod
    def forward(ctx, logits, tau):
        weights = (logits - logits.amax(0)).div_(tau).exp_()
        weights.div_(weights.sum(0))
        ctx.save_for_backward(weights)
        ctx.tau = tau
        return weights

    @staticmethod
    def backward(ctx, grad):
        (weights,) = ctx.saved_tensors
        mean = torch.linalg.vecdot(weights, grad, dim=0)
        return (grad - mean).mul_(weights).div_(ctx.tau), None


class _Connection(nn.Module):
    """Weights of ``pins`` pins on all of ``candidates`` signals, or on some of them each.

    Parameters
    ----------
    candidates:
        Number of signals.
    pins:
        Number of pins.
    chosen:
        int64 (S, P): candidates of each pin; None for all, as in the paper.
    favour:
        Added to the weight of the first of the chosen candidates.
    generator:
        Of the first weights.
    """

    chosen: torch.Tensor | None

    def __init__(
        self, candidates: int, pins: int, chosen: torch.Tensor | None, favour: float,
        generator: torch.Generator | None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.candidates = candidates
        self.pins = pins
        if chosen is not None and (
            chosen.shape[1:] != (pins,) or chosen.min() < 0 or chosen.max() >= candidates
        ):
            raise InputError(
                f"chosen must be of shape (S, {pins}) and below {candidates}, "
                f"not {tuple(chosen.shape)} up to {int(chosen.max())}"
            )
        self.register_buffer("chosen", chosen)
        rows = candidates if chosen is None else len(chosen)
        first = torch.randn(rows, pins, generator=generator)
        if favour:
            first *= 0.1
            first[0] += favour
        # Else standard normal at temperature 1: no candidate wins before anything is learned.
        self.logits = nn.Parameter(first)

    def weights(self, tau: float) -> torch.Tensor:
        """Softmax weights (C, P) of all candidates, zero where not drawn."""
        weights = _Softmax.apply(self.logits, tau)
        if self.chosen is None:
            return weights
        dense = weights.new_zeros(self.candidates, self.pins)
        return dense.scatter_add(0, self.chosen, weights)

    def choice(self) -> torch.Tensor:
        """Number of the candidate that each pin reads when hard, int64 (P,)."""
        best = self.logits.detach().argmax(0)
        if self.chosen is None:
            return best
        return self.chosen.gather(0, best[None])[0]

    def _drawn(self) -> torch.Tensor:
        """``chosen``, for what only connections with drawn candidates can do."""
        if self.chosen is None:
            raise InputError("connections must have drawn candidates, not all")
        return self.chosen


class ThermometerConnection(_Connection):
    """Connections of the first layer to thermometer bits.

    Candidate ``t * features + f`` is the bit ``feature f > thresholds[t]``.

    Parameters
    ----------
    features:
        F, number of uint8 features.
    pins:
        P, number of pins.
    thresholds:
        Increasing, 0 to 254; all 255 in the paper.
    chosen, favour, generator:
        As in `_Connection`; see `lutgen.training.dlc.wiring`.
    dtype:
        In which prefix sums are read: float32 or bfloat16.
    """

    thresholds: torch.Tensor
    row: torch.Tensor

    def __init__(
        self, features: int, pins: int, thresholds=range(255), *,
        chosen: torch.Tensor | None = None, favour: float = 0.0,
        dtype: torch.dtype = torch.float32, generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        thresholds = torch.as_tensor(list(thresholds), dtype=torch.int64)
        if not len(thresholds) or (thresholds.diff() <= 0).any() or (
            thresholds[0] < 0 or thresholds[-1] > 254
        ):
            raise InputError("thresholds must increase and lie within 0..254")
        super().__init__(features * len(thresholds), pins, chosen, favour, generator)
        self.features = features
        self.dtype = dtype
        self.register_buffer("thresholds", thresholds)
        # Number of thresholds below each pixel value, as rows of the table of a feature.
        below = torch.searchsorted(thresholds, torch.arange(256), side="left")
        self.register_buffer("row", below * features, persistent=False)

    def candidate_bits(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Feature and threshold of each chosen candidate, int64 (S, P) both."""
        drawn = self._drawn()
        return drawn % self.features, self.thresholds[drawn // self.features]

    def hard_pins(self, features: torch.Tensor) -> torch.Tensor:
        """What the pins read when hard, bool (B, P), of uint8 features (B, F)."""
        choice = self.choice()
        feature, bit = choice % self.features, choice // self.features
        return features[:, feature] > self.thresholds[bit]

    def forward(self, features: torch.Tensor, tau: float, hard: bool = False) -> torch.Tensor:
        """Pins (B, P) of uint8 features (B, F).

        Hard pins are 0 or 1 and have the gradients of soft ones with respect to the weights.
        """
        rank = self.row[features.long()] + torch.arange(self.features, device=features.device)
        weights = self.weights(tau).view(-1, self.features, self.pins)
        if not hard:
            return prefix_lookup(weights, rank, self.dtype)
        return _Forward.apply(weights, rank, self.hard_pins(features).to(weights.dtype))


class _Forward(_PrefixLookup):
    """A given value forward, `prefix_lookup` backward: the soft lookup itself is not needed."""

    @staticmethod
    def forward(ctx, weights, rank, value):
        ctx.save_for_backward(rank)
        ctx.shape = weights.shape
        return value


class BitConnection(_Connection):
    """Connections of a later layer to the outputs of the one before.

    Parameters
    ----------
    inputs:
        Number of outputs of the layer before.
    pins, chosen, favour, dtype, generator:
        As in `ThermometerConnection`.
    """

    def __init__(
        self, inputs: int, pins: int, *, chosen: torch.Tensor | None = None, favour: float = 0.0,
        dtype: torch.dtype = torch.float32, generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__(inputs, pins, chosen, favour, generator)
        self.dtype = dtype

    def candidate_bits(self) -> tuple[torch.Tensor, None]:
        """Bit of each chosen candidate, int64 (S, P); there are no thresholds."""
        return self._drawn(), None

    def hard_pins(self, bits: torch.Tensor) -> torch.Tensor:
        """What the pins read when hard, (B, P), of bits (B, I)."""
        return bits[:, self.choice()]

    def forward(self, bits: torch.Tensor, tau: float, hard: bool = False) -> torch.Tensor:
        """Pins (B, P) of bits (B, I) in [0, 1]."""
        weights = self.weights(tau)
        if not hard:
            return (bits.to(self.dtype) @ weights.to(self.dtype)).to(bits.dtype)
        return _HardGather.apply(bits, weights, self.choice(), self.dtype)


class _HardGather(torch.autograd.Function):
    """The chosen bits forward; backward as if they had been mixed by the weights."""

    @staticmethod
    def forward(ctx, bits, weights, choice, dtype):
        ctx.save_for_backward(bits, weights)
        ctx.dtype = dtype
        return bits[:, choice]

    @staticmethod
    def backward(ctx, grad):
        bits, weights = ctx.saved_tensors
        low = grad.to(ctx.dtype)
        to_bits = (low @ weights.T.to(ctx.dtype)).to(bits.dtype)
        to_weights = (bits.T.to(ctx.dtype) @ low).to(weights.dtype)
        return to_bits, to_weights, None, None
