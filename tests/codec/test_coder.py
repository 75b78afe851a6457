import pytest

from lutgen.codec.coder import RANS, coder_of, tans


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
