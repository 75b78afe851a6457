"""Images of files as groups of rows that may begin."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from .walk import group_layout

__all__ = ["GroupSource", "decoder_tag"]


def decoder_tag(words: int, max_width: int) -> StructLayout:
    """What visits carry of a decoder's group."""
    return StructLayout({
        "base": bits_for(words - 1), "width": bits_for(max_width), "rows": 2, "first": 1,
    })  # fmt: skip


class GroupSource(wiring.Component):
    """Cuts images into groups, and offers each when its payload and a buffer are there.

    Some clocks from one group to the next.  An image of another width waits until those before it
    have been walked through.  Reset forgets all.

    Parameters
    ----------
    max_width, max_height:
        Largest image.
    buffers:
        Groups whose samples can be held.

    Members
    -------
    files : In(stream)
        Images: width, height and strip height.
    waiting : In(1)
        The next group's payload is there.
    freed : In(1)
        A buffer is free again.
    walking : In(1)
        The walk is busy.
    groups : Out(stream)
        See `walk.group_layout`, with a `decoder_tag`.
    walk_width : Out(...)
        Width of the groups that are offered.
    busy : Out(1)
        An image is under way, or a buffer in use.
    """

    def __init__(
        self, file: StructLayout, *, max_width: int, max_height: int, buffers: int
    ) -> None:
        self._max_width, self._max_height, self._buffers = max_width, max_height, buffers
        self._words = buffers * GROUP * max_width
        self._tag = decoder_tag(self._words, max_width)
        super().__init__({
            "files": In(stream.Signature(file)),
            "waiting": In(1),
            "freed": In(1),
            "walking": In(1),
            "groups": Out(stream.Signature(group_layout(self._tag.size))),
            "walk_width": Out(bits_for(max_width)),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        file, group = self.files.payload, self.groups.payload
        tag = self._tag(group.tag)
        rows = bits_for(self._max_height)
        of_image, of_strip, height = Signal(rows), Signal(rows), Signal(rows)
        least = Signal(rows)
        used = Signal(range(self._buffers + 1))
        base = Signal(range(self._words))
        first, top = Signal(), Signal()
        goes = Signal()
        m.d.comb += goes.eq(self.groups.valid & self.groups.ready)
        m.d.sync += used.eq(used + goes - self.freed)
        empty = Signal()
        m.d.sync += empty.eq((used == 0) & ~self.walking & ~goes)
        may = Signal()
        with m.FSM(name="image") as fsm:
            with m.State("none"):
                alike = file.width == self.walk_width
                with m.If(self.files.valid & (alike | empty)):
                    m.d.comb += self.files.ready.eq(1)
                    m.d.sync += [
                        self.walk_width.eq(file.width), of_image.eq(file.height),
                        height.eq(file.strip_height), of_strip.eq(file.strip_height),
                        first.eq(1), top.eq(1),
                    ]  # fmt: skip
                    m.next = "compare"
            with m.State("compare"):
                m.d.sync += [least.eq(Mux(of_strip < of_image, of_strip, of_image)), may.eq(0)]
                m.next = "prepare"
            with m.State("prepare"):
                m.d.sync += [
                    group.rows.eq(Mux(least > GROUP, GROUP, least) - 1),
                    group.top.eq(top),
                    group.bottom.eq(least <= GROUP),
                    tag.base.eq(base),
                    tag.width.eq(self.walk_width),
                    tag.rows.eq(Mux(least > GROUP, GROUP, least) - 1),
                    tag.first.eq(first),
                ]
                m.next = "offer"
            with m.State("offer"):
                m.d.comb += self.groups.valid.eq(may & self.waiting)
                m.d.sync += may.eq(used != self._buffers)
                with m.If(goes):
                    m.d.sync += [
                        of_image.eq(of_image - group.rows - 1),
                        of_strip.eq(Mux(group.bottom, height, of_strip - group.rows - 1)),
                        top.eq(group.bottom),
                        first.eq(0),
                        base.eq(Mux(base == self._words - GROUP * self._max_width, 0,
                                    base + GROUP * self._max_width)),
                    ]  # fmt: skip
                    m.next = "next"
            with m.State("next"):
                with m.If(of_image == 0):
                    m.next = "none"
                with m.Else():
                    m.next = "compare"
        m.d.sync += self.busy.eq(~fsm.ongoing("none") | (used != 0) | goes)
        return m
