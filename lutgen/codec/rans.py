"""rANS with a 17-bit state, renormalised bit by bit: the coder that needs no divider.

The state x lies in [2**16, 2**17) and frequencies add up to M = 2**14 (GIC-DLC, appendix C.2,
with bitwise renormalisation instead of words).  Before a symbol of frequency f is coded, the low
bits of x are emitted until x lies in [4 f, 8 f).  The quotient x // f is then 4, 5, 6 or 7, so
two compare-and-subtract steps replace the division, and decoding multiplies by a 3-bit number.
The price of the short state is about 0.002 bit per symbol; its gain is a 17-bit flush.

Bits leave the encoder last in, first out: the payload of a tile is the decoder's view, a string
of bits read from the most significant end of each byte,

    0...0 1 s15..s0 | bits of the first symbol | ... | bits of the last symbol

where ``1 s15..s0`` is the final state of the encoder, moved right by 0 to 7 zeros so that the
string ends at a byte boundary.  The encoder starts from :data:`CHECK_STATE`; a decoder that does
not end in it, exactly at the end of the payload, has read a corrupt tile.  The check is no hash:
the state remembers 16 bits less the code length of the last symbol, so that after long codes a
decoder of damaged bits may fall into step again.  Of single changed bytes it misses one in some
thousands where the model fits (1.5 bits per pixel), one in some hundreds from 3 bits per pixel on:
``python -m bench.damage``, measured in docs/results.md.  Version 2 of the format has a CRC.
"""

import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.head import PROB_BITS

from .coder import RANS
from .payload import drain, finish

__all__ = ["CHECK_STATE", "QUOTIENT_BITS", "STATE_BITS", "pop", "push", "write_payload"]

#: Bits of the quotient below its leading one.
QUOTIENT_BITS = 2
#: Bits of the state below its leading one.
STATE_BITS = RANS.state_bits
#: State that the encoder of a tile starts from, and its decoder must end in.
CHECK_STATE = 1 << STATE_BITS


@njit(forceinline=True)
def push(state, start, freq):
    """Encode one symbol.

    Returns
    -------
    (state, bits, count):
        The new state and the ``count`` (0..14) low bits that renormalisation emits.
    """
    count = 0
    while (state >> count) >= (freq << (QUOTIENT_BITS + 1)):
        count += 1
    bits = state & ((1 << count) - 1)
    state >>= count
    quotient = state // freq
    return (quotient << PROB_BITS) + state - quotient * freq + start, bits, count


@njit(forceinline=True)
def pop(state, start, freq):
    """Decode one symbol whose interval holds ``state % 2 ** PROB_BITS``.

    Returns
    -------
    (state, count):
        The state before renormalisation and the number of bits (0..14) it needs below it.
    """
    slot = state & ((1 << PROB_BITS) - 1)
    state = freq * (state >> PROB_BITS) + slot - start
    count = 0
    while (state << count) < CHECK_STATE:
        count += 1
    return state, count


@njit(nogil=True)
def write_payload(start, freq, payload):
    """Code the symbols of a tile into the end of ``payload`` (uint8).

    ``start`` and ``freq`` are int32, shape (n,): their intervals.  Returns the position of the
    first byte.
    """
    at = len(payload)
    state = CHECK_STATE
    held = 0  # bits below the next whole byte
    count = 0
    for i in range(len(start) - 1, -1, -1):
        state, bits, n = push(state, np.int64(start[i]), np.int64(freq[i]))
        held |= bits << count
        count += n
        at, held, count = drain(payload, at, held, count)
    return finish(payload, at, held | state << count, count + STATE_BITS + 1)
