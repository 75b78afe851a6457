"""What fuzzing runs through in the Verilog of the tops: arms of conditions, toggles of registers.

    python -m bench.coverage --streams 240

Small builds with Verilator's counters (`lutgen.sim.fuzz.counters` says what is counted) take the
streams of `bench.fuzz_rtl` and, fewer, of larger, tall and wide pictures.  What is never hit
is listed, with a reason if there is one: `bench.constants` proves that a bit is constant, or
``coverage.json`` beside this program says it of places, which must be there and not be hit, or of
what is alike in all tops, by regular expressions.
"""

import json
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import click

from bench.constants import constant_bits
from bench.mutants import BUILDS, CORES
from bench.rooms import rooms
from lutgen.build.codec import build, load_build
from lutgen.commands import Command, OutputFile, say
from lutgen.errors import InputError
from lutgen.files.whole import write_file
from lutgen.model.shipped import shipped
from lutgen.sim.check.check import checked_build
from lutgen.sim.fuzz.campaign import campaign
from lutgen.sim.fuzz.counters import Point, counted, read_counters
from lutgen.sim.fuzz.native import build_native, forgetful

#: What cannot be hit, with reasons.
EXPLAINED = Path(__file__).with_name("coverage.json")
#: Why bits do not change that `bench.constants` finds.
CONSTANT = "The bit is constant, as ABC proves for the whole core."
#: What `bench.constants` leaves out: with the network and all small memories of photo ABC does not
#: come to an end in minutes.
_LEFT_OUT: dict[str, dict] = {"digits": {}, "photo": {"cut": "__prediction", "words": 32}}
#: Why neither arm of a choice is counted that each clock makes.
NO_CHOICE = "Verilator knows which arm it is, and counts none."
#: Greatest pictures, as far as the core takes them, and the share of streams of such.
_SIZES = ((None, 1.0), ((64, 64), 0.25), ((6, 1 << 16), 0.1), ((1 << 16, 6), 0.1))
#: The same of the longest files.
_LONG = (64, 64), 0.1
_PLACE = re.compile(r"(?P<name>\w+)\[(?P<high>\d+)(?::(?P<low>\d+))?\](?P<way> \d->\d)?")
_CHOICES = ("cond_then", "cond_else")
#: The last condition of an arm, where it is a bit.
_CHOICE = re.compile(
    r"(?:^|[( ])(?P<name>[A-Za-z_]\w*)(?:\[(?P<bit>\d+)\])?"
    r"(?: \? .* \| cond_\w+|\) \| (?:if|elsif|else))$"
)


def place(point: Point) -> str:
    """A point of a module, as a reason names it."""
    if point.bit < 0:
        return f"{point.name} | {point.way}"
    return f"{point.name}[{point.bit}] {point.way}"


def places(text: str) -> list[str]:
    """What a reason names: an arm, or toggles of a register, ``name[high:low]`` or ``... 0->1``."""
    if not (match := _PLACE.fullmatch(text)):
        return [text]
    high, ways = int(match["high"]), [match["way"]] if match["way"] else [" 0->1", " 1->0"]
    bits = range(int(match["low"] or high), high + 1)
    return [f"{match['name']}[{bit}]{way}" for bit in bits for way in ways]


def reasons(top: str, counts: Mapping[tuple[str, str], int], known: Iterable[dict]) -> dict:
    """Why what is not hit is not, by module and place.

    Raises
    ------
    InputError
        If a reason is of what is hit, or is not there.
    """
    found = {}
    for group in known:
        for at in (at for at in group.get("of", ()) if at["top"] == top):
            for text in at["places"]:
                for one in places(text):
                    key = at["module"], one
                    if counts.get(key, 1):
                        what = "hit" if key in counts else "no place of the Verilog"
                        raise InputError(
                            f"{EXPLAINED.name} must explain what {top} does not hit: "
                            f"{at['module']} {one} is {what}"
                        )
                    found[key] = group["why"]
    return found


