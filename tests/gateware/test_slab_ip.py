"""IPs of several cores: files and images against the reference codec, and what counters count."""

from functools import cache

import numpy as np
import pytest

from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.registers import BUS
from lutgen.gateware.ip.slabs import SlabDecoderIp, SlabEncoderIp
from lutgen.sim import Design
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.bus import BusScript
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.stream import AXIS, rtl_stream
from lutgen.sim.drive.words import files_of
from tests.gateware.test_slab_cores import SEVERAL, cut

pytestmark = pytest.mark.exhaustive

CORES = SEVERAL["2"]
FLOW = ("pixels", "bytes", "frames", "files")
MARKERS = ("sof_early", "sof_late", "eol_early", "eol_late", "bad_size")
STALLS = {"pixels": Stall(0.3, 1), "bytes": Stall(0.4, 2)}


@cache
def encoder() -> Design:
    return Design.of(SlabEncoderIp(CORES.config, stream_bytes=CORES.stream_bytes))


@cache
def decoder() -> Design:
    return Design.of(SlabDecoderIp(CORES.config, stream_bytes=CORES.stream_bytes))


def some(height: int, width: int) -> np.ndarray:
    return np.stack(cut((height, width), 8)).astype(np.uint8)


@pytest.mark.parametrize("size", [(17, 40), (9, 37), (1, 3)])
def test_files_and_images(size):
    """Whose last beat of a line is filled in part counts as what it has."""
    images = some(*size)
    wanted = tuple(CORES.file(image) for image in images)
    counts = {
        "pixels": images.size, "bytes": sum(map(len, wanted)), "frames": len(images),
        "files": len(images),
    }  # fmt: skip
    ip = RtlEncoderIp(CORES.config, encoder(), stream_bytes=CORES.stream_bytes)
    encoded = ip(images, stall=STALLS)
    assert (encoded.files, encoded.rest, encoded.errors) == (wanted, b"", ())
    assert encoded.counters == counts
    ip = RtlDecoderIp(CORES.config, decoder(), stream_bytes=CORES.stream_bytes)
    decoded = ip(wanted, stall=STALLS)
    np.testing.assert_array_equal(np.stack(decoded.frames), images)
    assert (decoded.errors, decoded.counters) == ((), counts)


def test_markers_and_widths_are_counted():
    """Markers in wrong places, beats that are dropped, and images too narrow for two slabs."""
    registers = build_map("encoder", CORES.config)
    images = some(5, 9)[:2]
    beats = raster_beats(images, CORES.cores)
    line = 5  # beats
    beats["user"][1] = 1  # early
    beats["last"][3] = 1  # early
    beats["last"][5 * line - 1] = 0  # late
    beats["user"][5 * line] = 0  # late: the second picture is dropped
    first = raster_beats(images[:1], CORES.cores)
    beats = {name: np.append(values, first[name][0]) for name, values in beats.items()}
    bus, control = BusScript(BUS), registers["control"]

    def update(**sizes: int) -> None:
        for name, value in sizes.items():
            bus.write(registers[name].offset, value)
        bus.write(control.offset, control["enable"].mask | control["update"].mask)
        bus.until(control.offset, control["update"].mask, 0)

    update(width=9, height=5)
    bus.send("s_axis_video", 10 * line)
    bus.taken()
    idle = registers["status"]["idle"].mask
    bus.until(registers["status"].offset, idle, idle)
    read = {name: bus.read(registers[name].offset) for name in (*MARKERS, *FLOW)}
    update(width=2)
    bus.send("s_axis_video", 1)
    bus.taken(20)
    narrow = bus.read(registers["bad_size"].offset)
    found = rtl_stream(
        encoder(), {"s_axis_video": beats}, {"m_axis_stream": ["data", "keep", "last"]},
        names=AXIS, bus=bus, max_clocks=60_000,
    )  # fmt: skip
    file = CORES.file(images[0])
    assert files_of(**found.outputs["m_axis_stream"], size=CORES.stream_bytes) == ((file,), b"")
    assert [found.word(read[name]) for name in MARKERS] == [1, 5 * line, 1, 1, 0]
    assert [found.word(read[name]) for name in FLOW] == [images[0].size, len(file), 1, 1]
    assert found.word(narrow) == 1


def test_only_pixels_are_counted_otherwise_than_of_one_core():
    for name in ("encoder", "decoder"):
        registers = build_map(name, CORES.config)
        increments = {r.name: f.increment for r in registers for f in r.fields if f.increment > 1}
        assert increments == {"pixels": 2, "bytes": 4}
