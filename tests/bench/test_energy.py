"""Energy from counted transitions: the simulation of mapped cells, the model, the program."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from click.testing import CliRunner
from PIL import Image

from bench import energy as bench
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.sim.gates.gates import GateSimulation, Stream
from lutgen.sim.tool.verilator import SimulationError
from lutgen.synth.cells import Cell
from lutgen.synth.energy import COEFFICIENTS, energy
from lutgen.synth.mapped import MappedDesign, map_design
from lutgen.synth.yosys import SynthError
from tests.models import predictive_model, table_model

SOURCE = Stream("i__valid", "i__ready", ("i__payload",))
SINK = Stream("o__valid", "o__ready", ("o__payload",))


class EveryCell(wiring.Component):
    """Bytes in, 16-bit words out two clocks later, by way of every kind of cell."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(16))

    def __init__(self, seed: int = 1):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.rom = rng.integers(1 << 18, size=2048).tolist()
        self.choices = rng.integers(2, size=256).tolist()

    def elaborate(self, platform):
        m = Module()
        i, o = self.i, self.o
        # Block memories: a table, and a memory that is written.
        m.submodules.rom = rom = memory.Memory(shape=18, depth=2048, init=self.rom)
        m.submodules.ram = ram = memory.Memory(shape=9, depth=2048, init=[])
        # A LUT memory, read without a clock.
        m.submodules.few = few = memory.Memory(shape=8, depth=32, init=range(32))
        count, total, word = Signal(11), Signal(16), Signal(16)
        old = Signal(8)
        read, back = rom.read_port(), ram.read_port()
        write, small = ram.write_port(), few.write_port()
        last = few.read_port(domain="comb")
        # A delay line without a reset, which becomes a shift register.
        delayed = i.payload
        for k in range(20):
            delayed, before = Signal(8, reset_less=True, name=f"delayed{k}"), delayed
            m.d.sync += delayed.eq(before)
        choice = Array(self.choices)[i.payload]
        # A product and a sum, in a multiplier.
        product = Signal(16)
        m.d.comb += [
            i.ready.eq(1), read.addr.eq(Cat(i.payload, count)), back.addr.eq(i.payload),
            read.en.eq(1), back.en.eq(1),
            write.en.eq(i.valid), write.addr.eq(count), write.data.eq(total),
            small.en.eq(i.valid), small.addr.eq(count), small.data.eq(i.payload),
            last.addr.eq(i.payload), o.payload.eq(word),
        ]  # fmt: skip
        m.d.sync += [
            count.eq(count + i.valid), total.eq(total + i.payload + choice),
            old.eq(last.data), o.valid.eq(i.valid),
            product.eq(i.payload * count[:7] + total),
            word.eq((read.data[2:] + back.data) ^ Cat(old, delayed) ^ product),
        ]  # fmt: skip
        return m


def stimulus(count=300, seed=2):
    return np.random.default_rng(seed).integers(256, size=count)


def reference(values) -> list[int]:
    """Words of `EveryCell` in Amaranth's own simulation."""
    top = EveryCell()
    simulator, words = Simulator(top), []
    simulator.add_clock(1e-8)

    async def bench(ctx):
        for value in values:
            ctx.set(top.i.valid, 1)
            ctx.set(top.i.payload, int(value))
            await ctx.tick()
            if ctx.get(top.o.valid):
                words.append(ctx.get(top.o.payload))

    simulator.add_testbench(bench)
    simulator.run()
    return words


@pytest.fixture(scope="module")
def mapped():
    return map_design(to_verilog(EveryCell(), "top"), "top", "xc7")


def simulate(design):
    values = stimulus()
    beats = values[:, None] >> np.arange(8) & 1
    simulation = GateSimulation(design, SOURCE, SINK, {})
    return simulation, beats, simulation.run(beats, taken=300, given=299, max_clocks=400)


