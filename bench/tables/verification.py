"""What was verified of the gateware, room by room, and what nobody has verified."""

import ast
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path

from .results import ROOT, load

__all__ = [
    "coverage", "formal", "fuzzed", "fuzzed_kinds", "met", "mutants", "proofs", "unreached",
    "verified_rooms",
]  # fmt: skip

_GATEWARE = ROOT / "lutgen" / "gateware"
_RESULTS = ROOT / "bench" / "results"
#: Rooms in which networks are, and how `lutgen.sim.proof` calls them.
_NETWORKS = {
    "network": ("network",), "levels": ("upsampling network",), "prediction": ("prediction",),
}  # fmt: skip


_BAD = ("detected", "hangs", "wrong")


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
    if len(found["commands"]) == 1:
        return "\n".join([*lines, "", f"`{next(iter(found['commands']))}` made all of them."])
    made = (
        f"- `{command}`: {', '.join(f'`{name}`' for name in names)}."
        for command, names in found["commands"].items()
    )
    return "\n".join([*lines, "", "Commands that made them, and of which blocks:", "", *made])


@_of("mutants")
def mutants(found: dict) -> str:
    """Faults that were put into a build, by the folder of the module that they are in."""
    left = found["faults"] - found["found"] - found["equivalent"]
    by = ", ".join(f"{count} by {name}" for name, count in found["found_by"].items() if count)
    return (
        f"`{found['command']}`: {found['faults']} faults in the Verilog of both profiles, "
        f"{found['found']} found ({by}), {found['equivalent']} without effect, "
        f"{left} survived; of {found['tables_and_luts']['faults']} faults in tables and LUTs "
        f"{found['tables_and_luts']['read_back']} were found by reading back alone. "
        f"{found.get('state', '')}".rstrip()
    )


@_of("fuzz-rtl")
def fuzzed(found: dict) -> str:
    """Streams through each core, of all seeds."""
    lines = [
        "| core | Verilog | streams | clocks | detected | hangs | wrong | CPU seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    cores: dict[tuple[str, str], Counter] = {}
    for build in found["builds"]:
        core = cores.setdefault((build["build"], build["verilog"][:8]), Counter())
        core.update({name: build[name] for name in ("streams", "clocks", "seconds")})
        for row in build["kinds"].values():
            core.update({name: row[name] for name in _BAD})
    for names, core in cores.items():
        figures = " | ".join(f"{core[name]:,}" for name in ("streams", "clocks", *_BAD))
        lines.append(f"| {' | '.join(names)} | {figures} | {core['seconds']:.0f} |")
    whole = sum(build["streams"] for build in found["builds"])
    return "\n".join([*lines, f"| all | | {whole:,} | | | | | |"])


@_of("fuzz-rtl")
def fuzzed_kinds(found: dict) -> str:
    """The same by kind of damage and of traffic."""
    kinds: dict[tuple[str, str], Counter] = {}
    for build in found["builds"]:
        core = build["build"].split()[-1]
        for kind, row in build["kinds"].items():
            kinds.setdefault((core, kind), Counter()).update(row)
    lines = [
        "| core | kind | streams | detected | some strips or tiles right | harmless | unnoticed |",
        "|---|---|---|---|---|---|---|",
    ]
    for (core, kind), row in sorted(kinds.items()):
        figures = (
            f"{row[name]:,}"
            for name in ("streams", "detected", "confined", "harmless", "unnoticed")
        )
        lines.append(f"| {core} | {kind} | {' | '.join(figures)} |")
    return "\n".join(lines)


@_of("coverage")
def coverage(found: dict) -> str:
    """Arms and toggles that streams hit, a row for each folder of each top."""
    lines = [
        "| top | folder | arms hit | explained | toggles hit | explained | open |",
        "|---|---|---|---|---|---|---|",
    ]
    for top in found["tops"]:
        whole: Counter = Counter()
        for room, figures in top["folders"].items():
            lines.append(f"| {top['top']} | `{room}` | {_hits(figures)} |")
            whole.update(figures)
        lines.append(f"| **{top['top']}** | all | {_hits(whole)} |")
    return "\n".join(lines)


@_of("coverage")
def unreached(found: dict) -> str:
    """Why what is not hit is not."""
    whys: Counter = Counter()
    for top in found["tops"]:
        whys.update({why: len(points) for why, points in top["missed"].items()})
    lines = ["| points | why they are not hit |", "|---|---|"]
    lines += [f"| {count:,} | {why} |" for why, count in whys.most_common() if why != "open"]
    return "\n".join([*lines, f"| {whys['open']:,} | not known |"])


@_of("coverage")
def met(found: dict) -> str:
    """What the streams had that were counted."""
    lines = ["| top | streams | clocks | widths | heights | stalls | errors reported |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for top in found["tops"]:
        had = top["functional"]
        errors = ", ".join(f"{name} {count:,}" for name, count in had["errors"].items())
        lines.append(
            f"| {top['top']} | {top['streams']:,} | {top['clocks']:,} | {_range(had['widths'])} | "
            f"{_range(had['heights'])} | {len(had['stalls'])} patterns | {errors} |"
        )
    return "\n".join(lines)


def _range(counts: dict) -> str:
    values = sorted(map(int, counts))
    return f"{len(values)} of {values[0]} to {values[-1]}"


def _hits(figures: Mapping[str, int]) -> str:
    """Of arms and toggles how many are hit, of how many, and explained; and what is open."""
    cells, left = [], 0
    for kind in ("arms", "toggles"):
        every, hit, explained = (figures.get(kind + end, 0) for end in ("", "_hit", "_explained"))
        share = f" ({100 * hit / every:.1f} %)" if every else ""
        cells += [f"{hit:,} of {every:,}{share}", f"{explained:,}"]
        left += every - hit - explained
    return " | ".join([*cells, f"{left:,}"])


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
    """Faults in modules of a folder."""
    ones = [one for one in found["each"] if one["folder"] == room]
    if not ones:
        return ""
    killed = sum(bool(one["found_by"] or one["equivalent"]) for one in ones)
    return f"{killed} of {len(ones)}"
