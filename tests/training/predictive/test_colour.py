"""Training of colour: planes that are alike are coded by what they have in common."""

import numpy as np
import pytest

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.training.predictive.colour import train_colour
from lutgen.training.predictive.config import PredictiveConfig

SMALL = PredictiveConfig(predictors=4, corrections=2, scales=3, samples=20_000, rounds=1)


def picture(seed: int) -> np.ndarray:
    """Three channels that share a texture, each with little of its own."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, 12, (120, 160, 1)).cumsum(axis=1) / 4 + rng.normal(0, 6, (120, 160, 1))
    own = rng.normal(0, 1, (120, 160, 3))
    return np.clip(shared * [0.8, 1, 1.2] + own + 128, 0, 255).astype(np.uint8)


@pytest.mark.slow
def test_planes_are_trained_on_those_before():
    told = []
    model = train_colour([(picture(1), 8)], SMALL, lambda what, value: told.append(what))
    assert [plane.references for plane in model.planes] == [0, 1, 2]
    assert told.count("plane") == 3
    codec, alone = PredictiveCodec(model), PredictiveCodec(model.planes[0])
    image = picture(2)
    together = codec.encode(image, channels=3, order=0)
    np.testing.assert_array_equal(codec.decode(together)[0], image)
    apart = sum(len(alone.encode(np.ascontiguousarray(image[..., k]))) for k in range(3))
    assert len(together) < 0.8 * apart
    again = train_colour([(picture(1), 8)], SMALL)
    assert again.hash == model.hash


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4)])
def test_only_rgb(shape):
    with pytest.raises(ValueError, match="^images must be RGB, of shape"):
        train_colour([(np.zeros(shape, np.uint8), 8)], SMALL)
