import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.files.archive import ArchiveError, read_archive, write_archive
from lutgen.model.netlist import Netlist, NetlistError
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.optimise import optimise
from lutgen.model.truth import FULL, PINS, extend, remap

AND, OR, XOR, NOT = 0b1000, 0b1110, 0b0110, 0b01


def slow_evaluate(netlist, features):
    """Evaluate pixel by pixel, straight from the definition."""
    result = {
        name: np.zeros((len(ids), features.shape[1])) for name, ids in netlist.outputs.items()
    }
    for p in range(features.shape[1]):
        signals = [0, 1] + [int(features[f, p] > t) for f, t in netlist.inputs.tolist()]
        for pins, table in zip(netlist.fanin.tolist(), netlist.tables.tolist(), strict=True):
            signals.append(table >> sum(signals[pin] << j for j, pin in enumerate(pins)) & 1)
        for name, ids in netlist.outputs.items():
            result[name][:, p] = [signals[signal] for signal in ids]
    return result


def assert_equal_bits(found, wanted):
    assert list(found) == list(wanted)
    for name in wanted:
        np.testing.assert_array_equal(found[name], wanted[name])


def random_netlist(rng, features=3, inputs=8, nodes=20, bits=6, reach=None, trivial=0.3):
    """A netlist with constants, repeated pins, duplicates and tables of every kind.

    `trivial` is the share of nodes that an optimiser removes at once; with many of them, constants
    soon reach the outputs.
    """
    first = 2 + inputs
    fanin = np.zeros((nodes, 6), dtype=np.int32)
    tables = np.zeros(nodes, dtype=np.uint64)
    for n in range(nodes):
        low = 0 if reach is None else max(0, first + n - reach)
        plain = rng.random() >= trivial
        size = rng.integers(2, 7) if plain else rng.integers(0, 7)
        fanin[n, :size] = rng.integers(
            max(low, 2) if first + n > 2 and plain else low, first + n, size
        )
        kind = rng.integers(3)
        if kind == 0 and plain:
            tables[n] = rng.integers(0, FULL, dtype=np.uint64, endpoint=True)
        elif kind == 1 and plain:
            tables[n] = extend(int(rng.choice([AND, OR, XOR, 0b1001, 0b0111, 0b0010])), 2)
        elif plain:
            tables[n] = extend(int(rng.integers(0, 256)), 3)
        elif kind < 2:
            tables[n] = rng.choice(np.array([0, FULL, *PINS, *(FULL ^ p for p in PINS)], "u8"))
        elif n:
            fanin[n], tables[n] = fanin[n - 1], tables[n - 1]
    pairs = np.stack([rng.integers(0, features, inputs), rng.integers(0, 255, inputs)], axis=1)
    outputs = {
        "index": rng.integers(0, first + nodes, bits),
        "vote": rng.integers(max(0, first + nodes - 4), first + nodes, 3),
    }
    return Netlist(features, pairs, fanin, tables, outputs)


def random_features(rng, netlist, pixels):
    """Features that are often next to a threshold."""
    features = rng.integers(0, 256, (netlist.features, pixels), dtype=np.uint8)
    for feature, threshold in netlist.inputs.tolist():
        near = rng.random(pixels) < 0.2
        features[feature, near] = threshold + rng.integers(0, 2, near.sum())
    return features


seeds = st.integers(0, 2**32 - 1)


# --- evaluation


