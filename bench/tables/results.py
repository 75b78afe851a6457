"""The result files."""

import json
from pathlib import Path

__all__ = ["ROOT", "load"]

ROOT = Path(__file__).parents[2]


def load(name: str) -> dict:
    """A result file by its name without ``.json``."""
    return json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text())
