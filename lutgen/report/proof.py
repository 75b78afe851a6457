"""What was verified of a build, and what was not, each in a sentence."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from lutgen.files.whole import stays_below
from lutgen.targets.fit import basis

from .conditions import conditions
from .resources import GOAL_LEVELS, levels
from .sheet import Sheet
from .text import count, join, percent

__all__ = ["check_files", "proof"]


def check_files(record: Mapping) -> dict[str, str]:
    """Each file of a build: "unchanged" since it was written, "changed" or "missing"."""
    folder = Path(record["folder"])
    states = {}
    for name, file in record["files"].items():
        path = folder / name
        if not stays_below(name) or not path.is_file():
            states[name] = "missing"
        elif hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]:
            states[name] = "unchanged"
        else:
            states[name] = "changed"
    return states


def proof(
    sheet: Sheet,
    measured: Mapping[str, Mapping | None],
    vivado: Mapping | None,
    files: Mapping[str, str],
) -> dict:
    """Sentences: ``done``, ``failed`` and ``open``, what nobody has verified yet."""  # fmt: skip
    done: list[str] = []
    failed: list[str] = []
    sim = measured["sim"]
    if sim:
        _simulated(sim, done, failed)
    proven = measured.get("prove")
    if proven:
        _networks(proven, done, failed)
    apart = _others(sheet, measured, done, failed)
    _levels(sheet, done, failed)
    _files(files, done, failed)
    return {
        "done": done,
        "failed": failed,
        "open": [*apart, *_open(sheet, measured, vivado)],
        "sim": sim,
        "sizes": _sizes(sim) if sim else [],
        "networks": _rows(proven) if proven else [],
        "prover": proven["prover"] if proven else None,
    }


def _simulated(sim: Mapping, done: list[str], failed: list[str]) -> None:
    amount = f"{count(sim['images'])} images, {count(sim['pixels'])} pixels"
    if sim["ok"]:
        done.append(
            "The Verilog equals the reference codec in Verilator, byte for byte and pixel for "
            f"pixel: {amount}, {count(sim['checks'])} checks, {count(sim['mismatches'])} "
            "mismatches."
        )
    else:
        failed.append(
            f"The Verilog DIFFERS from the reference codec: {count(sim['mismatches'])} mismatches "
            f"in {count(sim['checks'])} checks of {amount}."
        )
        failed += sim["problems"]
    if sim["ok"] and sim["stall"]["p"]:
        share, seed = percent(100 * sim["stall"]["p"], 0), sim["stall"]["seed"]
        done.append(f"Every port was stalled in {share} of the clocks (seed {seed}).")
    elif sim["ok"] and (runs := _stalled(sim)):
        done.append(
            f"Images passed at full speed, and {count(runs)} more runs met full buffers, stalls of "
            "every port and wrong inputs."
        )
    refused = sim.get("bad_files")
    if refused and not refused["problems"]:
        done.append(
            "A damaged file and another model’s were flagged (error bits "
            f"{join(refused['errors'])}), and a good file behind them was decoded."
        )
    if sim["changed_since_build"]:
        failed.append(
            "Files had been changed since the build when it was simulated: "
            f"{join(sim['changed_since_build'])}."
        )


def _networks(found: Mapping, done: list[str], failed: list[str]) -> None:
    rows = _rows(found)
    good = [row for row in rows if row["proven"]]
    if good:
        names = join([f"{row['network']} of the {row['core']}" for row in good])
        done.append(
            f"The Verilog of the {names} equals the model’s tables for all inputs, and is a "
            f"pipeline without side ways: proven by {found['prover']}."
        )
    if not found["ok"]:
        failed.append("Networks or tables were NOT proven equal to the model’s:")
        failed += found["problems"]
    if words := sum(counts["words"] for counts in found["read_back"].values()):
        done.append(f"{count(words)} words of tables were read back from the files and compared.")


def _rows(found: Mapping) -> list[dict]:
    """A row per network that was proven."""
    rows = []
    for network in found["networks"]:
        parts = network["parts"]
        rows.append({
            "core": network["core"], "network": network["network"],
            "outputs": sum(part["outputs"] for part in parts),
            "clocks": max((network["latency"] or {}).values(), default=None),
            "seconds": None if network.get("same_as") else network["seconds"],
            "proven": bool(parts) and bool(network["latency"]) and all(
                part["state"] == "proven" for part in parts
            ),
            "open": [part["name"] for part in parts if part["state"] != "proven"],
        })  # fmt: skip
    return rows


def _others(sheet: Sheet, measured: Mapping, done: list[str], failed: list[str]) -> list[str]:
    """What other measurements have verified; returns what they have of another build only."""
    apart = []

    def add(found: Mapping, text: str) -> None:
        if differs := conditions(sheet, found):
            apart.append(f"{text.removesuffix('.')}, but not of this build ({join(differs)}).")
        else:
            done.append(text)

    if found := measured["eval"]:
        images = count(sum(result["images"] for result in found.values()))
        if all(result["verified"] for result in found.values()):
            done.append(f"The reference codec gave all of {images} images back as they were.")
        else:
            failed.append("The reference codec did NOT give every image back as it was.")
    if found := measured.get("throughput"):
        text = (
            f"Clocks were counted while {count(found['count'])} images of {found['width']} × "
            f"{found['height']} passed both cores"
        )
        if found["mismatches"]:
            failed.append(f"{text}, with {count(found['mismatches'])} MISMATCHES.")
        else:
            add(found, f"{text}, with the reference’s bytes and pixels.")
    if found := measured.get("energy"):
        add(
            found,
            f"The netlist that {found['tool']} mapped gave the reference’s bytes and pixels for "
            f"{count(found['count'])} images, beat for beat in the clocks of the Verilog.",
        )
    return apart


def _levels(sheet: Sheet, done: list[str], failed: list[str]) -> None:
    for table in levels(sheet):
        if table["beyond"]:
            failed.append(
                f"The {table['core']} has {count(table['beyond'])} register inputs or outputs "
                f"behind more than {GOAL_LEVELS} LUT levels, the deepest {table['levels']}, in "
                f"{table['worst']}; {table['basis']}."
            )
        elif table["levels"] is not None:
            done.append(
                f"The mapped {table['core']} has at most {table['deepest']} between registers; "
                f"{table['basis']}."
            )


def _files(files: Mapping[str, str], done: list[str], failed: list[str]) -> None:
    changed = [name for name, state in files.items() if state == "changed"]
    missing = [name for name, state in files.items() if state == "missing"]
    if changed:
        failed.append(f"Files are not as the build wrote them: {join(changed)}.")
    if not changed and not missing:
        done.append(f"All {count(len(files))} files are as the build wrote them (sha256).")


def _open(sheet: Sheet, measured: Mapping, vivado: Mapping | None) -> list[str]:
    """What this page cannot vouch for."""
    record = sheet.record
    target = record["target"]
    parts = []
    if not measured["sim"]:
        parts.append("The Verilog of this build was not compared with the reference codec.")
    elif not _stalled(measured["sim"]):
        parts.append("No port ever stalled in this simulation.")
    if not measured.get("prove"):
        parts.append("That its networks equal the model’s tables for all inputs was not proven.")
    if any(core["resources"] for core in record["cores"].values()):
        tool = next(c["resources"]["tool"] for c in record["cores"].values() if c["resources"])
        differs = basis(target["family"], target["yosys_family"])
        parts.append(
            f"LUT, FF, BRAM and logic levels are estimates of {tool}, without placement"
            + (f" and {differs}." if differs else ".")
        )
    else:
        parts.append("Resources and logic levels were not counted: built with --no-estimate.")
    if vivado is None and "vivado" in target["tools"]:
        parts += [
            "Nothing was run in Vivado: the scripts were tried with stubs of its commands only.",
            f"Nothing was placed or routed: {target['clock_mhz']:g} MHz is a constraint, no clock "
            "that was reached.",
        ]
    elif vivado is None:
        parts.append(
            f"Nothing was placed or routed: {target['clock_mhz']:g} MHz is a goal, no clock that "
            "was reached."
        )
    else:
        parts.append(
            "The Vivado reports were read as they were found; that they are of these files is not "
            "verified."
        )
    if measured.get("energy"):
        parts.append(
            "No power was measured: energy is counted transitions times constants that are good to "
            "a factor of two at best."
        )
    parts += sheet.unmeasured()
    board = f" ({target['board']} or any other)" if target["board"] else ""
    parts.append(f"Nothing ran on a board{board}.")
    return parts


def _stalled(sim: Mapping) -> int:
    """Simulations in which ports stalled: that of the images, or the runs besides."""
    runs = sum(len(runs) for runs in (sim.get("runs") or {}).values())
    return 1 if sim["stall"]["p"] else runs


def _sizes(sim: Mapping) -> list[dict]:
    """A row per image size."""
    return [
        {key: size[key] for key in ("width", "height", "images", "pixels")}
        | {
            core: {"equal": not size[core]["problems"], "clocks": size[core]["clocks_per_pixel"]}
            for core in ("encoder", "decoder") if size.get(core)
        }
        for size in sim["sizes"]
    ]  # fmt: skip
