"""The tops under test, made once, and images for them."""

from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np

from lutgen.codec.codec import Codec
from lutgen.codec.coder import tans
from lutgen.codec.container import Header, split_packets
from lutgen.gateware.bands.multi import decoder_top, encoder_top
from lutgen.gateware.core.config import CoreConfig
from lutgen.model.head import TableHead
from lutgen.sim import Design, Stall, rtl_stream
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from tests.models import (
    laplace_model,
    one_class_model,
    pyramid_laplace_model,
    pyramid_table_model,
    table_model,
)

#: Stalls by name, for the two ports of a top.
STALLS = {
    "never": {},
    "random": {"pixels": Stall(0.5, 1), "bytes": Stall(0.5, 2)},
    "pixels": {"pixels": Stall(0.8, 3)},
    "bytes": {"bytes": Stall(0.9, 4)},
    "bursts": {"pixels": Stall(0.4, 5, burst=60), "bytes": Stall(0.4, 6, burst=60)},
}


@dataclass(frozen=True)
class Tops:
    """Both cores of a configuration, and the reference."""

    config: CoreConfig
    stream_bytes: int = 4
    cores: int = 1
    tile: tuple[int, int] = field(init=False)
    codec: Codec = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tile", (self.config.tile_width, self.config.tile_height))
        object.__setattr__(self, "codec", Codec(self.config.model))

    @cached_property
    def encoder_design(self) -> Design:
        top = encoder_top(self.config, cores=self.cores, stream_bytes=self.stream_bytes)
        return Design.of(top, "lutgen_encoder")

    @cached_property
    def decoder_design(self) -> Design:
        top = decoder_top(self.config, cores=self.cores, stream_bytes=self.stream_bytes)
        return Design.of(top, "lutgen_decoder")

    @cached_property
    def encoder(self) -> RtlEncoder:
        return RtlEncoder(
            self.config, self.encoder_design, stream_bytes=self.stream_bytes, cores=self.cores
        )

    @cached_property
    def decoder(self) -> RtlDecoder:
        return RtlDecoder(
            self.config, self.decoder_design, stream_bytes=self.stream_bytes, cores=self.cores
        )

    def file(self, images: np.ndarray) -> bytes:
        """The reference's file."""
        return self.codec.encode(images, tile=self.tile, coder=self.config.coder).data

    def decode_words(self, words: dict, *, clear_error: int = 0, **options):
        """The decoder's streams, with beats of any kind; compiled as `decoder` is."""
        return rtl_stream(
            self.decoder_design, {"s_axis_stream": words},
            {"m_axis_video": ["data", "user", "last"]}, names="{stream}_t{signal}",
            config={"clear_error": clear_error}
            | ({"level": 0} if self.config.model.levels else {}),
            watch=["error"], idle="idle", idle_clocks=64,
            **options,
        )  # fmt: skip


