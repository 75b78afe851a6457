"""Networks of floats to networks of integers."""

import copy

import torch
from torch import nn

from lutgen.training.loclic.contexts.linear_attention import LinearAttention
from lutgen.training.loclic.contexts.window_attention import WindowAttention
from lutgen.training.loclic.fixed.affine import FixedConv, FixedLinear
from lutgen.training.loclic.fixed.attention import FixedLinearAttention, FixedWindowAttention
from lutgen.training.loclic.fixed.curves import FixedGelu, FixedHalfTanh
from lutgen.training.loclic.fixed.functions import FunctionTables
from lutgen.training.loclic.fixed.layer_norm import FixedLayerNorm
from lutgen.training.loclic.fixed.number import to_fixed
from lutgen.training.loclic.networks.half_tanh import HalfTanh
from lutgen.training.run.modules import bias_of

__all__ = ["fixed_network"]


@torch.no_grad()
def fixed_network(network: nn.Module, tables: FunctionTables, bits: int | None) -> nn.Module:
    """A copy of a network whose layers compute with integers.

    Structure and code stay those of the float network: only the layers that have parameters or are
    no integer function are replaced.

    Parameters
    ----------
    network:
        Hyper-synthesis or entropy model.
    tables:
        Functions.
    bits:
        Of weights, 8 or 16; None for zeros in their place, to load others.

    Raises
    ------
    InputError
        If weights are too large.
    """
    network = copy.deepcopy(network).eval().double()
    _replace(network, tables, bits)
    # What is left are additions to integers, such as the bias of window attention.
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            parameter.copy_(to_fixed(parameter))
            parameter.requires_grad_(False)
    return network


def _replace(network: nn.Module, tables: FunctionTables, bits: int | None) -> None:
    for name, layer in network.named_children():
        new: nn.Module
        match layer:
            case nn.Conv2d() | nn.Linear():
                new = affine = (
                    FixedConv(layer) if isinstance(layer, nn.Conv2d) else FixedLinear(layer)
                )
                if bits is not None:
                    affine.take(layer.weight, bias_of(layer), bits)
            case nn.LayerNorm():
                new = FixedLayerNorm(layer)
            case nn.GELU():
                new = FixedGelu(tables)
            case HalfTanh():
                new = FixedHalfTanh(tables)
            case LinearAttention():
                new = FixedLinearAttention(layer, tables)
            case WindowAttention():
                new = FixedWindowAttention(tables)
            case _:
                _replace(layer, tables, bits)
                continue
        setattr(network, name, new)
