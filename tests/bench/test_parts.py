"""Costs of the parts of profile ``predictive``: programs on drawn images, and their tables."""

import json

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from click.testing import CliRunner

from bench import coefficients, growth, layouts, memories, stages, training
from bench.sizes import files_bpp
from bench.tables import memories as memory_tables
from bench.tables import parts
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Failure
from lutgen.gateware.fabric.blockmem import add_ram, add_rom
from lutgen.gateware.fabric.fabric import LUT6
from lutgen.model.predictive.model import PredictiveModel
from tests.models import predictive_model

MODEL = predictive_model()
RNG = np.random.default_rng(0)


class Memories(wiring.Component):
    """A buffer in two pieces by words and several by bits, a table, and a memory in LUTs."""

    def __init__(self) -> None:
        super().__init__({"address": In(16), "data": In(36), "o": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.inner = inner = Module()
        read = add_ram(
            inner, "samples", 40_000, 3, write=Signal(), write_address=self.address,
            data=self.data[:3], address=self.address,
        )  # fmt: skip
        (row,) = add_rom(inner, "coefficients_1", range(512), 60, [self.address])
        inner.submodules.states = states = Memory(shape=7, depth=16, init=[])
        states.write_port()
        port = states.read_port(domain="comb")
        m.d.comb += [port.addr.eq(self.address), self.o.eq(read.xor() ^ row.xor() ^ port.data[0])]
        return m


def test_memories_are_those_of_the_component():
    text = rtlil.convert(Memories(), name="core", emit_src=False)
    found = memories.memories(text, LUT6)
    assert found == {
        "inner: samples": {"words": 40_000, "bits": 3, "halves": found["inner: samples"]["halves"]},
        "inner: coefficients_1": {"words": 512, "bits": 60, "halves": 2},
        "inner: states": {"words": 16, "bits": 7, "halves": None},
    }
    assert found["inner: samples"]["halves"] >= 3 * 40_000 / 18_432


def test_pieces_of_other_lengths_are_told():
    text = "module \\core\nmemory width 3 size 8 \\a_0_0\nmemory width 3 size 9 \\a_0_3\n"
    block = text.replace("memory", 'attribute \\ram_style "block"\nmemory')
    with pytest.raises(ValueError, match="pieces of a must be equally long, not 8 and 9"):
        memories.memories(block, LUT6)


def test_record_and_table_of_memories_agree():
    text = memory_tables.memories()
    assert "| `out: samples` |" in text and "**BRAM36 in all**" in text
    found = memory_tables.load("memories")
    assert {b["depth"] for b in found["builds"]} == {*memories.DEPTHS}
    build = memory_tables.load("build-predictive")["cores"]["decoder"]
    (mine,) = (b for b in found["builds"] if (b["depth"], b["width"]) == (8, 1920))
    halves = sum(memory["halves"] or 0 for memory in mine["memories"].values())
    assert halves == 2 * build["resources"]["total"]["bram36"]


def test_an_unknown_memory_is_an_error(monkeypatch):
    memory = {"words": 2, "bits": 3, "halves": None}
    build = {"depth": 8, "width": 9, "height": 9, "lanes": 16, "memories": {"out: new": memory}}
    monkeypatch.setattr(
        memory_tables, "load", lambda name: {"command": "", "builds": [build]}
    )
    with pytest.raises(ValueError, match="memories must be those that are told of"):
        memory_tables.memories()


def test_loops_are_those_of_the_cores():
    """What the record says of `photo` is what cores of this state say."""
    (record, *_) = memory_tables.load("stages")["cores"]
    assert stages.loops("photo", 8, 0) == {core: record[core] for core in ("encoder", "decoder")}
    assert record["decoder"]["clocks"]["record"] <= record["decoder"]["period"]


@pytest.mark.parametrize("fraction, step", [(7, 1), (6, 2), (4, 8)])
def test_narrower_coefficients_add_up_to_one(fraction, step):
    found = coefficients.narrower(MODEL, fraction)
    rows = found.predictor.coefficients.astype(int)
    assert isinstance(found, PredictiveModel) and not (rows % step).any()
    assert (rows.sum(axis=1) == 128).all()
    assert coefficients.signed_bits(found, fraction) == 9 - (7 - fraction)  # up to 128, in 1/128


@pytest.mark.slow
def test_layouts_and_what_is_off(monkeypatch):
    images = [RNG.integers(0, 99, (20, 30), dtype=np.uint8)]
    codec = PredictiveCodec(MODEL, threads=1)
    cut = [layouts.Layout(999), layouts.Layout(999, 999), layouts.Layout(8, 8)]
    sizes = [files_bpp(codec, images, 2, **layout._asdict()) for layout in cut]
    assert sizes[1] < sizes[0] < sizes[2]
    monkeypatch.setattr(codec, "decode", lambda data: np.stack(images) + 1)
    with pytest.raises(Failure, match="within 0, not off by 1"):
        files_bpp(codec, images)


@pytest.mark.slow
def test_growth_of_hostile_images():
    drawn = growth.drawn(16, 12, RNG)
    assert {*drawn} == {"noise", "black and white", "sparse"}
    assert drawn["noise"].max() > 2048 and drawn["noise"].dtype == np.uint16
    assert 1 < growth.growth(drawn["noise"]) < 1.1 and growth.growth(drawn["sparse"]) < 0.5


@pytest.mark.exhaustive
def test_training_is_timed_by_steps(tmp_path, monkeypatch):
    images = [RNG.integers(0, 60, (40, 50), dtype=np.uint8) for _ in range(3)]
    np.savez(tmp_path / "natural_gray_train.npz", train=np.stack(images))
    monkeypatch.setenv("LUTGEN_DATA", str(tmp_path))
    out = tmp_path / "training.json"
    result = CliRunner().invoke(training.main, [
        "--megapixels", "0.01", "--samples", "10000", "--out", str(out),
    ])  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    assert found["pixels"] == 6000 and found["images"] == 3
    assert sum(found["steps"].values()) <= found["seconds"] + 1
    monkeypatch.setattr(parts, "load", lambda name: {"training": found}[name])
    assert "| 0.0 | 3 | 10,000 |" in parts.training() and "1 of 3 images" in parts.training()
    assert {"trial: trees", "final: trees"} <= {*found["steps"]}


def test_chosen_images_have_so_many_pixels():
    images = [np.zeros((10, 10))] * 5
    assert len(training.chosen(images, 250)) == 3 and len(training.chosen(images, 9999)) == 5


def test_near_lossless_table(monkeypatch):
    rows = {"groups of rows, one strip": [4.0, 1.9], "one tile": [3.9, 1.8]}
    found = {"command": "c", "images": 2, "nears": [0, 1], "JPEG-LS": [4.2, 2.0], "layouts": rows}
    monkeypatch.setattr(parts, "load", lambda name: {"layouts": found}[name])
    assert "| 1 | 2.0000 | 1.9000 | -5.00 % | 1.8000 | -10.00 % |" in parts.near_lossless()
    assert "| one tile | -0.1000 | -0.1000 |" in parts.layouts()
