"""Tree walker against the reference's walk."""

import numpy as np

from lutgen.gateware.network.walker import Walker
from tests.gateware.bundle import Pipelines, packed
from tests.models import random_walker

FEATURES = 12
ENTRIES = 8


def test_one_to_four_stages():
    rng = np.random.default_rng(4)
    walkers = {
        f"s{stages}": random_walker(
            rng, features=FEATURES, entries=ENTRIES, stages=stages, groups=9, classes=100
        )
        for stages in (1, 2, 3, 4)
    }
    count = 2000
    features = rng.integers(256, size=(FEATURES, count), dtype=np.uint8)
    features[:, :4] = np.array([0, 1, 254, 255])
    features[rng.random(features.shape) < 0.1] = 255  # greater than no threshold of 255
    index = rng.integers(ENTRIES, size=count)
    blocks = {name: Walker(walker, features=FEATURES) for name, walker in walkers.items()}
    given = {}
    for name in blocks:
        given |= {f"{name}_index": index, f"{name}_features": packed(features)}
    found = Pipelines(blocks)(given, extra=max(b.latency for b in blocks.values()))
    for name, walker in walkers.items():
        assert blocks[name].latency == Walker.latency_of(walker)
        result = found[f"{name}_o"][blocks[name].latency :][:count]
        np.testing.assert_array_equal(result, walker.walk(index, features), err_msg=name)
