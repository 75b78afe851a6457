// A writer that heeds no READY, but ROOM: COUNT more writes from the clock in which it falls.
// Assumed, not proven.
module room #(parameter COUNT = 4, PIPELINE = 0) (input clk, rst, write, room);
  generate
    if (PIPELINE) begin : late
      // A write follows PIPELINE clocks after a clock with room.
      reg [PIPELINE-1:0] seen;
      always @(posedge clk) seen <= rst ? 0 : {seen, room};
      always @* if (write) assume (seen[PIPELINE-1]);
    end else begin : now
      reg [$clog2(COUNT+1)-1:0] left;
      always @(posedge clk) left <= rst ? 0 : room ? COUNT : left - write;
      always @* if (write) assume (room || left != 0);
    end
  endgenerate
endmodule
