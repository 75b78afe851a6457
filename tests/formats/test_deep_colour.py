"""Colour of 8 and 16 bits with and without alpha, for the lossless codec: in, out, refusals."""

import io
import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from lutgen.formats.imageio import (
    DEEP_COLOUR,
    ImageError,
    read_gray,
    read_gray_stack,
    read_images,
    write_image,
)
from tests.pictures import chunk, png

RNG = np.random.default_rng(4)
RGB = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)
ENDINGS = ["png", "tif", "npy"]


def one(path) -> np.ndarray:
    (image,) = read_gray(path, DEEP_COLOUR)
    return image.array


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("shape", [(9, 7), (1, 1), (1, 40), (40, 1)])
def test_images_come_back(tmp_path, ending, dtype, channels, shape):
    image = RNG.integers(0, np.iinfo(dtype).max + 1, (*shape, channels)).astype(dtype)
    path = tmp_path / f"a.{ending}"
    write_image(path, image, channels=channels)
    found = one(path)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, image)
    with pytest.raises(ImageError, match="channels|must be gray"):
        read_gray(path)


def test_others_read_what_is_written(tmp_path):
    rgba = np.dstack([RGB, RGB[..., :1]])
    for ending in ("png", "tif"):
        write_image(tmp_path / f"a.{ending}", rgba, channels=4)
        with Image.open(tmp_path / f"a.{ending}") as found:
            assert found.mode == "RGBA"
            np.testing.assert_array_equal(np.array(found), rgba)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_kinds_of_tiff(tmp_path, channels, planarconfig, tile, compression):
    image = RNG.integers(0, 1 << 16, (40, 33, channels), dtype=np.uint16)
    planes = image if planarconfig == "contig" else np.moveaxis(image, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", np.ascontiguousarray(planes), photometric="rgb", metadata=None,
        planarconfig=planarconfig, tile=tile, compression=compression,
        extrasamples=["unassalpha"] if channels == 4 else [],
    )  # fmt: skip
    np.testing.assert_array_equal(one(tmp_path / "a.tif"), image)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "b.tif").write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match="TIFF must be whole"):
        read_gray(tmp_path / "b.tif", DEEP_COLOUR)


def test_pixels_that_a_tiff_cannot_hold_are_not_made(tmp_path):
    """A strip of a thousandth of the bytes that its planes would take."""
    file = io.BytesIO()
    planes = np.zeros((3, 300, 300), np.uint8)
    tifffile.imwrite(file, planes, photometric="rgb", planarconfig="separate", metadata=None)
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as found:
        tags = [found.pages[0].tags[k] for k in ("ImageWidth", "ImageLength", "RowsPerStrip")]
    for tag in tags:
        data[tag.valueoffset : tag.valueoffset + 2] = (30_000).to_bytes(2, "little")
    (tmp_path / "a.tif").write_bytes(bytes(data))
    with pytest.raises(ImageError, match="TIFF must be whole"):
        read_gray(tmp_path / "a.tif", DEEP_COLOUR)


@pytest.mark.parametrize("top", [255, 1023, 65535])
def test_ppm(tmp_path, top):
    kind = ">u2" if top > 255 else "u1"
    image = RNG.integers(0, top + 1, (4, 5, 3)).astype(kind)
    (tmp_path / "a.ppm").write_bytes(b"P6 5 4 %d\n" % top + image.tobytes())
    (found,) = read_gray(tmp_path / "a.ppm", DEEP_COLOUR)
    np.testing.assert_array_equal(found.array, image)
    assert found.bits.top == top.bit_length()


def test_arrays_and_stacks(tmp_path):
    np.save(tmp_path / "a.npy", np.stack([RGB, RGB[::-1]]))
    first, second = read_images(tmp_path / "a.npy", DEEP_COLOUR)
    np.testing.assert_array_equal(first, second[::-1])
    stack = read_gray_stack([tmp_path / "a.npy"], DEEP_COLOUR)
    assert stack.array.shape == (2, 9, 7, 3)
    write_image(tmp_path / "b.npy", stack.array, channels=3)
    assert len(read_images(tmp_path / "b.npy", DEEP_COLOUR)) == 2
    write_image(tmp_path / "g.png", RGB[..., 0])
    message = "images of one file must have one number of channels, 3 like the first, not 1"
    with pytest.raises(ImageError, match=message):
        read_gray_stack([tmp_path / "a.npy", tmp_path / "g.png"], DEEP_COLOUR)


@pytest.mark.parametrize(("data", "message"), [
    (png(2, 3, colour=2, extra=chunk(b"tRNS", bytes(6))), "PNG must be gray, RGB or RGBA of 8 or "
     "16 bits, not colour with transparency; convert it first"),
    (b"P6 1 1 255\n\0\0", "PPM of 1 x 1 must have 3 values, not 2"),
    (b"P6 70000 1 255\n\0\0", "image width must be 1 to 65535 pixels, not 70000"),
    (b"\xff\xd8\xff", "image must be PNG, PGM, TIFF or npy, not JPEG; convert it first"),
])  # fmt: skip
def test_files_that_are_refused(tmp_path, data, message):
    (tmp_path / "a.img").write_bytes(data)
    with pytest.raises(ImageError, match=re.escape(message)):
        read_gray(tmp_path / "a.img", DEEP_COLOUR)


def test_arrays_that_are_not_written(tmp_path):
    with pytest.raises(ImageError, match="PGM must be gray, not of 3 channels"):
        write_image(tmp_path / "a.pgm", RGB, channels=3)
    for array in (RGB[..., 0], RGB[..., :2], RGB.astype(int), np.stack([RGB])):
        with pytest.raises(ImageError, match=r"uint8 or uint16 of shape \(H, W, 3\) with at"):
            write_image(tmp_path / "a.png", array, channels=3)
