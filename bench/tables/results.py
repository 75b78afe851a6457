"""The result files."""

import json
from pathlib import Path

__all__ = ["COUNTED", "LEVELS", "ROOT", "deepest", "load"]

ROOT = Path(__file__).parents[2]


#: Where docs/results.md says how levels are counted, and the column of its tables.
COUNTED = "#levels-between-registers"
LEVELS = f"[levels]({COUNTED})"


def deepest(*found: dict) -> str:
    """LUT levels / logic levels of the deepest of all; without the latter in old records."""
    kinds = ("levels", "logic_levels")
    known = [max(f[k] or 0 for f in found) for k in kinds if all(k in f for f in found)]
    return " / ".join(map(str, known))


def load(name: str) -> dict:
    """A result file by its name without ``.json``."""
    return json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text())
