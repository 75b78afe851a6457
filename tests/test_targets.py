import dataclasses

import pytest

from lutgen.handoff.xdc import clock_xdc
from lutgen.targets import Target, all_targets, get_target


def test_known_targets():
    assert [target.name for target in all_targets()] == ["zynq7045", "zynq7020", "generic"]
    assert all(get_target(target.name) is target for target in all_targets())


def test_zynq7045():
    target = get_target("zynq7045")
    assert (target.part, target.board) == ("xc7z045ffg900-2", "ZC706")
    assert target.capacity == {"lut": 218_600, "ff": 437_200, "bram36": 545, "dsp": 900}
    assert (target.clock_mhz, target.period_ns, target.lut_primitive) == (250.0, 4.0, "LUT6")


def test_zynq7020():
    target = get_target("zynq7020")
    assert (target.part, target.board) == ("xc7z020clg400-1", "PYNQ-Z2")
    assert target.capacity == {"lut": 53_200, "ff": 106_400, "bram36": 140, "dsp": 220}


def test_generic_names_no_primitive_and_no_limit():
    target = get_target("generic")
    assert target.lut_primitive is None
    assert target.yosys_family is None
    assert target.capacity == {}


def test_unknown_target_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"^target must be one of zynq7045, zynq7020, generic, not 'zynq'$"
    ):
        get_target("zynq")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "zynq 7045"}, r"^target name must be an identifier, not 'zynq 7045'$"),
        ({"clock_mhz": 0.0}, r"^clock goal must be positive, not 0\.0 MHz$"),
        ({"lut_primitive": "LUT4"}, r"^LUT primitive must be 'LUT6' or None, not 'LUT4'$"),
    ],
)
def test_target_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(get_target("generic"), **change)


def test_parts_agree_with_speed_grades():
    for target in all_targets():
        assert isinstance(target, Target)
        assert target.part.endswith(target.speed_grade)


def test_clock_constraint():
    assert clock_xdc(get_target("zynq7045"), "clk") == (
        "# Clock goal of target zynq7045: 250 MHz.\n"
        "create_clock -period 4.000 -name clk [get_ports clk]\n"
    )
    assert "-period 6.667 -name aclk [get_ports aclk]" in clock_xdc(get_target("zynq7020"), "aclk")


def test_clock_constraint_refuses_what_tcl_would_evaluate():
    with pytest.raises(
        ValueError, match=r"^clock port must be a plain Verilog identifier, not 'clk\]; exit'$"
    ):
        clock_xdc(get_target("zynq7045"), "clk]; exit")
