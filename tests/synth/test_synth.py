"""Estimates of small designs, with exact counts: a change of the tools must be seen."""

import random
import subprocess

import pytest
from amaranth.back import verilog
from amaranth.hdl import Cat, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutgen.synth import SynthError, estimate
from lutgen.synth import yosys as synth_yosys
from lutgen.synth.design import flat_design
from lutgen.synth.levels import LevelAnalysis
from lutgen.targets import get_target

# Two that are equal and one that is nearly constant: an optimiser would touch all three.
TABLES = (0x0123456789ABCDEF, 0x0123456789ABCDEF, 1 << 63)
ZYNQ = get_target("zynq7045")
GENERIC = get_target("generic")


class Block(wiring.Component):
    """A component of one input and one output, whose contents a function adds."""

    def __init__(self, i: int, o: int, build):
        super().__init__({"i": In(i), "o": Out(o)})
        self._build = build

    def elaborate(self, platform):
        m = Module()
        self._build(m, self.i, self.o)
        return m


def registered(function):
    """``function`` between registers, which have no reset."""

    def build(m, i, o):
        before, after = Signal.like(i, reset_less=True), Signal.like(o, reset_less=True)
        m.d.sync += [before.eq(i), after.eq(function(before))]
        m.d.comb += o.eq(after)

    return build


def luts(m, i, o):
    for bit, table in enumerate(TABLES):
        m.submodules[f"lut{bit}"] = Instance(
            "LUT6",
            p_INIT=table,
            **{f"i_I{pin}": i[pin] for pin in range(6)},
            o_O=o[bit],
        )


def memory(depth, width, *, ram_style=None, words=None, read="sync"):
    attrs = {"ram_style": ram_style} if ram_style else {}

    def build(m, i, o):
        m.submodules.memory = store = Memory(
            shape=width, depth=depth, init=words or [], attrs=attrs
        )
        port = store.read_port(domain=read)
        m.d.comb += [port.addr.eq(i), o.eq(port.data)]
        if words is None:
            write = store.write_port()
            bits = len(port.addr)
            m.d.comb += Cat(write.addr, write.data, write.en).eq(i[bits:])

    return build


def shift(m, i, o):
    for k in range(8):
        stage = Signal.like(i, name=f"stage{k}", reset_less=True)
        m.d.sync += stage.eq(i)
        i = stage
    m.d.comb += o.eq(i)


class Parts(wiring.Component):
    """All of the small blocks side by side, each with ports of its own."""

    blocks = {
        "xor": (64, 1, registered(lambda i: i.xor())),
        "luts": (6, 3, luts),
        "adder": (32, 17, registered(lambda i: i[:16] + i[16:])),
        "mux": (6, 1, registered(lambda i: Mux(i[5], Mux(i[4], i[0], i[1]), Mux(i[4], *i[2:4])))),
        "rows": (5 + 5 + 8 + 1, 8, memory(32, 8, read="comb")),
        "block": (10 + 10 + 16 + 1, 16, memory(1024, 16)),
        "rom": (9, 14, memory(512, 14, ram_style="block", words=random.Random(0).choices(
            range(1 << 14), k=512))),
        "shift": (8, 8, shift),
        "product": (24, 24, registered(lambda i: i[:12] * i[12:])),
    }  # fmt: skip

    def __init__(self):
        super().__init__(
            {f"{name}_i": In(i) for name, (i, _, _) in self.blocks.items()}
            | {f"{name}_o": Out(o) for name, (_, o, _) in self.blocks.items()}
        )

    def elaborate(self, platform):
        m = Module()
        for name, shape in self.blocks.items():
            m.submodules[name] = block = Block(*shape)
            m.d.comb += block.i.eq(getattr(self, f"{name}_i"))
            m.d.comb += getattr(self, f"{name}_o").eq(block.o)
        return m


def text(component) -> str:
    return verilog.convert(component, name="top", strip_internal_attrs=True)


