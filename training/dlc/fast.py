"""The hard forward pass on the CPU: table nodes and sampled candidates, tens of times faster.

Forward, every connection is its argmax and every node a truth table, so a layer is a handful of
byte operations; backward, the gradients are those of `TableNodes` and of the soft connections
(`connect`), except that a bit hears only of the pins that read it.
"""

import numpy as np
import torch

from lutgen.training.dlc import kernels
from lutgen.training.dlc.node import FANIN

__all__ = ["hard_layer"]


class _HardLayer(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, logits, entries, chosen, thresholds, tau_connections, tau_nodes):
        source = x.detach().to(torch.uint8).numpy()
        best = logits.detach().argmax(0)[None]
        row = chosen.gather(0, best)[0].numpy()
        bound = np.zeros_like(row) if thresholds is None else thresholds.gather(0, best)[0].numpy()
        nodes, batch = len(entries), source.shape[1]
        index = np.empty((nodes, batch), dtype=np.uint8)
        out = np.empty((nodes, batch), dtype=np.uint8)
        table = (entries.detach() > 0).to(torch.uint8).numpy()
        kernels.lookup(source, row, bound, table, index, out)
        ctx.save_for_backward(logits, entries, chosen, thresholds)
        ctx.state = source, row, index, tau_connections, tau_nodes, x.requires_grad
        return torch.from_numpy(out).float()

    @staticmethod
    def backward(ctx, grad):
        logits, entries, chosen, thresholds = ctx.saved_tensors
        source, row, index, tau_connections, tau_nodes, wants = ctx.state
        grad = grad.contiguous().numpy()
        soft = torch.sigmoid(entries.detach() / tau_nodes)
        to_soft, to_weights = torch.empty_like(soft), torch.empty_like(logits)
        steps = np.empty((len(index), FANIN, 1 << FANIN), dtype=np.float32)
        bound = torch.zeros_like(chosen) if thresholds is None else thresholds
        kernels.backward_layer(
            grad, index, soft.numpy(), source, chosen.numpy(), bound.numpy(), to_soft.numpy(),
            to_weights.numpy(), steps,
        )  # fmt: skip
        to_entries = to_soft * soft * (1 - soft) / tau_nodes
        weights = torch.softmax(logits.detach() / tau_connections, 0)
        mean = (weights * to_weights).sum(0)
        to_logits = weights * (to_weights - mean) / tau_connections

        to_x = None
        if wants:
            order = np.argsort(row, kind="stable")
            start = np.searchsorted(row[order], np.arange(len(source) + 1))
            to_x = torch.empty(source.shape)
            kernels.backward_source(grad, index, steps, start, order, to_x.numpy())
        return to_x, to_logits, to_entries, None, None, None, None


def hard_layer(
    x: torch.Tensor, logits: torch.Tensor, entries: torch.Tensor, chosen: torch.Tensor,
    thresholds: torch.Tensor | None, tau_connections: float, tau_nodes: float,
) -> torch.Tensor:  # fmt: skip
    """One hard layer.

    Parameters
    ----------
    x:
        Shape (I, B): uint8 features, or float32 bits of 0 and 1.
    logits:
        float32 (S, 6 N) of each pin's candidates.
    entries:
        float32 (N, 64), table logits.
    chosen:
        int64 (S, 6 N): row of ``x`` of each candidate.
    thresholds:
        int64 (S, 6 N) if ``x`` are features: a candidate is ``x > threshold``.
    tau_connections, tau_nodes:
        Temperatures of the gradients.

    Returns
    -------
    torch.Tensor
        float32 (N, B) of 0 and 1.
    """
    return _HardLayer.apply(x, logits, entries, chosen, thresholds, tau_connections, tau_nodes)
