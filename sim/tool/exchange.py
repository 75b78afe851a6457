"""The bench's side of `lutgen.sim.tool.runner`: reads what it is given, writes the result.

Both are plain objects of Python: to import numpy would take as long as many a simulation.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

__all__ = ["INPUT", "OUTPUT", "PARTIAL", "read", "write"]

#: Files in the folder of a run.
INPUT, OUTPUT, PARTIAL = "input.pickle", "output.pickle", "output.partial"


def read() -> tuple[dict, dict]:
    """Return the arrays, as lists, and the settings that the bench was started with."""
    return pickle.loads(Path(os.environ["LUTGEN_SIM_FOLDER"], INPUT).read_bytes())


def write(arrays: dict, result: dict) -> None:
    """Hand back lists and other plain objects; the last thing that a bench does."""
    folder = Path(os.environ["LUTGEN_SIM_FOLDER"])
    (folder / PARTIAL).write_bytes(pickle.dumps((arrays, result)))
    (folder / PARTIAL).rename(folder / OUTPUT)
