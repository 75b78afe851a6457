"""Running of a cocotb bench in a process of its own, with arrays in and arrays out.

A run counts only if the simulator ended by itself, cocotb reports exactly one test and no
failure, and the bench wrote its result; everything else raises.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Event, Timer
from xml.etree import ElementTree

import numpy as np

import lutgen
from lutgen.errors import InputError
from lutgen.files.whole import scratch_folder
from lutgen.sim.bench.entry import USERS
from lutgen.sim.tool import exchange
from lutgen.sim.tool.simulation import Simulation
from lutgen.sim.tool.verilator import SimulationError, last_lines

__all__ = ["run"]

_FOREIGN = ("COCOTB_TEST_FILTER", "COCOTB_USER_COVERAGE", "COVERAGE", "COCOTB_LIST_TESTS")


def run(
    simulation: Simulation,
    bench: str,
    arrays: Mapping[str, np.ndarray | list],
    settings: Mapping[str, object],
    *,
    timeout: float = 600.0,
    waves: Path | None = None,
) -> tuple[dict[str, list], dict]:
    """Run the cocotb test of the module ``bench`` and return its lists and its other results.

    The bench finds its input by `lutgen.sim.tool.exchange.read` and hands back its result by
    `lutgen.sim.tool.exchange.write`.

    Parameters
    ----------
    simulation : Simulation
    bench : str
        Full name of a module with one cocotb test.
    arrays, settings : mappings
        Input of the bench: arrays, which it gets as lists, and plain objects of Python.
    timeout : float
        Wall-clock limit in seconds.
    waves : Path, optional
        File to write; the simulation must be built for files with this suffix.

    Raises
    ------
    SimulationError
        If the bench fails, hangs, or ends without a result.
    """
    if waves is not None and Path(waves).suffix != f".{simulation.waves}":
        raise InputError(
            f"waves must be None or of the kind that the simulation was built for, "
            f"{simulation.waves or 'none'}, not {str(waves)!r}"
        )
    with scratch_folder("lutgen-run-") as folder:
        lists = {
            name: values if isinstance(values, list) else values.tolist()
            for name, values in arrays.items()
        }
        (folder / exchange.INPUT).write_bytes(pickle.dumps((lists, dict(settings))))
        runner = _bench_runner_class()(simulation, folder, timeout, waves)
        log = folder / "run.log"
        what = f"simulation of {simulation.top!r}"
        problem = None
        try:
            runner.test(
                bench,
                simulation.top,
                hdl_toplevel_lang="verilog",
                build_dir=simulation.executable.parent,
                test_dir=folder,
                results_xml=str(folder / "results.xml"),
                log_file=log,
            )
        except subprocess.TimeoutExpired:
            problem = f"took more than {timeout:g} s"
        except SystemExit:  # cocotb's runner has found a failure, which the report explains
            problem = _verdict(folder) or "failed"
        except (RuntimeError, OSError) as error:
            problem = f"failed: {error}"
        problem = problem or _verdict(folder)
        if problem:
            text = log.read_text(errors="replace") if log.exists() else ""
            raise SimulationError(f"{what} {problem}\n{last_lines(text)}")
        return pickle.loads((folder / exchange.OUTPUT).read_bytes())


def _verdict(folder: Path) -> str | None:
    """Return what is wrong with the result in ``folder``, None if nothing."""
    report = folder / "results.xml"
    if not report.exists():
        return "ended without a report"
    root = ElementTree.parse(report).getroot()
    cases = list(root.iter("testcase"))
    if len(cases) != 1:
        return f"ran {len(cases)} tests instead of 1"
    bad = [e for kind in ("failure", "error", "skipped") for e in cases[0].iter(kind)]
    if bad:
        detail = bad[0].get("error_msg") or bad[0].get("message") or (bad[0].text or "").strip()
        return f"failed: {bad[0].tag}: {detail}"
    # Written last by the bench, and by renaming: there means complete.
    return None if (folder / exchange.OUTPUT).exists() else "ended without a result"


@cache
def _libpython() -> str | None:
    """Python as a library, for which cocotb would ask the linker's cache before each run."""
    from find_libpython import find_libpython

    return find_libpython()


@cache
def _bench_runner_class():
    from cocotb_tools import runner as cocotb_runner

    class BenchRunner(cocotb_runner.Verilator):
        """Runs a bench with a time limit, apart from the settings of other cocotb users."""

        def __init__(self, simulation, folder, timeout, waves) -> None:
            super().__init__()
            self.log.setLevel(logging.CRITICAL)  # problems are raised
            self._simulation = simulation
            self._folder = folder
            self._timeout = timeout
            self._waves = waves

        def _set_env_test(self) -> None:
            # Here, for cocotb begins each test with an environment of its own.
            if (found := _libpython()) is not None:
                self.env["LIBPYTHON_LOC"] = found
            super()._set_env_test()
            for name in _FOREIGN:
                self.env.pop(name, None)
            package = Path(lutgen.__file__).parents[1]
            self.env["PYTHONPATH"] = f"{package}{os.pathsep}{self.env['PYTHONPATH']}"
            self.env["LUTGEN_SIM_FOLDER"] = str(self._folder)
            self.env["COCOTB_TRUST_INERTIAL_WRITES"] = "1"
            self.env["COCOTB_ANSI_OUTPUT"] = "0"
            self.env["PYGPI_USERS"] = ",".join(USERS)

        def _test_command(self) -> list[list[str]]:
            command = [str(self._simulation.executable)]
            if self._waves is not None:
                command += ["--trace", "--trace-file", str(Path(self._waves).absolute())]
            return [command]

        def _execute_cmds(self, cmds, cwd, stdout=None) -> None:
            (command,) = cmds
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

            late = Event()

            def stop() -> None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

            def give_up() -> None:
                if process.returncode is None:
                    late.set()
                    stop()

            # Not wait(timeout), which looks once in 50 ms: few runs take much longer.
            limit = Timer(self._timeout, give_up)
            limit.start()
            try:
                code = process.wait()
            except BaseException:  # also an interrupt from the keyboard, which it did not get
                stop()
                process.wait()
                raise
            finally:
                limit.cancel()
            if late.is_set():
                raise subprocess.TimeoutExpired(command, self._timeout)
            if code:
                raise RuntimeError(f"simulator ended with code {code}")

    return BenchRunner
