"""Files of trained codecs."""

import io
from dataclasses import asdict

import torch

from lutgen.files import write_file
from lutgen.training.loclic.config import CodecConfig
from lutgen.training.loclic.model import Codec

__all__ = ["load_codec", "save_codec"]

_FORMAT = "lutgen-loclic-1"


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
    ValueError
        If the file holds none.
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        try:
            data = torch.load(file, map_location="cpu", weights_only=True)
            if data["format"] != _FORMAT:
                raise ValueError(f"format {data['format']!r}")
            network = Codec(CodecConfig(**data["config"]))
            network.load_state_dict(data["weights"])
        except Exception as error:  # torch raises many kinds
            raise ValueError(f"{path} must be a trained LoC-LIC codec") from error
    return network.eval(), data["training"]
