import dataclasses

import pytest

from lutgen.handoff.synth_tcl import synth_tcl
from lutgen.handoff.xdc import io_xdc
from lutgen.targets import all_targets, get_target

TARGET = get_target("zynq7045")
PORTS = [
    {"name": "clk", "direction": "input", "width": 1},
    {"name": "a", "direction": "input", "width": 2},
    {"name": "b", "direction": "output", "width": 1},
]


def commands(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line and line[0] != "#")


def test_ports_are_false_paths():
    text = io_xdc(TARGET, "m", PORTS)
    assert text.startswith("# m on its own, out of context. Read lutgen.xdc first. Not run in Vi")
    assert "# Ports are false paths, not set_input_delay and set_output_delay: what" in text
    assert commands(text) == (
        "set_property HD.CLK_SRC BUFGCTRL_X0Y0 [get_ports clk]\n"
        "set_false_path -from [get_ports {\n  a[*]\n}]\n"
        "set_false_path -to [get_ports {\n  b\n}]"
    )


def test_module_without_inputs():
    assert "-from" not in io_xdc(TARGET, "m", [PORTS[0], PORTS[2]])


def test_clock_source_is_left_out_where_none_is_known():
    target = dataclasses.replace(TARGET, part="xczu7ev-ffvc1156-2-e")
    assert "HD.CLK_SRC" not in io_xdc(target, "m", PORTS)


@pytest.mark.parametrize(
    ("module", "ports", "clock", "message"),
    [
        ("m]", PORTS, "clk", r"^module must be a plain Verilog identifier, not 'm\]'$"),
        ("m", [*PORTS, {"name": "[exit]", "direction": "input", "width": 1}], "clk",
         r"^port must be a plain Verilog identifier, not '\[exit\]'$"),
        ("m", PORTS, "b", r"^clock port must be an input of m, not 'b'$"),
        ("m", [], "clk", r"^clock port must be an input of m, not 'clk'$"),
    ],
)  # fmt: skip
def test_refused(module, ports, clock, message):
    with pytest.raises(ValueError, match=message):
        io_xdc(TARGET, module, ports, clock)


@pytest.mark.parametrize("target", [t for t in all_targets() if "vivado" in t.tools])
def test_every_part_is_a_word_to_tcl(target, record):
    assert f"\nset part {target.part}\n" in synth_tcl(record, target, ["m"], ["t.mem"])
