"""Builds of profile ``predictive``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lutgen.model.cfa import CFAS
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.samples import SampleFormat
from lutgen.targets import Target

from . import predictive_text
from .blueprint import Blueprint
from .cores import count_cores, count_glue
from .predictive_options import PredictiveOptions
from .testbench import Picture

if TYPE_CHECKING:
    from amaranth.lib.wiring import Component

    from lutgen.gateware.predictive.config import PredictiveConfig

__all__ = ["BLOCKS", "PredictiveBlueprint"]


class PredictiveBlueprint(Blueprint[PredictiveModel | ColourModel, PredictiveOptions]):
    """See `.blueprint.Blueprint`; options are `.predictive_options.PredictiveOptions`."""

    options_kind = PredictiveOptions
    memories = {
        "core.model.pictures": "pictures",
        "core.model": "model",
        "core.out": "pictures",
        "core.loop": "model",
        "core.strips": "payload",
        "core.strips.coder": "tables",
        "core.strips.lanes": "tables",
    }
    header = staticmethod(predictive_text.header)
    table = staticmethod(predictive_text.table)
    summary = staticmethod(predictive_text.summary)
    config: PredictiveConfig

    def __init__(
        self, model: PredictiveModel | ColourModel, options: PredictiveOptions
    ) -> None:
        super().__init__(model, options)
        self.config = options.core_config(model)

    @property
    def cores(self) -> int:
        return self.options.cores

    @property
    def folder(self) -> str:
        options = self.options
        name = f"{options.top}-{self.model.name}-{options.depth}bit"
        return name + (f"-x{options.cores}" if options.cores > 1 else "")

    def rate(self, clock_mhz: float) -> dict:
        lanes = [self.core_record(core)["lanes"] for core in self.options.made]
        clocks = max(self.config.clocks_per_sample(self.config.max_width, n) for n in lanes)
        clocks *= self.config.planes.components
        return {
            "pixels_per_beat": self.cores,
            "clocks_per_pixel": round(clocks, 6),
            "mpx_per_s": round(clock_mhz / clocks, 3),
        }

    def model_record(self) -> dict:
        model, planes = self.model, self.config.planes
        return {
            "file": "model.lutgen",
            "hash": model.hash,
            "profile": model.profile,
            "name": model.name,
            **({"planes": planes.count, "mosaic": planes.mosaic} if planes.count > 1 else {}),
            "features": sum(len(plane.features) for plane in planes.models),
            "leaves": sum(plane.predictor.leaves for plane in planes.models),
            "trees": sum(len(plane.corrections) + len(plane.scales) for plane in planes.models),
            "classes": sum(plane.classes for plane in planes.models),
        }

    def core_record(self, core: str) -> dict:
        config = self.config
        lanes = config.encoder_lanes if core == "encoder" else config.lanes
        return {
            "lanes": lanes,
            "period": config.period(lanes),
            "narrowest": config.narrowest(lanes) * config.planes.square,
        }

    def component(self, core: str) -> Component:
        if self.cores > 1:
            return self._several(core)(self.config, stream_bytes=self.options.stream_bytes)
        kinds: dict[str, Callable[..., Component]]
        if self.options.registers:
            from lutgen.gateware.ip.predictive import PredictiveDecoderIp, PredictiveEncoderIp

            kinds = {"encoder": PredictiveEncoderIp, "decoder": PredictiveDecoderIp}
        else:
            from lutgen.gateware.predictive.top import PredictiveDecoderTop, PredictiveEncoderTop

            kinds = {"encoder": PredictiveEncoderTop, "decoder": PredictiveDecoderTop}
        return kinds[core](self.config, stream_bytes=self.options.stream_bytes)

    def estimate(self, core: str, verilog: str, raw: str, target: Target) -> dict:
        from lutgen.synth import estimate

        if self.cores > 1:
            return self._estimate_cores(core, target)
        registers = {"registers": ["registers"]} if self.options.registers else {}
        return estimate(verilog, raw, target, BLOCKS[core] | registers)

    def _estimate_cores(self, core: str, target: Target) -> dict:
        """The estimate of equal cores, of which one is counted, and of what stands around them."""
        from lutgen.gateware.fabric.verilog import to_verilog
        from lutgen.gateware.slabs.side_by_side import DecoderSlabs, EncoderSlabs
        from lutgen.synth import estimate

        kind, size = self._several(core), self.options.stream_bytes
        blocks = {
            name: [path.removeprefix("core.") for path in paths]
            for name, paths in BLOCKS[core].items()
        }
        slabs = EncoderSlabs if core == "encoder" else DecoderSlabs
        one = to_verilog(slabs.core(self.config, size), slabs.module)
        glue = kind(self.config, stream_bytes=size, core_ports=True)
        registers = {"registers": ["registers"]} if self.options.registers else {}
        return count_cores(
            estimate(one, slabs.module, target, blocks), count_glue(glue, target, registers),
            self.cores,
        )  # fmt: skip

    def _several(self, core: str) -> Callable[..., Component]:
        """The top of several encoders or decoders."""
        if self.options.registers:
            from lutgen.gateware.ip.slabs import SlabDecoderIp, SlabEncoderIp

            return SlabEncoderIp if core == "encoder" else SlabDecoderIp
        from lutgen.gateware.slabs.multi import PredictiveDecoderCores, PredictiveEncoderCores

        return PredictiveEncoderCores if core == "encoder" else PredictiveDecoderCores

    def picture(self, path: str | os.PathLike | None) -> Picture:
        options, planes = self.options, self.config.planes
        return Picture.of(
            path, (options.max_width, options.max_height), depth=options.depth,
            colour=planes.components > 1, even=planes.mosaic, least=self.config.least_width,
        )  # fmt: skip

    def encode(self, picture: Picture) -> bytes:
        from lutgen.codec.predictive.codec import PredictiveCodec

        options, codec = self.options, PredictiveCodec(self.model, threads=1)
        return codec.encode(
            picture.samples, depth=options.depth, near=options.near, tile_width=0,
            strip_height=options.strip_height or len(picture.samples),
            channels=self.config.planes.components, slabs=self.cores, **self._order,
        )

    @property
    def _order(self) -> dict:
        """Order of the planes of the testbench's picture: the first one."""
        planes = self.config.planes
        return {"cfa": CFAS[0]} if planes.mosaic else {"order": 0} if planes.count > 1 else {}

    @property
    def settings(self) -> dict[str, int]:
        return {"near": self.options.near, "order": 0}

    def decoded(self, picture: Picture) -> np.ndarray:
        form = SampleFormat(self.options.depth, near=self.options.near)
        return form.restore(form.quantise(picture.samples))

    def silence(self, core: str, picture: Picture) -> int:
        # A group of rows, and its payload on its way.
        width = self.config.planes.columns(picture.samples.shape[1]) + _BESIDES
        return 4 * width * self.core_record(core)["period"]


#: Columns that a group takes besides its own: those between its rows, and an idle lane's.
_BESIDES = 300
#: Hierarchy paths of the blocks of each core that resources are counted by.
BLOCKS = {
    "encoder": {
        "pictures": ["core.model.pictures"], "walk": ["core.model.walk"],
        "prediction": ["core.model.loop.prediction"], "loop": ["core.model.loop"],
        "strips": ["core.strips"], "rest": [""],
    },
    "decoder": {
        "pictures": ["core.out"], "walk": ["core.source", "core.walk"],
        "prediction": ["core.loop.prediction"], "loop": ["core.loop"],
        "strips": ["core.strips"], "rest": [""],
    },
}  # fmt: skip
