// Models of the FPGA primitives that lutgen's Verilog instantiates, for simulators that have none.
//
// Two simulators say who they are by a macro, Verilator and Icarus Verilog, and get the models. To
// every other tool this file is empty: synthesis and the vendor's simulator have primitives of their
// own. Another simulator without them gets the models with LUTGEN_PRIMITIVES defined; a simulation
// that brings its own LUT6 keeps it with LUTGEN_LUT6 defined.
`ifdef VERILATOR
  `define LUTGEN_PRIMITIVES
`endif
`ifdef __ICARUS__
  `define LUTGEN_PRIMITIVES
`endif
`ifdef LUTGEN_PRIMITIVES
`ifndef LUTGEN_LUT6  // once, where several builds stand in one design
`define LUTGEN_LUT6
module LUT6 #(parameter [63:0] INIT = 64'd0) (
  output O,
  input I0, input I1, input I2, input I3, input I4, input I5
);
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule
`endif
`endif
