// Nothing in the clock after: assumed, not proven.
module pause (input clk, rst, before, event_);
  reg paused = 0;
  always @(posedge clk) paused <= before & ~rst;
  always @* if (paused) assume (!event_);
endmodule
