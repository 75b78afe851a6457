"""File header: what a reader of strips takes of a file's first bytes."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.pipeline import look_up
from ..files.header import BuildHeader, HeaderCheck
from .slabs import slab_bits, slab_columns, slab_steps, widest_slab
from .strip_files import GRAY, Channels, file_layout, near_table

__all__ = ["FileHeader"]


class FileHeader(wiring.Component):
    """Compares a header with that of the build, and keeps its sizes.

    One byte per clock.  Reset forgets all.

    Parameters
    ----------
    header:
        The header that files must have, see `strip_header`.
    depth:
        Bits of a sample.
    max_width, max_height:
        Largest image.
    max_near:
        Greatest near that is not wrong.
    channels:
        Those that files have.
    slabs:
        Slabs of an image.  Of more than one, ``file`` has the width of one.
    max_strip_height:
        Rows of a strip at most; those of an image unless given.

    Members
    -------
    slab : In(...)
        With ``slabs``: number of the slab whose width is wanted.
    widest : Out(...)
        With ``slabs``: columns that no slab of the image has more of; like ``file``.
    byte, step : In(...)
        Byte of the header that is taken.
    forget : In(1)
        The next byte is a header's first; two clocks after the last one.
    whole : Out(1)
        The byte to come is the header's last.
    wrong : Out(1)
        It is not one of this build; four clocks after the last byte.
    file : Out(file_layout)
        The file; like ``wrong``, until the next header comes.
    bits : Out(5)
        Bits of a plain residual.
    """

    #: Clocks from the last byte to the verdict.
    latency = 4

    def __init__(
        self, header: BuildHeader, *, depth: int, max_width: int, max_height: int,
        max_near: int = 0, channels: Channels = GRAY, slabs: int = 1,
        max_strip_height: int | None = None,
    ) -> None:  # fmt: skip
        self._max_near, self._channels, self._slabs = max_near, channels, slabs
        self._max_strip = max_strip_height
        self._header, self._depth = header, depth
        self._max_width, self._max_height = max_width, max_height
        super().__init__({
            "byte": In(8), "step": In(1), "forget": In(1), "whole": Out(1), "wrong": Out(1),
            "file": Out(file_layout(depth, widest_slab(max_width, slabs), max_height, channels)),
            "bits": Out(5),
            **({
                "slab": In(slab_bits(slabs)),
                "widest": Out(bits_for(widest_slab(max_width, slabs))),
            } if slabs > 1 else {}),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        depth, file = self._depth, self.file
        check = HeaderCheck(self._header)
        at = Signal(range(self._header.size))
        m.d.comb += self.whole.eq(at == self._header.size - 1)
        with m.If(self.forget):
            m.d.sync += at.eq(0)
        with m.Elif(self.step):
            m.d.sync += at.eq(at + 1)
        # Looked at a clock later.
        taken = Signal()
        taken_at = Signal.like(at)
        byte = Signal(8, reset_less=True)
        m.d.sync += [taken.eq(self.step), taken_at.eq(at), byte.eq(self.byte)]
        with m.If(taken):
            check.take(m, taken_at, byte)
        with m.If(self.forget):
            check.forget(m)

        width, height, strip_height, near, shift = (
            check.fields[name]
            for name in ("image width", "image height", "strip height", "near", "shift")
        )
        words = [
            int(most) | int(bits) << depth for most, bits in near_table(depth, self._max_near)
        ]
        about_near = Const(words[0], depth + 5)
        if self._max_near:
            about_near = look_up(m, "near", words, depth + 5, near[: bits_for(self._max_near)])
        columns, narrow = width, width == 0
        if self._slabs > 1:
            bits, steps = slab_bits(self._slabs), slab_steps(width, self._slabs)
            columns, narrow = slab_columns(m, width, self.slab, self._slabs), steps < self._slabs
            m.d.sync += self.widest.eq(Cat(Const(0, bits), slab_steps(steps, self._slabs)))
        m.d.comb += [
            file.width.eq(columns), file.height.eq(height), file.strip_height.eq(strip_height),
            file.near.eq(near), file.shift.eq(shift), file.greatest.eq(about_near),
            self.bits.eq(about_near[depth:]),
        ]  # fmt: skip
        wrongs = Cat(
            narrow, width > self._max_width, height == 0, height > self._max_height,
            strip_height == 0, strip_height > height, shift > 16 - depth,
            near > self._max_near if self._max_near else near.any(),
            check.wrong_header, check.wrong_model,
        )  # fmt: skip
        if self._max_strip is not None:
            wrongs = Cat(wrongs, strip_height > self._max_strip)
        if self._channels.order_bits:
            wrongs = Cat(wrongs, self._take_order(m, check.fields["channels"]))
        wrong = Signal(len(wrongs))
        m.d.sync += [wrong.eq(wrongs), self.wrong.eq(wrong.any())]
        return m

    def _take_order(self, m: Module, value) -> Value:
        """Take the order of planes from the byte of the channels; whether it is none of theirs."""
        channels = self._channels
        order = value[4:] - channels.first_order
        m.d.comb += self.file.order.eq(order)
        return (value[:4] != channels.count) | (order < 0) | (order >= channels.orders)
