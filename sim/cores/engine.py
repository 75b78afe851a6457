"""The entropy engine as functions: sequences of symbols to payloads and back, through the gateware.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lutgen.codec.lossy.escape import EscapeTables
from lutgen.codec.lossy.interleaved import LANES, encode_interleaved
from lutgen.errors import InputError
from lutgen.gateware.engine.beats import symbol_beats
from lutgen.gateware.engine.entropy_engine import (
    DECODER_ERRORS,
    ENCODER_ERRORS,
    EntropyDecoderTop,
    EntropyEncoderTop,
)
from lutgen.gateware.streams.beats import sequence_beats
from lutgen.sim.cores.codec import SLACK_CLOCKS, rename_stalls
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.stream import AXIS, StreamResult, rtl_stream
from lutgen.sim.drive.words import file_beats, files_of
from lutgen.sim.tool.design import Design

__all__ = [
    "EngineRun",
    "RtlEntropyDecoder",
    "RtlEntropyEncoder",
    "check_engine",
    "errors_by_sequence",
    "sequence_beats",
    "symbol_beats",
    "synthetic_stream",
]

_IDLE_CLOCKS = 64


@dataclass(frozen=True, eq=False)
class EngineRun:
    """What a core of the engine gave.

    Members
    -------
    outputs : tuple
        Of each sequence: symbols, uint8 (n,), or the payload, bytes.
    errors : tuple of tuple of str
        Names of each sequence's error bits, in the order of ``done``.
    trace : StreamResult
        Clock of every beat.
    clocks : tuple of int
        Clocks from the first symbol in or out to the last, each included, of each sequence.
    """

    outputs: tuple
    errors: tuple[tuple[str, ...], ...]
    trace: StreamResult = field(repr=False)
    clocks: tuple[int, ...] = ()


class RtlEntropyDecoder:
    """The engine's decoder, simulated.

    Parameters
    ----------
    tables :
        Frequencies.
    source : optional
        Verilog of ``lutgen_entropy_decoder``, by default made from ``tables``.
    stream_bytes : int
        Width of the payload's TDATA in bytes, of ``source`` as well.
    """

    def __init__(self, tables: EscapeTables, source=None, *, stream_bytes: int = 4) -> None:
        self._bytes = stream_bytes
        source = source or EntropyDecoderTop(tables, stream_bytes=stream_bytes)
        self._design = Design.of(source, "lutgen_entropy_decoder")

    def __call__(
        self,
        classes: Sequence[np.ndarray],
        payloads: Sequence[bytes],
        *,
        stall: Mapping[str, Stall] | None = None,
        **options,
    ) -> EngineRun:
        """Decode payloads, one after the other.

        Parameters
        ----------
        classes : sequence of integers (n,)
            Classes of each sequence's symbols.
        payloads : sequence of bytes
        stall : mapping
            Stalls of ``classes``, ``bytes`` and ``symbols``.
        options :
            See `rtl_stream`.
        """
        words = file_beats(list(payloads), self._bytes)
        result = rtl_stream(
            self._design,
            {"s_axis_classes": sequence_beats(classes), "s_axis_stream": words},
            {"m_axis_symbols": ["data", "last"]},
            names=AXIS,
            stalls=rename_stalls(stall, {
                "classes": "s_axis_classes", "bytes": "s_axis_stream", "symbols": "m_axis_symbols",
            }),
            watch=["done", "error"],
            **_limits(sum(map(len, classes)) + len(words["data"]), options),
        )  # fmt: skip
        found = result.outputs["m_axis_symbols"]
        ends = np.flatnonzero(found["last"]) + 1
        symbols = np.split(found["data"].astype(np.uint8), ends)
        clocks = _spans(result.output_clocks["m_axis_symbols"], ends)
        outputs = tuple(symbols if len(symbols[-1]) else symbols[:-1])
        return EngineRun(outputs, errors_by_sequence(result, DECODER_ERRORS), result, clocks)


class RtlEntropyEncoder:
    """The engine's encoder, simulated.  Parameters as in `RtlEntropyDecoder`."""

    def __init__(self, tables: EscapeTables, source=None, *, stream_bytes: int = 4) -> None:
        self._bytes = stream_bytes
        source = source or EntropyEncoderTop(tables, stream_bytes=stream_bytes)
        self._design = Design.of(source, "lutgen_entropy_encoder")

    def __call__(
        self,
        classes: Sequence[np.ndarray],
        symbols: Sequence[np.ndarray],
        *,
        stall: Mapping[str, Stall] | None = None,
        beats: Mapping[str, np.ndarray] | None = None,
        **options,
    ) -> EngineRun:
        """Encode sequences, one after the other.

        Parameters
        ----------
        classes, symbols : sequences of integers (n,)
            In their order; they are sent in reverse.
        stall : mapping
            Stalls of ``symbols`` and ``bytes``.
        beats : mapping
            Beats (``data``, ``user``, ``last``) to send instead, for tests of wrong ones.
        options :
            See `rtl_stream`.
        """
        beats = beats or symbol_beats(classes, symbols)
        result = rtl_stream(
            self._design,
            {"s_axis_symbols": beats},
            {"m_axis_stream": ["data", "keep", "last"]},
            names=AXIS,
            stalls=rename_stalls(stall, {"symbols": "s_axis_symbols", "bytes": "m_axis_stream"}),
            watch=["done", "error"],
            **_limits(len(beats["data"]), options),
        )
        found = result.outputs["m_axis_stream"]
        files, rest = files_of(found["data"], found["keep"], found["last"], self._bytes)
        taken = result.input_clocks["s_axis_symbols"]
        ends = np.flatnonzero(np.asarray(beats["last"])[: len(taken)]) + 1
        outputs = tuple(file[::-1] for file in ([*files, rest] if rest else files))
        errors = errors_by_sequence(result, ENCODER_ERRORS)
        return EngineRun(outputs, errors, result, _spans(taken, ends))