def alike(module: str, at: str, known: Iterable[dict]) -> str | None:
    """Why a place that is not hit is not, as all that is like it; None if nothing is said of it."""
    for group in known:
        for some in group.get("like", ()):
            if re.fullmatch(some["module"], module) and re.fullmatch(some["place"], at):
                return group["why"]
    return None


def summary(
    top: str, counts: Mapping[tuple[str, str], int], folders: Mapping[str, str],
    constant: Mapping[str, set[tuple[str, int]]],
) -> dict:  # fmt: skip
    """Figures of a top by folder, and what is not hit.

    Parameters
    ----------
    top, counts :
        Of it, how often each place was hit, by module.
    folders :
        Of the gateware, by module.
    constant :
        Names and bits that are constant, by module.
    """
    by_room: dict = defaultdict(Counter)
    for (module, at), count in sorted(counts.items()):
        kind = _kind(at)
        by_room[folders[module]][kind] += 1
        by_room[folders[module]][f"{kind}_hit"] += bool(count)
    missed = _explain(top, counts, constant)
    for why, module, at in _points(missed):
        by_room[folders[module]][f"{_kind(at)}_explained"] += why != "open"
    return {
        "top": top, "folders": {room: dict(by_room[room]) for room in sorted(by_room)},
        "missed": missed,
    }  # fmt: skip


def summary_anew(
    record: dict, folders: Mapping[str, str], constant: Mapping[str, set[tuple[str, int]]],
) -> dict:  # fmt: skip
    """What `summary` says of a top after other reasons are known, from what it said before."""
    missed = {(module, at): 0 for _, module, at in _points(record["missed"])}
    figures = {
        room: Counter({k: n for k, n in some.items() if not k.endswith("_explained")})
        for room, some in record["folders"].items()
    }
    found = _explain(record["top"], missed, constant)
    for why, module, at in _points(found):
        figures[folders[module]][f"{_kind(at)}_explained"] += why != "open"
    return record | {
        "folders": {room: dict(some) for room, some in figures.items()}, "missed": found,
    }  # fmt: skip


