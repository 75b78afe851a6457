"""Nodes of a LUT layer while it is trained: what becomes a 64-entry truth table."""

import torch
from torch import nn

__all__ = ["FANIN", "NeuraLutNodes", "TableNodes", "logistic_noise"]

FANIN = 6


def _corners(device=None) -> torch.Tensor:
    """All pin combinations, float (64, 6): pin j of row k is bit j of k."""
    k = torch.arange(1 << FANIN, device=device)
    return (k[:, None] >> torch.arange(FANIN, device=device) & 1).float()


def logistic_noise(like: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Standard logistic noise of the shape of ``like``: the difference of two Gumbel variables."""
    u = torch.rand(like.shape, generator=generator, device=like.device, dtype=torch.float32)
    return torch.logit(u.clamp_(1e-6, 1 - 1e-6)).to(like.dtype)


def _relax(logits, tau, hard, noise, generator):
    """Bits of logits: soft ones in (0, 1), or hard ones with the gradients of soft ones."""
    if noise and not hard:
        logits = logits + logistic_noise(logits, generator)
    soft = torch.sigmoid(logits / tau)
    if not hard:
        return soft
    return soft + ((logits > 0).to(soft.dtype) - soft).detach()


class NeuraLutNodes(nn.Module):
    """Nodes that are small networks of their six pins (NeuraLUT, Andronic and Constantinides 2024).

    One hidden layer with ReLU and a linear path around it; the sigmoid of the output at the node
    temperature, with logistic noise before it (GIC-DLC, section 3.2).

    Parameters
    ----------
    nodes:
        N, number of nodes.
    hidden:
        Units of the hidden layer; the paper does not give the size of its small network.
    residual:
        Begin as the first pin, passed on.
    generator:
        Of the first weights.
    """

    def __init__(
        self, nodes: int, *, hidden: int = 8, residual: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()

        def normal(*shape, scale):
            return nn.Parameter(scale * torch.randn(*shape, generator=generator))

        # Pins count as -1 and 1, so that logits begin with about unit variance.
        self.inward = normal(nodes, FANIN, hidden, scale=FANIN**-0.5)
        self.bias = normal(nodes, 1, hidden, scale=0.5)
        self.outward = normal(nodes, hidden, 1, scale=(0.3 if residual else 1.5) * hidden**-0.5)
        self.around = normal(nodes, FANIN, 1, scale=(0.1 if residual else 1.0) * FANIN**-0.5)
        self.offset = nn.Parameter(torch.zeros(nodes, 1, 1))
        if residual:
            with torch.no_grad():
                self.around[:, 0] += 2.0

    def logits(self, pins: torch.Tensor) -> torch.Tensor:
        """Logits (N, B) of pins (N, B, 6) in [0, 1]."""
        x = 2 * pins - 1
        hidden = torch.relu(torch.baddbmm(self.bias, x, self.inward))
        return (torch.baddbmm(self.offset, x, self.around) + hidden @ self.outward)[..., 0]

    def forward(
        self, pins: torch.Tensor, tau: float, hard: bool = False, noise: bool = False,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """Bits (B, N) of pins (B, 6 N)."""
        pins = pins.view(len(pins), -1, FANIN).transpose(0, 1)
        return _relax(self.logits(pins).T, tau, hard, noise, generator)

    @torch.no_grad()
    def tables(self) -> torch.Tensor:
        """Truth tables, bool (N, 64): all pin combinations tried."""
        corners = _corners(self.offset.device).expand(len(self.offset), -1, -1)
        return self.logits(corners) > 0


class _TableLookup(torch.autograd.Function):
    """Entry of a table at hard pins; the gradient of a pin is the difference that it makes."""

    @staticmethod
    def forward(ctx, table, soft, pins):
        # table (N, 64) of 0 and 1, soft (N, 64) what it was rounded from, pins (B, N, 6) of 0 and 1
        weight = torch.tensor([1 << j for j in range(FANIN)], dtype=pins.dtype, device=pins.device)
        index = (pins @ weight).long()
        index += torch.arange(0, table.numel(), table.shape[1], device=table.device)
        ctx.save_for_backward(soft, index)
        return table.flatten()[index]

    @staticmethod
    def backward(ctx, grad):
        soft, index = ctx.saved_tensors
        flat = soft.flatten()
        to_table = torch.zeros_like(flat).index_add_(0, index.flatten(), grad.flatten())
        to_pins = torch.stack(
            [(flat[index | 1 << j] - flat[index & ~(1 << j)]) * grad for j in range(FANIN)], dim=-1
        )
        return to_table.view_as(soft), None, to_pins


class TableNodes(nn.Module):
    """Nodes that are plain learned tables of 64 logits.

    A soft node is the multilinear interpolation of its entries' sigmoids; a hard one looks its
    entry up, and the gradient of a pin is the difference between its two neighbouring entries
    (Bacellar et al. 2025, without their weighting of farther ones).

    Parameters
    ----------
    nodes, generator:
        As in `NeuraLutNodes`.
    pins:
        Weights of the pins, (6,) or (N, 6), in the logits that nodes begin with: [c, 0, ...]
        passes the first pin on, equal ones take the majority, zeros say nothing.
    spread:
        Standard deviation of what is added to each first logit.
    """

    def __init__(
        self, nodes: int, *, pins: torch.Tensor | None = None, spread: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        first = spread * torch.randn(nodes, 1 << FANIN, generator=generator)
        if pins is not None:
            first = first + pins @ (2 * _corners() - 1).T
        self.entries = nn.Parameter(first)

    def forward(
        self, pins: torch.Tensor, tau: float, hard: bool = False, noise: bool = False,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:  # fmt: skip
        """Bits (B, N) of pins (B, 6 N)."""
        pins = pins.view(len(pins), -1, FANIN)
        table = _relax(self.entries, tau, hard, noise, generator)
        if hard:
            return _TableLookup.apply(table, torch.sigmoid(self.entries.detach() / tau), pins)
        # One pin after the other decides between the halves of what is left, last pin first.
        part = table
        for j in reversed(range(FANIN)):
            low, high = part.chunk(2, dim=-1)
            part = torch.lerp(low, high, pins[..., j, None])
        return part[..., 0]

    @torch.no_grad()
    def tables(self) -> torch.Tensor:
        """Truth tables, bool (N, 64)."""
        return self.entries > 0
