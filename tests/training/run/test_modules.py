"""Parts of networks of known kinds."""

import pytest
import torch
from torch import nn

from lutgen.training.run.modules import ListOf, bias_of, layer_of


class _Twice(nn.Module):
    def __init__(self, kind) -> None:
        super().__init__()
        self.parts = kind(nn.Linear(2, 3) for _ in range(2))


def test_a_list_is_that_of_torch():
    torch.manual_seed(0)
    own = _Twice(ListOf)
    torch.manual_seed(0)
    its = _Twice(nn.ModuleList)
    assert list(own.state_dict()) == list(its.state_dict())
    assert all(map(torch.equal, own.state_dict().values(), its.state_dict().values()))
    assert [part.weight.shape for part in own.parts] == [(3, 2)] * 2
    assert own.parts[1] is list(own.parts)[1] and isinstance(own.parts[:1], ListOf)
    its.load_state_dict(own.state_dict())


def test_layers_by_kind():
    stages = nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.Linear(3, 1, bias=False))
    assert layer_of(nn.Linear, stages, 0) is stages[0]
    assert layer_of(nn.Linear, stages, -1) is stages[2]
    assert bias_of(layer_of(nn.Linear, stages, 0)) is stages[0].bias
    with pytest.raises(AssertionError, match="^layer must be a Conv2d, not a GELU$"):
        layer_of(nn.Conv2d, stages, 1)
    with pytest.raises(AssertionError, match="^Linear must have a bias$"):
        bias_of(layer_of(nn.Linear, stages, 2))
