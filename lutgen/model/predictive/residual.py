"""From a sample to what is coded of it, and back: the folded residual, its token and raw bits.

The prediction P has a fraction.  The residual is the difference to P's nearest whole number, with
its sign turned round where P lies below that number: so the likelier sign always comes first.  As a
sample has a range, residuals on the side where there is less room end early; behind that point all
numbers belong to the other side.  The folded residual u is therefore a number of as many bits as a
sample, and every u is a sample (the mapper of CCSDS 121.0-B, section 4, has the same range).

u is coded as a token and raw bits: 0 to 15 are tokens themselves; above, a token says the exponent
and the two bits below the leading one, and the rest is raw.  A token's numbers are alike enough to
be equally likely.
"""

from lutgen.files.compiled import njit

from .neighbourhood import FRACTION_BITS

__all__ = ["MOST_RAW_BITS", "TOKENS", "fold", "raw_bits_of", "rounded", "token_of", "unfold"]

_EXACT_BITS = 4
_EXACT = 1 << _EXACT_BITS
_MANTISSA_BITS = 2
#: Tokens of folded residuals of up to 16 bits.
TOKENS = _EXACT + ((16 - _EXACT_BITS) << _MANTISSA_BITS)
#: Most raw bits behind a token.
MOST_RAW_BITS = 15 - _MANTISSA_BITS


@njit(nogil=True, forceinline=True)
def rounded(prediction):
    """Nearest whole number of a prediction in 1/8, and the rest, -4 to 3."""
    whole = (prediction + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS
    return whole, prediction - (whole << FRACTION_BITS)


@njit(nogil=True, forceinline=True)
def fold(sample, whole, rest, maximum):
    """Folded residual, 0 to ``maximum``."""
    residual = sample - whole
    if rest < 0:
        residual = -residual
    size = abs(residual)
    room = min(whole, maximum - whole)
    if size > room:
        return room + size
    return 2 * size - 1 if residual > 0 else 2 * size


@njit(nogil=True, forceinline=True)
def unfold(folded, whole, rest, maximum):
    """The sample of a folded residual that is at most ``maximum``."""
    room = min(whole, maximum - whole)
    if folded > 2 * room:
        size = folded - room
        return whole + size if whole == room else whole - size
    size = (folded + 1) >> 1
    up = (folded & 1 == 1) != (rest < 0)
    return whole + size if up else whole - size


@njit(nogil=True, forceinline=True)
def token_of(folded):
    """Token of a folded residual, and the number of its raw bits, which are its lowest ones."""
    if folded < _EXACT:
        return folded, 0
    exponent = _EXACT_BITS
    while folded >> (exponent + 1):
        exponent += 1
    raw = exponent - _MANTISSA_BITS
    mantissa = (folded >> raw) & ((1 << _MANTISSA_BITS) - 1)
    return _EXACT + ((exponent - _EXACT_BITS) << _MANTISSA_BITS) + mantissa, raw


@njit(nogil=True, forceinline=True)
def raw_bits_of(token):
    """Number of raw bits behind a token, and the folded residual with these bits zero."""
    if token < _EXACT:
        return 0, token
    token -= _EXACT
    raw = (token >> _MANTISSA_BITS) + _EXACT_BITS - _MANTISSA_BITS
    mantissa = token & ((1 << _MANTISSA_BITS) - 1)
    return raw, ((1 << _MANTISSA_BITS) + mantissa) << raw
