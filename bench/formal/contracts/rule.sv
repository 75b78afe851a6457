// A rule that the neighbours keep: assumed, not proven.
module rule (input clk, rst, holds);
  always @* if (!rst) assume (holds);
endmodule