@given(seeds, st.integers(0, 200), st.integers(0, 10), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_evaluate_matches_the_definition(seed, pixels, inputs, nodes):
    rng = np.random.default_rng(seed)
    netlist = random_netlist(rng, inputs=inputs, nodes=nodes)
    features = random_features(rng, netlist, pixels)
    wanted = slow_evaluate(netlist, features)
    assert_equal_bits(netlist.evaluate(features), wanted)
    weights = 2 ** np.arange(6)
    index = netlist.evaluate_index("index", features)
    assert index.dtype == np.int64 and index.shape == (pixels,)
    np.testing.assert_array_equal(index, weights @ wanted["index"])
    count = netlist.evaluate_count("vote", features)
    assert count.dtype == np.int64 and count.shape == (pixels,)
    np.testing.assert_array_equal(count, wanted["vote"].sum(axis=0))


@pytest.mark.parametrize("pins", range(7))
def test_evaluate_random_tables_of_each_size(pins):
    rng = np.random.default_rng(pins)
    inputs = [(f, 0) for f in range(6)]
    features = np.array([[k >> j & 1 for k in range(64)] for j in range(6)], dtype=np.uint8)
    tables = [extend(int(rng.integers(0, 1 << (1 << min(pins, 5)))), min(pins, 5))] * 3
    if pins == 6:
        tables = rng.integers(0, FULL, 50, dtype=np.uint64).tolist()
    fanin = [[*range(2, 2 + pins), *[0] * (6 - pins)]] * len(tables)
    netlist = Netlist(6, inputs, fanin, tables, {"o": range(8, 8 + len(tables))})
    packed = netlist.evaluate_packed(features)["o"]
    assert packed.dtype == np.uint64 and packed.shape == (len(tables), 1)
    assert packed[:, 0].tolist() == tables


def test_evaluate_packed_is_the_same_in_chunks(monkeypatch):
    rng = np.random.default_rng(1)
    netlist = random_netlist(rng, nodes=40)
    features = random_features(rng, netlist, 64 * 100 + 7)
    wanted = netlist.evaluate_packed(features)
    index, count = (
        netlist.evaluate_index("index", features),
        netlist.evaluate_count("vote", features),
    )
    monkeypatch.setattr("lutgen.model.bitslice._CHUNK_WORDS", 16)
    monkeypatch.setattr("lutgen.model.netlist._BLOCK", 640)
    assert_equal_bits(netlist.evaluate_packed(features), wanted)
    np.testing.assert_array_equal(netlist.evaluate_index("index", features), index)
    np.testing.assert_array_equal(netlist.evaluate_count("vote", features), count)


def test_evaluate_count_of_many_bits():
    netlist = Netlist(1, [(0, 7)], [], [], {"vote": [1] * 300 + [2] * 300 + [0] * 10})
    features = np.array([[7, 8, 0]], dtype=np.uint8)
    assert netlist.evaluate_count("vote", features).tolist() == [300, 600, 300]


def test_evaluate_packed_clears_the_padding():
    netlist = Netlist(1, [], [], [], {"one": [1]})
    packed = netlist.evaluate_packed(np.zeros((1, 70), dtype=np.uint8))["one"]
    assert packed.tolist() == [[FULL, 0x3F]]


def test_evaluate_accepts_any_memory_layout():
    rng = np.random.default_rng(2)
    netlist = random_netlist(rng)
    features = random_features(rng, netlist, 130)
    turned = np.asfortranarray(features)
    assert_equal_bits(netlist.evaluate(turned), netlist.evaluate(features))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([[1]], "^features must be a uint8 array, not list$"),
        (np.zeros((2, 5), int), "^features must be a uint8 array, not int64$"),
        (np.zeros((3, 5), "u1"), r"^shape of features must be \(2, pixels\), not \(3, 5\)$"),
        (np.zeros(2, "u1"), r"^shape of features must be \(2, pixels\), not \(2,\)$"),
    ],
)
def test_evaluate_refuses_features(features, message):
    with pytest.raises(NetlistError, match=message):
        Netlist(2, [], [], [], {"o": [1]}).evaluate_packed(features)


def test_evaluate_refuses_groups():
    netlist = Netlist(1, [], [], [], {"wide": [1] * 64})
    features = np.zeros((1, 3), dtype=np.uint8)
    with pytest.raises(NetlistError, match=r"^output must be one of \['wide'\], not 'index'$"):
        netlist.evaluate_index("index", features)
    with pytest.raises(NetlistError, match="^output 'wide' must have at most 63 bits .* not 64$"):
        netlist.evaluate_index("wide", features)
    assert netlist.evaluate_count("wide", features).tolist() == [64, 64, 64]


