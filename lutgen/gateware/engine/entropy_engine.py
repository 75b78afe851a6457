"""Entropy engine: coder and decoder of one payload of interleaved states, behind AXI4-Stream.

The stream is that of :mod:`lutgen.codec.lossy.interleaved`: 24 states take their bits from one
string in the order of the symbols, so that a symbol per clock is decoded of a single payload.
Classes are computed elsewhere, by the networks on a host; escapes are symbols like any other.

========================  =====================================================================
port of the decoder       meaning
========================  =====================================================================
``s_axis_classes_*``      class of each symbol: TDATA of 8 or 16 bits, TLAST with the last
``s_axis_stream_*``       payload from its first byte on: TDATA, TKEEP, TLAST with its end
``m_axis_symbols_*``      symbols: TDATA of 8 bits, TLAST with the last
``done``                  a payload was decoded and taken, for one clock
``error``                 from ``done`` to the next: 0 damaged, 1 bytes are missing or left over,
                          2 a class beyond the tables
``idle``                  nothing was inside a clock ago
========================  =====================================================================

========================  =====================================================================
port of the encoder       meaning
========================  =====================================================================
``s_axis_symbols_*``      symbols in **reverse** order, last one first: TDATA has the symbol in
                          its low byte and the class above; TUSER is, in the first beat, the
                          number of its symbol modulo 24: (n - 1) % 24 of n symbols; TLAST is
                          with the sequence's first symbol
``m_axis_stream_*``       payload **backwards**: the low byte of the first beat is the payload's
                          last byte, and TLAST is with its first: TDATA, TKEEP, TLAST
``done``                  the last word of a payload is on its way, for one clock
``error``                 from ``done`` to the next: 0 a symbol without a frequency, 1 a class
                          beyond the tables, 2 TUSER does not fit the number of symbols
``idle``                  nothing was inside a clock ago
========================  =====================================================================

A sequence has one symbol at least: AXI4-Stream knows no empty packets.  After any error the cores
go on with the next sequence.
"""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.lossy.escape import EscapeTables
from lutgen.errors import InputError

from ..core.ports import STREAM_FIELDS, Top, stream_ports
from ..fabric.fabric import LUT6, Fabric
from ..streams.axi import BYTE, word_layout
from .entropy_decoder import DECODER_ERRORS, EntropyDecoder
from .entropy_encoder import ENCODER_ERRORS, EntropyEncoder, coded_layout
from .interleaved import LANE_BITS, check_tables, class_bits

__all__ = ["DECODER_ERRORS", "ENCODER_ERRORS", "EntropyDecoderTop", "EntropyEncoderTop"]

_LAST = {"data": "tdata", "last": "tlast"}


def _ports(prefix: str, bits: int, source: bool, user: int = 0) -> dict:
    """A stream of whole beats."""
    forward, back = (Out, In) if source else (In, Out)
    return {
        f"{prefix}_tdata": forward(bits),
        **({f"{prefix}_tuser": forward(user)} if user else {}),
        f"{prefix}_tlast": forward(1),
        f"{prefix}_tvalid": forward(1),
        f"{prefix}_tready": back(1),
    }


class _EngineTop(Top):
    """What both have: tables, the width of the payload's words, the fabric."""

    def __init__(
        self, ports: dict, errors: tuple, tables: EscapeTables, stream_bytes: int, fabric: Fabric
    ) -> None:
        if stream_bytes not in (2, 4, 8):
            raise InputError(
                "stream width of the entropy engine must be 2, 4 or 8 bytes, "
                f"not {stream_bytes!r}"
            )
        check_tables(tables)
        self._tables, self._bytes, self._cells = tables, stream_bytes, fabric
        wiring.Component.__init__(self, {
            **ports, "done": Out(1), "error": Out(len(errors)), "idle": Out(1),
        })  # fmt: skip

    @property
    def fabric(self) -> Fabric:
        return self._cells

    def _tell(self, m: Module, core) -> None:
        m.d.comb += [self.done.eq(core.done), self.error.eq(core.error)]


class EntropyDecoderTop(_EngineTop):
    """Decoder of the entropy engine: latency, rate and reset as of `.EntropyDecoder`.

    Parameters
    ----------
    tables:
        Frequencies; symbol 255, the escape, has one in every class.
    stream_bytes:
        Width of the payload's TDATA in bytes: 2, 4 or 8.
    fabric:
        Cells that it is made for.
    """

    def __init__(
        self, tables: EscapeTables, *, stream_bytes: int = 4, fabric: Fabric = LUT6
    ) -> None:
        ports = {
            **_ports("s_axis_classes", class_bits(tables), source=False),
            **stream_ports("s_axis_stream", stream_bytes, source=False),
            **_ports("m_axis_symbols", 8, source=True),
        }
        super().__init__(ports, DECODER_ERRORS, tables, stream_bytes, fabric)

        self._core = EntropyDecoder(tables, count=stream_bytes, registers=fabric.registers)
        #: Clocks from a class to the stored state, see `.EntropyDecoder`.
        self.latency = self._core.latency

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        classes = self._sink(
            m, "s_axis_classes", core.classes.payload.shape(), _LAST, "slice_classes"
        )
        words, entering = self._packets(m, "s_axis_stream", self._bytes)
        symbols = self._source(m, "m_axis_symbols", BYTE, _LAST, "slice_out")
        wiring.connect(m, classes, core.classes)
        wiring.connect(m, words, core.words)
        wiring.connect(m, core.symbols, symbols)
        self._tell(m, core)
        held = classes.valid | entering | self.m_axis_symbols_tvalid
        m.d.sync += self.idle.eq(core.idle & ~held)
        return m


class EntropyEncoderTop(_EngineTop):
    """Encoder of the entropy engine: latency, rate and reset as of `.EntropyEncoder`.

    Parameters as in :class:`EntropyDecoderTop`.
    """

    def __init__(
        self, tables: EscapeTables, *, stream_bytes: int = 4, fabric: Fabric = LUT6
    ) -> None:
        ports = {
            **_ports("s_axis_symbols", 8 + class_bits(tables), source=False, user=LANE_BITS),
            **stream_ports("m_axis_stream", stream_bytes, source=True),
        }
        super().__init__(ports, ENCODER_ERRORS, tables, stream_bytes, fabric)

        self._core = EntropyEncoder(tables, count=stream_bytes, registers=fabric.registers)
        #: Clocks from a symbol to its word, see `.EntropyEncoder`.
        self.latency = self._core.latency

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        symbols = self._sink(
            m, "s_axis_symbols", coded_layout(self._tables),
            {"data": "tdata", "lane": "tuser", "last": "tlast"}, "slice_in",
        )  # fmt: skip
        words = self._source(
            m, "m_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_out"
        )
        wiring.connect(m, symbols, core.symbols)
        wiring.connect(m, core.words, words)
        self._tell(m, core)
        m.d.sync += self.idle.eq(core.idle & ~symbols.valid & ~self.m_axis_stream_tvalid)
        return m
