"""Contracts: proven of a block as it is, and refuted where a beat is lost, changed or kept up."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.formal import __main__ as command
from bench.formal.bind import Bound, bound, files_of
from bench.formal.blocks import BLOCKS, MODULE, axi_lite
from bench.formal.solver import Problem, read_problem, refuted
from bench.formal.study import in_turn, problem_of, prove_all, rule_of, show_failures
from bench.formal.tops import BUILDS, port_contracts, with_free_parts
from bench.mutate import applied, find
from lutgen.errors import InputError, ToolError

RESULTS = Path(__file__).parents[2] / "bench" / "results" / "formal.json"


@pytest.fixture(scope="module")
def skid():
    """A skid buffer's Verilog, and its contracts."""
    block = next(b for b in BLOCKS if b.name == "SkidBuffer")
    return block.verilog(), block.contracts


@pytest.mark.slow
def test_a_skid_buffer_keeps_its_contracts(skid):
    verilog, contracts = skid
    answers = prove_all(problem_of(verilog, MODULE, contracts), seconds=20, depth=12)
    assert {answer.result for answer in answers.values()} == {"proven"}
    assert answers["o.valid_stays"].method == answers["o.payload_stays"].method == "k-induction"
    assert {"order.beat_kept", "order.arrives", "o.reset_quiet"} < set(answers)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "old", "fails"), [
    # The stall is not looked at: what waits is overwritten, so a beat is lost and one is changed.
    ("condition always", "n2", {"o.payload_stays", "order.beat_kept"}),
    # What waited is dropped: the beat that has just come goes in its place.
    ("swapped arms", "i__ready ? i__payload : held", {"order.beat_kept"}),
    # A beat out of nothing.
    ("missing not", "~ i__ready", {"order.invented"}),
    # Nothing leaves.
    ("condition never", "n2", {"order.arrives"}),
    ("missing reset", "rst", {"o.reset_quiet"}),
])  # fmt: skip
def test_a_faulty_skid_buffer_is_refuted(skid, kind, old, fails):
    verilog, contracts = skid
    found = set()
    for fault in find(verilog, Path()):
        if (fault.kind, fault.old) == (kind, old):
            problem = problem_of(applied(verilog, fault), MODULE, contracts)
            names = [name for name in problem.names if rule_of(name) in fails]
            counterexamples = refuted(problem, names, depth=8)
            assert all(1 <= clocks <= 8 for clocks in counterexamples.values())
            found |= set(counterexamples)
    assert fails <= {rule_of(name) for name in found}


#: A slave that answers a write when the address has come, and a read at once or never.
SLAVE = """module {name}(clk, rst, {ports});
  {directions}
  reg asked = 1'h0;
  always @(posedge clk) asked <= s_axi_control_awvalid;
  assign s_axi_control_bvalid = asked;
  assign s_axi_control_bresp = 2'h1;
  assign s_axi_control_rvalid = 1'h0;
  assign s_axi_control_rdata = 32'h0;
  assign s_axi_control_rresp = 2'h0;
  assign s_axi_control_awready = 1'h1;
  assign s_axi_control_wready = 1'h1;
  assign s_axi_control_arready = 1'h1;
endmodule
"""


def test_a_faulty_slave_is_refuted():
    widths = {
        "awaddr": 8, "awvalid": 1, "wdata": 32, "wstrb": 4, "wvalid": 1, "bready": 1,
        "araddr": 8, "arvalid": 1, "rready": 1,
    }  # fmt: skip
    outputs = {
        "awready": 1, "wready": 1, "bresp": 2, "bvalid": 1, "arready": 1, "rdata": 32, "rresp": 2,
        "rvalid": 1,
    }  # fmt: skip
    directions = ["input clk, rst;"] + [
        f"{way} [{bits - 1}:0] s_axi_control_{port};"
        for way, ports in (("input", widths), ("output", outputs)) for port, bits in ports.items()
    ]  # fmt: skip
    verilog = SLAVE.format(
        name=MODULE, ports=", ".join(f"s_axi_control_{port}" for port in (*widths, *outputs)),
        directions="\n  ".join(directions),
    )  # fmt: skip
    problem = problem_of(verilog, MODULE, axi_lite())
    failing = {rule_of(name) for name in refuted(problem, problem.names, depth=8)}
    assert failing == {
        "b.valid_stays", "b.reset_quiet", "bus.write_answered_once", "bus.write_answered",
        "bus.write_one", "bus.write_code", "bus.read_answered", "bus.read_one",
    }  # fmt: skip