@pytest.fixture(scope="module")
def parts():
    return estimate(text(Parts()), "top", ZYNQ, {name: [name] for name in Parts.blocks})


def used(block) -> dict:
    """What is not zero."""
    kinds = ("lut", "lut_memory", "lut_shift", "ff", "bram36", "dsp", "carry4", "muxf")
    return {kind: block[kind] for kind in kinds if block[kind]}


@pytest.mark.parametrize(
    ("name", "resources", "levels"),
    [
        ("xor", {"lut": 19, "ff": 65}, 3),
        ("luts", {"lut": 3}, None),
        ("adder", {"lut": 16, "ff": 49, "carry4": 5}, 2),
        ("mux", {"lut": 1, "ff": 7}, 1),
        ("rows", {"lut": 8, "lut_memory": 8}, 0),
        ("block", {"bram36": 0.5}, 0),
        ("rom", {"bram36": 0.5}, 0),
        ("shift", {"lut": 8, "lut_shift": 8}, 0),
        ("product", {"dsp": 1}, 0),
    ],
)
def test_resources_and_levels_of_a_block(parts, name, resources, levels):
    block = parts["blocks"][name]
    assert used(block) == resources
    assert block["levels"] == levels


@pytest.mark.slow
def test_lut_instances_are_kept_as_they_are(parts):
    assert parts["blocks"]["luts"]["cells"] == {"LUT6": 3}
    top = text(Block(6, 3, luts))
    for mapped in synth_yosys.map_xilinx(top, "top", "xc7"):
        cells = mapped["modules"]["top"]["cells"]
        assert [int(cells[f"lut{bit}"]["parameters"]["INIT"], 2) for bit in range(3)] == [*TABLES]


def test_output_ports_belong_to_the_top(parts):
    other = parts["blocks"]["other"]
    assert used(other) == {}
    assert other["levels"] == 1  # through a LUT instance, or out of the LUT memory
    assert sum(other["endpoints"].values()) == sum(o for _, o, _ in Parts.blocks.values())


def test_total_is_the_sum_of_the_blocks(parts):
    for kind in used(parts["total"]):
        assert parts["total"][kind] == sum(block[kind] for block in parts["blocks"].values())


def test_worst_path(parts):
    assert (parts["levels"], parts["worst_block"]) == (3, "xor")
    path = parts["blocks"]["xor"]["path"]
    assert [step["levels"] for step in path] == [0, 1, 2, 3, 3]
    assert path[0]["type"] == path[-1]["type"] == "FDRE"
    assert {step["type"][:3] for step in path[1:-1]} == {"LUT"}
    assert path[0]["module"] == path[-1]["module"] == "xor"


def test_carry_chain_is_one_level(parts):
    path = parts["blocks"]["adder"]["path"]
    steps = [step["type"] for step in path]
    assert steps[:2] == ["FDRE", "LUT2"]
    assert set(steps[2:-1]) == {"CARRY4"}
    assert path[-1]["levels"] == 2


def test_capacity_and_tool(parts):
    assert parts["target"] == "zynq7045"
    assert parts["top"] == "top"
    assert parts["capacity"]["lut"] == 218_600
    assert parts["tool"].startswith("Yosys 0.")


class Nested(wiring.Component):
    """Two XORs in a row, each in a module of its own: together one LUT deep."""

    i: In(4)
    o: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.outer = outer = Block(4, 1, self._outer)
        m.d.comb += [outer.i.eq(self.i), self.o.eq(outer.o)]
        return m

    @classmethod
    def _outer(cls, m, i, o):
        held, result = Signal.like(i), Signal.like(o)
        m.submodules.first = first = Block(3, 1, cls._xor)
        m.submodules.second = second = Block(2, 1, cls._xor)
        m.d.sync += [held.eq(i), result.eq(second.o)]
        m.d.comb += [first.i.eq(held[:3]), second.i.eq(Cat(first.o, held[3])), o.eq(result)]

    @staticmethod
    def _xor(m, i, o):
        m.d.comb += o.eq(i.xor())


