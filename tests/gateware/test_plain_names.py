"""Names of the Verilog that a build writes."""

import re
import shutil
import subprocess

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutgen.gateware.fabric.blockmem import add_rom
from lutgen.gateware.fabric.plain_names import plain_names
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.sim import Design
from lutgen.synth.verilog_text import split_memories

PAYLOAD = data.StructLayout({"last": 1, "void": 7})


class Inner(wiring.Component):
    """A register that its parent sees as a wire, and names that Verilog needs a backslash for."""

    i: In(stream.Signature(PAYLOAD))
    o: Out(8, init=0x5A)

    def elaborate(self, platform):
        m = Module()
        reg = Signal(8, name="reg", init=3)
        m.submodules.words = words = Memory(shape=8, depth=6, init=[])
        read, write = words.read_port(), words.write_port()
        m.d.comb += [read.addr.eq(reg), read.en.eq(1), self.i.ready.eq(reg[0] ^ self.i.valid)]
        m.d.comb += [write.addr.eq(reg), write.data.eq(reg), write.en.eq(self.i.valid)]
        with m.If(self.i.payload.last):
            m.d.sync += reg.eq(reg + self.i.payload.void + read.data)
        (rom,) = add_rom(m, "rom", [5, 0, 7, 1], 3, [reg[:2]])
        m.d.sync += self.o.eq(self.o + reg + rom)
        return m


class Middle(wiring.Component):
    """A port that a register below drives."""

    i: In(stream.Signature(PAYLOAD))
    o: Out(8, init=0x5A)

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = Inner()
        inner.o = self.o
        wiring.connect(m, wiring.flipped(self.i), inner.i)
        return m


class Outer(wiring.Component):
    i: In(stream.Signature(PAYLOAD))
    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.middle = inner = Middle()
        n1 = Signal(8, name="n1")  # taken: what Amaranth calls $1 must have another
        wiring.connect(m, wiring.flipped(self.i), inner.i)
        m.d.comb += [n1.eq(inner.o ^ 3), self.o.eq(n1 + (inner.o & ~n1))]
        return m


@pytest.fixture(scope="module")
def raw():
    return to_verilog(Outer(), "outer")


def test_no_backslash_and_no_attribute_of_yosys(raw):
    assert "\\$" in raw and "\\outer.middle.inner" in raw  # what Amaranth writes
    assert re.search(r"\(\* init = .* \*\)\n *wire ", raw)
    text = plain_names(raw, "outer", "mine")
    assert "\\" not in text and "$" not in re.sub(r"\$readmemh", "", text)
    assert "init =" not in text
    assert re.findall(r"^module (\w+)\(", text, re.M) == [
        "mine", "mine__middle", "mine__middle__inner"
    ]


def test_registers_keep_what_they_start_with(raw):
    """The declaration says it, which every tool reads; the attribute only repeated it on wires."""
    started = re.compile(r"^  reg (?:\[\d+:0\] )?(?:\\\S+ |\w+) = (\d+'h[0-9a-f]+);", re.M)
    before, after = started.findall(raw), started.findall(plain_names(raw, "outer", "mine"))
    assert before == after and {"8'h03", "8'h5a"} <= set(after)


class Constant(wiring.Component):
    """An output of registers alone, none of which ever changes: in blocks, and a block of a line.
    """

    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        choice = Signal(2, init=2, reset_less=True)
        value = Signal(8, init=0x5A, reset_less=True)
        m.d.sync += choice.eq(choice)
        with m.Switch(choice):
            with m.Case(0):
                m.d.sync += value.eq(1)
            with m.Case(1):
                m.d.sync += value.eq(2)
        m.d.comb += self.o.eq(value)
        with m.If(choice[0]):
            m.d.comb += self.o[:4].eq(1)
        return m


#: Nothing but the clock changes.
_BENCH = """
module bench;
  reg clk = 0;
  wire [7:0] o;
  always #5 clk = ~clk;
  mine dut (.clk(clk), .rst(1'b0), .o(o));
  initial #100 begin
    $display("%h", o);
    $finish;
  end
endmodule
"""


@pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("language", ["2005", "2012"])
def test_blocks_run_once_at_the_start(language, tmp_path):
    """Also in a simulator that reads SystemVerilog, where ``reg a = 0`` is no event."""
    text = plain_names(to_verilog(Constant(), "outer"), "outer", "mine")
    assert "always @*" in text and "always @*\n" not in text
    (tmp_path / "m.v").write_text(text + _BENCH)
    subprocess.run(
        ["iverilog", f"-g{language}", "-o", "m.vvp", "m.v"], cwd=tmp_path, check=True
    )
    done = subprocess.run(
        ["vvp", "-n", "m.vvp"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "5a\n"


def test_init_on_ports_goes_too():
    """As where a parent registers some bits of a signal and a child computes the others."""
    ports = "  output x;\n  wire x;\n"
    text = "module top(x);\n{}" + ports + "  reg y = 1'h1;\n  assign x = y;\nendmodule\n"
    assert plain_names(text.format("  (* init = 1'h0 *)\n"), "top", "top") == text.format("")


def test_ports_of_the_top_stay(raw):
    text = plain_names(raw, "outer", "mine")
    assert Design.of(text, "mine").ports == Design.of(raw, "outer").ports


def test_taken_names_get_a_number():
    text = (
        "module top(\\a.b , a_b);\n  input \\a.b ;\n  output a_b;\n  wire \\$1 ;\n  wire n1;\n"
        "  wire \\reg ;\n  wire \\$1.x ;\n  assign a_b = { \\$1 , \\reg  } + n1;\n"
        "  \\top.x  x (.\\a.b (n1));\nendmodule\n"
        "module \\top.x (\\a.b );\n  input \\a.b ;\nendmodule\n"
    )
    assert plain_names(text, "top", "t") == (
        "module t(a_b_2, a_b);\n  input a_b_2;\n  output a_b;\n  wire n1_2;\n  wire n1;\n"
        "  wire reg_;\n  wire n1_x;\n  assign a_b = { n1_2, reg_ } + n1;\n"
        "  t__x x (.a_b_2(n1));\nendmodule\n"
        "module t__x(a_b_2);\n  input a_b_2;\nendmodule\n"
    )


def test_foreign_modules_are_refused():
    with pytest.raises(ValueError, match=r"^module names must begin with 'top', not as 'other'$"):
        plain_names("module other(a);\nendmodule\n", "top", "t")


def test_tables_name_their_rows_and_zeros_share_a_file(raw):
    text, files = split_memories(raw, "m_")
    assert '$readmemh("m_0.mem", rom_0, 0, 3);' in text
    assert '$readmemh("m_zeros_6.mem", words, 0, 5);' in text
    assert files == {"m_0.mem": "5\n0\n7\n1\n", "m_zeros_6.mem": 6 * "0\n"}
    assert "for (" not in text and "initial begin" not in text


def test_roms_say_so_in_both_ways(raw):
    styles = r'\(\* ram_style = "block" \*\)\n *\(\* rom_style = "block" \*\)\n *'
    assert re.search(styles + r"reg \[2:0\] rom_0", raw)
    assert not re.search(styles + r"reg \[7:0\] words", raw)


def test_other_initial_blocks_stay():
    """Of two memories, or not from row 0 upwards."""
    for words in ("m[1] = 4'h1;\n    m[0] = 4'h2;\n", "m[0] = 4'h1;\n    n[1] = 4'h2;\n"):
        block = f"  initial begin\n    {words}  end\n"
        assert split_memories(block, "m_") == (block, {})
