"""IPs of profile predictive under cocotbext-axi, against the reference codec and its counts."""

from functools import cache

import numpy as np
import pytest

from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.predictive import PredictiveDecoderIp, PredictiveEncoderIp
from lutgen.gateware.predictive.top import DECODER_ERRORS
from lutgen.model.header import VERSION_2
from lutgen.registers.register_map import RegisterMap
from lutgen.sim import Design
from lutgen.sim.drive.beats import raster_beats
from tests.gateware.ip import Script, packet_bytes, packet_frames, words
from tests.gateware.test_predictive_cores import CORES, cut

pytestmark = pytest.mark.slow

CORE = CORES["8 bits"]
FLOW = ("pixels", "bytes", "frames", "files")
MARKERS = ("sof_early", "sof_late", "eol_early", "eol_late", "bad_size")


@cache
def encoder() -> tuple[RegisterMap, Design]:
    ip = PredictiveEncoderIp(CORE.config, stream_bytes=CORE.stream_bytes)
    return build_map("encoder", CORE.config), Design.of(ip)


@cache
def decoder() -> tuple[RegisterMap, Design]:
    ip = PredictiveDecoderIp(CORE.config, stream_bytes=CORE.stream_bytes)
    return build_map("decoder", CORE.config), Design.of(ip)


def some(*size: int, count: int = 2) -> np.ndarray:
    return np.stack(cut(size, 8)[:count]).astype(np.uint8)


def set_size(script: Script, images: np.ndarray, per_file: int = 1) -> None:
    for register, value in (
        ("images", per_file), ("height", images.shape[1]), ("width", images.shape[2]),
    ):  # fmt: skip
        script.write(register, value)


def files_of(*groups: np.ndarray) -> list[bytes]:
    return [CORE.file(image) for images in groups for image in images]


def test_registers_of_the_profile():
    names = [field.name for field in build_map("decoder", CORE.config)["isr"].fields]
    assert names == ["frame_done", "file_done", "bad_header", "bad_packet", "bad_strip"]
    registers = {register.name for register in build_map("decoder", CORE.config)}
    assert not {"bad_tile", "bad_model", "level"} & registers
    assert {"bad_strip", "bad_packet", "max_level"} <= registers


def test_encoder_counts_and_interrupts():
    registers, design = encoder()
    groups = [some(18, 30), some(5, 9), some(1, 1)]
    script = Script(registers)
    script.read("id", "model_hash_0", "model_hash_1", "max_width", "max_height")
    script.write("ier", 3)
    script.write("gie", 1)
    script.step("stall", "in", 0.3, 1)
    script.step("stall", "out", 0.5, 2)
    for number, images in enumerate(groups):
        set_size(script, images)
        script.control(enable=1, update=1)
        script.until("control", update=0)
        script.send(raster_beats(images))
        script.step("take", len(images), key=f"out {number}")
        script.until("status", idle=1, busy=0)
    script.step("interrupt", 1)
    script.read("isr", *FLOW, *MARKERS)
    script.write("isr", 3)
    script.step("interrupt", 0)
    found = script.run(design)
    identity = words(found, "id", "model_hash_0", "model_hash_1", "max_width", "max_height")
    assert identity[0] == int.from_bytes(b"LGCE", "big")
    assert f"{identity[1]:08x}{identity[2]:08x}" == CORE.config.model.hash[:16]
    assert identity[3:] == [CORE.max_width, CORE.max_height]
    packets = [p for number in range(3) for p in packet_bytes(found[f"out {number}"])]
    assert packets == files_of(*groups)
    assert words(found, "isr") == [3]
    pixels = sum(images.size for images in groups)
    assert words(found, *FLOW) == [pixels, sum(map(len, packets)), 6, 6]
    assert words(found, *MARKERS) == [0] * 5


def test_markers_and_impossible_sizes_are_counted():
    registers, design = encoder()
    images = some(5, 9)
    beats = raster_beats(images)
    height, width = images.shape[1:]
    beats["user"][1] = 1  # early
    beats["last"][3] = 1  # early
    beats["last"][width * height - 1] = 0  # late
    beats["user"][width * height] = 0  # late: the second picture is dropped
    script = Script(registers)
    set_size(script, images)
    script.control(enable=1)
    script.send(beats)
    script.step("take", 1, key="out")
    script.until("status", idle=1, busy=0)
    script.read(*MARKERS, *FLOW)
    found = script.run(design)
    file = files_of(images[:1])
    assert packet_bytes(found["out"]) == file
    assert words(found, *MARKERS) == [1, width * height, 1, 1, 0]
    assert words(found, *FLOW) == [width * height, len(file[0]), 1, 1]

    script = Script(registers)
    # Several images of a file, which the profile does not have, no width, and one too large.
    for wrong in ({"images": 2}, {"width": 0}, {"height": CORE.max_height + 1}, {"width": 0x4009}):
        set_size(script, images)
        for register, value in wrong.items():
            script.write(register, value)
        script.control(enable=1, update=1)
        script.until("control", update=0)
        script.send(raster_beats(images[:1]))
        script.step("clocks", 200)
    set_size(script, images)
    script.control(enable=1, update=1)
    script.until("control", update=0)
    script.send(raster_beats(images[:1]))
    script.step("take", 1, key="out")
    script.until("status", idle=1, busy=0)
    script.read("bad_size", "sof_late", "pixels")
    found = script.run(design)
    assert packet_bytes(found["out"]) == file
    pixels = width * height
    assert words(found, "bad_size", "sof_late", "pixels") == [4, 4 * (pixels - 1), pixels]