@pytest.mark.exhaustive
def test_mapped_cells_do_what_the_gateware_does(mapped):
    kinds = {cell.type for cell in mapped.cells}
    assert {"CARRY4", "DSP48E1", "FDRE", "MUXF7", "SRLC32E"} <= kinds
    assert any(kind.startswith("RAMB") for kind in kinds)
    assert any(kind.startswith(("RAM32", "RAM64")) for kind in kinds)
    _, _, (_, words, taken, given) = simulate(mapped)
    found = words.astype(int) @ (1 << np.arange(16))
    # The first word is of what a block memory read during the reset, which only one of them has.
    assert found.tolist()[1:299] == reference(stimulus())[1:299]
    assert taken.tolist() == list(range(300))
    assert given.tolist()[:3] == [1, 2, 3]


@pytest.mark.exhaustive
def test_counts(mapped):
    simulation, beats, (counts, *_) = simulate(mapped)
    assert counts.clocks == 300
    # Each bit of the payload changes as the stimulus says, from 0.
    changes = (np.diff(beats, axis=0, prepend=0) != 0).sum(axis=0)
    nets = [simulation.net[net] for net in mapped.inputs["i__payload"]]
    assert counts.settled[nets].tolist() == changes.tolist() == counts.unit[nets].tolist()
    assert (counts.unit >= counts.settled).all()
    assert counts.unit.sum() > counts.settled.sum()
    registers = [
        simulation.net[net] for c in mapped.cells if c.type == "FDRE" for net in c.outputs["Q"]
    ]
    assert (counts.unit[registers] == counts.settled[registers]).all()
    assert set(counts.shifts.tolist()) == {300}
    assert set(counts.writes.tolist()) == {300}
    # Nothing switches a port off.
    assert len(simulation.ports) == 3 and set(counts.accesses.tolist()) == {300}
    # The one port that only writes does so in every clock.
    assert not counts.idle_writes.any()
    half = GateSimulation(mapped, SOURCE, SINK, {})
    first, *_ = half.run(beats, taken=100, given=0, max_clocks=400)
    second, *_ = half.run(beats, taken=300, given=0, max_clocks=400)
    assert first.clocks == 100 and (second - first).clocks == 200
    assert second.unit.tolist() == counts.unit.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("mode, given", [
    ("READ_FIRST", [0, 0, 1, 0, 1]),
    ("WRITE_FIRST", [0, 1, 0, 1, 1]),
    ("NO_CHANGE", [0, 0, 0, 0, 1]),
])  # fmt: skip
def test_write_modes_of_block_memories(mode, given):
    # One bit at address 0 that is written to 1, to 0 and to 1.
    enable, data, read = 7, 8, 9
    block = Cell("", "block", "RAMB18E1", {
        "RAM_MODE": "TDP", "WRITE_MODE_A": mode, "READ_WIDTH_A": "1", "WRITE_WIDTH_A": "1",
        "READ_WIDTH_B": "0", "WRITE_WIDTH_B": "0",
    }, {
        "ADDRARDADDR": ("0",) * 14, "ADDRBWRADDR": ("0",) * 14, "ENARDEN": ("1",),
        "ENBWREN": ("0",), "WEA": (enable, enable), "WEBWE": ("0",) * 4,
        "DIADI": (data, *["0"] * 15), "DIPADIP": ("0", "0"), "RSTRAMARSTRAM": ("0",),
        "CLKARDCLK": (2,), "CLKBWRCLK": ("0",),
    }, {"DOADO": (read, *range(100, 115)), "DOPADOP": (115, 116)})  # fmt: skip
    design = MappedDesign(
        "top", "none", [block],
        {"clk": (2,), "rst": (3,), "valid": (4,), "in": (enable, data), "ready": (6,)},
        {"taken": ("1",), "given": ("1",), "out": (read,)},
    )  # fmt: skip
    streams = Stream("valid", "taken", ("in",)), Stream("given", "ready", ("out",))
    simulation = GateSimulation(design, *streams, {})
    beats = np.array([[1, 1], [1, 0], [1, 1], [0, 0], [0, 0]])
    counts, found, *_ = simulation.run(beats, taken=5, given=5, max_clocks=9)
    assert found.ravel().tolist() == given
    assert counts.accesses.tolist() == [5] and counts.idle_writes.tolist() == [0]


