"""What a reader of strips tells the lanes of a payload, and the queue for it."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutgen.codec.rans import STATE_BITS

from ..streams.lut_fifo import step

__all__ = ["PayloadQueue", "payload_layout"]


def payload_layout(address_bits: int, depth: int, *, lossless: bool = False) -> StructLayout:
    """A payload in the ring of words of ``address_bits`` bits of address.

    ``state`` is the first one without its leading one, ``position`` the bit address behind it, or
    the first one of a ``plain`` payload, which has ``bits`` bits for each folded residual.  ``end``
    is the word behind the payload, in which and behind which there are zeros.  All residuals of an
    ``empty`` one are 0.  None is above ``greatest``.  The last two are known of ``lossless`` files.
    """
    return StructLayout({
        "state": STATE_BITS, "position": address_bits + 5, "end": address_bits, "plain": 1,
        "empty": 1, **({} if lossless else {"bits": 5, "greatest": depth}),
    })  # fmt: skip


class PayloadQueue(wiring.Component):
    """Queue of payloads in LUT memory, whose front one is taken without a handshake.

    Reset empties it.

    Parameters
    ----------
    shape:
        See `payload_layout`.

    Members
    -------
    i : In(stream of shape)
        Payloads, in order.
    waiting : Out(1)
        There is one; up to date two clocks after ``pop``.
    pop : In(1)
        Take it; only if there is one.
    front : Out(shape)
        What was taken last, from the next clock on.
    """

    _DEPTH_BITS = 4

    def __init__(self, shape: StructLayout) -> None:
        self._shape = shape
        super().__init__({
            "i": In(stream.Signature(shape)),
            "waiting": Out(1),
            "pop": In(1),
            "front": Out(shape),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = self._DEPTH_BITS
        m.submodules.memory = memory = Memory(shape=self._shape.size, depth=1 << bits, init=[])
        store, load = memory.write_port(), memory.read_port(domain="comb")
        count = Signal(bits + 1)
        put = self.i.valid & self.i.ready
        front = Signal(self._shape.size, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(~count[bits]),
            store.en.eq(put),
            store.data.eq(Value.cast(self.i.payload)),
            self.front.eq(front),
        ]
        m.d.sync += [
            store.addr.eq(store.addr + put),
            load.addr.eq(load.addr + self.pop),
            count.eq(step(count, put, self.pop)),
            self.waiting.eq(count.any()),
        ]
        with m.If(self.pop):
            m.d.sync += front.eq(load.data)
        return m
