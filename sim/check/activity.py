"""Switching activity of a build's cores, as SAIF files that power reports of vendor tools read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lutgen.sim.check.check_run import CheckRun

__all__ = ["FOLDER", "write_activity"]

#: Folder beside the Verilog; see `lutgen.handoff.synth_tcl`, whose script reads the files.
FOLDER = "saif"


def write_activity(
    run: CheckRun, *, progress: Callable[[str, str], None] | None = None
) -> dict[str, str]:
    """Simulate each core once more on the most pixels of one size, and write what toggles.

    The clock runs at the target's goal, so that rates are those of the design at speed.

    Parameters
    ----------
    run:
        The check whose images, files and stalls are used.
    progress:
        Called with a core and what it is doing.

    Returns
    -------
    dict
        File by core.

    Raises
    ------
    SimulationError
        If a core does not give what the reference gives.
    """
    folder = Path(run.record["folder"], FOLDER)
    folder.mkdir(exist_ok=True)
    written = {}
    for core, entry in run.record["cores"].items():
        if progress:
            progress(core, "switching activity")
        path = folder / f"{entry['module']}.saif"
        partial = path.with_name(f"partial-{path.name}")
        try:
            run.trace(core, waves=partial, clock_ps=clock_ps(run.record["target"]["clock_mhz"]))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        written[core] = str(path)
    return written


def clock_ps(mhz: float) -> int:
    """Period of a clock in picoseconds, an even number."""
    return 2 * round(500_000 / mhz)
