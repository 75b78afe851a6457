"""Compression of a codec beside the usual ones, every round trip verified.

Like is compared with like.  Every codec writes a file for each image, and all bytes of the files
count; where many small images share one file of ours, the others get these images on one *page*,
side by side, which spares them headers and lets them learn from one image for the next.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from lutgen.compare.baselines import BASELINES, Baseline, coded, four_planes, jpeg_ls
from lutgen.compare.codecs import ImageCodec, Tell, pixels_of
from lutgen.compare.pages import pages
from lutgen.errors import InputError
from lutgen.model.samples import SignificantBits

__all__ = ["evaluate", "faults"]

#: What is measured on the four planes of colour filter arrays, too.
_FOUR_PLANES = ("JPEG-LS", "JPEG XL e3", "JPEG XL e7")


def evaluate(
    images: Sequence[np.ndarray],
    codec: ImageCodec | None,
    *,
    baselines: bool = True,
    near: Sequence[int] = (),
    cfa: str | None = None,
    progress: Tell | None = None,
) -> dict:
    """Measure a codec on images.

    Parameters
    ----------
    images:
        uint8 or uint16 arrays of shape (H, W) or, of a codec that takes them, (H, W, C); sizes and
        types may differ.
    codec:
        What is measured; None, the usual codecs alone.
    baselines:
        Whether to measure the usual codecs, too: one file per image, and small images on pages.
    near:
        Greatest errors at which the codec and JPEG-LS are measured, too.
    cfa:
        Pattern of images that are colour filter arrays: some of the usual codecs code their four
        planes, too.
    progress:
        Called with step, pixels done and all pixels of the step.

    Returns
    -------
    dict
        Ready for json.  ``images``, ``pixels``, ``sizes``, and ``depths``: how many images have how
        many significant bits.  Then, of a codec, what it says of itself and what it measures:

        - ``bpp`` is in bits per pixel: ``file_each`` of whole files of one image each, which is to
          be compared with the ``bpp`` of a baseline, ``mean_each`` the mean of the images' own,
          with its ``bpp_mean``.  A codec of tiles also gives ``file`` of whole
          files when images of one size share one, to be compared with ``bpp_page``, ``payload`` of
          the coded tiles and ``ideal``, the sum of ``-log2 p``.
        - ``speed`` is in million pixels per second of one core, ``verified`` tells whether every
          image came back as it was.
        - ``levels`` of a codec of tiles has an object for each level of the pyramid: ``bpp``, its
          part of ``ideal``, in bits per pixel of the image (level 0), and, but for the coarsest,
          the root mean square errors of the level upsampled from the true next coarser one:
          ``rmse`` of the model, within tiles as the codec does it, and ``bicubic_rmse`` of cubic
          convolution of whole images.

        ``baselines`` has the usual codecs by name: ``settings``, ``bpp``, ``bpp_mean``, and
        ``bpp_page`` of small images of a size on one page, None if there are not two of them.  One
        that cannot code an image has None in place of a figure, and a ``reason``.

        ``near_lossless`` has an object for each of ``near``: ``near``, and ``lutgen`` and
        ``JPEG-LS``, each with ``bpp``, ``bpp_mean`` and perhaps ``reason``.  ``verified`` of the
        codec's tells whether every sample was within ``near``.

    Raises
    ------
    InputError
        If there are no images, or the codec does not take one.
    """
    images = list(images)
    if not images:
        raise InputError("images must be at least one, not none")
    tell = (lambda step, done, total: None) if progress is None else progress
    depths = Counter(SignificantBits.of(image).depth for image in images)
    result = {
        "images": len(images),
        "pixels": sum(map(pixels_of, images)),
        "sizes": len({image.shape for image in images}),
        "depths": {str(depth): depths[depth] for depth in sorted(depths)},
    }
    if codec is not None:
        result |= codec.record() | codec.measure(images, tell)
    if baselines:
        small = pages(images)
        result["baselines"] = {
            name: {"settings": usual.settings, **_baseline(name, usual, images, small, tell)}
            for name, usual in (BASELINES | _of_arrays(cfa)).items()
        }
    if near:
        result["near_lossless"] = [_near(codec, images, n, tell) for n in near]
    return result


def _of_arrays(cfa: str | None) -> dict[str, Baseline]:
    """Codecs of the planes of colour filter arrays."""
    if cfa is None:
        return {}
    return {f"{name}, four planes": four_planes(BASELINES[name], cfa) for name in _FOUR_PLANES}


def faults(result: Mapping) -> list[str]:
    """What was wrong with decoded images of a codec that `evaluate` measured."""
    found = [] if result.get("verified", True) else [
        "decoded images must equal the originals, but differ"
    ]  # fmt: skip
    return found + [
        f"decoded samples must be within {near['near']}, but are not"
        for near in result.get("near_lossless", ())
        if not near.get("lutgen", {}).get("verified", True)
    ]


def _baseline(
    name: str, codec: Baseline, images: list[np.ndarray], small: list[np.ndarray] | None,
    tell: Tell,
) -> dict:  # fmt: skip
    pixels = sum(map(pixels_of, images))
    result = coded(name, codec, images, pixels, tell)
    result["bpp_page"] = None
    if small is not None and result["bpp"] is not None:
        found = coded(f"{name}, one page", codec, small, pixels, tell)
        result["bpp_page"] = found["bpp"]
        result |= {key: found[key] for key in found.keys() & {"reason"}}
    return result


def _near(codec: ImageCodec | None, images: list[np.ndarray], near: int, tell: Tell) -> dict:
    pixels = sum(map(pixels_of, images))
    step = f"JPEG-LS, near {near}"
    result = {"near": near, "JPEG-LS": coded(step, jpeg_ls(near), images, pixels, tell)}
    if codec is not None:
        result["lutgen"] = _near_own(codec, images, near, tell)
    return result


def _near_own(codec: ImageCodec, images: list[np.ndarray], near: int, tell: Tell) -> dict:
    if near > codec.most_near:
        limit = f"near {codec.most_near} at most" if codec.most_near else "lossless only"
        return {"bpp": None, "reason": limit}
    found = codec.measure_files(images, tell, near)
    return {
        "bpp": found["bpp"]["file_each"], "bpp_mean": found["bpp"]["mean_each"],
        "verified": found["verified"],
    }  # fmt: skip
