"""Measurements that a page takes, and those that it refuses."""

import copy
import json
import re

import pytest

from lutgen.report.measured import read_measured
from lutgen.report.sheets import sheet_of
from tests.report.records import FILES, LEVELS, LEVELS_FILES, RESULTS, build, load, proof, sim


def write(tmp_path, data):
    path = tmp_path / "given.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def refused(record, kind: str, path) -> str:
    with pytest.raises(ValueError) as error:
        read_measured(record, {kind: path})
    return str(error.value)


def test_what_the_programs_write_is_read(tmp_path):
    record = build()
    found = read_measured(record, FILES | {"sim": write(tmp_path, sim(record))})
    assert found == {kind: load(path) for kind, path in FILES.items()} | {
        "sim": sim(record), "prove": None,
    }  # fmt: skip
    assert list(found) == ["sim", "prove", "eval", "throughput", "energy"]
    assert read_measured(record, {}) == dict.fromkeys(found)
    found = read_measured(build(LEVELS), LEVELS_FILES)
    assert found["throughput"]["thumbnails"] and found["sim"] is None


def test_what_a_simulation_writes_is_read(tmp_path):
    """The shape is that of `lutgen.sim.check.check`, not of this test's idea of it."""
    np = pytest.importorskip("numpy")
    from lutgen.sim.check.check import check_record

    record = build(folder=str(tmp_path), files={})
    groups = [(["a", "b"], np.zeros((2, 5, 7), np.uint8))]
    check = {"problems": ["pixels differ"], "clocks_per_pixel": None}
    part = {"checks": [check], "refused": {"problems": [], "errors": ["bad_tile"]}}
    found = check_record(record, groups, {"encoder": part, "decoder": part}, 3)
    found |= {"stall": {"p": 0.5, "seed": 1}, "seconds": 2.0}
    assert read_measured(record, {"sim": write(tmp_path, found)})["sim"] == found
    alone = check_record(record, groups, {"encoder": part}, 1) | {"stall": {"p": 0, "seed": 1}}
    assert read_measured(record, {"sim": write(tmp_path, alone)})["sim"]["bad_files"] is None


@pytest.mark.parametrize("kind", list(FILES))
def test_another_model_is_refused(kind):
    record, model = build(LEVELS), build(LEVELS)["model"]["hash"][:16]
    assert refused(record, kind, FILES[kind]) == (
        f"{FILES[kind]} must be of the build's model {model}, not of "
        f"{build()['model']['hash'][:16]}: measure with `{sheet_of(record).command(kind)}`"
    )


def test_every_data_set_must_be_of_the_model(tmp_path):
    rates = load(FILES["eval"])
    rates["other"] = copy.deepcopy(rates["emnist_digits"])
    rates["other"]["model"]["hash"] = "f" * 64
    assert "not of ffffffffffffffff: measure with `lutgen eval IMAGES" in refused(
        build(), "eval", write(tmp_path, rates)
    )


def test_a_simulation_of_another_model_or_build_is_refused(tmp_path):
    record = build()
    path = write(tmp_path, sim(build(LEVELS)))
    assert "not of 46efe4ae7a435a02: measure with `lutgen sim --build rtl_out/none" in refused(
        record, "sim", path
    )
    other = sim(record, parameters=record["parameters"] | {"lanes": 40})
    assert refused(record, "sim", write(tmp_path, other)) == (
        f"{path} must be of this build, with lanes 32, not 40: simulate with "
        "`lutgen sim --build rtl_out/none --stall 0.3 --json > sim.json`"
    )
    other = sim(record, parameters=record["parameters"] | {"coder": "tans"})
    assert "with coder 'rans', not 'tans'" in refused(record, "sim", write(tmp_path, other))
    other = sim(record, target="zynq7020")
    assert "with target 'zynq7045', not 'zynq7020'" in refused(
        record, "sim", write(tmp_path, other)
    )


def test_a_proof_of_other_files_is_refused(tmp_path):
    """Those of another build, and those that have changed since."""
    record = build(folder=str(tmp_path))
    core = next(name for name in record["files"] if name.endswith(".v"))
    (tmp_path / core).write_text("module m; endmodule\n")
    path = write(tmp_path, proof(record))
    assert read_measured(record, {"prove": path})["prove"]["ok"]
    (tmp_path / core).write_text("module n; endmodule\n")
    assert re.fullmatch(
        f"{path} must be of the Verilog and memories of this build as they are now, with the hash "
        "[0-9a-f]{16}, not [0-9a-f]{16}: prove again with "
        f"`lutgen prove --build {tmp_path}`",
        refused(record, "prove", path),
    )
    assert "must be of the build's model" in refused(
        record, "prove", write(tmp_path, proof(record, model="f" * 64))
    )


def without(data: dict, *keys) -> dict:
    data = copy.deepcopy(data)
    inner = data
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return data


@pytest.mark.parametrize("kind, data, what", [
    ("sim", "", ", not other text"),
    ("sim", "[1", ", not other text"),
    ("sim", b"\xff\xfe".decode("latin-1"), ", not other text"),
    ("sim", [], ": it must be an object"),
    ("sim", without(sim(), "ok"), ": ok is missing"),
    ("sim", sim(ok=1), ": ok must be true or false"),
    ("sim", sim(pixels=True), ": pixels must be a whole number"),
    ("sim", sim(problems="none"), ": problems must be a list"),
    ("sim", sim(problems=[3]), ": problems[0] must be text"),
    ("sim", without(sim(), "stall", "p"), ": stall.p is missing"),
    ("sim", without(sim(), "sizes", 0, "encoder", "problems"),
     ": sizes[0].encoder.problems is missing"),
    ("eval", load(FILES["energy"]), ": date must be an object"),
    ("eval", without(load(FILES["eval"]), "emnist_digits", "bpp", "file"),
     ": emnist_digits.bpp.file is missing"),
    ("throughput", load(FILES["eval"]), ": images is missing"),
    ("throughput", without(load(FILES["throughput"]), "decode"), ": decode is missing"),
    ("throughput", load(FILES["throughput"]) | {"count": 1.5}, ": count must be a whole number"),
    ("sim", sim(stall={"p": float("nan"), "seed": 0}), ": stall.p must be a number"),
    ("energy", load(FILES["energy"]) | {"clock_mhz": 0}, ": clock_mhz must be a number above 0"),
    ("energy", without(load(FILES["energy"]), "cores", "encoder", "window"),
     ": cores.encoder.window is missing"),
])  # fmt: skip
def test_other_json_is_refused(kind, data, what, tmp_path):
    path = write(tmp_path, data)
    rule = f"{path} must be json that `{sheet_of(build()).kinds[kind].writer}` writes"
    assert refused(build(), kind, path) == rule + what


def test_nothing_is_no_measurement(tmp_path):
    path = write(tmp_path, {})
    assert refused(build(), "eval", path) == (
        f"{path} must hold a measurement of `lutgen eval --json`, not nothing"
    )


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_measured(build(), {"sim": tmp_path / "none.json"})


def test_older_measurements_do_without_new_keys(tmp_path):
    run = without(load(RESULTS / "throughput-emnist.json"), "thumbnails")
    run["encode"]["steady_clocks_per_pixel"] = None
    found = read_measured(build(), {"throughput": write(tmp_path, run)})
    assert found["throughput"] == run
