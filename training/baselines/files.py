"""Trained baselines read from their files."""

import io
import json
from pathlib import Path

import numpy as np
import torch

from lutgen.formats.npz import check_npz
from lutgen.training.baselines.baseline import Baseline, BaselineError

__all__ = ["kinds", "load"]


def kinds() -> dict[str, tuple[type[Baseline], type]]:
    """Class and configuration of each kind."""
    from lutgen.training.baselines.ic_mlp import ICMLP, ICMLPConfig
    from lutgen.training.baselines.srec import SReC, SReCConfig

    return {ICMLP.kind: (ICMLP, ICMLPConfig), SReC.kind: (SReC, SReCConfig)}


def load(path) -> Baseline:
    """Read a file that `Baseline.save` has written.

    Raises
    ------
    BaselineError
        If it is another file, or damaged.
    OSError
        If it cannot be read.
    """
    data = io.BytesIO(Path(path).read_bytes())
    try:
        check_npz(data)
        with np.load(data, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            cls, config = kinds()[header["kind"]]
            baseline = cls(config(**header["config"]))
            names = set(file.files) - {"header"}
            weights = {name: torch.from_numpy(file[name]) for name in names}
            baseline.load_state_dict(weights)
            baseline.record = dict(header["record"])
    except Exception as error:  # zipfile, numpy, json and torch raise a dozen kinds on such files
        raise BaselineError(f"{path} must be the weight file of a baseline: {error}") from None
    return baseline.eval()
