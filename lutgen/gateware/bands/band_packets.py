"""Band packets: finds the packets of bands in a file."""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
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


class _RunAtHand:
    """The run of bytes at hand, in the reader's module; its low byte is the next one.

    A state uses it by single bytes, as a whole, or leaves out some bytes at its beginning.  Which
    kind of state is the present one is told by registers of their own, which `go` sets: the state
    itself is decoded too late.

    Attributes
    ----------
    data, top, last, busy:
        Registers: the bytes, their number less one, whether the file ends with them, and whether
        there are any.
    byte, one, over:
        The next byte, whether it is the run's last, and whether it is the file's.
    whole:
        To be driven: all of the run is used.
    skip:
        Register to be set: bytes to leave out, by halves, until it is 0.
    """

    def __init__(self, m: Module, source, count: int) -> None:
        self._source, self._count = source, count
        self.data = Signal(8 * count, reset_less=True)
        self.top = Signal.like(source.payload.top, name="top")
        self.last, self.busy = Signal(name="last"), Signal(name="busy")
        self.byte = self.data[:8]
        self.one = self.top == 0
        self.over = self.last & self.one
        self.whole = Signal()
        self.skip = Signal.like(self.top, name="skip")
        self._serial, self._drops = Signal(init=1, name="serial"), Signal(name="drops")
        self._use(m)

    def _use(self, m: Module) -> None:
        data, top, skip, busy = self.data, self.top, self.skip, self.busy
        step = Signal()  # use a byte
        m.d.comb += step.eq(self._serial & busy)
        gone = (step & self.one) | self.whole | (self._drops & busy)
        m.d.comb += self._source.ready.eq(~busy | gone)
        with m.If(step):
            m.d.sync += [data.eq(data >> 8), top.eq(top - 1)]
        halves = [1 << k for k in reversed(range(len(skip)))]
        with m.If(skip[-1]):
            m.d.sync += [data.eq(data >> 8 * halves[0]), top.eq(top - halves[0]), skip[-1].eq(0)]
        for k, half in list(enumerate(reversed(halves)))[-2::-1]:
            with m.Elif(skip[k]):
                m.d.sync += [data.eq(data >> 8 * half), top.eq(top - half), skip[k].eq(0)]
        run = self._source.payload
        with m.If(~busy | gone):
            m.d.sync += [
                data.eq(run.data), top.eq(run.top), self.last.eq(run.last),
                busy.eq(self._source.valid),
            ]  # fmt: skip

    def go(self, m: Module, state: str) -> None:
        """The reader goes to a state."""
        m.d.sync += [
            self._serial.eq(state in ("header", "length", "length more")),
            self._drops.eq(state == "drop"),
        ]


class _Place:
    """Where the parser is in an image, in the reader's module: column of tiles, band, core.

    Attributes
    ----------
    turn:
        Register: the bit of the core whose turn it is.
    at_right, at_bottom, last_image:
        Registers, a clock after `turn` and the place have changed: the column is the image's last,
        the band is, and no image follows.
    band:
        Size of the band at hand (:func:`.bands.band_layout`), less one.
    first:
        The band is its image's first.
    """

    def __init__(self, m: Module, config: CoreConfig, cores: int, grammar: PacketGrammar) -> None:
        size = frame_layout(config.max_width, config.max_height)
        row_bits = (config.tile_height - 1).bit_length()
        last_x = Signal(size["width"].shape)
        last_y = Signal(size["height"].shape)
        columns, bands = last_x[(config.tile_width - 1).bit_length() :], last_y[row_bits:]
        self._column = Signal(max(1, len(columns)), name="column")
        self._row = Signal(max(1, len(bands)), name="row")
        self.turn = Signal(cores, init=1)
        self.at_right, self.at_bottom = Signal(name="at_right"), Signal(name="at_bottom")
        self.last_image = Signal()
        self._images = grammar.images
        m.d.sync += [
            self.at_right.eq(self._column == columns), self.at_bottom.eq(self._row == bands),
            self.last_image.eq(self._images == 1),
        ]  # fmt: skip
        # Registered: what they depend on changes long before they are used.
        self._next_column = Signal.like(self._column, name="next_column")
        self._next_row = Signal.like(self._row, name="next_row")
        self._fewer = lessened(m, self._images, name="fewer")
        m.d.sync += [
            self._next_column.eq(self._column + 1), self._next_row.eq(self._row + 1),
            last_x.eq(grammar.width - 1), last_y.eq(grammar.height - 1),
        ]  # fmt: skip
        self.band = (last_x, Mux(self.at_bottom, last_y[:row_bits], config.tile_height - 1))
        self.first = self._row == 0

    def begin(self, m: Module) -> None:
        """A file begins."""
        m.d.sync += [self._column.eq(0), self._row.eq(0)]

    def next_tile(self, m: Module) -> None:
        """On to the next tile of the band."""
        m.d.sync += self._column.eq(self._next_column)

    def next_band(self, m: Module) -> None:
        """On to the next band of the image, and the next core."""
        m.d.sync += [
            self._column.eq(0), self._row.eq(self._next_row),
            self.turn.eq(self.turn.rotate_left(1)),
        ]  # fmt: skip

    def next_image(self, m: Module) -> None:
        """On to the next image of the file, and the next core."""
        m.d.sync += [
            self._column.eq(0), self._row.eq(0), self.turn.eq(self.turn.rotate_left(1)),
            self._images.eq(self._fewer),
        ]  # fmt: skip


