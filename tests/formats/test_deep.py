"""Gray images of up to 16 bits: what is taken, what is known of their bits, what is refused."""

import io
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lutgen.formats.imageio import (
    DEEP_GRAY,
    GRAY_8,
    ImageError,
    read_gray,
    read_image,
    read_images,
    write_image,
)
from lutgen.model.samples import SignificantBits
from tests.pictures import chunk, png

RNG = np.random.default_rng(3)
DEEP = RNG.integers(0, 1 << 16, (7, 11), dtype=np.uint16)
FLAT = DEEP // 4  # 14 bits
ENDINGS = ["png", "pgm", "tif", "tiff", "npy"]


def tiff(array=DEEP, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(
        file, array, **{"photometric": "minisblack", "metadata": None, "software": False} | options
    )
    return file.getvalue()


def patched(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF with another value of a tag of one short or long."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        at = file.pages[0].tags[tag]
        code = {3: "<H", 4: "<I"}[at.dtype]
        return data[: at.valueoffset] + struct.pack(code, value) + data[
            at.valueoffset + struct.calcsize(code) :
        ]


def found(tmp_path, data: bytes):
    (tmp_path / "a.img").write_bytes(data)
    (image,) = read_gray(tmp_path / "a.img")
    return image


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (13, 7), (2, 16384), (65535, 1)])
def test_images_come_back(tmp_path, ending, dtype, shape):
    image = RNG.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)
    path = tmp_path / f"a.{ending}"
    write_image(path, image)
    array = read_image(path, DEEP_GRAY)
    assert array.dtype == dtype and array.flags.c_contiguous and array.flags.writeable
    np.testing.assert_array_equal(array, image)
    if dtype == np.uint8 and shape[0] < 65535:
        np.testing.assert_array_equal(read_image(path, GRAY_8), image)


def test_others_read_what_is_written(tmp_path):
    for ending in ENDINGS:
        write_image(tmp_path / f"a.{ending}", DEEP)
    for ending in ("png", "pgm", "tif"):
        with Image.open(tmp_path / f"a.{ending}") as file:
            np.testing.assert_array_equal(np.array(file), DEEP)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), DEEP)
    # The same pixels make the same file: no date, no version of a program.
    write_image(tmp_path / "b.tif", DEEP)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


@pytest.mark.parametrize("data", [
    b"P5 3 1 65535\n" + struct.pack(">3H", 1, 256, 65535),
    b"P2 3 1 65535\n1 256 # here\n65535",
    tiff(np.array([[1, 256, 65535]], np.uint16)),
    tiff(np.array([[1, 256, 65535]], np.uint16), byteorder=">"),
])  # fmt: skip
def test_bytes_are_in_the_order_of_the_format(tmp_path, data):
    assert found(tmp_path, data).array.tolist() == [[1, 256, 65535]]


@pytest.mark.parametrize("options", [
    {}, {"byteorder": ">"}, {"bigtiff": True}, {"tile": (16, 16)}, {"rowsperstrip": 2},
    *({"compression": kind, "predictor": predictor, "byteorder": order}
      for kind in ("lzw", "zlib", "packbits", 32946)
      for predictor in (False, True) for order in "<>"),
    {"compression": "lzw", "tile": (32, 16)}, {"compression": "zlib", "rowsperstrip": 3},
], ids=str)  # fmt: skip
def test_kinds_of_tiff(tmp_path, options):
    for image in (DEEP, (DEEP >> 8).astype(np.uint8)):
        array = found(tmp_path, tiff(image, **options)).array
        assert array.dtype == image.dtype
        np.testing.assert_array_equal(array, image)


