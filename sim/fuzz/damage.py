"""Kinds of damage to a file: of the channel, of the parts of its format, and of whole files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lutgen.sim.fuzz.stream import Files, GoodFile, Span

__all__ = ["CUTS", "EMPTY", "KINDS", "NONE", "RESET", "damaged"]

#: Kinds of which others know.
RESET, EMPTY, NONE = "reset in a file", "packets without bytes", "none"

#: Share of files that are cut where their parts end.
_WITH_PARTS = 0.7

#: Damages a file of several, with the random numbers and the build's files.
Damage = Callable[[np.random.Generator, Files, Sequence[GoodFile]], bytes]


def _flipped(rng, files, pool) -> bytes:
    """One to four bits."""
    data = bytearray(_one(rng, pool).data)
    for _ in range(int(rng.integers(1, 5))):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return bytes(data)


def _changed(rng, files, pool) -> bytes:
    """One to four bytes, or some in a row."""
    data = bytearray(_one(rng, pool).data)
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 5))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
    else:
        at = int(rng.integers(len(data)))
        end = min(len(data), at + int(rng.integers(2, 17)))
        data[at:end] = rng.bytes(end - at)
    return bytes(data)


def _truncated(rng, files, pool) -> bytes:
    """Any beginning; mostly one that ends with a part or beside its end, each kind as often."""
    good = _one(rng, pool)
    if rng.random() < _WITH_PARTS:
        ends = [some for some in _ends(good) if some]
        some = ends[int(rng.integers(len(ends)))]
        return good.data[: max(0, some[int(rng.integers(len(some)))] + int(rng.integers(-1, 2)))]
    return good.data[: int(rng.integers(len(good.data)))]


def _inserted(rng, files, pool) -> bytes:
    """Up to eight bytes, also behind the end."""
    data = _one(rng, pool).data
    at = int(rng.integers(len(data) + 1)) if rng.random() < 0.8 else len(data)
    return data[:at] + rng.bytes(int(rng.integers(1, 9))) + data[at:]


def _removed(rng, files, pool) -> bytes:
    """Up to eight bytes in the middle."""
    data = _one(rng, pool).data
    at = int(rng.integers(len(data)))
    return data[:at] + data[at + int(rng.integers(1, 9)) :]


def _header(rng, files, pool) -> bytes:
    """A field of the header: any value, or one near to that of before or to a limit."""
    good = _one(rng, pool)
    first, end = good.fields[int(rng.integers(len(good.fields)))]
    before, bits = int.from_bytes(good.data[first:end], "little"), 8 * (end - first)
    value = (
        int(rng.integers(1 << min(bits, 63))),
        before + int(rng.integers(-2, 3)),
        (0, 1, (1 << bits) - 1)[int(rng.integers(3))],
        before ^ 1 << int(rng.integers(bits)),
    )[int(rng.integers(4))] % (1 << bits)
    return good.data[:first] + value.to_bytes(end - first, "little") + good.data[end:]


def _lengths(rng, files, pool) -> bytes:
    """A length, or a byte of a checksum or of the index."""
    good = _one(rng, pool)
    if rng.random() < 0.4 and good.checks:
        first, end = _span(rng, good.checks)
        data = bytearray(good.data)
        data[int(rng.integers(first, end))] ^= int(rng.integers(1, 256))
        return bytes(data)
    first, end = _span(rng, good.lengths)
    count = int(rng.integers(1, 7)) if rng.random() < 0.5 else end - first
    code = bytearray(rng.bytes(count))
    if rng.random() < 0.7:  # one number
        code = bytearray(byte | 128 for byte in code)
        code[-1] &= 127
    return good.data[:first] + bytes(code) + good.data[end:]


def _swapped(rng, files, pool) -> bytes:
    """Two strips or packets in each other's place, or one in place of another."""
    good = _one(rng, [g for g in pool if len(g.units) > 1] or pool)
    parts = [good.data[a:b] for a, b in good.units]
    i, j = rng.permutation(len(parts))[:2] if len(parts) > 1 else (0, 0)
    if rng.random() < 0.7:
        parts[i], parts[j] = parts[j], parts[i]
    else:
        parts[i] = parts[j]
    return good.data[: good.units[0][0]] + b"".join(parts) + good.data[good.units[-1][1] :]