# --- validation


GOOD = {
    "features": 2,
    "inputs": [(0, 10), (1, 254)],
    "fanin": [[2, 3, 0, 0, 0, 0], [4, 2, 0, 0, 0, 0]],
    "tables": [FULL, 1],
    "outputs": {"index": [5, 4]},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": 0}, "features must be between 1 and 1024, not 0"),
        ({"features": 1025}, "features must be between 1 and 1024, not 1025"),
        ({"features": 2.0}, "features must be an integer, not float"),
        ({"features": True}, "features must be an integer, not bool"),
        ({"inputs": [(2, 10), (1, 1)]}, "feature of an input must be between 0 and 1, not 2"),
        (
            {"inputs": [(0, 255), (1, 1)]},
            "threshold of an input must be between 0 and 254, not 255",
        ),
        ({"inputs": [(0, -1), (1, 1)]}, "threshold of an input must be between 0 and 254, not -1"),
        ({"inputs": [0, 1]}, "shape of inputs must be (n, 2), not (2,)"),
        ({"inputs": [[0.5, 1]]}, "inputs must be integers, not float64"),
        ({"inputs": [[0], [1, 2]]}, "inputs must be an array of int32 integers, not this"),
        ({"fanin": [[2, 3], [4, 2]]}, "shape of fanin must be (n, 6), not (2, 2)"),
        ({"fanin": [[2] * 6, [5] * 6]}, "pin 0 of node 1 must read a signal below 5, not 5"),
        ({"fanin": [[2] * 6, [-1] * 6]}, "signal of fanin must be at least 0, not -1"),
        (
            {"fanin": [[2] * 6, [1 << 40] * 6]},
            "fanin must be between -2147483648 and 2147483647, not 1099511627776",
        ),
        ({"tables": [1]}, "number of tables must be the number of nodes, 2, not 1"),
        ({"tables": [1, -1]}, "tables must be between 0 and 18446744073709551615, not -1"),
        ({"tables": [1, 1 << 64]}, "tables must be an array of uint64 integers, not this"),
        ({"tables": [True, False]}, "tables must be integers, not bool"),
        ({"outputs": {"index": [6]}}, "signal of output 'index' must be between 0 and 5, not 6"),
        ({"outputs": {"index": []}}, "output 'index' must have at least one bit, not none"),
        ({"outputs": [5]}, "outputs must be a mapping of names to signals, not list"),
        (
            {"outputs": {"a b": [5]}},
            "output name must match [A-Za-z_][A-Za-z0-9_]{0,63}, not 'a b'",
        ),
        ({"outputs": {3: [5]}}, "output name must match [A-Za-z_][A-Za-z0-9_]{0,63}, not 3"),
    ],
)
def test_netlist_refuses(change, message):
    Netlist(**GOOD)
    with pytest.raises(NetlistError, match=f"^{re.escape(message)}$"):
        Netlist(**(GOOD | change))


def test_netlist_refuses_too_many_nodes():
    fanin = np.zeros(((1 << 20) + 1, 6), dtype=np.uint8)
    with pytest.raises(
        NetlistError, match="^number of fanin must be at most 1048576, not 1048577$"
    ):
        Netlist(1, [], fanin, np.zeros(len(fanin), np.uint8), {})


def test_netlist_converts_and_protects():
    netlist = Netlist(**GOOD)
    inputs, fanin, tables = netlist.kernel_arrays()
    assert (inputs.dtype, fanin.dtype, tables.dtype) == (np.int32, np.int32, np.uint64)
    assert tables.tolist() == [FULL, 1]
    for array in (inputs, fanin, tables, netlist.outputs["index"]):
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(TypeError):
        netlist.outputs["more"] = [1]
    source = np.array([1, 2], dtype=np.uint64)
    netlist = Netlist(**(GOOD | {"tables": source}))
    source[0] = 7
    assert netlist.tables.tolist() == [1, 2]


