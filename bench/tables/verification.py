"""What was verified of the gateware, room by room, and what nobody has verified."""

import ast
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path

from .results import ROOT, load

__all__ = ["coverage", "formal", "fuzzed", "mutants", "proofs", "verified_rooms"]

_GATEWARE = ROOT / "lutgen" / "gateware"
_RESULTS = ROOT / "bench" / "results"
#: Rooms in which networks are, and how `lutgen.sim.proof` calls them.
_NETWORKS = {
    "network": ("network",), "levels": ("upsampling network",), "prediction": ("prediction",),
}  # fmt: skip


def _of(name: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """A function of a result is one without it, which says so where nobody has made the result."""

    def decorate(table: Callable[..., str]) -> Callable[..., str]:
        @wraps(table)
        def known(*arguments) -> str:
            if not (_RESULTS / f"{name}.json").is_file():
                return "not measured"
            return table(load(name), *arguments)

        return known

    return decorate


def verified_rooms() -> str:
    """A row for each folder of the gateware."""
    lines = [
        "| folder | for all inputs | properties of blocks | simulated by | faults killed |",
        "|---|---|---|---|---|",
    ]
    for room in sorted(path.name for path in _GATEWARE.iterdir() if _is_room(path)):
        proven = _networks(room) if room in _NETWORKS else ""
        lines.append(
            f"| `{room}` | {proven} | {_properties(room)} | {_tests(room)} | {_killed(room)} |"
        )
    return "\n".join(lines)


@_of("prove")
def proofs(found: dict) -> str:
    """A row for each network of the builds that were proven."""
    lines = [
        "| build | network | compared bits | registers in a row | result | CPU seconds | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for build in found["builds"]:
        for network in build["networks"]:
            if "same_as" in network:
                continue
            same = [n["core"] for n in build["networks"] if n.get("same_as") == network["core"]]
            cores = ", ".join([network["core"], *same])
            open_ = [part["name"] for part in network["parts"] if part["state"] != "proven"]
            clocks = max((network["latency"] or {"": 0}).values())
            bits = sum(part["outputs"] for part in network["parts"])
            result = f"not: {', '.join(open_)}" if open_ else "proven"
            lines.append(
                f"| {build['build']}, {build['target']} | {network['network']} ({cores}) | "
                f"{bits:,} | {clocks} | {result if network['parts'] else 'not read'} | "
                f"{network['cpu_seconds']:.0f} | {build['peak_mb']} MB |"
            )
    return "\n".join(lines)


@_of("formal")
def formal(found: dict) -> str:
    """Properties by block: how many were proven, to what depth, how long it took, and how many
    have had a counterexample in a design with a fault.
    """
    blocks: dict[str, list[dict]] = {}
    for one in found["properties"]:
        blocks.setdefault(one["block"], []).append(one)
    lines = [
        "| block | proven | bounded | open | seconds | refuted by a fault |",
        "|---|---|---|---|---|---|",
    ]
    for block, ones in sorted(blocks.items()):
        depths = sorted({one["depth"] for one in ones if one["result"] == "bounded"})
        bounded = _count(ones, "bounded")
        if depths:
            bounded += f" ({', '.join(map(str, depths))} clocks)"
        lines.append(
            f"| `{block}` | {_count(ones, 'proven')} | {bounded} | {_count(ones, 'open')} | "
            f"{sum(one['seconds'] for one in ones):.0f} | "
            f"{sum(bool(one.get('fails_with')) for one in ones)} of {len(ones)} |"
        )
    return "\n".join(lines)


@_of("mutants")
def mutants(found: dict) -> str:
    """Faults that were put into a build, by the folder of the module that they are in."""
    left = found["faults"] - found["found"] - found["equivalent"]
    by = ", ".join(f"{count} by {name}" for name, count in found["found_by"].items() if count)
    return (
        f"`{found['command']}`: {found['faults']} faults in the Verilog of both profiles, "
        f"{found['found']} found ({by}), {found['equivalent']} without effect, "
        f"{left} survived; of {found['tables_and_luts']['faults']} faults in tables and LUTs "
        f"{found['tables_and_luts']['read_back']} were found by reading back alone."
    )


@_of("fuzz-rtl")
def fuzzed(found: dict) -> str:
    """Damaged streams through the decoders, by kind."""
    lines = [
        "| build | damage | streams | detected | confined to their strip | hangs |",
        "|---|---|---|---|---|---|",
    ]
    for build in found["builds"]:
        for kind, row in build["kinds"].items():
            figures = " | ".join(
                f"{row[name]:,}" if name in row else "-"
                for name in ("streams", "detected", "confined", "hangs")
            )
            lines.append(f"| {build['build']} | {kind} | {figures} |")
    return "\n".join(lines)


@_of("coverage")
def coverage(found: dict) -> str:
    """Lines and toggles of the tops."""
    lines = ["| top | lines | toggles | exceptions |", "|---|---|---|---|"]
    for top in found["tops"]:
        lines.append(
            f"| {top['top']} | {top['line_percent']:.1f} % | {top['toggle_percent']:.1f} % | "
            f"{len(top['exceptions'])} |"
        )
    return "\n".join(lines)


def _count(ones: list[dict], result: str) -> str:
    return str(sum(one["result"] == result for one in ones))


def _is_room(path: Path) -> bool:
    return path.is_dir() and any(path.glob("[a-z]*.py"))


@_of("prove")
def _networks(found: dict, room: str) -> str:
    """Builds whose networks in a folder were proven."""
    names = _NETWORKS[room]
    builds = {
        build["build"]: [
            part["state"] == "proven"
            for network in build["networks"] if network["network"] in names
            for part in network["parts"]
        ]
        for build in found["builds"]
    }  # fmt: skip
    return ", ".join(
        name if all(parts) else f"{name} (not all)" for name, parts in builds.items() if parts
    )


@_of("formal")
def _properties(found: dict, room: str) -> str:
    """Properties of blocks that a folder has."""
    ones = [one for one in found["properties"] if one["folder"] == room]
    counts = [(result, _count(ones, result)) for result in ("proven", "bounded", "open")]
    return ", ".join(f"{count} {result}" for result, count in counts if count != "0")


def _tests(room: str) -> str:
    """Files of tests that take blocks of a folder, by their imports."""
    wanted = f"lutgen.gateware.{room}."
    found = [name for name, modules in _imports().items()
             if any(f"{module}.".startswith(wanted) for module in modules)]  # fmt: skip
    return ", ".join(found) or "the tops"


@cache
def _imports() -> dict[str, list[str]]:
    """Modules that tests of the gateware import, by the names of the tests."""
    found = {}
    for path in sorted((ROOT / "tests" / "gateware").glob("test_*.py")):
        nodes = [*ast.walk(ast.parse(path.read_text()))]
        found[path.stem.removeprefix("test_")] = [
            *(node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)),
            *(a.name for node in nodes if isinstance(node, ast.Import) for a in node.names),
        ]
    return found


@_of("mutants")
def _killed(found: dict, room: str) -> str:
    """Faults in modules that are blocks of a folder, as far as their names tell."""
    blocks = {path.stem for path in (_GATEWARE / room).glob("*.py")}
    ones = [
        one for one in found["each"]
        if one.get("module", "").rpartition("__")[2].rstrip("0123456789_") in blocks
    ]  # fmt: skip
    if not ones:
        return ""
    killed = sum(bool(one["found_by"] or one["equivalent"]) for one in ones)
    return f"{killed} of {len(ones)}"
