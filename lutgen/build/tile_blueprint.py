"""Builds of the profiles with tiles: ``gic-dlc`` and what is made of it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from lutgen.model.model import Model
from lutgen.targets import Target

from . import text
from .blueprint import Blueprint
from .cores import count_core, count_cores, count_glue, rate, top_of_cores
from .options import BuildOptions
from .testbench import Picture

if TYPE_CHECKING:
    from amaranth.lib.wiring import Component

    from lutgen.gateware.core.config import CoreConfig

__all__ = ["TileBlueprint", "block_paths"]


class TileBlueprint(Blueprint[Model, BuildOptions]):
    """See `.blueprint.Blueprint`; options are `.options.BuildOptions`."""

    options_kind = BuildOptions
    memories = {
        "core.head": "tables",
        "core.network": "walker",
        "core.raster": "tiles",
        "core.payload": "payload",
        "core.writer": "payload",
        "core.window": "window",
        "core.prior": "window",
        "core.levels": "levels",
    }
    header = staticmethod(text.header)
    table = staticmethod(text.table)
    summary = staticmethod(text.summary)
    config: CoreConfig

    def __init__(self, model: Model, options: BuildOptions) -> None:
        super().__init__(model, options)
        self.config = options.core_config(model)

    @property
    def primitive(self) -> str | None:
        return self.options.primitive

    @property
    def cores(self) -> int:
        return self.options.cores

    @property
    def folder(self) -> str:
        options = self.options
        name = f"{options.top}-{self.model.profile}"
        name += f"-tans{options.tans_bits}" if options.coder == "tans" else ""
        return name + (f"-x{options.cores}" if options.cores > 1 else "")

    def rate(self, clock_mhz: float) -> dict:
        return rate(self.config, self.options.cores, clock_mhz)

    def model_record(self) -> dict:
        model, net = self.model, self.model.network
        return {
            "file": "model.lutgen",
            "hash": model.hash,
            "profile": model.profile,
            "window": model.window.size,
            "head": model.head.kind,
            "classes": model.head.classes,
            "inputs": len(net.inputs),
            "nodes": net.n_nodes,
            "depth": net.depth,
            "records": [stage.records for stage in model.walker.stages] if model.walker else [],
        }

    def core_record(self, core: str) -> dict:
        config = self.config
        # Lanes must not be fewer than the loops are deep.
        if core == "encoder":
            return {
                "lanes": config.lanes_of_encoder,
                "depth": config.min_encoder_lanes,
                "latency": {
                    "class": config.encoder_class_at, "interval": config.encoder_interval_at,
                },
                "buffers": {"tiles": config.input_buffers, "packets": config.packet_buffers},
            }  # fmt: skip
        return {
            "lanes": config.decoder_lanes,
            "depth": config.min_decoder_lanes,
            "latency": {"class": config.decoder_class_at, "symbol": config.decoder_symbol_at},
            "buffers": {
                "tiles": config.output_buffers, "payload_bytes": 1 << config.payload_address_bits,
            },
        }  # fmt: skip

    def component(self, core: str) -> Component:
        options = self.options
        if options.cores > 1:
            return top_of_cores(core, self.config, options.cores, options.stream_bytes)
        kinds: dict[str, Callable[..., Component]]
        if options.registers:
            from lutgen.gateware.ip.tiles import DecoderIp, EncoderIp

            kinds = {"encoder": EncoderIp, "decoder": DecoderIp}
        else:
            from lutgen.gateware.core.top import DecoderTop, EncoderTop

            kinds = {"encoder": EncoderTop, "decoder": DecoderTop}
        return kinds[core](self.config, stream_bytes=options.stream_bytes)

    def estimate(self, core: str, verilog: str, raw: str, target: Target) -> dict:
        from lutgen.synth import estimate

        blocks = block_paths(self.model, core, self.options.registers)
        cores = self.options.cores
        if cores == 1:
            return estimate(verilog, raw, target, blocks)
        glue = top_of_cores(core, self.config, cores, self.options.stream_bytes, core_ports=True)
        return count_cores(
            count_core(core, self.config, target, blocks), count_glue(glue, target), cores
        )

    def picture(self, path: str | os.PathLike | None) -> Picture:
        options = self.options
        return Picture.of(
            path, (options.max_width, options.max_height), cores=options.cores,
            tile_height=options.tile[1],
        )

    def encode(self, picture: Picture) -> bytes:
        from lutgen.codec.codec import Codec

        codec = Codec(self.model, threads=1)
        coder = self.config.coder
        return codec.encode(picture.samples, tile=self.options.tile, coder=coder).data

    def silence(self, core: str, picture: Picture) -> int:
        # A few tiles, one after the other, with their levels.
        sides = zip(picture.samples.shape[::-1], self.options.tile, strict=True)
        return 4 * math.prod(map(min, sides)) * self.core_record(core)["lanes"]


def block_paths(model: Model, core: str, registers: bool = False) -> dict[str, list[str]]:
    """Hierarchy paths of the blocks that resources are counted by."""
    blocks = {
        "comparators": ["core.network.thermometer"],
        "layers": ["core.network"],  # with the delay lines beside them
        "walker": ["core.network.walker"],
        "head": ["core.head"],
        "coder": ["core.coder", "core.packer"],
        "lanes": ["core.lanes", "core.window"],
        "memories": ["core.raster", "core.writer"],
        "rest": [""],
    }
    if core == "decoder":
        blocks["coder"] = ["core.coder"]
        blocks["memories"] = ["core.raster", "core.reader", "core.payload"]
    if model.walker is None:
        del blocks["walker"]
    if "index" not in model.head.groups:  # counted, see `lutgen.gateware.network.readout`
        blocks["popcounts"] = ["core.network.popcount_*"]
        blocks["head"].append("core.network.classifier")
    if model.constraint:
        blocks["constraint"] = ["core.head.weights"]
    if model.levels:
        upsampler = "core.levels.upsample.network"
        blocks |= {
            "ups comparators": [f"{upsampler}.thermometer"],
            "ups layers": [f"{upsampler}.layers"],
            "ups popcounts": [f"{upsampler}.popcount_*"],
            "levels": ["core.levels"],
        }
        blocks["lanes"].append("core.prior")
    if registers:
        blocks["registers"] = ["registers"]
    return blocks