def _points(missed: Mapping[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    """Reason, module and place of each point that is not hit."""
    for why, points in missed.items():
        for point in points:
            module, _, at = point.partition(" ")
            yield why, module, at


def _kind(at: str) -> str:
    return "arms" if " | " in at else "toggles"


def _explain(
    top: str, counts: Mapping[tuple[str, str], int],
    constant: Mapping[str, set[tuple[str, int]]],
) -> dict[str, list[str]]:  # fmt: skip
    """What is not hit, by the reason."""
    known = json.loads(EXPLAINED.read_text())
    why, missed = reasons(top, counts, known), defaultdict(list)
    for module, at in sorted(place for place, count in counts.items() if not count):
        explained = why.get((module, at)) or (
            CONSTANT if _bit(at) in constant.get(module, ())
            else NO_CHOICE if _settled(module, at, counts) else alike(module, at, known)
        )  # fmt: skip
        missed[explained or "open"].append(f"{module} {at}")
    return missed


def _settled(module: str, at: str, counts: Mapping[tuple[str, str], int]) -> bool:
    """Whether it is an arm of a choice without conditions around it, whose other one is not hit
    either.
    """
    choice, _, arm = at.rpartition(" | ")
    return arm in _CHOICES and not choice.startswith(("if (", "case")) and not any(
        counts.get((module, f"{choice} | {other}"), 1) for other in _CHOICES
    )


def _bit(at: str) -> tuple[str, int] | None:
    """Name and bit of a toggle, or of what an arm alone depends on."""
    if match := _CHOICE.search(at):
        return match["name"], int(match["bit"] or 0)
    match = _PLACE.fullmatch(at)
    return (match["name"], int(match["high"])) if match else None


def measure(top: str, core: str, checked, streams: int, seed: int) -> tuple[Counter, dict, dict]:
    """Counts of one core, what its streams had, and what that took."""
    began = time.perf_counter()
    design = counted(forgetful(checked.design(core)))
    native = build_native(design, core, counted=True)
    compiled = time.perf_counter() - began
    found, met, clocks, total = Counter(), defaultdict(Counter), 0, 0
    with tempfile.TemporaryDirectory(prefix="lutgen-coverage-") as work:
        path = Path(work, "counters")
        for number, (largest, share) in enumerate((*_SIZES, _LONG)):
            count = round(share * streams)
            total += count
            fuzz = campaign(
                checked, core, seed + number, largest=largest, long=number == len(_SIZES)
            )
            fuzz.run(native, count, counters=path)
            if fuzz.report.problems:
                raise RuntimeError(f"{top} must pass, but: {fuzz.report.problems[0]}")
            for point, hits in read_counters(path, design).items():
                if point.module.startswith(design.top):  # no primitive
                    found[point.module.removeprefix(design.top), place(point)] += hits
            clocks += fuzz.report.clocks
            for name, counts in fuzz.met.items():
                met[name].update(counts)
            met["errors"].update(fuzz.report.errors)
            met["kinds"].update({k: t.streams for k, t in fuzz.report.kinds.items()})
    took = {
        "streams": total, "clocks": clocks, "compiled_seconds": round(compiled, 1),
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    return found, {name: dict(sorted(c.items(), key=str)) for name, c in met.items()}, took


@click.command(cls=Command)
@click.option("--model", "models", type=click.Choice(list(BUILDS)), multiple=True, help="Both.")
@click.option("--core", "cores", type=click.Choice(CORES), multiple=True, help="Both.")
@click.option("--streams", type=click.IntRange(4), default=240, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "--again", is_flag=True,
    help="Run no streams: look for reasons of what an earlier run, of the same Verilog, missed.",
)  # fmt: skip
@click.option(
    "-o", "--out", type=OutputFile(), default="bench/results/coverage.json", show_default=True,
)  # fmt: skip
def main(
    models: tuple[str, ...], cores: tuple[str, ...], streams: int, seed: int, again: bool, out: str
) -> None:  # fmt: skip
    """Measure arms and toggles that streams hit; tops of an earlier run stay in the file."""
    path = Path(out)
    tops = json.loads(path.read_text())["tops"] if path.exists() else []
    for model in models or BUILDS:
        with tempfile.TemporaryDirectory(prefix="lutgen-coverage-") as work:
            folder = Path(work, "build")
            build("zynq7045", shipped(model), BUILDS[model], out=folder, estimate=False)
            checked = checked_build(load_build(folder))
            for core in cores or CORES:
                top = f"{model} {core}"
                design, folders = checked.design(core), rooms(checked.model, BUILDS[model], core)
                verilog = sha256("\n".join(design.whole_texts()).encode()).hexdigest()[:16]
                before: dict = next((one for one in tops if one["top"] == top), {})
                if again and before.get("verilog") != verilog:
                    raise InputError(f"{out} must be of this Verilog of {top}: measure it anew")
                if not again:
                    counts, met, took = measure(top, core, checked, streams, seed)
                constant = {
                    module.removeprefix(design.top): bits
                    for module, bits in constant_bits(design, **_LEFT_OUT[model]).items()
                }
                record = summary_anew(before, folders, constant) if again else (
                    summary(top, counts, folders, constant)
                    | {"functional": met, "verilog": verilog} | took | {"command": (
                        f"python -m bench.coverage --model {model} --core {core} "
                        f"--streams {streams} --seed {seed}"
                    )}
                )  # fmt: skip
                tops = sorted([*(t for t in tops if t["top"] != top), record],
                              key=lambda one: one["top"])  # fmt: skip
                write_file(path, (json.dumps({
                    "command": "; ".join(one["command"] for one in tops), "tops": tops,
                }, indent=1) + "\n").encode())  # fmt: skip
                hit = sum(some.get(f"{kind}_hit", 0) for some in record["folders"].values()
                          for kind in ("arms", "toggles"))  # fmt: skip
                say(f"{top}: {hit} points are hit, "
                    f"{len(record['missed'].get('open', []))} are open")  # fmt: skip


if __name__ == "__main__":
    main()
