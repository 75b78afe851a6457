// Pictures that come in raster order and are cut into groups of four rows (PictureIn).
//
// Geometry is counted here anew, from the size that is told when a picture begins; groups that are
// complete are told to beats.sv, which looks whether they leave so.  Assumed: the size at the ports
// stays for two clocks before a pixel is offered, and while one is; groups are finished that have
// been taken.
//
// size_true      a picture that begins has the size at the ports, and a possible one
// dropped_only   before a picture pixels are dropped only: no first one of a possible size
// marker_told    a marker in a wrong place is told a clock later, and nothing else is
// size_told      ... and so is the first pixel of a size that is none
module pictures #(parameter WIDTH = 1, HEIGHT = 1, STRIP = 1, BUFFERS = 1, BASE = 1) (
  input clk, rst,
  input valid, ready, sof, eol,
  input [$clog2(WIDTH+1)-1:0] width, file_width,
  input [$clog2(HEIGHT+1)-1:0] height, file_height,
  input begins, bad_marker, bad_size, finished, taken,
  // A group is complete: the base of its rows, how many less one, and what begins and ends with it.
  output put, output [BASE-1:0] base, output [1:0] rows,
  output top, bottom, first, last,
  // For lemmas: whether a pixel is one of a picture, where in one of which size, whether the size at
  // the ports was possible.
  output of_picture, could, output [$clog2(WIDTH+1)-1:0] column, wide,
  output [$clog2(HEIGHT+1)-1:0] line, lines
);
  reg inside, was_marker, was_size;
  reg [$clog2(WIDTH+1)-1:0] x, mine, w_1;
  reg [$clog2(HEIGHT+1)-1:0] y, high, h_1;
  reg [$clog2(BUFFERS+1)-1:0] out;       // groups that have been taken and are not finished
  reg [BASE-1:0] at;
  reg [1:0] stable;
  wire now = inside | begins;
  wire [$clog2(WIDTH+1)-1:0] w = begins ? file_width : mine;
  wire [$clog2(HEIGHT+1)-1:0] h = begins ? file_height : high;
  wire right = x == w - 1;
  wire lowest = y == h - 1;
  wire ends = valid & ready & now & right & (lowest | (y[1:0] == 3));
  wire possible = width >= 1 && width <= WIDTH && height >= 1 && height <= HEIGHT;
  assign of_picture = now, column = x, line = y, wide = w, lines = h;
  assign could = w_1 >= 1 && w_1 <= WIDTH && h_1 >= 1 && h_1 <= HEIGHT;
  assign put = ends, base = at, rows = y[1:0], last = lowest, first = y < 4;
  assign top = y % STRIP < 4, bottom = lowest || y % STRIP >= STRIP - 4;
  always @(posedge clk) begin
    w_1 <= width;
    h_1 <= height;
    was_marker <= valid & ready & (now ? eol != right || sof != (x == 0 && y == 0) : !sof);
    was_size <= valid & ready & !now & sof;
    stable <= width != w_1 || height != h_1 ? 0 : stable == 2 ? 2 : stable + 1;
    if (rst) begin
      inside <= 0;
      x <= 0;
      y <= 0;
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
      if (valid & ready & now) begin
        x <= right ? 0 : x + 1;
        if (right) y <= lowest ? 0 : y + 1;
        if (right & lowest) inside <= 0;
      end
      if (ends) at <= at == BUFFERS - 1 ? 0 : at + 1;
    end
  end
  always @* if (!rst && !$initstate) begin
    if (valid) assume (stable == 2 && width == w_1 && height == h_1);
    if (finished) assume (out != 0);
    if (begins) size_true: assert (!inside && file_width == w_1 && file_height == h_1 && could);
    if (valid & ready & !now) dropped_only: assert (!(sof & possible));
    marker_told: assert (bad_marker == was_marker);
    size_told: assert (bad_size == was_size);
  end
endmodule
