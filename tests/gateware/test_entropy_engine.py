"""The entropy engine against `lutgen.codec.lossy.interleaved`, both ways."""

from functools import cache

import numpy as np
import pytest

from lutgen.codec.lossy.escape import EscapeTables, gaussian_pmf, residual_frequencies
from lutgen.codec.lossy.interleaved import LANES, encode_interleaved
from lutgen.gateware.engine.entropy_decoder import EntropyDecoder
from lutgen.gateware.engine.entropy_engine import EntropyDecoderTop, EntropyEncoderTop
from lutgen.gateware.fabric.fabric import LUT4
from lutgen.gateware.streams.bit_joiner import BitJoiner
from lutgen.gateware.streams.bit_window import BitWindow
from lutgen.gateware.streams.open_queue import OpenQueue
from lutgen.model.head import PROB_BITS
from lutgen.sim import Stall
from lutgen.sim.cores.engine import (
    RtlEntropyDecoder,
    RtlEntropyEncoder,
    check_engine,
    symbol_beats,
    synthetic_stream,
)

TOTAL = 1 << PROB_BITS
#: Classes of `small_tables` whose symbols are all worth 14 bits, but one.
DEAR = 4
LENGTHS = (1, 2, 23, 24, 25, 47, 48, 49, 5, 300)
STALLS = {
    "never": {},
    "random": {"classes": Stall(0.5, 1), "symbols": Stall(0.5, 2), "bytes": Stall(0.5, 3)},
    "symbols": {"symbols": Stall(0.8, 4)},
    "bytes": {"bytes": Stall(0.9, 5)},
    "bursts": {
        "classes": Stall(0.4, 6, burst=60), "symbols": Stall(0.4, 7, burst=60),
        "bytes": Stall(0.4, 8, burst=60),
    },
}  # fmt: skip


@cache
def small_tables() -> EscapeTables:
    """Few classes: near certain at either end and in between, wide, dear, holed, raw."""
    rows = np.zeros((12, 256), dtype=np.int64)
    rows[0, [0, 255]] = TOTAL - 1, 1
    rows[1, [255, 0]] = TOTAL - 1, 1
    rows[2, [128, 255]] = 1, TOTAL - 1
    rows[3] = TOTAL // 256
    rows[DEAR] = 1
    rows[DEAR, 77] += TOTAL - 256
    rows[5, ::5] = 1
    rows[5, 95] += TOTAL - rows[5].sum()
    rows[6, [10, 255]] = TOTAL // 2
    rows[7, [63, 64, 255]] = 5, TOTAL - 6, 1
    for k, scale in enumerate((0.3, 2.0, 20.0, 200.0)):
        rows[8 + k] = residual_frequencies(gaussian_pmf(scale))
    return EscapeTables.from_frequencies(rows)


@cache
def decoder(stream_bytes: int = 4, registers: bool = False) -> RtlEntropyDecoder:
    source = None
    if registers:
        source = EntropyDecoderTop(small_tables(), stream_bytes=stream_bytes, fabric=LUT4)
    return RtlEntropyDecoder(small_tables(), source, stream_bytes=stream_bytes)


@cache
def encoder(stream_bytes: int = 4, registers: bool = False) -> RtlEntropyEncoder:
    source = None
    if registers:
        source = EntropyEncoderTop(small_tables(), stream_bytes=stream_bytes, fabric=LUT4)
    return RtlEntropyEncoder(small_tables(), source, stream_bytes=stream_bytes)


def sequences(lengths, seed: int = 0) -> tuple[list, list, list[bytes]]:
    """Classes, symbols and payloads; half of the symbols likely ones, half any that may be."""
    tables = small_tables()
    rng = np.random.default_rng(seed)
    freq = np.diff(tables.cumulative, axis=1)
    classes, symbols, payloads = [], [], []
    for length in lengths:
        c, s = synthetic_stream(tables, length, int(rng.integers(1 << 30)))
        rare = np.argmax((freq[c] > 0) * (1 + rng.random((length, 256))), axis=1)
        s = np.where(rng.random(length) < 0.5, rare, s)
        classes.append(c)
        symbols.append(s)
        payloads.append(encode_interleaved(tables, c, s))
    return classes, symbols, payloads


