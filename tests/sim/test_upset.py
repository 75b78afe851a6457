"""Noise before each reset: what a reset leaves out is seen."""

import numpy as np

from lutgen.sim import Design, rtl_stream
from lutgen.sim.check.upset import upset
from lutgen.sim.drive.stream import AXIS

#: Counts beats twice, once without a reset; and shows a memory that it writes, and a table.
TEXT = r"""module top(clk, rst, m_tready, m_tvalid, m_tdata, m_tlost, m_twide, m_tkept, m_ttable);
  input clk;
  input rst;
  input m_tready;
  output m_tvalid;
  reg m_tvalid = 1'h0;
  output [7:0] m_tdata;
  wire [7:0] m_tdata;
  output [7:0] m_tlost;
  wire [7:0] m_tlost;
  output [69:0] m_twide;
  reg [69:0] m_twide = 70'h0;
  output [39:0] m_tkept;
  wire [39:0] m_tkept;
  output [3:0] m_ttable;
  wire [3:0] m_ttable;
  reg n1;
  reg [7:0] n2;
  wire [7:0] n3;
  reg [7:0] \count$1 = 8'h00;
  reg [7:0] lost = 8'h00;
  reg [39:0] kept [3:0];
  reg [3:0] rows [3:0];
  initial $readmemh("zeros.mem", kept, 0, 3);
  initial $readmemh("zeros.mem", rows, 0, 3);
  assign m_tdata = \count$1 ;
  assign m_tlost = lost;
  assign m_tkept = kept[1];
  assign m_ttable = rows[1];
  assign n3 = lost + 1'h1;
  always @(posedge clk) begin
    if (rst)
      kept[0] <= 40'h0;
  end
  always @* begin
    n1 = 1'h1;
    if (rst) begin
      n1 = 1'h0;
    end
  end
  always @* begin
    n2 = \count$1  + 1'h1;
    if (rst) begin
      n2 = 8'h00;
    end
  end
  always @(posedge clk)
    m_tvalid <= n1;
  always @(posedge clk)
    \count$1  <= n2;
  always @(posedge clk)
    lost <= n3;
  always @(posedge clk)
    m_twide <= m_twide;
endmodule
"""


def test_what_no_reset_clears(tmp_path):
    (tmp_path / "zeros.mem").write_text("0\n" * 4)
    (tmp_path / "top.v").write_text(TEXT)
    design = Design.of(tmp_path / "top.v", "top")
    fields = ["data", "lost", "wide", "kept", "table"]
    first = {
        name: rtl_stream(
            some, {}, {"m": fields}, names=AXIS, expect={"m": 20}, reset_at=9, reset_clocks=1,
        )
        for name, some in (("plain", design), ("upset", upset(design)))
    }  # fmt: skip
    for run in (first["plain"], first["plain"].before_reset):
        values = {name: int(run.outputs["m"][name][0]) for name in fields}
        assert values | {"data": 0, "lost": 0} == values | {"data": 0, "lost": 0}
        assert values["wide"] == values["kept"] == values["table"] == 0
    found = []
    for run in (first["upset"], first["upset"].before_reset):
        values = {name: int(run.outputs["m"][name][0]) for name in fields}
        # What is reset and a table are as before; the rest is noise, in all of its bits.
        assert values["data"] == int(first["plain"].outputs["m"]["data"][0])
        assert values["table"] == 0
        assert values["wide"] >> 64 and values["wide"] & (1 << 64) - 1
        assert values["kept"] >> 32 and values["kept"] & (1 << 32) - 1
        found.append((values["lost"], values["wide"]))
    assert found[0] != found[1], "each reset meets other noise"
    np.testing.assert_array_equal(
        first["upset"].outputs["m"]["data"], first["plain"].outputs["m"]["data"]
    )