@cache
def tops(name: str) -> Tops:
    """A configuration by name; small, since each costs two compilations."""
    small = {"max_width": 40, "max_height": 64}
    if name == "walker":
        config = CoreConfig(
            table_model(1), tile_width=8, tile_height=8, primitive="LUT6", levels_per_stage=2,
            **small,
        )  # fmt: skip
        return Tops(config, stream_bytes=1)
    if name == "plain":
        model = table_model(2, size=3, walker=False)
        return Tops(CoreConfig(model, tile_width=16, tile_height=8, **small))
    if name == "large tile":
        model = table_model(2, size=3, walker=False)
        return Tops(CoreConfig(model, tile_width=32, tile_height=64, **small))
    if name == "laplace":
        model = laplace_model(3, bits=18, nodes=30)
        config = CoreConfig(model, tile_width=8, tile_height=16, **small)
        return Tops(config, stream_bytes=8)
    if name == "seven":
        config = CoreConfig(
            table_model(4, size=7), tile_width=16, tile_height=16, levels_per_stage=1, **small
        )
        return Tops(config)
    if name == "one class":
        return Tops(CoreConfig(one_class_model(), tile_width=8, tile_height=8, **small))
    if name == "lanes":  # the fewest and many
        config = CoreConfig(table_model(5), tile_width=8, tile_height=8, encoder_lanes=19, **small)
        config = CoreConfig(
            config.model, lanes=config.min_decoder_lanes, encoder_lanes=19, tile_width=8,
            tile_height=8, **small,
        )  # fmt: skip
        return Tops(config)
    if name == "two levels":
        model = pyramid_table_model(6, levels=2, constraint=True)
        return Tops(CoreConfig(model, tile_width=8, tile_height=16, **small), stream_bytes=2)
    if name == "one level":
        model = pyramid_laplace_model(7, levels=1, bits=18, nodes=30)
        return Tops(CoreConfig(model, tile_width=16, tile_height=8, **small))
    if name == "three levels":
        model = pyramid_laplace_model(8, levels=3, bits=18, nodes=30, constraint=True)
        return Tops(CoreConfig(model, tile_width=16, tile_height=16, **small))
    if name == "seven with levels":
        model = pyramid_table_model(9, levels=2, size=7, ups_size=7)
        return Tops(CoreConfig(model, tile_width=8, tile_height=8, levels_per_stage=1, **small))
    if name == "three with levels":
        model = pyramid_table_model(10, levels=2, size=3, ups_size=3, constraint=True)
        config = CoreConfig(model, tile_width=8, tile_height=8, encoder_lanes=19, **small)
        config = CoreConfig(
            model, lanes=config.min_decoder_lanes, encoder_lanes=19, tile_width=8, tile_height=8,
            primitive="LUT6", **small,
        )  # fmt: skip
        return Tops(config)
    if name == "tans":
        config = CoreConfig(
            table_model(12), tile_width=8, tile_height=8, primitive="LUT6", levels_per_stage=2,
            coder=tans(9), **small,
        )  # fmt: skip
        return Tops(config, stream_bytes=2)
    if name == "tans with levels":
        model = pyramid_table_model(13, levels=2)
        return Tops(CoreConfig(model, tile_width=8, tile_height=16, coder=tans(8), **small))
    if name == "two cores":
        return Tops(tops("plain").config, cores=2)
    if name == "four cores":
        model = replace(table_model(12, size=3), head=small_pixels(13))
        return Tops(CoreConfig(model, tile_width=8, tile_height=8, **small), 2, 4)
    if name == "eight cores":
        model = replace(table_model(13, size=3, walker=False), head=small_pixels(8))
        return Tops(CoreConfig(model, tile_width=8, tile_height=8, **small), 8, 8)
    if name == "two cores with levels":
        return Tops(tops("two levels").config, 4, 2)
    if name == "two cores that count":
        return Tops(tops("one level").config, 4, 2)
    if name == "throughput of levels":
        model = replace(pyramid_table_model(11, levels=2), head=small_pixels(13))
        return Tops(CoreConfig(model, max_width=32, max_height=32))
    raise ValueError(f"configuration must be a known one, not {name!r}")


def small_pixels(classes: int) -> TableHead:
    """A head that codes pixels below 8 in three bits."""
    counts = np.where(np.arange(256) < 8, 1.0, 1e-3)
    return TableHead.from_counts(np.tile(counts, (classes, 1)))


def pictures(width: int, height: int, count: int = 1, seed: int = 0) -> np.ndarray:
    """Images uint8 (count, height, width) in turn noisy, smooth and black and white."""
    rng = np.random.default_rng([width, height, seed])
    y, x = np.mgrid[:height, :width]
    smooth = (128 + 100 * np.sin(x / 5 + seed) * np.cos(y / 4)).astype(np.uint8)
    kinds = [
        rng.integers(256, size=(height, width)), smooth,
        255 * (rng.random((height, width)) < 0.5),
    ]  # fmt: skip
    return np.stack([kinds[k % 3] for k in range(count)]).astype(np.uint8)


def packets(file: bytes) -> list[tuple[int, int]]:
    """First byte and length of each payload."""
    start, length = split_packets(file, Header.unpack(file))
    return list(zip(start.tolist(), length.tolist(), strict=True))