def _spliced(rng, files, pool) -> bytes:
    """The beginning of one file and the end of another, often at ends of their parts."""
    one, other = _one(rng, pool), _one(rng, pool)
    if rng.random() < 0.5:
        return one.data + other.data  # the end between them is lost
    if rng.random() < 0.5:
        return (
            one.data[: _span(rng, one.units)[1]] + other.data[_span(rng, other.units)[0] :]
        )
    return one.data[: int(rng.integers(len(one.data)))] + (
        other.data[int(rng.integers(len(other.data))) :]
    )


def _random(rng, files, pool) -> bytes:
    """Any bytes, mostly behind a right header."""
    header = _one(rng, pool).data[: pool[0].units[0][0]] if rng.random() < 0.8 else b""
    return header + rng.bytes(int(rng.integers(1, 200)))


def _resealed(rng, files, pool) -> bytes:
    """Payloads with bits, bytes or all of them changed, and right checksums."""
    good = _one(rng, pool)
    data = bytearray(good.data)
    for _ in range(int(rng.integers(1, 4))):
        first, end = _span(rng, good.payloads)
        if first == end:
            continue
        how = rng.random()
        if how < 0.4:
            data[int(rng.integers(first, end))] ^= 1 << int(rng.integers(8))
        elif how < 0.7:
            at = int(rng.integers(first, end))
            data[at:end] = rng.bytes(end - at)
        else:
            at = int(rng.integers(first, end + 1))
            data[first:at] = bytes(at - first)
    if rng.random() < 0.2:
        first, end = good.fields[int(rng.integers(len(good.fields)))]
        data[int(rng.integers(first, end))] ^= 1 << int(rng.integers(8))
    return files.resealed(bytes(data), good)


def _empty(rng, files, pool) -> bytes:
    """No byte: a beat with TLAST alone."""
    return b""


def _untouched(rng, files, pool) -> bytes:
    """Nothing but how its beats are filled."""
    return _one(rng, pool).data


#: Kinds of damage by name.
KINDS: Mapping[str, Damage] = {
    "bits flipped": _flipped, "bytes changed": _changed, "truncated": _truncated,
    "bytes inserted": _inserted, "bytes removed": _removed, "header field": _header,
    "length, checksum or index": _lengths, "strips swapped": _swapped, "files spliced": _spliced,
    "random bytes": _random, "payload, checksums right": _resealed, EMPTY: _empty,
    RESET: _untouched, NONE: _untouched,
}  # fmt: skip


def _in_a_length(rng, files, pool) -> bytes:
    """Behind the first byte of a length that has more, if there is one."""
    longer = [(good, at) for good in pool for at, end in good.lengths if end > at + 1]
    good, at = longer[int(rng.integers(len(longer)))] if longer else (pool[0], 0)
    return good.data[: at + 1]


def _behind_the_header(rng, files, pool) -> bytes:
    good = _one(rng, pool)
    return good.data[: good.units[0][0]]


def _behind_the_last(rng, files, pool) -> bytes:
    """Behind the last strip, before the index."""
    good = _one(rng, [g for g in pool if len(g.units) > 1] or pool)
    return good.data[: good.units[-1][1]]


#: Cuts at places that those of `KINDS` seldom meet.
CUTS: Mapping[str, Damage] = {
    "cut in a length": _in_a_length, "cut behind the header": _behind_the_header,
    "cut behind the last strip": _behind_the_last,
}  # fmt: skip


def damaged(
    kind: str, rng: np.random.Generator, files: Files, pool: Sequence[GoodFile]
) -> bytes:  # fmt: skip
    """A file of the pool, damaged in one of `KINDS` or `CUTS`."""
    return {**KINDS, **CUTS}[kind](rng, files, pool)


def _one(rng, pool: Sequence[GoodFile]) -> GoodFile:
    return pool[int(rng.integers(len(pool)))]


def _span(rng, spans: Sequence[Span]) -> Span:
    return spans[int(rng.integers(len(spans)))]


def _ends(good: GoodFile) -> tuple[list[int], ...]:
    """Where the header, lengths, payloads and checksums end."""
    parts = good.lengths, good.payloads, good.checks
    return [good.units[0][0]], *([end for _, end in some] for some in parts)
