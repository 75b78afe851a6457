"""Simulation of designs with streams as functions of arrays, with stalls and rule checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lutgen.errors import InputError
from lutgen.sim.drive.bus import CHANNELS, BusScript
from lutgen.sim.drive.pipeline import fixed_word
from lutgen.sim.drive.script import Script
from lutgen.sim.drive.stall import Stall
from lutgen.sim.tool.design import Design, Port
from lutgen.sim.tool.harness import PERIOD, UPSET, Harness
from lutgen.sim.tool.runner import run
from lutgen.sim.tool.simulation import build_simulation, waves_of
from lutgen.sim.tool.vectors import as_integers, numbers, pack, table, unpack
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["AMARANTH", "AXIS", "ProtocolError", "StreamResult", "rtl_stream"]

AMARANTH = "{stream}__{signal}"
"""Port names of stream signatures in components: ``i__valid``, ``i__ready``, ``i__payload``."""
AXIS = "{stream}_t{signal}"
"""Port names of AXI4-Stream: ``s_axis_tvalid``, ``s_axis_tready``, ``s_axis_tdata``."""

_STALL_CLOCKS = 1 << 20  # stalls repeat after so many clocks


class ProtocolError(SimulationError):
    """An output of the design changed while its beat was waiting for ready."""


@dataclass(frozen=True, eq=False)
class StreamResult:
    """What went through the ports of a design. Clock 0 is the first one after the reset.

    Members
    -------
    outputs : integers (beats,) by output and field; int64 up to 63 bits, otherwise object
    input_clocks, output_clocks : int64 (beats,) clock of every beat by stream
    clocks : number of clocks simulated
    status : last value of each watched output port
    changes : (clock, value) of each watched output port, at clock 0 and wherever it changes
    timed_out : whether the run was cut off by ``max_clocks``
    before_reset : the same of the time before ``reset_at``, None without it
    clocks_per_second : speed of the simulation without build and start
    words : what each step of a script read, None for others
    steps : clock after which each step of a script was done, as far as it came
    """

    outputs: Mapping[str, Mapping[str, np.ndarray]]
    input_clocks: Mapping[str, np.ndarray]
    output_clocks: Mapping[str, np.ndarray]
    clocks: int
    status: Mapping[str, int]
    changes: Mapping[str, list[tuple[int, int]]]
    timed_out: bool
    before_reset: StreamResult | None
    clocks_per_second: float
    words: tuple[int | None, ...] = ()
    steps: tuple[int, ...] = ()

    def word(self, step: int) -> int:
        """What a step of a script read; SimulationError if it was none that reads."""
        if (found := self.words[step]) is None:
            raise SimulationError(f"step {step} must be one that reads")
        return found


@dataclass(frozen=True)
class _Stream:
    name: str
    valid: Port
    ready: Port
    fields: Mapping[str, Port]


def rtl_stream(
    source,
    inputs: Mapping[str, Mapping[str, np.ndarray]],
    outputs: Mapping[str, Sequence[str]],
    *,
    top: str | None = None,
    names: str = AMARANTH,
    stalls: Mapping[str, Stall | Sequence[Stall]] | None = None,
    config: Mapping[str, int] | None = None,
    controls: Mapping[str, int] | None = None,
    watch: Sequence[str] = (),
    expect: Mapping[str, int] | None = None,
    drain: int = 64,
    idle: str | None = None,
    idle_clocks: int = 16,
    clocks: int | None = None,
    bus: Script | None = None,
    max_clocks: int = 1_000_000,
    patience: int | None = None,
    allow_timeout: bool = False,
    reset_at: int | None = None,
    reset_clocks: int = 2,
    timeout: float = 600.0,
    waves: Path | None = None,
    clock_ps: int = PERIOD,
) -> StreamResult:
    """Send beats into the input streams of a design and return those of its output streams.

    Inputs follow AXI4-Stream: an offered beat stays until it is taken, and never waits for ready.
    Every output is checked against the same rule: while valid without ready, neither valid nor
    the payload may change. Valid and ready may depend on each other within a clock; both are taken
    as flip-flops see them at the clock edge.

    Exactly one of ``expect``, ``idle``, ``clocks`` and ``bus`` says when the run is over.  ``bus``
    may be any script; one without a bus sets inputs, waits and resets only.

    Parameters
    ----------
    source : Design, Component, str, Path, or a sequence of str and Path
        See `Design.of`. Reset is held for two clocks before clock 0.
    inputs : mapping of stream to mapping of field to integers (beats,)
        The port of a field is called by ``names``, or it is a member of a structured payload.
    outputs : mapping of stream to fields
    top : str, optional
        Name of the top module.
    names : str
        Port names, as a format of ``stream`` and ``signal`` ("valid", "ready" or a field):
        `AMARANTH`, `AXIS`, or for instance ``"{stream}_{signal}"``.
    stalls : mapping of stream to Stall
        Streams that are left out are never stalled.  With a script it may be a tuple, of which
        the script says which one holds.
    config : mapping of port name to int
        Inputs that stay the same, set before the reset.
    controls : mapping of port name to int
        Inputs that the script sets, and what they are before; 0 while the first reset lasts.
    watch : sequence of port or field names
        Outputs whose changes are recorded.
    expect, drain : mapping of output to int, int
        End ``drain`` clocks after all input was taken and each output had at least this many
        beats; beats of the draining time are in the result, too.
    idle, idle_clocks : str, int
        End when all input was taken and this output was high for ``idle_clocks`` clocks on end.
    clocks : int
        End after exactly this many clocks.
    bus : Script
        Carry out its steps, and end when they are done; not with ``reset_at``.  A `BusScript`
        drives an AXI4-Lite slave as well.
    max_clocks : int
        Limit; a run that reaches it raises, unless ``allow_timeout``.
    reset_at, reset_clocks : int
        Reset the design at this clock, for ``reset_clocks`` clocks. All inputs then start again
        with their first beat, and the result holds the time after the reset, with clocks counted
        on from before. The rule above is checked before and after.
    patience : int, optional
        With a script, the clocks without any beat after which the run counts as timed out; while
        the script waits, they are not counted.
    timeout : float
        Wall-clock limit in seconds.
    waves : Path, optional
        File to write: waveforms (``.vcd``) or switching activity (``.saif``).
    clock_ps : int
        Period of the clock in ``waves``, in picoseconds; an even number.

    Raises
    ------
    InputError
        If a name is unknown, an input is not driven, or a value does not fit its port.
    ProtocolError
        If an output breaks the rule.
    SimulationError
        If the simulation cannot be built, does not run to its end, or reaches ``max_clocks``.
    """
    design = Design.of(source, top)
    config, controls, stalls = dict(config or {}), dict(controls or {}), dict(stalls or {})
    if sum(choice is not None for choice in (expect, idle, clocks, bus)) != 1:
        raise InputError("exactly one of expect, idle, clocks and bus must be given")
    for what, known in (("stalls", {*inputs, *outputs}), ("expect", set(outputs))):
        unknown = set(stalls if what == "stalls" else expect or ()) - known
        if unknown:
            raise InputError(f"{what} must name streams of the design, not {sorted(unknown)}")
    if reset_at is not None and (
        reset_at < 0 or reset_clocks < 1 or clocks is not None or bus is not None
    ):
        raise InputError(
            "reset_at must be at least 0, for at least one clock and without clocks or bus, "
            f"not {reset_at!r} for {reset_clocks!r}"
        )
    if clock_ps < 2 or clock_ps % 2:
        raise InputError(f"clock_ps must be an even number of picoseconds, not {clock_ps!r}")
    limit = max_clocks if clocks is None else clocks
    if limit < 1:
        raise InputError(f"number of clocks must be at least 1, not {limit}")

    sinks = [_stream(design, names, s, fields) for s, fields in outputs.items()]
    sources = [_stream(design, names, s, fields) for s, fields in inputs.items()]
    n_sources = len(sources)
    if isinstance(bus, BusScript):
        to_slave, from_slave = list(CHANNELS)[:3], list(CHANNELS)[3:]
        for channels, streams in ((from_slave, sinks), (to_slave, sources)):
            streams += [
                _stream(design, "{stream}{signal}", bus.channel(c), CHANNELS[c]) for c in channels
            ]
    awaited = [step[1] for step in bus.steps if step[0] == "high"] if bus is not None else []
    names_of_outputs = dict.fromkeys([*watch, *([idle] if idle else []), *awaited])
    watched = {name: design.find(name) for name in names_of_outputs}
    harness = Harness.wrap(
        design,
        [s.ready.name for s in sinks]
        + [s.valid.name for s in sources]
        + _ports_of(p for s in sources for p in s.fields.values())
        + list(controls),
        list(config),
        [s.valid.name for s in sinks]
        + [s.ready.name for s in sources]
        + _ports_of([*(p for s in sinks for p in s.fields.values()), *watched.values()]),
        reset_after=len(sinks) + len(sources),
    )
    profiles = {
        name: tuple(stall) if isinstance(stall, Sequence) else (stall,)
        for name, stall in stalls.items()
    }
    count = max(map(len, profiles.values()), default=1)

    # Stalls repeat after so many clocks; those that never change after one.
    period = 1 if all(s.steady for p in profiles.values() for s in p) else min(limit, _STALL_CLOCKS)

    def masks(stream: str) -> np.ndarray:
        """Stalled clocks by profile: bool (profiles, clocks)."""
        given = profiles.get(stream, (Stall(),))
        return np.stack([given[min(k, len(given) - 1)].mask(period) for k in range(count)])

    ready = np.zeros((count, period), np.uint8 if len(sinks) <= 8 else np.int64)
    for j, sink in enumerate(sinks):
        ready |= (~masks(sink.name)).astype(ready.dtype) << j
    arrays: dict[str, np.ndarray | list] = {"ready": _rows(ready)}
    for i, stream in enumerate(sources[:n_sources]):
        arrays[f"beats{i}"] = _beats(stream, inputs[stream.name], harness)
        arrays[f"stall{i}"] = _rows(masks(stream.name).astype(np.uint8))
    fixed = fixed_word(design, harness, config)
    simulation = build_simulation(harness.design, waves=waves_of(waves))
    found, info = run(
        simulation,
        "lutgen.sim.bench.bench_stream",
        arrays,
        {
            "harness": harness.settings | {"period": clock_ps},
            "fixed": fixed,
            "outputs": len(sinks),
            "inputs": n_sources,
            "script": bus and _script_settings(
                bus, design, harness, len(sinks), list(inputs), watched, controls
            ),
            "max_clocks": limit,
            "patience": patience,
            "expect": None if expect is None else [expect.get(s.name, 0) for s in sinks],
            "drain": drain,
            "idle": harness.sample[watched[idle].name] + watched[idle].offset if idle else None,
            "idle_clocks": idle_clocks,
            "reset_at": -1 if reset_at is None else reset_at,
            "reset_clocks": reset_clocks,
        },
        timeout=timeout,
        waves=waves,
    )
    trace = _Trace(
        table(found["sample"], harness.sample_width), np.array(found["drive"], np.int64), harness,
        sinks, sources, watched, UPSET in design.ports,
    )  # fmt: skip
    total, start = len(trace.sample), info["start"]
    speed = total / info["seconds"]
    if total != len(trace.drive) or total < 1 or (clocks is not None and total != clocks):
        raise SimulationError(f"bench recorded {total} clocks, which cannot be")
    timed_out = info["timed_out"] and clocks is None
    cut = [trace.part(0, reset_at, False, speed)] if start else []
    result = trace.part(start, total, timed_out, speed, *cut)
    if bus is not None:
        result = replace(
            result, words=_words(bus, info["words"]), steps=tuple(info["steps"])
        )
    if timed_out and not allow_timeout:
        raise SimulationError(
            f"simulation of {design.top!r} was not over after {total} clocks:\n"
            + trace.progress(result, {s: len(arrays[f"beats{i}"]) for i, s in enumerate(inputs)})
            + (f"\n  waits at step {bus.steps[len(result.steps)]}" if bus else "")
        )
    return result


def _stream(design: Design, names: str, stream: str, fields) -> _Stream:
    def port(signal: str) -> Port:
        exact = names.format(stream=stream, signal=signal)
        inside = names.format(stream=stream, signal="payload") + "__" + signal
        return design.find(exact, inside)

    return _Stream(stream, port("valid"), port("ready"), {f: port(f) for f in fields})


def _rows(table: np.ndarray) -> list:
    """Rows for the bench, which indexes them: those of bytes as such, for they are long."""
    return [row.tobytes() if table.dtype == np.uint8 else row.tolist() for row in table]


def _script_settings(
    script: Script, design: Design, harness: Harness, n_out: int, inputs: list[str],
    watched: Mapping[str, Port], controls: Mapping[str, int],
) -> dict:  # fmt: skip
    """What the bench needs to know to play a script."""

    def mask(name: str) -> int:
        return 1 << harness.sample[watched[name].name] + watched[name].offset

    def drive(values: Mapping[str, int]) -> tuple[int, int]:
        bits = word = 0
        for name, value in values.items():
            if name not in controls:
                raise InputError(f"a script must set {sorted(controls)}, not {name!r}")
            width, first = design.ports[name].width, harness.drive[name]
            if not 0 <= value < 1 << width:
                raise InputError(f"{name} must fit {width} bits, not {value!r}")
            bits |= (1 << width) - 1 << first
            word |= value << first
        return bits, word

    settings = {"steps": script.resolved(inputs, mask, drive), "controls": drive(controls)[1]}
    if isinstance(script, BusScript):
        n_in = len(inputs)
        bits = {"b": n_out - 2, "r": n_out - 1}
        bits |= {channel: n_out + n_in + k for k, channel in enumerate(("aw", "w", "ar"))}
        places = script.places(design, harness.drive, harness.sample)
        settings |= {"places": places, "bits": bits}
    return settings


def _words(bus: Script, results) -> tuple[int | None, ...]:
    """What the steps read; SimulationError if the slave refused one."""
    for step, (_, response) in zip(bus.steps, results, strict=False):
        if response and isinstance(bus, BusScript):
            raise SimulationError(
                f"{step[0]} of {bus.prefix} at {step[1]:#x} was answered with response {response}"
            )
    return tuple(value for value, _ in results)


def _ports_of(ports) -> list[str]:
    return list(dict.fromkeys(port.name for port in ports))


def _beats(stream: _Stream, values: Mapping[str, np.ndarray], harness: Harness) -> list[int]:
    """Return the vector `drive` of each beat, with valid set."""
    lengths = {name: len(array) for name, array in values.items()}
    if len(set(lengths.values())) != 1:
        raise InputError(f"fields of {stream.name!r} must be of one length, not {lengths}")
    length = next(iter(lengths.values()))
    valid = (harness.drive[stream.valid.name], 1, np.ones(length, np.int64))
    fields = [
        (
            harness.drive[port.name] + port.offset,
            port.width,
            as_integers(f"{stream.name} {name}", values[name], port),
        )
        for name, port in stream.fields.items()
    ]
    return numbers(pack([valid, *fields], harness.drive_width, length))


class _Trace:
    """Every clock's vectors, and what they mean."""

    def __init__(self, sample, drive, harness, sinks, sources, watched, upset: bool) -> None:
        self.sample, self.drive, self._upset = sample, drive, upset
        self._harness = harness
        self._sinks, self._sources, self._watched = sinks, sources, watched

    def _bits(self, port: Port) -> np.ndarray:
        """Return the bool (clocks,) of a one-bit port, driven or sampled."""
        if port.is_input:
            return (self.drive >> self._harness.drive[port.name] & 1).astype(bool)
        return self._values(port, self.sample).astype(bool)

    def _values(self, port: Port, rows: np.ndarray) -> np.ndarray:
        first = self._harness.sample[port.name] + port.offset
        return unpack(rows, first, port.width, port.signed)

    def part(self, start, stop, timed_out, speed, before=None) -> StreamResult:
        """Return the result of clocks [start, stop)."""
        beats = {}
        for stream in [*self._sources, *self._sinks]:
            both = self._bits(stream.valid)[start:stop] & self._bits(stream.ready)[start:stop]
            beats[stream.name] = np.flatnonzero(both).astype(np.int64) + start
        outputs = {}
        for sink in self._sinks:
            self._check(sink, start, stop)
            rows = self.sample[beats[sink.name]]
            outputs[sink.name] = {f: self._values(p, rows) for f, p in sink.fields.items()}
        changes = {}
        for name, port in self._watched.items():
            values = self._values(port, self.sample[start:stop])
            at = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist()]
            changes[name] = [(start + k, int(values[k])) for k in at if k < len(values)]
        return StreamResult(
            outputs=outputs,
            input_clocks={s.name: beats[s.name] for s in self._sources},
            output_clocks={s.name: beats[s.name] for s in self._sinks},
            clocks=stop,
            status={name: history[-1][1] for name, history in changes.items() if history},
            changes=changes,
            timed_out=timed_out,
            before_reset=before,
            clocks_per_second=speed,
        )

    def _check(self, sink: _Stream, start: int, stop: int) -> None:
        valid, ready = self._bits(sink.valid)[start:stop], self._bits(sink.ready)[start:stop]
        reset = (self.drive >> self._harness.reset & 1).astype(bool)[start:stop]
        waits = (valid & ~ready & ~reset)[:-1]
        if self._upset:
            waits &= ~reset[1:]  # what is given up in the clock before a reset is noise
        rows = self.sample[start:stop]
        for name, values in [
            ("valid", valid),
            *((f, self._values(p, rows)) for f, p in sink.fields.items()),
        ]:
            broken = np.flatnonzero(waits & (values[1:] != values[:-1]))
            if broken.size:
                k = int(broken[0])
                raise ProtocolError(
                    f"{name} of output {sink.name!r} changed from {int(values[k])} to "
                    f"{int(values[k + 1])} after clock {start + k}, while it waited for ready "
                    f"({broken.size} times in all)"
                )

    def progress(self, result: StreamResult, lengths: Mapping[str, int]) -> str:
        lines = []
        for stream in [*self._sources, *self._sinks]:
            clocks = {**result.input_clocks, **result.output_clocks}[stream.name]
            of = f" of {lengths[stream.name]}" if stream.name in lengths else ""
            when = f", last at clock {clocks[-1]}" if len(clocks) else ""
            now = f"valid {self._bits(stream.valid)[-1]:d} ready {self._bits(stream.ready)[-1]:d}"
            lines.append(f"  {stream.name}: {len(clocks)}{of} beats{when}; now {now}")
        lines += [f"  {name} = {value}" for name, value in result.status.items()]
        return "\n".join(lines)
