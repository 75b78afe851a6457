"""Cores for a fabric of small LUTs and memories, and memories whose ports meet."""

import dataclasses
import re

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.fabric.blockmem import BLOCK, add_ram, add_rom, add_wide_ram, ram_cost
from lutgen.gateware.fabric.fabric import FABRICS, LUT4, LUT6, Fabric
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from tests.gateware.tops import Tops, pictures
from tests.models import laplace_model, pyramid_table_model, table_model

SMALL = {"max_width": 40, "max_height": 64, "tile_width": 8, "tile_height": 8}
MODELS = {
    "walker": lambda: table_model(1),
    "plain": lambda: table_model(2, size=3, walker=False),
    "levels": lambda: pyramid_table_model(6, levels=2, constraint=True),
    "laplace": lambda: laplace_model(3, bits=18, nodes=30),
}
#: Block memories that are written, of encoder and decoder: as many as are spoiled.
WRITTEN = {
    ("walker", "lut4"): (5, 7), ("plain", "lut4"): (3, 6), ("levels", "lut4"): (15, 15),
    ("laplace", "lut4"): (5, 7), ("walker", "lut6"): (5, 6), ("levels", "lut6"): (14, 15),
}  # fmt: skip
RUNS = [("walker", "lut4"), *(
    pytest.param(model, fabric, marks=pytest.mark.slow)
    for model, fabric in (("plain", "lut4"), ("levels", "lut4"), ("laplace", "lut4"),
                          ("walker", "lut6"), ("levels", "lut6"))
)]  # fmt: skip


def spoiled(text: str) -> tuple[str, int]:
    """Verilog in which a block memory reads rubbish where it is written at the same clock."""
    # Modules one by one, for memories of several have the same name.
    parts = [_spoiled_module(part) for part in re.split(r"(?m)(?=^module )", text)]
    return "".join(part for part, _ in parts), sum(count for _, count in parts)


def _spoiled_module(text: str) -> tuple[str, int]:
    count = 0
    for name in re.findall(r'ram_style = "block" \*\)\n  reg (?:\[\d+:0\] )?(\S+ ?) ?\[', text):
        this = re.escape(name.rstrip()) + r" ?\["
        write = re.search(rf"if \((.+)\)\n +{this}(.+)\] <= ", text)
        if write is None:
            continue  # a table
        enable, at = write.groups()
        text, found = re.subn(
            rf"(_\d+_) <= ({this}(.+)\]);\n",
            lambda read: (
                f"{read[1]} <= {enable} && {at} == {read[3]} ? ~{read[2]} : {read[2]};\n"  # noqa: B023
            ),
            text,
        )
        assert found == 1, name
        count += 1
    return text, count


@pytest.mark.exhaustive
@pytest.mark.parametrize(("model", "fabric"), RUNS)
def test_cores_agree_with_the_reference_whatever_meeting_ports_read(model, fabric):
    """Which is why a mapper need not build logic for the case."""
    top = Tops(CoreConfig(MODELS[model](), fabric=fabric, **SMALL))
    images = pictures(37, 29, count=3)
    file = top.file(images)
    designs = []
    for design, written in zip(
        (top.encoder_design, top.decoder_design), WRITTEN[model, fabric], strict=True
    ):
        text, count = spoiled(design.texts[0])
        assert count == written
        designs.append(dataclasses.replace(design, texts=(text,)))
    encoded = RtlEncoder(top.config, designs[0])(images)
    assert encoded.files == (file,)
    decoded = RtlDecoder(top.config, designs[1])([file, file])
    assert decoded.errors == ()
    np.testing.assert_array_equal(np.stack(decoded.frames), np.concatenate([images] * 2))


def test_spoiled_memory_reads_rubbish():
    class One(wiring.Component):
        i: In(3 + 3 + 4 + 1)
        o: Out(4)

        def elaborate(self, platform):
            m = Module()
            m.submodules.memory = memory = Memory(shape=4, depth=8, init=[], attrs=BLOCK)
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(self.i[:3]), write.addr.eq(self.i[3:6]), write.data.eq(self.i[6:10]),
                write.en.eq(self.i[10]), self.o.eq(read.data),
            ]  # fmt: skip
            return m

    text = to_verilog(One(), "one")
    after, count = spoiled(text)
    assert count == 1
    assert "<= i[10] && i[5:3] == i[2:0] ? ~memory[i[2:0]] : memory[i[2:0]];" in after


#: Sixteen rows and four are cheaper than 32 of two bits.
LUT_CUT = Fabric("cut", 4, ((4, 10), (16, 5), (32, 2)), levels_per_stage=1, registers=False,
                 block_halves=True)  # fmt: skip


