// What comes before says of the packets that it gives: assumed, not proven.
//
// A beat without bytes is a packet of its own, which has none.  With FULL, bytes stand in the lowest
// places, beats but a packet's last are full, and none is without bytes.
module packets_given #(parameter COUNT = 4, FULL = 0) (
  input clk, rst, valid, ready, last, input [8*COUNT-1:0] data, input [COUNT-1:0] keep
);
  reg first;
  always @(posedge clk) first <= rst | (valid & ready ? last : first);
  always @* if (valid) begin
    assume (|keep || (first && last && !FULL));
    if (FULL) assume ((keep & (keep + 1)) == 0 && (last || &keep));
  end
endmodule
