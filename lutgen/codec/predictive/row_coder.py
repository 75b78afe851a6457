"""Payloads of units: tokens by rANS and raw bits, in one string of bits.  tANS: :mod:`.tans_coder`.

The coder is that of :mod:`lutgen.codec.rans`; what differs makes a payload some 15 bits shorter, so
that every row of an image can have its own:

- There is no check state, as a checksum over the strip finds all damage (:mod:`.container`).  The
  encoder chooses the state from which the last sample is decoded so that it ends in many zeros: its
  upper bits are 4, the others the number with most zeros at its end in the token's interval.
- Zeros at the end of the string are left out: a decoder that has come to the end reads zeros.
- A payload whose first byte is 0, or that has none, says that all folded residuals are 0; what
  follows is not read.

The string begins with 0 to 7 zeros and a one, then come the 16 low bits of the first state.  Of
each sample the decoder takes a token from the state, then reads the token's raw bits, then those
that the state wants.
"""

import numpy as np

from lutgen.codec.payload import drain, drop_zeros, finish
from lutgen.codec.rans import CHECK_STATE, QUOTIENT_BITS, STATE_BITS, pop, push
from lutgen.files.compiled import njit
from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.residual import MOST_RAW_BITS, raw_bits_of, token_of

__all__ = [
    "RANS_ENTRIES", "begin", "is_nothing", "most_payload_bytes", "next_residual", "read_bits",
    "write_payload", "write_raw",
]  # fmt: skip

#: In place of the tables of tANS: as many states, and no rows.
RANS_ENTRIES = np.zeros((0, CHECK_STATE), dtype=np.int32)


def most_payload_bytes(samples: int) -> int:
    """Longest payload of so many samples."""
    return ((PROB_BITS + MOST_RAW_BITS) * samples + STATE_BITS + 8) // 8 + 1


@njit(nogil=True, forceinline=True)
def _last_state(start, freq):
    """State from which the last sample's token is decoded."""
    bit = 0
    while bit < PROB_BITS:
        above = ((start >> (bit + 1)) + (1 if start & ((2 << bit) - 1) else 0)) << (bit + 1)
        if above >= start + freq:
            break
        bit += 1
    slot = ((start + (1 << bit) - 1) >> bit) << bit
    return (1 << (PROB_BITS + QUOTIENT_BITS)) + slot


@njit(nogil=True, forceinline=True)
def is_nothing(folded):
    """Whether all folded residuals are 0."""
    for i in range(len(folded)):
        if folded[i]:
            return False
    return True


@njit(nogil=True)
def write_payload(folded, row, cumulative, payload):
    """Code a unit's folded residuals.

    Parameters
    ----------
    folded, row:
        int32, shape (n,): residuals and rows of ``cumulative``.
    payload:
        uint8, :func:`most_payload_bytes` long; the payload is put at its end.

    Returns
    -------
    int
        Position of its first byte.
    """
    at = len(payload)
    if is_nothing(folded):
        return at
    state = CHECK_STATE
    held = 0
    count = 0
    last = len(folded) - 1
    for i in range(last, -1, -1):
        u = np.int64(folded[i])
        token, raw = token_of(u)
        start = np.int64(cumulative[row[i], token])
        freq = np.int64(cumulative[row[i], token + 1]) - start
        if i == last:
            state = _last_state(start, freq)
        else:
            state, bits, n = push(state, start, freq)
            held |= bits << count
            count += n
        # What is pushed last is read first: the raw bits come before those of the state.
        held |= (u & ((1 << raw) - 1)) << count
        count += raw
        held, count = drop_zeros(payload, at, held, count)
        at, held, count = drain(payload, at, held, count)
    # The state itself, whose zeros count, too, if nothing has been written.
    held |= state << count
    count += STATE_BITS + 1
    held, count = drop_zeros(payload, at, held, count)
    return finish(payload, at, held, count)


@njit(nogil=True)
def write_raw(folded, bits, payload):
    """Folded residuals of ``bits`` bits each, one after the other, from the payload's start."""
    payload[:] = 0
    at = 0
    for i in range(len(folded)):
        for k in range(bits - 1, -1, -1):
            payload[at >> 3] |= ((folded[i] >> k) & 1) << (7 - (at & 7))
            at += 1


@njit(nogil=True, forceinline=True)
def read_bits(data, at, end, count):
    """``count`` bits from bit ``at`` on, at most 32; behind byte ``end >> 3`` are zeros."""
    first, stop = at >> 3, end >> 3
    value = np.int64(0)
    for k in range(5):
        value <<= 8
        if first + k < stop:
            value |= np.int64(data[first + k])
    return (value >> (40 - (at & 7) - count)) & ((1 << count) - 1)


@njit(nogil=True, forceinline=True)
def begin(data, start, stop, states):
    """Decoder before the first sample of the payload ``data[start:stop]``.

    ``states`` is how many states the coder has, a power of two.  Returns ``(state, at)``: ``at`` is
    the position of the next bit.  A state of 0 stands for a payload without a one in its first
    byte.
    """
    at, end = start << 3, stop << 3
    if start == stop or not data[start]:
        return np.int64(0), at
    while not read_bits(data, at, end, 1):
        at += 1
    at += 1
    bits = 0
    while states >> (bits + 1):
        bits += 1
    return states | read_bits(data, at, end, bits), at + bits


@njit(nogil=True, forceinline=True)
def next_residual(data, at, end, state, cumulative, row):
    """One sample's folded residual, the state behind it, and the position of the next bit."""
    slot = state & ((1 << PROB_BITS) - 1)
    token = 0
    bit = cumulative.shape[1] >> 1
    while bit:
        if cumulative[row, token + bit] <= slot:
            token += bit
        bit >>= 1
    start = np.int64(cumulative[row, token])
    raw, folded = raw_bits_of(token)
    folded |= read_bits(data, at, end, raw)
    at += raw
    state, count = pop(state, start, np.int64(cumulative[row, token + 1]) - start)
    return folded, (state << count) | read_bits(data, at, end, count), at + count
