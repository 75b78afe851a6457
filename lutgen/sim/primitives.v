// Behavioural models of the FPGA primitives that lutgen's Verilog may instantiate.
module LUT6 #(parameter [63:0] INIT = 64'd0) (
  output O,
  input I0, input I1, input I2, input I3, input I4, input I5
);
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule
