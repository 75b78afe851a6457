"""The arithmetic of decoding one symbol: what becomes of a state, and the bits that it wants."""

from amaranth.hdl import Module, Mux, Signal, Value

from lutgen.codec.rans import STATE_BITS
from lutgen.model.head import PROB_BITS

from ..fabric.pipeline import delay, one_hot_select

__all__ = ["pop_step"]


def pop_step(m: Module, state, start, freq, *, code=None) -> tuple[Value, Value, Value, Value]:
    """State before renormalisation, and the number of bits that it lacks.

    See `lutgen.codec.rans.pop`.

    One symbol per clock.  Reset, with ``code`` only, leaves nothing that bits are wanted for.

    Parameters
    ----------
    m:
        Module to add it to.
    state:
        State without its leading one, 16 bits.
    start, freq:
        Interval that holds its slot; a frequency of ``2 ** 14`` wants no bits.
    code:
        Whether there is a symbol in this clock: without one, no bits are wanted.  By default there
        always is.

    Returns
    -------
    (product, lesser, fewer, more):
        The state, 17 bits, three clocks later; a clock before, for a count that is registered
        beside what else bits are wanted for: whether it is of the lesser of two lengths, and the
        bits wanted without, 0..13, and with it, one more.
    """
    # x = f * q + slot - start, q in 4..7.
    partial = Signal(STATE_BITS + 1, reset_less=True)
    offset = Signal(PROB_BITS + 1, reset_less=True)
    m.d.sync += [
        partial.eq((freq << 2) + Mux(state[-1], freq << 1, 0)),
        offset.eq(state[:PROB_BITS] - start + Mux(state[-2], freq, 0)),
    ]
    product = Signal(STATE_BITS + 1, reset_less=True)
    m.d.sync += product.eq(partial + offset)
    # Bits wanted: x lies in [4 f, 8 f), so its length is that of f and two or three more.
    lasts = code is None  # through a reset
    top = Signal(PROB_BITS, reset_less=lasts)  # the leading one of f; 2 ** 14 wants no bits
    for i in reversed(range(PROB_BITS)):
        leads = freq[i] & ~freq[i + 1 : PROB_BITS].any()
        m.d.sync += top[i].eq(leads if code is None else leads & code)
    fewer = Signal(4, reset_less=lasts)  # bits wanted if x is of the greater length
    more = Signal(4, reset_less=lasts)  # and of the lesser
    m.d.sync += [
        fewer.eq(one_hot_select([PROB_BITS - 1 - i for i in range(PROB_BITS)], top)),
        more.eq(one_hot_select([PROB_BITS - i for i in range(PROB_BITS)], top)),
    ]
    top_1 = delay(m, top, 1, name="top", reset=not lasts)
    lesser = (top_1 & ~product[3:]).any()
    return delay(m, product, 1, name="product"), lesser, fewer, more
