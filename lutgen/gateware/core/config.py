"""Parameters of a core: what `lutgen build` decides before it elaborates."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from amaranth.lib.data import StructLayout

from lutgen.codec.coder import RANS, Coder
from lutgen.codec.tans import TansTables
from lutgen.errors import InputError
from lutgen.model.model import Model
from lutgen.model.tile import DEFAULT_IMAGE, DEFAULT_TILE, check_sizes

from ..coders.payload import PayloadMemory
from ..coders.rans import BitPacker, RansDecoder, RansEncoder
from ..coders.tans import TansDecoder, TansEncoder, TansStates, TansSymbols
from ..fabric.fabric import FABRICS, Fabric
from ..files.raster import pixel_layout
from ..heads.constraint import ConstrainedDecoder, ConstrainedEncoder
from ..heads.head import HeadDecoder, HeadEncoder
from ..heads.kinds import blocks_of
from ..lanes.lanes import forward_tile
from ..lanes.window import BackwardWindow, ForwardWindow
from ..levels.prior import PriorWindow
from ..levels.pyramid import level_pixel
from ..network.network import Network

__all__ = ["CoreConfig"]


def _power_of_two(at_least: int) -> int:
    return 1 << max(1, (at_least - 1).bit_length())


@dataclass(frozen=True)
class CoreConfig:
    """One encoder or decoder core.

    Parameters
    ----------
    model:
        The codec model.
    lanes:
        Lanes of the decoder, or None for the fewest that hide the pipeline, rounded up to a
        multiple of eight; the encoder has its own, shorter loop.
    encoder_lanes:
        Lanes of the encoder, or None for the fewest.
    tile_width, tile_height:
        Tile in pixels: 8, 16, 32 or 64.
    max_width, max_height:
        Largest image in pixels.
    levels_per_stage:
        LUT levels between registers of the network, or None for what the fabric affords.
    primitive:
        LUT primitive to instantiate, or None.
    coder:
        Entropy coder.
    fabric:
        What the core will be mapped to, a name in `fabric.FABRICS`.

    Raises
    ------
    InputError
        If a parameter is outside its range, or there are fewer lanes than the pipeline is deep.
    """

    #: Bits of a sample, and of a pixel on a stream.
    depth: ClassVar[int] = 8
    pixel_bits: ClassVar[int] = 8
    #: A pixel on a stream within the core.
    pixel: ClassVar[StructLayout] = pixel_layout(8)
    #: Whether files have strips, and not tiles.
    strips: ClassVar[bool] = False
    #: Type of arrays of pixels.
    pixel_dtype: ClassVar[np.dtype] = np.dtype(np.uint8)
    #: Greatest error of a sample, and number of the last order of planes.
    max_near: ClassVar[int] = 0
    max_order: ClassVar[int] = 0

    model: Model = field(repr=False)
    lanes: int | None = None
    encoder_lanes: int | None = None
    tile_width: int = DEFAULT_TILE[0]
    tile_height: int = DEFAULT_TILE[1]
    max_width: int = DEFAULT_IMAGE[0]
    max_height: int = DEFAULT_IMAGE[1]
    levels_per_stage: int | None = None
    primitive: str | None = None
    coder: Coder = RANS
    fabric: str = "lut6"

    def __post_init__(self) -> None:
        if self.fabric not in FABRICS:
            raise InputError(f"fabric must be one of {', '.join(FABRICS)}, not {self.fabric!r}")
        object.__setattr__(self, "levels_per_stage", self.levels_of_stage)
        check_sizes((self.tile_width, self.tile_height), self.max_width, self.max_height)
        if self._is_tans:
            _ = self.tans_tables  # refuses models that have none
        for name, value, least in (
            ("lanes", self.lanes, self.min_decoder_lanes),
            ("encoder lanes", self.encoder_lanes, self.min_encoder_lanes),
        ):
            if value is not None and not least <= value <= 256:
                raise InputError(
                    f"{name} must be {least} (the depth of the pipeline) to 256, not {value!r}"
                )

    @property
    def cells(self) -> Fabric:
        """The cells of the fabric."""
        return FABRICS[self.fabric]

    @property
    def levels_of_stage(self) -> int:
        """LUT nodes in a row between registers of the network: those of the fabric unless told."""
        if self.levels_per_stage is None:
            return self.cells.levels_per_stage
        return self.levels_per_stage

    @cached_property
    def tans_tables(self) -> TansTables:
        """Tables of the tANS coder."""
        return TansTables.of_model(self.model, self.coder.code)

    @property
    def _is_tans(self) -> bool:
        return self.coder != RANS

    @property
    def _encoder_head(self) -> type[TansSymbols | ConstrainedEncoder | HeadEncoder]:
        if self._is_tans:
            return TansSymbols
        if self.model.constraint:
            return ConstrainedEncoder
        return blocks_of(self.model.head).encoder

    @property
    def _decoder_head(self) -> type[ConstrainedDecoder | HeadDecoder]:
        if self.model.constraint:
            return ConstrainedDecoder
        return blocks_of(self.model.head).decoder

    @property
    def coder_registers(self) -> bool:
        """Whether the coder and its memory of payloads have registers; tANS has none."""
        return self.cells.registers and not self._is_tans

    @property
    def _head_options(self) -> dict[str, bool]:
        return {"registers": True} if self.coder_registers and not self.model.constraint else {}

    def encoder_head(self):
        """A new component that finds a symbol's interval."""
        if self._is_tans:
            return TansSymbols(self.tans_tables)
        return self._encoder_head(self.model.head, **self._head_options)

    def decoder_head(self):
        """A new component that finds a slot's symbol."""
        if self._is_tans:
            return TansStates(self.tans_tables)
        return self._decoder_head(self.model.head, **self._head_options)

    def encoder_coder(self) -> RansEncoder | TansEncoder:
        """A new coder core of the encoder."""
        if self._is_tans:
            return TansEncoder(self.tans_tables, self.lanes_of_encoder)
        return RansEncoder(self.lanes_of_encoder)

    def decoder_coder(self) -> RansDecoder | TansDecoder:
        """A new coder core of the decoder."""
        bits = self.payload_address_bits + 3
        if self._is_tans:
            return TansDecoder(self.tans_tables, self.decoder_lanes, address_bits=bits)
        return RansDecoder(
            self.decoder_lanes, head_latency=self._interval_latency, address_bits=bits,
            fetch_latency=PayloadMemory.latency + self.coder_registers,
            registers=self.coder_registers,
        )  # fmt: skip

    @property
    def _interval_latency(self) -> int:
        return self._decoder_head.interval_latency_of(self.model.head, **self._head_options)

    def _network_registers(self, encoder: bool) -> int:
        # Latency costs the decoder lanes, the encoder nothing.
        return self.cells.registers * (1 + encoder)

    def network(self, *, encoder: bool) -> Network:
        """A new network of the model, for an encoder or a decoder."""
        return Network(
            self.model, levels_per_stage=self.levels_of_stage, primitive=self.primitive,
            registers=self._network_registers(encoder),
        )  # fmt: skip

    def _network_latency(self, encoder: bool) -> int:
        return Network.latency_of(
            self.model, self.levels_of_stage, self._network_registers(encoder)
        )

    @property
    def decoder_class_at(self) -> int:
        """Clocks from a slot of the decoder's rotation to its class."""
        window = PriorWindow if self.model.levels else ForwardWindow
        return window.latency + self._network_latency(encoder=False)

    @property
    def decoder_symbol_at(self) -> int:
        """Clocks from a slot of the decoder's rotation to its decoded pixel."""
        if self._is_tans:
            return self.decoder_class_at + TansDecoder.symbol_latency
        return self.decoder_class_at + self._decoder_head.latency_of(
            self.model.head, **self._head_options
        )

    @property
    def encoder_class_at(self) -> int:
        """Clocks from a slot of the encoder's rotation to its class."""
        return BackwardWindow.latency + self._network_latency(encoder=True)

    @property
    def encoder_interval_at(self) -> int:
        """Clocks from a slot of the encoder's rotation to its pixel's interval."""
        return self.encoder_class_at + self._encoder_head.latency_of(
            self.model.head, **self._head_options
        )

    @property
    def min_decoder_lanes(self) -> int:
        """Depth of the decoder's loops: window to pixel, and ANS state to ANS state."""
        if self._is_tans:
            coder = TansDecoder.latency
        else:
            coder = RansDecoder.slot_latency + self._interval_latency + RansDecoder.tail
        return max(self.decoder_symbol_at + 1, coder + self.coder_registers)

    @property
    def min_encoder_lanes(self) -> int:
        """Depth of the encoder's loops: ANS state, and bit packing."""
        coder = TansEncoder if self._is_tans else RansEncoder
        return max(coder.latency, BitPacker.latency + 1)

    @property
    def decoder_lanes(self) -> int:
        """Lanes of the decoder."""
        return self.lanes or -(-self.min_decoder_lanes // 8) * 8

    @property
    def lanes_of_encoder(self) -> int:
        """Lanes of the encoder."""
        return self.encoder_lanes or self.min_encoder_lanes

    @property
    def columns(self) -> int:
        """Tiles side by side in the widest image."""
        return -(-self.max_width // self.tile_width)

    @property
    def input_buffers(self) -> int:
        """Tile buffers of the encoder: one band fills while another is coded."""
        return _power_of_two(max(2 * self.columns, self.lanes_of_encoder + 4))

    @property
    def packet_buffers(self) -> int:
        """Payload buffers of the encoder."""
        return _power_of_two(self.lanes_of_encoder + 4)

    @property
    def output_buffers(self) -> int:
        """Tile buffers of the decoder: all lanes at work, and a band that is read."""
        return _power_of_two(max(self.decoder_lanes + self.columns + 2, 2 * self.columns))

    @property
    def payload_address_bits(self) -> int:
        """Address bits of the decoder's payload bytes: a tile of 8 bits a pixel for each lane."""
        tile = self.tile_width * self.tile_height
        longest = self.coder.max_payload_bytes(self.tile_symbols)
        return (max(self.decoder_lanes * tile, 2 * longest) - 1).bit_length()

    @property
    def tile_symbols(self) -> int:
        """Pixels of all levels of a whole tile."""
        return sum(
            (self.tile_width >> level) * (self.tile_height >> level)
            for level in range(self.model.levels + 1)
        )

    @property
    def sequence_bits(self) -> int:
        """Bits of a tile's sequence number."""
        buffers = max(self.input_buffers, self.packet_buffers, self.output_buffers)
        return buffers.bit_length()

    @property
    def levels(self) -> int:
        """Levels of the model."""
        return self.model.levels

    @property
    def model_hash(self) -> bytes:
        """The model's hash as the stream carries it."""
        return bytes.fromhex(self.model.hash)[:8]

    @property
    def level_pixel(self):
        """Layout of a pixel that goes into the encoder's pyramid."""
        return level_pixel(
            0, tile_height=self.tile_height, max_width=self.max_width, slots=self.input_buffers
        )

    @property
    def tile_layout(self):
        """Layout of a tile to decode."""
        return forward_tile(self.tile_width, self.tile_height, self.payload_address_bits + 3)
