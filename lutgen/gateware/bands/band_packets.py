"""Band packets: finds the packets of bands in a file."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..core.config import CoreConfig
from ..fabric.countdown import lessened
from ..files.header import BuildHeader
from ..files.packet_grammar import PacketGrammar
from ..files.raster import frame_layout
from ..streams.run import run_layout
from .bands import band_layout

__all__ = ["BandPackets"]


class BandPackets(wiring.Component):
    """Checks the header of a file and deals the packets of its bands out to the cores in turn.

    One byte of a header per clock; one run of a payload per clock, but every second one at its end;
    at most a dozen clocks between two payloads.  A stream that breaks a rule is reported and
    dropped up to its ``last``; if that happens inside an image, its band is cut short, and each
    band of the image that is missing becomes a byte 0, from which no tile can be read, so that the
    cores report it and every frame that begins is completed.

    Parameters
    ----------
    config:
        The core, with the largest image.
    cores:
        Cores that take bands.
    count:
        Bytes of a run at most.

    Members
    -------
    i : In(stream of `lutgen.gateware.streams.run.run_layout`)
        The file.
    room : In(1) array
        Three more words may be written to each core from the moment it falls.
    run, write : Out(...)
        Append a run to the cores of these bits; ``last`` is the band's last.
    band_room : In(1)
        A band may begin.
    band, first : Out(...)
        Size of a band (:func:`.bands.band_layout`), and whether it is the first of its image, ...
    band_begins : Out(cores)
        ... when it begins, for the core of this bit.
    begins : Out(1)
        With any bit of ``band_begins``.
    bad_header, bad_model, bad_packet : Out(1)
        Pulses, see :class:`lutgen.gateware.files.packet_reader.PacketReader`; of packets, only what
        no core sees.
    busy : Out(1)
        A file is incomplete.
    """

    def __init__(self, config: CoreConfig, cores: int, count: int) -> None:
        self._config, self._cores, self._count = config, cores, count
        super().__init__({
            "i": In(stream.Signature(run_layout(count))),
            "room": In(cores),
            "run": Out(run_layout(count)),
            "write": Out(cores),
            "band_room": In(cores),
            "band": Out(band_layout(config)),
            "first": Out(1),
            "band_begins": Out(cores),
            "begins": Out(1),
            "bad_header": Out(1),
            "bad_model": Out(1),
            "bad_packet": Out(1),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c, count = self._config, self._count
        column_bits = (c.tile_width - 1).bit_length()
        row_bits = (c.tile_height - 1).bit_length()
        size = frame_layout(c.max_width, c.max_height)

        # The run at hand; its low byte is the next one.
        data = Signal(8 * count, reset_less=True)
        top = Signal.like(self.i.payload.top)
        last, busy = Signal(), Signal()
        byte = data[:8]
        one = top == 0  # byte left
        step, whole = Signal(), Signal()  # use a byte, use all
        skip = Signal.like(top)  # bytes to leave out, by halves
        # Kinds of states, in registers of their own, since a state is decoded too late: those that
        # use single bytes, and those that use whole runs.
        serial, payload, drops = Signal(init=1), Signal(), Signal()
        m.d.comb += step.eq(serial & busy)
        gone = (step & one) | whole | (drops & busy)
        m.d.comb += self.i.ready.eq(~busy | gone)
        over = last & one  # the byte at hand is the file's last
        with m.If(step):
            m.d.sync += [data.eq(data >> 8), top.eq(top - 1)]
        halves = [1 << k for k in reversed(range(len(skip)))]
        with m.If(skip[-1]):
            m.d.sync += [data.eq(data >> 8 * halves[0]), top.eq(top - halves[0]), skip[-1].eq(0)]
        for k, half in list(enumerate(reversed(halves)))[-2::-1]:
            with m.Elif(skip[k]):
                m.d.sync += [data.eq(data >> 8 * half), top.eq(top - half), skip[k].eq(0)]
        with m.If(~busy | gone):
            m.d.sync += [
                data.eq(self.i.payload.data), top.eq(self.i.payload.top),
                last.eq(self.i.payload.last), busy.eq(self.i.valid),
            ]  # fmt: skip

        # Header.
        grammar = PacketGrammar(
            m, BuildHeader.of(c), coder=c.coder, tile_symbols=c.tile_symbols,
            max_width=c.max_width, max_height=c.max_height,
        )  # fmt: skip
        width, height, images = grammar.width, grammar.height, grammar.images
        truncated, length = grammar.truncated, grammar.length
        in_header = Signal()
        at = grammar.count(m, in_header, busy)
        # Looked at a clock later.
        taken, taken_at, taken_byte = Signal(), Signal.like(at), Signal(8)
        m.d.sync += [taken.eq(in_header & busy), taken_at.eq(at), taken_byte.eq(byte)]
        grammar.take(m, taken, taken_at, taken_byte)

        # Where the parser is: column of tiles, band, core.
        last_x, last_y = Signal(size["width"].shape), Signal(size["height"].shape)
        columns, bands = last_x[column_bits:], last_y[row_bits:]
        column, row = Signal(max(1, len(columns))), Signal(max(1, len(bands)))
        turn = Signal(self._cores, init=1)
        at_right, at_bottom, last_image = Signal(), Signal(), Signal()
        m.d.sync += [
            at_right.eq(column == columns), at_bottom.eq(row == bands), last_image.eq(images == 1),
        ]  # fmt: skip
        # Registered: what they depend on changes long before they are used.
        next_column, next_row = Signal.like(column), Signal.like(row)
        fewer = lessened(m, images, name="fewer")
        m.d.sync += [
            next_column.eq(column + 1), next_row.eq(row + 1),
            last_x.eq(width - 1), last_y.eq(height - 1),
        ]  # fmt: skip
        voids = Signal()  # the image's bands are missing

        # Packet: its length, of one or two bytes, and what is left of it.
        left = Signal(14)
        low, high, two = Signal(8), Signal(8), Signal()
        many = Signal()  # more is left than the next two runs hold
        m.d.sync += many.eq(left >= 3 * count)
        some = left[: (3 * count).bit_length()]  # all that is left, if it is not many
        # Whether the run is in the packet, and the packet ends with it; looked at for a clock.
        fits, ends, looked = Signal(), Signal(), Signal()
        m.d.sync += [fits.eq(some > top), ends.eq(some == top + 1)]

        # Registered once more before the queues, which have room for that.
        write = Signal()
        run = Signal(run_layout(count))
        m.d.sync += [self.run.eq(run), self.write.eq(turn & write.replicate(self._cores))]
        room, band_room = Signal(), Signal()
        m.d.sync += [room.eq((self.room & turn).any()), band_room.eq((self.band_room & turn).any())]
        begins = Signal()
        m.d.comb += [run.data.eq(data), run.top.eq(top)]
        m.d.sync += [
            self.band.width.eq(last_x),
            self.band.height.eq(Mux(at_bottom, last_y[:row_bits], c.tile_height - 1)),
            self.first.eq(row == 0),
            self.band_begins.eq(turn & begins.replicate(self._cores)),
            self.begins.eq(begins),
        ]

        # The payload, beside the state machine, whose states are decoded too late.
        cut_short = Signal()  # the stream was over before the payload
        uses = payload & busy & room & (many | looked)
        m.d.sync += [looked.eq(payload & busy & ~uses), cut_short.eq(0)]
        with m.If(uses):
            m.d.comb += [
                write.eq(1), whole.eq(many | fits),
                run.last.eq(Mux(many | fits, last | (~many & ends & at_right), at_right)),
            ]  # fmt: skip
            # Less one more than ``top``, in one addition.
            m.d.sync += left.eq((left + Cat(~top, Const(-1, len(left) - len(top))))[: len(left)])
            with m.If(many | fits):
                m.d.sync += [truncated.eq(last), payload.eq(many | ~ends)]
                with m.If(last & (many | ~ends)):
                    m.d.sync += [payload.eq(0), cut_short.eq(1)]
            with m.Else():
                m.d.comb += run.top.eq(some - 1)
                m.d.sync += [skip.eq(some), payload.eq(0)]

        def go(state: str) -> None:
            m.next = state
            m.d.sync += [
                serial.eq(state in ("header", "length", "length more")), drops.eq(state == "drop"),
            ]  # fmt: skip

        def note(number: int) -> None:
            """Keep a byte of a length, which goes to a core as it came."""
            m.d.sync += [(low, high)[number].eq(byte), two.eq(number)]

        with m.FSM() as fsm:
            grammar.header_states(
                m, go, valid=busy, last=over, settle=["header read", "header settles"],
                good="band settles", bad_header=self.bad_header, bad_model=self.bad_model,
                bad_packet=self.bad_packet,
            )  # fmt: skip
            with m.State("band settles"):  # two clocks after "turn" and "row" have changed
                go("band settles more")
            with m.State("band settles more"):
                go("band")
            with m.State("band"):
                with m.If(band_room):
                    m.d.comb += begins.eq(1)
                    go("void")
                    with m.If(~voids):
                        go("length")
            grammar.length_states(m, go, valid=busy, byte=byte, last=over, note=note)
            with m.State("length read"):
                m.d.comb += [
                    run.data.eq(Cat(low, high)), run.top.eq(two), run.last.eq(grammar.impossible),
                    write.eq(room),
                ]  # fmt: skip
                with m.If(room):
                    m.d.sync += payload.eq(~grammar.impossible)
                    go("payload")
                    with m.If(grammar.impossible):
                        go("broken")
            with m.State("payload"):
                with m.If(cut_short):
                    go("broken")
                with m.Elif(~payload & ~skip.any()):
                    go("tile")
            with m.State("tile"):
                with m.If(~at_right):
                    m.d.sync += column.eq(next_column)
                    go("length")
                    with m.If(truncated):
                        go("broken")
                with m.Elif(~at_bottom):
                    m.d.comb += self.bad_packet.eq(truncated)
                    m.d.sync += voids.eq(truncated)
                    go("next band")
                with m.Elif(last_image):
                    m.d.comb += self.bad_packet.eq(~truncated)
                    go("image ends")
                with m.Else():
                    m.d.comb += self.bad_packet.eq(truncated)
                    m.d.sync += voids.eq(truncated)
                    go("image ends")
            with m.State("broken"):
                m.d.sync += voids.eq(1)
                go("next band")
                with m.If(at_bottom):
                    go("image ends")
            with m.State("void"):
                m.d.comb += [
                    run.data.eq(0), run.top.eq(0), run.last.eq(1), write.eq(room),
                ]  # fmt: skip
                with m.If(room):
                    go("broken")
            with m.State("next band"):
                m.d.sync += [
                    column.eq(0), row.eq(next_row), turn.eq(turn.rotate_left(1)),
                ]  # fmt: skip
                go("band settles")
            with m.State("image ends"):
                m.d.sync += [
                    column.eq(0), row.eq(0), turn.eq(turn.rotate_left(1)), images.eq(fewer),
                ]  # fmt: skip
                go("band settles")
                with m.If(voids | last_image):
                    go("drop")
                    with m.If(truncated):
                        go("header")
            with m.State("drop"):
                with m.If(busy & last):
                    go("header")
        m.d.comb += in_header.eq(fsm.ongoing("header"))
        with m.If(fsm.ongoing("check")):
            m.d.sync += [column.eq(0), row.eq(0), voids.eq(0)]
        with m.If(fsm.ongoing("length settles")):
            m.d.sync += left.eq(length)
        m.d.comb += self.busy.eq(busy | ~in_header | (at != 0))
        return m
