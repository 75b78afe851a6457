// Samples of groups of rows are handed out as they have come (PlanesIn).
//
// An arbitrary sample of an arbitrary pixel is marked when it comes, see beats.sv, and of it one
// arbitrary bit; where it stands is counted by pictures.sv.
//
// sample_kept  the sample at its place is the marked one, from when its group is complete until it is
//              finished
module group_samples #(
  parameter DEPTH = 1, COMPONENTS = 1, PLANES = 1, SQUARE = 1, XBITS = 1, COLUMN = 1, BASE = 1,
  STEP = 1, BUFFERS = 1, LATENCY = 4
) (
  input clk, rst,
  // A pixel of a picture, and its place: see pictures.sv.
  input beat, input [COMPONENTS*DEPTH-1:0] data, input [XBITS-1:0] x, input below,
  input [2:0] order, input [7:0] of_strip, groups_before,
  input put, input [BASE-1:0] at, input finished,
  // A sample is looked at; it comes LATENCY clocks later.
  input [BASE-1:0] base, input [1:0] row, input [COLUMN-1:0] column, input [DEPTH-1:0] sample
);
  (* anyconst *) wire [$clog2(DEPTH+1)-1:0] bit_;
  (* anyseq *) wire choose;
  (* anyseq *) wire [1:0] any_plane;
  // Components of RGB: green lowest, blue, red; planes of order 0 are green, red, blue, and so on.
  reg [5:0] places;
  always @* case (order)
    0: places = {2'd1, 2'd2, 2'd0};      // of plane 2, 1, 0
    1: places = {2'd2, 2'd1, 2'd0};
    2: places = {2'd1, 2'd0, 2'd2};
    3: places = {2'd0, 2'd1, 2'd2};
    4: places = {2'd2, 2'd0, 2'd1};
    default: places = {2'd0, 2'd2, 2'd1};
  endcase
  // Planes of a square: its greens by rows, red, blue.
  reg [7:0] square;
  always @* case (order[1:0])            // of places 11, 10, 01, 00
    0: square = {2'd3, 2'd1, 2'd0, 2'd2};      // RG, GB
    1: square = {2'd2, 2'd1, 2'd0, 2'd3};      // BG, GR
    2: square = {2'd1, 2'd3, 2'd2, 2'd0};      // GR, BG
    default: square = {2'd1, 2'd2, 2'd3, 2'd0}; // GB, RG
  endcase
  wire [1:0] plane = SQUARE == 2 ? square[2 * {below, x[0]} +: 2] : any_plane;
  wire [1:0] component = COMPONENTS == 1 ? 0 : places[2 * plane +: 2];
  wire [7:0] strip_row = PLANES * of_strip + plane;
  wire next = (strip_row >> 2) != groups_before;   // its group is not the next one to be complete
  wire [BASE-1:0] following = at == (BUFFERS - 1) * STEP ? 0 : at + STEP;

  reg marked, kept, complete, needs;               // needs: another group will be complete before
  reg [BASE-1:0] base_m;
  reg [1:0] row_m;
  reg [COLUMN-1:0] column_m;
  reg [$clog2(BUFFERS+2)-1:0] held, older;         // groups that are not finished; before the marked one
  reg [LATENCY-1:0] hit, was;
  wire here = marked & complete & (base == base_m) & (row == row_m) & (column == column_m);
  always @(posedge clk)
    if (rst) begin
      marked <= 0;
      held <= 0;
      hit <= 0;
    end else begin
      held <= held + put - finished;
      hit <= {hit, here};
      was <= {was, kept};
      if (marked) begin
        if (put & ~complete) begin
          needs <= 0;
          complete <= ~needs;
        end
        older <= older - finished;
        if (finished & (older == 0)) marked <= 0;
      end else if (beat & choose) begin
        marked <= 1;
        kept <= data[DEPTH * component + bit_];
        base_m <= next ? following : at;
        row_m <= strip_row;
        column_m <= SQUARE == 2 ? x >> 1 : x;
        older <= held - finished + next;
        complete <= put & ~next;
        needs <= next & ~put;
      end
    end
  always @* begin
    assume (bit_ < DEPTH && any_plane < PLANES);
    if (!rst && !$initstate && hit[LATENCY-1])
      sample_kept: assert (sample[bit_] == was[LATENCY-1]);
  end
endmodule
