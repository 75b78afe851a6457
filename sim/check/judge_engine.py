"""Phases of the entropy engine: every class and symbol, sequences in a row, every error, resets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lutgen.codec.lossy.escape import EscapeTables
from lutgen.codec.lossy.interleaved import LANES, encode_interleaved
from lutgen.sim.check.judge import first_lines
from lutgen.sim.cores.engine import EngineRun, symbol_beats
from lutgen.sim.drive.stall import Stall
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["judge_engine"]

#: Lengths around those of a round of the lanes.
_LENGTHS = (1, 2, 23, 24, 25, 47, 48, 49, 100, 300)


@dataclass
class _Sequence:
    """One sequence: what is sent, and what must come; errors may be any of a set, if there is one.
    """

    classes: np.ndarray
    symbols: np.ndarray
    payload: bytes
    errors: frozenset[str] = frozenset()
    lane: int | None = None


def judge_engine(
    tables: EscapeTables, encoder, decoder, *, share: float, seed: int, tell=None
) -> tuple[dict, list[str]]:  # fmt: skip
    """Run the phases of both cores.

    Parameters
    ----------
    tables :
        Frequencies.
    encoder, decoder :
        `lutgen.sim.cores.engine.RtlEntropyEncoder` and its counterpart.
    share :
        Share of clocks with random stalls.
    seed :
        Of stalls and sequences.
    tell :
        Called with a core and what it is doing.

    Returns
    -------
    tuple
        Number of ``phases``, ``sequences`` and ``resets`` of each core, and what is wrong.
    """
    rng = np.random.default_rng(seed)
    made = {
        "every class and symbol": [_of(tables, *_pairs(tables, rng))],
        "sequences in a row": [_random(tables, int(n), rng) for n in _LENGTHS * 3],
    }
    problems: list[str] = []
    counts = {}
    for core, rtl in (("encoder", encoder), ("decoder", decoder)):
        bad = list(_bad_symbols(tables, rng) if core == "encoder" else _bad_payloads(tables, rng))
        between = [s for wrong in bad for s in (wrong, _random(tables, 30, rng))]
        phases = made | {"errors": between}
        done = 0
        for name, sequences in phases.items():
            for stall in _stalls(core, share, seed) if name != "every class and symbol" else ({},):
                if tell:
                    tell(core, name)
                problems += _compare(core, rtl, name, sequences, stall=stall)
                done += 1
        row = [_random(tables, n, rng) for n in (100, 24, 200)]
        resets = sorted(int(at) for at in rng.integers(2, 330, size=4))
        for at in resets:
            if tell:
                tell(core, f"reset at clock {at}")
            problems += _compare(core, rtl, f"a reset at clock {at}", row, reset_at=at)
        counts[core] = {
            "phases": done + len(resets), "resets": len(resets),
            "sequences": sum(map(len, phases.values())),
        }  # fmt: skip
    return counts, problems


def _of(tables: EscapeTables, classes: np.ndarray, symbols: np.ndarray) -> _Sequence:
    return _Sequence(classes, symbols, encode_interleaved(tables, classes, symbols))


def _pairs(tables: EscapeTables, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Every symbol that a class has, of every class, in any order."""
    pairs = np.argwhere(np.diff(tables.cumulative, axis=1) > 0)
    classes, symbols = rng.permutation(pairs).T
    return classes.astype(np.uint16), symbols.astype(np.uint8)


def _random(tables: EscapeTables, count: int, rng: np.random.Generator) -> _Sequence:
    classes = rng.integers(tables.classes, size=count)
    slots = rng.integers(tables.slots.shape[1], size=count)
    return _of(tables, classes.astype(np.uint16), tables.slots[classes, slots])


def _stalls(core: str, share: float, seed: int) -> Iterator[Mapping[str, Stall]]:
    """No stalls, random ones, long ones of either side."""
    names = ("symbols", "bytes") if core == "encoder" else ("classes", "symbols", "bytes")
    yield {}
    yield {name: Stall(share, 3 * seed + k) for k, name in enumerate(names)}
    for name in names:
        yield {name: Stall(0.8, seed + 9, 200.0)}


