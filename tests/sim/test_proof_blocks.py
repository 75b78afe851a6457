"""Graphs, whole numbers in them, the prover, and what a model's prediction is there."""

from itertools import product

import numpy as np
import pytest

from lutgen.codec.predictive.kernel import begin, predict, scratch, target
from lutgen.errors import InputError
from lutgen.files.compiled import njit
from lutgen.model.predictive.neighbourhood import FRACTION_BITS, new_rows
from lutgen.model.predictive.reference import ALL_QUANTITIES, level_of
from lutgen.model.samples import SampleFormat
from lutgen.model.shipped import shipped
from lutgen.sim.proof.aig import FALSE, TRUE, Aig
from lutgen.sim.proof.gold import CUT, bit_names
from lutgen.sim.proof.gold_plane import GoldPlane
from lutgen.sim.proof.gold_prediction import GoldPrediction, is_sample
from lutgen.sim.proof.integers import Integers
from lutgen.sim.proof.pipeline import NoPipelineError, latencies
from lutgen.sim.proof.prover import OPEN, PROVEN, WRONG, prove_equal
from tests.models import colour_model, mosaic_model
from tests.tiers import all_slow

SECONDS = 60


def every(width):
    """Inputs of a width in all cases, by bit."""
    cases = 1 << width
    return cases, [sum((k >> bit & 1) << k for k in range(cases)) for bit in range(width)]


@pytest.mark.parametrize(("name", "function"), [
    ("add", lambda a, b: a + b), ("subtract", lambda a, b: a - b), ("product", lambda a, b: a * b),
    ("less", lambda a, b: a < b),
])  # fmt: skip
def test_numbers(name, function):
    """Of a number of four bits with a sign and one of three without, all pairs."""
    aig = Aig()
    do = Integers(aig)
    a = do.signed([aig.input(f"a{k}") for k in range(4)])
    b = do.unsigned([aig.input(f"b{k}") for k in range(3)])
    found = getattr(do, name)(a, b)
    bits = [found, FALSE] if name == "less" else found.bits
    aig.outputs = {str(k): bit for k, bit in enumerate(bits)}
    cases, values = every(7)
    out = aig.evaluate(dict(zip([*(f"a{k}" for k in range(4)), *(f"b{k}" for k in range(3))],
                                values, strict=True)), cases)  # fmt: skip
    for x, y in product(range(-8, 8), range(8)):
        case = x & 15 | y << 4
        total = sum((out[str(k)] >> case & 1) << k for k in range(len(bits)))
        total -= (out[str(len(bits) - 1)] >> case & 1) << len(bits)
        assert total == function(x, y), (x, y)
        if name != "less":
            assert found.low <= total <= found.high


def test_numbers_of_one():
    """Shifts, clamps and sizes of all numbers of six bits."""
    aig = Aig()
    do = Integers(aig)
    a = do.signed([aig.input(f"a{k}") for k in range(6)])
    made = {
        "size": (do.magnitude(a), abs),
        "clamped": (do.clamped(a, -5, 9), lambda x: min(max(x, -5), 9)),
        "right": (do.right(a, 2), lambda x: x >> 2),
        "times": (do.times(a, 11), lambda x: 11 * x),
        "shifted": (do.shifted(a, do.constant(3), right=True), lambda x: x >> 3),
        "moved": (do.shifted(a, do.constant(2), right=False), lambda x: x << 2),
    }
    aig.outputs = {
        f"{name}{k}": bit for name, (n, _) in made.items() for k, bit in enumerate(n.bits)
    }
    cases, values = every(6)
    out = aig.evaluate({f"a{k}": value for k, value in enumerate(values)}, cases)
    for name, (number, function) in made.items():
        for x in range(-32, 32):
            total = sum((out[f"{name}{k}"] >> (x & 63) & 1) << k for k in range(len(number.bits)))
            total -= (out[f"{name}{len(number.bits) - 1}"] >> (x & 63) & 1) << len(number.bits)
            assert total == function(x), (name, x)


def test_tables_and_rows():
    aig = Aig()
    pins = [aig.input(f"a{k}") for k in range(3)]
    aig.outputs = {"table": aig.table(0xCA, pins), "row": aig.select([0, 1, 1, 0, 1], pins)}
    cases, values = every(3)
    out = aig.evaluate({f"a{k}": value for k, value in enumerate(values)}, cases)
    assert out["table"] == 0xCA and out["row"] & 31 == 0b10110


