// Words of payloads in blocks that lanes share, two payloads of each lane (PayloadPool).
//
// An arbitrary word is marked when it comes, see beats.sv.
//
// Assumed: words of a payload come one after the other, or skip to the next block; a lane's go to one
// side until the other begins, and a lane begins no two blocks within GAP clocks.  A lane that low
// holds takes one more block at most.  What is wanted changes when nothing of it is kept, or it has
// been forgotten; its blocks become free in their order when its last words have been in for SETTLED
// clocks, not in the first clock in which it is wanted, and it is forgotten with the last or later.
//
// word_kept    the marked word is found by its payload and number, until its payload's first block
//              becomes free
// never_empty  a block is taken only when there is one
// completes    as many blocks are free as the longest payload may take beside those that the wanted
//              one has
// free_again   no lane is held six clocks after all payloads have been forgotten
module payloads #(
  parameter LANES = 2, WORDS = 2, OF_BLOCK = 2, WHOLE = 1, BLOCKS = 2, GAP = 4, SETTLED = 4
) (
  input clk, rst,
  input write, input [$clog2(LANES)-1:0] lane, input side, input [$clog2(WORDS+1)-1:0] number,
  input word,
  input [$clog2(LANES):0] wanted, input [$clog2(WORDS+1)-1:0] index, input found,
  input frees, input [$clog2(WHOLE)-1:0] at, input forget, low,
  // For lemmas: blocks that payloads have, or will be given back within two clocks.
  output [$clog2(BLOCKS+1)-1:0] out
);
  localparam PLACES = 2 * LANES, N = $clog2(WORDS + 1), P = $clog2(PLACES), LATENCY = 4;
  localparam LOW = $clog2(OF_BLOCK), G = $clog2(GAP + 1);   // OF_BLOCK is a power of two
  (* anyseq *) wire choose;
  reg [PLACES*N-1:0] come;                 // of each payload: one above the number of its last word
  reg [LANES-1:0] sides, spent;            // of each lane: side; has taken one while it was held
  reg [LANES*G-1:0] waits;                 // clocks in which it begins no block
  reg [P-1:0] wanted_1;
  reg [$clog2(WHOLE+1)-1:0] freed;         // blocks of the wanted payload that are free
  reg [SETTLED*(P+1)-1:0] recent;          // places of the last writes
  reg [$clog2(BLOCKS+1)-1:0] taken;
  reg [1:0] given;                         // blocks on their way to the pool
  reg [2:0] quiet;                         // clocks with nothing in any payload
  wire [P-1:0] place = {lane, side};
  wire [N-1:0] before = come[N * place +: N], has = come[N * wanted +: N];
  wire [N-LOW:0] blocks = has[N-1:LOW] + (has[LOW-1:0] != 0);
  wire begins = write & (number[LOW-1:0] == 0);
  wire skips = (number[LOW-1:0] == 0) & (before[LOW-1:0] != 0)
             & (number[N-1:LOW] == before[N-1:LOW] + 1'h1);
  wire gives = frees & (at < blocks);
  wire last = freed + frees == WHOLE;
  wire same = wanted == wanted_1;

  reg marked, kept;
  reg [P-1:0] mine;
  reg [N-1:0] where;
  reg [2:0] age;
  reg [LATENCY-1:0] hit, was;
  wire here = marked & (wanted == mine) & (index == where) & ~frees & (age >= SETTLED);
  integer k;
  reg settled;
  always @* begin
    settled = !(write && place == wanted);
    for (k = 0; k < SETTLED; k = k + 1)
      if (recent[(P + 1) * k] && recent[(P + 1) * k + 1 +: P] == wanted) settled = 0;
  end
  assign out = taken;

  always @(posedge clk) begin
    wanted_1 <= wanted;
    if (rst) begin
      come <= 0;
      spent <= 0;
      waits <= 0;
      freed <= 0;
      recent <= 0;
      taken <= 0;
      given <= 0;
      quiet <= 0;
      marked <= 0;
      hit <= 0;
    end else begin
      recent <= {recent, place, write};
      given <= {given, gives};
      taken <= taken + begins - given[1];
      quiet <= come == 0 && !write && taken == 0 ? (quiet == 7 ? 7 : quiet + 1) : 0;
      freed <= forget ? 0 : freed + frees;
      if (!low) spent <= 0;
      for (k = 0; k < LANES; k = k + 1)
        waits[G * k +: G] <= begins && lane == k ? GAP - 1
                           : waits[G * k +: G] - (waits[G * k +: G] != 0);
      if (forget) come[N * wanted +: N] <= 0;
      if (write) begin
        come[N * place +: N] <= number + 1;
        if (number == 0) sides[lane] <= side;
        if (begins & low & (place != wanted)) spent[lane] <= 1;
      end
      hit <= {hit, here};
      was <= {was, kept};
      age <= age == 7 ? 7 : age + 1;
      if (marked) begin
        if ((frees | forget) & (wanted == mine)) marked <= 0;
      end else if (write & choose) begin
        marked <= 1;
        kept <= word;
        mine <= place;
        where <= number;
        age <= 1;
      end
    end
  end
  always @* if (!rst && !$initstate) begin
    assume (lane < LANES && wanted < PLACES);
    if (write) begin
      assume (number < WORDS);
      assume (number == before || skips);
      if (number != 0) assume (side == sides[lane]);
      if (begins) assume (waits[G * lane +: G] == 0);
      if (begins && low && place != wanted) assume (!spent[lane]);
    end
    if (!same) assume (freed == 0 && come[N * wanted_1 +: N] == 0);
    if (frees) assume (same && at == freed && freed < WHOLE);
    if (forget) assume (last);
    if (frees | forget | (freed != 0)) assume (settled);
    if (hit[LATENCY-1]) word_kept: assert (found == was[LATENCY-1]);
    if (begins) never_empty: assert (taken < BLOCKS);
    if (freed == 0) completes: assert (BLOCKS - taken + given[0] + given[1] + blocks >= WHOLE);
    if (quiet == 7) free_again: assert (!low);
  end
endmodule
