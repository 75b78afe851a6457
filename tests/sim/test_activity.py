"""Switching activity that a simulation writes, against what the simulation did."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions
from lutgen.cli import main
from lutgen.handoff.synth_tcl import SAIF_INSTANCE
from lutgen.sim.check.activity import clock_ps
from lutgen.sim.check.check import check_build
from lutgen.sim.cores.codec import RtlEncoder
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.simulation import build_simulation, waves_of
from lutgen.sim.tool.verilator import SimulationError
from tests.gateware.tops import pictures, tops
from tests.models import table_model


def instance(text: str, path: str) -> dict[str, tuple[int, int, int]]:
    """Picoseconds at 0 and at 1, and toggles, of the signals of an instance in a SAIF file."""
    for name in path.split("/"):
        text = text.split(f"(INSTANCE {name}\n", 1)[1]
    nets = text.split("(INSTANCE", 1)[0]
    found = re.findall(r"\((\S+) \(T0 (\d+)\) \(T1 (\d+)\) .*?\(TC (\d+)\)\)", nets)
    return {name.replace("\\", ""): tuple(map(int, numbers)) for name, *numbers in found}


def test_clock_period():
    assert [clock_ps(mhz) for mhz in (250, 200, 150, 100, 300)] == [4000, 5000, 6666, 10000, 3334]


def test_kinds_of_waves(tmp_path):
    assert [waves_of(path) for path in (None, tmp_path / "a.vcd", tmp_path / "b.saif")] == [
        "", "vcd", "saif",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="^waves must be one of .*, not 'fst'$"):
        build_simulation("module a(input clk); endmodule", waves="fst")


@pytest.mark.exhaustive
def test_activity_is_that_of_the_run(tmp_path):
    top, path = tops("plain"), tmp_path / "encoder.saif"
    images = pictures(18, 10, count=2)
    found = RtlEncoder(top.config, stream_bytes=top.stream_bytes)(
        images, waves=path, clock_ps=4000
    )
    signals = instance(path.read_text(), SAIF_INSTANCE)
    low, high, toggles = signals["clk"]
    assert toggles in range(2 * found.trace.clocks, 2 * found.trace.clocks + 12)
    assert low + high == pytest.approx(2000 * toggles, abs=8000)
    # The data of the port changes as the pixels do, from 0 on, once a pixel is offered.
    pixels = np.concatenate([[0], images.ravel()])
    for bit in range(8):
        values = pixels >> bit & 1
        toggles = signals[f"s_axis_video_tdata[{bit}]"][2]
        assert toggles - np.count_nonzero(np.diff(values)) in (0, 1)


@pytest.mark.exhaustive
def test_files_of_a_build(tmp_path, monkeypatch):
    folder = tmp_path / "build"
    build(
        "zynq7045", table_model(),
        BuildOptions(registers=True, tile=(8, 8), max_width=24, max_height=24, name="lutgen"),
        out=folder, estimate=False
    )  # fmt: skip
    images = [("a", pictures(9, 9)[0]), ("b", pictures(17, 9)[0])]
    found = check_build(folder, images, saif=True, quick=True)
    assert found["ok"], found["problems"]
    for core in ("encoder", "decoder"):
        path = folder / "saif" / f"lutgen_{core}.saif"
        assert found["saif"][core] == str(path)
        signals = instance(path.read_text(), SAIF_INSTANCE)
        names = set(Design.of(folder / f"lutgen_{core}.v", f"lutgen_{core}").ports)
        assert names <= {name.partition("[")[0] for name in signals}
        low, high, toggles = signals["clk"]
        assert (low + high) / toggles == pytest.approx(2000, rel=0.01)  # half of 250 MHz' period
        assert toggles > 2 * 153
    assert [path.suffix for path in (folder / "saif").iterdir()] == [".saif"] * 2

    def fails(run, core, **options):
        raise SimulationError("no")

    monkeypatch.setattr("lutgen.sim.check.check_run.CheckRun.trace", fails)
    with pytest.raises(SimulationError, match="^no$"):
        check_build(folder, images, saif=True, quick=True)


def test_command_line():
    result = CliRunner().invoke(main, ["sim", "--saif"])
    assert result.exit_code == 2
    assert "--saif must stand with --build" in result.stderr
