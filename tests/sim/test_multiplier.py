"""Multipliers in the simulation of mapped cells: what they do, and what is refused."""

from collections import Counter

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.sim.gates.gates import GateSimulation, Stream
from lutgen.sim.tool.verilator import SimulationError
from lutgen.synth.cells import Cell, clock_pins, endpoints
from lutgen.synth.mapped import MappedDesign, map_design

pytestmark = pytest.mark.slow

STREAMS = Stream("valid", "taken", ("in",)), Stream("given", "ready", ("out",))
A, B, C, P, PCOUT = (range(first, first + size) for first, size in (
    (100, 25), (200, 18), (300, 48), (400, 48), (500, 48)
))  # fmt: skip
ENABLE, RESET = 20, 21


def multiplier(parameters=(), inputs=(), outputs=()):
    """A cell as Yosys writes it: P = C + A B, in P's register alone."""
    names = ("ADREG", "ALUMODEREG", "AREG", "BREG", "CARRYINREG", "CARRYINSELREG", "CREG", "DREG",
             "INMODEREG", "MREG", "OPMODEREG")  # fmt: skip
    zeros = {"ALUMODE": 4, "CARRYIN": 1, "CARRYINSEL": 3, "INMODE": 5, "PCIN": 48}
    return Cell("", "m", "DSP48E1", {
        **dict.fromkeys(names, "0" * 32), "PREG": "1", "A_INPUT": "DIRECT", "B_INPUT": "DIRECT",
        "USE_MULT": "MULTIPLY", "USE_DPORT": "FALSE", "USE_SIMD": "ONE48", **dict(parameters),
    }, {
        "A": (*A, *[A[-1]] * 5), "B": tuple(B), "C": tuple(C), "CLK": (2,), "CEP": ("1",),
        "RSTP": ("0",), "OPMODE": tuple("1010110"), **{k: ("0",) * n for k, n in zeros.items()},
        **dict(inputs),
    }, {"P": tuple(P), **dict(outputs)})  # fmt: skip


def simulation(*cells, result=P):
    return GateSimulation(MappedDesign(
        "top", "none", list(cells),
        {"clk": (2,), "rst": (3,), "valid": (4,), "in": (ENABLE, RESET, *A, *B, *C), "ready": (6,)},
        {"taken": ("1",), "given": ("1",), "out": tuple(result)},
    ), *STREAMS, {})  # fmt: skip


def operands(count=200, seed=5):
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(-(1 << w - 1), 1 << w - 1, count) for w in (25, 18, 48)]
    for values, width in zip(drawn, (25, 18, 48), strict=True):
        values[:4] = [-(1 << width - 1), (1 << width - 1) - 1, -(1 << width - 1), 0]
    return rng.integers(0, 2, count), rng.random(count) < 0.1, *drawn


def run(simulated, enable, reset, a, b, c):
    columns = ((enable, 1), (reset, 1), (a, 25), (b, 18), (c, 48))
    beats = np.concatenate([
        np.asarray(v).astype(np.int64)[:, None] >> np.arange(width) & 1 for v, width in columns
    ], axis=1)  # fmt: skip
    counts, bits, *_ = simulated.run(beats, taken=len(beats), given=len(beats), max_clocks=999)
    return counts, [wrapped(sum(int(bit) << k for k, bit in enumerate(row))) for row in bits]


def wrapped(number):
    return (number + (1 << 47)) % (1 << 48) - (1 << 47)


def test_a_product_and_a_sum():
    given = operands()
    _, found = run(simulation(multiplier()), *given)
    a, b, c = (list(map(int, values)) for values in given[2:])
    assert found[1:] == [wrapped(x * y + z) for x, y, z in zip(a, b, c, strict=True)][:-1]


@pytest.mark.parametrize("registers", [
    ("AREG",), ("BREG",), ("CREG",), ("MREG",), ("AREG", "BREG", "CREG", "MREG"), (),
])  # fmt: skip
def test_registers_hold_and_reset(registers):
    pins = {"AREG": ("CEA2", "RSTA"), "BREG": ("CEB2", "RSTB"), "CREG": ("CEC", "RSTC"),
            "MREG": ("CEM", "RSTM"), "PREG": ("CEP", "RSTP")}  # fmt: skip
    inputs = {}
    for name in (*registers, "PREG"):
        enable, reset = pins[name]
        inputs |= {enable: (ENABLE,), reset: (RESET,)}
    cell = multiplier(dict.fromkeys(registers, "1"), inputs)
    enables, resets, *values = operands()
    _, found = run(simulation(cell), enables, resets, *values)
    held, expected = dict.fromkeys(pins, 0), []
    for enable, reset, *now in zip(enables, resets, *(v.tolist() for v in values), strict=True):
        expected.append(held["PREG"])
        at = dict(zip(("AREG", "BREG", "CREG"), now, strict=True))
        a, b, c = (held[k] if k in registers else at[k] for k in at)
        product = held["MREG"] if "MREG" in registers else a * b
        if enable:
            held = at | {"MREG": a * b, "PREG": wrapped(product + c)}
        if reset:
            held = dict.fromkeys(pins, 0)
    assert found == expected


