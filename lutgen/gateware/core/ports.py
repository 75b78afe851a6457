"""Ports of the tops: AXI4-Stream by the names that Verilog has."""

from amaranth.hdl import Cat, DomainRenamer, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.errors import InputError

from ..fabric.fabric import Fabric
from ..streams.axi import NullBeats, SkidBuffer, word_layout

__all__ = [
    "STREAM_FIELDS", "VIDEO_FIELDS", "Top", "check_stream_bytes", "stream_ports", "video_ports",
]  # fmt: skip


def video_ports(prefix: str, source: bool, *, bits: int = 8, keep: bool = False) -> dict:
    forward, back = (Out, In) if source else (In, Out)
    return {
        f"{prefix}_tdata": forward(bits),
        **({f"{prefix}_tkeep": forward(bits // 8)} if keep else {}),
        f"{prefix}_tuser": forward(1),
        f"{prefix}_tlast": forward(1),
        f"{prefix}_tvalid": forward(1),
        f"{prefix}_tready": back(1),
    }


def stream_ports(prefix: str, count: int, source: bool) -> dict:
    forward, back = (Out, In) if source else (In, Out)
    return {
        f"{prefix}_tdata": forward(8 * count),
        f"{prefix}_tkeep": forward(count),
        f"{prefix}_tlast": forward(1),
        f"{prefix}_tvalid": forward(1),
        f"{prefix}_tready": back(1),
    }


VIDEO_FIELDS = {"data": "tdata", "sof": "tuser", "eol": "tlast"}
STREAM_FIELDS = {"data": "tdata", "keep": "tkeep", "last": "tlast"}


class Top(wiring.Component):
    """What the tops share: ports to streams, sticky errors, the fabric they are made for."""

    @property
    def fabric(self) -> Fabric:
        """The cells of the fabric."""
        return self._config.cells

    def _sink(
        self, m: Module, prefix: str, shape, fields: dict, name: str, *, domain: str = "sync"
    ):  # fmt: skip
        """Registered slice behind the ports of an input; returns its stream."""
        skid = SkidBuffer(shape)
        m.submodules[name] = DomainRenamer(domain)(skid)
        m.d.comb += [
            skid.i.valid.eq(getattr(self, f"{prefix}_tvalid")),
            getattr(self, f"{prefix}_tready").eq(skid.i.ready),
            *[
                getattr(skid.i.payload, field).eq(getattr(self, f"{prefix}_{port}"))
                for field, port in fields.items()
            ],
        ]
        return skid.o

    def _packets(self, m: Module, prefix: str, count: int):
        """Slice behind an input of packets, without null beats: its stream, and whether a beat is
        inside."""
        words = self._sink(m, prefix, word_layout(count), STREAM_FIELDS, "slice_in")
        m.submodules.null_beats = null_beats = NullBeats(count)
        wiring.connect(m, words, null_beats.i)
        return null_beats.o, words.valid | null_beats.held

    def _source(
        self, m: Module, prefix: str, shape, fields: dict, name: str, *, domain: str = "sync"
    ):  # fmt: skip
        """Registered slice before the ports of an output; returns its stream."""
        skid = SkidBuffer(shape)
        m.submodules[name] = DomainRenamer(domain)(skid)
        m.d.comb += [
            getattr(self, f"{prefix}_tvalid").eq(skid.o.valid),
            skid.o.ready.eq(getattr(self, f"{prefix}_tready")),
            *[
                getattr(self, f"{prefix}_{port}").eq(getattr(skid.o.payload, field))
                for field, port in fields.items()
            ],
        ]
        return skid.i

    @staticmethod
    def _sticky(m: Module, error, clear, pulses) -> None:
        m.d.sync += error.eq((error & ~clear.replicate(len(error))) | Cat(pulses))


def check_stream_bytes(count: int) -> None:
    if count not in (1, 2, 4, 8):
        raise InputError(f"stream width must be 1, 2, 4 or 8 bytes, not {count!r}")
