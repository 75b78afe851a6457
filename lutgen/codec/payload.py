"""Bits into a payload, from its end to its front."""

from lutgen.files.compiled import njit

__all__ = ["drain", "drop_zeros", "finish"]


@njit(forceinline=True)
def drain(payload, at, held, count):
    """Move whole bytes of the ``count`` bits in ``held`` before ``payload[at]``.

    Returns ``(at, held, count)`` after it.
    """
    while count >= 8:
        at -= 1
        payload[at] = held & 255
        held >>= 8
        count -= 8
    return at, held, count


@njit(forceinline=True)
def finish(payload, at, held, count):
    """Move all bits, with zeros before them up to a whole byte; returns the first position."""
    at, held, count = drain(payload, at, held, count)
    if count:
        at -= 1
        payload[at] = held
    return at


@njit(forceinline=True)
def drop_zeros(payload, at, held, count):
    """Leave out zeros at the end of a payload that has no byte yet; returns ``(held, count)``."""
    if at == len(payload):
        while count and not held & 1:
            held >>= 1
            count -= 1
    return held, count