@pytest.mark.parametrize("addend", ["nothing", "C"])
@pytest.mark.parametrize("registers", [(), ("MREG",), ("AREG",), ("AREG", "BREG", "MREG")])
def test_sums_without_a_register(registers, addend):
    pins = {"AREG": ("CEA2", "RSTA"), "BREG": ("CEB2", "RSTB"), "MREG": ("CEM", "RSTM")}
    inputs = {name: (ENABLE if name.startswith("CE") else RESET,)
              for register in registers for name in pins[register]}  # fmt: skip
    if addend == "nothing":
        inputs["OPMODE"] = tuple("1010000")
    cell = multiplier({"PREG": "0"} | dict.fromkeys(registers, "1"), inputs)
    enables, resets, *values = operands()
    counts, found = run(simulation(cell), enables, resets, *values)
    held, expected = dict.fromkeys(pins, 0), []
    for enable, reset, *now in zip(enables, resets, *(v.tolist() for v in values), strict=True):
        at = dict(zip(("AREG", "BREG"), now, strict=False))
        a, b = (held[k] if k in registers else at[k] for k in at)
        product = held["MREG"] if "MREG" in registers else a * b
        expected.append(wrapped(product + (now[2] if addend == "C" else 0)))
        held = dict.fromkeys(pins, 0) if reset else at | {"MREG": a * b} if enable else held
    assert found == expected
    assert counts.settled.tolist() == counts.unit.tolist()


@pytest.mark.parametrize("parameter", ["AREG", "BREG"])
def test_two_registers_in_a_row(parameter):
    letter = parameter[0]
    inputs = {f"CE{letter}1": (ENABLE,), f"CE{letter}2": ("1",), f"RST{letter}": (RESET,)}
    enables, resets, *values = operands()
    _, found = run(simulation(multiplier({parameter: "10"}, inputs)), enables, resets, *values)
    first, second, expected = 0, 0, [0]
    for enable, reset, a, b, c in zip(enables, resets, *(v.tolist() for v in values), strict=True):
        expected.append(wrapped((second * b if letter == "A" else a * second) + c))
        now = a if letter == "A" else b
        first, second = (0, 0) if reset else (now if enable else first, first)
    assert found[1:] == expected[1:-1]


def test_cascade():
    first = multiplier(outputs={"PCOUT": tuple(PCOUT), "P": ()})
    inputs = {"PCIN": tuple(PCOUT), "OPMODE": tuple("1010100"), "A": (ENABLE,)}
    second = multiplier(inputs=inputs)
    given = operands()
    _, found = run(simulation(first, second), *given)
    enable, _, a, b, c = (list(map(int, values)) for values in given)
    sums = [0, *(wrapped(x * y + z) for x, y, z in zip(a, b, c, strict=True))]
    expected = [wrapped(s + e * y) for s, e, y in zip(sums, enable, b, strict=False)]
    assert found[1:] == expected[:-1]


def test_products_are_counted_when_an_operand_has_changed():
    simulated = simulation(multiplier())
    a, b, c = (np.array(v) for v in ([0, 3, 3, 3, 3, 4], [0, 0, 5, 5, 5, 4], [0, 0, 0, 7, 7, 7]))
    counts, _ = run(simulated, np.ones(6), np.zeros(6), a, b, c)
    assert counts.products.tolist() == [4]
    assert [cell.name for cell in simulated.multipliers] == ["m"]


