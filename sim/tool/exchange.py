"""The bench's side of `lutgen.sim.tool.runner`: reads input arrays, writes the result."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

__all__ = ["read", "write"]


def read() -> tuple[dict[str, np.ndarray], dict]:
    """Return the arrays and the json object that the bench was started with."""
    folder = Path(os.environ["LUTGEN_SIM_FOLDER"])
    with np.load(folder / "input.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    return arrays, json.loads((folder / "input.json").read_text())


def write(arrays: dict[str, np.ndarray], result: dict) -> None:
    """Hand back the arrays and the json object; the last thing that a bench does."""
    folder = Path(os.environ["LUTGEN_SIM_FOLDER"])
    for name, save in (
        ("output.npz", lambda path: np.savez(path, **arrays)),
        ("output.json", lambda path: path.write_text(json.dumps(result))),
    ):
        partial = folder / f"partial-{name}"
        save(partial)
        partial.rename(folder / name)
