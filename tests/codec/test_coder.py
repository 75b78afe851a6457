from dataclasses import replace

import numpy as np
import pytest

from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, coder_of, tans
from lutgen.codec.tans import TansTables
from lutgen.model.head import TableHead
from tests.models import table_model


@pytest.mark.parametrize(("pixels", "size"), [(0, 3), (1, 4), (784, 1375), (4096, 7171)])
def test_longest_rans_payload(pixels, size):
    assert RANS.max_payload_bytes(pixels) == size == -(-(14 * pixels + 17) // 8)


@pytest.mark.parametrize(("pixels", "wanted"), [(0, 3), (1, 5), (4, 10), (49, 89)])
def test_front_of_a_rans_payload(pixels, wanted):
    """Up to 7 zeros, 17 bits of state and 14 bits a pixel."""
    assert RANS.front_bytes(pixels) == wanted == -(-(7 + 17 + 14 * pixels) // 8)


@pytest.mark.parametrize("bits", range(8, 13))
def test_tans_payload(bits):
    coder = tans(bits)
    assert (coder.name, coder.code, coder.state_bits) == ("tans", bits, bits)
    assert coder.min_payload_bytes == 2
    assert coder.max_payload_bytes(100) == -(-(15 * 100 + bits + 1) // 8)
    assert coder.front_bytes(100) == -(-(7 + 15 * 100 + bits + 1) // 8)
    assert coder_of(bits) == coder


def test_coders_by_number():
    assert coder_of(0) is RANS and RANS.min_payload_bytes == 3
    for code in (1, 7, 13, 255):
        with pytest.raises(ValueError, match=f"coder must be 0 or 8 to 12, not {code}"):
            coder_of(code)


@pytest.mark.parametrize("bits", [7, 13, 0, True, 9.5, "9"])
def test_tans_bits_out_of_range(bits):
    with pytest.raises(ValueError, match="tANS bits must be 8 to 12, not"):
        tans(bits)


def grown(states, freq, start, coder):
    """Least that a symbol makes of log2 of the state and emitted bits, over all states."""
    x = np.arange(states, 2 * states, dtype=np.int64)
    low = 4 * freq if coder == "rans" else freq
    count = np.zeros_like(x)
    while ((x >> count) >= 2 * low).any():
        count += (x >> count) >= 2 * low
    y = x >> count
    if coder == "rans":
        after = (y // freq << 14) + start + y % freq
    else:
        after = states + start[y - freq]
    return float((np.log2(after) + count - np.log2(x)).min())


@pytest.mark.parametrize("freq", [1, 2, 100, 8000, 16000, (1 << 14) - 255])
def test_no_symbol_of_rans_is_cheaper_than_the_bound(freq):
    for start in {0, (1 << 14) - 255 - freq}:
        assert grown(1 << 16, freq, start, "rans") > 1 / RANS.symbols_per_bit


@pytest.mark.parametrize("bits", range(8, 13))
@pytest.mark.parametrize("likely", [1, 40, 200, 255])
def test_no_symbol_of_tans_is_cheaper_than_the_bound(bits, likely):
    counts = np.zeros((1, 256))
    counts[0, likely % 256] = 1e9
    tables = TansTables.from_head(TableHead.from_counts(counts), bits)
    freq = np.diff(tables.cumulative[0])
    assert freq.max() == (1 << bits) - (1 << (bits - 7))  # all but the escape: the likeliest
    first, count = tables.cumulative[0, likely % 256], freq[likely % 256]
    places = tables.states[0, first : first + count].astype(np.int64)
    least = grown(1 << bits, int(count), places, "tans")
    assert least > 1 / tans(bits).symbols_per_bit


@pytest.mark.parametrize("coder", [RANS, tans(8), tans(12)])
@pytest.mark.parametrize("side", [1, 9, 64])
def test_a_black_image_keeps_the_bound(coder, side):
    """The likeliest symbols that there can be."""
    model = table_model(walker=False, bits=1)
    counts = np.zeros((2, 256))
    counts[:, 0] = 1e9
    model = replace(model, head=TableHead.from_counts(counts))
    codec = Codec(model, threads=1)
    image = np.zeros((side, side), dtype=np.uint8)
    encoded = codec.encode(image, tile=(64, 64), coder=coder)
    assert coder.least_payload_bytes(side * side) <= encoded.payload_bytes
    if side == 64:
        assert encoded.payload_bytes < 3 * coder.least_payload_bytes(side * side)
        assert side * side <= 1024 * (1 + coder.least_payload_bytes(side * side))
    assert np.array_equal(codec.decode(encoded.data)[0], image)