TOP = """module top(clk, rst, m_axis_stream_tready, m_axis_stream_tvalid, m_axis_stream_tdata);
  input clk;
  input rst;
  input m_axis_stream_tready;
  output m_axis_stream_tvalid;
  output [7:0] m_axis_stream_tdata;
  wire [7:0] data;
  wire given;
  top__core core (
    .clk(clk),
    .data(data),
    .given(given)
  );
  top__slice_out slice_out (
    .clk(clk),
    .rst(rst),
    .data(data),
    .given(given)
  );
endmodule
module top__core(clk, data, given);
  input clk;
  wire clk;
  output [7:0] data;
  wire [7:0] data;
  output given;
  reg given = 1'h0;
  initial $readmemh("no.mem", memory);
endmodule
module top__slice_out(clk, rst, data, given);
  input clk;
endmodule
"""


def test_a_top_keeps_its_slices_alone():
    text = with_free_parts(TOP, "top")
    assert "readmemh" not in text
    assert "(* blackbox *)\nmodule top__core(clk, data, given);\n  input  clk;" in text
    assert "  output [7:0] data;" in text and "module top__slice_out" in text
    (contract,) = port_contracts(TOP, "top")
    assert (contract.contract, contract.ports["payload"]) == ("handshake", "{m_axis_stream_tdata}")
    restarted = TOP.replace("  wire given;\n", "  wire given;\n  reg restart = 1'h0;\n", 1)
    assert port_contracts(restarted, "top")[0].ports["rst"] == "rst | restart"


def test_names_and_messages():
    assert rule_of("packets.bits[3].one.byte_kept") == "packets.byte_kept"
    assert rule_of("packets.full.words_full") == "packets.words_full"
    assert rule_of("pointers.lemma_holds") == "pointers"
    contracts = (Bound("lemma", "a", {"holds": "x"}, {"WIDTH": 3}, "  wire x;\n"),)
    assert files_of(contracts) == ["begins_with_reset", "lemma"]
    text = bound("module m(clk);\nendmodule\nmodule n(a);\nendmodule\n", "m", contracts)
    assert text == (
        "`default_nettype none\nmodule m(clk);\n  begins_with_reset start (.clk(clk), .rst(rst));\n"
        "  wire x;\n  lemma #(.WIDTH(3)) a (.clk(clk), .rst(rst), .holds(x));\n"
        "endmodule\nmodule n(a);\nendmodule\n"
    )
    with pytest.raises(InputError, match="^module must be in the Verilog, not 'other'$"):
        bound("module m(clk);\nendmodule\n", "other", ())
    with pytest.raises(ToolError, match="^Yosys stopped with status 1: .*nothing"):
        read_problem("module m();\n nothing x ();\nendmodule\n", "m", ["lemma"])


PARTS = """module m(clk);
  input clk;
  wire b;
  p first (
    .clk(clk),
    .b(b)
  );
endmodule
module p(clk, b);
  input clk;
  output b;
  wire b;
  reg [2:0] level = 3'h0;
endmodule
"""


def test_signals_of_parts():
    """They leave through ports that are put there; others are an error."""
    def seen(holds):
        return bound(PARTS, "m", (Bound("lemma", "a", {"holds": holds}),))

    text = seen("first.level == 0 | ~first.b | first.level[0]")
    assert "  p first (\n    .first__b(first__b),\n    .first__level(first__level),\n" in text
    assert text.count("wire [2:0] first__level;") == text.count("output [2:0] first__level;") == 1
    assert "  assign first__level = level;\n" in text
    assert "module p(first__b, first__level, clk, b);\n  output first__b;\n" in text
    assert ".holds(first__level == 0 | ~first__b | first__level[0]));" in text
    with pytest.raises(InputError, match="^module m must have a part 'second'$"):
        seen("second.level")
    with pytest.raises(InputError, match="^module p must have a signal 'high'$"):
        seen("first.high")


def test_a_name_that_is_none_is_an_error():
    """It would be a wire of its own, which may have any value."""
    contracts = (Bound("lemma", "a", {"holds": "b | gone"}, declares="  wire rst = 1'h0;\n"),)
    with pytest.raises(ToolError, match="`.gone' is implicitly declared"):
        problem_of(PARTS, "m", contracts)


@pytest.mark.slow
def test_contracts_name_signals_that_there_are():
    """Lemmas name signals of the Verilog as it is now."""
    for block in BLOCKS:
        text = bound(block.verilog(), MODULE, block.contracts)
        start = text.index(f"module {MODULE}(")
        module = text[start : text.index("endmodule", start)]
        declared = set(re.findall(
            r"^ *(?:input|output|wire|reg)(?: \[\d+:0\])? (.+?);", module, re.M
        ))  # fmt: skip
        names = {name for some in declared for name in re.findall(r"[A-Za-z_]\w*", some)}
        for b in block.contracts:
            for value in b.ports.values():
                used = re.findall(r"(?<![\w'.])[A-Za-z_][\w.]*", value)
                assert {name.replace(".", "__") for name in used} <= names, (block.name, b.name)