@pytest.mark.parametrize("kind", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_of_another_writer(tmp_path, kind):
    Image.fromarray(DEEP).save(tmp_path / "a.tif", compression=kind)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", DEEP_GRAY), DEEP)


@pytest.mark.parametrize("bits", [9, 10, 12, 14])
def test_bits_that_a_file_declares(tmp_path, bits):
    image = DEEP >> (17 - bits)  # the highest bit is free
    top = (1 << bits) - 1
    for data in (
        b"P5 11 7 %d\n" % top + image.astype(">u2").tobytes(),
        b"P2 11 7 %d\n" % top + " ".join(map(str, image.flat)).encode(),
        tiff(image, bitspersample=bits),  # packed
    ):
        image_found = found(tmp_path, data)
        np.testing.assert_array_equal(image_found.array, image)
        assert image_found.bits == SignificantBits(bits)
    write_image(tmp_path / "a.pgm", image, bits=image_found.bits)
    assert (tmp_path / "a.pgm").read_bytes().startswith(b"P5\n11 7\n%d\n" % top)


@pytest.mark.parametrize(("top", "bits"), [(1, 1), (15, 4), (100, 7), (255, 8), (256, 9),
                                           (1000, 10), (4095, 12), (65534, 16)])  # fmt: skip
def test_any_greatest_value_of_a_pgm(tmp_path, top, bits):
    image = (DEEP % (top + 1)).astype(np.uint8 if top < 256 else np.uint16)
    image[0, 0] = top - 1
    raw = image.astype(image.dtype.newbyteorder(">")).tobytes()
    image_found = found(tmp_path, b"P5 11 7 %d\n" % top + raw)
    assert image_found.array.dtype == image.dtype and image_found.bits.top == bits
    np.testing.assert_array_equal(image_found.array, image)


@pytest.mark.parametrize("ending", ["png", "tif", "npy"])
@pytest.mark.parametrize("bits", [SignificantBits(10), SignificantBits(12, 4),
                                  SignificantBits(14), SignificantBits(14, 2)])  # fmt: skip
def test_bits_that_only_the_pixels_tell(tmp_path, ending, bits):
    samples = RNG.integers(0, 1 << bits.depth, (20, 30), dtype=np.uint16)
    write_image(tmp_path / f"a.{ending}", bits.place(samples))
    (image,) = read_gray(tmp_path / f"a.{ending}")
    assert image.bits == bits
    np.testing.assert_array_equal(image.bits.extract(image.array), samples)


def test_folders_hold_images_of_any_depth(tmp_path):
    write_image(tmp_path / "a.png", DEEP)
    write_image(tmp_path / "b.TIF", FLAT)
    write_image(tmp_path / "c.pgm", (DEEP >> 8).astype(np.uint8))
    write_image(tmp_path / "d.npy", DEEP)  # of folders, arrays are not taken
    images = read_gray(tmp_path)
    assert [image.bits.depth for image in images] == [16, 14, 8]
    with pytest.raises(ImageError, match=r"a\.png: PNG must be 8-bit gray, not 16-bit gray; take"):
        read_images(tmp_path)


def test_stacks_of_arrays(tmp_path):
    for dtype in ("<u2", ">u2", np.uint8):
        stack = np.stack([DEEP, FLAT]).astype(dtype)
        np.save(tmp_path / "a.npy", stack)
        images = read_gray(tmp_path / "a.npy")
        np.testing.assert_array_equal([image.array for image in images], stack)
        assert all(image.array.dtype.isnative for image in images)
    np.save(tmp_path / "a.npy", np.zeros((20, 30, 3), np.uint16))
    with pytest.raises(ImageError, match=r"a\.npy: npy of shape \(N, H, W\) must have W of at lea"):
        read_gray(tmp_path / "a.npy")


WAY_OUT = (
    "; convert it to gray first, e.g. with ImageMagick: "
    "magick INPUT -colorspace Gray -define png:color-type=0 OUTPUT.png"
)
ANEW = "; store it anew, e.g. with ImageMagick: magick INPUT -compress zip OUTPUT.tif"
STACK = np.stack([DEEP, DEEP])


def imagej(images: int) -> bytes:
    return tiff(metadata=None, description=f"ImageJ=1.54\nimages={images}\nslices={images}\n")


@pytest.mark.parametrize(("data", "message"), [
    (tiff(STACK), "TIFF must hold one page, not several; store each by itself"),
    (imagej(3), "TIFF must hold one image, not 3; store each by itself"),
    (tiff(description='{"shape": [4, 7, 11], "truncated": true}'),
     "TIFF must hold one image, not 4; store each by itself"),
    (tiff(STACK, volumetric=True, tile=(1, 16, 16)),
     "TIFF must be gray of 8 or 16 bits, not a volume of 2 images" + WAY_OUT),
    (tiff(np.zeros((7, 11, 3), np.uint8), photometric="rgb"),
     "TIFF must be gray of 8 or 16 bits, not colour (RGB)" + WAY_OUT),
    (tiff(np.zeros((7, 11, 2), np.uint8), planarconfig="contig"),
     "TIFF must be gray of 8 or 16 bits, not of 2 samples per pixel" + WAY_OUT),
    (tiff(photometric="miniswhite"),
     "TIFF must be gray of 8 or 16 bits, not gray with zero for white" + WAY_OUT),
    (tiff(DEEP.astype(np.int16)),
     "TIFF must be gray of 8 or 16 bits, not of signed or floating-point samples" + WAY_OUT),
    (tiff(DEEP.astype(np.float32)),
     "TIFF must be gray of 8 or 16 bits, not of signed or floating-point samples" + WAY_OUT),
    (tiff(DEEP.astype(np.uint32)), "TIFF must be gray of 8 or 16 bits, not 32-bit gray" + WAY_OUT),
    (tiff(DEEP > 9), "TIFF must be gray of 8 or 16 bits, not 1-bit gray" + WAY_OUT),
    (tiff(compression="lzma"),
     "TIFF must be uncompressed or by LZW, Deflate or PackBits, not LZMA" + ANEW),
    (tiff((DEEP >> 8).astype(np.uint8), compression="jpeg"),
     "TIFF must be uncompressed or by LZW, Deflate or PackBits, not JPEG" + ANEW),
    (tiff(extratags=[(274, "H", 1, 6, True)]),
     "orientation of a gray TIFF must be 1 (upright), not 6, which the codec would lose; turn it "
     "first, e.g. with ImageMagick: magick INPUT -auto-orient OUTPUT.tif"),
    (patched(tiff(compression="lzw", predictor=True), 317, 3),
     "TIFF must have predictor 1 or 2 and fill order 1, not 3 and 1"),
    (tiff(np.zeros((1, 65536), np.uint8)), "image width must be 1 to 65535 pixels, not 65536"),
    (png(3, 2, depth=16, colour=2), "PNG must be gray of 8 or 16 bits, not colour (RGB)" + WAY_OUT),
    (png(3, 2, depth=16, colour=4),
     "PNG must be gray of 8 or 16 bits, not gray with transparency" + WAY_OUT),
    (png(3, 2, depth=16, extra=chunk(b"tRNS", b"\0\0")),
     "PNG must be gray of 8 or 16 bits, not gray with transparency" + WAY_OUT),
    (png(3, 2, depth=4), "PNG must be gray of 8 or 16 bits, not 4-bit gray" + WAY_OUT),
    (png(65536, 1), "image width must be 1 to 65535 pixels, not 65536"),
    (png(30, 20, depth=16, rows=3), "PNG must be whole, not damaged (its pixels)"),
    (b"P5 3 2 65535\n" + bytes(11), "PGM of 3 x 2 must have 12 bytes of pixels, not 11"),
    (b"P5 3 2 65535\n" + bytes(13), "PGM of 3 x 2 must have 12 bytes of pixels, not 13"),
    (b"P5 2 1 1000\n\3\xe8\3\xe9", "pixels of a PGM must be 0 to 1000, as it says, not 1001"),
    (b"P5 2 1 100\n\x64\x65", "pixels of a PGM must be 0 to 100, as it says, not 101"),
    (b"P2 2 1 1000\n1000 1001", "pixels of a plain PGM must be numbers 0 to 1000"),
    (b"P5 65536 1 255\n", "image width must be 1 to 65535 pixels, not 65536"),
    (b"P6 1 1 65535\n123456", "image must be PNG, PGM, TIFF or npy, not PPM" + WAY_OUT),
    (b"II*\0", "TIFF must be whole, not damaged ("),
    (b"MM\0*" + bytes(9), "TIFF must be whole, not damaged ("),
    (tiff()[:-1], "TIFF must be whole, not damaged (strips or tiles beyond its end)"),
])  # fmt: skip
def test_files_that_are_refused(tmp_path, data, message, capfd):
    path = tmp_path / "a.img"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=f"^{re.escape(f'{path}: {message}')}") as error:
        read_gray(path)
    assert message.endswith("(") or str(error.value).endswith(message)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")  # libraries complain to nobody else


