"""A build for colour, or for colour filter arrays, that is checked: images, and files that are bad.

Pixels of RGB are packed, as they are on a stream, so that images are (H, W) everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lutgen.errors import InputError
from lutgen.gateware.prediction.plane_models import PlaneModels
from lutgen.gateware.predictive.pixel_order import orders
from lutgen.gateware.streams.beats import components_of, packed_pixels
from lutgen.model.cfa import CFAS
from lutgen.model.samples import SampleFormat
from lutgen.sim.check.build_tables import CompareLuts
from lutgen.sim.check.checked import Groups
from lutgen.sim.check.expected_predictive import plane_tables
from lutgen.sim.check.expected_tables import Tables
from lutgen.sim.check.predictive_build import PredictiveBuild
from lutgen.sim.check.predictive_pictures import synthetic_photographs
from lutgen.sim.check.tree_text import plane_questions

__all__ = ["ColourBuild"]

_RGB = 3


class ColourBuild(PredictiveBuild):
    """See `.checked.CheckedBuild`.

    The phases are those of gray images: they are refused here, so that only a quick check is made.
    """

    def __init__(self, record) -> None:
        super().__init__(record)
        self._planes = self.config.planes
        self._samples = SampleFormat(self.depth).dtype

    def images(self, count: int | None, seed: int) -> list[tuple[str, np.ndarray]]:
        """What looks like photographs, odd sizes, and noise: packed, or with even sides."""
        found = synthetic_photographs(self.depth, self.largest, seed)[:count]
        if self._planes.mosaic:
            return [
                (f"{name.split()[0]} {w}x{h}", np.resize(image, (h, w)))
                for name, image in found
                for h, w in [[side + side % 2 for side in image.shape]]
            ]  # fmt: skip
        return [(name, self._packed(_tinted(image, seed + k)))
                for k, (name, image) in enumerate(found)]  # fmt: skip

    def groups(self, images: Iterable[tuple[str, np.ndarray]]) -> Groups:
        """Images by size; of RGB (H, W, 3), or packed.

        Raises
        ------
        InputError
            If there are none, or one is not of the build's samples or size.
        """
        return super().groups((name, self._taken(name, np.asarray(image)))
                              for name, image in images)  # fmt: skip

    def _taken(self, name: str, image: np.ndarray) -> np.ndarray:
        """An image as it is compared."""
        if self._planes.mosaic:
            if any(side % 2 for side in image.shape):
                raise InputError(
                    f"image {name!r} must have even sides, as a colour filter array has, "
                    f"not {image.shape[1]} x {image.shape[0]}"
                )
            return image
        if image.dtype == self.dtype and image.ndim == 2:
            return image
        if image.dtype != self._samples or image.ndim != 3 or image.shape[2] != _RGB:
            raise InputError(
                f"image {name!r} must be RGB, {np.dtype(self._samples)} of shape (H, W, 3), "
                f"not {image.dtype} of shape {image.shape}"
            )
        return self._packed(image)

    def _check_samples(self, name: str, image: np.ndarray) -> None:
        if self._planes.mosaic:
            super()._check_samples(name, image)
        elif image.size and int(image.max()) >> self.depth * _RGB:
            raise InputError(f"image {name!r} must have samples of {self.depth} bits")

    def _packed(self, image: np.ndarray) -> np.ndarray:
        return packed_pixels(image, self.depth)

    def order(self, shape: tuple[int, ...]) -> int:
        """Order of the planes of pictures of a size, or their pattern: in turns."""
        height, width = shape[-2:]
        return (height // 2 + width // 2) % orders(self._planes)

    def _file(self, image: np.ndarray, strip_height: int | None = None) -> bytes:
        strip = strip_height or self.config.strip_height or len(image)
        order = self.order(image.shape)
        if self._planes.mosaic:
            form = {"cfa": CFAS[order]}
        else:
            image = components_of(image, self.depth).astype(self._samples)
            form = {"order": order, "channels": _RGB}
        return self.codec.encode(
            image, depth=self.depth, tile_width=0, strip_height=strip, **form
        )

    def tables(self, core: str) -> Tables:
        """See `.expected_predictive`."""
        return plane_tables(core, self._planes.models, self.depth)

    @property
    def luts(self) -> CompareLuts:
        """Comparisons with thresholds, see `.tree_text`."""
        return plane_questions(PlaneModels(self._planes.models))

    def simulator(self, core: str):
        """The core behind its ports; an encoder is told the order."""
        rtl = super().simulator(core)
        if core == "decoder":
            return rtl
        return lambda images, **options: rtl(images, order=self.order(images.shape), **options)

    def pictures(self, seed: int):
        """There are none yet.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "phases must be left out for colour and colour filter arrays, which have none yet: "
            "use --quick, which compares images and refused files"
        )


def _tinted(image: np.ndarray, seed: int) -> np.ndarray:
    """An RGB image whose planes are alike: (H, W, 3)."""
    rng = np.random.default_rng(seed)
    most, wide = int(image.max(initial=1)), image.astype(np.float64)
    planes = [
        gain * wide + (1 - gain) * most * rng.random() + rng.normal(0, most / 200, image.shape)
        for gain in rng.uniform(0.4, 1, _RGB)
    ]
    return np.stack(planes, axis=-1).clip(0, most).astype(image.dtype)
