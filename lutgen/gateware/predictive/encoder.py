"""Encoder core of profile ``predictive``: pixels in, files out, one sample per clock."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel

from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import drive
from ..streams.axi import word_layout
from ..streams.lut_fifo import LutFifo
from ..strips.slabs import slab_bits
from ..strips.strip_encoder import StripEncoder
from ..strips.strip_writer import file_of
from .modeller import Modeller
from .picture_in import PICTURE_EVENTS
from .planes import Planes

__all__ = ["PredictiveEncoder"]


class PredictiveEncoder(wiring.Component):
    """Encodes each picture into a file.

    Pictures of W columns take ``4 * max(17 * lanes, W + 3)`` clocks for each four rows, so 1.002
    clocks a pixel at 1,920.  Reset forgets all pictures.

    Parameters
    ----------
    model:
        The codec model.
    depth:
        Bits of a sample.
    lanes:
        Groups of rows that are encoded side by side: 8 or more.
    max_width, max_height:
        Largest picture.
    strip_height:
        Rows of a strip: a multiple of four; by default a picture is one strip.
    stream_bytes:
        Bytes of a beat of the files.
    fabric:
        Whose memories to use.
    events:
        Whether to tell what happens to pictures.
    max_near:
        Greatest near of a picture, the error of its samples when decoded; 0: all are lossless.
    slabs:
        Parts from left to right that an image is cut into.  Of more than one, a picture is one
        slab, and its strips leave without header and index, a packet each.

    Members
    -------
    slab, image_width : In(...)
        With ``slabs``: number of the slab, and width of the image; like ``width``, and unchanged
        until the picture has begun.
    pixels, width, height, bad_marker, bad_size
        See `picture_in.PictureIn`.
    (near)
        With ``max_near``, likewise.
    (order)
        Of colour and of colour filter arrays, see `planes_in.PlanesIn`.
    words : Out(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files, a packet each.
    idle : Out(1)
        Nothing was inside the core a clock ago.
    (`picture_in.PICTURE_EVENTS`) : Out(1)
        With ``events``, likewise.
    """

    def __init__(
        self, model: PredictiveModel | ColourModel, depth: int, *, lanes: int = 8, max_width: int,
        max_height: int, strip_height: int | None = None, stream_bytes: int = 4,
        fabric: Fabric = LUT6, events: bool = False, max_near: int = 0, slabs: int = 1,
    ) -> None:  # fmt: skip
        planes = Planes.of(model)
        self._max_near, self._slabs, self._planes = max_near, slabs, planes
        self._events = PICTURE_EVENTS if events else ()
        self._lanes = lanes
        self._strip_height = strip_height = strip_height or max_height
        self._strip_lines = planes.lines(strip_height)
        strips = -(-max_height // strip_height)
        self._model = Modeller(
            model, depth, lanes=lanes, max_width=max_width, max_height=max_height,
            strip_height=strip_height, fabric=fabric, events=events, max_near=max_near,
        )  # fmt: skip
        self._channels = planes.channels
        self._strips = StripEncoder(
            planes.cumulative, model_hash=bytes.fromhex(model.hash)[:8],
            max_width=planes.columns(max_width), depth=depth, lanes=lanes, count=stream_bytes,
            max_strips=1 << max(1, (strips - 1).bit_length()), near=bool(max_near),
            channels=self._channels, slabs=slabs,
        )  # fmt: skip
        members = self._model.signature.members
        self._given = [name for name in ("width", "height", "order") if name in members]
        super().__init__({
            **{name: members[name] for name in ("pixels", *self._given)},
            "words": Out(stream.Signature(word_layout(stream_bytes))),
            "bad_marker": Out(1),
            "bad_size": Out(1),
            "idle": Out(1),
            **({"near": self._model.signature.members["near"]} if max_near else {}),
            **dict.fromkeys(self._events, Out(1)),
            **({"slab": In(slab_bits(slabs)), "image_width": In(16)} if slabs > 1 else {}),
        })

    @property
    def loop_clocks(self) -> dict[str, int]:
        """Clocks from a visit to what is there of it by then; ``record`` closes the loop."""
        return self._model.loop_clocks

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.model, m.submodules.strips = model, strips = self._model, self._strips
        # Pictures that have begun, until their first symbol comes: not more than buffers.
        m.submodules.files = files = LutFifo(file_of(self._channels), 2 * self._lanes)
        wiring.connect(m, wiring.flipped(self.pixels), model.pixels)
        wiring.connect(m, strips.o, wiring.flipped(self.words))
        symbol = model.symbol
        begins = symbol.valid & symbol.first & symbol.file_begins
        rows = self._strip_lines
        # Fields behind the sizes: shift, which is 0, near, and the order of planes.
        header = files.i.payload
        further = [Const(0, len(header.shift))]
        if self._max_near:
            further.append(model.file_near)
            m.d.comb += [model.near.eq(self.near), strips.raw_bits.eq(symbol.raw_bits)]
        if self._channels.order_bits:
            rest = len(header.shift) + len(header.near) - len(Cat(*further))
            further += [Const(0, rest), model.file_order]
        width = _wide(model.file_width)
        if self._slabs > 1:
            width = self._planes.columns(self.image_width)
            m.d.comb += strips.slab.eq(self.slab)
        m.d.comb += [
            *drive(model, self, *self._given),
            *drive(self, model, "bad_marker", "bad_size", *self._events),
            model.hold.eq(~strips.ready),
            files.i.valid.eq(model.file_begins),
            # Fields from the first on; those that are not there are 0.
            files.i.payload.as_value().eq(Cat(
                width, _wide(model.file_height),
                _wide(Mux(model.file_height < rows, model.file_height, rows)), *further,
            )),
            files.o.ready.eq(begins),
            strips.begin.eq(begins),
            strips.file.eq(files.o.payload),
            *drive(strips, symbol, "valid", "lane", "side", "row", "folded", "first", "last"),
            strips.strip_last.eq(symbol.strip_ends),
            strips.file_last.eq(symbol.file_ends),
        ]
        # A picture that has begun a clock ago, with its first pixel, is not in the queue yet.
        m.d.sync += self.idle.eq(~(model.file_begins | model.busy | files.busy | strips.busy))
        return m


def _wide(value) -> Value:
    """A size as `FILE` has it."""
    return Cat(value, Const(0, 16))[:16]