@pytest.mark.parametrize("data", [tiff(), tiff(FLAT, bitspersample=14)], ids=["16", "14"])
def test_deep_tiff_is_refused_where_8_bits_are_taken(tmp_path, data):
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.tif: TIFF must be 8-bit gray, not 1[46]-bit gray; "
                       "take a model of profile predictive, which codes up to 16 bits, or conv"):
        read_image(tmp_path / "a.tif")
    write_image(tmp_path / "b.tif", (DEEP >> 8).astype(np.uint8))
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif"), DEEP >> 8)


@pytest.mark.parametrize("options, width", [
    ({}, 12), ({"compression": "packbits"}, 65535), ({"compression": "lzw"}, 65535),
    ({"compression": "zlib"}, 65535), ({"compression": "zlib", "tile": (16, 16)}, 65535),
])  # fmt: skip
def test_pixels_that_a_tiff_cannot_hold_are_not_made(tmp_path, options, width):
    data = patched(tiff(**options), 256, width)  # ImageWidth
    if "compression" in options and "tile" not in options:
        for tag in (257, 278):  # ImageLength, RowsPerStrip
            data = patched(data, tag, 65535)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.tif: TIFF must be whole, not "):
        read_gray(tmp_path / "a.tif")


def test_a_tile_as_large_as_an_image_is_paid_for_by_bytes(tmp_path):
    data = tiff(compression="zlib", tile=(16, 16))
    for tag in (322, 323):
        data = patched(data, tag, 65520)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.tif: TIFF must be whole, not \d+ bytes of 11 x 7"):
        read_gray(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["lzw", "zlib", "packbits"])