@pytest.mark.parametrize("clocks", [1, 300, 900, 2500])
def test_encoder_reset_in_mid_frame(clocks):
    """The rest of the frame is dropped, the file ends, and a clean one follows."""
    registers, design = encoder()
    broken, images = some(40, 48), some(5, 9)
    script = Script(registers)
    set_size(script, broken)
    script.control(enable=1)
    script.send(raster_beats(broken))
    script.until("status", busy=1)
    script.step("clocks", clocks)
    script.control(reset=1)  # and not enabled
    script.step("clocks", 3000)
    script.step("waiting", key="waiting")
    set_size(script, images)
    script.control(enable=1)
    found = script.run(design)
    # What had left before, the last of it perhaps ended by a byte.
    before = found["waiting"]
    script.send(raster_beats(images))
    script.step("take", before, key="before")
    script.step("clocks", 6000)
    script.until("status", idle=1, busy=0)
    script.step("waiting", key="behind")
    found = script.run(design)
    script.step("take", found["behind"], key="out")
    found = script.run(design)
    whole = files_of(broken)
    for packet, file in zip(packet_bytes(found["before"]), whole, strict=False):
        assert packet == file or (file.startswith(packet[:-1]) and packet[-1] == 0)
    packets = packet_bytes(found["out"])
    assert packets[-2:] == files_of(images)
    assert len(packets) <= 2 + len(broken)


def test_decoder_counts_errors_and_interrupts():
    registers, design = decoder()
    good = CORE.file(some(18, 30)[1])
    body, other = bytearray(good), bytearray(good)
    body[-20] ^= 16
    other[VERSION_2["model hash"].offset] ^= 1
    files = [good, bytes(body), bytes(other), good[:-30], good]
    script = Script(registers)
    script.write("ier", (1 << 12) | 1)
    script.write("gie", 1)
    script.send_files(*files)
    script.step("clocks", 100)
    script.until("status", idle=1, waiting=1, busy=0)
    script.control(enable=1)
    script.step("take", 4 * 18, key="out")
    script.until("status", idle=1, busy=0)
    script.step("interrupt", 1)
    script.read("isr", *DECODER_ERRORS, "frames", "files", "pixels", "bytes")
    script.write("isr", (1 << 32) - 1)
    script.step("interrupt", 0)
    found = script.run(design)
    frames = packet_frames(found["out"])
    assert [frame.shape for frame in frames] == [(18, 30)] * 4
    for frame in (frames[0], frames[3]):
        np.testing.assert_array_equal(frame, some(18, 30)[1])
    header, packet, strip = words(found, *DECODER_ERRORS)
    assert (header, packet) == (1, 1) and strip in (1, 2)
    assert words(found, "isr") == [(1 << 12) | (1 << 10) | (1 << 8) | 3]
    assert words(found, "frames", "files", "pixels", "bytes") == [
        4, 5, 4 * 18 * 30, sum(map(len, files)),
    ]  # fmt: skip


@pytest.mark.parametrize("clocks", [1, 60, 700, 2500])
def test_decoder_reset_in_mid_file(clocks):
    """The file's rest is dropped, the frame at hand ends, the next file is right."""
    registers, design = decoder()
    broken, images = some(40, 48), some(5, 9)
    script = Script(registers)
    script.control(enable=1)
    script.step("stall", "in", 0.3, 3)
    script.send_files(*files_of(broken))
    script.until("status", busy=1)
    script.step("clocks", clocks)
    script.control(enable=1, reset=1)
    script.send_files(*files_of(images))
    script.step("clocks", 20_000)
    script.until("status", idle=1, dropping=0, busy=0)
    script.step("waiting", key="waiting")
    found = script.run(design)
    script.step("take", found["waiting"], key="out")
    script.read(*DECODER_ERRORS)
    found = script.run(design)
    *before, first, second = packet_frames(found["out"])
    np.testing.assert_array_equal(np.stack([first, second]), images)
    for frame in before:
        assert frame.shape[1] == 48
    assert words(found, *DECODER_ERRORS) == [0, 0, 0]
