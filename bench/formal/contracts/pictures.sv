// Pictures that come in raster order and are cut into groups of four rows (PictureIn, PlanesIn).
//
// Geometry is counted here anew, from the size that is told when a picture begins; groups that are
// complete are told to beats.sv, which looks whether they leave so.  A line is what rows of all planes
// are made of: SQUARE rows of pixels, SQUARE pixels for each column.  Rows of a strip are those of its
// first line's planes, of its second's, and so on; each four of them are a group, and what is left at
// the strip's end.  A group is complete with the line of its last row.
//
// Assumed: size and order at the ports stay for two clocks before a pixel is offered, and while one
// is; groups are finished that have been taken.
//
// size_true      a picture that begins has the size and the order at the ports, and possible ones
// dropped_only   before a picture pixels are dropped only: no first one of a possible size
// marker_told    a marker in a wrong place is told a clock later, and nothing else is
// size_told      ... and so is the first pixel of a size or an order that is none
module pictures #(
  parameter WIDTH = 1, HEIGHT = 1, STRIP = 1, BUFFERS = 1, BASE = 1,
  STEP = 1,                              // from the base of a group to that of the next
  PLANES = 1, SQUARE = 1, ORDERS = 1
) (
  input clk, rst,
  input valid, ready, sof, eol,
  input [$clog2(SQUARE*WIDTH+1)-1:0] width, input [$clog2(SQUARE*HEIGHT+1)-1:0] height,
  input [2:0] order, file_order,
  input [$clog2(WIDTH+1)-1:0] file_width, input [$clog2(HEIGHT+1)-1:0] file_height,
  input begins, bad_marker, bad_size, finished, taken,
  // A group is complete: the base of its rows, how many less one, the plane of the first one, and what
  // begins and ends with it.
  output put, output [BASE-1:0] base, output [1:0] rows, plane,
  output top, bottom, first, last,
  // For other contracts and lemmas: whether a pixel is one of a picture, where in one of which size,
  // whether the size at the ports was possible, groups that have been taken and are not finished.
  output of_picture, could, output [$clog2(SQUARE*WIDTH+1)-1:0] column,
  output [$clog2(WIDTH+1)-1:0] wide,
  output [$clog2(HEIGHT+1)-1:0] line, lines, output is_below, output [$clog2(BUFFERS+1)-1:0] away,
  // Line of the strip, groups of the strip that are complete, and whether one more is told now.
  output [7:0] of_strip, groups_before, output is_again
);
  reg inside, was_marker, was_size;
  reg [$clog2(SQUARE*WIDTH+1)-1:0] x, w_1;
  reg [$clog2(SQUARE*HEIGHT+1)-1:0] h_1;
  reg [$clog2(WIDTH+1)-1:0] mine;
  reg [$clog2(HEIGHT+1)-1:0] y, high;
  reg [2:0] order_1;
  reg below;                             // the line's second row of pixels
  reg [7:0] strip_line, before;
  reg [$clog2(BUFFERS+1)-1:0] out;
  reg [BASE-1:0] at;
  reg [1:0] stable;
  wire now = inside | begins;
  wire [$clog2(WIDTH+1)-1:0] w = begins ? file_width : mine;
  wire [$clog2(HEIGHT+1)-1:0] h = begins ? file_height : high;
  wire beat = valid & ready & now;
  wire right = x == SQUARE * w - 1;
  wire line_ends = beat & right & (below | (SQUARE == 1));
  wire lowest = y == h - 1;
  wire strip_ends = lowest | (strip_line == STRIP - 1);

  localparam [7:0] COUNT = PLANES;
  // Groups that are complete with a line: the second one is told a clock later.
  wire [7:0] through = PLANES * (strip_line + 1);
  wire one = line_ends & ((4 * before + 4 <= through) | (strip_ends & (4 * before < through)));
  wire two = line_ends & ((4 * before + 8 <= through) | (strip_ends & (4 * before + 4 < through)));
  reg again, strip_1, low_1, first_1;
  reg [7:0] before_1, through_1;
  wire [7:0] number = again ? before_1 : before;
  wire [7:0] come = again ? through_1 : through;
  wire ends = again ? strip_1 : strip_ends;
  wire [7:0] first_row = 4 * number;
  wire [7:0] left = come - first_row;

  wire possible = width >= 1 && width <= SQUARE * WIDTH && height >= 1
      && height <= SQUARE * HEIGHT && width % SQUARE == 0 && height % SQUARE == 0 && order < ORDERS;
  assign of_picture = now, column = x, line = y, wide = w, lines = h, is_below = below;
  assign could = w_1 >= 1 && w_1 <= SQUARE * WIDTH && h_1 >= 1 && h_1 <= SQUARE * HEIGHT
      && w_1 % SQUARE == 0 && h_1 % SQUARE == 0 && order_1 < ORDERS;
  assign put = one | again, base = at, rows = left >= 4 ? 3 : left - 1;
  assign plane = first_row % COUNT;
  assign top = number == 0, bottom = ends & (left <= 4);
  assign last = bottom & (again ? low_1 : lowest);
  assign first = top & (again ? first_1 : y == strip_line);
  assign of_strip = strip_line, groups_before = before, is_again = again, away = out;
  always @(posedge clk) begin
    w_1 <= width;
    h_1 <= height;
    order_1 <= order;
    was_marker <= valid & ready & (
      now ? eol != right || sof != (x == 0 && y == 0 && !below) : !sof);
    was_size <= valid & ready & !now & sof;
    stable <= width != w_1 || height != h_1 || order != order_1 ? 0 : stable == 2 ? 2 : stable + 1;
    strip_1 <= strip_ends;
    low_1 <= lowest;
    first_1 <= y == strip_line;
    before_1 <= before + 1;
    through_1 <= through;
    if (rst) begin
      inside <= 0;
      x <= 0;
      y <= 0;
      below <= 0;
      strip_line <= 0;
      before <= 0;
      again <= 0;
      at <= 0;
      out <= 0;
      stable <= 0;
      was_marker <= 0;
      was_size <= 0;
    end else begin
      out <= out + taken - finished;
      inside <= now;
      mine <= w;
      high <= h;
      again <= two;
      if (beat) begin
        x <= right ? 0 : x + 1;
        if (right) below <= (SQUARE == 2) & ~below;
      end
      if (line_ends) begin
        y <= lowest ? 0 : y + 1;
        strip_line <= strip_ends ? 0 : strip_line + 1;
        before <= strip_ends ? 0 : before + one + two;
        if (lowest) inside <= 0;
      end
      if (put) at <= at == (BUFFERS - 1) * STEP ? 0 : at + STEP;
    end
  end
  always @* if (!rst && !$initstate) begin
    if (valid) assume (stable == 2 && width == w_1 && height == h_1 && order == order_1);
    if (finished) assume (out != 0);
    if (begins)
      size_true: assert (!inside && SQUARE * file_width == w_1 && SQUARE * file_height == h_1
                         && file_order == order_1 && could);
    if (valid & ready & !now) dropped_only: assert (!(sof & possible));
    marker_told: assert (bad_marker == was_marker);
    size_told: assert (bad_size == was_size);
  end
endmodule
