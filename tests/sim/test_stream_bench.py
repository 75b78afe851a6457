import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.sim import AXIS, Design, ProtocolError, SimulationError, Stall, rtl_stream

GOOD, BREAKS_DATA, DROPS_VALID, SILENT, DUPLICATES = range(5)
PIXEL = data.StructLayout({"data": 8, "last": 1})


class Lab(wiring.Component):
    """A one-beat buffer that adds 1; ``mode`` makes it break the rules of streams."""

    i: In(stream.Signature(PIXEL))
    o: Out(stream.Signature(PIXEL))
    mode: In(3)
    count: Out(4)
    idle: Out(1)

    def elaborate(self, platform):
        m = Module()
        full, again = Signal(), Signal()
        m.d.comb += [
            self.o.valid.eq(full & (self.mode != SILENT)),
            self.i.ready.eq(~full | (self.o.ready & ~again & (self.mode != SILENT))),
            self.idle.eq(~full),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [full.eq(again), again.eq(0)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                full.eq(1),
                again.eq(self.mode == DUPLICATES),
                self.o.payload.data.eq(self.i.payload.data + 1),
                self.o.payload.last.eq(self.i.payload.last),
                self.count.eq(self.count + 1),
            ]
        with m.If(self.o.valid & ~self.o.ready):
            with m.If(self.mode == BREAKS_DATA):
                m.d.sync += self.o.payload.data.eq(self.o.payload.data + 1)
            with m.If(self.mode == DROPS_VALID):
                m.d.sync += full.eq(0)
        return m


# Adds two streams, with no register between any of its ports: valid depends on the valid of both
# inputs, each ready on the other's valid. It counts sums above 255, and its reset is active low.
JOIN = """
module join2 (
  input aclk, input aresetn,
  input a_tvalid, output a_tready, input [7:0] a_tdata,
  input b_tvalid, output b_tready, input [69:0] b_tdata,
  output s_tvalid, input s_tready, output [70:0] s_tdata,
  output n_tvalid, input n_tready, output [15:0] n_tdata
);
  reg [15:0] beats = 16'd7;
  wire both = a_tvalid & b_tvalid;
  assign s_tvalid = both, a_tready = both & s_tready, b_tready = both & s_tready;
  assign s_tdata = {1'b0, b_tdata} + {63'd0, a_tdata};
  assign n_tvalid = 1'b1, n_tdata = beats;
  always @(posedge aclk)
    if (!aresetn) beats <= 16'd0;
    else if (s_tvalid & s_tready) beats <= beats + 16'd1;
endmodule
"""


@pytest.fixture(scope="module")
def lab():
    return Design.of(Lab(), "lab")


def drive_lab(lab, length=300, mode=GOOD, **options):
    rng = np.random.default_rng(length)
    beats = {"data": rng.integers(0, 256, length), "last": rng.integers(0, 2, length)}
    if not {"idle", "clocks"} & set(options):
        options.setdefault("expect", {"o": length})
    options.setdefault("max_clocks", 5000)
    result = rtl_stream(
        lab,
        {"i": beats},
        {"o": ["data", "last"]},
        config={"mode": mode},
        # Always the same ports, so that all tests share one build.
        watch=["count", "idle"],
        **options,
    )
    return beats, result


def test_without_stalls_every_clock_takes_a_beat(lab):
    beats, result = drive_lab(lab)
    assert np.array_equal(result.outputs["o"]["data"], (beats["data"] + 1) % 256)
    assert np.array_equal(result.outputs["o"]["last"], beats["last"])
    assert result.input_clocks["i"].dtype == result.output_clocks["o"].dtype == np.int64
    assert np.array_equal(result.input_clocks["i"], np.arange(300))
    assert np.array_equal(result.output_clocks["o"], np.arange(1, 301))
    assert result.clocks == 301 + 64
    assert not result.timed_out and result.before_reset is None
    assert result.status == {"count": 300 % 16, "idle": 1}
    assert result.changes["count"][:3] == [(0, 0), (1, 1), (2, 2)]
    assert result.changes["idle"] == [(0, 1), (1, 0), (301, 1)]


@pytest.mark.parametrize(
    "stalls",
    [
        {"i": Stall(0.3, 1)},
        {"o": Stall(0.6, 2)},
        {"i": Stall(0.5, 3, burst=6), "o": Stall(0.5, 4, burst=9)},
    ],
    ids=["input", "output", "both in bursts"],
)
def test_stalls_change_clocks_but_not_data(lab, stalls):
    beats, result = drive_lab(lab, stalls=stalls)
    assert np.array_equal(result.outputs["o"]["data"], (beats["data"] + 1) % 256)
    assert np.array_equal(result.outputs["o"]["last"], beats["last"])
    assert result.output_clocks["o"][-1] > 350
    if "o" in stalls:
        stalled = np.flatnonzero(stalls["o"].mask(5000))
        assert not np.isin(result.output_clocks["o"], stalled).any()
    again = drive_lab(lab, stalls=stalls)[1]
    assert np.array_equal(again.output_clocks["o"], result.output_clocks["o"])


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        (BREAKS_DATA, r"^data of output 'o' changed from \d+ to \d+ after clock \d+, while it"),
        (DROPS_VALID, r"^valid of output 'o' changed from 1 to 0 after clock \d+, while it"),
    ],
)
def test_changing_a_waiting_beat_is_caught(lab, mode, message):
    with pytest.raises(ProtocolError, match=message):
        drive_lab(lab, mode=mode, stalls={"o": Stall(0.3, 1)}, clocks=2000)


