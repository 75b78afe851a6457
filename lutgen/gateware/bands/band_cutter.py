"""Band cutter: from a raster of beats of several pixels to beats of bands."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.config import CoreConfig
from ..fabric.countdown import LESSENED_LATENCY, countdown, lessened
from ..fabric.pipeline import delay
from ..files.raster import file_layout
from ..streams.axi import SkidBuffer
from .bands import band_layout, cut_layout

__all__ = ["BandCutter", "beat_layout"]


def beat_layout(cores: int) -> StructLayout:
    """Pixels of a beat, the leftmost in the low byte; ``sof`` is TUSER[0], ``eol`` TLAST."""
    return StructLayout({"data": 8 * cores, "sof": 1, "eol": 1})


class BandCutter(wiring.Component):
    """Finds the bands in a raster.

    One beat per clock, also from band to band and file to file; latency of one clock.  A line
    begins with a beat of its own, so that its last beat may be filled in part; what is behind the
    line's last pixel there is ignored.  Geometry and markers are those of
    :class:`lutgen.gateware.files.raster_in.RasterToTiles`, counted in beats: a beat without ``sof``
    where a frame should begin is dropped, and a marker in a wrong place is reported and otherwise
    ignored.  Size and number of images are sampled when a file begins and must have been stable for
    six clocks.

    Parameters
    ----------
    config:
        The core, with the largest image.
    cores:
        Pixels of a beat: 2, 4 or 8.

    Members
    -------
    beats : In(stream of `beat_layout`)
        Raster.
    width, height, images : In(...)
        Image size in pixels, and images of a file.
    o : Out(stream)
        ``cut`` is a beat (:func:`.bands.cut_layout`); where ``begins`` is set it is the first of a
        band, whose size is ``band`` (:func:`.bands.band_layout`), and which is the ``first`` or the
        ``last`` of its file, which is ``file`` (:func:`lutgen.gateware.files.raster.file_layout`).
    bad_marker, bad_size : Out(1)
        Pulses: a misplaced marker, an impossible size.
    busy : Out(1)
        A file is incomplete, or a beat has not been taken.
    """

    def __init__(self, config: CoreConfig, cores: int) -> None:
        self._config, self._cores = config, cores
        self._file = file_layout(config.max_width, config.max_height)
        super().__init__({
            "beats": In(stream.Signature(beat_layout(cores))),
            "width": In(bits_for(config.max_width)),
            "height": In(bits_for(config.max_height)),
            "images": In(32),
            "o": Out(stream.Signature(StructLayout({
                "cut": cut_layout(cores), "begins": 1, "band": band_layout(config), "first": 1,
                "last": 1, "file": self._file,
            }))),
            "bad_marker": Out(1),
            "bad_size": Out(1),
            "busy": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        lane_bits = bits_for(self._cores - 1)
        row_bits = bits_for(c.tile_height - 1)
        x = Signal(max(1, bits_for(-(-c.max_width // self._cores) - 1)))  # of the beat
        y = Signal(range(c.max_height))
        bands = y[row_bits:]
        in_frame, in_file = Signal(), Signal()

        # As in RasterToTiles; zero less one is too large as well.
        last_column, last_y = Signal(range(c.max_width)), Signal.like(y)
        images, count, size_ok = Signal(32), Signal(32), Signal()
        sizes = [
            delay(m, value, 1, name=f"size{i}")
            for i, value in enumerate((self.width, self.height, self.images))
        ]
        less = [lessened(m, value, name=f"less{i}") for i, value in enumerate(sizes)]
        checks = [less[0] < c.max_width, less[1] < c.max_height, less[2] != (1 << 32) - 1]
        checks = [delay(m, check, 1, name=f"check{i}") for i, check in enumerate(checks)]
        with m.If(~in_file):
            m.d.sync += [
                last_column.eq(less[0]), last_y.eq(less[1]), images.eq(less[2]),
                count.eq(delay(m, sizes[2], LESSENED_LATENCY, name="count")),
                size_ok.eq(Cat(checks).all()),
            ]  # fmt: skip
        last_x, last_band = last_column[lane_bits:], last_y[row_bits:]

        # Flags of the coming beat, so that nothing has to be compared when it comes.
        take = Signal()  # a beat that counts
        row_end, frame_end, band_end = Signal(), Signal(), Signal()
        bottom = Signal()  # the coming beat is in the frame's last band
        begins = Signal(init=1)  # ... is a band's first
        before_x, before_y = Signal.like(x), Signal.like(y)
        before_band = Signal(max(1, len(last_band)))
        one_beat, one_row, one_band = Signal(), Signal(), Signal()
        m.d.sync += [
            before_x.eq(last_x - 1), before_y.eq(last_y - 1), before_band.eq(last_band - 1),
            one_beat.eq(last_x == 0), one_row.eq(last_y == 0), one_band.eq(last_band == 0),
        ]  # fmt: skip
        row_end_next = Mux(row_end, one_beat, x == before_x)
        frame_end_next = Mux(frame_end, one_row, y == before_y)
        one_left = y[:row_bits] == c.tile_height - 2
        with m.If(take):
            m.d.sync += [row_end.eq(row_end_next), begins.eq(row_end & band_end)]
            with m.If(row_end):
                m.d.sync += [
                    frame_end.eq(frame_end_next),
                    band_end.eq(frame_end_next | (~frame_end & one_left)),
                ]
                with m.If(band_end):
                    m.d.sync += bottom.eq(Mux(bottom, one_band, bands == before_band))
        with m.Elif(~in_file):
            m.d.sync += [
                row_end.eq(one_beat), frame_end.eq(one_row), band_end.eq(one_row),
                bottom.eq(one_band),
            ]  # fmt: skip

        m.submodules.slice = cut = SkidBuffer(self.o.payload.shape())
        wiring.connect(m, cut.o, wiring.flipped(self.o))
        beat, out = self.beats.payload, cut.i.payload
        file_begins = ~in_frame & beat.sof & ~in_file
        last_image, image_ends = Signal(), take & row_end & frame_end
        # Images of this file still to come after this one.
        m.d.comb += last_image.eq(countdown(
            m, images, reload=Mux(image_ends, last_image, ~in_file & ~take),
            step=image_ends & ~last_image, name="image",
        ))  # fmt: skip
        # After a reset the sizes have to settle; a core clears itself meanwhile.
        settling, settled = Signal(4), Signal()
        with m.If(~settled):
            m.d.sync += [settling.eq(settling + 1), settled.eq(settling.all())]
        with m.Elif(~in_frame & (~beat.sof | (~in_file & ~size_ok))):
            m.d.comb += [
                self.beats.ready.eq(1),  # dropped
                self.bad_marker.eq(self.beats.valid & ~beat.sof),
            ]
        with m.Else():
            m.d.comb += [
                self.beats.ready.eq(cut.i.ready),
                cut.i.valid.eq(self.beats.valid),
                take.eq(self.beats.valid & cut.i.ready),
                self.bad_marker.eq(take & ((beat.sof & in_frame) | (beat.eol != row_end))),
            ]
        m.d.comb += [
            self.bad_size.eq(self.beats.valid & file_begins & ~size_ok & settled),
            out.cut.data.eq(beat.data),
            out.cut.eol.eq(row_end),
            out.cut.eob.eq(row_end & band_end),
            out.begins.eq(begins),
            out.band.width.eq(last_column),
            out.band.height.eq(Mux(bottom, last_y[:row_bits], c.tile_height - 1)),
            out.first.eq(~in_file),
            out.last.eq(bottom & last_image),
            out.file.width.eq(last_column + 1),
            out.file.height.eq(last_y + 1),
            out.file.images.eq(count),
            self.busy.eq(in_frame | in_file | cut.o.valid),
        ]
        with m.If(take):
            m.d.sync += [in_frame.eq(~(row_end & frame_end)), x.eq(Mux(row_end, 0, x + 1))]
            with m.If(file_begins):
                m.d.sync += in_file.eq(1)
            with m.If(row_end):
                m.d.sync += y.eq(Mux(frame_end, 0, y + 1))
                with m.If(frame_end):
                    with m.If(last_image):
                        m.d.sync += in_file.eq(0)
        return m