def test_one_property_of_a_graph():
    """Of two bad states one is left; the other becomes a rule."""
    text = b"aig 3 2 1 0 0 2 1 0 0\n2\n4\n6\n2\nb0 x\n"
    problem = Problem(text, ("first", "second"))
    assert problem.of("first") == b"aig 3 2 1 0 0 1 1\n2\n4\n2\nb0 x\n"
    assert problem.of("second", ["first"]) == b"aig 3 2 1 0 0 1 2\n2\n6\n2\n5\nb0 x\n"


@pytest.mark.slow
def test_a_blind_property_does_not_fail(skid):
    """What is true of everything has no counterexample in any faulty design."""
    verilog, _ = skid
    blind = (Bound("lemma", "blind", {"holds": "o__valid | ~o__valid"}),)
    failed, tried = show_failures(verilog, MODULE, blind, most=2)
    assert (failed, tried) == ({}, 2)


def test_faults_of_what_a_contract_sees_come_first():
    """Through what a register becomes, and through the name that a part has for a port."""
    verilog = """module m(clk, rst, i, o__valid, t);
  reg [1:0] far = 2'h0;
  reg o__valid = 1'h0;
  wire [1:0] n1;
  wire n3;
  reg n2;
  assign n1 = far + 2'h1;
  assign n3 = n1 == 2'h2;
  always @(posedge clk)
    far <= n1;
  always @(posedge clk)
    o__valid <= n2;
  always @* begin
    n2 = n3;
    if (rst) begin
      n2 = 1'h0;
    end
  end
  part one (
    .clk(clk),
    .out(t)
  );
endmodule
module part(clk, out, two);
  wire a;
  wire out;
  wire two;
  assign a = ~ two;
  assign out = ~ a;
endmodule
"""
    seen = Bound("handshake", "o", {"valid": "o__valid", "payload": "{t, 1'h0}"})
    faults = in_turn(verilog, (seen,), 0)
    lines = [verilog.split("\n")[fault.line - 1].strip() for fault in faults]
    near = {"if (rst) begin", "assign out = ~ a;"}
    assert near <= set(lines[: lines.index("assign n1 = far + 2'h1;")])
    assert {lines[0], lines[1]} <= near


def test_only_keeps_what_the_file_has(tmp_path, monkeypatch):
    """Results of other blocks, and the command that they are of."""
    def properties(*names):
        return [{"block": n, "property": "o.x", "result": "proven", "folder": "f"} for n in names]

    monkeypatch.setattr(command, "study", lambda name, *_, **__: iter(properties(name)))
    path = tmp_path / "f.json"
    path.write_text(json.dumps({
        "commands": {"before": ["SkidBuffer", "Other"]},
        "properties": properties("SkidBuffer", "Other"),
    }))  # fmt: skip
    arguments = ["--only", "SkidBuffer", "--seconds", "3", "-o", str(path)]
    result = CliRunner().invoke(command.main, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(path.read_text())
    assert found["commands"] == {
        "before": ["Other"], "python -m bench.formal --seconds 3 --faults 40": ["SkidBuffer"],
    }  # fmt: skip
    assert found["counts"]["proven"] == 2

    # Once more with the same Verilog, and with other contracts, which make its results old.
    def none(*_, **__):
        raise AssertionError("no block may be looked at")

    monkeypatch.setattr(command, "study", none)
    result = CliRunner().invoke(command.main, arguments)
    assert result.exit_code == 0 and "SkidBuffer: as it was" in result.output
    assert json.loads(path.read_text()) == found
    monkeypatch.setattr(command, "CONTRACTS", tmp_path)
    for contract in ("handshake", "beats", "begins_with_reset"):
        tmp_path.joinpath(f"{contract}.sv").write_text("another")
    result = CliRunner().invoke(command.main, arguments)
    assert result.exit_code == 70, result.output  # it was looked at


def test_results_are_of_all_blocks():
    """None is refuted, and nothing is missing."""
    results = json.loads(RESULTS.read_text())
    properties = results["properties"]
    assert {p["block"] for p in properties} == {block.name for block in BLOCKS} | {
        f"{core} ({name})" for name in BUILDS for core in ("encoder", "decoder")
    }  # fmt: skip
    assert {p["result"] for p in properties} <= {"proven", "bounded"}
    assert all(p["depth"] >= 1 for p in properties)
    for kind in ("proven", "bounded"):
        assert results["counts"][kind] == sum(p["result"] == kind for p in properties)
