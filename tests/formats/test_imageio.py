import os
import re
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.formats.imageio import (
    ImageError,
    png_bytes,
    read_image,
    read_images,
    read_stack,
    write_image,
)
from tests.pictures import chunk, png

SOME = np.random.default_rng(0).integers(0, 256, (7, 11), dtype=np.uint8)


def npy(array, path):
    np.save(path, array, allow_pickle=array.dtype == object)
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["png", "pgm", "npy", "PNG"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (28, 28), (13, 7), (2, 16384)])
def test_images_come_back(tmp_path, ending, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path / f"a.{ending}"
    write_image(path, image)
    found = read_image(path)
    assert found.dtype == np.uint8 and found.flags.c_contiguous and found.flags.writeable
    np.testing.assert_array_equal(found, image)
    assert os.listdir(tmp_path) == [f"a.{ending}"]


def test_views_are_written_as_they_are(tmp_path):
    for ending in ("png", "pgm", "npy"):
        write_image(tmp_path / f"a.{ending}", SOME.T[::-1])
        np.testing.assert_array_equal(read_image(tmp_path / f"a.{ending}"), SOME.T[::-1])


def test_others_read_what_is_written(tmp_path):
    """Pillow and NumPy agree on what the files mean."""
    image = pytest.importorskip("PIL.Image")
    for ending in ("png", "pgm"):
        write_image(tmp_path / f"a.{ending}", SOME)
        with image.open(tmp_path / f"a.{ending}") as file:
            assert file.mode == "L"
            np.testing.assert_array_equal(np.array(file), SOME)
        with image.fromarray(SOME) as file:
            file.save(tmp_path / f"b.{ending}")
        np.testing.assert_array_equal(read_image(tmp_path / f"b.{ending}"), SOME)
    write_image(tmp_path / "a.npy", SOME)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), SOME)