def test_structure():
    netlist = Netlist(**GOOD)
    assert (netlist.signals, netlist.n_inputs, netlist.n_nodes) == (6, 2, 2)
    assert netlist.levels().tolist() == [0, 0, 0, 0, 1, 2]
    assert netlist.depth == 2
    assert netlist.stats() == {
        "features": 2,
        "inputs": 2,
        "nodes": 2,
        "depth": 2,
        "pins": 4,
        "lut_sizes": [0, 0, 2, 0, 0, 0, 0],
        "fanout": 2,
        "outputs": {"index": 2},
    }
    empty = Netlist(1, [], [], [], {})
    assert (empty.depth, empty.stats()["fanout"], optimise(empty).signals) == (0, 0, 2)
    assert empty.evaluate_packed(np.zeros((1, 9), "u1")) == {}


def test_pickle():
    netlist = Netlist(**GOOD)
    assert pickle.loads(pickle.dumps(netlist)).hash == netlist.hash


# --- builder


def test_builder_shares_and_folds():
    b = NetlistBuilder(2)
    x, y = b.input(0, 10), b.input(1, 20)
    assert b.input(0, 10) == x
    both = b.node([x, y], AND)
    assert b.node([y, x], AND) == both
    assert b.node([x, 1, y], 0b10000000) == both
    assert b.node([x, y, x], 0b10000000) == both
    assert b.node([both, 0], OR) == both
    assert b.node([x, x], XOR) == 0
    assert b.node([x, 0], 0b0111) == 1
    assert b.node([], 1) == 1
    assert b.node([x, y], 0b1010) == x
    b.output("o", [both, x, 1])
    netlist = b.build()
    assert netlist.n_nodes == 1
    assert netlist.inputs.tolist() == [[0, 10], [1, 20]]
    assert netlist.fanin.tolist() == [[2, 3, 0, 0, 0, 0]]
    assert netlist.tables.tolist() == [extend(AND, 2)]
    assert netlist.outputs["o"].tolist() == [4, 2, 1]


def test_builder_uses_the_order_of_thresholds():
    b = NetlistBuilder(2)
    low, high, other = b.input(0, 3), b.input(0, 5), b.input(1, 3)
    assert b.node([low, high], AND) == high
    assert b.node([low, high], OR) == low
    assert b.node([low, high], 0b0100) == 0  # f > 5 without f > 3
    assert b.node([low, other], AND) not in (low, other)


def test_builder_refuses():
    b = NetlistBuilder(2)
    b.output("o", [0])
    for call, message in (
        (lambda: NetlistBuilder(0), "features must be between 1 and 1024, not 0"),
        (lambda: b.input(2, 0), "feature of an input must be between 0 and 1, not 2"),
        (lambda: b.input(0, 255), "threshold of an input must be between 0 and 254, not 255"),
        (lambda: b.node([2], 1), "signal of a node must be between 0 and 1, not 2"),
        (lambda: b.node([0] * 7, 1), "number of pins must be at most 6, not 7"),
        (lambda: b.node([0], 4), "table of 1 pins must be between 0 and 3, not 4"),
        (lambda: b.output("o", [1]), "output names must be unique, not 'o' twice"),
        (lambda: b.output("p", [9]), "signal of an output must be between 0 and 1, not 9"),
    ):
        with pytest.raises(NetlistError, match=f"^{re.escape(message)}$"):
            call()


def test_remap_moves_joins_and_ties():
    assert remap(extend(0b0010, 2), (1, 0)) == extend(0b0100, 2)
    assert remap(extend(XOR, 2), (0, 0)) == 0
    assert remap(extend(AND, 2), (-2, 0)) == PINS[0]
    assert remap(extend(AND, 2), (-1, 0)) == 0


# --- optimisation