def of_class(number: int, length: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A sequence of one class, of any of its symbols."""
    freq = np.diff(small_tables().cumulative[number])
    symbols = np.random.default_rng([number, seed]).choice(np.flatnonzero(freq), size=length)
    return np.full(length, number), symbols


def equal(run, wanted) -> None:
    assert run.errors == ((),) * len(wanted)
    assert len(run.outputs) == len(wanted)
    for found, right in zip(run.outputs, wanted, strict=True):
        np.testing.assert_array_equal(
            *(np.frombuffer(v, np.uint8) if isinstance(v, bytes) else v for v in (found, right))
        )


def stalls_of(core: str, name: str) -> dict:
    return {k: v for k, v in STALLS[name].items() if core == "decoder" or k != "classes"}


@pytest.mark.parametrize("stall", STALLS)
def test_decoder_back_to_back(stall):
    classes, symbols, payloads = sequences(LENGTHS)
    run = decoder()(classes, payloads, stall=stalls_of("decoder", stall))
    equal(run, symbols)


@pytest.mark.parametrize("stall", STALLS)
def test_encoder_back_to_back(stall):
    classes, symbols, payloads = sequences(LENGTHS)
    run = encoder()(classes, symbols, stall=stalls_of("encoder", stall))
    equal(run, payloads)


@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_every_class_alone(core):
    tables = small_tables()
    pairs = [of_class(number, 120) for number in range(tables.classes)]
    classes, symbols = zip(*pairs, strict=True)
    payloads = [encode_interleaved(tables, *pair) for pair in pairs]
    if core == "encoder":
        equal(encoder()(classes, symbols), payloads)
    else:
        equal(decoder()(classes, payloads), symbols)


@pytest.mark.slow
@pytest.mark.parametrize("core", ["encoder", "decoder"])
@pytest.mark.parametrize(("stream_bytes", "registers"), [(2, False), (8, False), (4, True)])
def test_other_widths_and_fabrics(stream_bytes, registers, core):
    classes, symbols, payloads = sequences((*LENGTHS, 2000), seed=1)
    for stall in ("never", "random", "bytes"):
        if core == "encoder":
            run = encoder(stream_bytes, registers)(
                classes, symbols, stall=stalls_of(core, stall)
            )
            equal(run, payloads)
        else:
            run = decoder(stream_bytes, registers)(
                classes, payloads, stall=stalls_of(core, stall)
            )
            equal(run, symbols)
        if stall == "never" and core == "decoder":  # the other's slice takes beats ahead
            assert run.clocks == tuple(map(len, classes))
    dear = of_class(DEAR, 1000)
    if core == "encoder":
        run = encoder(stream_bytes, registers)([dear[0]], [dear[1]])
    else:
        payload = encode_interleaved(small_tables(), *dear)
        run = decoder(stream_bytes, registers)([dear[0]], [payload])
    assert run.clocks == (1000,)


@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_one_symbol_per_clock(core):
    """Not a clock is lost within a sequence, even where all symbols are worth 14 bits; what goes
    by between two sequences is always the same."""
    tables = small_tables()
    pairs = [of_class(DEAR, 500), of_class(0, 500), synthetic_stream(tables, 3000), of_class(3, 99)]
    classes, symbols = zip(*pairs, strict=True)
    ends = np.cumsum([len(c) for c in classes])
    if core == "encoder":
        clocks = encoder()(classes, symbols).trace.input_clocks["s_axis_symbols"]
        ahead, gap = 2, LANES + 2  # the slice's beats; states, leading one, and the next symbol
    else:
        payloads = [encode_interleaved(tables, *pair) for pair in pairs]
        clocks = decoder()(classes, payloads).trace.output_clocks["m_axis_symbols"]
        ahead, gap = 0, EntropyDecoder(tables).check_clocks + 32  # and loading
    steps = np.diff(clocks)
    at = np.flatnonzero(steps != 1)
    assert at.tolist() == (ends[:-1] - 1 + ahead).tolist()
    assert steps[at].tolist() == [gap] * 3


def test_damaged_payloads():
    """Each class gives a symbol, damage is told of, and the next payload is decoded."""
    rng = np.random.default_rng(5)
    classes, symbols, payloads = sequences([int(n) for n in rng.integers(20, 200, size=40)], 6)
    sent = list(payloads)
    for k in range(0, 40, 2):
        damaged = bytearray(payloads[k])
        for at in rng.integers(len(damaged), size=int(rng.integers(1, 4))):
            damaged[at] ^= int(rng.integers(1, 256))
        sent[k] = bytes(damaged)
    run = decoder()(classes, sent, stall=STALLS["random"])
    assert [len(found) for found in run.outputs] == [len(c) for c in classes]
    assert len(run.errors) == 40
    for k in range(1, 40, 2):
        assert run.errors[k] == ()
        np.testing.assert_array_equal(run.outputs[k], symbols[k])
    assert sum(bool(names) for names in run.errors[::2]) >= 19  # the check state is no hash
    assert set().union(*run.errors) <= {"bad_payload", "bad_length"}


@pytest.mark.parametrize("stall", ["never", "random"])
def test_cut_and_long_payloads(stall):
    """Any end in the wrong place is told of: bytes missing or left over, none at all, no one."""
    classes, symbols, payloads = sequences([60] * 24, 7)
    sent = list(payloads)
    size = len(payloads[0])
    changes = {
        0: lambda p: p[:-1], 2: lambda p: p[:1], 4: lambda p: p[:20], 6: lambda p: p[:49],
        8: lambda p: p + b"\0", 10: lambda p: p + b"\xa5", 12: lambda p: p + bytes(3),
        14: lambda p: p + bytes(400), 16: lambda p: bytes(1), 18: lambda p: b"\0" + p,
        20: lambda p: p + p, 22: lambda p: bytes(size),
    }  # fmt: skip
    for k, change in changes.items():
        sent[k] = change(payloads[k])
    run = decoder()(classes, sent, stall=stalls_of("decoder", stall))
    assert [len(found) for found in run.outputs] == [60] * 24
    for k in range(24):
        if k % 2:
            assert run.errors[k] == ()
        else:
            assert run.errors[k]
        if k % 2 or k in (8, 10, 12, 14, 20):  # what is left over does not reach the symbols
            np.testing.assert_array_equal(run.outputs[k], symbols[k])
    for k in (0, 8, 10, 12, 14, 20):
        assert "bad_length" in run.errors[k]
    for k in (16, 18, 22):
        assert "bad_payload" in run.errors[k]


def test_null_bytes():
    """Beats without bytes are as none, also the last one; a gap in a beat is told of."""
    classes, symbols, payloads = sequences([50, 50], 8)
    payloads = [encode_interleaved(small_tables(), *of_class(3, 50, seed)) for seed in (0, 1)]
    classes = [np.full(50, 3)] * 2
    from lutgen.sim.cores.engine import errors_by_sequence, sequence_beats
    from lutgen.sim.drive.stream import rtl_stream
    from lutgen.sim.drive.words import file_beats

    def beats(change):
        first = file_beats(payloads[0], 4)
        change(first)
        second = file_beats(payloads[1], 4)
        return {name: np.concatenate([first[name], second[name]]) for name in first}

    def end_apart(words):
        words["last"][-1] = 0
        full = len(words["data"])
        assert words["keep"][-1] == 15
        for name, value in (("data", 0x55), ("keep", 0), ("last", 1)):
            words[name] = np.insert(words[name].astype(np.int64), full, value)

    def apart(words):
        for name, value in (("data", 0x66), ("keep", 0), ("last", 0)):
            words[name] = np.insert(words[name].astype(np.int64), [0, 3, 3, 7], value)

    def gap(words):
        words["keep"][3] = 7

    # A payload of whole words.
    while len(payloads[0]) % 4:
        classes[0] = np.append(classes[0], 3)
        payloads[0] = encode_interleaved(
            small_tables(), classes[0], np.arange(len(classes[0])) % 256
        )
    for change, wanted in ((end_apart, ()), (apart, ()), (gap, ("bad_payload", "bad_length"))):
        result = rtl_stream(
            decoder()._design,
            {"s_axis_classes": sequence_beats(classes), "s_axis_stream": beats(change)},
            {"m_axis_symbols": ["data", "last"]}, names="{stream}_t{signal}",
            watch=["done", "error"], idle="idle", idle_clocks=64,
        )  # fmt: skip
        errors = errors_by_sequence(result, ("bad_payload", "bad_length", "bad_class"))
        assert set(errors[0]) <= set(wanted) and bool(errors[0]) == bool(wanted)
        assert errors[1] == ()


def test_class_beyond_the_tables():
    classes, symbols, payloads = sequences([40, 40, 30], 9)
    classes[0] = classes[0].copy()
    classes[0][11] = small_tables().classes
    run = decoder()(classes, payloads)
    assert "bad_class" in run.errors[0]
    assert run.errors[1:] == ((), ())
    assert len(run.outputs[0]) == 40
    np.testing.assert_array_equal(run.outputs[2], symbols[2])
    found = encoder()(classes, symbols)
    assert "bad_class" in found.errors[0]
    assert found.errors[1:] == ((), ())
    assert found.outputs[1:] == tuple(payloads[1:])


def test_symbol_without_frequency():
    classes, symbols, payloads = sequences([40, 1, 30], 10)
    classes[0][7], symbols[0][7] = 6, 11
    run = encoder()(classes, symbols, stall=stalls_of("encoder", "random"))
    assert run.errors == (("bad_symbol",), (), ())
    assert run.outputs[1:] == tuple(payloads[1:])


@pytest.mark.parametrize("lane", [3, 24, 31])
def test_lane_that_does_not_fit(lane):
    classes, symbols, payloads = sequences([41, 30], 11)
    beats = symbol_beats(classes, symbols)
    assert beats["user"][0] == 40 % LANES
    beats["user"][0] = lane
    run = encoder()(classes, symbols, beats=beats)
    assert run.errors == (("bad_lane",), ())
    assert run.outputs[1] == payloads[1]


@pytest.mark.parametrize("core", ["encoder", "decoder"])
@pytest.mark.parametrize("at", [3, 20, 40, 57, 64, 111, 190, 400])
def test_reset_in_mid_stream(core, at):
    classes, symbols, payloads = sequences([100, 24, 300], 12)
    stall = stalls_of(core, "random")
    if core == "encoder":
        equal(encoder()(classes, symbols, stall=stall, reset_at=at, reset_clocks=1), payloads)
    else:
        equal(decoder()(classes, payloads, stall=stall, reset_at=at, reset_clocks=1), symbols)


def test_check_tells_of_differences():
    tables = small_tables()
    classes, symbols = synthetic_stream(tables, 200)
    sources = {"encoder": encoder()._design, "decoder": decoder()._design}
    good = check_engine(tables, classes, symbols, sources=sources)
    assert good["ok"] and good["problems"] == []
    assert good["encoder"]["clocks_per_symbol"] == good["decoder"]["clocks_per_symbol"] == 1
    payload = bytearray(encode_interleaved(tables, classes, symbols))
    payload[60] ^= 1
    bad = check_engine(tables, classes, symbols, bytes(payload), sources=sources)
    assert not bad["ok"]
    assert bad["encoder"]["mismatches"] == 1 and bad["decoder"]["errors"] != [[]]
    with pytest.raises(ValueError, match="^sequence must have one symbol at least, not none$"):
        check_engine(tables, classes[:0], symbols[:0])


@pytest.mark.parametrize("make", [
    lambda: EntropyDecoderTop(small_tables(), stream_bytes=1),
    lambda: EntropyEncoderTop(small_tables(), stream_bytes=3),
])  # fmt: skip
def test_width_of_the_stream(make):
    with pytest.raises(
        ValueError, match=r"^stream width of the entropy engine must be 2, 4 or 8 bytes, not [13]$"
    ):
        make()


def test_tables_without_an_escape():
    rows = np.zeros((3, 256), dtype=np.int64)
    rows[:, [0, 255]] = TOTAL // 2
    rows[1, [254, 255]] = TOTAL // 2, 0
    tables = EscapeTables.from_frequencies(rows)
    for make in (EntropyDecoderTop, EntropyEncoderTop):
        with pytest.raises(
            ValueError, match="^symbol 255 must have a frequency in every class, not 0 in class 1$"
        ):
            make(tables)


def test_parameters():
    for make in (BitWindow, BitJoiner):
        with pytest.raises(ValueError, match="^words must be of 2, 4 or 8 bytes, not 1$"):
            make(1)
    with pytest.raises(ValueError, match="^pipeline must be of 0 to 24 clocks, not 25$"):
        OpenQueue(8, pipeline=25)
    for registers in (False, True):
        assert EntropyDecoder(small_tables(), registers=registers).latency <= LANES
