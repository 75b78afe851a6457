"""Graphs, whole numbers in them, the prover, and what a model's prediction is there."""

from itertools import product

import numpy as np
import pytest

from lutgen.errors import InputError
from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    ERRORS,
    FRACTION_BITS,
    QUANTITIES,
    SAMPLES,
)
from lutgen.model.shipped import shipped
from lutgen.sim.proof.aig import FALSE, TRUE, Aig
from lutgen.sim.proof.gold import CUT, bit_names
from lutgen.sim.proof.gold_prediction import GoldPrediction
from lutgen.sim.proof.integers import Integers
from lutgen.sim.proof.pipeline import NoPipelineError, latencies
from lutgen.sim.proof.prover import OPEN, PROVEN, WRONG, prove_equal
from tests.gateware.test_prediction import new_rows, pictures, trace

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


def test_prediction_of_a_model():
    """What is written from the shipped model is the reference codec's, on pictures."""
    model, depth = shipped("photo"), 8
    picture = np.concatenate([p[:8] for p in pictures(np.random.default_rng(depth), depth)])
    quantities = np.zeros((picture.size, len(QUANTITIES)), np.int64)
    results = np.zeros((picture.size, 4), np.int64)
    trace(model.kernel, new_rows(picture.shape[1]), picture, depth, quantities, results)
    aig, gold = Aig(), GoldPrediction(model, depth)
    gold.build(aig, gold.numbers(Integers(aig)))
    aig.outputs = gold.outputs
    given = {}
    for names, shift in ((SAMPLES, FRACTION_BITS), (ERRORS, 0), (ENERGIES, 0)):
        for name in names:
            values = (quantities[:, QUANTITIES[name]] >> shift).tolist()
            for k, bit in enumerate(next(p.bits for p in gold.ports if p.name == name)):
                given[bit] = sum((value >> k & 1) << case for case, value in enumerate(values))
    for _ in range(6):  # from cut to cut
        out = aig.evaluate(given, len(results))
        given |= {
            read: out[made]
            for port in gold.ports if port.name.endswith(CUT)
            for read, made in zip(
                port.bits, bit_names(port.name.removesuffix(CUT), port.width), strict=True
            )
        }  # fmt: skip
    for k, name in enumerate(("first", "whole", "below", "row")):
        bits = [out[bit] for bit in bit_names(name, gold.widths[name])]
        found = [
            sum((bit >> case & 1) << place for place, bit in enumerate(bits))
            for case in range(len(results))
        ]
        assert found == results[:, k].tolist(), name


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