def test_flat_images_are_within_the_bounds(tmp_path, compression):
    """What a compressor makes of the plainest image is still taken."""
    image = np.zeros((3000, 4000), np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff(image, compression=compression, rowsperstrip=3000))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", DEEP_GRAY), image)


WHOLE = {
    "png": None, "pgm": None, "tif": tiff(), "lzw.tif": tiff(compression="lzw", predictor=True),
    "zlib.tif": tiff(compression="zlib", tile=(16, 16)),
    "12.tif": tiff(FLAT >> 2, bitspersample=12),
    "big.tif": tiff(bigtiff=True, byteorder=">", rowsperstrip=2),
}  # fmt: skip


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_files_give_an_image_or_an_image_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    name = data.draw(st.sampled_from(sorted(WHOLE)))
    path = folder / f"a.{name}"
    if WHOLE[name] is None:
        write_image(path, DEEP)
    else:
        path.write_bytes(WHOLE[name])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    try:
        images = read_gray(path)
    except ImageError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
    else:
        for image in images:
            assert image.array.ndim == 2 and image.array.dtype in DEEP_GRAY.dtypes
            assert image.array.size <= 16 * len(content)
            samples = image.bits.extract(image.array)
            np.testing.assert_array_equal(image.bits.place(samples), image.array)


def gray_files():
    """The gray PNG of the measured domains."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("LUTGEN_DATA") or beside)
    files = sorted([*folder.glob("domains/*/*.png"), *folder.glob("domains2/*/*.png")])
    return [path for path in files if path.read_bytes()[25] == 0]  # colour type


def test_real_images_are_what_another_reader_finds():
    files = gray_files()
    if not files:
        pytest.skip("real images are absent: no domains/*/*.png; set LUTGEN_DATA")
    for path in files:
        (image,) = read_gray(path)
        with Image.open(path) as file:
            want = np.array(file)
        assert image.array.shape == want.shape, path
        assert image.array.dtype == (np.uint8 if file.mode == "L" else np.uint16), path
        np.testing.assert_array_equal(image.array, want, err_msg=str(path))
