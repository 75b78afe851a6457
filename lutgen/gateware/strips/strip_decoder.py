"""Strip decoder: from the bytes of files of version 2 to folded residuals on request."""

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.container import GROUP

from ..fabric.pipeline import drive
from ..streams.axi import word_layout
from .lane_decoder import LaneDecoder
from .payload_queue import PayloadQueue
from .payload_ring import WORD_BITS, PayloadRing
from .slabs import slab_bits, widest_slab
from .strip_files import GRAY, Channels, file_layout, strip_header
from .strip_reader import StripReader

__all__ = ["StripDecoder", "ring_bits"]


def ring_bits(lanes: int, max_width: int, depth: int) -> int:
    """Bits of address of a ring of words for as many plain payloads as there are lanes.

    If a width is a power of two, it holds one less, as each takes up to three words more than its
    bytes.
    """
    words = lanes * (-(-GROUP * max_width * depth // WORD_BITS))
    return max(words - 1, StripReader.words_of(max_width, depth) + 7).bit_length()


class StripDecoder(wiring.Component):
    """Reads files, and gives the residuals of their groups of rows to lanes in rotation.

    Whoever asks for residuals, the *scheduler*, keeps these rules:

    - It takes an image from ``files`` and gives a lane to each of its groups, from the top, strip
      by strip: lane after lane, going on behind the lane of the image before.
    - A group may begin, with ``first``, only if ``waiting`` was high in a clock at least three
      clocks after the ``first`` before it.  No other group may wait for it: what ends makes room
      for what is to come.
    - Requests of one lane are at least `LaneDecoder.spacing` clocks apart.
    - The group's last request has ``last``.  The lane's next group begins after it.

    A damaged file gives as many residuals as its header promises, zeros for what is missing.

    Parameters
    ----------
    model_hash:
        First eight bytes of the model's hash.
    cumulative:
        int32, shape (rows, 65): the model's tables.
    depth:
        Bits of a sample, 8 to 16.
    max_width, max_height:
        Largest image.
    lanes:
        Lanes, at least `LaneDecoder.spacing`.
    stream_bytes:
        Bytes of a beat: 1, 2, 4 or 8.
    address_bits:
        Of words in the payload ring; `ring_bits` unless given.  A smaller ring makes groups wait
        where payloads are long.
    max_near:
        Greatest near of a file; those of greater ones have a bad header.
    channels:
        Those that files have.
    slabs, max_strip_height:
        See `StripReader`, also for the port ``slab``.

    Attributes
    ----------
    latency:
        Clocks from a request to ``folded``.

    Members
    -------
    words : In(stream of `word_layout`)
        The files, without null beats (`lutgen.gateware.streams.axi.NullBeats`).
    files : Out(stream of `file_layout`)
        Each image, when its header has been read.
    waiting : Out(1)
        A payload is there for the next group; up to date three clocks after a ``first``.
    valid, lane, row, first, last : In(...)
        Request, see `LaneDecoder`.
    folded : Out(depth)
        Folded residual, ``latency`` clocks later.
    bad_header, bad_packet, bad_strip : Out(1)
        Pulses, see `StripReader`; ``bad_strip`` also of a residual that is too great.
    busy : Out(1)
        A file is incomplete, or a payload has not been used.
    """

    def __init__(
        self, *, model_hash: bytes, cumulative: np.ndarray, depth: int, max_width: int,
        max_height: int, lanes: int = 16, stream_bytes: int = 4, address_bits: int | None = None,
        max_near: int = 0, channels: Channels = GRAY, slabs: int = 1,
        max_strip_height: int | None = None,
    ) -> None:  # fmt: skip
        columns = widest_slab(max_width, slabs)
        address_bits = address_bits or ring_bits(lanes, columns, depth)
        self._reader = StripReader(
            header=strip_header(model_hash, depth, channels, slabs), depth=depth,
            max_width=max_width,
            max_height=max_height, stream_bytes=stream_bytes, address_bits=address_bits,
            max_near=max_near, channels=channels, slabs=slabs,
            max_strip_height=max_strip_height,
        )  # fmt: skip
        self._lanes = LaneDecoder(
            cumulative, depth=depth, lanes=lanes, address_bits=address_bits,
            lossless=not max_near,
        )  # fmt: skip
        self._queue = PayloadQueue(self._reader.payloads.payload.shape())
        self._ring = PayloadRing(address_bits, self._lanes.window_bits)
        self.latency = self._lanes.latency
        requests = ("valid", "lane", "row", "first", "last", "folded")
        super().__init__({
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "files": Out(stream.Signature(file_layout(depth, columns, max_height, channels))),
            **({"slab": In(slab_bits(slabs))} if slabs > 1 else {}),
            "waiting": Out(1),
            **{name: self._lanes.signature.members[name] for name in requests},
            "bad_header": Out(1),
            "bad_packet": Out(1),
            "bad_strip": Out(1),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.reader, m.submodules.lanes = reader, lanes = self._reader, self._lanes
        m.submodules.queue, m.submodules.ring = queue, ring = self._queue, self._ring
        wiring.connect(m, wiring.flipped(self.words), reader.words)
        wiring.connect(m, reader.files, wiring.flipped(self.files))
        wiring.connect(m, reader.payloads, queue.i)
        m.d.comb += [
            *drive(ring, reader, "write", "address", "word"),
            ring.fetch.eq(lanes.fetch),
            lanes.window.eq(ring.window),
            reader.free_to.eq(lanes.free_to),
            queue.pop.eq(lanes.pop),
            lanes.payload.eq(queue.front),
            self.waiting.eq(queue.waiting),
            *drive(lanes, self, "valid", "lane", "row", "first", "last"),
            *drive(self, lanes, "folded"),
            *drive(self, reader, "bad_header", "bad_packet"),
            self.bad_strip.eq(reader.bad_strip | lanes.damaged),
        ]
        if self._reader.slabs > 1:
            m.d.comb += reader.slab.eq(self.slab)
        m.d.sync += self.busy.eq(reader.busy | queue.waiting | lanes.active)
        return m
