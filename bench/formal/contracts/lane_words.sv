// Groups of bits of many lanes become words of 32, the first bit lowest (WordPacker).
//
// One arbitrary lane is looked at, and in it one arbitrary bit, marked when it comes, or one of the
// zeros before and behind; see beats.sv.  Assumed: lanes take turns; a lane begins with FIRST and ends
// with CLOSE, which brings no bits; bits above a group's are zero.
//
// word_in_time  four clocks after a group there is a word, if the group completes one, or if it is
//               the close and bits are left; and otherwise none
// bit_kept      the marked bit is in it, in its place
// left_true     with a close: how many bits are left
module lane_words #(parameter LANES = 8, MOST = 13, STRIP = 0, GRAIN = 1) (
  input clk, rst,
  input [$clog2(LANES)-1:0] lane, input first, close, input [2:0] pad,
  input [MOST-1:0] bits, input [$clog2(MOST+1)-1:0] count,
  input [31:0] word, input valid, input [4:0] left
);
  (* anyconst *) wire [$clog2(LANES)-1:0] mine;
  (* anyseq *) wire choose;
  (* anyseq *) wire [4:0] which;
  reg [$clog2(LANES)-1:0] before;
  reg begun = 0, fresh;                // the lane has no string
  reg [4:0] fill;                      // bits of its word that is not complete
  reg some;                            // there was a one, or zeros count
  reg marked, kept;                    // a bit of that word
  reg [4:0] place;
  reg [3:0] turn, whole, closes, hit;  // of the last four clocks
  reg [4:0] left_1, left_2, left_3, left_4;

  // The group without zeros below the first one.
  reg [MOST-1:0] group;
  reg [5:0] size;
  reg one, old;
  integer k;
  always @* begin
    old = STRIP ? some & ~first : 1;
    one = old;
    group = bits;
    size = count;
    if (STRIP && !old)
      for (k = 0; k < MOST; k = k + 1)
        if (!one) begin
          if (group[0]) one = 1;
          else begin
            group = group >> 1;
            size = size - 1;
          end
        end
    if (!one) size = 0;
  end
  wire [4:0] start = first ? (STRIP ? 0 : pad) : fill;
  wire [5:0] total = start + size;
  wire completes = total[5] | (close & (start != 0));
  wire now = lane == mine;

  always @(posedge clk) begin
    begun <= 1;
    before <= lane;
    {left_4, left_3, left_2, left_1} <= {left_3, left_2, left_1, start};
    if (rst) begin
      fresh <= 1;
      marked <= 0;
      turn <= 0;
      hit <= 0;
    end else begin
      turn <= {turn, now};
      whole <= {whole, completes};
      closes <= {closes, close};
      hit <= {hit, 1'b0};
      if (now) begin
        fresh <= close;
        fill <= total;
        some <= one;
        if (marked) begin
          if (completes) begin
            marked <= 0;
            hit[0] <= 1;
          end
        end else if (choose & (hit == 0)) begin
          if (close ? start != 0 && which >= start : which < size) begin
            place <= close ? which : start + which;
            kept <= close ? 0 : group[which];
            if (close | (total[5] & ({1'b0, start} + which < 32))) hit[0] <= 1;
            else marked <= 1;
          end else if (first & (which < start)) begin
            place <= which;
            kept <= 0;
            if (completes) hit[0] <= 1;
            else marked <= 1;
          end
        end
      end
    end
  end
  always @* begin
    assume (mine < LANES && lane < LANES);
    if (begun) assume (lane == (before == LANES - 1 ? 0 : before + 1));
    assume (count <= MOST && (bits >> count) == 0 && count % GRAIN == 0 && pad % GRAIN == 0);
    if (now && !rst && !$initstate) begin
      assume (first == fresh);
      if (close) assume (!first && count == 0);
    end
    if (!rst && !$initstate && turn[3]) begin
      word_in_time: assert (valid == whole[3]);
      if (hit[3]) bit_kept: assert (word[place] == kept);
      if (closes[3]) left_true: assert (left == left_4);
    end
  end
endmodule
