"""Group walk: groups of rows of an image, strip by strip, and the sizes of their payloads."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

__all__ = ["GroupWalk"]

#: A byte of a payload stands for at most 2 ** 11 samples.
_SAMPLES_BITS = 11


class GroupWalk(wiring.Component):
    """Adds up the rows of a group one by one.

    A group takes six clocks.  No reset: the beginning of an image sets all.

    Parameters
    ----------
    depth:
        Bits of a sample, 8 to 16.
    max_width, max_height:
        Largest image.

    Members
    -------
    width, height, strip_height : In(...)
        Of the image, while it lasts.
    bits : In(5)
        Bits of a plain residual.
    begin_image : In(1)
        An image begins; the next pulse at least 18 clocks later.
    begin_strip : In(1)
        A strip begins; the next pulse in a later clock.
    step : In(1)
        Go on to the next group; the next pulse at least six clocks later.
    least, most : Out(...)
        Least and greatest number of its payload's bytes, six clocks later.
    strip_over, image_over : Out(1)
        It is the strip's last, the image's; like them.
    """

    #: Clocks from ``begin_image`` and from ``step`` to what follows from them.
    image_latency, latency = 18, 6

    def __init__(self, depth: int, max_width: int, max_height: int) -> None:
        self._samples = bits_for(GROUP * max_width)
        self._total = bits_for(GROUP * max_width * depth + 7)
        super().__init__({
            "width": In(bits_for(max_width)), "height": In(bits_for(max_height)),
            "strip_height": In(bits_for(max_height)), "bits": In(5),
            "begin_image": In(1), "begin_strip": In(1), "step": In(1),
            "least": Out(max(1, self._samples - _SAMPLES_BITS)), "most": Out(self._total - 3),
            "strip_over": Out(1), "image_over": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        # Bits of a row: as many times the width.
        row_bits = Signal(self._total, reset_less=True)
        times = Signal(5)
        with m.If(self.begin_image):
            m.d.sync += [row_bits.eq(0), times.eq(self.bits)]
        with m.Elif(times.any()):
            m.d.sync += [row_bits.eq(row_bits + self.width), times.eq(times - 1)]
        image_left = Signal.like(self.height, reset_less=True)
        strip_left = Signal.like(self.height, reset_less=True)
        samples = Signal(self._samples, reset_less=True)
        total = Signal(self._total, reset_less=True)
        row = Signal(3, init=GROUP)
        counts = row != GROUP
        with m.If(self.step):
            m.d.sync += [samples.eq(0), total.eq(7), row.eq(0)]
        with m.Elif(counts):
            m.d.sync += row.eq(row + 1)
        # Registers say of what is left whether it is nothing: a clock late, so it is asked of what
        # will be.
        image_ends, strip_ends = image_left == 1, strip_left == 1
        with m.If(counts & ~self.image_over & ~self.strip_over):
            m.d.sync += [
                samples.eq(samples + self.width), total.eq(total + row_bits),
                image_left.eq(image_left - 1), strip_left.eq(strip_left - 1),
                self.image_over.eq(image_ends), self.strip_over.eq(strip_ends | image_ends),
            ]
        with m.If(self.begin_strip):
            m.d.sync += [strip_left.eq(self.strip_height), self.strip_over.eq(0)]
        with m.If(self.begin_image):
            m.d.sync += [image_left.eq(self.height), self.image_over.eq(0)]
        m.d.comb += [self.least.eq(samples >> _SAMPLES_BITS), self.most.eq(total >> 3)]
        return m
