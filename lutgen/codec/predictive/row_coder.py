"""Payloads of rows: tokens by rANS and raw bits, in one string of bits.

The coder is that of :mod:`lutgen.codec.rans` with two differences that make a payload 15 bits
shorter, so that every row of an image can have its own:

- The encoder starts from state 1, not from 2**16.  It emits nothing until the state has grown, and
  the decoder stops reading where the payload ends: there its state falls back to 1.
- So the final state's leading one is the marker that a payload begins with, behind 0 to 7 zeros;
  the 16 bits below it are read like any others.

The raw bits of a sample's token are the last that the decoder reads for the sample: the encoder puts
them below the state before the token is coded.  Where the payload has ended, they are in the state.

A decoder that does not end in state 1 with all bits read has met damage; a checksum over the whole
strip finds all of it (:mod:`.container`).
"""

import numpy as np

from lutgen.codec.payload import drain, finish
from lutgen.codec.rans import QUOTIENT_BITS, STATE_BITS
from lutgen.files.compiled import njit
from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.residual import MOST_RAW_BITS, raw_bits_of, token_of

__all__ = ["START", "begin", "most_payload_bytes", "next_token", "next_raw", "write_row"]

#: State that the encoder starts from, and its decoder must end in.
START = 1
_BYTE = 8


def most_payload_bytes(samples: int) -> int:
    """Longest payload of so many samples."""
    return ((PROB_BITS + MOST_RAW_BITS) * samples + STATE_BITS + _BYTE) // _BYTE + 1


@njit(nogil=True)
def write_row(folded, row, cumulative, payload):
    """Code a row's folded residuals into the end of ``payload`` (uint8).

    ``folded`` and ``row`` are int32, shape (n,): residuals and rows of ``cumulative``.  Returns the
    position of the first byte.
    """
    at = len(payload)
    state = START
    held = 0
    count = 0
    for i in range(len(folded) - 1, -1, -1):
        u = np.int64(folded[i])
        token, raw = token_of(u)
        start = np.int64(cumulative[row[i], token])
        freq = np.int64(cumulative[row[i], token + 1]) - start
        state = (state << raw) | (u & ((1 << raw) - 1))
        n = 0
        while (state >> n) >= (freq << (QUOTIENT_BITS + 1)):
            n += 1
        held |= (state & ((1 << n) - 1)) << count
        count += n
        state >>= n
        quotient = state // freq
        state = (quotient << PROB_BITS) + state - quotient * freq + start
        at, held, count = drain(payload, at, held, count)
    size = 0
    while state >> size:
        size += 1
    return finish(payload, at, held | state << count, count + size)


@njit(nogil=True, inline="always")
def _read(data, at, end, state, bound):
    """Read bits below the state until it has reached ``bound`` or the payload has ended."""
    while state < bound and at < end:
        state = (state << 1) | ((np.int64(data[at >> 3]) >> (7 - (at & 7))) & 1)
        at += 1
    return state, at


@njit(nogil=True, inline="always")
def begin(data, start, stop):
    """State of a decoder before the first sample of the payload ``data[start:stop]``.

    Returns ``(state, at)``, ``at`` the position of the next bit; a state of 0 is damage.
    """
    at, end = start << 3, stop << 3
    state = np.int64(0)
    while state == 0 and at < end and at < (start << 3) + _BYTE:
        state = (np.int64(data[at >> 3]) >> (7 - (at & 7))) & 1
        at += 1
    return _read(data, at, end, state, np.int64(state << STATE_BITS))


@njit(nogil=True, inline="always")
def next_token(state, cumulative, row):
    """Token that the state holds, in row ``row`` of the table, and the state behind it."""
    slot = state & ((1 << PROB_BITS) - 1)
    token = 0
    bit = 32
    while bit:
        if cumulative[row, token + bit] <= slot:
            token += bit
        bit >>= 1
    start = np.int64(cumulative[row, token])
    freq = np.int64(cumulative[row, token + 1]) - start
    return token, freq * (state >> PROB_BITS) + slot - start


@njit(nogil=True, inline="always")
def next_raw(data, at, end, state, token):
    """The folded residual of a token, the state behind its raw bits, and the next position."""
    raw, folded = raw_bits_of(token)
    state, at = _read(data, at, end, state, np.int64(1) << (STATE_BITS + raw))
    return folded | (state & ((1 << raw) - 1)), state >> raw, at
