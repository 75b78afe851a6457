"""IPs under cocotbext-axi, against the reference codec and its counts."""

from functools import cache

import numpy as np
import pytest

from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.registers import BUS
from lutgen.gateware.ip.tiles import DecoderIp, EncoderIp
from lutgen.registers.register_map import RegisterMap
from lutgen.sim import Design, Stall, rtl_stream
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.words import file_words, files_of, frames_of
from lutgen.synth import estimate
from lutgen.targets import get_target
from tests.gateware.ip import Script, packet_bytes, packet_frames, words
from tests.gateware.tops import Tops, pictures, tops
from tests.tiers import slow_but_first

FLOW = ("pixels", "bytes", "frames", "files")
MARKERS = ("sof_early", "sof_late", "eol_early", "eol_late", "bad_size")
DAMAGE = ("bad_header", "bad_model", "bad_packet", "bad_tile")
#: Streams of four bytes, one, eight and two, the last with levels.
NAMES = ["plain", *(pytest.param(n, marks=pytest.mark.slow)
                    for n in ("walker", "laplace", "two levels"))]  # fmt: skip


@cache
def encoder(name: str = "plain") -> tuple[Tops, RegisterMap, Design]:
    top = tops(name)
    ip = EncoderIp(top.config, stream_bytes=top.stream_bytes)
    return top, build_map("encoder", top.config), Design.of(ip, "lutgen_encoder")


@cache
def decoder(name: str = "plain") -> tuple[Tops, RegisterMap, Design]:
    top = tops(name)
    ip = DecoderIp(top.config, stream_bytes=top.stream_bytes)
    return top, build_map("decoder", top.config), Design.of(ip, "lutgen_decoder")


def encode_script(registers: RegisterMap, images: np.ndarray | None = None) -> Script:
    """A script that sets the size of images, all of one file, and begins."""
    script = Script(registers)
    if images is not None:
        set_size(script, images)
        script.control(enable=1)
    return script


def set_size(script: Script, images: np.ndarray) -> None:
    for register, value in zip(("images", "height", "width"), images.shape, strict=True):
        script.write(register, value)


def joined(*parts: dict) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def counts(images: np.ndarray, *files: bytes) -> list[int]:
    """Values of `FLOW`."""
    return [images.size, sum(map(len, files)), len(images), len(files)]


# Encoder


@pytest.mark.parametrize("name", NAMES)
def test_encoder_counts_and_interrupts(name):
    """Identity, two files with stalls on both ports, counters, frames' and files' interrupts."""
    top, registers, design = encoder(name)
    images = pictures(18, 10, count=2)
    script = Script(registers)
    script.read("id", "model_hash_0", "model_hash_1", "max_width", "max_height")
    script.until("status", idle=1, busy=0, dropping=0, waiting=1)
    set_size(script, images)
    script.write("ier", 3)
    script.write("gie", 1)
    script.step("stall", "in", 0.3, 1)
    script.step("stall", "out", 0.6, 2)
    script.send(raster_beats(np.concatenate([images, images])))
    script.step("clocks", 100)
    script.step("waiting", key="nothing")
    script.control(enable=1)
    script.step("interrupt", 1)
    script.read("isr", key="first ")
    script.write("isr", 1)
    script.step("take", 2, key="out")
    script.step("interrupt", 1)
    script.read("isr", key="last ")
    script.write("isr", 3)
    script.step("interrupt", 0)
    script.until("status", idle=1, busy=0)
    script.read(*FLOW, *MARKERS, "input_stalls", "output_stalls")
    script.step("stalls", key="stalls")
    script.control(clear_counters=1, enable=1)
    script.read(*FLOW, "input_stalls", "output_stalls", key="cleared ")
    found = script.run(design)

    config = top.config
    identity = words(found, "id", "model_hash_0", "model_hash_1", "max_width", "max_height")
    assert identity[0] == int.from_bytes(b"LGCE", "big")
    assert f"{identity[1]:08x}{identity[2]:08x}" == config.model.hash[:16]
    assert identity[3:] == [config.max_width, config.max_height]
    assert found["nothing"] == 0
    assert words(found, "isr", key="first ") == [1]
    assert words(found, "isr", key="last ") == [3]
    file = top.file(images)
    assert packet_bytes(found["out"]) == [file, file]
    assert words(found, *FLOW) == counts(np.concatenate([images, images]), file, file)
    assert words(found, *MARKERS) == [0] * len(MARKERS)
    stalls = words(found, "input_stalls", "output_stalls")
    assert stalls == [found["stalls"]["in"], found["stalls"]["out"]]
    assert min(stalls) > 0
    assert words(found, *FLOW, "input_stalls", "output_stalls", key="cleared ") == [0] * 6


