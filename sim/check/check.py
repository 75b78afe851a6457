"""``lutgen sim``: the files of a build against the model, its Verilog against the reference codec.

Before anything is simulated, each file must be what was written, and tables and LUTs in the files
what the model says.  Then the encoder's files must equal the reference's byte for byte, and the
decoder's pixels the images; and both cores go through phases that a good core passes and a broken
one fails (`.judge`): limits, full buffers, stalls, every error.  A check that cannot fail proves
nothing: ``python -m bench.mutants`` measures which faults this one finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

import lutgen
from lutgen.build.blueprints import blueprint_kind
from lutgen.build.buildable import find_buildable
from lutgen.build.codec import build, load_build
from lutgen.build.options import BuildOptions, PredictiveOptions
from lutgen.build.predictive_blueprint import PredictiveBlueprint
from lutgen.build.tile_blueprint import TileBlueprint
from lutgen.errors import InputError
from lutgen.files.whole import scratch_folder
from lutgen.model.shipped import AnyModel
from lutgen.sim.check.activity import write_activity
from lutgen.sim.check.build_tables import changed_files, compare_tables, wrong_wiring
from lutgen.sim.check.check_run import CheckRun
from lutgen.sim.check.checked import CheckedBuild
from lutgen.sim.check.predictive_build import PredictiveBuild
from lutgen.sim.check.tile_build import TileBuild
from lutgen.sim.tool.verilator import simulator_tools

__all__ = ["SCHEMA", "check", "check_build", "check_record", "checked_build"]

#: Version of the result.
SCHEMA = 1
#: What a build of each kind is checked by.
_KINDS = {TileBlueprint: TileBuild, PredictiveBlueprint: PredictiveBuild}


def check(
    model: AnyModel | str | None,
    images: Iterable[tuple[str, np.ndarray]] | None = None,
    options: BuildOptions | PredictiveOptions | None = None,
    *,
    target: str = "zynq7045",
    count: int | None = None,
    stall: float | None = None,
    seed: int = 0,
    quick: bool = False,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Build both cores of a model for a moment, and check them.

    Parameters
    ----------
    model, target:
        See `lutgen.build.codec.build`.
    options:
        What the cores are made of, for images as large as the largest of ``images`` at least.
    images, count, stall, seed, quick, progress:
        See `check_build`.

    Returns
    -------
    dict
        See `check_build`, and what is raised.
    """
    simulator_tools()  # before the work
    if images is not None:
        images = [(name, np.asarray(image)) for name, image in images]
    options = options or blueprint_kind(find_buildable(model).profile).options_kind()
    shapes = [image.shape[:2] for _, image in images or () if image.ndim in (2, 3)]
    options = replace(
        options,
        max_width=max([options.max_width, *(width for _, width in shapes)]),
        max_height=max([options.max_height, *(height for height, _ in shapes)]),
    )
    with scratch_folder("lutgen-check-") as folder:
        build(
            target, model, options, out=Path(folder, "build"), estimate=False, progress=progress
        )
        return check_build(
            Path(folder, "build"), images, count=count, stall=stall, seed=seed, quick=quick,
            progress=progress,
        )  # fmt: skip


