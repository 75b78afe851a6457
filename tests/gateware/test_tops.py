"""Encoder and decoder tops against the reference codec, byte by byte and pixel by pixel."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lutgen.gateware.core.config import CoreConfig
from lutgen.sim import Stall
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from tests.gateware.tops import STALLS, Tops, pictures, tops
from tests.tiers import all_exhaustive, all_slow, slow_but_first

#: Width and height of images: single pixels, lines, columns, primes, whole tiles, the largest.
SIZES = (
    (1, 1), (2, 1), (1, 2), (13, 1), (1, 17), (3, 5), (8, 8), (16, 16), (17, 19), (40, 9), (37, 64),
)  # fmt: skip
QUICK = [("walker", size) for size in SIZES]
QUICK += [("plain", size) for size in SIZES[-4:]]
SLOW = [("laplace", size) for size in SIZES] + [("two levels", size) for size in SIZES]
SLOW += [("tans", size) for size in SIZES[-4:]]
RARE = (
    "one class", "seven", "lanes", "one level", "three levels", "seven with levels",
    "three with levels", "tans with levels",
)  # fmt: skip
EXHAUSTIVE = [(name, size) for name in RARE for size in SIZES]
NAMES = ["walker", "plain", *all_slow(["tans", "laplace", "two levels"]), *all_exhaustive(RARE)]


def check_decoder(top: Tops, groups, **options) -> None:
    """Decode the files of groups of images in one go."""
    result = top.decoder([top.file(images) for images in groups], **options)
    assert result.errors == ()
    expected = [image for images in groups for image in images]
    assert len(result.frames) == len(expected)
    for number, (frame, image) in enumerate(zip(result.frames, expected, strict=True)):
        np.testing.assert_array_equal(frame, image, err_msg=f"frame {number}")


@pytest.mark.parametrize(("name", "size"), [
    *QUICK, *all_slow(SLOW, several=True), *all_exhaustive(EXHAUSTIVE, several=True),
])  # fmt: skip
def test_encoder_sizes(name, size):
    top = tops(name)
    images = pictures(*size, count=3)
    result = top.encoder(images)
    assert result.files == (top.file(images),)
    assert result.rest == b""
    assert result.errors == ()


@pytest.mark.parametrize("name", NAMES)
def test_decoder_sizes_back_to_back(name):
    check_decoder(tops(name), [pictures(*size, count=3) for size in SIZES])


@pytest.mark.parametrize("name", slow_but_first(["walker", "two levels", "tans"]))
@pytest.mark.parametrize("stall", STALLS)
def test_encoder_stalls(stall, name):
    top = tops(name)
    images = pictures(27, 21, count=3)
    result = top.encoder(images, stall=STALLS[stall])
    assert result.files == (top.file(images),)
    assert result.errors == ()


@pytest.mark.parametrize("name", slow_but_first(["walker", "two levels", "tans"]))
@pytest.mark.parametrize("stall", STALLS)
def test_decoder_stalls(stall, name):
    groups = [pictures(*size, count=2) for size in ((27, 21), (1, 1), (40, 9), (8, 8))]
    check_decoder(tops(name), groups, stall=STALLS[stall])


@pytest.mark.parametrize("per_file", [1, 2, 6])
def test_images_of_a_file(per_file):
    top = tops("plain")
    images = pictures(18, 10, count=6)
    result = top.encoder(images, per_file=per_file)
    groups = np.split(images, 6 // per_file)
    assert result.files == tuple(top.file(group) for group in groups)
    assert result.rest == b""
    check_decoder(top, groups)


def test_many_single_pixels():
    """Files of one tile of one pixel: headers and packets are all there is."""
    top = tops("plain")
    images = pictures(1, 1, count=60)
    result = top.encoder(images, per_file=1)
    assert result.files == tuple(top.file(image) for image in images)
    check_decoder(top, [image[None] for image in images])


def test_file_without_its_last_image():
    """What has come is in the file, which stays open."""
    top = tops("plain")
    images = pictures(18, 10, count=3)
    result = top.encoder(images[:2], per_file=3, idle=None, clocks=6000)
    whole = top.file(images)
    assert result.files == ()
    assert whole.startswith(result.rest)
    # All but the bytes of an incomplete word.
    assert len(result.rest) == len(top.file(images[:2])) // 4 * 4


@pytest.mark.parametrize(
    ("reset_at", "reset_clocks"), [(0, 1), (3, 2), (100, 1), (399, 2), (700, 1), (1500, 1)]
)
@pytest.mark.parametrize("name", slow_but_first(["plain", "two levels"]))
def test_reset_in_mid_frame(reset_at, reset_clocks, name):
    top = tops(name)
    images = pictures(27, 21, count=3)
    options = {"reset_at": reset_at, "reset_clocks": reset_clocks}
    encoded = top.encoder(images, **options)
    assert encoded.files == (top.file(images),)
    assert encoded.errors == ()
    check_decoder(top, [images, pictures(3, 3)], **options)


@pytest.mark.exhaustive
@settings(max_examples=25, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(st.data())
def test_any_size_and_stall(data):
    top = tops(data.draw(st.sampled_from(["walker", "plain", "laplace", "tans", *RARE])))
    width, height = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 64))
    images = pictures(width, height, data.draw(st.integers(1, 4)), data.draw(st.integers(0, 9)))
    stall = {
        port: Stall(data.draw(st.sampled_from([0.0, 0.2, 0.7])), data.draw(st.integers(0, 99)),
                    data.draw(st.sampled_from([None, 4, 200])))
        for port in ("pixels", "bytes")
    }  # fmt: skip
    encoded = top.encoder(images, stall=stall)
    assert encoded.files == (top.file(images),)
    check_decoder(top, [images], stall=stall)


@pytest.mark.slow
def test_primitives_and_plain_logic_agree():
    top = tops("walker")
    config = dataclasses.replace(top.config, primitive=None)
    images = pictures(27, 21, count=3)
    file = top.file(images)
    with_luts = top.encoder(images)
    plain = RtlEncoder(config, stream_bytes=1)(images)
    assert with_luts.files == plain.files == (file,)
    np.testing.assert_array_equal(
        with_luts.trace.output_clocks["m_axis_stream"], plain.trace.output_clocks["m_axis_stream"]
    )
    decoded = RtlDecoder(config, stream_bytes=1)(file)
    np.testing.assert_array_equal(np.stack(decoded.frames), images)


def test_parameters_of_a_core():
    model = tops("plain").config.model
    for arguments, message in (
        ({"tile_width": 12}, "tile width must be one of"),
        ({"max_width": 8}, "max width must be 16 to 16384"),
        ({"lanes": 3}, r"lanes must be \d+ \(the depth of the pipeline\) to 256, not 3"),
        ({"encoder_lanes": 300}, "encoder lanes must be .* to 256, not 300"),
    ):
        with pytest.raises(ValueError, match=message):
            CoreConfig(model, **{"tile_width": 16, "tile_height": 8, **arguments})
    with pytest.raises(ValueError, match="1, 2, 4 or 8 bytes, not 3"):
        RtlEncoder(tops("plain").config, stream_bytes=3)
