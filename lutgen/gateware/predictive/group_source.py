"""Images of files as groups of rows that may begin."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from .group_blocks import GroupBlocks
from .group_memory import GroupMemory
from .walk import group_layout

__all__ = ["GroupSource", "source_tag"]


def source_tag(memory: GroupBlocks | GroupMemory, near_bits: int = 0) -> StructLayout:
    """What the visits of a group carry: the group in its memory, and its file's near."""
    near = {"near": near_bits} if near_bits else {}
    return StructLayout({**memory.layout.members, **near})


class GroupSource(wiring.Component):
    """Cuts images into groups, and offers each when its payload and a buffer are there.

    Some clocks from one group to the next.  An image of another width waits until those before it
    have been walked through.  Reset forgets all.

    Parameters
    ----------
    file:
        Layout of ``files``.
    memory:
        Where samples will stand.
    max_height:
        Rows of an image at most.
    near_bits:
        Bits of an image's near that its groups carry; 0 if all are lossless.
    planes:
        Planes of an image: it has as many rows more, see `.walk.Walk`.

    Members
    -------
    files : In(stream)
        Images: width, height, strip height and near.
    waiting : In(1)
        The next group's payload is there.
    freed : In(1)
        A buffer is free again.
    walking : In(1)
        The walk is busy.
    groups : Out(stream)
        See `walk.group_layout`; its tag is a `source_tag`.
    walk_width : Out(...)
        Width of the groups that are offered.
    busy : Out(1)
        An image is under way, or a buffer in use.
    """

    def __init__(
        self, file: StructLayout, memory: GroupBlocks | GroupMemory, *, max_height: int,
        near_bits: int = 0, planes: int = 1,
    ) -> None:  # fmt: skip
        self._memory, self._near_bits = memory, near_bits
        self._max_rows, self._planes = max_height * planes, planes
        #: What visits carry of a group.
        self.tag = source_tag(memory, near_bits)
        super().__init__({
            "files": In(stream.Signature(file)),
            "waiting": In(1),
            "freed": In(1),
            "walking": In(1),
            "groups": Out(stream.Signature(group_layout(self.tag.size, planes))),
            "walk_width": Out(bits_for(memory.max_width)),
            "busy": Out(1),
        })

    def _rows(self, lines):
        """Rows of so many lines of the image."""
        return lines if self._planes == 1 else lines * self._planes

    def elaborate(self, platform) -> Module:
        m = Module()
        file, group = self.files.payload, self.groups.payload
        memory = self._memory
        tag = self.tag(group.tag)
        rows = bits_for(self._max_rows)
        of_image, of_strip, height = Signal(rows), Signal(rows), Signal(rows)
        least, whole = Signal(rows), Signal()  # of strip and image, and whether it is all of it
        used = Signal(range(memory.buffers + 1))
        base = Signal.like(tag.base)
        first, top = Signal(), Signal()
        near = Signal(self._near_bits)
        order, plane = Signal(4), Signal(range(self._planes))  # of the file, and of the next row
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
                        self.walk_width.eq(file.width), of_image.eq(self._rows(file.height)),
                        height.eq(self._rows(file.strip_height)),
                        of_strip.eq(self._rows(file.strip_height)),
                        first.eq(1), top.eq(1),
                    ]  # fmt: skip
                    if self._near_bits:
                        m.d.sync += near.eq(file.near)
                    if "order" in file.shape().members:
                        m.d.sync += [order.eq(file.order), plane.eq(0)]
                    m.next = "compare"
            with m.State("compare"):
                cut = of_strip < of_image
                m.d.sync += [least.eq(Mux(cut, of_strip, of_image)), whole.eq(~cut), may.eq(0)]
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
                    tag.last.eq(whole & (least <= GROUP)),
                ]
                if self._near_bits:
                    m.d.sync += tag.near.eq(near)
                if "order" in memory.layout.members:
                    m.d.sync += tag.order.eq(order)
                if "plane" in group.shape().members:
                    m.d.sync += group.plane.eq(plane)
                m.next = "offer"
            with m.State("offer"):
                m.d.comb += self.groups.valid.eq(may & self.waiting)
                m.d.sync += may.eq(used != memory.buffers)
                with m.If(goes):
                    m.d.sync += [
                        of_image.eq(of_image - group.rows - 1),
                        of_strip.eq(Mux(group.bottom, height, of_strip - group.rows - 1)),
                        top.eq(group.bottom),
                        first.eq(0),
                        base.eq(memory.following(base)),
                    ]
                    if self._planes > 1:  # of the row behind a whole group
                        step = GROUP % self._planes
                        wraps = plane >= self._planes - step
                        m.d.sync += plane.eq(Mux(
                            group.bottom, 0, Mux(wraps, plane + step - self._planes, plane + step)
                        ))  # fmt: skip
                    m.next = "next"
            with m.State("next"):
                with m.If(of_image == 0):
                    m.next = "none"
                with m.Else():
                    m.next = "compare"
        m.d.sync += self.busy.eq(~fsm.ongoing("none") | (used != 0) | goes)
        return m