def test_files(tmp_path):
    aig = Aig()
    a, b, c = map(aig.input, "abc")
    aig.outputs = {"y": aig.mux(a, aig.xor(b, c), aig.land(b, c) ^ 1), "one": TRUE}
    aig.write(tmp_path / "g.aig", ["y", "one"])
    text = (tmp_path / "g.aig").read_bytes()
    (tmp_path / "g.aig").write_bytes(text + b"i0 a\ni1 b\no0 y\no1 one\nc\nnothing\n")
    again = Aig.read(tmp_path / "g.aig")
    assert list(again.inputs) == ["a", "b", "undefined 3"]
    cases, values = every(3)
    given = dict(zip("abc", values, strict=True))
    renamed = given | {"undefined 3": given["c"]}
    assert again.evaluate(renamed, cases) == aig.evaluate(given, cases)
    (tmp_path / "bad.aig").write_bytes(b"aig 1 0 1 0 0\n")
    with pytest.raises(InputError, match="^bad.aig must be a binary AIGER file without registers$"):
        Aig.read(tmp_path / "bad.aig")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_prover_looks_at_all_outputs(place):
    """One of several outputs differs in one case of 2 ** 40, wherever it stands."""
    aig = Aig()
    many = [aig.input(f"a{k}") for k in range(40)]
    rare = TRUE
    for bit in many:
        rare = aig.land(rare, bit)
    pairs = [(aig.lor(many[0], many[1]), aig.land(many[0] ^ 1, many[1] ^ 1) ^ 1)] * 2
    pairs.insert(place, (rare, FALSE))
    verdict = prove_equal(aig, pairs, SECONDS)
    assert verdict.state == WRONG and set(verdict.inputs.values()) == {1}


def test_prover():
    aig = Aig()
    do = Integers(aig)
    a, b, c = (do.unsigned([aig.input(f"{n}{k}") for k in range(6)]) for n in "abc")
    left, right = do.add(do.add(a, b), c), do.add(a, do.add(b, c))
    pairs = list(zip(left.bits, right.bits, strict=True))
    assert prove_equal(aig, pairs, SECONDS).state == PROVEN
    assert prove_equal(aig, [(a.bits[0], a.bits[0])], 0).state == PROVEN
    wrong = prove_equal(aig, [(a.bits[0], b.bits[0])], SECONDS)
    assert wrong.state == WRONG and wrong.inputs["a0"] != wrong.inputs["b0"]


def test_prover_that_gives_up():
    aig = Aig()
    do = Integers(aig)
    a, b = (do.unsigned([aig.input(f"{n}{k}") for k in range(24)]) for n in "ab")
    pairs = zip(do.product(a, b).bits, do.product(b, a).bits, strict=True)
    assert prove_equal(aig, list(pairs), 2).state == OPEN


@njit(nogil=True)
def trace(kernel, rows, y, depth, step, most, channels, references, quantities, results):
    """Quantities and results of all samples of a row, whose neighbours are what ``rows`` hold."""
    quantity, feature, place = scratch(len(kernel.gain))
    begin(rows, y, depth, place, channels, references)
    for x in range(len(results)):
        first, final, scale, plain = predict(
            kernel, rows, x, depth, step, quantity, feature, place, references
        )
        whole, rest, row = target(kernel, final, scale, plain, step, most)
        quantities[x] = quantity
        level = level_of(quantity, references)
        results[x, 0], results[x, 1] = first + level, whole
        results[x, 2], results[x, 3] = rest < 0, row


def random_rows(rng, depth: int, channels: int, width: int) -> np.ndarray:
    """Rows that hold anything: alike, nearly alike, noise, and both ends."""
    rows, top = new_rows(width, channels), (1 << depth) - 1
    shape, columns = rows.shape[1:], np.arange(rows.shape[2]) // 16
    size = 2.0 ** rng.integers(-2, depth + 1, columns[-1] + 1)[columns]
    around = rng.integers(0, top + 1, columns[-1] + 1)[columns]
    samples = np.where(
        rng.random(shape) < rng.choice([0, 0.1, 1], columns[-1] + 1)[columns],
        around + rng.normal(0, size, shape), around,
    )  # fmt: skip
    # Of planes behind the first, rows hold differences.
    plane = np.arange(shape[0])[:, None] % channels
    rows[0] = np.clip(np.where(plane, samples - top / 2, samples), np.where(plane, -top, 0), top)
    rows[0] <<= FRACTION_BITS
    most = top << FRACTION_BITS
    rows[1] = np.clip(rng.normal(0, 4 * size, shape), -most, most)
    rows[2] = np.clip(np.abs(rng.normal(0, 4 * size, shape)), 0, 2 * most)
    return rows


def values_of(out, names) -> list[int]:
    """Numbers of all cases, from their bits."""
    bits = [out[name] for name in names]
    return [
        sum((bit >> case & 1) << place for place, bit in enumerate(bits))
        for case in range(CASES)
    ]  # fmt: skip


