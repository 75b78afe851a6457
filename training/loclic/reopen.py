"""Exported codecs as networks that training can go on from.

What an export rounded stays rounded: integers of the shared networks become the floats that they
stand for.  A file has no prior of z, but its tables, to which a new one is fitted.
"""

import zipfile

import numpy as np
import torch

from lutgen.codec.lossy.model import PRIOR_CLASS, LossyModelFile
from lutgen.errors import InputError
from lutgen.training.loclic.deployed import DeployedCodec, is_affine
from lutgen.training.loclic.fixed.number import UNIT
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.factorized_prior import FactorizedPrior
from lutgen.training.loclic.store import load_codec

__all__ = ["load_start", "reopened"]

#: Steps and rate of Adam that the prior is fitted with.
_FITTED, _RATE = 300, 0.03


def load_start(path) -> tuple[Codec, dict]:
    """A codec to train on, and the record of its training.

    Parameters
    ----------
    path:
        What `.store.save_codec` wrote, an exported codec, or the name of the shipped one.

    Raises
    ------
    InputError
        If it is none of these.
    OSError
        If it cannot be read.
    """
    try:
        if zipfile.is_zipfile(path):
            return load_codec(path)
        file = LossyModelFile.read(path)
        return reopened(file), dict(file.meta.get("training", {}))
    except InputError as error:
        raise InputError(f"{path} must be a codec to train on: {error}") from error


def reopened(file: LossyModelFile) -> Codec:
    """The networks of an exported codec, for evaluation.

    Raises
    ------
    InputError
        If the file's arrays are not those of its configuration.
    """
    codec = DeployedCodec(file)
    network = Codec(codec.config).eval()
    for part, module in network.named_children():
        if part == "prior":
            continue
        fixed = getattr(codec, part)
        state = fixed.state_dict()
        if part in codec.shared:
            state = {name: _float(fixed, name, state) for name in module.state_dict()}
        module.load_state_dict(state)
    rows = np.diff(codec.tables.tables.cumulative, axis=1)[PRIOR_CLASS:, :-1].astype(np.float32)
    _fit(network.prior, torch.from_numpy(rows), codec.medians / UNIT)
    return network


def _float(network: torch.nn.Module, name: str, state: dict) -> torch.Tensor:
    """A weight or bias of a network of integers, in what it stands for."""
    value = state[name]
    layer, _, kind = name.rpartition(".")
    if not is_affine(network.get_submodule(layer)):
        return (value / UNIT).float()
    shift = state[f"{layer}.shift"].reshape(-1, *(1 for _ in value.shape[1:]))
    return (value / torch.exp2(shift) / (UNIT if kind == "bias" else 1)).float()


@torch.enable_grad()
def _fit(prior: FactorizedPrior, rows: torch.Tensor, medians: torch.Tensor) -> None:
    """Let a prior have these medians and, round them, frequencies of -127..127 as the rows."""
    with torch.no_grad():
        prior.quantiles.add_(medians.float()[:, None] - prior.quantiles[:, 1:2])
        prior.biases[-1].sub_(prior.logits(medians.float()[:, None])[..., None])
    share = rows / rows.sum(1, keepdim=True)
    most = rows.shape[1] // 2
    values = medians.float()[:, None] + torch.arange(-most, most + 1)
    weights = [p for p in prior.parameters() if p is not prior.quantiles]
    adam = torch.optim.Adam(weights, lr=_RATE)
    for _ in range(_FITTED):
        adam.zero_grad()
        cost = -(share * prior.probability(values).clamp(min=1e-9).log()).sum(1).mean()
        cost.backward()
        adam.step()
    prior.zero_grad()
