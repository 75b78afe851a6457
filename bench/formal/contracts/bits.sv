// Groups of bits leave in words, the first bit lowest, one string after the other.
//
// An arbitrary bit is marked when it comes, see beats.sv; zeros that fill a string's last word count
// as bits of it.  Assumed: bits above the group's are zero; a string's last group has some, all of
// them in one word.
//
// invented     no word leaves before its bits have come
// bit_kept     the marked bit leaves at its turn, unchanged
// byte_valid   ... in a byte that KEEP says is there
// string_whole ... and a word that is a string's last holds none of the next, and is told so
// arrives      a word leaves WAIT clocks after the group that completes it, at the latest
module bits #(parameter GROUP = 16, WORD = 32, WAIT = 3) (
  input clk, rst,
  input [GROUP-1:0] group, input [$clog2(GROUP+1)-1:0] count, input ends,
  input valid, last, input [WORD-1:0] word, input [WORD/8-1:0] keep
);
  localparam BITS = $clog2(8 * WORD), PLACE = $clog2(WORD);
  (* anyseq *) wire choose;
  (* anyseq *) wire [PLACE:0] which;           // bit of the group, or one of the zeros behind it
  reg [PLACE-1:0] fill;                        // bits of the word that is not whole
  reg [BITS-1:0] inside, ahead;
  reg marked, kept, real_, final_, over;       // a bit that came; its string's last; its string is over
  reg [$clog2(WAIT + 2)-1:0] waited;
  wire [PLACE-1:0] next = fill + count;
  wire [PLACE-1:0] pad = ends ? -next : 0;
  wire [BITS-1:0] comes = count + pad;
  always @(posedge clk)
    if (rst) begin
      fill <= 0;
      inside <= 0;
      marked <= 0;
      waited <= 0;
    end else begin
      fill <= next + pad;
      inside <= inside + comes - (valid ? WORD : 0);
      waited <= inside < WORD | valid ? 0 : waited + 1;
      if (marked) begin
        ahead <= ahead - (valid ? WORD : 0);
        over <= over | ends;
        if (valid & (ahead < WORD)) marked <= 0;
      end else if (choose & (which < comes)) begin
        marked <= 1;
        ahead <= inside + which - (valid ? WORD : 0);
        real_ <= which < count;
        kept <= which < count & group[which];
        final_ <= ends & (which == count - 1);
        over <= ends;
      end
    end
  always @* begin
    assume (count <= GROUP && (group >> count) == 0);
    if (ends) assume (count != 0 && fill + count <= WORD);
    if (!rst && !$initstate) begin
      if (valid) invented: assert (inside >= WORD);
      arrives: assert (waited < WAIT);
      if (valid & marked & (ahead < WORD)) begin
        bit_kept: assert (word[ahead] == kept);
        byte_valid: assert (!real_ || keep[ahead / 8]);
        string_whole: assert ((!final_ || last) && (!last || over));
      end
    end
  end
endmodule
