"""Files of trained codecs."""

import io
import zipfile
from dataclasses import asdict

import torch

from lutgen.errors import InputError
from lutgen.files.whole import write_file
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.skeleton import check_finite, check_shapes, skeleton
from lutgen.training.run.torch_file import read_torch

__all__ = ["load_codec", "save_codec"]

_FORMAT = "lutgen-loclic-2"
#: Of networks with mistakes, see `lutgen.codec.lossy.model`.
_EARLIER = "lutgen-loclic-1"


def save_codec(path, network: Codec, training: dict) -> None:
    """Write configuration, weights and the record of a training run."""
    file = io.BytesIO()
    weights = {name: value.cpu() for name, value in network.state_dict().items()}
    config = asdict(network.config)
    torch.save(
        {"format": _FORMAT, "config": config, "weights": weights, "training": training}, file
    )
    write_file(path, file.getvalue())


def load_codec(path) -> tuple[Codec, dict]:
    """Read a codec, for evaluation, and the record of its training.

    Raises
    ------
    InputError
        If the file holds none, or one of an earlier version, whose networks were others.
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise InputError(f"{path} must be a trained LoC-LIC codec")
    data = read_torch(path)
    try:
        if data["format"] != _FORMAT:
            earlier = ", of an earlier lutgen: train again" if data["format"] == _EARLIER else ""
            raise InputError(f"format must be {_FORMAT!r}, not {data['format']!r}{earlier}")
        config, weights, training = CodecConfig(**data["config"]), data["weights"], data["training"]
        shapes = {name: value.shape for name, value in weights.items()}
        check_shapes(skeleton(config, len(weights)).state_dict(), shapes)
        check_finite(weights)
        network = Codec(config)
        network.load_state_dict(weights)
    except (AttributeError, KeyError, TypeError, RuntimeError, ValueError) as error:
        text = str(error).split("\n", 1)[0]
        raise InputError(f"{path} must be a trained LoC-LIC codec: {text}") from error
    return network.eval(), training
