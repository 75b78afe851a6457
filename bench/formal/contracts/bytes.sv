// The bytes of packets leave as they have come, in beats of another size or without null bytes: none
// lost, none twice, none changed, in order; and a packet ends with the byte that it ended with.
//
// An arbitrary byte is marked when it comes, see beats.sv.  A packet without bytes counts as one byte
// of zeros.  A beat without bytes ends the packet of the byte before, if it carries LAST.
//
// invented       nothing is offered while nothing is inside
// byte_kept      the marked byte leaves at its turn, unchanged: one property for each of its bits
// packet_whole   ... as the last of its packet, if it was that
// room_kept      never more than MOST bytes are inside
// arrives        while the end of a packet is inside, something is offered within WAIT clocks
// words_full     bytes stand in the lowest places, and beats but a packet's last are full (if FULL)
//
// With ANY, the byte that a packet without bytes counts as may have any value when it leaves.
module bytes #(parameter IN = 4, OUT = 4, MOST = 8, WAIT = 2, FULL = 0, ANY = 0) (
  input clk, rst,
  input i_valid, i_ready, i_last, input [8*IN-1:0] i_data, input [IN-1:0] i_keep,
  input o_valid, o_ready, o_last, input [8*OUT-1:0] o_data, input [OUT-1:0] o_keep,
  // For lemmas: how many bytes are inside, how many of them before the marked one, and what it is.
  output [9:0] all, before, output is_marked, is_blank, is_end, output [7:0] was
);
  localparam BITS = $clog2(MOST + IN + OUT + 2);
  (* anyseq *) wire choose;
  (* anyseq *) wire [$clog2(IN + 1)-1:0] lane;    // place of the byte
  reg i_first, o_first;                           // no byte of the packet has passed
  reg [BITS-1:0] inside, ahead;
  reg marked, blank;
  reg [7:0] kept;
  reg ends, open;                                 // the marked byte is its packet's last; may still be
  reg [BITS-1:0] ends_inside;
  reg [$clog2(WAIT + 2)-1:0] waited;

  function automatic [BITS-1:0] count_in(input [IN-1:0] keep);
    integer k;
    begin
      count_in = 0;
      for (k = 0; k < IN; k = k + 1) count_in = count_in + keep[k];
    end
  endfunction
  function automatic [BITS-1:0] count_out(input [OUT-1:0] keep);
    integer k;
    begin
      count_out = 0;
      for (k = 0; k < OUT; k = k + 1) count_out = count_out + keep[k];
    end
  endfunction

  assign all = inside, before = ahead, is_marked = marked, is_blank = blank, is_end = ends;
  assign was = kept;
  wire put = i_valid & i_ready, give = o_valid & o_ready;
  wire i_empty = i_first & i_last & (i_keep == 0), o_empty = o_first & o_last & (o_keep == 0);
  wire [IN-1:0] comes = i_empty ? 1 : i_keep;
  wire [OUT-1:0] leaves = o_empty ? 1 : o_keep;
  wire closes = i_last & (i_keep == 0) & ~i_empty; // nothing but the end of what came before

  // The byte of the output whose turn it is.
  reg here, here_last;
  reg [7:0] found;
  reg [BITS-1:0] seen;
  integer k;
  always @* begin
    here = 0;
    here_last = 0;
    found = 0;
    seen = 0;
    for (k = 0; k < OUT; k = k + 1) begin
      if (leaves[k]) begin
        here_last = here_last & 0;
        if (marked & (seen == ahead)) begin
          here = 1;
          here_last = 1;
          found = o_empty ? 0 : o_data[8 * k +: 8];
        end
        seen = seen + 1;
      end
    end
  end

  always @(posedge clk)
    if (rst) begin
      i_first <= 1;
      o_first <= 1;
      inside <= 0;
      marked <= 0;
      ends_inside <= 0;
      waited <= 0;
    end else begin
      if (put) i_first <= i_last | (i_first & (i_keep == 0));
      if (give) o_first <= o_last | (o_first & (o_keep == 0));
      inside <= inside + (put ? count_in(comes) : 0) - (give ? count_out(leaves) : 0);
      ends_inside <= ends_inside + (put & i_last) - (give & o_last);
      waited <= (ends_inside == 0) | o_valid ? 0 : waited + 1;
      if (marked) begin
        ahead <= ahead - (give ? count_out(leaves) : 0);
        if (give & here) marked <= 0;
        if (put) begin
          ends <= ends | (open & closes);
          open <= open & (i_keep == 0) & ~i_last;
        end
      end else if (put & choose & comes[lane]) begin
        marked <= 1;
        ahead <= inside - (give ? count_out(leaves) : 0) + count_in(comes & ((1 << lane) - 1));
        kept <= i_empty ? 0 : i_data[8 * lane +: 8];
        blank <= i_empty;
        ends <= i_last & ((comes >> lane) == 1);
        open <= ~i_last & ((comes >> lane) == 1);
      end
    end

  always @* begin
    assume (lane < IN);
    if (!rst && !$initstate) begin
      invented: assert (!(o_valid & (inside < count_out(leaves))));
      room_kept: assert (inside <= MOST);
      if (marked & o_valid & here)
        packet_whole: assert (
          (here_last & o_last) == (ends | (open & i_valid & closes)));
      arrives: assert (waited <= WAIT);
    end
  end

  genvar b;
  generate
    for (b = 0; b < 8; b = b + 1) begin : bits
      bytes_bit one (
        .here(!rst && marked && o_valid && here && !(ANY && blank)), .found(found[b]),
        .kept(kept[b]));
    end
    if (FULL) begin : full
      always @*
        if (!rst && !$initstate && o_valid)
          words_full: assert ((o_keep & (o_keep + 1)) == 0 && (o_last || &o_keep));
    end
  endgenerate
endmodule

module bytes_bit (input here, found, kept);
  always @* if (here && !$initstate) byte_kept: assert (found == kept);
endmodule
