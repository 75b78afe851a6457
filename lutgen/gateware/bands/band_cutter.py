"""Band cutter: from a raster of beats of several pixels to beats of bands."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.config import CoreConfig
from ..core.several import beat_layout
from ..files.raster import file_layout, has_one_left
from ..files.raster_walk import FileSizes, RasterWalk, last_image
from ..streams.axi import SkidBuffer
from .bands import band_layout, cut_layout

__all__ = ["BandCutter"]


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
    beats : In(stream of `lutgen.gateware.core.several.beat_layout`)
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
        # Columns are beats.
        columns = max(1, bits_for(-(-c.max_width // self._cores) - 1))
        walk = RasterWalk(m, columns, range(c.max_height), tiles=False)
        y, row_end, frame_end, band_end = walk.y, walk.row_end, walk.frame_end, walk.band_end
        in_frame = Signal()
        in_file = Signal()
        sizes = FileSizes(
            m, self.width, self.height, self.images, in_file=in_file,
            max_width=c.max_width, max_height=c.max_height,
        )  # fmt: skip
        last_column, last_y = sizes.last_x, sizes.last_y
        last_band = last_y[row_bits:]
        take = Signal()  # a beat that counts
        bottom = Signal()  # the coming beat is in the frame's last band
        begins = Signal(init=1)  # ... is a band's first
        before_band = Signal(max(1, len(last_band)))
        one_band = Signal()
        m.d.sync += [
            *walk.edges.follow(last_column[lane_bits:], last_y),
            before_band.eq(last_band - 1), one_band.eq(last_band == 0),
        ]  # fmt: skip
        with m.If(take):
            walk.look_ahead(band_next=has_one_left(y, row_bits))
            m.d.sync += begins.eq(row_end & band_end)
            # Nested: one condition of both costs a LUT level more.
            with m.If(row_end), m.If(band_end):
                m.d.sync += bottom.eq(Mux(bottom, one_band, y[row_bits:] == before_band))
        with m.Elif(~in_file):
            walk.begin(walk.edges)
            m.d.sync += bottom.eq(one_band)

        m.submodules.slice = cut = SkidBuffer(self.o.payload.shape())
        wiring.connect(m, cut.o, wiring.flipped(self.o))
        beat, out = self.beats.payload, cut.i.payload
        file_begins = ~in_frame & beat.sof & ~in_file
        last = last_image(
            m, sizes.images, take=take, ends=take & row_end & frame_end, in_file=in_file
        )
        # After a reset the sizes have to settle; a core clears itself meanwhile.
        settling = Signal(4)
        settled = Signal()
        with m.If(~settled):
            m.d.sync += [settling.eq(settling + 1), settled.eq(settling.all())]
        with m.Elif(~in_frame & (~beat.sof | (~in_file & ~sizes.ok))):
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
            self.bad_size.eq(self.beats.valid & file_begins & ~sizes.ok & settled),
            out.cut.data.eq(beat.data),
            out.cut.eol.eq(row_end),
            out.cut.eob.eq(row_end & band_end),
            out.begins.eq(begins),
            out.band.width.eq(last_column),
            out.band.height.eq(Mux(bottom, last_y[:row_bits], c.tile_height - 1)),
            out.first.eq(~in_file),
            out.last.eq(bottom & last),
            out.file.width.eq(last_column + 1),
            out.file.height.eq(last_y + 1),
            out.file.images.eq(sizes.count),
            self.busy.eq(in_frame | in_file | cut.o.valid),
        ]
        with m.If(take):
            m.d.sync += in_frame.eq(~(row_end & frame_end))
            with m.If(file_begins):
                m.d.sync += in_file.eq(1)
            with walk.go_on(), m.If(last):
                m.d.sync += in_file.eq(0)
        return m
