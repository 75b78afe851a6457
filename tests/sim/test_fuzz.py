"""Fuzzing: the driver sees what is wrong with a core, references agree, and cores stand damage."""

from dataclasses import replace

import numpy as np
import pytest

from bench.mutants import BUILDS
from lutgen.build.codec import build, load_build
from lutgen.model.shipped import shipped
from lutgen.sim.check.check import checked_build
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.fuzz.campaign import campaign
from lutgen.sim.fuzz.counters import counted, read_counters
from lutgen.sim.fuzz.damage import KINDS, RESET
from lutgen.sim.fuzz.encoder import taken
from lutgen.sim.fuzz.native import BEAT, WRONG, Segment, beats_of, build_native, forgetful
from lutgen.sim.tool.design import Design
from tests.tiers import all_exhaustive

#: Gives back each pixel as a byte.  ``width`` says what is wrong, as `WRONG` counts it from 1 on;
#: 6 gives without end.
ECHO = """module echo(clk, rst, s_axis_video_tdata, s_axis_video_tuser, s_axis_video_tlast,
  s_axis_video_tvalid, s_axis_video_tready, m_axis_stream_tdata, m_axis_stream_tkeep,
  m_axis_stream_tlast, m_axis_stream_tvalid, m_axis_stream_tready, width, idle, error, clear_error);
  input clk, rst, s_axis_video_tuser, s_axis_video_tlast, s_axis_video_tvalid, m_axis_stream_tready;
  input clear_error;
  input [7:0] s_axis_video_tdata;
  input [2:0] width;
  output [7:0] m_axis_stream_tdata;
  output s_axis_video_tready, m_axis_stream_tkeep, m_axis_stream_tlast, m_axis_stream_tvalid, idle;
  output reg error = 1'h0;
  reg valid = 1'h0;
  reg last = 1'h0;
  reg [7:0] data = 8'h00;
  reg [7:0] count = 8'h00;
  wire free = ~valid | m_axis_stream_tready;
  assign s_axis_video_tready = free & (width != 1);
  assign m_axis_stream_tvalid = valid | (width == 6);
  assign m_axis_stream_tkeep = 1'h1;
  assign m_axis_stream_tdata = width == 2 ? data ^ count : data;
  assign m_axis_stream_tlast = last;
  assign idle = (width == 3) | ~(valid | s_axis_video_tvalid);
  always @(posedge clk) begin
    count <= count + 8'h01;
    if (free) begin
      valid <= s_axis_video_tvalid & s_axis_video_tready;
      data <= s_axis_video_tdata;
      last <= s_axis_video_tlast;
    end
    if (clear_error & (width != 4)) error <= 1'h0;
    if (s_axis_video_tvalid & s_axis_video_tready & s_axis_video_tuser) error <= 1'h1;
    if (rst) begin
      valid <= 1'h0;
      error <= width == 5;
    end
  end
endmodule
"""


@pytest.fixture(scope="module")
def echo():
    return build_native(forgetful(Design.of(ECHO, "echo")), "encoder")


def test_the_driver_tells_what_is_wrong(echo):
    beats = beats_of(raster_beats(np.arange(12, dtype=np.uint8).reshape(1, 3, 4)))
    options = {"stall_in": 0.3, "stall_out": 0.5}
    segments = []
    for wrong in range(7):
        segments += [
            Segment(beats, fresh=wrong + 1, reset=2, settings={"width": wrong}, **options),
            Segment(beats[:2], reset=1),
        ]
    found = echo.run(segments, patience=100)
    good, *bad = found[::2]
    assert (good.wrong, good.error, good.taken) == ((), 1, 12)
    np.testing.assert_array_equal(good.beats["data"], beats["data"])
    np.testing.assert_array_equal(good.beats["last"], beats["last"])
    assert [outcome.wrong for outcome in bad[:5]] == [(text,) for text in WRONG]
    assert [outcome.hangs for outcome in bad] == [True, False, False, False, False, True]


def test_errors_are_counted(echo):
    beats = beats_of(raster_beats(np.zeros((3, 2, 4), np.uint8)))
    for count, pulses in ((True, (3, 0, 0, 0)), (False, (0, 0, 0, 0))):
        (found,) = echo.run([Segment(beats, fresh=1, reset=1, count=count)], patience=100)
        assert (found.wrong, found.error, found.pulses) == ((), 1, pulses)