def test_stacks(tmp_path):
    stack = np.stack([SOME, SOME // 2])
    write_image(tmp_path / "s.npy", stack)
    np.testing.assert_array_equal(read_images(tmp_path / "s.npy"), stack)
    with pytest.raises(ImageError, match="^.*s.npy: file must hold one image here, not 2$"):
        read_image(tmp_path / "s.npy")
    np.save(tmp_path / "f.npy", np.asfortranarray(stack))
    np.testing.assert_array_equal(read_images(tmp_path / "f.npy"), stack)
    write_image(tmp_path / "a.png", SOME)
    found = read_stack([tmp_path / "a.png", tmp_path / "s.npy"])
    np.testing.assert_array_equal(found, np.stack([SOME, *stack]))


def test_folders(tmp_path):
    write_image(tmp_path / "b.png", SOME)
    write_image(tmp_path / "a.PGM", SOME // 2)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "folder").mkdir()
    # What macOS leaves beside files of other systems, and hidden files.
    (tmp_path / "._b.png").write_bytes(b"\0\5\x16\7\0\2")
    (tmp_path / ".c.png").write_bytes(b"hidden")
    found = read_images(tmp_path)
    np.testing.assert_array_equal(found, np.stack([SOME // 2, SOME]))
    with pytest.raises(
        ImageError, match="^.*folder: folder must have PNG, PGM or TIFF files in it, not none$"
    ):
        read_images(tmp_path / "folder")


def test_sizes_of_a_stack_must_be_equal(tmp_path):
    write_image(tmp_path / "a.png", SOME)
    write_image(tmp_path / "b.png", SOME.T)
    message = (
        "b.png: images of one file must have one size, 11 x 7 like the first, not 7 x 11; "
        "encode each size into a file of its own"
    )
    with pytest.raises(ImageError, match=f"^.*{re.escape(message)}$"):
        read_stack([tmp_path / "a.png", tmp_path / "b.png"])


@pytest.mark.parametrize("text", [
    b"P2 3 2 255\n0 1 2\n3 4 255",
    b"P2\n# made by hand\n3 2 # width and height\n255\n0 1 2 # a row\n3 4 255\n",
    b"P2\r\n3\r\n2\r\n255\r\n000 001 002 3 4 255\r\n",
    b"P5\n3 2\n255\n\0\1\2\3\4\xff",
    b"P5 3 # comment\n2 255 \0\1\2\3\4\xff",
])  # fmt: skip
def test_pgm_spellings(tmp_path, text):
    (tmp_path / "a.pgm").write_bytes(text)
    assert read_image(tmp_path / "a.pgm").tolist() == [[0, 1, 2], [3, 4, 255]]


def test_pixels_that_look_like_comments(tmp_path):
    image = np.frombuffer(b"\n# 1\r\t 2#", dtype=np.uint8).reshape(3, 3)
    write_image(tmp_path / "a.pgm", image)
    np.testing.assert_array_equal(read_image(tmp_path / "a.pgm"), image)


#: An Exif block that says: turn this picture.
TURNED = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
FIX = re.escape(
    "; convert it to 8-bit gray first, e.g. with ImageMagick: "
    "magick INPUT -colorspace Gray -depth 8 -define png:color-type=0 OUTPUT.png"
)
DEEPER = "; take a model of profile predictive, which codes up to 16 bits, or " + FIX[3:]


@pytest.mark.parametrize(("data", "message"), [
    (b"", "image file must not be empty"),
    (b"hello world", "image must be PNG, PGM, TIFF or npy, not a file that begins b'hello wo'"),
    (b"\xff\xd8\xff\xe0abc", "image must be PNG, PGM, TIFF or npy, not JPEG" + FIX),
    (b"GIF89a", "image must be PNG, PGM, TIFF or npy, not GIF" + FIX),
    (b"P6 1 1 255\nabc", "image must be PNG, PGM, TIFF or npy, not PPM" + FIX),
    (b"LGC\1", "image must be PNG, PGM, TIFF or npy, not lutgen bitstream"),
    (png(3, 2, colour=2), r"PNG must be 8-bit gray, not colour \(RGB\)" + FIX),
    (png(3, 2, colour=6), "PNG must be 8-bit gray, not RGBA" + FIX),
    (png(3, 2, colour=3, extra=chunk(b"PLTE", bytes(3))),
     "PNG must be 8-bit gray, not palette" + FIX),
    (png(3, 2, colour=4), "PNG must be 8-bit gray, not gray with transparency" + FIX),
    (png(3, 2, extra=chunk(b"tRNS", b"\0\0")),
     "PNG must be 8-bit gray, not gray with transparency" + FIX),
    (png(3, 2, colour=9), "PNG must be 8-bit gray, not of colour type 9" + FIX),
    *((png(3, 2, depth=d), f"PNG must be 8-bit gray, not {d}-bit gray" + FIX) for d in (1, 2, 4)),
    (png(3, 2, depth=16), "PNG must be 8-bit gray, not 16-bit gray" + DEEPER),
    (png(0, 2), "image width must be 1 to 16384 pixels, not 0"),
    (png(3, 0), "image height must be 1 to 16384 pixels, not 0"),
    (png(16385, 1), "image width must be 1 to 16384 pixels, not 16385"),
    (png(3, 2**32 - 1, rows=1), "image height must be 1 to 16384 pixels, not 4294967295"),
    (png(3, 2)[:20], r"PNG must begin with a whole header, not b'.*'"),
    (png(3, 2)[:40], r"PNG must be whole, not damaged \(cut short\)"),
    (png(3, 2)[:-13], r"PNG must be whole, not damaged \(chunk IDAT is cut short\)"),
    (png(3, 2)[:-4] + b"abcd", r"PNG must be whole, not damaged \(checksum of chunk IEND\)"),
    (png(3, 2, extra=chunk(b"tEXt", b"a")).replace(b"tEXta", b"tEXtb"),
     r"PNG must be whole, not damaged \(checksum of chunk tEXt\)"),
    (png(3, 2, extra=chunk(b"ABCD", b"")), r"PNG must be whole, not damaged \(chunk b'ABCD'\)"),
    (png(3, 2, extra=chunk(b"ID\xff\0", b"")),
     r"PNG must be whole, not damaged \(chunk b'ID\\xff\\x00'\)"),
    (png(30, 20, rows=3), r"PNG must be whole, not damaged \(its pixels\)"),
    (png(3, 2, extra=chunk(b"acTL", bytes(8))), "PNG must be 8-bit gray, not an animation" + FIX),
    (png(3, 2, extra=chunk(b"eXIf", TURNED)),
     r"Exif orientation of a gray PNG must be 1 \(upright\), not 6, which the codec would lose; "
     "turn it first, e.g. with ImageMagick: magick INPUT -auto-orient OUTPUT.png"),
    (b"\0\5\x16\7\0\2\0\0", "image must be PNG, PGM, TIFF or npy, not AppleDouble .*"),
    (b"P5\n3 2\n", "PGM must begin with its width, height and greatest value, not b'.*'"),
    (b"P5\n3 x\n255\n", "PGM must begin with its width, height and greatest value, not b'.*'"),
    (b"P5\n3 2\n65535\n" + bytes(12), "greatest value of a PGM must be 255, not 65535" + DEEPER),
    (b"P5\n3 2\n65536\n" + bytes(12), "greatest value of a PGM must be 1 to 65535, not 65536"),
    (b"P5\n3 2\n0\n" + bytes(6), "greatest value of a PGM must be 1 to 65535, not 0"),
    (b"P5\n3 2\n100\n" + bytes(6), "greatest value of a PGM must be 255, not 100" + FIX),
    (b"P5\n0 2\n255\n", "image width must be 1 to 16384 pixels, not 0"),
    (b"P5\n3 99999\n255\n", "image height must be 1 to 16384 pixels, not 99999"),
    (b"P5\n3 2\n255\n" + bytes(5), "PGM of 3 x 2 must have 6 pixels, not 5"),
    (b"P5\n3 2\n255\n" + bytes(7), "PGM of 3 x 2 must have 6 pixels, not 7"),
    (b"P2 3 2 255\n0 1 2 3 4", "PGM of 3 x 2 must have 6 pixels, not 5"),
    (b"P2 3 2 255\n0 1 2 3 4 256", "pixels of a plain PGM must be numbers 0 to 255"),
    (b"P2 3 2 255\n0 1 2 3 4 -1", "pixels of a plain PGM must be numbers 0 to 255"),
    (b"P2 3 2 255\n0 1 2 3 4 x", "pixels of a plain PGM must be numbers 0 to 255"),
    (b"P2 3 2 255\n0 1 2 3 4 1_1", "pixels of a plain PGM must be numbers 0 to 255"),
    (b"P2 1 1 255\n" + b"9" * 9999, "pixels of a plain PGM must be numbers 0 to 255"),
    (b"\x93NUMPY", r"npy must have a valid header \(.*\)"),
    (b"\x93NUMPY\x09\x00\x00\x00", r"npy must have a valid header \(.*\)"),
    (b"\x93NUMPY\x01\x00\x05\x00hello", r"npy must have a valid header \(.*\)"),
    (b"\x93NUMPY\x01\x00\x05\x00{'a'(", r"npy must have a valid header \(.*\)"),
    (b"\x93NUMPY\x01\x00\xff\xffhello", r"npy must have a valid header \(.*\)"),
])  # fmt: skip
def test_files_that_are_refused(tmp_path, data, message):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=f"(?s)^{re.escape(str(path))}: {message}$"):
        read_image(path)


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((2, 2), np.uint16), "not uint16 of shape (2, 2)" + DEEPER.replace("\\", "")),
    (np.zeros((2, 2), ">u2"), "not uint16 of shape (2, 2)" + DEEPER.replace("\\", "")),
    (np.zeros((2, 2), np.int8), "not int8 of shape (2, 2)"),
    (np.zeros((2, 2), bool), "not bool of shape (2, 2)"),
    (np.zeros((2, 2)), "not float64 of shape (2, 2)"),
    (np.array([["a", "b"]]), "not <U1 of shape (1, 2)"),
    (np.array([[None]]), "not object of shape (1, 1)"),
    (np.zeros(3, np.uint8), "not uint8 of shape (3,)"),
    (np.zeros((), np.uint8), "not uint8 of shape ()"),
    (np.zeros((1, 2, 2, 3), np.uint8), "not uint8 of shape (1, 2, 2, 3)"),
])  # fmt: skip
def test_arrays_that_are_refused(tmp_path, array, message):
    npy(array, tmp_path / "a.npy")
    message = f"npy must hold uint8 of shape (H, W) or (N, H, W), {message}"
    with pytest.raises(ImageError, match=f"^.*a.npy: {re.escape(message)}$"):
        read_images(tmp_path / "a.npy")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_channels_are_not_taken_for_columns(tmp_path, channels):
    """A picture (H, W, 3) is not H pictures of W x 3."""
    npy(np.zeros((20, 30, channels), np.uint8), tmp_path / "a.npy")
    message = (
        "npy of shape (N, H, W) must have W of at least 5, not "
        f"(20, 30, {channels}), which reads as one picture of {channels} channels: "
    )
    with pytest.raises(ImageError, match=f"^.*a.npy: {re.escape(message)}"):
        read_images(tmp_path / "a.npy")
    npy(np.zeros((20, channels), np.uint8), tmp_path / "a.npy")  # one, so narrow
    assert read_image(tmp_path / "a.npy").shape == (20, channels)


@pytest.mark.parametrize(("shape", "message"), [
    ((0, 2), "image height must be 1 to 16384 pixels, not 0"),
    ((2, 0), "image width must be 1 to 16384 pixels, not 0"),
    ((2, 16385), "image width must be 1 to 16384 pixels, not 16385"),
    ((0, 2, 5), "npy must hold at least one image, not 0"),
])  # fmt: skip
def test_array_sizes_that_are_refused(tmp_path, shape, message):
    npy(np.zeros(shape, np.uint8), tmp_path / "a.npy")
    with pytest.raises(ImageError, match=f"^.*a.npy: {re.escape(message)}$"):
        read_images(tmp_path / "a.npy")


def test_a_cut_array_is_refused_without_allocating_it(tmp_path):
    data = npy(np.zeros((2, 2), np.uint8), tmp_path / "a.npy")
    huge = data.replace(b"(2, 2)", b"(4000000, 16384, 16384)").replace(b" " * 17, b"", 1)
    assert len(huge) == len(data)
    for bad in (data[:-1], data + b"\0", huge):
        (tmp_path / "a.npy").write_bytes(bad)
        with pytest.raises(ImageError, match="^.*a.npy: npy of shape .* bytes of pixels, not "):
            read_images(tmp_path / "a.npy")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_files_give_an_image_or_an_image_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    ending = data.draw(st.sampled_from(["png", "pgm", "npy"]))
    path = folder / f"a.{ending}"
    write_image(path, SOME)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = read_images(path)
    except ImageError as error:
        assert str(error).startswith(f"{path}: ")
    else:
        assert all(image.dtype == np.uint8 and image.ndim == 2 for image in found)


@pytest.mark.parametrize("at", range(8, len(png(3, 2)), 3))
@pytest.mark.parametrize("value", [0, 0xC3, 0xFF])
def test_no_damaged_byte_is_read_over(tmp_path, at, value):
    """Of the header, of names, of checksums or of pixels, in any place."""
    data = bytearray(png(3, 2))
    if data[at] == value:
        value ^= 1
    data[at] = value
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.png: (PNG|image|greatest) "):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("error", [UnicodeDecodeError("utf-8", b"\xc3", 0, 1, "heap"), ValueError])
def test_what_a_library_raises_is_an_image_error(tmp_path, monkeypatch, error):
    import imagecodecs

    def decode(data):
        raise error

    write_image(tmp_path / "a.png", SOME)
    monkeypatch.setattr(imagecodecs, "png_decode", decode)
    with pytest.raises(ImageError, match=r"a\.png: PNG must be whole, not damaged \(its pixels\)$"):
        read_image(tmp_path / "a.png")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="^.*: image must be a file, not a folder$"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="^images must be at least one, not none$"):
        read_stack([])


@pytest.mark.parametrize(("name", "array", "message"), [
    ("a.gif", SOME, "image file name must end in .png, .pgm, .npy, .tif, .tiff, not in '.gif'"),
    ("a", SOME, "image file name must end in .png, .pgm, .npy, .tif, .tiff, not in ''"),
    ("a.png", SOME[None], "image must be uint8 or uint16 of shape (H, W) with at least one pixel, "
     "not uint8 of shape (1, 7, 11)"),
    ("a.pgm", SOME.astype(float), "image must be uint8 or uint16 of shape (H, W) with at least one "
     "pixel, not float64 of shape (7, 11)"),
    ("a.npy", SOME[0], "image must be uint8 or uint16 of shape (H, W) or (N, H, W) with at least "
     "one pixel, not uint8 of shape (11,)"),
    ("a.npy", SOME[:0], "image must be uint8 or uint16 of shape (H, W) or (N, H, W) with at least "
     "one pixel, not uint8 of shape (0, 11)"),
])  # fmt: skip
def test_images_that_cannot_be_written(tmp_path, name, array, message):
    with pytest.raises(ImageError, match=f"^.*{re.escape(name)}: {re.escape(message)}$"):
        write_image(tmp_path / name, array)
    assert not os.listdir(tmp_path)


def test_greatest_image(tmp_path):
    """16384 x 16384 pixels, 256 MiB: no guard against large images stands in the way."""
    (tmp_path / "a.png").write_bytes(png(16384, 16384))
    image = read_image(tmp_path / "a.png")
    assert image.shape == (16384, 16384) and not image[::999].any()


def test_png_of_more_pixels_than_deflate_can_make(tmp_path):
    image = np.zeros((2000, 2000), dtype=np.uint8)
    data = png_bytes(image)
    (tmp_path / "black.png").write_bytes(data)
    assert np.array_equal(read_image(tmp_path / "black.png"), image)  # 1,000 pixels per byte
    head = data[8:16] + struct.pack(">II", 16384, 16384) + data[24:29]
    crc = zlib.crc32(head[4:]).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(data[:8] + head + crc + data[33:])
    with pytest.raises(ImageError, match="PNG must be whole, not .* bytes of 16384 x 16384"):
        read_image(tmp_path / "huge.png")