def test_encoder_sizes_back_to_back():
    """The source never stops; each size is written while the file before is on its way."""
    top, registers, design = encoder()
    groups = [pictures(*size, count=1) for size in ((40, 40), (40, 30), (37, 33), (40, 64))]
    script = encode_script(registers, groups[0])
    script.until("control", update=0)
    script.send(joined(*map(raster_beats, groups)))
    for group in groups[1:]:
        set_size(script, group)
        script.control(enable=1, update=1)
        script.until("control", update=0)
    script.step("take", len(groups), key="out")
    script.until("status", idle=1)
    script.read(*FLOW, *MARKERS)
    found = script.run(design)
    files = [top.file(group) for group in groups]
    assert packet_bytes(found["out"]) == files
    assert words(found, *FLOW) == [sum(g.size for g in groups), sum(map(len, files)), 4, 4]
    assert words(found, *MARKERS) == [0] * len(MARKERS)


def test_encoder_keeps_its_size_until_the_update():
    top, registers, design = encoder()
    images = pictures(18, 10, count=2)
    script = encode_script(registers, images)
    script.until("control", update=0)
    set_size(script, pictures(40, 64, count=1))
    script.send(raster_beats(images))
    script.step("take", 1, key="out")
    # Disabled, nothing begins; the next size is the one at the time of enabling.
    script.control(enable=0)
    script.until("status", idle=1, waiting=1)
    script.send(raster_beats(images[:1]))
    script.step("clocks", 500)
    script.read("pixels")
    set_size(script, images[:1])
    script.control(enable=1)
    script.step("take", 1, key="later")
    found = script.run(design)
    assert packet_bytes(found["out"]) == [top.file(images)]
    assert words(found, "pixels") == [images.size]
    assert packet_bytes(found["later"]) == [top.file(images[:1])]


def test_markers_are_counted():
    """Each kind a different number of times; the files are those of the pixels in their order."""
    top, registers, design = encoder()
    width, height, count = 18, 10, 5
    images = pictures(width, height, count=count)
    size = width * height
    beats = raster_beats(images)
    beats["user"][[5, size + 7, size + width]] = 1  # early starts
    beats["last"][[3, 2 * size + 1]] = 1  # early ends
    beats["last"][[2 * width - 1, 3 * size - 1, 4 * size - 1, size - 1]] = 0  # late ends
    lost = {name: values[:7].copy() for name, values in beats.items()}
    lost["user"][:] = 0  # late starts
    script = encode_script(registers, images[:1])
    script.write("ier", 0x1F << 8)
    script.write("gie", 1)
    script.send(joined(lost, beats))
    script.step("take", count, key="out")
    script.step("interrupt", 1)
    script.read("isr", *MARKERS, *FLOW)
    script.write("isr", 0xFFFF)
    script.step("interrupt", 0)
    found = script.run(design)
    files = [top.file(image[None]) for image in images]
    assert packet_bytes(found["out"]) == files
    assert words(found, *MARKERS) == [3, 7, 2, 4, 0]
    assert words(found, "isr") == [0b1111 << 8 | 3]
    assert words(found, *FLOW) == counts(images, *files)


@pytest.mark.parametrize("register", ["width", "height", "images"])
def test_impossible_sizes(register):
    """Its frame is dropped, the next one that is possible is coded; nothing hangs."""
    top, registers, design = encoder()
    images = pictures(18, 10, count=1)
    script = Script(registers)
    bad = {"width": (0, 41, 18 + 64, 18 + 256), "height": (65, 10 + 128, 0), "images": (0,)}
    for number, value in enumerate(bad[register]):
        set_size(script, images)
        script.write(register, value)
        script.control(enable=1)
        script.until("control", update=0)
        script.send(raster_beats(images))
        script.until("status", idle=1)
        script.step("clocks", 300)
        script.read("bad_size", "sof_late", "pixels", key=f"{number} ")
        script.control(enable=0)
    set_size(script, images)
    script.control(enable=1)
    script.send(raster_beats(images))
    script.step("take", 1, key="out")
    script.read("isr")
    found = script.run(design)
    for number in range(len(bad[register])):
        times = number + 1
        assert words(found, "bad_size", "sof_late", "pixels", key=f"{number} ") == [
            times, times * (images.size - 1), 0,
        ]  # fmt: skip
    assert packet_bytes(found["out"]) == [top.file(images)]
    assert words(found, "isr")[0] >> 8 == 0b10010