def test_a_segment_that_ends_early(echo):
    beats = np.zeros(50, BEAT)
    segments = [
        Segment(beats, fresh=1, reset=1, limit=20),
        Segment(beats, reset=1, stall_out=1.0, limit=20),
        Segment(beats, reset=1, burst=5, stall_in=0.5, stall_out=0.5, seed=3),
    ]
    early, stalled, last = echo.run(segments, patience=100)
    assert (early.clocks, early.taken) == (20, 20)
    assert (stalled.taken, len(stalled.beats)) == (1, 0)
    assert last.clocks > 150 and len(last.beats) == 50


def test_counters(tmp_path):
    """Of registers, the top's ports and arms, which count once; not of wires and memories."""
    text = ECHO.replace("  always @(posedge clk) begin\n", """  reg [7:0] memory [3:0];
  wire never = width == 7;
  always @(posedge clk) begin
    if (rst) begin
      memory[0] <= 8'h00;
    end
    if (never) begin
      memory[1] <= data;
    end
""")
    design = counted(Design.of(text, "echo"))
    native = build_native(design, "encoder", counted=True)
    beats = beats_of(raster_beats(np.zeros((2, 3, 4), np.uint8)))
    beats["data"] = np.arange(24) & 15
    script = [Segment(beats, fresh=1, reset=2), Segment(beats, reset=1)]
    native.run(script, patience=100, counters=tmp_path / "counters")
    counts = read_counters(tmp_path / "counters", design)
    hit = {(p.name, p.bit, p.way): count > 0 for p, count in counts.items()}
    for name, bit, way, wanted in (
        ("data", 3, "0->1", True), ("data", 4, "0->1", False), ("error", 0, "0->1", True),
        ("s_axis_video_tdata", 3, "1->0", True), ("width", 2, "0->1", False),
        ("if (rst)", -1, "if", True), ("if (rst)", -1, "else", True),
        ("if (never)", -1, "if", False), ("if (never)", -1, "else", True),
        ("if (free)", -1, "if", True),
    ):  # fmt: skip
        assert hit[name, bit, way] == wanted, name
    assert {point.module for point in counts} == {"echo"}
    assert not {"free", "never", "memory"} & {point.name for point in counts}


@pytest.mark.parametrize(("options", "message"), [
    ({"fresh": 1}, "reset of a new core must be at least one clock, not 0"),
    ({"stall_out": 1.0}, "a segment whose output is never ready must have a limit, not 0"),
])
def test_segments_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Segment(np.zeros(1, BEAT), **options)


def test_forgetful_keeps_tables():
    text = """module top(clk, a, y);
  input clk;
  input [1:0] a;
  output reg [3:0] y = 4'h0;
  reg [3:0] rom [3:0];
  initial $readmemh("/rom.mem", rom);
  reg [3:0] ram [3:0];
  initial $readmemh("/zeros.mem", ram, 0, 3);
  reg kept = 1'h1;
  always @(posedge clk) y <= rom[a] ^ ram[a];
  always @(posedge clk)
    ram[a] <= rom[a];
endmodule
"""
    found = forgetful(Design("top", (text,), {"clk": None})).texts[0]
    assert "/rom.mem" in found and "/zeros.mem" not in found
    assert "reg [3:0] y ;" in found and "reg kept ;" in found


@pytest.mark.parametrize(("wrong", "files", "rest", "errors"), [
    ({}, 2, 0, set()),
    ({"side": {6: 1}}, 2, 0, {"bad_marker"}),
    ({"side": {0: 0}}, 1, 11, {"bad_marker"}),
    ({"last": {2: 0}}, 2, 0, {"bad_marker"}),
])
def test_what_an_encoder_takes(wrong, files, rest, errors):
    images = np.arange(24).reshape(2, 4, 3)
    beats = beats_of(raster_beats(images.astype(np.uint8)))
    for name, changes in wrong.items():
        for at, value in changes.items():
            beats[name][at] = value
    found = taken(beats, 3, 4, 1, possible=True)
    # Without its start a picture is dropped, up to the start of the next one.
    assert (len(found.files), len(found.pixels), found.errors) == (
        (1, 0, errors) if wrong.get("side") == {0: 0} else (files, rest, errors)
    )
    assert taken(beats[:3], 0, 4, 1, possible=False).errors <= {"bad_size", "bad_marker"}


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    found = {}
    for name in BUILDS:
        out = tmp_path_factory.mktemp(name) / "build"
        build("zynq7045", shipped(name), BUILDS[name], out=out, estimate=False)
        found[name] = checked_build(load_build(out))
    return found


