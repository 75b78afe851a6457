import numpy as np
import pytest
from amaranth.hdl import Module, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lutgen.sim import Design, rtl_pipeline

REGISTERED = """
module narrow (input clk, input rst, input [5:0] a, output reg [6:0] count, output y);
  LUT6 #(.INIT(64'h0123_4567_89ab_cdef)) lut (
    .O(y), .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(a[5]));
  always @(posedge clk) count <= rst ? 7'd0 : count + 7'd1;
endmodule
/* module not_this_one (input [x:0] y); */
module registered (
  input clk, input rst, input [5:0] a, input [2047:0] wide, input [2047:0] mask,
  output reg [2047:0] wide_1, wide_2, output [6:0] count, output y
);
  narrow inner (.clk(clk), .rst(rst), .a(a), .count(count), .y(y));
  always @(posedge clk) begin
    wide_1 <= wide ^ mask;
    wide_2 <= wide_1;
  end
endmodule
"""
INIT = 0x0123_4567_89AB_CDEF


class Adder(wiring.Component):
    """Combinational and without a clock: a signed sum and its parts."""

    a: In(signed(8))
    b: In(data.StructLayout({"low": 3, "inner": data.StructLayout({"high": signed(5)})}))
    sum: Out(signed(9))
    both: Out(data.StructLayout({"a": signed(8), "low": 3}))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.sum.eq(self.a + self.b.inner.high),
            self.both.a.eq(self.a),
            self.both.low.eq(self.b.low),
        ]
        return m


def test_registers_delay_by_their_number():
    rng = np.random.default_rng(5)
    clocks = 150
    wide = np.array([int.from_bytes(rng.bytes(256), "little") for _ in range(clocks)], object)
    wide[0], wide[1] = (1 << 2048) - 1, 0
    mask = int.from_bytes(rng.bytes(256), "little")
    a = rng.integers(0, 64, clocks)
    found = rtl_pipeline(
        REGISTERED,
        {"a": a, "wide": wide},
        ["wide_2", "y", "count", "wide_1"],
        top="registered",
        config={"mask": mask},
    )
    assert list(found) == ["wide_2", "y", "count", "wide_1"]
    assert found["y"].dtype == np.int64 and found["y"].shape == (clocks,)
    assert found["y"].tolist() == [INIT >> k & 1 for k in a.tolist()]
    # The reset leaves 0, and record 0 is taken before the first edge without reset.
    assert found["count"].tolist() == [k % 128 for k in range(clocks)]
    assert found["wide_1"].dtype == object
    assert found["wide_1"][1:].tolist() == [w ^ mask for w in wide[:-1].tolist()]
    assert found["wide_2"][2:].tolist() == [w ^ mask for w in wide[:-2].tolist()]


def test_combinational_component_with_signed_and_structured_ports():
    rng = np.random.default_rng(6)
    a, high = rng.integers(-128, 128, 200), rng.integers(-16, 16, 200)
    low = rng.integers(0, 8, 200)
    found = rtl_pipeline(
        Adder(),
        {"a": a, "b__low": low, "b__inner__high": high},
        ["sum", "both__a", "both__low"],
    )
    assert np.array_equal(found["sum"], a + high)
    assert np.array_equal(found["both__a"], a)
    assert np.array_equal(found["both__low"], low)


@pytest.mark.parametrize(
    ("inputs", "outputs", "config", "message"),
    [
        ({"a": [1]}, ["y"], {"mask": 0}, "^input 'wide' of 'registered' must be driven or given"),
        ({"a": [1], "wide": [1, 2]}, ["y"], {"mask": 0}, "^inputs must be arrays of one length"),
        ({"a": [], "wide": []}, ["y"], {"mask": 0}, "^inputs must be arrays of one length of at"),
        ({"a": [64], "wide": [1]}, ["y"], {"mask": 0}, "^a must fit 6 bits, not 64$"),
        ({"a": [-33], "wide": [1]}, ["y"], {"mask": 0}, "^a must fit 6 bits, not -33$"),
        ({"a": [0.5], "wide": [1]}, ["y"], {"mask": 0}, "^a must be an array of integers"),
        ({"a": [[1]], "wide": [1]}, ["y"], {"mask": 0}, "^a must be a one-dimensional array"),
        ({"a": [1], "wide": [1 << 2048]}, ["y"], {"mask": 0}, "^wide must fit 2048 bits"),
        ({"a": [1], "wide": [1]}, ["y"], {"mask": 1 << 2048}, "^config 'mask' must fit 2048 bits"),
        ({"a": [1], "wide": [1]}, ["z"], {"mask": 0}, "^port must be one of .*; not 'z'$"),
        ({"a": [1], "wide": [1]}, ["mask"], {"mask": 0}, "^port 'mask' must be an output of"),
        ({"a": [1], "wide": [1]}, [], {"mask": 0}, "^outputs must name at least one port$"),
        ({"a": [1], "wide": [1]}, ["y"], {"mask": 0, "a": 1}, "^input 'a' must be driven once$"),
        ({"a": [1], "wide": [1], "y": [1]}, ["y"], {"mask": 0}, "^port 'y' must be an input of"),
    ],
)
def test_wrong_arguments_are_refused(inputs, outputs, config, message):
    with pytest.raises(ValueError, match=message):
        rtl_pipeline(REGISTERED, inputs, outputs, top="registered", config=config)


@pytest.mark.parametrize(
    ("text", "top", "message"),
    [
        (REGISTERED, None, "^top must be given for Verilog text with 2 modules, not None$"),
        (REGISTERED, "other", "^top must be a module of the Verilog text, not 'other'$"),
        ("module m(input [W-1:0] a); endmodule", None, r"literal \[n:0\], not \[W-1:0\]$"),
        ("module m(inout a); endmodule", None, "^port of 'm' must be an input or an output"),
    ],
)
def test_unusable_verilog_is_refused(text, top, message):
    with pytest.raises(ValueError, match=message):
        Design.of(text, top)


def test_ports_of_ansi_and_old_headers():
    text = """
    (* keep = "input x;" *) module m(clk, a, \\b.c , q); // input no;
      input clk; input signed [3:0] a; wire clk;
      input \\b.c ; output reg [7:0] q;
      function f; input inside; f = inside; endfunction
      always @(*) q = a;
    endmodule"""
    ports = Design.of(text).ports
    assert {(p.name, p.width, p.is_input, p.signed) for p in ports.values()} == {
        ("clk", 1, True, False),
        ("a", 4, True, True),
        ("b.c", 1, True, False),
        ("q", 8, False, False),
    }