@given(
    seeds,
    st.integers(0, 20),
    st.integers(0, 80),
    st.sampled_from([None, 6, 15, 40]),
    st.sampled_from([0.0, 0.1, 0.5]),
)
@settings(max_examples=150, deadline=None)
def test_optimise_changes_no_output(seed, inputs, nodes, reach, trivial):
    rng = np.random.default_rng(seed)
    netlist = random_netlist(rng, 6, inputs, nodes, 20, reach, trivial)
    smaller = optimise(netlist)
    features = random_features(rng, netlist, 300)
    assert_equal_bits(smaller.evaluate_packed(features), netlist.evaluate_packed(features))
    few = features[:, :20]
    assert_equal_bits(smaller.evaluate(few), slow_evaluate(netlist, few))
    assert smaller.n_nodes <= netlist.n_nodes
    assert smaller.n_inputs <= netlist.n_inputs
    assert smaller.depth <= netlist.depth
    assert optimise(smaller).hash == smaller.hash


def test_optimise_packs_a_chain_into_one_lut():
    b = NetlistBuilder(6)
    x = [b.input(f, 0) for f in range(6)]
    signal = x[0]
    for pin in x[1:]:
        signal = b.node([signal, pin], XOR)
    b.output("o", [signal])
    netlist = b.build()
    assert netlist.n_nodes == 5
    smaller = optimise(netlist)
    assert smaller.n_nodes == 1
    assert smaller.tables.tolist() == [sum((k.bit_count() & 1) << k for k in range(64))]


def test_optimise_absorbs_inverters_and_shared_nodes():
    b = NetlistBuilder(7)
    x = [b.input(f, 0) for f in range(7)]
    shared = b.node([b.node([x[0]], NOT), x[1]], AND)
    b.output("o", [b.node([shared, x[i]], XOR) for i in range(2, 7)])
    assert optimise(b.build()).stats()["lut_sizes"] == [0, 0, 0, 5, 0, 0, 0]


def test_optimise_keeps_a_shared_node_that_some_reader_cannot_absorb():
    b = NetlistBuilder(8)
    x = [b.input(f, 0) for f in range(8)]
    shared = b.node(x[:2], AND)
    wide = b.node([shared, *x[2:7]], sum((k.bit_count() & 1) << k for k in range(64)))
    b.output("o", [wide, b.node([shared, x[7]], XOR)])
    assert optimise(b.build()).stats()["lut_sizes"] == [0, 0, 2, 0, 0, 0, 1]


def test_optimise_removes_dead_and_duplicate_parts():
    netlist = Netlist(
        2,
        [(1, 9), (0, 5), (0, 5), (1, 200)],  # the last is only read by a dead node
        [[2, 3, 0, 0, 0, 0], [4, 2, 0, 0, 0, 0], [5, 5, 5, 5, 5, 5], [6, 7, 0, 0, 0, 0]],
        [extend(AND, 2), extend(AND, 2), 7, extend(OR, 2)],
        {"o": [9, 7, 0]},
    )
    smaller = optimise(netlist)
    assert smaller.inputs.tolist() == [[0, 5], [1, 9]]
    assert smaller.fanin.tolist() == [[2, 3, 0, 0, 0, 0]]
    assert smaller.outputs["o"].tolist() == [4, 4, 0]


# --- files


def test_save_and_load(tmp_path):
    netlist = random_netlist(np.random.default_rng(3))
    netlist.save(tmp_path / "a.netlist")
    again = Netlist.load(tmp_path / "a.netlist")
    assert again.hash == netlist.hash
    assert list(again.outputs) == ["index", "vote"]
    again.save(tmp_path / "b.netlist")
    assert (tmp_path / "a.netlist").read_bytes() == (tmp_path / "b.netlist").read_bytes()


