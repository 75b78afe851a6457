// What a neighbour promises of its VALID (ARM IHI 0051, section 2.2.1): assumed, not proven.
module offers #(parameter WIDTH = 1) (
  input clk, rst, valid, ready,
  input [WIDTH-1:0] payload
);
  reg waits = 0;
  reg [WIDTH-1:0] kept;
  always @(posedge clk) begin
    waits <= valid & ~ready & ~rst;
    kept <= payload;
  end
  always @* if (waits) assume (valid && payload == kept);
endmodule
