"""The networks of corrections and scales, by either of two trainers behind one call.

Both make the same thing, sums of look-up tables of six comparisons (`LutTrees`), so codec, C and
gateware need not know who made them:

``trees``
    Boosted one by one, :mod:`.boost`: each takes what those before it have left.
``gradient``
    All at once by gradients, :mod:`.gradient`: needs torch.
"""

from collections.abc import Callable
from typing import Protocol

from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.trees import LutTrees

from .boost import boost
from .config import GRADIENT, PredictiveConfig
from .draw import Drawn
from .steps import Steps

__all__ = ["NetworkTrainer", "network_trainer"]


class NetworkTrainer(Protocol):
    """Makes correction trees and scale trees, as many as the configuration says.

    ``tick`` is told the mean bits of a sample as the networks come about, about as often as there
    are trees; ``steps`` has results that need not be found again, and receives the others.
    """

    def __call__(
        self, model: PredictiveModel, drawn: Drawn, config: PredictiveConfig,
        tick: Callable[[float], None] = ..., steps: Steps | None = ...,
    ) -> tuple[LutTrees, LutTrees]: ...  # fmt: skip


def network_trainer(name: str) -> NetworkTrainer:
    """The trainer of a name in `config.NETWORKS`.

    Raises
    ------
    ModuleNotFoundError
        If torch is not installed, which ``gradient`` needs.
    """
    if name == GRADIENT:
        from .gradient import descend

        return descend
    return boost
