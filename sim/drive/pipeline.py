"""Simulation of blocks without handshake as functions of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lutgen.errors import InputError
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.harness import Harness
from lutgen.sim.tool.runner import run
from lutgen.sim.tool.simulation import build_simulation, waves_of
from lutgen.sim.tool.vectors import as_integers, numbers, pack, table, unpack
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["rtl_pipeline"]


def rtl_pipeline(
    source,
    inputs: Mapping[str, np.ndarray],
    outputs: Sequence[str],
    *,
    top: str | None = None,
    config: Mapping[str, int] | None = None,
    timeout: float = 600.0,
    waves: Path | None = None,
) -> dict[str, np.ndarray]:
    """Return what the outputs of a design show for one input vector per clock.

    Vector t is on the inputs from right after clock edge t until right after edge t + 1, and
    record t is what is on the outputs immediately before edge t + 1. A combinational block gives
    ``out[t] == f(in[t])``, a block with L registers on every path ``out[t] == f(in[t - L])``;
    the first L records are what the reset left. To see the last input's result, append L vectors.

    Parameters
    ----------
    source : Design, Component, str, Path, or a sequence of str and Path
        See `Design.of`. Reset is held for two clocks before vector 0.
    inputs : mapping of port or field name to integers (T,)
        All of the same length T >= 1. Negative numbers are two's complement.
    outputs : sequence of port or field names
    top : str, optional
        Name of the top module.
    config : mapping of port name to int
        Inputs that stay the same, set before the reset.
    timeout : float
        Wall-clock limit in seconds.
    waves : Path, optional
        File to write: waveforms (``.vcd``) or switching activity (``.saif``).

    Returns
    -------
    dict
        Integers (T,) of each output: int64 up to 63 bits, otherwise object (Python integers).

    Raises
    ------
    InputError
        If a name is unknown, an input is not driven, or a value does not fit its port.
    SimulationError
        If the simulation cannot be built or does not run to its end.
    """
    design = Design.of(source, top)
    config = dict(config or {})
    lengths = {name: len(values) for name, values in inputs.items()}
    if len(set(lengths.values())) != 1 or not all(lengths.values()):
        raise InputError(f"inputs must be arrays of one length of at least 1, not {lengths}")
    if not outputs:
        raise InputError("outputs must name at least one port")
    length = next(iter(lengths.values()))
    found_in = {name: design.find(name) for name in inputs}
    found_out = {name: design.find(name) for name in outputs}
    harness = Harness.wrap(
        design,
        list(dict.fromkeys(port.name for port in found_in.values())),
        list(config),
        list(dict.fromkeys(port.name for port in found_out.values())),
    )
    fields = []
    for name, port in found_in.items():
        first = harness.drive[port.name] + port.offset
        fields.append((first, port.width, as_integers(name, inputs[name], port)))
    fixed = fixed_word(design, harness, config)
    simulation = build_simulation(harness.design, waves=waves_of(waves))
    arrays, _ = run(
        simulation,
        "lutgen.sim.bench.bench_pipeline",
        {"vectors": numbers(pack(fields, harness.drive_width, length))},
        {"harness": harness.settings, "fixed": fixed},
        timeout=timeout,
        waves=waves,
    )
    sample = table(arrays["sample"], harness.sample_width)
    if len(sample) != length:
        raise SimulationError(f"bench recorded {len(sample)} clocks instead of {length}")
    return {
        name: unpack(sample, harness.sample[port.name] + port.offset, port.width, port.signed)
        for name, port in found_out.items()
    }


def fixed_word(design: Design, harness: Harness, config: Mapping[str, int]) -> int:
    """Return the vector `fixed` of a harness."""
    word = 0
    for name, value in config.items():
        port = design.ports[name]
        (checked,) = as_integers(f"config {name!r}", [value], port)
        word |= (int(checked) & ((1 << port.width) - 1)) << harness.fixed[name]
    return word