@pytest.mark.slow
def test_runs_end(mapped):
    simulation = GateSimulation(mapped, SOURCE, SINK, {})
    with pytest.raises(SimulationError, match="not over after 9 clocks: 5 of 5 beats taken"):
        simulation.run(np.zeros((5, 8)), taken=5, given=6, max_clocks=9)


def test_unknown_families_are_refused():
    with pytest.raises(SynthError, match="^family must be one of xc7, not 'ice40'$"):
        map_design("module top; endmodule", "top", "ice40")


def cell(kind, path="", parameters=None, outputs=None, **inputs):
    pins = {name: (net,) for name, net in inputs.items()}
    out = {name: (net,) for name, net in (outputs or {}).items()}
    return Cell(path, kind.lower(), kind, parameters or {}, pins, out)


def small_design(*more):
    """An inverter between two registers, in two blocks."""
    common = {"C": 2, "CE": "1", "R": 3}
    return MappedDesign("top", "none", [
        cell("FDRE", "a", outputs={"Q": 10}, D=5, **common),
        cell("INV", "a", outputs={"O": 11}, I=10),
        cell("FDRE", "b.c", outputs={"Q": 12}, D=11, **common), *more,
    ], {"clk": (2,), "rst": (3,), "valid": (4,), "in": (5,), "ready": (6,)},
        {"taken": ("1",), "given": ("1",), "out": (12,)})  # fmt: skip


def test_energy_by_hand():
    changes = {5: 7, 10: 5, 11: 4, 12: 3}
    found = energy(
        small_design(), {"a": ["a"], "b": ["b"]},
        transitions=lambda net: changes.get(net, 0), shifts=[], writes=[], accesses=[],
        products=[], clocks=9,
    )  # fmt: skip
    pj = {name: c.picojoules for name, c in COEFFICIENTS.items()}
    wire = pj["net"] + pj["load"]
    ports = 7 * wire  # rst never changes
    a = 9 * pj["clock"] + 5 * (pj["ff"] + wire) + 4 * pj["lut"]  # the LUT's wire is in a slice
    b = 9 * pj["clock"] + 3 * (pj["ff"] + wire)
    assert found["blocks"] == pytest.approx({"a": a, "b": b, "other": ports})
    assert found["total"] == pytest.approx(a + b + ports)
    assert sum(found["coefficients"].values()) == pytest.approx(found["total"])
    assert found["classes"]["ff"]["events"] == 8
    assert found["classes"]["clock"] == {
        "cells": 0, "wires": pytest.approx(18 * pj["clock"]), "events": 18,
    }  # fmt: skip


def test_memories_pay_by_size():
    large, half = (cell(kind) for kind in ("RAMB36E1", "RAMB18E1"))
    found = energy(
        small_design(), {}, transitions=lambda net: 0, shifts=[(cell("SRL16E"), 5)],
        writes=[(cell("RAM32M"), 2)], accesses=[(large, 3), (half, 4)], products=[], clocks=0,
    )  # fmt: skip
    pj = {name: c.picojoules for name, c in COEFFICIENTS.items()}
    assert found["total"] == pytest.approx(
        5 * pj["shift"] + 4 * 2 * pj["write"] + (3 + 4 / 2) * pj["bram"]
    )


