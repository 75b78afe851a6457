"""Reasons for what is not hit: they must be of what is there and is not hit."""

import json

import pytest

from bench import coverage
from bench.coverage import places, reasons, summary
from bench.mutants import BUILDS
from bench.rooms import rooms
from lutgen.model.shipped import shipped

COUNTS = {
    ("__core", "x[0] 0->1"): 3, ("__core", "x[0] 1->0"): 2, ("__core", "x[1] 0->1"): 0,
    ("__core", "x[1] 1->0"): 0, ("__core", "if (rst) | if"): 0, ("__core", "if (rst) | else"): 1,
}  # fmt: skip


def known(*of, module="__core"):
    return [{"why": "so", "of": [{"top": "photo encoder", "module": module, "places": [*of]}]}]


def test_places():
    assert places("x[1]") == ["x[1] 0->1", "x[1] 1->0"]
    assert places("x[2:1] 0->1") == ["x[1] 0->1", "x[2] 0->1"]
    assert places("if (rst) | else") == ["if (rst) | else"]


def test_reasons():
    found = reasons("photo encoder", COUNTS, known("x[1]", "if (rst) | if"))
    assert set(found) == {key for key, count in COUNTS.items() if not count}
    assert reasons("photo decoder", COUNTS, known("y[0]")) == {}


@pytest.mark.parametrize(("place", "module", "what"), [
    ("x[1:0]", "__core", r"__core x\[0\] 0->1 is hit"),
    ("y[0]", "__core", r"__core y\[0\] 0->1 is no place of the Verilog"),
    ("x[1]", "__rest", r"__rest x\[1\] 0->1 is no place of the Verilog"),
])
def test_wrong_reasons(place, module, what):
    message = f"^coverage.json must explain what photo encoder does not hit: {what}$"
    with pytest.raises(ValueError, match=message):
        reasons("photo encoder", COUNTS, known(place, module=module))


def test_summary(monkeypatch, tmp_path):
    monkeypatch.setattr(coverage, "EXPLAINED", tmp_path / "coverage.json")
    coverage.EXPLAINED.write_text(json.dumps(known("x[1]")))
    found = summary("photo encoder", COUNTS, {"__core": "predictive"})
    assert found["folders"]["predictive"] == {
        "arms": 2, "arms_hit": 1, "arms_explained": 0,
        "toggles": 4, "toggles_hit": 2, "toggles_explained": 2,
    }  # fmt: skip
    assert found["missed"] == {
        "open": ["__core if (rst) | if"], "so": ["__core x[1] 0->1", "__core x[1] 1->0"],
    }  # fmt: skip


def test_rooms():
    found = rooms(shipped("photo"), BUILDS["photo"], "encoder")
    assert found[""] == "predictive" and found["__core__strips__forms"] == "strips"
    assert found["__core__model__loop__prediction"] == "prediction"
    assert found["__core__files__slice"] == found["__slice_in"] == "streams"
