"""Options of a build: checked when made, printed into ``build.json``, read back from there.

The command line takes its defaults from here, so that importing this must be quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lutgen.errors import InputError
from lutgen.model.predictive.profile import PROFILE as PREDICTIVE
from lutgen.model.tile import DEFAULT_IMAGE, DEFAULT_TILE, check_sizes
from lutgen.names import build_name

from .predictive_options import PredictiveOptions
from .recorded import CORES, TOPS, PairOptions, Recorded

if TYPE_CHECKING:
    from lutgen.codec.coder import Coder
    from lutgen.gateware.core.config import CoreConfig
    from lutgen.model.model import Model
    from lutgen.targets import Target

__all__ = [
    "CORES", "ENGINE", "TOPS", "BuildOptions", "EngineOptions", "PredictiveOptions", "options_of",
]  # fmt: skip

#: Top of the entropy coder of the lossy codec.
ENGINE = "entropy-engine"


@dataclass(frozen=True, kw_only=True)
class BuildOptions(PairOptions):
    """What the cores of a profile with tiles are made of, besides model and device.

    Parameters
    ----------
    top, name:
        See `.recorded.PairOptions`.
    tile:
        Width and height of a tile in pixels.
    max_width, max_height, lanes, encoder_lanes:
        See :class:`lutgen.gateware.core.config.CoreConfig`.
    stream_bytes:
        Width of the stream's TDATA in bytes: 1, 2, 4 or 8.
    registers:
        Whether the cores have registers behind AXI4-Lite and an interrupt, see
        `lutgen.gateware.ip.ip`, in place of the ports that set sizes and tell errors; headers and
        drivers come with them.
    cores:
        Cores behind each pair of ports, and pixels of a beat: 1, 2, 4 or 8, see
        :mod:`lutgen.gateware.bands.multi`.
    primitive, fabric, levels_per_stage:
        See :class:`lutgen.gateware.core.config.CoreConfig`; `settle` takes them from the device.
    coder, tans_bits:
        See :func:`lutgen.codec.coder.coder_named`.

    Raises
    ------
    InputError
        If an option is outside its range; the message names value, rule and fix.
    """

    # In the order of build.json.
    tile: tuple[int, int] = DEFAULT_TILE
    max_width: int = DEFAULT_IMAGE[0]
    max_height: int = DEFAULT_IMAGE[1]
    lanes: int | None = None
    encoder_lanes: int | None = None
    stream_bytes: int = 4
    registers: bool = False
    cores: int = 1
    primitive: str | None = None
    coder: str = "rans"
    tans_bits: int | None = None
    fabric: str = "lut6"
    levels_per_stage: int | None = None

    def __post_init__(self) -> None:
        self._check_pair()
        if self.registers and self.cores != 1:
            raise InputError(
                f"cores must be 1 with registers and a model with tiles, not {self.cores!r}: "
                "leave out --registers or --cores"
            )
        check_sizes(self.tile, self.max_width, self.max_height)
        self._coder()

    def _coder(self) -> Coder:
        from lutgen.codec.coder import coder_named

        return coder_named(self.coder, self.tans_bits)

    def core_config(self, model: Model) -> CoreConfig:
        """The cores' :class:`~lutgen.gateware.core.config.CoreConfig`; Amaranth is loaded here.

        Raises
        ------
        InputError
            If the model has no such cores, or its pipeline is deeper than there are lanes.
        """
        from lutgen.gateware.core.config import CoreConfig

        width, height = self.tile
        return CoreConfig(
            model, lanes=self.lanes, encoder_lanes=self.encoder_lanes, tile_width=width,
            tile_height=height, max_width=self.max_width, max_height=self.max_height,
            levels_per_stage=self.levels_per_stage, primitive=self.primitive, coder=self._coder(),
            fabric=self.fabric,
        )  # fmt: skip

    def settle(self, model: Model, target: Target) -> BuildOptions:
        """The options with which a model is built for a device: nothing of its cores is left open.

        Raises
        ------
        InputError
            See `core_config`.
        """
        wanted = replace(
            self, name=build_name(self.name, model.hash), primitive=target.lut_primitive,
            fabric=target.fabric,
        )  # fmt: skip
        config = wanted.core_config(model)
        return replace(
            wanted,
            lanes=config.decoder_lanes if "decoder" in self.made else None,
            encoder_lanes=config.lanes_of_encoder if "encoder" in self.made else None,
            levels_per_stage=config.levels_per_stage,
            tans_bits=config.coder.state_bits if self.coder == "tans" else None,
        )


@dataclass(frozen=True, kw_only=True)
class EngineOptions(Recorded):
    """What the entropy engine of the lossy codec is made of, besides its tables and device.

    Parameters
    ----------
    top:
        `ENGINE`.
    name:
        What all names begin with; by default ``lutgen_<hash of the model>``, or ``lutgen`` without
        a model.
    stream_bytes:
        Width of the payload's TDATA in bytes: 2, 4 or 8.
    fabric:
        See :class:`lutgen.gateware.core.config.CoreConfig`; `settle` takes it from the device.

    Raises
    ------
    InputError
        If an option is outside its range.
    """

    top: str = ENGINE
    name: str | None = None
    stream_bytes: int = BuildOptions.stream_bytes
    fabric: str = BuildOptions.fabric

    def __post_init__(self) -> None:
        if self.top != ENGINE:
            raise InputError(f"top must be {ENGINE}, not {self.top!r}")
        if self.stream_bytes not in (2, 4, 8):
            raise InputError(
                "stream width of the entropy engine must be 2, 4 or 8 bytes, "
                f"not {self.stream_bytes!r}"
            )
        if self.name is not None:
            build_name(self.name, None)

    def settle(self, digest: str | None, target: Target) -> EngineOptions:
        """The options with which a model of that hash, or None, is built for a device."""
        return replace(self, name=build_name(self.name, digest), fabric=target.fabric)


def options_of(record: Mapping) -> BuildOptions | EngineOptions | PredictiveOptions:
    """The options of a build, from its ``build.json``.

    Raises
    ------
    InputError
        If they are none.
    """
    parameters = record.get("parameters")
    if not isinstance(parameters, Mapping):
        raise InputError(f"parameters must be an object, not {parameters!r}")
    if parameters.get("top") == ENGINE:
        return EngineOptions.of_record(parameters)
    model = record.get("model")
    profile = model.get("profile") if isinstance(model, Mapping) else None
    kind = PredictiveOptions if profile == PREDICTIVE else BuildOptions
    return kind.of_record(parameters)
