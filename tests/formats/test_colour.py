import io
import re
import struct

import numpy as np
import pytest
from PIL import Image

from lutgen.formats.colour import colour_files, colour_size, read_colour, write_colour
from lutgen.formats.rules import ImageError
from tests.pictures import chunk, png

SOME = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
#: How a picture is stored that is to be shown as SOME, by Exif orientation.
STORED = {
    1: SOME, 2: SOME[:, ::-1], 3: SOME[::-1, ::-1], 4: SOME[::-1], 5: SOME.swapaxes(0, 1),
    6: np.rot90(SOME), 7: SOME[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(SOME, -1),
}  # fmt: skip


def exif(turn):
    return b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x112, 3, 1, turn, 0, 0)


def saved(mode_or_array, form, **options):
    image = (
        Image.new(mode_or_array, (4, 6)) if isinstance(mode_or_array, str)
        else Image.fromarray(mode_or_array)
    )  # fmt: skip
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def with_chunk(data, extra):
    return data[:33] + extra + data[33:]


@pytest.mark.parametrize("ending", [".png", ".ppm", ".bmp", ".tif", ".TIFF"])
def test_pictures_come_back(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    write_colour(path, SOME[::-1])
    np.testing.assert_array_equal(read_colour(path), SOME[::-1])
    assert colour_size(path) == (4, 6)
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), SOME[::-1])


@pytest.mark.parametrize("ending", ["webp", "jpg", "gif", "npy"])
def test_pictures_are_not_written_with_losses(tmp_path, ending):
    message = f"a.{ending}: name of a decoded image must end in .png, .ppm, .bmp, .tif, .tiff, "
    with pytest.raises(ImageError, match=f"{re.escape(message)}which lose nothing, not in "):
        write_colour(tmp_path / f"a.{ending}", SOME)
    assert not any(tmp_path.iterdir())


def test_what_is_read(tmp_path):
    gray = SOME[..., 0]
    for data, wanted in (
        (saved(SOME, "WEBP", lossless=True), SOME),
        (saved(gray, "PNG"), np.stack([gray] * 3, axis=2)),
        (b"P6 4 6 255\n" + SOME.tobytes(), SOME),
        (b"P3 4 6 255\n" + " ".join(map(str, SOME.ravel())).encode(), SOME),
        (b"P5 4 6 255\n" + gray.tobytes(), np.stack([gray] * 3, axis=2)),
    ):
        (tmp_path / "a").write_bytes(data)
        found = read_colour(tmp_path / "a")
        assert found.dtype == np.uint8 and found.flags.c_contiguous
        np.testing.assert_array_equal(found, wanted)
    (tmp_path / "a").write_bytes(saved(SOME, "JPEG", quality=100, subsampling=0))
    assert np.abs(read_colour(tmp_path / "a").astype(int) - SOME).mean() < 4


@pytest.mark.parametrize("turn", STORED)
def test_pictures_are_turned_as_exif_says(tmp_path, turn):
    data = saved(np.ascontiguousarray(STORED[turn]), "PNG")
    (tmp_path / "a").write_bytes(with_chunk(data, chunk(b"eXIf", exif(turn))))
    np.testing.assert_array_equal(read_colour(tmp_path / "a"), SOME)
    block = b"Exif\0\0" + exif(turn)
    stored = np.ascontiguousarray(STORED[turn])
    (tmp_path / "a").write_bytes(saved(stored, "WEBP", lossless=True, exif=block))
    np.testing.assert_array_equal(read_colour(tmp_path / "a"), SOME)
    (tmp_path / "a").write_bytes(saved(stored, "JPEG", exif=block))
    assert read_colour(tmp_path / "a").shape == SOME.shape


def test_a_broken_exif_block_says_nothing(tmp_path):
    data = with_chunk(saved(SOME, "PNG"), chunk(b"eXIf", b"junk"))
    (tmp_path / "a").write_bytes(data)
    np.testing.assert_array_equal(read_colour(tmp_path / "a"), SOME)


