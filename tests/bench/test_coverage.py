"""Reasons for what is not hit: they must be of what is there and is not hit."""

import json
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from bench import coverage
from bench.constants import constant_bits
from bench.coverage import places, reasons, summary, summary_anew
from bench.mutants import BUILDS
from bench.rooms import rooms
from lutgen.codec.predictive.container import GROUP, LAG
from lutgen.gateware.predictive.group_blocks import GroupBlocks
from lutgen.gateware.predictive.planes import Planes
from lutgen.gateware.predictive.walk import PRIMING, Walk
from lutgen.gateware.strips.payload_forms import PayloadForms
from lutgen.model.shipped import shipped
from lutgen.sim.tool.design import Design

RESULTS = Path(__file__).parents[2] / "bench" / "results"
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
    found = summary("photo encoder", COUNTS, {"__core": "predictive"}, {})
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


def test_what_is_alike_has_one_reason(monkeypatch, tmp_path):
    monkeypatch.setattr(coverage, "EXPLAINED", tmp_path / "coverage.json")
    coverage.EXPLAINED.write_text(json.dumps([
        {"why": "so", "like": [{"module": "__co.*", "place": r"x\[1\] 0->1"}]},
    ]))  # fmt: skip
    found = summary("any", COUNTS, {"__core": "predictive"}, {"__core": {("x", 1)}})
    assert found["missed"] == {
        "open": ["__core if (rst) | if"],
        coverage.CONSTANT: ["__core x[1] 0->1", "__core x[1] 1->0"],
    }  # fmt: skip
    found = summary("any", COUNTS, {"__core": "predictive"}, {"__core": {("x", 0)}})
    assert found["missed"]["so"] == ["__core x[1] 0->1"] and len(found["missed"]["open"]) == 2


def test_arms_of_what_is_constant(monkeypatch, tmp_path):
    """Of a choice by a bit, and of an ``if``; of no other condition."""
    monkeypatch.setattr(coverage, "EXPLAINED", tmp_path / "coverage.json")
    coverage.EXPLAINED.write_text("[]")
    arms = ("if (a) x[3] ? b : 1'h0; | cond_then", "if (y) | else", "if (a) if (y) x | case",
            "if (x[3] ? y : z) | elsif")  # fmt: skip
    found = summary(
        "any", {("__core", arm): 0 for arm in arms}, {"__core": "strips"},
        {"__core": {("x", 3), ("y", 0)}},
    )  # fmt: skip
    assert {k: sorted(v) for k, v in found["missed"].items()} == {
        coverage.CONSTANT: sorted(f"__core {arm}" for arm in arms[:2]),
        "open": sorted(f"__core {arm}" for arm in arms[2:]),
    }  # fmt: skip


def test_choices_of_no_arm(monkeypatch, tmp_path):
    """Each clock takes one of both, where nothing stands before them."""
    monkeypatch.setattr(coverage, "EXPLAINED", tmp_path / "coverage.json")
    coverage.EXPLAINED.write_text("[]")
    counts = {
        ("__core", f"{choice} | {arm}"): count
        for choice, counts in (("n1 ? a : b;", (0, 0)), ("n2 ? a : b;", (0, 3)),
                               ("if (x) n3 ? a : b;", (0, 0)))
        for arm, count in zip(("cond_then", "cond_else"), counts, strict=True)
    }  # fmt: skip
    found = summary("any", counts, {"__core": "strips"}, {})["missed"]
    assert found[coverage.NO_CHOICE] == [
        "__core n1 ? a : b; | cond_else", "__core n1 ? a : b; | cond_then",
    ]  # fmt: skip
    assert len(found["open"]) == 3


def test_arithmetic_is_proven():
    """What `lutgen prove` is the reason for lies in modules that it has proven, of both cores."""
    (group,) = (g for g in json.loads(coverage.EXPLAINED.read_text()) if "lutgen prove" in g["why"])
    (some,) = group["like"]
    results = json.loads(RESULTS.joinpath("prove.json").read_text())
    (photo,) = (build for build in results["builds"] if build["build"] == "photo")
    proven = {
        network["core"]: network["module"].partition("coder")[2] for network in photo["networks"]
        if {part["state"] for part in network["parts"]} == {"proven"}
    }  # fmt: skip
    for core in ("encoder", "decoder"):
        modules = rooms(shipped("photo"), BUILDS["photo"], core)
        for module in (m for m in modules if re.fullmatch(some["module"], m)):
            assert f"{module}__".startswith(f"{proven[core]}__"), module


def test_an_earlier_run_explained_anew(monkeypatch, tmp_path):
    """Without the counts of what is hit: the same figures, and a choice with one arm stays one."""
    monkeypatch.setattr(coverage, "EXPLAINED", tmp_path / "coverage.json")
    coverage.EXPLAINED.write_text("[]")
    counts = COUNTS | {("__core", f"n1 ? a : b; | {arm}"): count
                       for arm, count in (("cond_then", 0), ("cond_else", 3))}  # fmt: skip
    folders = {"__core": "predictive"}
    before = summary("any", counts, folders, {}) | {"streams": 3}
    assert summary_anew(before, folders, {}) == before
    coverage.EXPLAINED.write_text(json.dumps(
        [{"why": "so", "like": [{"module": "__core", "place": "if .*"}]}]
    ))
    constant = {"__core": {("x", 1)}}
    found = summary_anew(before, folders, constant)
    assert found == summary("any", counts, folders, constant) | {"streams": 3}
    assert found["missed"]["open"] == ["__core n1 ? a : b; | cond_then"]


