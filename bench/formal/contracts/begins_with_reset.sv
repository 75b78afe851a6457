// The first clock is one of reset.  Registers hold anything before it, so that what is proven holds
// after one clock of reset in any state, the one of power-up and those in mid-packet included.  Later
// resets may come at any time.
module begins_with_reset (input clk, rst);
  always @* if ($initstate) assume (rst);
endmodule
