"""One payload of interleaved rANS states: symbols whose classes become known bit by bit.

The coder of :mod:`lutgen.codec.rans`, for a long sequence of symbols in place of a tile.  Symbol j
belongs to state ``j % LANES``, and all states share one string of bits, from which they take what
they want in the order of the symbols.  There are no lengths and nothing to address: hardware
decodes a symbol per clock from a plain stream, because it has `LANES` clocks until a state's next
symbol.

    0...0 1 | state 0, 16 bits | ... | state LANES - 1 | bits of symbol 0 | bits of symbol 1 | ...

States are written without their leading one, most significant bit first; 0 to 7 zeros before the
one end the string at a byte boundary.  The encoder starts every state from
:data:`lutgen.codec.rans.CHECK_STATE` and codes the last symbol first; a decoder whose states do not
all come back to it, exactly at the end of the payload, has read a damaged one.  As with tiles that
is no hash: files have a CRC-32.
"""

import numpy as np

from lutgen.errors import InputError
from lutgen.files.compiled import njit

from ..container import CorruptStreamError
from ..payload import drain, finish
from ..rans import CHECK_STATE, STATE_BITS, pop, push
from .escape import EscapeTables

__all__ = ["LANES", "InterleavedDecoder", "encode_interleaved"]

#: States; the decoder's pipeline is at most this long.
LANES = 24
_BEGIN = 1 + LANES * STATE_BITS  # bits before those of the first symbol


def encode_interleaved(tables: EscapeTables, classes: np.ndarray, symbols: np.ndarray) -> bytes:
    """The payload of a sequence of symbols.

    Parameters
    ----------
    tables:
        Frequencies.
    classes:
        Class of each symbol: integers, shape (n,).
    symbols:
        0..255, shape (n,).

    Raises
    ------
    InputError
        If shapes differ, classes or symbols are out of range, or a symbol has no frequency.
    """
    classes, symbols = (np.ascontiguousarray(v, dtype=np.int64) for v in (classes, symbols))
    if classes.ndim != 1 or classes.shape != symbols.shape:
        raise InputError(
            "classes and symbols must be of one shape (n,), not "
            f"{classes.shape} and {symbols.shape}"
        )
    tables.check_classes(classes)
    if symbols.size and (symbols.min() < 0 or symbols.max() > 255):
        raise InputError(f"symbols must be 0 to 255, not {symbols.min()} to {symbols.max()}")
    start = tables.cumulative[classes, symbols]
    freq = tables.cumulative[classes, symbols + 1] - start
    if not freq.all():
        at = int(np.argmin(freq))
        raise InputError(
            f"symbols must have a frequency, not {symbols[at]} in class {classes[at]}: escape it"
        )
    # At most 14 bits a symbol.
    payload = np.zeros((14 * len(start) + _BEGIN + 7) // 8, dtype=np.uint8)
    return payload[_write(start, freq, payload) :].tobytes()


class InterleavedDecoder:
    """Symbols of a payload, some at a time.

    Parameters
    ----------
    tables:
        Frequencies.
    payload:
        What :func:`encode_interleaved` gave.

    Raises
    ------
    CorruptStreamError
        If the payload is shorter than its states.
    """

    def __init__(self, tables: EscapeTables, payload: bytes) -> None:
        self._tables = tables
        self._payload = np.frombuffer(payload, dtype=np.uint8)
        lead = 8 - int(payload[0]).bit_length() if payload else 8
        if lead == 8 or 8 * len(payload) < lead + _BEGIN:
            raise CorruptStreamError("payload must begin with the states of the coder")
        # States, then the number of the next symbol, then the next bit.
        self._state = np.zeros(LANES + 2, dtype=np.int64)
        _load(self._payload, lead + 1, self._state)

    def decode(self, classes: np.ndarray) -> np.ndarray:
        """The next symbols, of these classes: uint8, shape (n,).

        A damaged payload gives some symbols or other; :meth:`finish` finds out, mostly.

        Raises
        ------
        InputError
            If a class is out of range.
        """
        classes = np.ascontiguousarray(classes, dtype=np.int64)
        self._tables.check_classes(classes)
        symbols = np.empty(classes.shape, dtype=np.uint8)
        _read(
            self._payload, classes.ravel(), self._tables.cumulative, self._tables.slots,
            self._state, symbols.reshape(-1),
        )  # fmt: skip
        return symbols

    def finish(self) -> None:
        """Check that all symbols were read, and rightly.

        Raises
        ------
        CorruptStreamError
            If states or the position are not those that an encoder starts from.
        """
        if (self._state[:LANES] != CHECK_STATE).any() or (
            self._state[-1] != 8 * len(self._payload)
        ):
            raise CorruptStreamError("payload must end in the check states; it is damaged")


@njit(nogil=True)
def _write(start, freq, payload):
    """Code intervals into the end of the payload; returns the position of the first byte."""
    at = len(payload)
    states = np.full(LANES, CHECK_STATE, dtype=np.int64)
    held = 0
    count = 0
    for j in range(len(start) - 1, -1, -1):
        lane = j % LANES
        state, bits, n = push(states[lane], np.int64(start[j]), np.int64(freq[j]))
        states[lane] = state
        held |= bits << count
        count += n
        at, held, count = drain(payload, at, held, count)
    for lane in range(LANES - 1, -1, -1):
        held |= (states[lane] & (CHECK_STATE - 1)) << count
        count += STATE_BITS
        at, held, count = drain(payload, at, held, count)
    return finish(payload, at, held | np.int64(1) << count, count + 1)


@njit(forceinline=True)
def _take(payload, position, count):
    """``count`` bits (0..16) at a bit position; zeros behind the end."""
    byte = position >> 3
    word = 0
    for k in range(3):
        word <<= 8
        if byte + k < len(payload):
            word |= payload[byte + k]
    return (word >> (24 - (position & 7) - count)) & ((1 << count) - 1)


@njit(nogil=True)
def _load(payload, position, state):
    for lane in range(LANES):
        state[lane] = CHECK_STATE | _take(payload, position, STATE_BITS)
        position += STATE_BITS
    state[LANES + 1] = position


@njit(nogil=True)
def _read(payload, classes, cumulative, slots, state, symbols):
    position = state[LANES + 1]
    lane = state[LANES]
    for j in range(len(classes)):
        row = classes[j]
        x = state[lane]
        symbol = np.int64(slots[row, x & (slots.shape[1] - 1)])
        start = np.int64(cumulative[row, symbol])
        x, count = pop(x, start, np.int64(cumulative[row, symbol + 1]) - start)
        state[lane] = x << count | _take(payload, position, count)
        position += count
        symbols[j] = symbol
        lane += 1
        if lane == LANES:
            lane = 0
    state[LANES + 1] = position
    state[LANES] = lane