def bmp_of_16_bits():
    pixels = bytes(2 * 4 * 6)
    head = struct.pack("<IiiHHIIiiII", 40, 4, 6, 1, 16, 0, len(pixels), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + head + pixels


def tiff_of_16_bits():
    """4 x 6 pixels, RGB, 16 bits per sample, by hand: what Pillow reads as 8 bits."""
    count = 8
    pixels_at, bits_at = 8 + 2 + 12 * count + 4 + 6, 8 + 2 + 12 * count + 4
    rows = (
        (256, 3, 1, 4), (257, 3, 1, 6), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, pixels_at), (277, 3, 1, 3), (279, 4, 1, 4 * 6 * 6),
    )  # fmt: skip
    table = b"".join(struct.pack("<HHII", *row) for row in rows)
    return (
        b"II*\0" + struct.pack("<IH", 8, count) + table + bytes(4)
        + struct.pack("<HHH", 16, 16, 16) + bytes(4 * 6 * 6)
    )  # fmt: skip


WANTED = "must be RGB or gray of 8 bits per channel, not"


@pytest.mark.parametrize(("data", "message"), [
    (b"", "image file must not be empty"),
    (b"junk", "picture must be whole, not damaged (of an unknown kind)"),
    (b"\0\5\x16\7\0\2", f"picture {WANTED} AppleDouble"),
    (saved("RGB", "GIF"), f"picture {WANTED} GIF"),
    (png(3, 2, depth=16, colour=2), f"PNG {WANTED} 16-bit colour (RGB); convert"),
    (png(3, 2, depth=16), f"PNG {WANTED} 16-bit gray; convert"),
    (png(3, 2, depth=4), f"PNG {WANTED} 4-bit gray; convert"),
    (png(3, 2, colour=6), f"PNG {WANTED} RGBA; convert"),
    (png(3, 2, colour=3, extra=chunk(b"PLTE", bytes(3))), f"PNG {WANTED} palette; convert"),
    (png(3, 2, colour=2, extra=chunk(b"tRNS", bytes(6))),
     f"PNG {WANTED} colour with transparency; convert"),
    (png(3, 2, colour=2, extra=chunk(b"acTL", bytes(8))), f"PNG {WANTED} an animation; convert"),
    (png(3, 2, colour=2)[:-13], "PNG must be whole, not damaged (chunk IDAT is cut short)"),
    (b"P6 4 6 127\n" + bytes(72), "greatest value of a PPM must be 255, not 127; convert"),
    (b"P6 4 6 255\n" + bytes(71), "PPM of 4 x 6 must have 72 values, not 71"),
    (b"P6 4 0 255\n", "image height must be 1 to 16384 pixels, not 0"),
    (saved("RGBA", "TIFF"), f"picture {WANTED} RGBA; convert"),
    (saved("CMYK", "JPEG"), f"picture {WANTED} CMYK; convert"),
    (saved("I;16", "TIFF"), f"picture {WANTED} I;16; convert"),
    (tiff_of_16_bits(), f"picture {WANTED} of another depth; convert"),
    (bmp_of_16_bits(), f"picture {WANTED} of another depth; convert"),
    (saved("RGB", "TIFF", save_all=True, append_images=[Image.new("RGB", (4, 6))]),
     "file must hold one picture, not 2"),
    (saved(SOME, "JPEG")[:-60], "picture must be whole, not damaged ("),
    (saved(SOME, "JPEG")[:-10], "picture must be whole, not damaged (image file is truncated"),
    (saved(SOME, "TIFF")[:100], "picture must be whole, not damaged"),
])  # fmt: skip
def test_what_is_refused(tmp_path, data, message):
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=f"^{re.escape(f'{path}: {message}')}"):
        read_colour(path)


def test_sizes_hold_to_the_rules_that_need_no_pixels(tmp_path):
    (tmp_path / "a").write_bytes(png(3, 2, depth=16, colour=2))
    with pytest.raises(ImageError, match="16-bit colour"):
        colour_size(tmp_path / "a")
    (tmp_path / "a").write_bytes(tiff_of_16_bits())
    with pytest.raises(ImageError, match="of another depth"):
        colour_size(tmp_path / "a")


def test_folders(tmp_path, monkeypatch):
    for name in ("b.png", "deep/a.JPG", "._b.png", ".hidden.png", ".git/c.png", "d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = [tmp_path / "b.png", tmp_path / "deep" / "a.JPG"]
    assert colour_files(tmp_path) == found
    assert colour_files(found[0]) == [found[0]]
    monkeypatch.setenv("LUTGEN_DATA", str(tmp_path))
    assert colour_files("deep") == [found[1]]
    with pytest.raises(ImageError, match="^data must be an existing picture or folder, not 'no'"):
        colour_files("no")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="empty: folder must contain pictures"):
        colour_files(tmp_path / "empty")