def _bad_symbols(tables: EscapeTables, rng) -> Iterator[_Sequence]:
    """What the encoder must refuse."""
    good = _random(tables, 41, rng)
    for lane in ((len(good.classes)) % LANES, LANES, 31):
        yield _Sequence(good.classes, good.symbols, b"", frozenset({"bad_lane"}), lane)
    if tables.classes < 1 << max(1, (tables.classes - 1).bit_length()):
        classes = good.classes.copy()
        classes[11] = tables.classes
        # Such a class has no frequencies either.
        yield _Sequence(classes, good.symbols, b"", frozenset({"bad_class", "bad_symbol"}))
    none = np.argwhere(np.diff(tables.cumulative, axis=1) == 0)
    if len(none):
        classes, symbols = good.classes.copy(), good.symbols.copy()
        classes[7], symbols[7] = none[int(rng.integers(len(none)))]
        yield _Sequence(classes, symbols, b"", frozenset({"bad_symbol"}))


def _bad_payloads(tables: EscapeTables, rng) -> Iterator[_Sequence]:
    """What the decoder must refuse."""
    good = _random(tables, 60, rng)
    payload, both = good.payload, frozenset({"bad_payload", "bad_length"})
    for error, changed in (
        (frozenset({"bad_length"}), payload + b"\xa5"),
        (frozenset({"bad_length"}), payload + bytes(400)),
        (both, payload[:-1]), (both, payload[:20]), (both, payload[:1]), (both, payload + payload),
        (both, b"\0" + payload), (both, bytes(len(payload))),
    ):  # fmt: skip
        yield _Sequence(good.classes, good.symbols, changed, error)
    for at in (LANES, 2 * LANES - 1):
        damaged = bytearray(payload)
        damaged[at] ^= 0x55
        yield _Sequence(good.classes, good.symbols, bytes(damaged), both)
    if tables.classes < 1 << max(1, (tables.classes - 1).bit_length()):
        classes = good.classes.copy()
        classes[11] = tables.classes
        wanted = both | {"bad_class"}
        yield _Sequence(classes, good.symbols, payload, wanted)


def _compare(core: str, rtl, name: str, sequences, **options) -> Iterator[str]:
    """Run sequences through a core, and say what is wrong."""
    try:
        run = _run(core, rtl, sequences, **options)
    except (SimulationError, ValueError) as error:
        yield f"{core}, {name}: {first_lines(error)}"
        return
    if len(run.outputs) != len(sequences) or len(run.errors) != len(sequences):
        yield (
            f"{core}, {name}: {len(run.outputs)} outputs and {len(run.errors)} results instead of "
            f"{len(sequences)}"
        )
        return
    for number, (sequence, given, errors) in enumerate(
        zip(sequences, run.outputs, run.errors, strict=True)
    ):
        where = f"{core}, {name}, sequence {number + 1}"
        if not sequence.errors:
            same = (
                given == sequence.payload if core == "encoder"
                else np.array_equal(given, sequence.symbols)
            )  # fmt: skip
            if not same or errors:
                yield f"{where}: " + (f"reports {', '.join(errors)}" if errors else "it differs")
                return
        elif not errors or not set(errors) <= sequence.errors:
            wanted = " or ".join(sorted(sequence.errors))
            yield f"{where}: must report {wanted}, not {', '.join(errors) or 'nothing'}"
            return
        elif "bad_class" in sequence.errors and "bad_class" not in errors:
            yield f"{where}: must report bad_class"
            return


def _run(core: str, rtl, sequences, **options) -> EngineRun:
    classes = [s.classes for s in sequences]
    if core == "decoder":
        return rtl(classes, [s.payload for s in sequences], **options)
    symbols = [s.symbols for s in sequences]
    beats = symbol_beats(classes, symbols)
    first = 0
    for sequence in sequences:
        if sequence.lane is not None:
            beats["user"][first] = sequence.lane
        first += len(sequence.classes)
    return rtl(classes, symbols, beats=beats, **options)
