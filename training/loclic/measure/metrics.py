"""Quality of decoded 8-bit images."""

import math

import numpy as np

from lutgen.errors import InputError

__all__ = ["LEAST_SIDE", "ms_ssim", "psnr"]

#: Sides of an image whose MS-SSIM is defined: five scales of a window of 11.
LEAST_SIDE = 161


def psnr(image: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio over all channels, in dB; infinite where images are equal.

    Parameters
    ----------
    image, other:
        uint8, (H, W, 3).

    Raises
    ------
    InputError
        If they are something else, or differ in shape.
    """
    _check(image, other)
    error = np.mean((image.astype(np.float64) - other.astype(np.float64)) ** 2)
    return math.inf if error == 0 else float(10 * math.log10(255**2 / error))


def ms_ssim(image: np.ndarray, other: np.ndarray) -> float:
    """Multi-scale structural similarity, mean of the channels, as pytorch-msssim has it.

    Wang, Simoncelli, Bovik, "Multi-scale structural similarity for image quality assessment", 2003;
    see `psnr` for the parameters.  Sides are at least `LEAST_SIDE`.
    """
    import pytorch_msssim
    import torch

    _check(image, other)
    if min(image.shape[:2]) < LEAST_SIDE:
        raise InputError(
            f"images for MS-SSIM must have sides of at least {LEAST_SIDE} pixels, "
            f"not {image.shape[1]} x {image.shape[0]}"
        )
    x, y = (
        torch.from_numpy(np.ascontiguousarray(a)).permute(2, 0, 1)[None].float()
        for a in (image, other)
    )
    return float(pytorch_msssim.ms_ssim(x, y, data_range=255))


def _check(image: np.ndarray, other: np.ndarray) -> None:
    for array in (image, other):
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
            raise InputError(
                f"images must be uint8 of shape (H, W, 3), not {array.dtype} of shape {array.shape}"
            )
    if image.shape != other.shape:
        raise InputError(f"images must have one shape, not {image.shape} and {other.shape}")
