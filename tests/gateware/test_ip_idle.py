"""STATUS.idle is 0 from when a file begins until its last beat has left."""

import numpy as np
import pytest

from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.registers import BUS
from lutgen.gateware.ip.tiles import DecoderIp, EncoderIp
from lutgen.sim import Design, Stall, rtl_stream
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.bus import BusScript
from lutgen.sim.drive.stream import AXIS
from lutgen.sim.drive.words import file_beats
from tests.gateware.tops import pictures, tops

#: Clocks from a change of the core to when a read of STATUS shows it.
_SEEN = 6
_READS = 90


def idle_reads(registers, design, settings: dict, inputs: dict, outputs: dict, seed: int):
    """Reads of STATUS: clocks at which they began and ended, and whether idle; and the streams."""
    script = BusScript(BUS)
    for name, value in settings.items():
        script.write(registers[name].offset, value)
    script.write(registers["control"].offset, 1)
    for _ in range(8):  # an update is done by then
        script.read(registers["id"].offset)
    script.start()
    first = len(script.steps)
    for _ in range(_READS):
        script.read(registers["status"].offset)
    stalls = {name: Stall(0.5, seed + k) for k, name in enumerate([*inputs, *outputs])}
    result = rtl_stream(design, inputs, outputs, names=AXIS, stalls=stalls, bus=script)
    begins = result.input_clocks[f"{BUS}_ar"][-_READS:]
    ends = result.output_clocks[f"{BUS}_r"][-_READS:]
    idle = np.array(result.words[first:]) & registers["status"]["idle"].mask
    (name,), (out,) = inputs, outputs
    return begins, ends, idle, result.input_clocks[name][0], result.output_clocks[out][-1]


def check(begins, ends, idle, taken: int, given: int) -> None:
    inside = (begins > taken + _SEEN) & (ends < given)
    assert inside.sum() > 5
    assert not idle[inside].any()
    after = begins > given + _SEEN
    assert after.sum() > 2
    assert idle[after].all()


@pytest.fixture(scope="module")
def encoder():
    top = tops("plain")
    return top, build_map("encoder", top.config), Design.of(EncoderIp(top.config), "lutgen_encoder")


@pytest.fixture(scope="module")
def decoder():
    top = tops("plain")
    return top, build_map("decoder", top.config), Design.of(DecoderIp(top.config), "lutgen_decoder")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 12, 2))
@pytest.mark.parametrize("side", [1, 2, 3])
def test_encoder(encoder, side, seed):
    _, registers, design = encoder
    images = pictures(side, side)
    check(*idle_reads(
        registers, design, {"width": side, "height": side},
        {"s_axis_video": raster_beats(images)}, {"m_axis_stream": ["data"]}, seed,
    ))  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 6, 2))
@pytest.mark.parametrize("side", [1, 3])
def test_decoder(decoder, side, seed):
    top, registers, design = decoder
    file = top.file(pictures(side, side))
    check(*idle_reads(
        registers, design, {}, {"s_axis_stream": file_beats(file, 4)}, {"m_axis_video": ["data"]},
        seed,
    ))  # fmt: skip
