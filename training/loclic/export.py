"""Trained codecs to the files that are used."""

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import numpy as np
import torch

from lutgen.codec.lossy.escape import MOST, gaussian_pmf
from lutgen.codec.lossy.model import (
    FAR_CLASS,
    PRIOR_CLASS,
    RAW_CLASS,
    SCALES,
    LossyModelFile,
    far_pmf,
    residual_tables,
    scale_table,
    scale_thresholds,
)
from lutgen.errors import InputError
from lutgen.training.loclic.deployed import DeployedCodec, is_affine, shared, transforms
from lutgen.training.loclic.files import image_tensor
from lutgen.training.loclic.fixed.convert import fixed_network
from lutgen.training.loclic.fixed.functions import FunctionTables
from lutgen.training.loclic.fixed.number import UNIT, to_fixed
from lutgen.training.loclic.model import Codec

__all__ = ["export_codec"]

#: What the distributions of the network count as many residuals as, in each class.
_TRUST = 500.0
#: The same for the guess of what escapes.
_FAR_TRUST = 50.0


def export_codec(
    network: Codec, training: dict, images: Iterable[np.ndarray] = (), bits: int = 16,
    device: str = "cpu", steps: Sequence[int] = (UNIT,),
) -> LossyModelFile:  # fmt: skip
    """The file of a trained codec: its shared networks in integers, and all tables.

    Networks say what class a residual is of; what a class means is counted on images.  That
    repairs what a normal distribution of the nearest scale gets wrong, its light tails first.

    Parameters
    ----------
    network:
        Trained codec.
    training:
        Record of its training.
    images:
        To count on, uint8, (H, W, 3); without, tables are those of the distributions.
    bits:
        Of the weights of the shared networks, 8 or 16.  With 8, those of the transforms, which are
        floats, are rounded to 8 bits of mantissa, and the file has half of their bytes.
    device:
        Of torch, to count.
    steps:
        Rounding steps of y to count with, in units of 2**-12, each on all images.

    Raises
    ------
    InputError
        If weights are too large.
    """
    if bits not in (8, 16):
        raise InputError(f"weight bits must be 8 or 16, not {bits!r}")
    functions = FunctionTables.make()
    arrays = {f"functions.{name}": table for name, table in functions.arrays().items()}
    arrays["scales.thresholds"] = scale_thresholds(UNIT)
    medians = to_fixed(network.prior.medians.flatten())
    arrays["prior.medians"] = medians.cpu().numpy().astype(np.int32)
    for part in shared(network.config):
        fixed = fixed_network(getattr(network, part).cpu(), functions, bits)
        arrays |= _integers(part, fixed, bits)
    for part in transforms(network.config):
        for name, value in getattr(network, part).state_dict().items():
            value = value.bfloat16().float() if bits == 8 else value
            floats = np.ascontiguousarray(value.cpu().numpy(), dtype="<f4").view("<u4")
            arrays[f"{part}.{name}"] = (floats >> 16).astype("<u2") if bits == 8 else floats
    config = json.loads(json.dumps(asdict(network.config)))
    meta = {"config": config, "weight_bits": bits, "training": training}

    counts = _Counts(
        np.stack([gaussian_pmf(scale) for scale in scale_table()]), _prior_pmf(network)
    )
    arrays["tables.cumulative"] = counts.tables()
    codec = None
    for image in images:
        codec = codec or DeployedCodec(LossyModelFile(meta, arrays), device)
        for step in steps:
            codec.analyse(image_tensor(image), counts, step)
    return LossyModelFile(meta, arrays | {"tables.cumulative": counts.tables()})


def _integers(part: str, network: torch.nn.Module, bits: int) -> dict[str, np.ndarray]:
    """State of a shared network by names in the file."""
    kinds = {"weight": f"i{bits // 8}", "bias": "i8", "shift": "i1"}
    arrays = {}
    for name, value in network.state_dict().items():
        layer, _, kind = name.rpartition(".")
        affine = is_affine(network.get_submodule(layer))
        arrays[f"{part}.{name}"] = value.numpy().astype(kinds[kind] if affine else "i4")
    return arrays


class _Counts:
    """Residuals by class, with the distributions to begin from, (classes, 255) each."""

    def __init__(self, scales: np.ndarray, prior: np.ndarray) -> None:
        between = np.full((PRIOR_CLASS - SCALES, scales.shape[1]), 1 / scales.shape[1])
        self._first = np.concatenate([scales, between, prior])
        # The last column is of what is farther.
        self._near = np.zeros((len(self._first), 2 * MOST + 2))

    def code(self, classes: np.ndarray, residuals: np.ndarray) -> None:
        """Count a batch."""
        column = np.where(np.abs(residuals) <= MOST, residuals + MOST, 2 * MOST + 1)
        np.add.at(self._near, (classes, column), 1)

    def tables(self) -> np.ndarray:
        """Cumulative frequencies, int32, (classes, 257)."""
        total = self._near.sum(1, keepdims=True) + _TRUST
        pmf = (self._near[:, :-1] + _TRUST * self._first) / total
        far = _FAR_TRUST * far_pmf() / far_pmf().sum()
        scales, prior = pmf[:SCALES], pmf[PRIOR_CLASS:]
        first = residual_tables(scales, far, prior)
        lost = np.diff(first.cumulative, axis=1)[:, :-1] == 0
        lost[RAW_CLASS : FAR_CLASS + 1] = False
        far = far + (self._near[:, :-1] * lost).sum(0)
        return residual_tables(scales, far, prior).cumulative


@torch.no_grad()
def _prior_pmf(network: Codec) -> np.ndarray:
    """Probabilities of -127..127 round the median of each channel of z: float64, (width, 255)."""
    prior = copy.deepcopy(network.prior).double().cpu()
    medians = torch.round(prior.medians.flatten() * UNIT) / UNIT
    residuals = torch.arange(-MOST, MOST + 1, dtype=torch.float64)
    return prior.probability(medians[:, None] + residuals).numpy()
