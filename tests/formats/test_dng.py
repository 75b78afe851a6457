"""DNG: samples as the camera stored them, by every way that is taken; the rest is refused."""

import io
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

import lutgen
from lutgen.cli import main
from lutgen.formats.dng import is_dng, read_dng
from lutgen.formats.imageio import DEEP_GRAY, ImageError, read_gray, read_gray_stack
from lutgen.model.cfa import CFAS

LIMITS = replace(DEEP_GRAY, cfas=CFAS)
RNG = np.random.default_rng(4)
RAW = RNG.integers(0, 1 << 12, (48, 32), dtype=np.uint16)
#: Tags of a square of filters: red, green, green, blue.
FILTERS = {33421: (3, (2, 2)), 33422: (1, bytes([0, 1, 1, 2]))}
_VERSION, _SUBIFDS = (50706, 1, 4, (1, 4, 0, 0), True), 1


def lossless(part: np.ndarray, components: int = 2, bits: int = 12, **options) -> bytes:
    """A lossless JPEG of the samples, each row as pixels of so many components."""
    part = np.ascontiguousarray(part).reshape(len(part), -1, components)
    return imagecodecs.jpeg8_encode(
        part if components > 1 else part[..., 0], bitspersample=bits, colorspace=0,
        outcolorspace=0, **{"lossless": True, "predictor": 1} | options,
    )  # fmt: skip


def dng(samples=RAW, *, preview=True, filters=FILTERS, photometric=32803, **options) -> bytes:
    """A DNG as cameras write it: a preview first, the sensor's samples inside it."""
    file, data = io.BytesIO(), samples
    if "compression" in options:
        rows, columns = options["tile"] = options.get("tile", (16, 16))
        parts = (
            samples[y : y + rows, x : x + columns]
            for y in range(0, len(samples), rows) for x in range(0, samples.shape[1], columns)
        )  # fmt: skip
        data = map(options.pop("encode", lossless), parts)
        options |= {"shape": samples.shape, "dtype": samples.dtype}
    tags = [(tag, kind, len(value), value, True) for tag, (kind, value) in filters.items()]
    with tifffile.TiffWriter(file) as writer:
        if preview:
            writer.write(
                np.zeros((4, 6, 3), np.uint8), photometric="rgb", subifds=_SUBIFDS, metadata=None,
                subfiletype=1, extratags=[_VERSION],
            )  # fmt: skip
        else:
            tags.append(_VERSION)
        writer.write(data, photometric=photometric, metadata=None, extratags=tags, **options)
    return file.getvalue()


def test_is_told_from_other_tiff():
    assert is_dng(dng()) and is_dng(dng(preview=False))
    plain = io.BytesIO()
    tifffile.imwrite(plain, RAW, photometric="minisblack")
    assert not is_dng(plain.getvalue()) and not is_dng(plain.getvalue()[:9])


@pytest.mark.parametrize("options", [
    {}, {"preview": False}, {"byteorder": ">"}, {"rowsperstrip": 7}, {"tile": (16, 16)},
    *({"compression": 7, "encode": lambda part, n=n, p=p: lossless(part, n, predictor=p)}
      for n in (1, 2) for p in (1, 4, 6)),
    {"compression": 7, "encode": lambda part: imagecodecs.ljpeg_encode(
        np.ascontiguousarray(part), bitspersample=12)},
])  # fmt: skip
def test_samples_come_back(options):
    byteorder = options.get("byteorder")
    options = {k: v for k, v in options.items() if k != "byteorder"}
    raw = RAW.astype(">u2") if byteorder else RAW
    samples, depth, pattern = read_dng("a.dng", dng(raw, **options), LIMITS)
    np.testing.assert_array_equal(samples, RAW)
    assert samples.dtype == np.uint16 and pattern == "RGGB"
    assert depth == (12 if "compression" in options else 16)  # JPEG says it itself


@pytest.mark.parametrize("pattern", CFAS)
def test_patterns_and_bytes(tmp_path, pattern):
    filters = FILTERS | {33422: (1, bytes("RGB".index(letter) for letter in pattern))}
    path = tmp_path / "a.dng"
    path.write_bytes(dng((RAW >> 4).astype(np.uint8), filters=filters))
    (image,) = read_gray(path, LIMITS)
    assert image.cfa == pattern and image.bits.depth == 8
    np.testing.assert_array_equal(image.array, RAW >> 4)
    others = tuple(cfa for cfa in CFAS if cfa != pattern)
    with pytest.raises(ImageError, match=f"must be {' or '.join(others)}, .* not {pattern} in 2 x"):
        read_gray(path, replace(LIMITS, cfas=others))


