"""Payloads of units whose tokens are coded by tANS, with tables of the rows of a model.

The string of bits is that of :mod:`.row_coder` but for a state of L bits, and for what stands
behind each sample's token: of an escaped one its six bits, then the raw bits, then those that the
state wants.  The encoder decodes the last sample from the state of its token with most zeros at its
end, of equals the least.

Decoders have one table of `entries`, in place of the search in a row of cumulative frequencies.
"""

import numpy as np

from lutgen.codec.payload import drain, drop_zeros, finish
from lutgen.codec.tans import TansTables, push
from lutgen.files.compiled import njit
from lutgen.model.predictive.residual import MOST_RAW_BITS, TOKENS, raw_bits_of, token_of

from .row_coder import is_nothing, read_bits

__all__ = ["ESCAPED_BITS", "entries", "most_payload_bytes", "next_tans_residual", "write_payload"]

#: Bits of a token behind its escape.
ESCAPED_BITS = (TOKENS - 1).bit_length()
_REDUCED_AT = 8
_TOKEN_MASK = (1 << _REDUCED_AT) - 1


def entries(tables: TansTables) -> np.ndarray:
    """The decoder's table: int32, shape (rows, states), token and, from bit 8 on, reduced state."""
    return tables.symbols.astype(np.int32) | tables.reduced.astype(np.int32) << _REDUCED_AT


def most_payload_bytes(samples: int, bits: int) -> int:
    """Longest payload of so many samples."""
    return ((bits + ESCAPED_BITS + MOST_RAW_BITS) * samples + bits + 8) // 8 + 1


@njit(nogil=True, forceinline=True)
def _last_slot(states, row, first, freq):
    """The state, less its leading one, with most zeros at its end of those of a token."""
    best = np.int64(states[row, first])
    for i in range(first + 1, first + freq):
        slot = np.int64(states[row, i])
        if best and (slot == 0 or (slot & -slot) > (best & -best)):
            best = slot
    return best


@njit(nogil=True)
def write_payload(folded, row, cumulative, states, payload):
    """Code a unit's folded residuals.

    Parameters
    ----------
    folded, row:
        int32, shape (n,): residuals and rows of the tables.
    cumulative, states:
        See `TansTables`.
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
    leading = states.shape[1]
    state = held = count = 0
    last = len(folded) - 1
    for i in range(last, -1, -1):
        u = np.int64(folded[i])
        token, raw = token_of(u)
        k = row[i]
        symbol = token if cumulative[k, token] < cumulative[k, token + 1] else np.int64(TOKENS)
        first = np.int64(cumulative[k, symbol])
        freq = np.int64(cumulative[k, symbol + 1]) - first
        if i == last:
            state = leading + _last_slot(states, k, first, freq)
        else:
            reduced, bits, n = push(state, freq)
            state = leading + np.int64(states[k, first + reduced - freq])
            held |= bits << count
            count += n
        # What is pushed last is read first.
        held |= (u & ((1 << raw) - 1)) << count
        count += raw
        if symbol == TOKENS:
            held |= token << count
            count += ESCAPED_BITS
        held, count = drop_zeros(payload, at, held, count)
        at, held, count = drain(payload, at, held, count)
    # The state itself, whose zeros count, too, if nothing has been written.
    held |= state << count
    while leading:
        count += 1
        leading >>= 1
    held, count = drop_zeros(payload, at, held, count)
    return finish(payload, at, held, count)


@njit(nogil=True, forceinline=True)
def next_tans_residual(data, at, end, state, entries, row):
    """One sample's folded residual, the state behind it, and the position of the next bit."""
    states = entries.shape[1]
    entry = np.int64(entries[row, state & (states - 1)])
    token, state = entry & _TOKEN_MASK, entry >> _REDUCED_AT
    if token == TOKENS:
        token = read_bits(data, at, end, ESCAPED_BITS)
        at += ESCAPED_BITS
    raw, folded = raw_bits_of(token)
    folded |= read_bits(data, at, end, raw)
    at += raw
    count = 0
    while state << count < states:
        count += 1
    return folded, (state << count) | read_bits(data, at, end, count), at + count
