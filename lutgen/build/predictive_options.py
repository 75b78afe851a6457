"""Options of a build of profile ``predictive``.

The command line takes its defaults from here, so that importing this must be quick.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lutgen.names import build_name

from .recorded import PairOptions

if TYPE_CHECKING:
    from lutgen.gateware.predictive.config import PredictiveConfig
    from lutgen.model.predictive.colour import ColourModel
    from lutgen.model.predictive.model import PredictiveModel
    from lutgen.targets import Target

__all__ = ["PredictiveOptions"]


@dataclass(frozen=True, kw_only=True)
class PredictiveOptions(PairOptions):
    """What the cores of profile ``predictive`` are made of, besides model and device.

    Parameters
    ----------
    top, name:
        See `.recorded.PairOptions`.
    depth, max_width, max_height, strip_height, lanes, encoder_lanes:
        See :class:`lutgen.gateware.predictive.config.PredictiveConfig`; None are its defaults.
    stream_bytes:
        Width of the stream's TDATA in bytes: 1, 2, 4 or 8.
    registers:
        See `.options.BuildOptions`.
    near:
        Greatest near that the cores take, ``max_near`` of their configuration.
    cores:
        Encoders and decoders behind each pair of ports, and samples of a beat: 1, 2, 4 or 8; each
        codes a slab of every image.
    fabric:
        See the first; `settle` takes it from the device.

    Raises
    ------
    InputError
        If an option is outside its range; the message names value, rule and fix.
    """

    # In the order of build.json.
    depth: int = 8
    max_width: int = 1920
    max_height: int = 1080
    strip_height: int | None = None
    near: int = 0
    lanes: int | None = None
    encoder_lanes: int | None = None
    stream_bytes: int = 4
    registers: bool = False
    cores: int = 1
    fabric: str = "lut6"

    def __post_init__(self) -> None:
        self._check_pair()

    def core_config(self, model: PredictiveModel | ColourModel) -> PredictiveConfig:
        """The cores' configuration; Amaranth is loaded here.

        Raises
        ------
        InputError
            If an option is outside its range, or the model is of another kind.
        """
        from lutgen.gateware.predictive.config import PredictiveConfig

        given = {
            name: value for name in ("lanes", "encoder_lanes")
            if (value := getattr(self, name)) is not None
        }  # fmt: skip
        return PredictiveConfig(
            model, self.depth, self.max_width, self.max_height, self.strip_height,
            fabric=self.fabric, max_near=self.near, cores=self.cores, **given,
        )  # fmt: skip

    def settle(self, model: PredictiveModel | ColourModel, target: Target) -> PredictiveOptions:
        """The options with which a model is built for a device: nothing of its cores is left open.

        Raises
        ------
        InputError
            See `core_config`.
        """
        wanted = replace(self, name=build_name(self.name, model.hash), fabric=target.fabric)
        config = wanted.core_config(model)
        return replace(
            wanted,
            strip_height=config.strip_height,
            lanes=config.lanes if "decoder" in self.made else None,
            encoder_lanes=config.encoder_lanes if "encoder" in self.made else None,
        )