@pytest.mark.slow
@pytest.mark.parametrize("target", [GENERIC, ZYNQ], ids=lambda target: target.name)
def test_paths_cross_modules_but_resources_stay_in_theirs(target):
    found = estimate(text(Nested()), "top", target, {
        "first": ["outer.first"], "second": ["outer.sec*"], "outer": ["outer"],
    })  # fmt: skip
    assert used(found["blocks"]["first"]) == {"lut": 1}
    assert used(found["blocks"]["second"]) == {"lut": 1}
    assert used(found["blocks"]["outer"]) == {"ff": 5}
    assert found["blocks"]["first"]["levels"] is None
    # Four registers of the input, and the result after one LUT of both XORs.
    assert found["blocks"]["outer"]["endpoints"] == {0: 4, 1: 1}
    assert (found["levels"], found["worst_block"]) == (1, "outer")
    assert found["capacity"] == target.capacity


def test_generic_target_counts_memory_bits():
    rom = Block(7, 5, memory(128, 5, words=[7 * k % 32 for k in range(128)]))
    found = estimate(text(rom), "top", GENERIC, {})
    assert found["total"]["memory_bits"] == 128 * 5
    assert found["total"]["lut"] == found["total"]["ff"] == 0
    assert found["levels"] == 0


def test_block_that_names_nothing_is_refused():
    with pytest.raises(
        SynthError,
        match=r"^block 'network' must name instances of the design, not 'decoder\.network'; "
        r"the top holds outer$",
    ):
        estimate(text(Nested()), "top", GENERIC, {"network": ["decoder.network"]})


def test_block_must_not_take_the_name_of_the_rest():
    with pytest.raises(SynthError, match=r"^block names must not be 'other', which holds"):
        estimate("", "top", GENERIC, {"other": ["a"]})


def test_top_must_be_an_identifier():
    with pytest.raises(SynthError, match=r"^top must be a plain Verilog identifier, not 'a; b'$"):
        estimate("", "a; b", GENERIC, {})


def test_error_of_yosys_is_told():
    with pytest.raises(SynthError, match=r"^Yosys stopped with status 1: design\.v:1: ERROR: "):
        estimate("module top(input a; endmodule", "top", GENERIC, {})


def test_a_crash_of_yosys_is_no_refusal(tmp_path):
    """The log of an assertion makes another class of error, which a caller may mend."""
    log, done = tmp_path / "yosys.log", subprocess.CompletedProcess([], 1, "", "")
    for line, kind in (
        ("ERROR: Assert `cell' failed in abc9.cc:12.", synth_yosys.YosysCrash),
        ("design.v:1: ERROR: syntax error", SynthError),
    ):
        log.write_text(f"1. Executing\n{line}\n")
        error = synth_yosys._failure(log, done)
        assert type(error) is kind and str(error) == f"Yosys stopped with status 1: {line}"


@pytest.mark.exhaustive
def test_memories_map_as_in_the_flow_of_yosys(monkeypatch):
    shapes = [(16, 3), (64, 8), (256, 8), (512, 9), (1024, 40), (2048, 9), (16384, 2)]
    roms = [(64, 14), (256, 14), (512, 14), (1024, 14), (4096, 14)]
    rng = random.Random(1)
    blocks = []
    for depth, width in shapes:
        bits = (depth - 1).bit_length()
        blocks.append(Block(2 * bits + width + 1, width, memory(depth, width)))
    for depth, width in roms:
        words = [rng.getrandbits(width) for _ in range(depth)]
        blocks.append(Block((depth - 1).bit_length(), width, memory(depth, width, words=words)))
    m = Module()
    m.submodules += blocks
    ports = [port for block in blocks for port in (block.i, block.o)]
    design = verilog.convert(m, name="top", ports=ports, strip_internal_attrs=True)
    ours = estimate(design, "top", ZYNQ, {})
    monkeypatch.setitem(synth_yosys.MAP_MEMORIES, "xc7", "")
    assert ours["total"] == estimate(design, "top", ZYNQ, {})["total"]


