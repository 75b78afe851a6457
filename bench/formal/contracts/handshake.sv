// Handshake of a source (AXI4-Stream, ARM IHI 0051, section 2.2; AXI4-Lite, ARM IHI 0022, A3.2).
//
// valid_stays    once up, VALID stays until READY, whatever comes in
// payload_stays  ... and so does all that goes with it
// reset_quiet    VALID is down in the clock after one of reset
module handshake #(parameter WIDTH = 1) (
  input clk, rst, valid, ready,
  input [WIDTH-1:0] payload
);
  reg waits = 0, was_reset = 0;
  reg [WIDTH-1:0] kept;
  always @(posedge clk) begin
    waits <= valid & ~ready & ~rst;
    kept <= payload;
    was_reset <= rst;
  end
  always @* begin
    if (waits) begin
      valid_stays: assert (valid);
      payload_stays: assert (payload == kept);
    end
    if (was_reset) reset_quiet: assert (!valid);
  end
endmodule
