// Numbers of blocks that are taken out of a pool and given back (BlockPool).
//
// One arbitrary block is looked at, so all are.  Assumed: a block is taken only if one is free, and
// given back only by whoever has it.
//
// number_exists  a number is one of a block
// not_twice      a number that somebody has is given to nobody else
// comes_back     what has been given back comes again, at the latest when all others have come
// low_true       whether fewer than LEAST were free, but for the last three clocks' takes and two's
//                gives
module pool #(parameter BLOCKS = 2, BITS = 1) (
  input clk, rst,
  input take, input [BITS-1:0] number,
  input give, input [BITS-1:0] given,
  input [BITS:0] least, input low,
  // For lemmas: how many are out, their numbers on the way, the block, whether somebody has it, and
  // how many others have come since.
  output [BITS:0] out, output [2:0] on_way, output [BITS-1:0] which, output is_out,
  output [BITS:0] others
);
  (* anyconst *) wire [BITS-1:0] mine;
  reg [BITS:0] taken;                  // blocks that somebody has or will have
  reg [2:0] coming;                    // takes of the last three clocks
  reg held;
  reg [BITS:0] since;                  // numbers that have come since it was free
  reg [BITS:0] was_free, was_least;
  assign out = taken, on_way = coming, which = mine, is_out = held, others = since;
  wire comes = coming[2];
  wire is_mine = number == mine;
  always @(posedge clk)
    if (rst) begin
      taken <= 0;
      coming <= 0;
      held <= 0;
      since <= 0;
      was_free <= BLOCKS;
      was_least <= 0;
    end else begin
      taken <= taken + take - give;
      coming <= {coming, take};
      held <= (held & ~(give & (given == mine))) | (comes & is_mine);
      since <= held | (comes & is_mine) ? 0 : since + comes;
      was_free <= BLOCKS - taken + coming[0];
      was_least <= least;
    end
  always @* begin
    assume (mine < BLOCKS);
    if (!rst && !$initstate) begin
      if (take) assume (taken < BLOCKS);
      // Not of what is on its way, nor twice.
      if (give) assume (taken > coming[0] + coming[1] + coming[2] && given < BLOCKS);
      if (give && given == mine) assume (held);
      if (comes) number_exists: assert (number < BLOCKS);
      if (comes) not_twice: assert (!(held & is_mine));
      comes_back: assert (since < BLOCKS);
      low_true: assert (low == (was_free < was_least));
    end
  end
endmodule
