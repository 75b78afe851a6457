"""Strip encoder: folded residuals in, files of version 2 out."""

from fractions import Fraction

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..coders.short_rans import ShortRansEncoder
from ..fabric.pipeline import delay, drive
from ..streams.axi import word_layout
from .group_bits import GroupBits
from .payload_forms import PayloadForms
from .strip_files import GRAY, Channels
from .strip_writer import StripWriter, file_of
from .symbol_stacks import SymbolStacks

__all__ = ["StripEncoder"]

#: Clocks from a symbol until the writer is busy with its group.
_KNOWN = 5

#: Rows of a group.
_ROWS = 4
#: Groups that are coded at once, as few as the coder's loop has clocks.
_SEATS = ShortRansEncoder.latency


class StripEncoder(wiring.Component):
    """Makes files of folded residuals and the rows of their tables.

    They are those of `lutgen.codec.predictive.codec.PredictiveCodec`, byte for byte.  One symbol
    per clock, if groups begin evenly: in each lane one as soon as its rows have ended, and in the
    next lane the next when a share of that time has gone by.  They must not begin closer than that,
    see `SymbolStacks`.  Groups of rows begin in their order, one lane after the other, before all
    of the lane's group before has come; a group's symbols come in the order of the format, those of
    a lane in ``lanes`` clocks one at most.  They leave backwards when the group is complete, as few
    groups at once as the coder allows, so that little has to be kept.  The payload is written when
    its turn among the groups has come.  Reset forgets everything.

    Parameters
    ----------
    cumulative:
        Integers, shape (rows, 65): the model's tables.
    model_hash:
        First 8 bytes of the model's hash.
    max_width:
        Columns of an image at most.
    depth:
        Bits of a sample, 8 to 16.
    lanes:
        Lanes, at least 8.
    count:
        Bytes of a word of the stream: 1, 2, 4 or 8.
    max_strips:
        Strips of a file at most, a power of two.
    near:
        Whether files may be near-lossless, with folded residuals of fewer bits.
    channels:
        Those that files have.
    slabs:
        See `.strip_writer.StripWriter`, also for the port ``slab``.

    Members
    -------
    valid : In(1)
        A symbol.
    lane, side : In(...)
        Its lane, and which of the lane's groups it is of: they have sides 0 and 1 in turn.
    row, folded : In(...)
        Its row of the tables, and the folded residual.
    first, last : In(1)
        It is the first or last one of its group.
    strip_last, file_last : In(1)
        With ``first``: the group is the last one of its strip, and of its file.
    raw_bits : In(...)
        With ``last``, if ``near``: bits of a folded residual in plain form.
    begin : In(1)
        A file begins: with its first group's ``first`` or up to 100 clocks before.
    file : In(file_of)
        With ``begin``: what its header says.
    ready : Out(1)
        Symbols may come for another period of four turns of each lane.  Those of three such periods
        more may be under way when it falls.
    o : Out(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files, a packet each; only a packet's last word has null bytes, which are its highest ones.
    busy : Out(1)
        Something is inside.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    def __init__(
        self, cumulative: np.ndarray, *, model_hash: bytes, max_width: int, depth: int = 8,
        lanes: int = 8, count: int = 4, max_strips: int = 1024, near: bool = False,
        channels: Channels = GRAY, slabs: int = 1,
    ) -> None:  # fmt: skip
        if max_width < 1:
            raise ValueError(f"greatest width must be at least 1, not {max_width!r}")
        self._lanes, self._depth, self._near = lanes, depth, near
        rows = bits_for(len(cumulative) - 1)
        symbols = _ROWS * max_width
        self._plain_bits = bits_for(depth)
        self._stacks = SymbolStacks(
            lanes, symbols, symbol_bits=rows + depth, note_bits=self._plain_bits if near else 0,
            seats=_SEATS,
        )  # fmt: skip
        self._bits = GroupBits(_SEATS, cumulative, depth)
        self._forms = PayloadForms(
            _SEATS, symbols, depth, most=self._bits.most, varies=near,
            late=SymbolStacks.latency + GroupBits.latency,
            # A symbol per clock comes, and two bytes leave, or as many as a word has.
            read=Fraction(depth, 8 * min(2, count)),
        )  # fmt: skip
        self._writer = StripWriter(
            model_hash=model_hash, lanes=_SEATS, groups=2 * (lanes + _SEATS), symbols=symbols,
            depth=depth, count=count, max_strips=max_strips, channels=channels, slabs=slabs,
        )  # fmt: skip
        self._slab = ("slab",) if slabs > 1 else ()
        super().__init__({
            "valid": In(1), "lane": In(bits_for(lanes - 1)), "side": In(1), "row": In(rows),
            "folded": In(depth), "first": In(1), "last": In(1), "strip_last": In(1),
            "file_last": In(1), **({"raw_bits": In(self._plain_bits)} if near else {}),
            "begin": In(1), "file": In(file_of(channels)), "ready": Out(1),
            "o": Out(stream.Signature(word_layout(count))), "busy": Out(1),
            **{name: self._writer.signature.members[name] for name in self._slab},
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.stacks = stacks = self._stacks
        m.submodules.coder = bits = self._bits
        m.submodules.forms = forms = self._forms
        m.submodules.writer = writer = self._writer
        wiring.connect(m, writer.o, wiring.flipped(self.o))
        # Groups take seats in turn, and their payloads sides, as they begin.
        put = delay(m, self.valid & self.first, 2, name="put", reset=True)
        seat, side = Signal(range(_SEATS)), Signal()
        at_end = seat == _SEATS - 1
        with m.If(put):
            m.d.sync += [seat.eq(Mux(at_end, 0, seat + 1)), side.eq(side ^ at_end)]
        came = Signal(_KNOWN)  # in clocks before: a group that the writer does not know of yet
        m.d.sync += came.eq(Cat(self.valid, came))
        m.d.comb += [
            *drive(stacks, self, "valid", "lane", "side", "first", "last"),
            stacks.symbol.eq(Cat(self.folded, self.row)),
            *([stacks.note.eq(self.raw_bits)] if self._near else []),
            self.ready.eq(stacks.ready & writer.ready),
            forms.turn.eq(stacks.turn), stacks.go.eq(forms.go),
            *drive(writer, self, "begin", "file", *self._slab),
            self.busy.eq(writer.busy | came.any()),
            writer.put.eq(put),
            writer.group.eq(Cat(
                seat, side, delay(m, Cat(self.strip_last, self.file_last), 2, name="put_ends"),
            )),
        ]  # fmt: skip
        # From the stacks to bits.
        depth = self._depth
        code, flush = stacks.o_code, stacks.o_flush
        m.d.comb += [
            bits.lane.eq(stacks.o_seat), bits.code.eq(code), bits.flush.eq(flush),
            bits.first.eq(stacks.o_first), bits.folded.eq(stacks.o_symbol[:depth]),
            bits.row.eq(stacks.o_symbol[depth:]),
        ]
        # ... and in step with these to the forms.
        late = GroupBits.latency
        plain = stacks.o_note if self._near else Const(depth, self._plain_bits)
        # Zeros that complete the plain form's last byte.
        pad = Signal(3)
        m.d.comb += pad.eq(-(stacks.o_low * plain[:3]))
        for name, value in (
            ("lane", stacks.o_seat), ("side", stacks.o_side),
            ("plain_count", Mux(code, plain, 0)), ("pad", pad),
            ("some", code & stacks.o_symbol[:depth].any()),
            ("count_high", stacks.o_high),
        ):  # fmt: skip
            m.d.comb += getattr(forms, name).eq(delay(m, value, late, name=name))
        for name, value in (("first", code & stacks.o_first), ("close", stacks.o_close)):
            m.d.comb += getattr(forms, name).eq(delay(m, value, late, name=name, reset=True))
        m.d.comb += [
            *drive(forms, bits, "bits", "count", "plain"),
            *drive(forms, writer, "wanted", "wanted_side", "forget", "index", "half"),
            *drive(writer, forms, "done", "payload", "pair"),
        ]
        return m