def lossy(part):
    return imagecodecs.jpeg8_encode((part >> 4).astype(np.uint8), level=90)


@pytest.mark.parametrize(("data", "words"), [
    (dng(np.zeros((4, 6, 3), np.uint16), photometric=34892), "not linear raw"),
    (dng(filters=FILTERS | {33421: (3, (2, 6)), 33422: (1, bytes(12))}), "not RRRRR.* in 2 x 6"),
    (dng(filters={}), "not none in no squares"),
    (dng(filters=FILTERS | {33422: (1, bytes([0, 1, 3, 2]))}), r"not RG\?B in 2 x 2"),
    (dng(filters=FILTERS | {50710: (1, bytes([2, 1, 0]))}), "not RGGB"),
    (dng(filters=FILTERS | {50711: (3, (2,))}), r"layout 1 \(square\), not 2"),
    (dng(RAW.astype(np.float32)), "not 1 samples per pixel of 32 bits"),
    (dng(RAW.astype(np.int16)), "not 1 samples per pixel"),
    (dng(photometric="minisblack"), "not 0 of them"),
    (dng((RAW >> 4).astype(np.uint8), compression=7, encode=lossy), "not by JPEG with losses"),
    (dng(compression=7, encode=lambda part: lossless(part[:8])), "16 x 16 of 12 are due"),
    (dng((RAW >> 4).astype(np.uint8), compression=7, encode=lambda part: lossless(
        part.astype(np.uint16))), "12 bits where"),
    (dng(compression=8, encode=lambda part: imagecodecs.zlib_encode(part.tobytes())),
     "not by ADOBE_DEFLATE"),
    (dng(compression=34892, encode=lossy), "not by"),
])  # fmt: skip
def test_what_is_refused(data, words):
    with pytest.raises(ImageError, match=f"^a.dng: .*{words}"):
        read_dng("a.dng", data, LIMITS)


def test_damage_is_one_kind_of_error():
    """Cut short and with changed bytes: samples, or an error that names the file."""
    data = dng(compression=7)
    rng = np.random.default_rng(0)
    for end in (*range(8, len(data), 211), len(data) - 1):
        with pytest.raises(ImageError, match="^a.dng: "):
            read_dng("a.dng", data[:end], LIMITS)
    for _ in range(400):
        bad = bytearray(data)
        bad[rng.integers(8, len(data))] ^= 1 << rng.integers(8)
        try:
            samples, *_ = read_dng("a.dng", bytes(bad), LIMITS)
        except ImageError as error:
            assert str(error).startswith("a.dng: ")
        else:
            assert samples.size <= 4 * RAW.size


def test_is_gray_to_nobody(tmp_path):
    (tmp_path / "a.dng").write_bytes(dng(preview=False))
    with pytest.raises(ImageError, match="not a colour filter array"):
        read_gray(tmp_path / "a.dng")
    with pytest.raises(ImageError, match="must have PNG, PGM or TIFF files in it"):
        read_gray(tmp_path)
    assert read_gray_stack([tmp_path], LIMITS).cfa == "RGGB"


def test_commands(tmp_path):
    raw, file, back = (str(tmp_path / name) for name in ("a.dng", "a.lgc", "b.npy"))
    (tmp_path / "a.dng").write_bytes(dng(compression=7))

    def run(*arguments):
        return CliRunner().invoke(main, arguments)

    assert run("encode", raw, "-o", file).exit_code == 0
    assert lutgen.info((tmp_path / "a.lgc").read_bytes()).cfa == "RGGB"
    assert run("decode", file, "-o", back).exit_code == 0
    np.testing.assert_array_equal(np.load(back), RAW)
    wrong = run("encode", raw, "-o", file, "--cfa", "BGGR")
    assert wrong.exit_code == 1 and "must be BGGR, in squares of 2 x 2, not RGGB" in wrong.stderr
    digits = run("encode", raw, "-o", file, "--model", "digits")
    assert digits.exit_code == 1 and "a.dng: TIFF must" in digits.stderr
    measured = run("eval", raw, "--cfa", "RGGB", "--no-baselines", "--json")
    assert measured.exit_code == 0, measured.stderr
