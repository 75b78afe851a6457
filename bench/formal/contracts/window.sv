// A packet's words as a string of bits, of which up to 16 are taken at a time (BitWindow).
//
// An arbitrary bit is marked when its word comes, see beats.sv; or one of the zeros behind the end.
// Assumed: nothing is reserved that is not there, nothing is taken that was not reserved.
//
// no_underrun  what was reserved is there when it is taken
// bit_kept     the marked bit leaves at its turn, four clocks after it is taken
// exact_tells  EXACT tells whether as many bits were taken as the packet has, four clocks later
module window #(parameter COUNT = 4) (
  input clk, rst,
  input put, last, input [8*COUNT-1:0] data, input [COUNT-1:0] keep, input discard,
  input reserve, enough, taken, input [4:0] count, input [15:0] bits, input ended, exact
);
  localparam WIDTH = 8 * COUNT, BITS = $clog2(40 * WIDTH);
  (* anyseq *) wire choose;
  (* anyseq *) wire [$clog2(WIDTH)-1:0] which;   // bit of the word in the string's order
  wire [$clog2(COUNT + 1)-1:0] byte_ = which / 8;
  reg [BITS-1:0] inside, ahead, reserved;
  reg marked, kept, over;                        // over: more were taken than there are
  reg [3:0] hit, place;
  reg [2:0] quiet;                               // clocks without a word or bits taken
  integer k;
  reg [$clog2(WIDTH+1)-1:0] comes;
  always @* begin
    comes = 0;
    for (k = 0; k < COUNT; k = k + 1) comes = comes + (put & keep[k] ? 8 : 0);
  end
  always @(posedge clk)
    if (rst) begin
      inside <= 0;
      reserved <= 0;
      marked <= 0;
      over <= 0;
      hit <= 0;
      quiet <= 0;
    end else begin
      reserved <= reserved + reserve - taken;
      inside <= inside + comes - (count < inside ? count : inside);
      over <= over | (count > inside);
      quiet <= put | taken ? 0 : quiet == 7 ? 7 : quiet + 1;
      hit <= {hit, 1'b0};
      if (marked) begin
        ahead <= ahead - count;
        if (ahead < count) begin
          marked <= 0;
          hit[0] <= 1;
          place <= count - 1 - ahead;
        end
      end else if (hit == 0 & choose) begin
        if (put & keep[byte_]) begin
          marked <= 1;
          ahead <= inside - count + which;
          kept <= data[8 * byte_ + (7 - which % 8)];
        end else if (ended & (inside == 0) & (which >= count)) begin
          marked <= 1;
          ahead <= which - count;
          kept <= 0;
        end
      end
    end
  always @* begin
    assume (count <= 16 && (taken || count == 0) && !discard);
    if (reserve) assume (enough);
    if (taken) assume (reserved != 0);
    if (!rst && !$initstate) begin
      if (!ended) no_underrun: assert (count <= inside);
      if (hit[3]) bit_kept: assert (bits[place] == kept);
      if (ended && quiet >= 5) exact_tells: assert (exact == (!over && inside == 0));
    end
  end
endmodule