@pytest.mark.parametrize("clocks", [1, 60, 250, 1100])
@pytest.mark.parametrize("share", [0.0, 0.7])
def test_encoder_reset_in_mid_frame(clocks, share):
    """The rest of the frame is dropped, the file ends, and a clean one follows."""
    top, registers, design = encoder()
    broken, images = pictures(40, 33, count=3), pictures(18, 10, count=2)
    script = encode_script(registers, broken)
    script.step("stall", "out", share, 5)
    script.send(raster_beats(broken[:1]))
    script.until("status", busy=1)
    script.step("clocks", clocks)
    script.control(reset=1)  # and not enabled
    script.until("status", idle=1, busy=0)
    script.read("sof_late", "eol_early", "eol_late", "width")
    set_size(script, images)
    script.send(raster_beats(images))
    script.control(enable=1)
    script.step("take", 1, key="first")
    script.until("status", idle=1, busy=0)
    script.step("waiting", key="waiting")
    found = script.run(design)
    packets = packet_bytes(found["first"])
    whole = top.file(broken)
    if found["waiting"]:  # some bytes had left before, and were ended by one
        script.step("take", 1, key="second")
        found = script.run(design)
        first = packet_bytes(found["first"])[0]
        assert whole.startswith(first[:-1]) and first[-1] == 0 and len(first) > 1
        packets = packet_bytes(found["second"])
    assert packets == [top.file(images)]
    assert words(found, "sof_late", "eol_early", "eol_late") == [0, 0, 0]
    assert words(found, "width") == [40]


def test_encoder_restart():
    """Source and sink begin anew: nothing of before comes out, and no beat is dropped."""
    top, registers, design = encoder()
    broken, images = pictures(40, 33, count=1), pictures(18, 10, count=2)
    script = encode_script(registers, broken)
    script.send({name: beats[:1100] for name, beats in raster_beats(broken).items()})
    script.step("clocks", 1300)
    script.control(reset=1, restart=1)
    script.until("status", idle=1, dropping=0, busy=0)
    set_size(script, images)
    script.control(enable=1)
    script.send(raster_beats(images))
    script.step("take", 1, key="file")
    script.read("sof_late")
    found = script.run(design)
    # The sink of this bench was not reset, and still holds what it had of the broken packet.
    assert packet_bytes(found["file"])[0].endswith(top.file(images))
    assert words(found, "sof_late") == [0]


def check_traffic(registers: RegisterMap, log: list) -> None:
    mapped = {register.offset: register for register in registers}
    fixed = ("id", "version", "model_hash_0", "model_hash_1", "max_width", "max_height")
    memory = {registers["ier"].offset: 0}
    assert len(log) > 50
    for kind, address, *rest in log:
        if kind == "write":
            first, values, response = rest
            assert response == 0
            for k, value in enumerate(values, first):
                lane = 255 << 8 * k
                memory[address] = (memory[address] & ~lane) | value << 8 * k
        else:
            value, response = rest
            assert response == (0 if address in mapped else 2)
            if address not in mapped:
                assert value == 0
            elif address in memory:
                mask = sum(field.mask for field in mapped[address].fields)
                assert value == memory[address] & mask
            elif mapped[address].name in fixed:
                assert value == mapped[address].reset


def test_encoder_under_traffic():
    """Reads and writes of registers change neither files nor counters."""
    top, registers, design = encoder()
    images = pictures(27, 21, count=2)
    script = encode_script(registers, images)
    script.step("traffic", 6, list(range(0, 128, 4)), [registers["ier"].offset])
    script.step("stall", "in", 0.4, 7)
    script.step("stall", "out", 0.5, 8)
    script.send(raster_beats(images))
    script.step("take", 1, key="out")
    script.step("join", key="log")
    script.read(*FLOW)
    found = script.run(design)
    file = top.file(images)
    assert packet_bytes(found["out"]) == [file]
    check_traffic(registers, found["log"])
    assert words(found, *FLOW) == counts(images, file)


# Decoder


def lines(*groups: np.ndarray) -> int:
    return sum(group.shape[0] * group.shape[1] for group in groups)