def check_build(
    folder: Path | str,
    images: Iterable[tuple[str, np.ndarray]] | None = None,
    *,
    count: int | None = None,
    stall: float | None = None,
    seed: int = 0,
    quick: bool = False,
    edited: bool = False,
    saif: bool = False,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Compare the files of a build with its model, simulate its cores, compare them with the codec.

    Where a file is not what was written, nothing is simulated.

    Parameters
    ----------
    folder:
        What `lutgen.build.codec.build` has written.
    images:
        Names and arrays (H, W), of RGB (H, W, 3), of any sizes that the build allows: uint8, or
        uint16 for samples of more than 8 bits.  By default synthetic ones.
    count:
        How many glyphs, or images, the synthetic ones are.
    stall:
        Share of clocks in which each port stalls at random, 0 to 0.9.  By default images pass at
        full speed, and phases with every kind of stalls, random ones in 30 % of the clocks.
    seed:
        Of the stalls, the damage and the pictures of the phases.
    quick:
        Leave out the phases: images, and two bad files.
    edited:
        Simulate although files are not what was written; tables that differ are still a problem.
    saif:
        Whether to write switching activity into the folder, see `.activity.write_activity`; not
        if anything else is wrong.
    progress:
        Called with a core and what it is doing, from several threads.

    Returns
    -------
    dict
        Ready for json: ``ok``, ``problems`` (empty if ok), what was compared, what was run and the
        clocks it took.

    Raises
    ------
    InputError
        If there are no images, one is larger than the build allows, or the folder is no build.
    SimulationError
        If a tool is missing; a core that does not compile, or hangs, is a problem instead.
    """
    began = time.perf_counter()
    record = load_build(folder)
    if stall is not None and not 0 <= stall <= 0.9:
        raise InputError(f"share of stalled clocks must be 0 to 0.9, not {stall!r}")
    simulator_tools()
    checked = checked_build(record)
    groups = checked.groups(checked.images(count, seed) if images is None else images)
    cores = [core for core in ("encoder", "decoder") if core in record["cores"]]
    changed = changed_files(record)
    tables, problems = {}, wrong_wiring(record) if edited else [*changed, *wrong_wiring(record)]
    for core in cores:
        tables[core], wrong = compare_tables(record, core, checked.tables(core), checked.luts)
        problems += wrong
    found, expected = {}, 0
    if edited or not problems:
        run = CheckRun(
            checked, groups, stall, seed, progress or (lambda core, step: None), quick
        )
        with ThreadPoolExecutor(len(cores)) as pool:
            jobs = {core: pool.submit(getattr(run, core)) for core in cores}
            found = {core: job.result() for core, job in jobs.items()}
        expected = run.expected_checks(cores)
    else:
        problems.append("so nothing was simulated")
    compared = {"files": len(record["files"]), "tables": tables}
    result = check_record(record, groups, found, expected, problems, changed)
    result["compared"] = compared
    if found and not quick:
        result["class_symbol_pairs"] = run.visited
    if saif:
        result["saif"] = write_activity(run, progress=progress) if result["ok"] else {}
    return result | {
        "stall": {"p": stall, "seed": seed},
        "seconds": round(time.perf_counter() - began, 2),
    }


def checked_build(record: Mapping) -> CheckedBuild:
    """What is checked of a build, from its ``build.json``, as `load_build` gives it."""
    return _KINDS[blueprint_kind(record["model"]["profile"])](record)


def check_record(
    record: Mapping, groups, found: Mapping, expected: int, problems: Sequence[str] = (),
    changed: Sequence[str] = (),
) -> dict:  # fmt: skip
    sizes, problems, done = [], list(problems), 0
    for k, (_, images) in enumerate(groups):
        height, width = images.shape[1:]
        size = {"width": width, "height": height, "images": len(images), "pixels": images.size}
        for core, part in found.items():
            size[core] = part["checks"][k]
            done += 1
            where = f"{core}, {width}x{height}: "
            problems += [where + text for text in size[core]["problems"]]
        sizes.append(size)
    refused = found["decoder"]["refused"] if "decoder" in found else None
    if refused is not None:
        done += 1
        problems += [f"decoder, bad files: {text}" for text in refused["problems"]]
    runs = {core: part["runs"] for core, part in found.items() if "runs" in part}
    for core, parts in runs.items():
        done += sum("clocks" in part for part in parts)
        problems += [
            f"{core}, {part['run']}, {text}" for part in parts for text in part.get("problems", ())
        ]
        left = [part["run"] for part in parts if part.get("skipped")]
        expected -= len(left) + sum("clocks" not in p and "problems" in p for p in parts)
        if left:
            problems.append(f"{core}: so it was not run: {', '.join(left)}")
    if done != expected:
        problems.append(f"{done} of {expected} checks were run")
    parameters = record["parameters"]
    return {
        "schema": SCHEMA,
        "generator": {"name": "lutgen", "version": lutgen.__version__},
        "ok": not problems,
        "problems": problems,
        "mismatches": len(problems),
        "checks": done,
        "images": sum(size["images"] for size in sizes),
        "pixels": sum(size["pixels"] for size in sizes),
        "sizes": sizes,
        "bad_files": refused,
        "runs": runs,
        "changed_since_build": [line.split(" ")[0].rstrip(":") for line in changed],
        "target": record["target"]["name"],
        "model": record["model"]["hash"],
        "parameters": parameters,
    }
