import dataclasses
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lutgen.build.describe import RESOURCES
from lutgen.build.folder import pair_resources
from lutgen.build.text import summary
from lutgen.cli import main
from lutgen.handoff.xdc import clock_xdc
from lutgen.model.shipped import shipped
from lutgen.targets import Target, all_targets, get_target
from lutgen.targets.fit import FLAGSHIP, Fit, fit


def test_known_targets():
    assert [target.name for target in all_targets()] == [
        "zynq7045", "zynq7020", "kintex7", "artix7-100t", "zu7ev", "ecp5-45k", "ecp5-85k",
        "generic",
    ]  # fmt: skip
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


def test_other_devices_of_7_series_and_ultrascale():
    """Slices (DS180) hold 4 LUTs and 8 flip-flops, CLBs of UltraScale+ 8 and 16."""
    for name, part, luts, bram36, dsps in (
        ("kintex7", "xc7k325tffg900-2", 4 * 50_950, 445, 840),
        ("artix7-100t", "xc7a100tcsg324-1", 4 * 15_850, 135, 240),
        ("zu7ev", "xczu7ev-ffvc1156-2-e", 8 * 28_800, 312, 1_728),
    ):
        target = get_target(name)
        assert target.part == part and target.lut_primitive == "LUT6"
        assert target.capacity == {"lut": luts, "ff": 2 * luts, "bram36": bram36, "dsp": dsps}


@pytest.mark.parametrize(("name", "luts", "ebr18", "dsps"), [
    ("ecp5-45k", 43_848, 108, 72), ("ecp5-85k", 83_640, 208, 156),
])  # fmt: skip
def test_ecp5_keeps_its_own_units(name, luts, ebr18, dsps):
    target = get_target(name)
    assert (target.luts, target.lut_inputs, target.ffs) == (luts, 4, luts)
    assert (target.bram36, target.ebr18, target.dsps) == (None, ebr18, dsps)
    assert target.lut_primitive is None and target.yosys_family is None
    assert target.capacity == {}


def test_flagship_is_the_measured_pair():
    results = Path(__file__).parents[2] / "bench/results"
    record = json.loads((results / "build-predictive.json").read_text())
    total = record["pair"]["total"]
    assert record["model"]["hash"] == shipped("photo").hash
    assert dict(FLAGSHIP) == {kind: total[kind] for kind in ("lut", "ff", "bram36", "dsp")}


def test_pairs_that_fit():
    found = {target.name: fit(target) for target in all_targets()}
    for name, pairs in (("zynq7045", 4), ("zynq7020", 1), ("kintex7", 3), ("artix7-100t", 1)):
        assert found[name] == Fit(pairs, "BRAM36", "")
        assert pairs == min(held // FLAGSHIP[kind]
                            for kind, held in get_target(name).capacity.items()
                            if FLAGSHIP[kind])  # fmt: skip
    assert found["zu7ev"] == Fit(
        2, "BRAM36", "counted as 7-series cells, an estimate for Zynq UltraScale+"
    )
    assert found["ecp5-45k"].pairs is None
    assert found["ecp5-45k"].basis.startswith("not estimated: it has 4-input LUTs and 18-kbit")
    assert found["generic"] == Fit(None, "", "no particular device, no limit")
    small = dataclasses.replace(get_target("zynq7045"), luts=5_000)
    assert fit(small) == Fit(0, "LUT", "")


def test_a_build_says_in_what_units_it_counts():
    total = dict.fromkeys(RESOURCES, 1000)
    core = {"module": "lutgen_encoder", "lanes": 1, "depth": 1, "memory_bits": {},
            "resources": {"total": total, "levels": 4, "logic_levels": 10,
                          "worst_block": "coder"}}  # fmt: skip
    parameters = {"top": "encoder", "tile_width": 8, "tile_height": 8, "max_width": 8,
                  "max_height": 8, "stream_bytes": 4}  # fmt: skip

    def lines(name):
        target = get_target(name)
        return summary({
            "target": dataclasses.asdict(target), "pair": pair_resources([core], target),
            "cores": {"encoder": core}, "parameters": parameters, "folder": "f", "files": {},
        }).splitlines()  # fmt: skip

    for name, how in (
        ("kintex7", "mapped with 700 ps of wire per LUT in ABC, a carry chain as one, MUXF"),
        ("ecp5-45k", "of 6-input LUTs, mapped with ABC's own wire delay"),
    ):
        (told,) = [k for k, line in enumerate(lines(name)) if "LUT levels, 10 logic" in line]
        assert lines(name)[told + 1].startswith(f"LUT levels: {how}")
    assert any(line.startswith("DOES NOT FIT kintex7") for line in lines("kintex7"))
    assert "counted as 7-series cells, an estimate for Zynq UltraScale+" in lines("zu7ev")
    ecp5 = lines("ecp5-45k")
    assert "counted as 6-input LUTs and flip-flops, memories left whole" in ecp5
    assert "not compared with ecp5-45k, whose cells are others" in ecp5
    assert not any("%" in line or "NOT FIT" in line for line in ecp5)


def test_command_shows_all_in_80_columns():
    result = CliRunner().invoke(main, ["targets"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in result.stdout
    for target in all_targets():
        (line,) = (line for line in lines if line.split(" ")[0] == target.name and target.part in
                   line and "estimated" not in line)  # fmt: skip
        assert line.split()[1] == (target.part or "-")
    assert "* zu7ev: counted as 7-series cells, an estimate for Zynq UltraScale+" in lines
    assert "ecp5-45k not estimated: it has 4-input LUTs and 18-kbit memories" in lines
    found = json.loads(CliRunner().invoke(main, ["targets", "--json"]).stdout)
    assert found[0]["fit"] == {"pairs": 4, "limit": "BRAM36", "basis": ""}
    assert {t["name"]: t["fit"]["pairs"] for t in found}["ecp5-45k"] is None


def test_generic_names_no_primitive_and_no_limit():
    target = get_target("generic")
    assert target.lut_primitive is None
    assert target.yosys_family is None
    assert target.capacity == {}


def test_unknown_target_lists_the_known_ones():
    with pytest.raises(
        ValueError,
        match=r"^target must be one of zynq7045, zynq7020, kintex7, artix7-100t, zu7ev, ecp5-45k, "
        r"ecp5-85k, generic, not 'zynq'$",
    ):
        get_target("zynq")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"name": "zynq 7045"},
            r"^target name must be letters and digits, joined by - or _, not 'zynq 7045'$",
        ),
        ({"clock_mhz": 0.0}, r"^clock goal must be positive, not 0\.0 MHz$"),
        ({"lut_primitive": "LUT4"}, r"^LUT primitive must be 'LUT6' or None, not 'LUT4'$"),
        ({"lut_inputs": 5}, r"^LUTs must have 4 or 6 inputs, not 5$"),
        (
            {"lut_inputs": 4, "lut_primitive": "LUT6"},
            r"^LUT primitive and Yosys family must be None for 4-input LUTs, not 'LUT6' and None$",
        ),
    ],
)
def test_target_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(get_target("generic"), **change)


def test_parts_agree_with_speed_grades():
    for target in all_targets():
        assert isinstance(target, Target)
        assert target.speed_grade in target.part


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