def check_frames(packets: list, *groups: np.ndarray) -> None:
    expected = [image for group in groups for image in group]
    found = packet_frames(packets)
    assert len(found) == len(expected)
    for frame, image in zip(found, expected, strict=True):
        np.testing.assert_array_equal(frame, image)


@pytest.mark.parametrize("name", NAMES)
def test_decoder_counts_and_interrupts(name):
    top, registers, design = decoder(name)
    groups = [pictures(*size, count=2) for size in ((18, 10), (1, 1), (27, 21))]
    files = [top.file(group) for group in groups]
    script = Script(registers)
    script.read("id", "model_hash_0", "model_hash_1", "max_width", "max_height", "max_level")
    script.write("ier", 3)
    script.write("gie", 1)
    script.send_files(*files)
    script.step("clocks", 100)
    script.until("status", idle=1, waiting=1, busy=0)
    script.step("stall", "in", 0.3, 1)
    script.step("stall", "out", 0.6, 2)
    script.control(enable=1)
    script.step("interrupt", 1)
    script.step("take", lines(*groups), key="out")
    script.until("status", idle=1, busy=0)
    script.read("isr", *FLOW, *DAMAGE, "input_stalls", "output_stalls")
    script.step("stalls", key="stalls")
    script.write("isr", 3)
    script.step("interrupt", 0)
    found = script.run(design)
    identity = words(found, "id", "model_hash_0", "model_hash_1", "max_width", "max_height",
                     "max_level")  # fmt: skip
    assert identity[0] == int.from_bytes(b"LGCD", "big")
    assert f"{identity[1]:08x}{identity[2]:08x}" == top.config.model.hash[:16]
    assert identity[3:] == [40, 64, top.config.model.levels]
    check_frames(found["out"], *groups)
    assert words(found, "isr") == [3]
    assert words(found, *FLOW) == [sum(g.size for g in groups), sum(map(len, files)), 6, 3]
    assert words(found, *DAMAGE) == [0] * 4
    stalls = words(found, "input_stalls", "output_stalls")
    assert stalls == [found["stalls"]["in"], found["stalls"]["out"]]
    assert min(stalls) > 0


def test_decoder_errors():
    top, registers, design = decoder()
    images = pictures(18, 10, count=1)
    good = top.file(images)
    model = good[:4] + bytes([good[4] ^ 1]) + good[5:]
    corrupt = good[:-1] + bytes([good[-1] ^ 0x5A])
    bad = [b"?" + good[1:], model, model, good + b"?", good + b"?", good + b"?", corrupt]
    script = Script(registers)
    script.write("ier", 15 << 8)
    script.write("gie", 1)
    script.control(enable=1)
    script.send_files(*bad, good)
    script.step("take", lines(*[images] * 5), key="out")
    script.until("status", idle=1)
    script.step("interrupt", 1)
    script.read("isr", *DAMAGE, *FLOW)
    script.write("isr", 15 << 8)
    script.step("interrupt", 0)
    found = script.run(design)
    frames = packet_frames(found["out"])
    assert len(frames) == 5
    for frame in [*frames[:3], frames[4]]:
        np.testing.assert_array_equal(frame, images[0])
    assert words(found, *DAMAGE) == [1, 2, 3, 1]
    assert words(found, "isr") == [15 << 8 | 3]
    assert words(found, *FLOW) == [5 * images.size, sum(map(len, [*bad, good])), 5, 8]


@pytest.mark.parametrize("clocks", slow_but_first([400, 1, 60, 900]))
def test_decoder_reset_in_mid_file(clocks):
    """The file's rest is dropped, the frame at hand ends, the next file is right."""
    top, registers, design = decoder()
    broken, images = pictures(40, 33, count=3), pictures(18, 10, count=2)
    script = Script(registers)
    script.control(enable=1)
    script.step("stall", "in", 0.3, 3)
    script.send_files(top.file(broken))
    script.until("status", busy=1)
    script.step("clocks", clocks)
    script.control(enable=1, reset=1)
    script.send_files(top.file(images))
    script.until("status", idle=1, dropping=0, busy=0)
    script.step("clocks", 3000)
    script.until("status", idle=1, dropping=0, busy=0)
    script.step("waiting", key="waiting")
    found = script.run(design)
    script.step("take", found["waiting"], key="out")
    script.read(*DAMAGE, "files")
    found = script.run(design)
    *before, first, second = packet_frames(found["out"])
    np.testing.assert_array_equal(np.stack([first, second]), images)
    for frame, image in zip(before, broken, strict=False):
        np.testing.assert_array_equal(frame, image[: len(frame)])
    assert words(found, *DAMAGE, "files") == [0, 0, 0, 0, 1]