def test_hash_is_stable_and_sees_every_field():
    wanted = "8a9021432dd712b5b2439374920565adb33d009c941cbd4a148a21f17da1b9fb"
    assert Netlist(**GOOD).hash == wanted
    for change in (
        {"features": 3},
        {"inputs": [(0, 11), (1, 254)]},
        {"fanin": [[3, 2, 0, 0, 0, 0], [4, 2, 0, 0, 0, 0]]},
        {"tables": [FULL, 2]},
        {"outputs": {"index": [4, 5]}},
        {"outputs": {"other": [5, 4]}},
        {"outputs": {"index": [5], "b": [4]}},
    ):
        assert Netlist(**(GOOD | change)).hash != wanted


def test_arrays_embed_under_a_prefix():
    netlist = Netlist(**GOOD)
    meta, arrays = netlist.to_arrays("network/")
    assert all(name.startswith("network/") for name in arrays)
    assert Netlist.from_arrays(meta, arrays | {"head": 1}, "network/").hash == netlist.hash
    with pytest.raises(NetlistError, match="^arrays must include 'inputs', not only others$"):
        Netlist.from_arrays(meta, arrays)


@pytest.mark.parametrize(
    ("meta", "arrays", "message"),
    [
        ({}, {}, "metadata must be an object with the keys features and outputs"),
        ({"features": "x"}, {}, "features must be an integer, not str"),
        ({"outputs": 3}, {}, "outputs must be a list of at most 1024 groups, not this"),
        ({"outputs": [3]}, {}, r"output group must be \[name, bits\], not this"),
        ({"outputs": [["a", 1], ["a", 1]]}, {}, "output names must be unique, not 'a' twice"),
        ({"outputs": [["a", 0]]}, {}, "bits of output 'a' must be between 1 and 1048576, not 0"),
        ({"outputs": [["a", 3]]}, {}, "number of output bits must be 3, not 2"),
        ({"outputs": [[["a"], 2]]}, {}, r"output name must match .*, not \['a'\]"),
        ({}, {"fanin": np.full((2, 6), 9)}, "metadata must be .*"),
        ({"features": 2}, {"fanin": np.full((2, 6), 9)}, "pin 0 of node 0 must read .*, not 9"),
        ({"features": 2}, {"tables": np.zeros((2, 1), int)}, r"shape of tables must be \(n\), .*"),
    ],
)
def test_load_refuses(tmp_path, meta, arrays, message):
    good, blobs = Netlist(**GOOD).to_arrays()
    path = tmp_path / "bad.netlist"
    write_archive(path, "netlist", 1, good | meta if meta else meta, blobs | arrays)
    with pytest.raises(NetlistError, match=f"^{re.escape(str(path))}: {message}$"):
        Netlist.load(path)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_fuzz_content(data):
    meta, arrays = Netlist(**GOOD).to_arrays()
    name = data.draw(st.sampled_from(sorted(arrays)))
    kind = data.draw(st.sampled_from(["u1", "u4", "u8", "i1", "i2", "i8"]))
    shape = data.draw(st.lists(st.integers(0, 6), max_size=3))
    values = data.draw(st.integers(0, 7) | st.integers(-128, 127))
    arrays[name] = np.full(shape, values).astype(kind)
    if data.draw(st.booleans()):
        json = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
        meta[data.draw(st.sampled_from(["features", "outputs"]))] = data.draw(json)
    try:
        netlist = Netlist.from_arrays(meta, arrays)
    except NetlistError:
        return
    optimise(netlist).evaluate_packed(np.zeros((netlist.features, 3), dtype=np.uint8))


def test_load_refuses_another_kind_and_extra_arrays(tmp_path):
    meta, arrays = Netlist(**GOOD).to_arrays()
    path = tmp_path / "bad.netlist"
    write_archive(path, "model", 1, meta, arrays)
    with pytest.raises(ArchiveError, match="kind must be 'netlist', not 'model'$"):
        Netlist.load(path)
    write_archive(path, "netlist", 1, meta, arrays | {"more": arrays["tables"]})
    with pytest.raises(ArchiveError, match="arrays must be a list of at most 4"):
        Netlist.load(path)
    Netlist(**GOOD).save(path)
    assert read_archive(path, "netlist", 1)[0] == meta
