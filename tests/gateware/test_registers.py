"""Register maps, and the register file behind its bus."""

import numpy as np
import pytest

from lutgen.gateware.ip.build_map import build_map, build_values
from lutgen.gateware.ip.registers import RegisterFile
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.registers.register_map import KINDS, MAPS, stored_map
from lutgen.sim import Design, Stall, rtl_stream
from tests.gateware.ip import Script, words
from tests.gateware.tops import tops
from tests.models import colour_model, mosaic_model, predictive_model

CONFIGS = {"encoder": "plain", "decoder": "two levels"}
OKAY, SLVERR = 0, 2
WORDS = 32
BUS = "s_axi_control_"


@pytest.fixture(scope="module", params=MAPS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def registers(name):
    return build_map(name, tops(CONFIGS[name]).config)


@pytest.fixture(scope="module")
def design(name, registers) -> Design:
    return Design.of(RegisterFile(registers), f"{name}_registers")


@pytest.fixture(scope="module")
def encoder_registers():
    return build_map("encoder", tops("plain").config)


@pytest.fixture(scope="module")
def encoder_design(encoder_registers) -> Design:
    return Design.of(RegisterFile(encoder_registers), "encoder_registers")


def test_table_is_what_the_rdl_says(name):
    pytest.importorskip("systemrdl")
    from lutgen.registers.rdl import JSON, compile_rdl, table_text

    assert compile_rdl(name) == stored_map(name)
    assert JSON.read_text(encoding="utf-8") == table_text()
    near = PredictiveConfig(predictive_model(), max_near=5)
    planes = [PredictiveConfig(model, depth) for model, depth in
              ((colour_model(), 8), (mosaic_model(), 12))]  # fmt: skip
    for config in (tops("plain").config, tops("two levels").config, near, *planes):
        assert compile_rdl(name, build_values(config)) == build_map(name, config)


def test_offsets_are_those_of_the_interface(name):
    found = {register.name: register.offset for register in stored_map(name)}
    common = {
        "control": 0x00, "gie": 0x04, "ier": 0x08, "isr": 0x0C, "id": 0x10, "version": 0x14,
        "model_hash_0": 0x18, "model_hash_1": 0x1C, "status": 0x20, "max_width": 0x24,
        "max_height": 0x28, "pixels": 0x40, "bytes": 0x44, "frames": 0x48, "files": 0x4C,
        "input_stalls": 0x50, "output_stalls": 0x54, "format": 0x74,
    }  # fmt: skip
    own = {
        "encoder": {
            "width": 0x2C, "height": 0x30, "images": 0x34, "near": 0x38, "max_near": 0x3C,
            "order": 0x58, "max_order": 0x5C,
            "sof_early": 0x60, "sof_late": 0x64,
            "eol_early": 0x68, "eol_late": 0x6C, "bad_size": 0x70,
        },
        "decoder": {
            "level": 0x2C, "max_level": 0x30, "bad_header": 0x60, "bad_model": 0x64,
            "bad_packet": 0x68, "bad_tile": 0x6C, "bad_strip": 0x70,
        },
    }  # fmt: skip
    assert found == common | own[name]


def test_fields_do_not_overlap(name):
    for register in stored_map(name):
        assert register.offset < 4 * WORDS and register.offset % 4 == 0
        used = 0
        for field in register.fields:
            assert field.kind in KINDS
            assert not used & field.mask and field.mask < 1 << 32
            assert field.description
            used |= field.mask
    found = stored_map(name)
    assert [f.name for f in found["isr"].fields] == [f.name for f in found["ier"].fields]


def test_level_is_of_levels_only():
    plain = build_map("decoder", tops("plain").config)
    assert not {"level"} & {register.name for register in plain}
    assert "update" not in [field.name for field in plain["control"].fields]


def test_near_is_of_near_lossless_builds_only():
    def names(name: str, near: int) -> set[str]:
        config = PredictiveConfig(predictive_model(), max_near=near)
        return {register.name for register in build_map(name, config)}

    assert names("encoder", 5) - names("encoder", 0) == {"near", "max_near"}
    assert names("decoder", 5) == names("decoder", 0)
    registers = build_map("encoder", PredictiveConfig(predictive_model(), max_near=5))
    assert (registers["near"].reset, registers["max_near"].reset) == (0, 5)


def test_format_is_of_colour_only():
    def registers(name: str, model, depth: int = 8):
        return {r.name: r for r in build_map(name, PredictiveConfig(model, depth))}

    gray = predictive_model()
    for model, depth, word, last in (
        (colour_model(), 8, 8 | 3 << 8, 5), (mosaic_model(), 14, 14 | 4 << 8 | 1 << 16, 3),
    ):  # fmt: skip
        for name, more in (("encoder", {"format", "order", "max_order"}), ("decoder", {"format"})):
            found = registers(name, model, depth)
            assert found.keys() - registers(name, gray).keys() == more
            assert found["format"].reset == word
        encoder = registers("encoder", model, depth)
        assert (encoder["order"].reset, encoder["max_order"].reset) == (0, last)


def test_impossible_values():
    values = build_values(tops("plain").config) | {"max_width": 1 << 16}
    with pytest.raises(ValueError, match="^max_width must be a number of 16 bits, not 65536$"):
        stored_map("encoder").of_build(values)
    with pytest.raises(ValueError, match="^register map must be one of encoder, decoder, not 'x'"):
        stored_map("x")


def test_reset_values_and_holes(registers, design, name):
    """Every word of the window, before and after writes to all that cannot be written."""
    script = Script(registers)
    mapped = {register.offset: register for register in registers}
    fixed = [a for a in range(0, 4 * WORDS, 4)
             if a not in mapped or all(f.kind in ("constant", "flag", "wrapping", "saturating")
                                       for f in mapped[a].fields)]  # fmt: skip
    for turn in range(2):
        for address in range(0, 4 * WORDS, 4):
            script.step("read", address, key=f"{turn} {address}")
        for address in fixed if not turn else ():
            script.step("write", address, [255] * 4, key=f"write {address}")
    found = script.run(design)
    for address in range(0, 4 * WORDS, 4):
        expected = [mapped[address].reset, OKAY] if address in mapped else [0, SLVERR]
        assert found[f"0 {address}"] == found[f"1 {address}"] == expected
    for address in fixed:
        assert found[f"write {address}"] == (OKAY if address in mapped else SLVERR)
    config = tops(CONFIGS[name]).config
    digest = f"{mapped[0x18].reset:08x}{mapped[0x1C].reset:08x}"
    assert config.model.hash.startswith(digest)


def test_settings_by_bytes(registers, design):
    """Random writes of one to four bytes against a memory."""
    rng = np.random.default_rng(40)
    script = Script(registers)
    masks = {
        register.offset: sum(f.mask for f in register.fields if f.kind == "setting")
        for register in registers if register.name != "control"
    }  # fmt: skip
    masks = {offset: mask for offset, mask in masks.items() if mask}
    memory = {register.offset: register.reset for register in registers}
    expected = []
    for number in range(80):
        offset = int(rng.choice(list(masks)))
        first = int(rng.integers(4))
        values = [int(v) for v in rng.integers(256, size=rng.integers(1, 5 - first))]
        script.step("write", offset + first, values)
        for k, value in enumerate(values, first):
            lane = masks[offset] & 255 << 8 * k
            memory[offset] = (memory[offset] & ~lane) | (value << 8 * k & lane)
        script.step("read", offset, key=f"{number}")
        expected.append([memory[offset], OKAY])
    found = script.run(design)
    assert [found[f"{k}"] for k in range(len(expected))] == expected


def test_causes_and_interrupt(encoder_registers, encoder_design):
    script = Script(encoder_registers)
    causes = [field.name for field in encoder_registers["isr"].fields]
    for cause in causes:
        bit = encoder_registers["isr"][cause].mask
        script.step("pulse", f"isr_{cause}", 1, 1)
        script.read("isr", key=f"{cause} set ")
        script.write("ier", bit)
        script.step("clocks", 3)
        script.step("output", "interrupt", key=f"{cause} disabled")
        script.write("gie", 1)
        script.step("interrupt", 1)
        script.write("ier", ~bit & 0xFFFFFFFF)
        script.step("interrupt", 0)
        script.write("ier", bit)
        script.step("interrupt", 1)
        script.write("isr", ~bit & 0xFFFFFFFF)  # clears the others
        script.read("isr", key=f"{cause} kept ")
        script.write("isr", bit)
        script.step("interrupt", 0)
        script.read("isr", key=f"{cause} cleared ")
        script.write("gie", 0)
    # An event in the clock of the write wins.
    script.step("pulse", "isr_bad_size", 1, 1)
    script.step("hold", "isr_bad_size", 1)
    script.write("isr", 0xFFFFFFFF)
    script.step("hold", "isr_bad_size", 0)
    script.read("isr", key="at once ")
    found = script.run(encoder_design)
    for cause in causes:
        bit = encoder_registers["isr"][cause].mask
        assert words(found, "isr", key=f"{cause} set ") == [bit]
        assert words(found, "isr", key=f"{cause} kept ") == [bit]
        assert words(found, "isr", key=f"{cause} cleared ") == [0]
        assert found[f"{cause} disabled"] == 0
    assert words(found, "isr", key="at once ") == [encoder_registers["isr"]["bad_size"].mask]


def test_counters(encoder_registers, encoder_design):
    script = Script(encoder_registers)
    counters = [
        register.name for register in encoder_registers
        if register.fields[0].kind in ("wrapping", "saturating")
    ]  # fmt: skip
    for number, counter in enumerate(counters):
        script.step("pulse", counter, 15 if counter == "bytes" else 1, number + 1)
    script.read(*counters)
    script.step("pulse", "bytes", 15, 9_000)  # across both halves' border
    script.read("bytes", key="more ")
    script.step("pulse", "sof_late", 1, 65_600)
    script.read("sof_late", key="full ")
    script.control(clear_counters=1)
    script.read(*counters, key="cleared ")
    script.read("control", key="after ")
    found = script.run(encoder_design, limit=70_000)
    assert words(found, *counters) == [
        (k + 1) * (15 if counter == "bytes" else 1) for k, counter in enumerate(counters)
    ]
    assert words(found, "bytes", key="more ") == [15 * (9_000 + 1 + counters.index("bytes"))]
    assert words(found, "sof_late", key="full ") == [65_535]
    assert words(found, *counters, key="cleared ") == [0] * len(counters)
    assert words(found, "control", key="after ") == [0]


def test_request_waits_until_it_is_done(encoder_registers, encoder_design):
    script = Script(encoder_registers)
    script.control(enable=1, update=1)
    script.read("control", key="waits ")
    script.control(enable=1)  # cannot be taken back
    script.read("control", key="still ")
    script.step("pulse", "control_update_done", 1, 1)
    script.read("control", key="done ")
    script.step("pulse", "control_update_set", 1, 1)
    script.read("control", key="set ")
    found = script.run(encoder_design)
    values = [words(found, "control", key=key)[0] for key in ("waits ", "still ", "done ", "set ")]
    assert values == [0x11, 0x11, 0x01, 0x11]


@pytest.mark.parametrize("stalled", ["never", "aw", "w", "b", "all"])
def test_channels_are_independent(encoder_registers, encoder_design, stalled):
    """Addresses and data in any order; responses stay until they are taken."""
    rng = np.random.default_rng(41)
    count = 60
    offsets = [encoder_registers[n].offset for n in ("width", "height", "images", "id", "ier")]
    address = rng.choice([*offsets, 0x78, 0x7C], size=count)
    channels = {
        "aw": {"addr": address + rng.integers(4, size=count)},
        "w": {"data": rng.integers(1 << 32, size=count), "strb": rng.integers(16, size=count)},
        "ar": {"addr": np.concatenate([np.full(count, 0x10), [0x34, 0x7C]])},
    }
    stalls = {
        f"{BUS}{channel}": Stall(0.8, seed)
        for seed, channel in enumerate(("aw", "w", "ar", "b", "r"))
        if stalled in (channel, "all")
    }
    inputs = [p.name for p in encoder_design.ports.values() if p.is_input]
    result = rtl_stream(
        encoder_design,
        {f"{BUS}{name}": fields for name, fields in channels.items()},
        {f"{BUS}b": ["resp"], f"{BUS}r": ["data", "resp"]},
        names="{stream}{signal}", stalls=stalls,
        config={p: 0 for p in inputs if p not in ("clk", "rst") and not p.startswith(BUS)},
        watch=["images"], expect={f"{BUS}b": count, f"{BUS}r": count + 2}, max_clocks=20_000,
    )  # fmt: skip
    mapped = {register.offset for register in encoder_registers}
    expected = [OKAY if a in mapped else SLVERR for a in address]
    assert result.outputs[f"{BUS}b"]["resp"].tolist() == expected
    reads = result.outputs[f"{BUS}r"]
    assert reads["data"][:count].tolist() == [0x4C474345] * count
    assert reads["resp"].tolist() == [OKAY] * (count + 1) + [SLVERR]
    # Writes act in their order.
    images = 1
    for a, data, strobe in zip(address, channels["w"]["data"], channels["w"]["strb"], strict=True):
        lanes = sum(255 << 8 * k for k in range(4) if int(strobe) >> k & 1)
        if a == 0x34:
            images = (images & ~lanes) | (int(data) & lanes)
    assert result.status["images"] == images
