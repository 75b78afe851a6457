"""Training samples; most of what they are is tested where networks and trees read them."""

import numpy as np
import pytest

from lutgen.errors import InputError
from lutgen.model.window import Window
from lutgen.training.data.samples import collect_levels


def test_levels_need_something_that_upsamples():
    with pytest.raises(InputError, match="^upsample must be given for 2 levels$"):
        collect_levels([np.zeros((8, 8), np.uint8)], Window(3, prior=True), 8, levels=2)