def test_decoder_under_traffic():
    top, registers, design = decoder()
    images = pictures(27, 21, count=2)
    script = Script(registers)
    script.control(enable=1)
    script.step("traffic", 9, list(range(0, 128, 4)), [registers["ier"].offset])
    script.step("stall", "in", 0.2, 7)
    script.step("stall", "out", 0.5, 8)
    file = top.file(images)
    script.send_files(file)
    script.step("take", lines(images), key="out")
    script.step("join", key="log")
    script.read(*FLOW)
    found = script.run(design)
    check_frames(found["out"], images)
    check_traffic(registers, found["log"])
    assert words(found, *FLOW) == counts(images, file)


@pytest.mark.slow
def test_decoder_levels_back_to_back():
    """A level for each file, set while the one before is decoded."""
    top, registers, design = decoder("two levels")
    images = pictures(27, 21, count=2)
    file = top.file(images)
    order = [0, 2, 1, 7, 0]  # beyond the largest is the largest
    script = Script(registers)
    script.write("level", order[0])
    script.control(enable=1)
    script.send_files(*[file] * len(order))
    for level in order[1:]:
        script.until("control", update=0)
        script.until("status", busy=1)
        script.write("level", level)
        script.control(enable=1, update=1)
    script.until("control", update=0)
    script.until("status", busy=1)
    script.until("status", idle=1)
    script.step("waiting", key="waiting")
    script.read("frames", "files", *DAMAGE, "max_level")
    found = script.run(design)
    script.step("take", found["waiting"], key="lines")
    frames = packet_frames(script.run(design)["lines"])
    expected = [
        image for level in order
        for image in top.codec.decode(file, level=min(level, 2))
    ]  # fmt: skip
    assert len(frames) == len(expected)
    for frame, image in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame, image)
    assert words(found, "frames", "files", *DAMAGE, "max_level") == [10, 5, 0, 0, 0, 0, 2]


# Rules of the streams


def bus_inputs(writes: list[tuple[int, int]]) -> dict:
    address, data = zip(*writes, strict=True)
    return {
        f"{BUS}_aw": {"addr": np.array(address)},
        f"{BUS}_w": {"data": np.array(data), "strb": np.full(len(data), 15)},
        f"{BUS}_ar": {"addr": np.zeros(0, int)},
    }


BUS_OUTPUTS = {f"{BUS}_b": ["resp"], f"{BUS}_r": ["data", "resp"]}


@pytest.mark.exhaustive
@pytest.mark.parametrize("ip", [EncoderIp, DecoderIp])
def test_at_most_four_lut_levels(ip):
    found = estimate(
        to_verilog(ip(tops("plain").config), "ip"), "ip", get_target("zynq7045"),
        {"registers": ["registers"], "core": ["core"]},
    )  # fmt: skip
    assert found["levels"] <= 4
    assert found["blocks"]["registers"]["levels"] <= 3
    assert found["blocks"]["registers"]["lut"] < 260


@pytest.mark.parametrize("seed", slow_but_first(range(3)))
def test_encoder_reset_keeps_the_rules_of_streams(seed):
    """VALID stays until READY through software resets; the bench raises if it does not."""
    top, registers, design = encoder()
    images = pictures(18, 10, count=40)
    offset = {register.name: register.offset for register in registers}
    resets = [(offset["control"], 3)] * 8
    writes = [(offset["width"], 18), (offset["height"], 10), (offset["control"], 1), *resets]
    result = rtl_stream(
        design, {"s_axis_video_t": raster_beats(images)} | bus_inputs(writes),
        {"m_axis_stream_t": ["data", "keep", "last"]} | BUS_OUTPUTS, names="{stream}{signal}",
        stalls={f"{BUS}_aw": Stall(0.9985, seed), "m_axis_stream_t": Stall(0.5, seed + 10)},
        clocks=20_000,
    )  # fmt: skip
    assert len(result.outputs[f"{BUS}_b"]["resp"]) == len(writes)
    assert len(result.input_clocks["s_axis_video_t"]) == images.size
    files, rest = files_of(**result.outputs["m_axis_stream_t"], size=4)
    known = {top.file(image[None]) for image in images}
    assert rest == b"" and files[-1] == top.file(images[-1:])
    broken = [file for file in files if file not in known]
    assert len(broken) <= len(resets)
    for file in broken:
        assert file[-1] == 0 and any(other.startswith(file[:-1]) for other in known)
    assert len(files) > len(images) - 5 * len(resets)


