"""Lines and toggles of the tops that fuzzing covers, and what of the format it has met.

    python -m bench.coverage --streams 600

Verilator counts how often each line of each block runs, and how often each bit of each signal rises
or falls.  Streams are those of `bench.fuzz_rtl` and as many of pictures up to the largest.  What is
never covered is listed by module and signal; `coverage.json` beside this file says why of what
cannot be: signals are patterns.
"""

import fnmatch
import json
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import click

from bench.mutants import BUILDS, CORES
from lutgen.build.codec import build, load_build
from lutgen.model.shipped import shipped
from lutgen.sim.check.check import checked_build
from lutgen.sim.fuzz.campaign import campaign
from lutgen.sim.fuzz.native import build_native, forgetful

#: What cannot be covered, with the reason of each.
EXCEPTIONS = Path(__file__).with_name("coverage.json")
_POINT = re.compile(r"C '(.*)' (\d+)$")


def points(path: Path) -> dict[tuple[str, str, str], int]:
    """Counts of a file of Verilator, by kind, module instance, and line or signal."""
    found: Counter = Counter()
    for line in path.read_text(errors="replace").splitlines():
        if not (match := _POINT.match(line)):
            continue
        fields = dict(part.split("\x02", 1) for part in match[1].split("\x01") if "\x02" in part)
        kind, _, module = fields["page"].partition("/")
        kind = {"v_line": "line", "v_branch": "line", "v_toggle": "toggle"}[kind]
        what = fields["o"] if kind == "toggle" else f"{fields['l']} {fields['o']} {fields['n']}"
        found[kind, fields["h"] if kind == "toggle" else module, what] += int(match[2])
    return found


def percent(counts: dict) -> float:
    """Share of points that were met."""
    return round(100 * sum(map(bool, counts.values())) / max(1, len(counts)), 2)


def explained(place: str, what: str, known: list[dict]) -> dict | None:
    """The exception that a point belongs to."""
    module = place.rpartition(".")[2]
    for exception in known:
        if fnmatch.fnmatchcase(module, exception["module"]) and (
            fnmatch.fnmatchcase(what, exception["signal"])
        ):
            return exception
    return None


def top(model: str, core: str, checked, streams: int, seed: int, work: Path, tell) -> tuple:
    """Coverage of one core, and what its streams had."""
    began = time.perf_counter()
    native = build_native(forgetful(checked.design(core)), core, coverage=True)
    tell(f"{model} {core}: compiled in {time.perf_counter() - began:.0f} s")
    found: Counter = Counter()
    functional: dict = defaultdict(Counter)
    for number, largest in enumerate((None, checked.largest)):
        fuzz = campaign(checked, core, seed + number, largest=largest)
        path = work / "coverage.dat"
        fuzz.run(native, streams, coverage=path)
        if fuzz.report.problems:
            raise RuntimeError(f"{core} must pass, but: {fuzz.report.problems[0]}")
        for point, count in points(path).items():
            found[point] += count
        for name, counts in fuzz.met.items():
            functional[name].update(counts)
        functional["errors"].update(fuzz.report.errors)
        functional["kinds"].update({k: t.streams for k, t in fuzz.report.kinds.items()})
    mine = (model, f"{model} {core}")
    known = [e for e in json.loads(EXCEPTIONS.read_text()) if e["build"] in mine]
    used: Counter = Counter()
    left: dict = {"line": {}, "toggle": {}}
    open_: Counter = Counter()
    for (kind, place, what), count in found.items():
        exception = None if count else explained(place, re.sub(r"\[\d+\].*|:.*", "", what), known)
        if exception:
            used[exception["why"]] += 1
            continue
        left[kind][place, what] = count
        if not count:
            signal = re.sub(r"\[\d+\].*|:.*", "", what)
            open_[f"{place.rpartition('.')[2]}: {signal}"] += 1
    every = {k: {p: c for p, c in found.items() if p[0] == k} for k in left}
    record = {
        "top": f"{model} {core}", "points": {k: len(v) for k, v in every.items()},
        "line_percent": percent(left["line"]), "toggle_percent": percent(left["toggle"]),
        "line_percent_without_exceptions": percent(every["line"]),
        "toggle_percent_without_exceptions": percent(every["toggle"]),
        "exceptions": [{"why": why, "points": n} for why, n in used.most_common()],
        "not_covered": dict(open_.most_common(60)),
        "streams": 2 * streams, "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    return record, {name: dict(sorted(c.items(), key=str)) for name, c in functional.items()}


@click.command()
@click.option("--model", "models", type=click.Choice(list(BUILDS)), multiple=True, help="Both.")
@click.option("--core", "cores", type=click.Choice(CORES), multiple=True, help="Both.")
@click.option("--streams", type=click.IntRange(1), default=600, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path),
    default="bench/results/coverage.json", show_default=True,
)  # fmt: skip
def main(models, cores, streams: int, seed: int, out: Path) -> None:
    """Measure lines and toggles that streams cover; tops of an earlier run stay in the file."""
    result = json.loads(out.read_text()) if out.exists() else {"tops": [], "functional": {}}
    with tempfile.TemporaryDirectory(prefix="lutgen-coverage-") as work:
        for model in models or BUILDS:
            folder = Path(work, model)
            build("zynq7045", shipped(model), BUILDS[model], out=folder, estimate=False)
            checked = checked_build(load_build(folder))
            for core in cores or CORES:
                record, functional = top(
                    model, core, checked, streams, seed, Path(work),
                    lambda text: print(text, file=sys.stderr, flush=True),
                )  # fmt: skip
                print(f"{record['top']}: {record['line_percent']} % of lines, "
                      f"{record['toggle_percent']} % of toggles", file=sys.stderr)  # fmt: skip
                tops = [t for t in result["tops"] if t["top"] != record["top"]]
                result["tops"] = sorted([*tops, record], key=lambda t: t["top"])
                result["functional"][record["top"]] = functional
                result["command"] = f"python -m bench.coverage --streams {streams} --seed {seed}"
                out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
