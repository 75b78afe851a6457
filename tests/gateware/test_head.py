"""Heads against their cumulative tables: every symbol, every slot."""

import numpy as np
import pytest

from lutgen.gateware.heads.head import head_class_bits
from lutgen.gateware.heads.laplace import LaplaceClassifier, LaplaceDecoder, LaplaceEncoder
from lutgen.gateware.heads.table import TableDecoder, TableEncoder
from lutgen.model.head import LaplaceHead, TableHead
from tests.gateware.bundle import Pipelines

SLOTS = 1 << 14


def table_head() -> TableHead:
    """Flat, nearly certain symbols at both ends and within, random ones; not a power of two."""
    counts = np.zeros((6, 256))
    counts[0] = 1
    for row, symbol in ((1, 0), (2, 255), (3, 100)):
        counts[row, symbol] = 1
    counts[4:] = np.random.default_rng(5).gamma(0.1, size=(2, 256))
    return TableHead.from_counts(counts)


def laplace_head() -> LaplaceHead:
    return LaplaceHead.from_scales(np.array([0.2, 3.0, 200.0]), 40, 20)


def laplace_classes() -> np.ndarray:
    return np.array([512 * scale + mu for scale in range(3) for mu in (0, 1, 255, 256, 509, 510)])


@pytest.fixture(scope="module")
def heads() -> Pipelines:
    table, laplace = table_head(), laplace_head()
    return Pipelines({
        "table_encoder": TableEncoder(table),
        "table_decoder": TableDecoder(table),
        "laplace_encoder": LaplaceEncoder(laplace),
        "laplace_decoder": LaplaceDecoder(laplace),
        "classifier": LaplaceClassifier(laplace),
    })


def test_most_probable_symbol_has_the_greatest_frequency():
    freq = np.diff(table_head().cumulative, axis=1)
    assert [freq[1, 0], freq[2, 255], freq[3, 100]] == [SLOTS - 255] * 3


@pytest.mark.parametrize("name", ["table", "laplace"])
def test_encoder_finds_every_interval(heads, name):
    head = {"table": table_head, "laplace": laplace_head}[name]()
    block = {"table": TableEncoder, "laplace": LaplaceEncoder}[name]
    classes = np.arange(head.classes) if name == "table" else laplace_classes()
    classes, symbols = (a.ravel() for a in np.meshgrid(classes, np.arange(256)))
    order = np.random.default_rng(6).permutation(len(classes))  # neighbours in time differ
    classes, symbols = classes[order], symbols[order]
    found = heads(
        {f"{name}_encoder_classes": classes, f"{name}_encoder_symbol": symbols},
        extra=block.latency,
    )
    start = head.cumulative[classes, symbols]
    end = head.cumulative[classes, symbols + 1]
    np.testing.assert_array_equal(found[f"{name}_encoder_start"][block.latency :], start)
    np.testing.assert_array_equal(found[f"{name}_encoder_freq"][block.latency :], end - start)


@pytest.mark.parametrize("name", ["table", "laplace"])
def test_decoder_finds_every_slot(heads, name):
    if name == "table":
        head, block, classes = table_head(), TableDecoder, np.array([0, 2, 3, 5])
    else:
        head, block = laplace_head(), LaplaceDecoder
        classes = np.array([0, 512 + 255, 2 * 512 + 510])
    # Slot by slot through the classes in turn, so that neighbours in time differ in class.
    slots, classes = (a.ravel() for a in np.meshgrid(np.arange(SLOTS), classes, indexing="ij"))
    found = heads(
        {f"{name}_decoder_classes": classes, f"{name}_decoder_slot": slots},
        extra=block.interval_latency,
    )
    rows = {c: head.cumulative[c] for c in np.unique(classes)}
    symbols = np.empty_like(slots)
    for c, row in rows.items():
        symbols[classes == c] = np.searchsorted(row, slots[classes == c], side="right") - 1
    start = head.cumulative[classes, symbols]
    freq = head.cumulative[classes, symbols + 1] - start
    count = len(slots)
    for port, latency, expected in (
        ("symbol", block.latency, symbols),
        ("start", block.interval_latency, start),
        ("freq", block.interval_latency, freq),
    ):
        result = found[f"{name}_decoder_{port}"][latency:][:count]
        np.testing.assert_array_equal(result, expected, err_msg=port)


def test_classifier(heads):
    head = laplace_head()
    mu, sigma = (a.ravel() for a in np.meshgrid(np.arange(41), np.arange(21)))
    found = heads(
        {"classifier_mu": mu, "classifier_sigma": sigma}, extra=LaplaceClassifier.latency
    )
    result = found["classifier_o"][LaplaceClassifier.latency :]
    np.testing.assert_array_equal(result, head.classify(mu, sigma))


def test_class_ports_hold_every_class():
    assert head_class_bits(table_head()) == 3
    assert head_class_bits(laplace_head()) == 11