def test_numbers_in_reasons():
    """What reasons say of photo's build, from the model and the gateware's own parameters."""
    whys = " ".join(group["why"] for group in json.loads(coverage.EXPLAINED.read_text()))
    model, options = shipped("photo"), BUILDS["photo"]
    planes = Planes.of(model)
    assert "16,128 or more" in whys and min(planes.cumulative[:, 32]) >= 16128 == 0b111111 << 8
    width, strip = options.max_width, options.strip_height
    assert f"no strip of {width} x {strip} samples has 512 bytes" in whys
    groups = strip // GROUP
    assert groups * (GROUP * width + 2) + 4 < 512  # plain payloads, their lengths, a checksum
    assert 8 * ((1 << width.bit_length()) - 1) < 512 and "six bits" in whys
    walk = Walk(8, width, least=17)
    assert 17 * walk._lanes >= width + PRIMING and "17 periods apart" in whys
    periods = width + PRIMING + LAG * (GROUP - 1) + 1
    assert f"under way for {periods} periods" in whys and periods < 7 * 17
    for pool in PayloadForms(3, GROUP * width, 8, most=25, read=Fraction(8, 16))._pools:
        most = 2 * pool._lanes * pool.whole
        assert f"take {most} blocks at most" in whys
        assert pool._blocks > most + pool._each * pool._lanes + pool.spare
    assert GroupBlocks(width, 16, 17, depth=8, decodes=True).buffers == 18


def test_arms_of_a_fourth_seat():
    """Their conditions have no names of their own: no more arms than it has are explained so."""
    results = json.loads(RESULTS.joinpath("coverage.json").read_text())
    (encoder,) = (top for top in results["tops"] if top["top"] == "photo encoder")
    (points,) = (some for why, some in encoder["missed"].items() if "a fourth one" in why)
    arms = Counter(point.partition(" ")[0] for point in points if " | " in point)
    # Two sides, and of each a bit that is set or cleared.
    assert arms == dict.fromkeys(
        (f"__core__strips__forms{pool}" for pool in ("", "__coded_pool", "__plain_pool")), 4
    )


CONSTANT = """module top(clk, rst, a, y);
  input clk;
  wire clk;
  input rst;
  wire rst;
  input [1:0] a;
  wire [1:0] a;
  output [3:0] y;
  wire [3:0] y;
  wire [1:0] low;
  wire [1:0] high;
  assign y = { high, low };
  part one (
    .clk(clk),
    .a(a),
    .y(low)
  );
  part two (
    .clk(clk),
    .a({ 1'h0, a[0] }),
    .y(high)
  );
endmodule
module part(clk, a, y);
  input clk;
  wire clk;
  input [1:0] a;
  wire [1:0] a;
  output [1:0] y;
  wire [1:0] y;
  reg [2:0] kept = 3'h0;
  reg [1:0] stays = 2'h0;
  reg [1:0] word;
  reg [1:0] unread = 2'h0;
  reg [1:0] rom [3:0];
  initial begin
    rom[0] = 2'h1;
    rom[1] = 2'h3;
    rom[2] = 2'h1;
    rom[3] = 2'h3;
  end
  always @(posedge clk)
    word <= rom[kept[1:0]];
  always @(posedge clk)
    kept <= { 1'h0, a };
  always @(posedge clk)
    unread <= { a[1], 1'h0 };
  always @(posedge clk)
    stays <= { a[0], stays[0] & a[0] };
  assign y = kept[1:0] ^ stays ^ word;
endmodule
"""


NAMES = ("kept", "stays", "word", "unread")


@pytest.mark.parametrize("words", [256, 4])
def test_constant_bits(words):
    """In all instances; through registers, tables, and what cannot begin to change."""
    found = constant_bits(Design.of(CONSTANT, "top"), words=words)
    assert {name for name in found["part"] if name[0] in NAMES} == {
        ("kept", 2), ("stays", 0), ("word", 0), ("unread", 0),
    }  # fmt: skip


CUT = """module top(clk, a, y);
  input clk;
  wire clk;
  input a;
  wire a;
  output [2:0] y;
  wire [2:0] y;
  reg [2:0] y_d1 = 3'h0;
  wire from;
  assign y = y_d1;
  top__network inner (
    .clk(clk),
    .y(from)
  );
  wire n1;
  assign n1 = y_d1[2] & a;
  always @(posedge clk)
    y_d1 <= { 1'h0, a, from };
  reg never = 1'h0;
  always @* begin
    never = 1'h0;
    if (n1) begin
      never = a;
    end
  end
endmodule
module top__network(clk, y);
  input clk;
  wire clk;
  output y;
  wire y;
  reg zero = 1'h0;
  always @(posedge clk)
    zero <= zero;
  assign y = zero;
endmodule
"""


@pytest.mark.parametrize(("cut", "bits"), [("", {0, 2}), ("__network", {2})])
def test_what_is_cut_out_gives_anything(cut, bits):
    found = constant_bits(Design.of(CUT, "top"), cut=cut)
    assert {bit for name, bit in found["top"] if name == "y_d1"} == bits
    assert (("zero", 0) in found["top__network"]) == (not cut)
    assert ("n1", 0) in found["top"]  # a condition that is never true