def test_rule_breakers_are_fine_while_nobody_stalls_them(lab):
    _, result = drive_lab(lab, mode=BREAKS_DATA, clocks=400)
    assert len(result.outputs["o"]["data"]) == 300


def test_design_without_output_raises_and_tells_what_it_waits_for(lab):
    with pytest.raises(SimulationError, match="was not over after 500 clocks") as caught:
        drive_lab(lab, mode=SILENT, max_clocks=500)
    assert "i: 1 of 300 beats, last at clock 0; now valid 1 ready 0" in str(caught.value)
    assert "o: 0 beats; now valid 0 ready 1" in str(caught.value)
    _, result = drive_lab(lab, mode=SILENT, max_clocks=500, allow_timeout=True)
    assert result.timed_out and result.clocks == 500
    assert result.outputs["o"]["data"].shape == (0,)


def test_surplus_beats_are_in_the_result(lab):
    _, result = drive_lab(lab, length=20, mode=DUPLICATES, expect={"o": 20})
    assert len(result.outputs["o"]["data"]) == 40


def test_idle_port_ends_the_run(lab):
    _, result = drive_lab(lab, length=50, idle="idle", idle_clocks=10)
    assert result.clocks == 51 + 10
    with pytest.raises(SimulationError, match="not over"):
        drive_lab(lab, length=50, mode=SILENT, idle="idle", max_clocks=300)


def test_reset_in_the_middle_starts_the_input_again(lab):
    beats, result = drive_lab(
        lab, reset_at=100, reset_clocks=3, stalls={"o": Stall(0.3, 1, burst=3)}
    )
    assert np.array_equal(result.outputs["o"]["data"], (beats["data"] + 1) % 256)
    assert result.input_clocks["i"][0] == 103
    before = result.before_reset
    assert before.clocks == 100 and before.output_clocks["o"].max() < 100
    count = len(before.outputs["o"]["data"])
    assert 50 < count < 100
    assert np.array_equal(before.outputs["o"]["data"], (beats["data"][:count] + 1) % 256)
    assert result.changes["count"][0] == (103, 0)


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_two_inputs_and_outputs_with_combinational_handshakes(p):
    rng = np.random.default_rng(9)
    a = rng.integers(0, 256, 200)
    b = np.array([int.from_bytes(rng.bytes(9), "little") >> 2 for _ in range(200)], object)
    result = rtl_stream(
        JOIN,
        {"a": {"data": a}, "b": {"data": b}},
        {"s": ["data"], "n": ["data"]},
        names=AXIS,
        stalls={name: Stall(p, k, burst=2) for k, name in enumerate("abs")},
        expect={"s": 200},
        max_clocks=5000,
    )
    sums = [x + y for x, y in zip(a.tolist(), b.tolist(), strict=False)]
    assert result.outputs["s"]["data"].tolist() == sums
    assert np.array_equal(result.input_clocks["a"], result.output_clocks["s"])
    assert np.array_equal(result.input_clocks["b"], result.output_clocks["s"])
    before = np.searchsorted(result.output_clocks["s"], result.output_clocks["n"])
    if p == 0:
        assert np.array_equal(result.outputs["n"]["data"], before)