@pytest.mark.parametrize("seed", slow_but_first(range(3)))
def test_decoder_reset_keeps_the_rules_of_streams(seed):
    top, registers, design = decoder()
    images = pictures(18, 10, count=3)
    file = top.file(images)
    beats = [file_words(file, 4)] * 12
    control = registers["control"].offset
    writes = [(control, 1), *[(control, 3)] * 6]
    result = rtl_stream(
        design, {"s_axis_stream_t": joined(*beats)} | bus_inputs(writes),
        {"m_axis_video_t": ["data", "user", "last"]} | BUS_OUTPUTS, names="{stream}{signal}",
        stalls={f"{BUS}_aw": Stall(0.9985, seed), "m_axis_video_t": Stall(0.3, seed + 10)},
        clocks=20_000,
    )  # fmt: skip
    assert len(result.outputs[f"{BUS}_b"]["resp"]) == len(writes)
    assert len(result.input_clocks["s_axis_stream_t"]) == 12 * len(beats[0]["data"])
    out = result.outputs["m_axis_video_t"]
    starts = [*np.flatnonzero(out["user"]), len(out["data"])]
    assert starts[0] == 0
    cut = 0
    known = images.reshape(len(images), -1)
    for first, end in zip(starts[:-1], starts[1:], strict=True):
        pixels = out["data"][first:end]
        assert any(np.array_equal(image[: len(pixels)], pixels) for image in known)
        cut += len(pixels) < known.shape[1]
    assert cut <= 6
    whole = frames_of(**{name: values[starts[-4] :] for name, values in out.items()})
    np.testing.assert_array_equal(np.stack(whole), images)


def test_first_beats_after_the_reset():
    """READY is up at once; a beat that is taken in the first clock counts."""
    top, registers, design = encoder()
    images = pictures(18, 10, count=2)
    offset = {register.name: register.offset for register in registers}
    writes = [(offset["width"], 18), (offset["height"], 10), (offset["control"], 1)]
    result = rtl_stream(
        design, {"s_axis_video_t": raster_beats(images)} | bus_inputs(writes),
        {"m_axis_stream_t": ["data", "keep", "last"]} | BUS_OUTPUTS, names="{stream}{signal}",
        clocks=3000,
    )  # fmt: skip
    assert result.input_clocks["s_axis_video_t"][0] == 0
    files, rest = files_of(**result.outputs["m_axis_stream_t"], size=4)
    assert (files, rest) == (tuple(top.file(image[None]) for image in images), b"")


class At:
    """A stream whose beats wait for these clocks, one by one or all behind the last."""

    steady = False

    def __init__(self, *clocks: int, onward: bool = False) -> None:
        self._clocks, self._onward = clocks, onward

    def mask(self, count: int) -> np.ndarray:
        stalled = np.ones(count, dtype=bool)
        stalled[list(self._clocks)] = False
        if self._onward:
            stalled[self._clocks[-1] :] = False
        return stalled


@pytest.mark.parametrize("restart", [0, 1])
def test_decoder_after_a_source_that_begins_anew(restart):
    """With a restart its next word begins a file; otherwise that is the rest of the broken one."""
    top, registers, design = decoder()
    images = pictures(18, 10, count=2)
    whole = file_words(top.file(images), 4)
    part = {name: values[:25] for name, values in file_words(top.file(pictures(40, 33)), 4).items()}
    control = registers["control"].offset
    result = rtl_stream(
        design,
        {"s_axis_stream_t": joined(part, whole, whole)}
        | bus_inputs([(control, 1), (control, 3 | restart << 2)]),
        {"m_axis_video_t": ["data", "user", "last"]} | BUS_OUTPUTS, names="{stream}{signal}",
        stalls={
            f"{BUS}_aw": At(20, 400), "s_axis_stream_t": At(*range(40, 240, 8), 600, onward=True),
        },
        clocks=8000,
    )  # fmt: skip
    assert len(result.input_clocks["s_axis_stream_t"]) == 25 + 2 * len(whole["data"])
    frames = frames_of(**result.outputs["m_axis_video_t"])
    np.testing.assert_array_equal(np.stack(frames), np.concatenate([images] * (1 + restart)))