@pytest.mark.exhaustive
@pytest.mark.parametrize("model", BUILDS)
def test_the_reference_of_decoders_agrees_with_the_codec(builds, model):
    """On good files, and on damaged ones that the codec takes."""
    fuzz = campaign(builds[model], "decoder", 3)
    taken = set()
    for stream in (s for case in fuzz.cases(40 * len(KINDS)) for s in case.streams):
        software = fuzz.files.software(stream.data)
        if software is not None and not stream.expected.errors:
            taken.add(stream.kind)
            for image, frame in zip(software, stream.expected.frames, strict=True):
                np.testing.assert_array_equal(image, frame.samples)
        elif software is None:
            assert stream.expected.errors
    assert {"none", RESET, "header field"} <= taken


@pytest.mark.slow
@pytest.mark.parametrize("core", ["encoder", "decoder"])
@pytest.mark.parametrize("model", ["photo", *all_exhaustive(["digits"])])
def test_cores_stand_damage(builds, model, core):
    checked = builds[model]
    native = build_native(forgetful(checked.design(core)), core)
    fuzz = campaign(checked, core, 2)
    fuzz.run(native, 260)
    assert fuzz.report.streams == 260
    assert fuzz.report.problems == []
    tallies = fuzz.report.kinds
    assert not any(tally.hangs for tally in tallies.values())
    assert tallies["none"].harmless == tallies["none"].streams
    assert sum(tally.detected for tally in tallies.values()) > 130


@pytest.mark.slow
@pytest.mark.parametrize("core", ["encoder", "decoder"])
@pytest.mark.parametrize("model", ["photo", *all_exhaustive(["digits"])])
def test_cores_begin_in_any_state(builds, model, core):
    """Whatever registers and memories hold before a reset, which may be of one clock."""
    checked = builds[model]
    native = build_native(forgetful(checked.design(core)), core)
    fuzz = campaign(checked, core, 11)
    fuzz.life = 1
    fuzz.run(native, 100)
    assert fuzz.report.problems == []


@pytest.mark.slow
def test_what_a_decoder_does_wrong_is_told(builds):
    """Judged by what must become of other streams, and with an error that must not be."""
    checked = builds["photo"]
    native = build_native(forgetful(checked.design("decoder")), "decoder")
    fuzz = campaign(checked, "decoder", 2)
    cases = [case for case in fuzz.cases(80) if len(case.streams) == 1 and RESET not in case.kinds]
    one = next(c for c in cases if set(c.streams[0].expected.errors) == {"bad_strip"})
    two = next(c for c in cases if set(c.streams[0].expected.errors) == {"bad_packet"})
    (outcomes,) = fuzz.outcomes(native, [replace(one, segments=(
        replace(one.segments[0], fresh=1, reset=1),
    ))])  # fmt: skip
    fuzz.judge(one, outcomes)
    assert fuzz.report.problems == []
    fuzz.judge(two, outcomes)
    wrong = outcomes[0].beats.copy()
    wrong["data"][-1] ^= 1
    fuzz.judge(one, [replace(outcomes[0], beats=wrong)])
    fuzz.judge(one, [replace(outcomes[0], error=outcomes[0].error | 1)])
    first, second, third = (problem["problems"] for problem in fuzz.report.problems)
    assert any("errors must be bad_packet, not bad_strip" in text for text in first)
    assert len(second) == 1 and "differs at 1 pixels" in second[0]
    assert third == ["errors must be bad_strip, not bad_header, bad_strip"]
    assert sum(tally.wrong for tally in fuzz.report.kinds.values()) == 3
