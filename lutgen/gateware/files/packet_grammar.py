"""What both readers of files parse alike: the header, and the length of each payload.

A file is a header and the packets of its tiles; a packet is a length and a payload, see
:mod:`lutgen.codec.container`.  :class:`.packet_reader.PacketReader` takes a byte per clock,
:class:`lutgen.gateware.bands.band_packets.BandPackets` a run of bytes; where payloads go, and what
replaces those that are missing, is theirs.
"""

from collections.abc import Callable, Sequence

from amaranth.hdl import Module, Mux, Signal, Value

from lutgen.codec.coder import Coder

from .header import BuildHeader, HeaderCheck

__all__ = ["PacketGrammar"]


class PacketGrammar:
    """Registers and states for a reader's module; not a module of its own.

    A reader has one state machine, to which `header_states` adds the states up to the verdict
    about a header, and `length_states` those of a length.  Both go on to states of the reader.

    Parameters
    ----------
    m:
        The reader's module.
    header:
        The header that its files must have.
    coder, tile_symbols:
        Entropy coder, and pixels of all levels of a whole tile: they bound a payload's length.
    max_width, max_height:
        Largest image in pixels.

    Attributes
    ----------
    width, height, images:
        Registers of the header's sizes, up to date a clock after their last byte was taken.
    wrong_header, wrong_model:
        Registers: a constant of the header is not as it must be.
    truncated:
        Register: the stream is over, with the last byte of a header or length or before.
    length:
        Register: bytes of the payload, in the state "length settles".
    impossible:
        Register, a clock after ``length``: no payload has it, or the stream is over.
    """

    def __init__(
        self, m: Module, header: BuildHeader, *, coder: Coder, tile_symbols: int, max_width: int,
        max_height: int,
    ) -> None:  # fmt: skip
        self._header_size = header.size
        self._check = HeaderCheck(header)
        self.width, self.height, self.images = (
            self._check.fields[name] for name in ("image width", "image height", "images")
        )
        self.wrong_header, self.wrong_model = self._check.wrong_header, self._check.wrong_model
        self._at = Signal(range(header.size), name="at")
        self.truncated = Signal()
        self.length = Signal(14)
        self.impossible = Signal()
        self._malformed = Signal(name="malformed")
        # Width and height come before the number of images.
        bad_sides = Signal()
        self._bad_size = Signal(name="bad_size")
        m.d.sync += [
            bad_sides.eq(
                (self.width == 0) | (self.height == 0)
                | (self.width > max_width) | (self.height > max_height)
            ),
            self._bad_size.eq(bad_sides | (self.images == 0)),
            self.impossible.eq(
                self.truncated | self._malformed
                | (self.length < coder.min_payload_bytes)
                | (self.length > coder.max_payload_bytes(tile_symbols))
            ),
        ]  # fmt: skip

    def count(self, m: Module, in_header: Value, valid: Value) -> Signal:
        """Number of the byte at hand while ``in_header``, when one is taken with each ``valid``."""
        m.d.sync += self._at.eq(Mux(in_header, self._at + valid, 0))
        return self._at

    def take(self, m: Module, taken: Value, at: Value, byte: Value) -> None:
        """Look at byte number ``at`` of a header, if ``taken``."""
        with m.If(taken):
            self._check.take(m, at, byte)

    def header_states(
        self, m: Module, go: Callable[[str], None], *, valid: Value, last: Value,
        settle: Sequence[str], good: str, bad_header: Value, bad_model: Value, bad_packet: Value,
    ) -> None:  # fmt: skip
        """The states "header" to "check".

        A header that is cut short is bad, and so is one that the file must not have; the rest of
        its file goes to the state "drop".  A good one that ends its file lacks packets.

        Parameters
        ----------
        m:
            The reader's module, inside its state machine.
        go:
            Goes to a state.
        valid, last:
            A byte is there, and it is the file's last.
        settle:
            States to wait in behind the last byte, one clock each, until the verdict is known.
        good:
            State behind a good header.
        bad_header, bad_model, bad_packet:
            Pulses of the reader.
        """
        with m.State("header"):
            with m.If(valid):
                with m.If(self._at == self._header_size - 1):
                    m.d.sync += self.truncated.eq(last)
                    go(settle[0])
                with m.Elif(last):
                    go("header short")
        with m.State("header short"):
            m.d.comb += bad_header.eq(1)
            self._check.forget(m)
            go("header")
        for state, following in zip(settle, (*settle[1:], "check"), strict=True):
            with m.State(state):
                go(following)
        with m.State("check"):
            self._check.forget(m)
            wrong_header, wrong_model, bad_size = (
                self.wrong_header, self.wrong_model, self._bad_size,
            )  # fmt: skip
            m.d.comb += [
                bad_header.eq(wrong_header | (~wrong_model & bad_size)),
                bad_model.eq(~wrong_header & wrong_model),
                bad_packet.eq(self.truncated & ~wrong_header & ~wrong_model & ~bad_size),
            ]
            with m.If(self.truncated):
                go("header")
            with m.Elif(wrong_header | wrong_model | bad_size):
                go("drop")
            with m.Else():
                go(good)

    def length_states(
        self, m: Module, go: Callable[[str], None], *, valid: Value, byte: Value, last: Value,
        note: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        """The states "length", "length more" and "length settles"; then comes "length read".

        A length is LEB128, of one or two bytes.

        Parameters
        ----------
        m:
            The reader's module, inside its state machine.
        go:
            Goes to a state.
        valid, byte, last:
            A byte is there, and it is the file's last.
        note:
            Called in the states of both bytes with 0 and 1, to add statements of the reader.
        """
        more = byte[7]
        with m.State("length"):
            m.d.sync += [
                self.length.eq(byte[:7]), self._malformed.eq(0), self.truncated.eq(last),
            ]  # fmt: skip
            if note:
                note(0)
            with m.If(valid):
                with m.If(more & ~last):
                    go("length more")
                with m.Else():
                    go("length settles")
        with m.State("length more"):
            m.d.sync += [
                self.length[7:].eq(byte), self._malformed.eq(more | (byte == 0)),
                self.truncated.eq(last),
            ]  # fmt: skip
            if note:
                note(1)
            with m.If(valid):
                go("length settles")
        with m.State("length settles"):
            go("length read")
