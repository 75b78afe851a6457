
// Writes and reads registers over AXI4-Lite, one at a time. All inputs of the core change at falling
// edges, so that no order of events matters at the rising ones.
module @NAME@_tb_bus #(
  parameter CORE = "",
  parameter integer ADDRESS = 7
) (
  input wire clk,
  output reg [ADDRESS-1:0] awaddr,
  output reg awvalid,
  input wire awready,
  output reg [31:0] wdata,
  output wire [3:0] wstrb,
  output reg wvalid,
  input wire wready,
  input wire [1:0] bresp,
  input wire bvalid,
  output reg bready,
  output reg [ADDRESS-1:0] araddr,
  output reg arvalid,
  input wire arready,
  input wire [31:0] rdata,
  input wire [1:0] rresp,
  input wire rvalid,
  output reg rready
);
  reg [31:0] word;
  assign wstrb = 4'b1111;
  initial begin
    awvalid = 1'b0;
    wvalid = 1'b0;
    bready = 1'b0;
    arvalid = 1'b0;
    rready = 1'b0;
  end

  task write(input [ADDRESS-1:0] address, input [31:0] value);
    reg address_taken, value_taken;
    begin
      @(negedge clk);
      awaddr = address;
      wdata = value;
      awvalid = 1'b1;
      wvalid = 1'b1;
      while (awvalid | wvalid) begin
        address_taken = awready;
        value_taken = wready;
        @(negedge clk);
        if (address_taken) awvalid = 1'b0;
        if (value_taken) wvalid = 1'b0;
      end
      bready = 1'b1;
      while (!bvalid) @(negedge clk);
      respond(address, bresp);
      @(negedge clk);
      bready = 1'b0;
    end
  endtask

  // Leaves what it reads in `word`.
  task read(input [ADDRESS-1:0] address);
    begin
      @(negedge clk);
      araddr = address;
      arvalid = 1'b1;
      while (!arready) @(negedge clk);
      @(negedge clk);
      arvalid = 1'b0;
      rready = 1'b1;
      while (!rvalid) @(negedge clk);
      word = rdata;
      respond(address, rresp);
      @(negedge clk);
      rready = 1'b0;
    end
  endtask

  // Reads until the bits of a mask have a value.
  task until_is(input [ADDRESS-1:0] address, input [31:0] mask, input [31:0] value);
    begin
      read(address);
      while ((word & mask) !== value) read(address);
    end
  endtask

  task must_be(input [ADDRESS-1:0] address, input [31:0] mask, input [31:0] value);
    begin
      read(address);
      if ((word & mask) !== value) begin
        $display("FAIL: %0s: register %h must read %h in the bits %h, not %h", CORE, address, value,
                 mask, word);
        $fatal(1);
      end
    end
  endtask

  task respond(input [ADDRESS-1:0] address, input [1:0] response);
    if (response !== 2'b00) begin
      $display("FAIL: %0s: register %h answers with an error", CORE, address);
      $fatal(1);
    end
  endtask
endmodule