class _Memories(wiring.Component):
    """A table and buffers of a fabric whose memories have eight rows of one bit at most."""

    fabric = Fabric(
        "tiny", 4, ((2, 4), (4, 2), (8, 1)), levels_per_stage=1, registers=False, lut_rows=32
    )
    words = tuple((7 * k + 3) % 32 for k in range(20))

    address: In(5)
    write: In(1)
    write_address: In(5)
    data: In(5)
    table: Out(5)
    cut: Out(5)
    buffer: Out(5)
    odd: Out(5)
    wide: Out(5)

    def elaborate(self, platform):
        m = Module()
        (found,) = add_rom(m, "table", self.words, 5, [self.address], self.fabric)
        m.d.comb += self.table.eq(found)
        (found,) = add_rom(m, "cut", self.words, 5, [self.address], LUT_CUT, cut=True)
        m.d.comb += self.cut.eq(found)
        for add, name, depth in (
            (add_ram, "buffer", 32), (add_ram, "odd", 20), (add_wide_ram, "wide", 32),
        ):  # fmt: skip
            m.d.comb += getattr(self, name).eq(add(
                m, name, depth, 5, write=self.write, write_address=self.write_address,
                data=self.data, address=self.address, fabric=self.fabric,
            ))  # fmt: skip
        return m


def test_memories_deeper_than_a_block():
    dut = _Memories()
    assert "cut_1_0" in to_verilog(_Memories(), "memories")
    seen = []

    async def bench(ctx):
        for k in range(32):
            ctx.set(dut.write, 1)
            ctx.set(dut.write_address, k)
            ctx.set(dut.data, 31 - k)
            await ctx.tick()
        ctx.set(dut.write, 0)
        for k in range(22):
            ctx.set(dut.address, k)
            await ctx.tick()
            seen.append([ctx.get(port) for port in (
                dut.table, dut.cut, dut.buffer, dut.odd, dut.wide,
            )])

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    # The address of row k is set before tick k, and two ticks later its word is there.
    assert seen[1:21] == [[dut.words[k]] * 2 + [31 - k] * 3 for k in range(20)]


@pytest.mark.parametrize("depth, width, lut6, lut4", [
    (512, 36, 1, 2), (512, 37, 2, 4), (2048, 9, 1, 2), (4096, 9, 2, 6), (65536, 8, 32, 64),
    # 32,768 and 8,192 rows; 8,192 and 808.
    (40960, 8, 20, 40), (9000, 14, 8, 16), (40, 40, 2, 4),
])  # fmt: skip
def test_fewest_block_memories(depth, width, lut6, lut4):
    """Halves of them: a number of rows that is no power of two is cut where it costs least."""
    assert ram_cost(depth, width, LUT6) == lut6
    assert ram_cost(depth, width, LUT4) == lut4


def test_fabrics():
    assert FABRICS == {"lut6": LUT6, "lut4": LUT4}
    for fabric, kbits in ((LUT6, 36), (LUT4, 18)):
        for depth, width in fabric.block_widths:
            assert depth * width <= kbits << 10
            assert fabric.block_width(depth) == width
        assert fabric.block_width(fabric.block_depth + 1) == 1
    with pytest.raises(ValueError, match=r"^fabric must be one of lut6, lut4, not 'lut5'$"):
        CoreConfig(table_model(1), fabric="lut5")


def test_fabric_decides_the_stages_of_the_network():
    assert [CoreConfig(table_model(1), fabric=name).levels_per_stage for name in FABRICS] == [4, 3]
    assert CoreConfig(table_model(1), fabric="lut4", levels_per_stage=2).levels_per_stage == 2


def test_registers_lengthen_the_pipelines():
    model = table_model(1)
    short, long = (CoreConfig(model, fabric=name, levels_per_stage=2) for name in FABRICS)
    stages = len(model.walker.stages)
    assert long.decoder_class_at - short.decoder_class_at == stages
    assert long.decoder_symbol_at - short.decoder_symbol_at == stages + 3
    assert long.encoder_interval_at - short.encoder_interval_at == 2 * stages + 2


def test_design_of_a_component_without_fabric_is_for_lut6():
    class Plain(wiring.Component):
        o: Out(1)

        def elaborate(self, platform):
            assert platform is None
            m = Module()
            o = Signal()
            m.d.sync += o.eq(~o)
            m.d.comb += self.o.eq(o)
            return m

    assert "module plain" in to_verilog(Plain(), "plain")