def predicted(gold, quantities, **more) -> dict[str, list[int]]:
    """What a graph says of many quantities, from cut to cut."""
    aig = Aig()
    gold.build(aig, gold.numbers(Integers(aig)))
    aig.outputs = gold.outputs
    given = {}
    for port in gold.ports:
        if (values := more.get(port.name)) is None:
            if port.name not in ALL_QUANTITIES:
                continue
            shift = FRACTION_BITS if is_sample(port.name) else 0
            values = (quantities[:, ALL_QUANTITIES[port.name]] >> shift).tolist()
        for k, bit in enumerate(port.bits):
            given[bit] = sum((value >> k & 1) << case for case, value in enumerate(values))
    for _ in range(6):
        out = aig.evaluate(given, CASES)
        given |= {
            read: out[made]
            for port in gold.ports if port.name.endswith(CUT)
            for read, made in zip(
                port.bits, bit_names(port.name.removesuffix(CUT), port.width), strict=True
            )
        }  # fmt: skip
    return {
        name: values_of(out, bit_names(name, gold.widths[name]))
        for name in ("first", "whole", "below", "row")
    }


#: Samples that are looked at, in rows of so many.
ROW, CASES = 320, 1280
#: Model, depth and greatest near.
MODELS = {
    "lossless": (lambda: shipped("photo"), 8, 0), "near": (lambda: shipped("photo-16"), 9, 5),
    "colour": (colour_model, 8, 0), "mosaic": (mosaic_model, 10, 0),
    "colour, near": (colour_model, 9, 5),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["lossless", *all_slow(name for name in MODELS if name != "lossless")]
)
def test_prediction_of_a_model(name):
    """What is written from a model is what the reference codec says, of random neighbours."""
    made, depth, most = MODELS[name]
    model, rng = made(), np.random.default_rng(5)
    planes = getattr(model, "planes", (model,))
    design = {"netnames": {"shift": {"bits": [*range(5)]}}}
    row_of = 0
    for number, plane in enumerate(planes):
        quantities = np.zeros((CASES, len(ALL_QUANTITIES)), np.int64)
        results = np.zeros((CASES, 4), np.int64)
        nears = np.resize(np.arange(most + 1), CASES // ROW)
        for k, near in enumerate(nears.tolist()):
            rows = random_rows(rng, depth, len(planes), ROW)
            form, part = SampleFormat(depth, near=near), np.s_[k * ROW : (k + 1) * ROW]
            trace(
                plane.kernel, rows, 2 * len(planes) + number, depth, form.step, form.levels - 1,
                len(planes), plane.references, quantities[part], results[part],
            )  # fmt: skip
        several = len(planes) > 1
        gold = GoldPlane(planes, number, depth, design, most) if several else GoldPrediction(
            model, depth, most
        )
        results[:, 3] += row_of
        row_of += len(plane.cumulative)
        found = predicted(gold, quantities, near=np.repeat(nears, ROW).tolist())
        assert len(np.unique(results[:, 3] % 3)) == 3
        for k, output in enumerate(("first", "whole", "below", "row")):
            assert found[output] == results[:, k].tolist(), (number, output)


def pipeline(cells, **ports):
    """A flat design of registers and gates, each named after what it drives."""
    nets = {name: {"bits": [bit]} for name, (_, bit) in ports.items()}
    return {
        "ports": {n: {"direction": d, "bits": [bit]} for n, (d, bit) in ports.items()},
        "netnames": nets,
        "cells": {
            f"c{out}": {
                "type": kind, "parameters": {},
                "connections": {**{pin: [bit] for pin, bit in pins.items()}, end: [out]},
                "port_directions": {**dict.fromkeys(pins, "input"), end: "output"},
            }
            for kind, pins, out in cells
            for end in ["Q" if "ff" in kind else "Y"]
        },
    }  # fmt: skip


def test_pipeline():
    register = {"CLK": 1}
    cells = [
        ("$dff", register | {"D": 2}, 3), ("$dff", register | {"D": 3}, 4),
        ("$dff", register | {"D": 5}, 6), ("$dff", register | {"D": 6}, 7),
        ("$and", {"A": 4, "B": 7}, 8),
    ]  # fmt: skip
    inputs = {"clk": ("input", 1), "a": ("input", 2), "b": ("input", 5)}
    design = pipeline(cells, **inputs, y=("output", 8), z=("output", 3))
    assert latencies(design) == {"y": 2, "z": 1}
    design["cells"]["c8"]["connections"]["B"] = [6]
    with pytest.raises(NoPipelineError, match="^what y is made of must be of one clock, not "):
        latencies(design)
    design["cells"]["c8"]["connections"]["B"] = [8]
    with pytest.raises(NoPipelineError, match="^y must not depend on itself$"):
        latencies(design)
    written = design | {"cells": {"w": {"type": "$memwr_v2", "parameters": {"MEMID": "kept"}}}}
    with pytest.raises(NoPipelineError, match="^memory kept must be a table$"):
        latencies(written)
    design["cells"]["c8"]["type"] = "$dffe"
    with pytest.raises(NoPipelineError, match="must be logic or a register without enable"):
        latencies(design)