@pytest.mark.slow
def test_split_rom_takes_whole_block_memories_and_no_logic():
    rng = random.Random(2)

    def build(m, i, o):
        for bit in range(4):
            words = [rng.getrandbits(1) for _ in range(32768)]
            m.submodules[f"bit{bit}"] = store = Memory(
                shape=1, depth=32768, init=words, attrs={"ram_style": "block"}
            )
            port = store.read_port()
            m.d.comb += [port.addr.eq(i), o[bit].eq(port.data)]

    found = estimate(text(Block(15, 4, build)), "top", ZYNQ, {})
    assert used(found["total"]) == {"bram36": 4}


def flat(cells: dict, ports: dict):
    """A flat design from ``{name: (type, {input: nets}, {output: nets})}``."""
    entries = {
        name: {
            "type": kind,
            "parameters": {},
            "port_directions": {pin: "input" for pin in into} | {pin: "output" for pin in out},
            "connections": into | out,
        }
        for name, (kind, into, out) in cells.items()
    }
    top = {
        "cells": entries,
        "ports": {name: {"direction": d, "bits": bits} for name, (d, bits) in ports.items()},
        "netnames": {f"n{net}": {"hide_name": 0, "bits": [net]} for net in range(2, 40)},
    }
    return flat_design({"modules": {"top": top}}, "top", ["", "a", "a.b"])


def logic_levels(cells, ports):
    """The most cells on a path to each endpoint, by the name of its net."""
    design = flat(cells, ports)
    return {design.names[e.net]: e.logic_levels for e in LevelAnalysis(design).endpoints()}


def depths(cells, ports):
    """Levels and muxes of each endpoint, by the name of its net."""
    design = flat(cells, ports)
    return {design.names[end.net]: end.depth for end in LevelAnalysis(design).endpoints()}


def test_wide_muxes_are_counted_apart():
    cells = {
        "l": ("LUT6", {"I0": [2]}, {"O": [3]}),
        "m7": ("MUXF7", {"I0": [3], "I1": ["0"], "S": [4]}, {"O": [5]}),
        "m8": ("MUXF8", {"I0": [5], "I1": ["0"], "S": [4]}, {"O": [6]}),
    }
    assert depths(cells, {"i": ("input", [2, 4]), "o": ("output", [6])}) == {"n6": (1, 2)}


def test_logic_levels_count_every_cell():
    """As Vivado does: each CARRY4 of a chain and each MUXF is one, the cell at the start none."""
    def carry(into, first, select="0"):
        return ("CARRY4", {"CI": [into], "CYINIT": ["0"], "DI": ["0"] * 4,
                           "S": [select, "0", "0", "0"]},
                {"O": list(range(first, first + 4)), "CO": list(range(first + 4, first + 8))})

    cells = {
        "l": ("LUT6", {"I0": [2]}, {"O": [3]}),
        "c1": carry("0", 10, select=3), "c2": carry(17, 18), "c3": carry(25, 26),
        "m7": ("MUXF7", {"I0": [29], "I1": ["0"], "S": ["0"]}, {"O": [34]}),
        "f": ("FDRE", {"C": [9], "D": [34], "CE": ["1"], "R": ["0"]}, {"Q": [35]}),
    }  # fmt: skip
    ports = {"i": ("input", [2, 9]), "o": ("output", [35])}
    assert depths(cells, ports) == {"n34": (2, 1), "n35": (0, 0)}
    assert logic_levels(cells, ports) == {"n34": 5, "n35": 0}


