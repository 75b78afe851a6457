"""Block memories: counted as the device's where the build was mapped to it, as bits elsewhere."""

from collections.abc import Mapping

__all__ = ["amount", "unit"]


def unit(record: Mapping) -> str:
    """What the memories of a build are counted in."""
    return "Kibit" if record["target"]["yosys_family"] is None else "BRAM36"


def amount(record: Mapping, resources: Mapping) -> float:
    """Memory of a core or block in that unit."""
    if unit(record) == "BRAM36":
        return resources["bram36"]
    return round(resources["memory_bits"] / 1024, 1)