class _Payload:
    """The payload at hand, in the reader's module, beside the state machine, which is too late.

    Attributes
    ----------
    active:
        Register to be set when it begins; falls with its last byte.
    left:
        Register to be set before: bytes to come.
    cut_short:
        Pulse: the stream was over before the payload.
    """

    def __init__(self, m: Module, count: int) -> None:
        self._count = count
        self.active = Signal(name="payload")
        self.left = Signal(14)
        self.cut_short = Signal()

    def pass_on(
        self, m: Module, hand: _RunAtHand, run, write: Value, *, room: Value, truncated: Value,
        at_right: Value,
    ) -> None:  # fmt: skip
        """Pass the payload's bytes on as runs, while there is ``room``.

        ``truncated`` notes that the file ended with it; ``at_right`` says that it ends its band.
        """
        left, count, active = self.left, self._count, self.active
        many = Signal()  # more is left than the next two runs hold
        m.d.sync += many.eq(left >= 3 * count)
        some = left[: (3 * count).bit_length()]  # all that is left, if it is not many
        # Whether the run is in the packet, and the packet ends with it; looked at for a clock.
        fits, ends, looked = Signal(), Signal(), Signal()
        m.d.sync += [fits.eq(some > hand.top), ends.eq(some == hand.top + 1)]
        uses = active & hand.busy & room & (many | looked)
        m.d.sync += [looked.eq(active & hand.busy & ~uses), self.cut_short.eq(0)]
        with m.If(uses):
            m.d.comb += [
                write.eq(1), hand.whole.eq(many | fits),
                run.last.eq(Mux(many | fits, hand.last | (~many & ends & at_right), at_right)),
            ]  # fmt: skip
            # Less one more than ``top``, in one addition.
            m.d.sync += left.eq(
                (left + Cat(~hand.top, Const(-1, len(left) - len(hand.top))))[: len(left)]
            )
            with m.If(many | fits):
                m.d.sync += [truncated.eq(hand.last), active.eq(many | ~ends)]
                with m.If(hand.last & (many | ~ends)):
                    m.d.sync += [active.eq(0), self.cut_short.eq(1)]
            with m.Else():
                m.d.comb += run.top.eq(some - 1)
                m.d.sync += [hand.skip.eq(some), active.eq(0)]


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
        c = self._config
        hand = _RunAtHand(m, self.i, self._count)
        grammar = PacketGrammar(
            m, BuildHeader.of(c), coder=c.coder, tile_symbols=c.tile_symbols,
            max_width=c.max_width, max_height=c.max_height,
        )  # fmt: skip
        in_header = Signal()
        at = grammar.count(m, in_header, hand.busy)
        # Looked at a clock later.
        taken, taken_at, taken_byte = Signal(), Signal.like(at), Signal(8)
        m.d.sync += [taken.eq(in_header & hand.busy), taken_at.eq(at), taken_byte.eq(hand.byte)]
        grammar.take(m, taken, taken_at, taken_byte)

        place = _Place(m, c, self._cores, grammar)
        begins, write = Signal(name="begins"), Signal(name="write")
        run = Signal(run_layout(self._count))
        room, band_room = self._queues(m, place, run, write, begins)
        m.d.comb += [run.data.eq(hand.data), run.top.eq(hand.top)]
        payload = _Payload(m, self._count)
        payload.pass_on(
            m, hand, run, write, room=room, truncated=grammar.truncated, at_right=place.at_right
        )

        def go(state: str) -> None:
            m.next = state
            hand.go(m, state)

        voids = Signal()  # the image's bands are missing
        with m.FSM() as fsm:
            grammar.header_states(
                m, go, valid=hand.busy, last=hand.over, settle=["header read", "header settles"],
                good="band settles", bad_header=self.bad_header, bad_model=self.bad_model,
                bad_packet=self.bad_packet,
            )  # fmt: skip
            with m.State("band settles"):  # two clocks after ``turn`` and the place have changed
                go("band settles more")
            with m.State("band settles more"):
                go("band")
            with m.State("band"):
                with m.If(band_room):
                    m.d.comb += begins.eq(1)
                    go("void")
                    with m.If(~voids):
                        go("length")
            self._packet_states(m, go, grammar, hand, payload, run, write, room)
            self._tile_states(m, go, place, grammar.truncated, voids)
            with m.State("void"):
                m.d.comb += [
                    run.data.eq(0), run.top.eq(0), run.last.eq(1), write.eq(room),
                ]  # fmt: skip
                with m.If(room):
                    go("broken")
            self._end_states(m, go, place, grammar.truncated, voids)
            with m.State("drop"):
                with m.If(hand.busy & hand.last):
                    go("header")
        m.d.comb += in_header.eq(fsm.ongoing("header"))
        with m.If(fsm.ongoing("check")):
            place.begin(m)
            m.d.sync += voids.eq(0)
        with m.If(fsm.ongoing("length settles")):
            m.d.sync += payload.left.eq(grammar.length)
        m.d.comb += self.busy.eq(hand.busy | ~in_header | (at != 0))
        return m

    def _queues(
        self, m: Module, place: _Place, run, write: Value, begins: Value
    ) -> tuple[Value, Value]:
        """Runs and bands to the core whose turn it is; whether it has room for one of each.

        All is registered once more before the queues, which have room for that.
        """
        turn = place.turn
        m.d.sync += [self.run.eq(run), self.write.eq(turn & write.replicate(self._cores))]
        room, band_room = Signal(), Signal()
        m.d.sync += [room.eq((self.room & turn).any()), band_room.eq((self.band_room & turn).any())]
        width, height = place.band
        m.d.sync += [
            self.band.width.eq(width),
            self.band.height.eq(height),
            self.first.eq(place.first),
            self.band_begins.eq(turn & begins.replicate(self._cores)),
            self.begins.eq(begins),
        ]
        return room, band_room

    @staticmethod
    def _packet_states(
        m: Module, go: Callable[[str], None], grammar: PacketGrammar, hand: _RunAtHand,
        payload: _Payload, run, write: Value, room: Value,
    ) -> None:  # fmt: skip
        """From "length" to a payload's end; a core takes the length as it came, then the bytes."""
        low, high, two = Signal(8), Signal(8), Signal()

        def note(number: int) -> None:
            m.d.sync += [(low, high)[number].eq(hand.byte), two.eq(number)]

        grammar.length_states(m, go, valid=hand.busy, byte=hand.byte, last=hand.over, note=note)
        with m.State("length read"):
            m.d.comb += [
                run.data.eq(Cat(low, high)), run.top.eq(two), run.last.eq(grammar.impossible),
                write.eq(room),
            ]  # fmt: skip
            with m.If(room):
                m.d.sync += payload.active.eq(~grammar.impossible)
                go("payload")
                with m.If(grammar.impossible):
                    go("broken")
        with m.State("payload"):
            with m.If(payload.cut_short):
                go("broken")
            with m.Elif(~payload.active & ~hand.skip.any()):
                go("tile")

    def _tile_states(
        self, m: Module, go: Callable[[str], None], place: _Place, truncated: Value, voids: Value
    ) -> None:
        """What follows a tile: the next of its band, or the band's end, soon or late."""
        with m.State("tile"):
            with m.If(~place.at_right):
                place.next_tile(m)
                go("length")
                with m.If(truncated):
                    go("broken")
            with m.Elif(~place.at_bottom):
                m.d.comb += self.bad_packet.eq(truncated)
                m.d.sync += voids.eq(truncated)
                go("next band")
            with m.Elif(place.last_image):
                m.d.comb += self.bad_packet.eq(~truncated)
                go("image ends")
            with m.Else():
                m.d.comb += self.bad_packet.eq(truncated)
                m.d.sync += voids.eq(truncated)
                go("image ends")
        with m.State("broken"):
            m.d.sync += voids.eq(1)
            go("next band")
            with m.If(place.at_bottom):
                go("image ends")

    @staticmethod
    def _end_states(
        m: Module, go: Callable[[str], None], place: _Place, truncated: Value, voids: Value
    ) -> None:
        """The next band or image, or the file's end."""
        with m.State("next band"):
            place.next_band(m)
            go("band settles")
        with m.State("image ends"):
            place.next_image(m)
            go("band settles")
            with m.If(voids | place.last_image):
                go("drop")
                with m.If(truncated):
                    go("header")
