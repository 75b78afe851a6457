// Sends the beats of a file in turn, `frames` times; in `stall` percent of the clocks it offers
// nothing new. VALID never falls without READY.
module @NAME@_tb_source #(
  parameter FILE = "",
  parameter integer WIDTH = 8,
  parameter integer COUNT = 1,
  parameter [31:0] SALT = 32'd1
) (
  input wire clk,
  input wire rst,
  input wire go,
  input wire [31:0] stall,
  input wire [31:0] seed,
  input wire [31:0] frames,
  output wire [WIDTH-1:0] beat,
  output reg valid,
  input wire ready,
  output wire done
);
  reg [WIDTH-1:0] beats [0:COUNT-1];
  reg [31:0] at, left;
  wire [31:0] random;
  wire stalled = random % 100 < stall;
  wire [32*(WIDTH/32+1)-1:0] noise = {(WIDTH/32 + 1){random}};

  initial begin
    valid = 1'b0;
    $readmemh(FILE, beats, 0, COUNT - 1);
    if (^beats[COUNT-1] === 1'bx) begin
      $display("FAIL: %0s must have %0d words: simulate in its folder", FILE, COUNT);
      $fatal(1);
    end
  end
  @NAME@_tb_random #(.SALT(SALT)) dice (.clk(clk), .seed(seed), .state(random));

  // Data without VALID must not matter, so it is noise.
  assign beat = valid ? beats[at] : noise[WIDTH-1:0];
  assign done = left == 0;
  always @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;
      at <= 0;
      left <= frames;
    end else begin
      if (valid & ready) begin
        at <= at == COUNT - 1 ? 0 : at + 1;
        left <= left - {31'd0, at == COUNT - 1};
      end
      if (ready | ~valid)
        valid <= go & ~stalled & (left > 1 || left == 1 && !(valid && at == COUNT - 1));
    end
  end
endmodule

// Takes beats and compares each with the file's: FAIL at the first that differs. In `stall` percent
// of the clocks it is not ready. Of TDATA, the lowest BYTES bytes of a beat, only those are compared
// that the KEEP bits above it keep; with KEEP 0, all.
module @NAME@_tb_sink #(
  parameter FILE = "",
  parameter PORT = "",
  parameter integer WIDTH = 8,
  parameter integer COUNT = 1,
  parameter integer BYTES = 1,
  parameter integer KEEP = 0,
  parameter [31:0] SALT = 32'd2
) (
  input wire clk,
  input wire rst,
  input wire [31:0] stall,
  input wire [31:0] seed,
  input wire [31:0] frames,
  input wire [WIDTH-1:0] beat,
  input wire valid,
  output reg ready,
  output wire done
);
  reg [WIDTH-1:0] beats [0:COUNT-1];
  reg [WIDTH-1:0] mask, held;
  reg waits;
  reg [31:0] at, left, number;
  wire [31:0] random;
  wire stalled = random % 100 < stall;
  wire [WIDTH-1:0] expected = beats[at];
  integer k;

  initial begin
    ready = 1'b0;
    waits = 1'b0;
    $readmemh(FILE, beats, 0, COUNT - 1);
    if (^beats[COUNT-1] === 1'bx) begin
      $display("FAIL: %0s must have %0d words: simulate in its folder", FILE, COUNT);
      $fatal(1);
    end
  end
  @NAME@_tb_random #(.SALT(SALT)) dice (.clk(clk), .seed(seed), .state(random));

  always @* begin
    mask = {WIDTH{1'b1}};
    for (k = 0; k < KEEP; k = k + 1)
      mask[8*k +: 8] = {8{expected[8*BYTES + k]}};
  end

  assign done = left == 0;
  always @(posedge clk) begin
    if (rst) begin
      ready <= 1'b0;
      waits <= 1'b0;
      at <= 0;
      number <= 0;
      left <= frames;
    end else begin
      ready <= ~stalled;
      waits <= valid & ~ready;
      held <= beat;
      if (valid === 1'bx || waits && (!valid || beat !== held)) begin
        $display("FAIL: %0s: beat %0d must stay until it is taken", PORT, number);
        $fatal(1);
      end
      if (valid & ready) begin
        if (done) begin
          $display("FAIL: %0s: more than the %0d beats of the reference", PORT, number);
          $fatal(1);
        end else if ((beat & mask) !== (expected & mask)) begin
          $display("FAIL: %0s: beat %0d must be %h, not %h", PORT, number, expected, beat);
          $fatal(1);
        end
        at <= at == COUNT - 1 ? 0 : at + 1;
        number <= number + 1;
        left <= left - {31'd0, at == COUNT - 1};
      end
    end
  end
endmodule

// Random numbers, the same with every simulator: xorshift of 32 bits, G. Marsaglia, "Xorshift
// RNGs", 2003.
module @NAME@_tb_random #(
  parameter [31:0] SALT = 32'd1
) (
  input wire clk,
  input wire [31:0] seed,
  output reg [31:0] state
);
  wire [31:0] a = state ^ state << 13, b = a ^ a >> 17;
  initial state = 32'd0;
  // Zero, which leads nowhere, is left at the first clock.
  always @(posedge clk) state <= state == 0 ? (seed ^ SALT * 32'h9E3779B9) | 32'd1 : b ^ b << 5;
endmodule

// Watches one core: FAIL at an error, and where no stream moves for `limit` clocks. `ok` when all
// beats have passed and the core has then been idle for a while without one more.
module @NAME@_tb_watch #(
  parameter CORE = "",
  parameter IN = "",
  parameter OUT = "",
  parameter [31:0] IN_COUNT = 32'd1,
  parameter [31:0] OUT_COUNT = 32'd1
) (
  input wire clk,
  input wire rst,
  input wire [31:0] limit,
  input wire [31:0] frames,
  input wire moved,
  input wire done,
  input wire idle,
  input wire [31:0] error,
  output reg ok
);
  reg [31:0] quiet, calm, now, first, last;
  reg begun;
  initial ok = 1'b0;
  always @(posedge clk) begin
    if (rst) begin
      ok <= 1'b0;
      begun <= 1'b0;
      quiet <= 0;
      calm <= 0;
      now <= 0;
    end else begin
      now <= now + 1;
      quiet <= moved ? 0 : quiet + 1;
      calm <= idle & done & ~moved ? calm + 1 : 0;
      if (moved) begin
        last <= now;
        begun <= 1'b1;
        if (~begun) first <= now;
      end
      if (error !== 32'd0) begin
        $display("FAIL: %0s: error bits must be 0, not %b", CORE, error);
        $fatal(1);
      end
      if (~ok & quiet == limit) begin
        if (done) $display("FAIL: %0s: not idle within %0d clocks", CORE, limit);
        else $display("FAIL: %0s: nothing has moved for %0d clocks", CORE, limit);
        $fatal(1);
      end
      if (~ok & calm == 64) begin
        ok <= 1'b1;
        $display("%0s: %0d %0s to %0d %0s as expected, %0d clocks from first beat to last", CORE,
                 frames * IN_COUNT, IN, frames * OUT_COUNT, OUT, last - first + 1);
      end
    end
  end
endmodule
