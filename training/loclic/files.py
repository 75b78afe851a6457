"""Images to files of the lossy codec and back."""

import numpy as np
import torch

from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.lossy.loc_container import LocFile
from lutgen.codec.lossy.residuals import ResidualWriter
from lutgen.codec.lossy.step import step_of
from lutgen.errors import InputError
from lutgen.training.loclic.deployed import DeployedCodec
from lutgen.training.loclic.networks.config import ALIGNMENT

__all__ = ["decode_image", "encode_image", "image_tensor"]


def image_tensor(image: np.ndarray) -> torch.Tensor:
    """uint8, (H, W, 3), to [0, 1], (1, 3, H', W'), edges repeated up to multiples of 64."""
    height, width = image.shape[:2]
    more = ((0, -height % ALIGNMENT), (0, -width % ALIGNMENT), (0, 0))
    padded = np.pad(image, more, mode="edge")
    return torch.from_numpy(padded).permute(2, 0, 1)[None].contiguous().float() / 255


def encode_image(
    codec: DeployedCodec, image: np.ndarray, step: int = 16, writer: ResidualWriter | None = None
) -> bytes:
    """The file of an image, uint8, (H, W, 3), with a rounding step of `lutgen.codec.lossy.step`.

    A ``writer`` of the codec's tables is given the symbols, for who wants to see them.

    Raises
    ------
    InputError
        If the image is of another shape or too large, or there is no such step.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise InputError(f"image must be uint8 of shape (H, W, 3), not {image.shape}")
    height, width = image.shape[:2]
    LocFile(codec.hash, width, height, step, b"")  # checked before work is done
    writer = writer or ResidualWriter(codec.tables)
    codec.analyse(image_tensor(image), writer, step_of(step))
    return LocFile(codec.hash, width, height, step, writer.payload()).pack()


def decode_image(
    codec: DeployedCodec, data: bytes, max_pixels: int | None = None
) -> np.ndarray:
    """The image of a file: uint8, (H, W, 3).

    ``max_pixels`` is as in `LocFile.unpack`.

    Raises
    ------
    CorruptStreamError
        If the file is damaged.
    ImageTooLargeError
        If the image has more pixels than are accepted.
    ModelMismatchError
        If it is of another model.
    """
    file = LocFile.unpack(data, max_pixels)
    if file.model_hash != codec.hash:
        raise ModelMismatchError(
            f"stream must be decoded with the model of hash {file.model_hash.hex()}, "
            f"not {codec.hash.hex()}"
        )
    shape = (-(-file.height // ALIGNMENT), -(-file.width // ALIGNMENT))
    x = codec.decompress([file.payload], shape, step_of(file.step))["x_hat"]
    x = x[0, :, : file.height, : file.width]
    return torch.round(x.clamp(0, 1) * 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
