"""A lower bound that does not stop gradients from leading back above it."""

import torch

__all__ = ["lower_bound"]


class _LowerBound(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: torch.Tensor, bound: float) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        (x,) = ctx.saved_tensors
        # A step against a negative gradient raises x.
        return gradient * ((x >= ctx.bound) | (gradient < 0)), None


def lower_bound(x: torch.Tensor, bound: float) -> torch.Tensor:
    """``max(x, bound)``; its gradient is zero only where x is below and would sink further."""
    return _LowerBound.apply(x, bound)
