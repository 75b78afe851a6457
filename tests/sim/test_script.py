"""Scripts: what happens beside the streams, step by step."""

import numpy as np
import pytest

from lutgen.sim import AXIS, SimulationError, Stall, rtl_stream
from lutgen.sim.bench.script_player import ScriptPlayer
from lutgen.sim.drive.script import Script

#: Adds a setting to what passes; full for as long as the output waits; cleared by the reset.
ADDER = """
module adder(input clk, input rst, input [7:0] add, input [7:0] i_tdata, input i_tvalid,
             output i_tready, output [7:0] o_tdata, output o_tvalid, input o_tready, output idle,
             output [7:0] total);
  reg [7:0] data = 0;
  reg full = 0;
  reg [7:0] count = 0;
  assign i_tready = !full || o_tready;
  assign o_tdata = data;
  assign o_tvalid = full;
  assign idle = !full;
  assign total = count;
  always @(posedge clk)
    if (rst) begin full <= 0; count <= 0; end
    else if (i_tready) begin
      full <= i_tvalid;
      data <= i_tdata + add;
      count <= count + i_tvalid;
    end
endmodule
"""


def run(script, beats=20, **options):
    options = {"stalls": {"o": (Stall(), Stall(1.0))}, **options}
    return rtl_stream(
        ADDER, {"i": {"data": np.arange(beats)}}, {"o": ["data"]}, names=AXIS, bus=script,
        controls={"add": 100}, watch=["total", "idle"], **options,
    )  # fmt: skip


def test_settings_change_between_beats():
    script = Script()
    script.send("i", 3)
    script.taken(1)
    script.set(add=50)
    script.send("i", 2)
    script.taken(1)
    end = script.high("idle", 5)
    result = run(script)
    assert result.outputs["o"]["data"].tolist() == [100, 101, 102, 53, 54]
    assert result.steps == tuple(sorted(result.steps)) and len(result.steps) == end + 1
    assert result.clocks == result.steps[end]
    assert len(result.input_clocks["i"]) == 5


def test_reset_drops_what_was_let_and_not_taken():
    script = Script()
    script.stall(1)
    script.send("i", 10)
    script.wait(6)
    at = script.reset(3)
    script.stall(0)
    script.send("i", 4)
    script.taken(1)
    script.high("idle", 3)
    result = run(script)
    # The beat that waited in the design is lost as well.
    assert result.outputs["o"]["data"].tolist() == [110, 111, 112, 113]
    assert (result.output_clocks["o"] >= result.steps[at]).all()
    assert [value for _, value in result.changes["total"]] == [0, 1, 0, 1, 2, 3, 4]


def test_everything_is_sent_without_a_step_that_says_so():
    script = Script()
    script.taken(1)
    assert run(script).outputs["o"]["data"].tolist() == [100 + k for k in range(19)]


def test_patience_does_not_count_while_the_script_waits():
    script = Script()
    script.stall(1)
    script.wait(200)
    script.taken(1)
    result = run(script, patience=50, allow_timeout=True)
    assert result.timed_out and 250 <= result.clocks < 260
    assert len(result.steps) == 2
    with pytest.raises(SimulationError, match=r"waits at step \('taken', 1\)"):
        run(script, patience=50)


@pytest.mark.parametrize(("step", "message"), [
    ({"add": 256}, r"^add must fit 8 bits, not 256$"),
    ({"sub": 1}, r"^a script must set \['add'\], not 'sub'$"),
])  # fmt: skip
def test_wrong_settings(step, message):
    script = Script()
    script.set(**step)
    with pytest.raises(ValueError, match=message):
        run(script)


def test_player_without_steps_is_done():
    player = ScriptPlayer([], [3], controls=5, reset=4)
    assert (player.done, player.word, player.limits) == (True, 5, [3])
