"""Faults in Verilog text: all kinds are found, and one at a time is at work."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.equivalent import equivalent
from bench.mutants import draw, register
from bench.mutate import KINDS, Fault, find, mutated, numbered
from lutgen.sim import Design, rtl_pipeline

TEXT = r"""module top(clk, rst, a, b, y, t);
  input clk;
  input rst;
  input [7:0] a;
  input [7:0] b;
  output [7:0] y;
  output [3:0] t;
  reg [3:0] rom [3:0];
  reg [7:0] kept = 8'h00;
  reg [7:0] \$4 ;
  wire [7:0] \$1 ;
  wire \$2 ;
  wire \$3 ;
  wire [7:0] lost;
  initial $readmemh("rom.mem", rom);
  assign \$1  = a + b;
  assign \$2  = a[3:0] == 4'h7;
  assign \$3  = ~ \$2 ;
  assign lost = a - b;
  assign y = \$3  ? \$1  : kept;
  assign t = rom[a[1:0]];
  always @* begin
    \$4  = kept;
    if (\$2 ) begin
      \$4  = 8'h55;
    end
    if (rst) begin
      \$4  = 8'h00;
    end
  end
  always @(posedge clk)
    kept <= \$4 ;
endmodule
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    (folder / "rom.mem").write_text("1\n2\n4\n8\n")
    return folder


def test_kinds(folder):
    faults = find(TEXT, folder)
    assert {fault.kind for fault in faults} == set(KINDS) - {
        "LUT bit", "LUT pins swapped", "dropped term",
    }  # fmt: skip
    news = {(fault.kind, fault.new) for fault in faults}
    assert ("operator", r"a - b") in news
    assert ("swapped arms", r"\$3  ? kept : \$1 ") in news
    assert ("missing reset", "1'h0") in news
    assert ("wrong next state", "8'h56") in news
    assert ("wrong slice", "a[4:1] == 4'h7") in news
    # What is assigned and never read has none.
    assert not any("lost" in TEXT.split("\n")[fault.line - 1] for fault in faults)


def test_draw_takes_every_kind(folder):
    faults = find(TEXT, folder)
    drawn = draw(list(faults), 6, np.random.default_rng(0))
    assert [fault.number for fault in drawn] == [1, 2, 3, 4, 5, 6]
    assert len({fault.kind for fault in drawn}) == len({fault.line for fault in drawn}) == 6
    assert draw(list(faults), 6, np.random.default_rng(0)) == drawn


def test_one_fault_at_a_time(folder):
    """One compilation; the file says which fault is at work."""
    wanted = ("operator", "swapped arms", "table bit")
    faults = numbered([next(f for f in find(TEXT, folder) if f.kind == kind) for kind in wanted])
    faults[2] = replace(faults[2], new="rom[2] ^ 4'h1")
    selection = folder / "selection.txt"
    loaded = TEXT.replace('"rom.mem"', f'"{folder / "rom.mem"}"')
    design = Design.of(mutated(loaded, faults, "top", selection), "top")
    a, b = np.array([1, 2, 3, 6]), np.array([10, 10, 10, 10])
    found = []
    for number in range(4):
        selection.write_text(f"{number:x}\n")
        result = rtl_pipeline(design, {"a": a, "b": b}, ["y", "t"])
        found.append((result["y"].tolist(), result["t"].tolist()))
    right, table = [11, 12, 13, 16], [2, 4, 8, 4]
    assert found == [
        (right, table), ([247, 248, 249, 252], table), ([0, 0, 0, 0], table),
        (right, [2, 5, 8, 5]),
    ]  # fmt: skip


def test_a_pin_is_no_reader(folder):
    """What only gives its name to a pin of an instance is never read."""
    instance = "  part part (\n    .lost(a),\n    .other(b)\n  );\n"
    text = TEXT.replace("  always @*", f"{instance}  always @*")
    assert not any("lost" in text.split("\n")[f.line - 1] for f in find(text, folder))


def test_what_changes_nothing_is_told():
    """An expected value that is not compared, and one that is."""
    text = TEXT.replace("initial $readmemh", "// ").replace(
        "assign t = ", "assign t = 4'h2 & 4'h5 | "
    )  # fmt: skip
    line = next(k for k, line in enumerate(text.split("\n"), 1) if "4'h5" in line)
    fault = Fault("constant off by one", line, "top", "4'h5", "4'hd")
    assert equivalent(text, fault)
    assert not equivalent(text, replace(fault, new="4'h6"))
    always = next(f for f in find(text, Path()) if f.kind == "condition always")
    assert not equivalent(text, always)
    reset = next(f for f in find(text, Path()) if f.kind == "missing reset")
    assert register(text, reset) == "kept"
    assert register(text, fault) == "t"
