import gc

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.sim import Design


class Streams(wiring.Component):
    i: In(stream.Signature(8)).array(2)
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.i[0].ready.eq(self.o.ready), self.o.valid.eq(self.i[0].valid)]
        m.d.sync += self.o.payload.eq(self.i[0].payload)
        return m


def test_nested_streams_get_flat_port_names():
    ports = Design.of(to_verilog(Streams(), "streams"), "streams").ports
    assert sorted(p.name for p in ports.values() if p.is_input) == [
        *("clk", "i__0__payload", "i__0__valid", "i__1__payload", "i__1__valid", "o__ready", "rst")
    ]
    assert sorted(p.name for p in ports.values() if not p.is_input) == [
        *("i__0__ready", "i__1__ready", "o__payload", "o__valid")
    ]
    assert ports["o__payload"].width == 8


def test_text_has_no_source_locations_and_is_the_same_each_time():
    text = to_verilog(Streams(), "streams")
    assert "src" not in text and __file__ not in text and "(*" not in text
    assert to_verilog(Streams(), "streams") == text


@pytest.mark.parametrize("name", ["", "1st", "a b", "a-b", None])
def test_name_must_be_an_identifier(name):
    with pytest.raises(ValueError, match="^module name must be a plain Verilog identifier, not "):
        to_verilog(None, name)


def test_garbage_collector_is_left_as_it_was():
    before = gc.get_threshold()
    to_verilog(Streams(), "streams")
    assert gc.get_threshold() == before
    with pytest.raises(TypeError):
        to_verilog(None, "none")
    assert gc.get_threshold() == before
