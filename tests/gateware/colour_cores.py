"""Both tops of a colour model in simulation, and the reference codec's files."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.model.cfa import CFAS
from lutgen.sim.drive.beats import colour_beats
from tests.gateware.test_modeller import raster
from tests.gateware.test_prediction import pictures
from tests.gateware.test_predictive_cores import Cores
from tests.models import colour_model, mosaic_model

__all__ = ["ColourCores", "colour_pictures"]


@dataclass(frozen=True)
class ColourCores(Cores):
    """Cores of a model of random contents: of RGB or, ``bayer``, of colour filter arrays."""

    max_near: int = 0

    @cached_property
    def codec(self) -> PredictiveCodec:
        model = mosaic_model() if self.name == "bayer" else colour_model()
        return PredictiveCodec(model, threads=1)

    @cached_property
    def config(self) -> PredictiveConfig:
        return replace(super().config, max_near=self.max_near)

    @property
    def mosaic(self) -> bool:
        return self.config.planes.mosaic

    @property
    def orders(self) -> int:
        return len(CFAS) if self.mosaic else 6

    def file(
        self, picture: np.ndarray, order: int = 0, strip_height: int | None = None, near: int = 0
    ) -> bytes:
        """What the reference makes of a picture."""
        which = {"cfa": CFAS[order]} if self.mosaic else {"order": order, "channels": 3}
        return super().file(picture, strip_height, near=near, **which)

    def beats(self, given: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Pixels as they are on a stream."""
        if self.mosaic:
            return raster(given)
        parts = [colour_beats(picture[None].astype(np.uint16), self.depth) for picture in given]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def encode(self, given, *, order: int = 0, near: int = 0, beats=None, **options):
        """Files that the encoder makes of pictures, its errors, and the simulation's result."""
        settings = {"order": order} | ({"near": near} if self.max_near else {})
        return super().encode(
            beats or self.beats(given), given[0].shape[:2], settings=settings, **options
        )

    def check_pixels(self, found, given) -> None:
        for name, values in self.beats(given).items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)


def colour_pictures(
    size: tuple[int, int], depth: int, *, mosaic: bool, count: int = 4
) -> list[np.ndarray]:
    """Pictures whose planes are alike, and some whose planes are not."""
    height, width = size
    rng = np.random.default_rng(7)
    made = [p for p in pictures(rng, depth) if len(p) == 40]
    wide = [np.tile(p, (-(-height // 40), -(-width // 48)))[:height, :width] for p in made]
    if mosaic:
        return wide[:count]
    top = (1 << depth) - 1
    noise = rng.normal(0, top / 100, (height, width)).astype(int)
    tinted = [
        np.stack([p // 2 + top // 4, p, np.clip(p + noise, 0, top)], axis=-1) for p in wide
    ]
    mixed = np.stack([wide[0], wide[2], wide[3]], axis=-1)
    return [tinted[1], mixed, tinted[3], tinted[2], *tinted][:count]
