// Lemmas of a block that holds one word: its bytes are those that are inside (see bytes.sv), and the
// marked byte is among them, at its turn.
//
// Bytes from FIRST on are of a word that is not whole, so that none of them ends a packet.
module held_word #(parameter COUNT = 4, FIRST = COUNT) (
  input clk, rst,
  input busy, last, input [8*COUNT-1:0] data, input [COUNT-1:0] keep,
  input [9:0] all, ahead, input marked, blank, ends, input [7:0] was
);
  integer k;
  reg [9:0] seen;
  reg here, highest;
  reg [7:0] found;
  always @* begin
    seen = 0;
    here = 0;
    highest = 0;
    found = 0;
    for (k = 0; k < COUNT; k = k + 1)
      if (keep[k]) begin
        if (k < FIRST) highest = 0;
        if (seen == ahead) begin
          here = 1;
          highest = k < FIRST;
          found = data[8 * k +: 8];
        end
        seen = seen + 1;
      end
  end
  always @* if (!$initstate) begin
    count_true: assert (all == (!busy ? 0 : seen == 0 ? last : seen));
    if (marked) begin
      place_true: assert (busy && (blank ? keep == 0 && last && ahead == 0 : here));
      if (!blank) end_true: assert (ends == (last & highest));
    end
  end
  genvar b;
  generate
    for (b = 0; b < 8; b = b + 1) begin : bits
      bytes_bit one (.here(marked && !blank), .found(found[b]), .kept(was[b]));
    end
  endgenerate
endmodule
