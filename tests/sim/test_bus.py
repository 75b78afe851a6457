"""Transactions of `rtl_stream` on a register file, and IPs as functions."""

import re
import shutil

import numpy as np
import pytest

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.registers import BUS, RegisterFile
from lutgen.sim import Design, SimulationError, Stall, rtl_stream
from lutgen.sim.check.check import check, check_build
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.bus import BusScript
from lutgen.sim.drive.stream import AXIS
from tests.gateware.tops import pictures, tops
from tests.models import table_model
from tests.tiers import all_slow


@pytest.fixture(scope="module")
def file_of_registers():
    registers = build_map("encoder", tops("plain").config)
    return registers, Design.of(RegisterFile(registers), "encoder_registers")


def run(registers_and_design, script: BusScript, **options):
    registers, design = registers_and_design
    inputs = [p.name for p in design.ports.values() if p.is_input]
    config = {name: 0 for name in inputs if name not in ("clk", "rst") and BUS not in name}
    return rtl_stream(design, {}, {}, config=config | {"status_idle": 1}, bus=script, **options)


def test_steps(file_of_registers):
    registers, _ = file_of_registers
    script = BusScript(BUS)
    script.write(registers["width"].offset, 33)
    at = script.read(registers["width"].offset)
    script.write(registers["width"].offset, 34)
    script.until(registers["width"].offset, 0xFF, 34)
    identity = script.read(registers["id"].offset)
    script.start()
    script.taken(5)
    result = run(file_of_registers, script, watch=["width"])
    assert result.words == (None, 33, None, 34, registers["id"].reset, None, None)
    assert (at, identity) == (1, 4)
    assert [value for _, value in result.changes["width"]] == [40, 33, 34]
    assert not result.timed_out


@pytest.mark.slow
def test_steps_wait_for_the_streams():
    """Input begins with the step that says so, and the step behind it ends with the input."""
    top = tops("plain")
    images = pictures(18, 10)
    design = Design.of(RtlEncoderIp(top.config)._design)
    registers = build_map("encoder", top.config)
    script = BusScript(BUS)
    for name, value in (("width", 18), ("height", 10), ("control", 1)):
        script.write(registers[name].offset, value)
    script.until(registers["control"].offset, 0x10, 0)
    script.start()
    script.taken(50)
    result = rtl_stream(
        design, {"s_axis_video": raster_beats(images)}, {"m_axis_stream": ["data"]},
        names=AXIS, bus=script, stalls={"s_axis_video": Stall(0.5, 1)},
    )  # fmt: skip
    clocks = result.input_clocks["s_axis_video"]
    last_write = result.input_clocks[f"{BUS}_aw"][-1]
    assert len(clocks) == images.size
    assert clocks[0] > last_write
    assert result.clocks == clocks[-1] + 50


def test_refused_transactions(file_of_registers):
    script = BusScript(BUS)
    script.read(0x10)
    script.write(0x7C, 0)
    with pytest.raises(SimulationError, match="^write of s_axi_control at 0x7c was answered with "):
        run(file_of_registers, script)
    script = BusScript(BUS)
    script.until(0x10, 1, 0)
    with pytest.raises(SimulationError, match="was not over after 300 clocks"):
        run(file_of_registers, script, max_clocks=300)
    with pytest.raises(ValueError, match="^exactly one of expect, idle, clocks and bus must be"):
        run(file_of_registers, script, clocks=3)
    with pytest.raises(ValueError, match="^reset_at must be .* without clocks or bus"):
        run(file_of_registers, script, reset_at=3)


@pytest.mark.parametrize("name", all_slow(["plain", "two levels"]))
def test_ips_as_functions(name):
    top = tops(name)
    encoder = RtlEncoderIp(top.config, stream_bytes=top.stream_bytes)
    decoder = RtlDecoderIp(top.config, stream_bytes=top.stream_bytes)
    stall = {"pixels": Stall(0.3, 1), "bytes": Stall(0.3, 2)}
    for size in ((1, 1), (18, 10)):
        images = pictures(*size, count=2)
        file = top.file(images)
        found = encoder(images, stall=stall)
        assert (found.files, found.rest, found.errors) == ((file,), b"", ())
        counters = {"pixels": images.size, "bytes": len(file), "frames": 2, "files": 1}
        assert found.counters == counters
        singly = encoder(images, per_file=1)
        assert singly.files == tuple(top.file(image[None]) for image in images)
        assert singly.counters["files"] == 2
        found = decoder(file, stall=stall)
        np.testing.assert_array_equal(np.stack(found.frames), images)
        assert (found.errors, found.counters) == ((), counters)
    foreign = file[:4] + bytes([file[4] ^ 1]) + file[5:]
    found = decoder([foreign, file])
    assert found.errors == ("bad_model",) and len(found.frames) == 2
    if top.config.model.levels:
        small = decoder(file, level=1).frames
        np.testing.assert_array_equal(np.stack(small), top.codec.decode(file, level=1))


