"""Shared samples and trees: growing one needs a numba compilation, so it happens once."""

import os
from pathlib import Path

import pytest

from lutgen.model.window import Window
from lutgen.training.data.glyphs import glyphs
from lutgen.training.data.samples import collect
from lutgen.training.tree.tree import Grower


@pytest.fixture(scope="session")
def images():
    return glyphs(250, seed=3)


@pytest.fixture(scope="session")
def samples(images):
    return collect(images[:200], Window(5), 32)


@pytest.fixture(scope="session")
def fresh(images):
    return collect(images[200:], Window(5), 32)


@pytest.fixture(scope="session")
def grown(samples):
    grower = Grower(samples)
    grower.grow(400)
    return grower.tree()


@pytest.fixture(scope="session")
def data():
    """Folder of real images, not part of the repository."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("LUTGEN_DATA") or beside)
    if not (folder / "emnist_digits.npz").exists():
        pytest.skip(f"real images are absent: no emnist_digits.npz in {folder}; set LUTGEN_DATA")
    return folder
