// Slave of AXI4-Lite (ARM IHI 0022, A3.2 and B1).  The master's VALIDs stay up with what they go with.
//
// write_answered_once  no answer to a write before its address and its data, nor a second one
// write_answered       ... and it comes WRITE clocks after the later of them
// write_one            no more than one address, or data, is taken before the answer has left
// read_answered_once   no answer to a read before its address, nor a second one
// read_answered        ... and it comes READ clocks after it
// read_one             no more than one address is taken before the answer has left
// write_ready, read_ready  the bus is ready again in the clock after an answer has left
// write_code, read_code    answers are OKAY or SLVERR
//
// Stable answers and silence after a reset are what handshake.sv says; bind it to both channels.
module axi_lite #(parameter WRITE = 4, READ = 3) (
  input clk, rst,
  input awvalid, awready, wvalid, wready, bvalid, bready, input [1:0] bresp,
  input arvalid, arready, rvalid, rready, input [1:0] rresp
);
  reg address, data, asked;                   // has been taken and not been answered
  reg [2:0] write_waits, read_waits;          // clocks since all of it was taken
  reg write_left, read_left;                  // an answer has left in the clock before
  wire write = address & data;
  wire write_leaves = bvalid & bready, read_leaves = rvalid & rready;
  always @(posedge clk)
    if (rst) begin
      address <= 0;
      data <= 0;
      asked <= 0;
      write_waits <= 0;
      read_waits <= 0;
      write_left <= 0;
      read_left <= 0;
    end else begin
      address <= (address & ~write_leaves) | (awvalid & awready);
      data <= (data & ~write_leaves) | (wvalid & wready);
      asked <= (asked & ~read_leaves) | (arvalid & arready);
      write_waits <= write & ~bvalid ? write_waits + 1 : 0;
      read_waits <= asked & ~rvalid ? read_waits + 1 : 0;
      write_left <= write_leaves;
      read_left <= read_leaves;
    end
  always @* if (!rst && !$initstate) begin
    if (bvalid) write_answered_once: assert (write);
    write_answered: assert (write_waits < WRITE);
    write_one: assert (!(address & awready) && !(data & wready));
    if (rvalid) read_answered_once: assert (asked);
    read_answered: assert (read_waits < READ);
    read_one: assert (!(asked & arready));
    if (write_left) write_ready: assert (awready & wready);
    if (read_left) read_ready: assert (arready);
    if (bvalid) write_code: assert (!bresp[0]);
    if (rvalid) read_code: assert (!rresp[0]);
  end
endmodule
