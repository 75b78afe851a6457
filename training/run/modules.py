"""Parts of networks of known kinds: by torch's own types, each is any `torch.nn.Module`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar, overload

import torch
from torch import nn

__all__ = ["ListOf", "bias_of", "layer_of"]

Part = TypeVar("Part", bound=nn.Module)


class ListOf(nn.ModuleList, Generic[Part]):
    """`torch.nn.ModuleList` of one kind of parts; nothing else differs."""

    if TYPE_CHECKING:
        def __init__(self, modules: Iterable[Part] | None = None) -> None: ...

        def __iter__(self) -> Iterator[Part]: ...

        @overload
        def __getitem__(self, idx: slice) -> "ListOf[Part]": ...

        @overload
        def __getitem__(self, idx: int) -> Part: ...

        def __getitem__(self, idx: slice | int) -> "ListOf[Part] | Part": ...


def layer_of(kind: type[Part], stages: nn.Sequential, place: int) -> Part:
    """Layer number ``place``, counted from the end if negative.

    Raises
    ------
    AssertionError
        If it is of another kind: the network was changed, and who asks must be, too.
    """
    layer = stages[place]
    if not isinstance(layer, kind):
        raise AssertionError(f"layer must be a {kind.__name__}, not a {type(layer).__name__}")
    return layer


def bias_of(layer: nn.Conv2d | nn.Linear) -> torch.Tensor:
    """The bias of a layer that has one.

    Raises
    ------
    AssertionError
        If it has none.
    """
    if layer.bias is None:
        raise AssertionError(f"{type(layer).__name__} must have a bias")
    return layer.bias
