"""Networks without memory: what a configuration asks for, before any of it is made.

A file of a few bytes can name a configuration of gigabytes.  So its arrays are compared with a
network on torch's device ``meta`` first, whose tensors have shapes only: when names and shapes
agree, the network is no larger than what was read.
"""

from collections.abc import Iterable, Mapping

import torch

from lutgen.errors import InputError
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import CodecConfig

__all__ = ["check_finite", "check_shapes", "skeleton"]

#: A slice of the entropy model has more arrays than that: 90 at least.
_ARRAYS_OF_SLICE = 50


def skeleton(config: CodecConfig, arrays: int) -> Codec:
    """The network of a configuration, on the device ``meta``.

    Raises
    ------
    InputError
        If so many arrays cannot be its weights; even a network without memory takes time.
    """
    if config.slices * _ARRAYS_OF_SLICE > arrays:
        raise InputError(
            f"slices must be at most {arrays // _ARRAYS_OF_SLICE} for {arrays} arrays, not "
            f"{config.slices}"
        )
    with torch.device("meta"):
        return Codec(config)


def check_shapes(
    wanted: Mapping[str, torch.Tensor], found: Mapping[str, Iterable[int]], where: str = ""
) -> None:
    """Compare the state of a skeleton with shapes by name.

    Raises
    ------
    InputError
        If names or shapes differ.
    """
    for name in sorted(wanted.keys() ^ found.keys()):
        state = "be there" if name in wanted else "be absent"
        raise InputError(f"array {where}{name} must {state}")
    for name, value in wanted.items():
        if tuple(found[name]) != tuple(value.shape):
            raise InputError(
                f"array {where}{name} must be of shape {tuple(value.shape)}, not "
                f"{tuple(found[name])}"
            )


def check_finite(weights: Mapping[str, torch.Tensor], where: str = "") -> None:
    """
    Raises
    ------
    InputError
        If a number is infinite or none.
    """
    for name, value in weights.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise InputError(f"weights {where}{name} must be finite")