def test_logic_levels_may_be_of_another_path():
    """Two LUTs are two levels of each kind; a LUT before two MUXF is one, and three."""
    cells = {
        "a": ("LUT1", {"I0": [2]}, {"O": [3]}),
        "b": ("LUT1", {"I0": [3]}, {"O": [4]}),
        "m7": ("MUXF7", {"I0": [3], "I1": ["0"], "S": ["0"]}, {"O": [5]}),
        "m8": ("MUXF8", {"I0": [5], "I1": ["0"], "S": ["0"]}, {"O": [6]}),
        "f": ("FDRE", {"C": [9], "D": [4], "CE": [6], "R": ["0"]}, {"Q": [7]}),
    }
    ports = {"i": ("input", [2, 9]), "o": ("output", [7])}
    assert depths(cells, ports)["n4"] == (2, 0)
    assert logic_levels(cells, ports)["n4"] == 3


def test_carry_outputs_see_lower_bits_only():
    # The LUT on O[0] feeds S[3] of the same CARRY4, which is no loop.
    cells = {
        "c": ("CARRY4", {"CI": ["0"], "CYINIT": ["0"], "DI": ["0"] * 4, "S": [2, "0", "0", 4]},
              {"O": [3, 10, 11, 12], "CO": [13, 14, 15, 16]}),
        "l": ("LUT1", {"I0": [3]}, {"O": [4]}),
        "d": ("CARRY4", {"CI": [16], "CYINIT": ["0"], "DI": ["0"] * 4, "S": ["0"] * 4},
              {"O": [5, 20, 21, 22], "CO": [23, 24, 25, 26]}),
    }  # fmt: skip
    # CARRY4, LUT, then a chain of two CARRY4 that counts once.
    assert depths(cells, {"i": ("input", [2]), "o": ("output", [5])}) == {"n5": (3, 0)}


def test_lut_memory_is_read_and_written():
    lutram = ("RAM32M", {"ADDRA": [2] * 5, "ADDRD": [3] * 5, "DIA": [4] * 2, "WE": ["1"],
                         "WCLK": [9]}, {"DOA": [5, 6]})  # fmt: skip
    address = ("LUT2", {"I0": [7]}, {"O": [3]})
    found = depths({"r": lutram, "l": address},
                   {"i": ("input", [2, 4, 7, 9]), "o": ("output", [5])})  # fmt: skip
    # The write address is sampled after one LUT; the read takes a level; the clock is no data.
    assert found == {"n3": (1, 0), "n5": (1, 0)}


def test_addressed_shift_register_takes_a_level():
    srl = ("SRL16E", {"D": [2], "CE": ["1"], "CLK": [9], "A0": [3], "A1": ["0"], "A2": ["0"],
                      "A3": ["0"]}, {"Q": [4]})  # fmt: skip
    found = depths({"s": srl}, {"i": ("input", [2, 3, 9]), "o": ("output", [4])})
    assert found == {"n2": (0, 0), "n4": (1, 0)}


def test_flip_flop_ends_and_starts_paths():
    cells = {
        "l": ("LUT1", {"I0": [2]}, {"O": [3]}),
        "f": ("FDRE", {"C": [9], "D": [4], "CE": [3], "R": ["0"]}, {"Q": [5]}),
    }
    found = depths(cells, {"i": ("input", [2, 4, 9]), "o": ("output", [5])})
    assert found == {"n3": (1, 0), "n5": (0, 0)}


def test_cells_belong_to_the_instance_in_their_name():
    cell = ("LUT1", {"I0": [2]}, {"O": [3]})
    names = {"$flatten\\a.\\b.$auto$x.cc:1:y$5": "a.b", "a.c.memory.0.0": "a", "$abc$7": ""}
    design = flat(dict.fromkeys(names, cell), {})
    assert {cell.name: cell.path for cell in design.cells} == names


def test_loop_is_refused():
    cells = {
        "x": ("LUT1", {"I0": [2]}, {"O": [3]}),
        "y": ("LUT1", {"I0": [3]}, {"O": [2]}),
    }
    with pytest.raises(SynthError, match=r"^design has a combinational loop: n\d -> n\d -> n\d$"):
        depths(cells, {})