@pytest.mark.slow
def test_other_build():
    """An IP whose registers tell of another build is not taken for this one."""
    top = tops("plain")
    design = Design.of(RtlEncoderIp(top.config)._design)
    other = CoreConfig(top.config.model, tile_width=16, tile_height=8, max_width=32, max_height=64)
    with pytest.raises(SimulationError, match="^register max_width must read 0x20, not 0x28$"):
        RtlEncoderIp(other, design)(pictures(18, 10))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("check") / "build"
    build(
        "zynq7045", table_model(),
        BuildOptions(registers=True, tile=(8, 8), max_width=24, max_height=24, name="lutgen"),
        out=out, estimate=False
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    noise = rng.integers(256, size=(2, 9, 17), dtype=np.uint8)
    return [("a", noise[0]), ("b", noise[1]), ("dot", noise[0, :1, :1])]


@pytest.mark.slow
def test_check_of_a_build(folder, images):
    found = check_build(folder, images, stall=0.2, quick=True)
    assert found["ok"], found["problems"]
    assert found["checks"] == 2 * 2 + 1
    assert set(found["bad_files"]["errors"]) >= {"bad_tile", "bad_model"}


@pytest.mark.slow
def test_check_of_a_model(images):
    """What `lutgen sim --registers` does."""
    found = check(table_model(), images[:1], BuildOptions(registers=True, tile=(8, 8)), quick=True)
    assert found["ok"], found["problems"]
    assert found["parameters"]["registers"] is True


def with_output(folder, tmp_path, core: str, port: str, width: int, expression: str):
    """A copy of a build in which an output of a core shows an expression of what it was, `raw`."""
    copy = shutil.copytree(folder, tmp_path / "altered")
    path = copy / f"lutgen_{core}.v"
    text = path.read_text().replace(f"module lutgen_{core}(", f"module inner_{core}(", 1)
    ports = re.search(rf"module inner_{core}\(([^)]*)\);", text)[1].split(", ")
    body = text.split(f"module inner_{core}(", 1)[1].split("endmodule", 1)[0]
    own = re.findall(r"\n  ((?:input|output) (?:\[\d+:0\] )?\w+);", body)
    pins = ", ".join(f".{p}({'raw' if p == port else p})" for p in ports)
    path.write_text(
        text + f"module lutgen_{core}({', '.join(ports)});\n"
        + "".join(f"  {d};\n" for d in own)
        + f"  wire [{width - 1}:0] raw;\n  assign {port} = {expression};\n"
        + f"  inner_{core} core ({pins});\nendmodule\n"
    )  # fmt: skip
    return copy


@pytest.mark.slow
@pytest.mark.parametrize(
    ("port", "width", "expression", "message"),
    [
        ("interrupt", 1, "1'd0 & raw", "encoder, 17x9: interrupt must follow ISR, which was 0x3 "),
        ("s_axi_control_rdata", 32, "raw == 32'd306 ? 32'd305 : raw",
         "encoder, 17x9: counter pixels reads 305 instead of 306"),
        ("s_axi_control_rdata", 32, "raw & 32'hfffffeff", "encoder, 17x9: register id must"),
        ("s_axi_control_bresp", 2, "raw | 2'd2", "was answered with response 2"),
    ],
)  # fmt: skip
def test_registers_that_are_wrong(folder, images, tmp_path, port, width, expression, message):
    copy = with_output(folder, tmp_path, "encoder", port, width, expression)
    found = check_build(copy, images, edited=True, quick=True)
    assert not found["ok"]
    assert any(message in problem for problem in found["problems"]), found["problems"]
