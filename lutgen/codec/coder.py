"""Entropy coders by their numbers: what the container, buffers and checks must know of them.

A coder's payload begins with 0 to 7 zeros, a one, and the ``state_bits`` of the encoder's final
state below its leading one; then come the bits of the symbols, the first decoded first.
"""

from dataclasses import dataclass

from lutgen.errors import InputError
from lutgen.model.head import PROB_BITS
from lutgen.model.samples import EIGHT_BIT

__all__ = ["DEFAULT_TANS_BITS", "RANS", "Coder", "coder_named", "coder_of", "tans"]

#: Logarithm of the number of tANS states.
MIN_TANS_BITS, MAX_TANS_BITS = 8, 12
#: The least that cost no more than rANS on the embedded model's data.
DEFAULT_TANS_BITS = 9


@dataclass(frozen=True)
class Coder:
    """An entropy coder.

    Parameters
    ----------
    name:
        ``rans`` or ``tans``.
    code:
        How a file's header names it: 0 for rANS, the logarithm of the states for tANS.
    state_bits:
        Bits of the state below its leading one.
    symbol_bits:
        Most bits that a symbol can take.
    symbols_per_bit:
        Symbols that take at least one bit together, however likely they are.
    """

    name: str
    code: int
    state_bits: int
    symbol_bits: int
    symbols_per_bit: int

    @property
    def min_payload_bytes(self) -> int:
        """Shortest payload of a tile: the final state alone."""
        return (self.state_bits + 1 + 7) // 8

    def least_payload_bytes(self, symbols: int) -> int:
        """No payload of a tile of so many symbols is shorter.

        Every symbol makes the state grow by a factor, which is least for the likeliest symbol that
        there can be: 2**14 - 255 of 2**14, or 127 of 128 states of tANS.  The state begins at its
        least value, and what grows beyond twice that leaves as bits: all but one of them.
        """
        return (self.state_bits + 1 + max(0, symbols // self.symbols_per_bit - 1) + 7) // 8

    def max_payload_bytes(self, symbols: int) -> int:
        """Longest payload of a tile of so many symbols."""
        return (self.symbol_bits * symbols + self.state_bits + 1 + 7) // 8

    def front_bytes(self, symbols):
        """Bytes of a payload that its first ``symbols`` symbols, an int or array, can need."""
        return (self.symbol_bits * symbols + self.state_bits + 1 + 7 + 7) // 8


RANS = Coder(
    "rans", code=0, state_bits=PROB_BITS + 2, symbol_bits=PROB_BITS, symbols_per_bit=64
)


def tans(bits: int) -> Coder:
    """The tANS coder with ``2 ** bits`` states for each class, see :mod:`.tans`.

    Raises
    ------
    InputError
        If ``bits`` is outside 8..12.
    """
    if isinstance(bits, bool) or bits not in range(MIN_TANS_BITS, MAX_TANS_BITS + 1):
        raise InputError(f"tANS bits must be {MIN_TANS_BITS} to {MAX_TANS_BITS}, not {bits!r}")
    # A raw symbol, and the bits of the escape's frequency: one in 128 at least.
    return Coder(
        "tans", code=int(bits), state_bits=int(bits), symbol_bits=EIGHT_BIT.depth + 7,
        symbols_per_bit=256,
    )  # fmt: skip


def coder_of(code: int) -> Coder:
    """The coder that a header's byte names.

    Raises
    ------
    InputError
        If there is no such coder.
    """
    if code and not MIN_TANS_BITS <= code <= MAX_TANS_BITS:
        raise InputError(f"coder must be 0 or {MIN_TANS_BITS} to {MAX_TANS_BITS}, not {code!r}")
    return tans(code) if code else RANS


def coder_named(name: str, tans_bits: int | None = None) -> Coder:
    """The coder of a name, ``rans`` or ``tans``; of tANS with `DEFAULT_TANS_BITS` if not told.

    Raises
    ------
    InputError
        If there is no such coder, or rANS is given bits.
    """
    if name == "tans":
        return tans(DEFAULT_TANS_BITS if tans_bits is None else tans_bits)
    if name != "rans":
        raise InputError(f"coder must be rans or tans, not {name!r}")
    if tans_bits is not None:
        raise InputError(
            f"tANS bits must be left out with coder rans, not {tans_bits!r}: choose coder tans"
        )
    return RANS