def test_count_that_changes_while_it_waits_is_caught_among_several_outputs():
    with pytest.raises(ProtocolError, match="^data of output 'n' changed from 0 to 1 after"):
        rtl_stream(
            JOIN,
            {"a": {"data": [1, 2]}, "b": {"data": [3, 4]}},
            {"s": ["data"], "n": ["data"]},
            names=AXIS,
            stalls={"n": Stall(1.0)},
            clocks=50,
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expect": None}, "^exactly one of expect, idle, clocks and bus must be given$"),
        ({"expect": {"o": 1}, "clocks": 5}, "^exactly one of expect, idle, clocks and bus"),
        ({"expect": {"x": 1}}, r"^expect must name streams of the design, not \['x'\]$"),
        ({"expect": {"o": 1}, "stalls": {"x": Stall()}}, "^stalls must name streams"),
        ({"expect": {"o": 1}, "reset_at": -1}, "^reset_at must be at least 0"),
        ({"clocks": 0}, "^number of clocks must be at least 1, not 0$"),
        ({"clocks": 5, "config": {}}, "^input 'mode' of 'lab' must be driven or given in config$"),
        ({"clocks": 5, "watch": ["nothing"]}, "^port must be one of .*; not 'nothing'$"),
    ],
)
def test_wrong_arguments_are_refused(lab, options, message):
    arguments = {"config": {"mode": 0}, **options}
    with pytest.raises(ValueError, match=message):
        rtl_stream(lab, {"i": {"data": [1], "last": [0]}}, {"o": ["data"]}, **arguments)


def test_fields_of_a_stream_must_be_of_one_length(lab):
    with pytest.raises(ValueError, match="^fields of 'i' must be of one length"):
        rtl_stream(
            lab, {"i": {"data": [1], "last": []}}, {"o": ["data"]}, config={"mode": 0}, clocks=5
        )


def test_share_and_length_of_stalls():
    assert not Stall().mask(1000).any()
    assert Stall(1.0).mask(1000).all()
    for burst in (None, 1, 8):
        mask = Stall(0.3, 5, burst=burst).mask(200_000)
        assert mask.mean() == pytest.approx(0.3, rel=0.05)
        starts = np.count_nonzero(mask[1:] & ~mask[:-1])
        expected = 1 / 0.7 if burst is None else burst
        assert mask.sum() / starts == pytest.approx(expected, rel=0.05)
    assert np.array_equal(Stall(0.3, 5).mask(500), Stall(0.3, 5).mask(500))
    assert not np.array_equal(Stall(0.3, 5).mask(500), Stall(0.3, 6).mask(500))
    with pytest.raises(ValueError, match=r"^share of stalled clocks must be 0 to 1, not 1\.5$"):
        Stall(1.5)
    with pytest.raises(ValueError, match=r"^mean length of a stall must be at least 1, not 0$"):
        Stall(0.5, burst=0)


@pytest.mark.slow
def test_long_run_is_fast(lab):
    _, result = drive_lab(lab, length=200_000, max_clocks=1_000_000)
    # Far below what an idle machine does (see the module), so that a busy one passes.
    assert result.clocks_per_second > 5000