@pytest.mark.parametrize(("parameters", "inputs", "outputs", "message"), [
    ({"AREG": "11"}, {}, {}, "have AREG of 2 at most, not 3"),
    ({"CREG": "10"}, {}, {}, "have CREG of 1 at most, not 2"),
    ({"USE_DPORT": "TRUE"}, {}, {}, "have USE_DPORT FALSE, not TRUE"),
    ({"USE_MULT": "DYNAMIC"}, {}, {}, "have USE_MULT MULTIPLY, not DYNAMIC"),
    ({"USE_SIMD": "TWO24"}, {}, {}, "have USE_SIMD ONE48, not TWO24"),
    ({"A_INPUT": "CASCADE"}, {}, {}, "have A_INPUT DIRECT, not CASCADE"),
    ({"USE_PATTERN_DETECT": "PATDET"}, {}, {}, "have USE_PATTERN_DETECT NO_PATDET, not PATDET"),
    ({"OPMODEREG": "1"}, {}, {}, "have OPMODEREG 0, not 1"),
    ({"MREG": "1"}, {"RSTM": ("0",)}, {}, "have CEM and RSTM for its MREG, not nothing there"),
    ({}, {"ALUMODE": tuple("1100")}, {}, "have ALUMODE 0, not 0011"),
    ({}, {"CARRYIN": (ENABLE,)}, {}, "have a constant CARRYIN, not a signal"),
    ({}, {"OPMODE": tuple("1010010")}, {}, "have OPMODE 0101 below 000, 001, 011, not 0100101"),
    ({}, {"OPMODE": tuple("1100110")}, {}, "have OPMODE 0101 below 000, 001, 011, not 0110011"),
    ({}, {}, {"CARRYOUT": (600,)}, "drive P and PCOUT alone, not CARRYOUT"),
])  # fmt: skip
def test_what_is_not_simulated_is_refused(parameters, inputs, outputs, message):
    with pytest.raises(SimulationError, match=f"^multiplier 'm' must {message}$"):
        simulation(multiplier(parameters, inputs, outputs))


def test_the_addend_is_no_clock():
    cell = multiplier()
    assert {*C} < {*endpoints(cell)} and 2 not in endpoints(cell)
    assert "C" not in clock_pins(cell)


class Products(wiring.Component):
    """Sums of products, three clocks late, in the forms that the gateware has.

    Registers are as wide as the sums: of wider ones Yosys 0.70 leaves out the sign.
    """

    i: In(stream.Signature(24))
    o: Out(stream.Signature(48))

    def elaborate(self, platform):
        m = Module()
        a, b, go = self.i.payload[:9].as_signed(), self.i.payload[9:18], self.i.payload[23]
        # A register at one operand, at both, with enable, at the product; a sum behind another.
        late, later, plain = Signal(signed(9), reset_less=True), Signal(9), Signal(signed(30))
        chain, end, whole = Signal(signed(18)), Signal(signed(19)), Signal(signed(24))
        alone, last = Signal(signed(20), reset_less=True), Signal(signed(20), reset_less=True)
        m.d.comb += self.i.ready.eq(1)
        m.d.sync += [
            late.eq(a), plain.eq(late * b + (1 << 6)), whole.eq(plain),
            chain.eq(a * b), end.eq(chain + late * later),
            alone.eq(a * later), last.eq(alone),
            self.o.valid.eq(self.i.valid), self.o.payload.eq((end ^ last) + (whole << 20)),
        ]  # fmt: skip
        with m.If(go):
            m.d.sync += later.eq(b)
        return m


def test_what_yosys_makes_of_products():
    design = map_design(to_verilog(Products(), "top"), "top", "xc7")
    kinds = Counter(cell.type for cell in design.cells)
    assert kinds["DSP48E1"] == 4
    values = np.random.default_rng(3).integers(1 << 24, size=400)
    top, expected = Products(), []
    simulator = Simulator(top)
    simulator.add_clock(1e-8)

    async def bench(ctx):
        ctx.set(top.i.valid, 1)
        for value in values:
            ctx.set(top.i.payload, int(value))
            expected.append(ctx.get(top.o.payload))
            await ctx.tick()

    simulator.add_testbench(bench)
    simulator.run()
    names = (Stream("i__valid", "i__ready", ("i__payload",)),
             Stream("o__valid", "o__ready", ("o__payload",)))  # fmt: skip
    simulated = GateSimulation(design, *names, {})
    beats = values[:, None] >> np.arange(24) & 1
    counts, bits, *_ = simulated.run(beats, taken=400, given=399, max_clocks=500)
    found = [sum(int(bit) << k for k, bit in enumerate(row)) for row in bits]
    # What the registers held during the reset is not the same.
    assert found[3:399] == expected[4:400]
    assert len(simulated.multipliers) == 4 and (counts.products > 300).all()
