// Beats leave as they have come: none lost, none twice, none changed, in order.
//
// An arbitrary beat is marked when it comes; the beats before it are counted down as they leave, and
// what leaves then is it (Wolper, "Expressing interesting properties of programs in propositional
// temporal logic", POPL 1986).  Of its payload one arbitrary bit is looked at, so all are.
//
// invented       nothing is offered while nothing is inside
// beat_kept      the marked beat leaves at its turn, unchanged
// room_kept      never more than MOST beats are inside
// marked_inside  the marked beat has not left
// arrives        what is inside is offered within WAIT clocks
module beats #(parameter WIDTH = 1, MOST = 2, WAIT = 1) (
  input clk, rst,
  input put, input [WIDTH-1:0] data,
  input valid, ready, input [WIDTH-1:0] payload,
  // For lemmas: how many beats are inside, how many of them from the marked one on, and its bit.
  output [7:0] all, behind, output is_marked, was, output [$clog2(WIDTH + 1)-1:0] bit_
);
  localparam BITS = $clog2(MOST + 2);
  (* anyconst *) wire [$clog2(WIDTH + 1)-1:0] which;
  (* anyseq *) wire choose;
  reg [BITS-1:0] inside, ahead;
  reg marked, kept;
  reg [$clog2(WAIT + 2)-1:0] waited;
  assign all = inside, behind = inside - ahead, is_marked = marked, was = kept, bit_ = which;
  wire give = valid & ready;
  always @(posedge clk)
    if (rst) begin
      inside <= 0;
      marked <= 0;
      waited <= 0;
    end else begin
      inside <= inside + put - give;
      waited <= (inside == 0) | valid ? 0 : waited + 1;
      if (marked) begin
        ahead <= ahead - give;
        if (give & (ahead == 0)) marked <= 0;
      end else if (put & choose) begin
        marked <= 1;
        ahead <= inside - give;
        kept <= data[which];
      end
    end
  always @* begin
    assume (which < WIDTH);
    if (!rst && !$initstate) begin
      invented: assert (!(valid & (inside == 0)));
      room_kept: assert (inside <= MOST);
      if (marked) marked_inside: assert (ahead < inside);
      if (marked & valid & (ahead == 0)) beat_kept: assert (payload[which] == kept);
      arrives: assert (waited <= WAIT);
    end
  end
endmodule