def test_multipliers_pay_by_product():
    nets = {"A": (12, 12), "C": (11,), "PCIN": (30,), "CLK": (2,)}
    first = Cell("a", "first", "DSP48E1", {}, {"CLK": (2,)}, {"PCOUT": (30,)})
    second = Cell("b", "second", "DSP48E1", {}, nets, {"P": (31,)})
    plain = energy(
        small_design(), {}, transitions=lambda net: 0, shifts=[], writes=[], accesses=[],
        products=[], clocks=0,
    )["total"]  # fmt: skip
    found = energy(
        small_design(first, second), {"a": ["a"], "b": ["b"]},
        transitions=lambda net: {12: 3, 11: 2, 30: 5, 31: 7}.get(net, 0), shifts=[], writes=[],
        accesses=[], products=[(first, 4), (second, 6)], clocks=9,
    )  # fmt: skip
    pj = {name: c.picojoules for name, c in COEFFICIENTS.items()}
    # Two loads at A and the port for net 12; net 11 goes on to C; the cascade has wires of its
    # own, and nothing reads P.
    wires = 3 * (pj["net"] + 3 * pj["load"]) + 2 * (pj["net"] + 2 * pj["load"])
    cells = 3 * pj["ff"] + 2 * pj["lut"]
    assert plain == 0 and found["total"] == pytest.approx(
        10 * pj["product"] + wires + cells + 4 * 9 * pj["clock"]
    )
    assert found["classes"]["multiplier"] == {
        "cells": pytest.approx(10 * pj["product"]), "wires": 0, "events": 10,
    }  # fmt: skip
    assert found["blocks"]["a"] > 4 * pj["product"] and found["blocks"]["b"] > 6 * pj["product"]


@pytest.mark.parametrize("wrong, message", [
    (cell("XORCY", outputs={"O": 20}), "must be of a type that is simulated: XORCY"),
    (cell("DSP48E1", outputs={"P": 20}), "multiplier 'dsp48e1' must have ALUMODEREG 0, not 1"),
    (cell("INV", outputs={"O": 21}, I=21), "combinational loop of 1 cells"),
    (cell("FDRE", outputs={"Q": 22}, D=5, C=9, CE="1", R=3), "must have one clock, not 2"),
])  # fmt: skip
def test_designs_that_cannot_be_simulated(wrong, message):
    streams = Stream("valid", "taken", ("in",)), Stream("given", "ready", ("out",))
    with pytest.raises(SimulationError, match=message):
        GateSimulation(small_design(wrong), *streams, {})


def program(*arguments):
    options = ["--model", "model.lutgen", "--out", "energy.json", *arguments]
    ran = CliRunner().invoke(bench.main, options, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    found = json.loads(Path("energy.json").read_text())
    for core in found["cores"].values():
        for run in core["energy"].values():
            classes = sum(c["cells"] + c["wires"] for c in run["classes"].values())
            assert run["nj_per_pixel"] == pytest.approx(classes)
            assert run["nj_per_pixel"] == pytest.approx(sum(run["blocks"].values()))
            assert sum(run["raised_by_doubling"].values()) == pytest.approx(1)
        settled, unit = (core["energy"][k]["nj_per_pixel"] for k in ("settled", "unit_delay"))
        assert 0 < settled <= unit
    assert all("source" in c for c in found["coefficients"].values())
    return found


@pytest.mark.exhaustive
def test_program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table_model().save("model.lutgen")
    # The encoder, which is the same in all runs, is mapped but once.
    monkeypatch.setattr(bench, "map_design", cache(map_design))
    found = program("--images", "glyphs:60", "--count", "6")
    assert list(found["cores"]) == ["encoder", "decoder"]
    # A run of one core keeps the other.
    again = program("--images", "glyphs:60", "--count", "6", "--top", "encoder")
    assert again["cores"]["decoder"] == found["cores"]["decoder"]
    other = program("--images", "glyphs:60", "--count", "5", "--top", "encoder")
    assert list(other["cores"]) == ["encoder"]


@pytest.mark.exhaustive
def test_program_for_photographs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predictive_model().save("model.lutgen")
    pixels = np.random.default_rng(4).integers(100, 160, size=(12, 40, 3), dtype=np.uint8)
    (tmp_path / "images").mkdir()
    for name in "ab":
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    found = program("--images", "images", "--size", "32x8+4+2")
    assert found["profile"] == "predictive" and found["max_width"] == 1920
    for core in found["cores"].values():
        assert core["window"]["pixels"] == 32 * 8
        assert core["energy"]["settled"]["classes"]["multiplier"]["cells"] > 0
        assert {"pictures", "walk", "prediction", "loop", "strips"} <= {
            name for name, value in core["energy"]["settled"]["blocks"].items() if value > 0
        }