def _limits(beats: int, options: Mapping) -> dict:
    return {
        "idle": "idle",
        "idle_clocks": _IDLE_CLOCKS,
        "max_clocks": 40 * beats + SLACK_CLOCKS,
        **options,
    }


def _spans(clocks: np.ndarray, ends: np.ndarray) -> tuple[int, ...]:
    parts = np.split(clocks, ends)[: len(ends)]
    return tuple(int(part[-1] - part[0]) + 1 for part in parts)


def errors_by_sequence(result: StreamResult, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Names of the errors at each rise of ``done``."""
    changes = result.changes["error"]
    at = np.array([clock for clock, _ in changes])
    found = []
    for clock, done in result.changes["done"]:
        if done:
            value = changes[int(np.searchsorted(at, clock, side="right")) - 1][1]
            found.append(tuple(name for bit, name in enumerate(names) if value >> bit & 1))
    return tuple(found)


def synthetic_stream(
    tables: EscapeTables, count: int = 100_000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Classes, all alike, and symbols as likely as the tables say: uint16 and uint8, (count,)."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(tables.classes, size=count)
    slots = rng.integers(tables.slots.shape[1], size=count)
    return classes.astype(np.uint16), tables.slots[classes, slots]


def check_engine(
    tables: EscapeTables,
    classes: np.ndarray,
    symbols: np.ndarray,
    payload: bytes | None = None,
    *,
    stalls: Mapping[str, Stall] | None = None,
    sources: Mapping[str, object] | None = None,
    stream_bytes: int = 4,
    progress=None,
) -> dict:
    """Run both cores over one sequence, and compare them with the reference coder.

    The decoder is given a damaged payload before it, of which it must tell.

    Parameters
    ----------
    tables :
        Frequencies.
    classes, symbols :
        Integers (n,), of at least one symbol.
    payload :
        What the encoder must give; by default the reference's.
    stalls :
        Stalls of ``classes``, ``symbols`` and ``bytes``, of both cores.
    sources :
        Verilog of ``encoder`` and ``decoder``, by default made from ``tables``.
    stream_bytes :
        Width of the payload's TDATA in bytes.
    progress :
        Called with a core and what it is doing.

    Returns
    -------
    dict
        Ready for json: ``ok``, ``problems``, ``symbols``, ``bytes``, and for each core
        ``mismatches`` (symbols or bytes that differ), ``errors``, ``clocks`` of the whole run,
        ``clocks_per_symbol`` from the first symbol to the last, and ``clocks_per_second`` of the
        simulation.

    Raises
    ------
    InputError
        If the sequence is empty, or none for the tables.
    SimulationError
        If a core does not compile, or hangs.
    """
    classes, symbols = np.asarray(classes), np.asarray(symbols)
    if not len(classes):
        raise InputError("sequence must have one symbol at least, not none")
    reference = encode_interleaved(tables, classes, symbols)
    tell = progress or (lambda core, step: None)
    sources, stalls = sources or {}, dict(stalls or {})
    problems = []
    if payload is not None and payload != reference:
        problems.append("payload must be what the reference coder makes of the symbols")
    tell("encoder", "simulating")
    encoder = RtlEntropyEncoder(tables, sources.get("encoder"), stream_bytes=stream_bytes)
    encoded = encoder(
        [classes], [symbols], stall={k: v for k, v in stalls.items() if k != "classes"}
    )
    tell("encoder", "done")
    # A check that cannot fail proves nothing: a payload with a damaged state comes first.
    few = min(len(classes), 1000)
    damaged = bytearray(encode_interleaved(tables, classes[:few], symbols[:few]))
    damaged[LANES] ^= 0x55
    tell("decoder", "simulating")
    decoder = RtlEntropyDecoder(tables, sources.get("decoder"), stream_bytes=stream_bytes)
    decoded = decoder(
        [classes[:few], classes], [bytes(damaged), payload or reference], stall=stalls
    )
    tell("decoder", "done")
    if not decoded.errors or not decoded.errors[0]:
        problems.append("decoder: a damaged payload is not reported")
    result: dict = {"symbols": len(classes), "bytes": len(reference)}
    wanted = {
        "encoder": (encoded, np.frombuffer(payload or reference, dtype=np.uint8), "bytes"),
        "decoder": (decoded, symbols, "symbols"),
    }
    for core, (run, right, what) in wanted.items():
        first = int(core == "decoder")
        found = np.concatenate([np.zeros(0, dtype=np.uint8), *(
            np.frombuffer(v, dtype=np.uint8) if isinstance(v, bytes) else v
            for v in run.outputs[first:]
        )])  # fmt: skip
        common = min(len(found), len(right))
        mismatches = int(np.count_nonzero(found[:common] != right[:common]))
        mismatches += abs(len(found) - len(right))
        if mismatches or len(run.outputs) != 1 + first:
            problems.append(f"{core}: {mismatches} of {len(right)} {what} differ")
        if run.errors[first:] != ((),):
            problems.append(f"{core}: it reports {run.errors[first:]}")
        result[core] = {
            "mismatches": mismatches,
            "errors": [list(names) for names in run.errors[first:]],
            "clocks": run.trace.clocks,
            "clocks_per_symbol": run.clocks[-1] / len(classes) if run.clocks else None,
            "clocks_per_second": round(run.trace.clocks_per_second),
        }
    return result | {"ok": not problems, "problems": problems}
