"""The codec in C gives the reference's bytes and samples, and stands damage as it does."""

import struct
import subprocess
from zlib import crc32

import numpy as np
import pytest

from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import DamagedStripsError, PredictiveCodec
from lutgen.model.cfa import CFAS
from lutgen.model.header import VERSION_2
from lutgen.model.shipped import SHIPPED, find_model
from tests.c.compiled import (
    BAD_ARGUMENT,
    DAMAGED_STRIPS,
    OTHER_PIXELS,
    SANITIZERS,
    SUCCESS,
    build,
    build_fuzzer,
)
from tests.models import colour_model, mosaic_model, predictive_model


@pytest.fixture(scope="session")
def models():
    shipped = ("photo", "photo-16", "photo-rgb", "photo-bayer")
    found = {name: find_model(name) for name in shipped if name in SHIPPED}
    return {**found, "random": predictive_model(), "random-rgb": colour_model(5),
            "random-bayer": mosaic_model(6)}  # fmt: skip


@pytest.fixture(scope="session", params=["fastest", "portable"])
def program(models, tmp_path_factory, request):
    """The fastest code that this processor has, with sanitizers, and plain C99 as it is used."""
    flags = SANITIZERS if request.param == "fastest" else ("-O2", "-DLUTGEN_PORTABLE")
    return build(tmp_path_factory.mktemp("c") / "lutgen", models, flags)


@pytest.fixture(scope="session")
def codecs(models):
    return {name: PredictiveCodec(model, threads=1) for name, model in models.items()}


def drawn(rng, kind: str, height: int, width: int, depth: int) -> np.ndarray:
    """An image of one kind: noise, one value, a page, or a smooth surface with some noise."""
    top = (1 << depth) - 1
    if kind == "noise":
        return rng.integers(0, top + 1, (height, width))
    if kind == "flat":
        return np.full((height, width), rng.integers(0, top + 1))
    if kind == "page":
        return np.where(rng.random((height, width)) < 0.1, rng.integers(0, top + 1), top)
    steps = rng.normal(0, top / 64, (2, height, width))
    surface = steps[0].cumsum(axis=0).cumsum(axis=1) / 4 + steps[1] / 4 + top / 2
    return surface.clip(0, top).astype(np.int64)


def stacked(image: np.ndarray, kind: str, rng) -> np.ndarray:
    """A gray image as one of the kind: channels that have to do with one another, and alpha."""
    if kind not in CHANNELS:
        return image
    noise = rng.integers(0, 3, (*image.shape, CHANNELS[kind]))
    planes = np.minimum(image[..., None] + noise, image.max(initial=1))
    # So that any of the three colours may be the best first one.
    planes[..., rng.integers(CHANNELS[kind])] = image
    return planes


#: Channels of images of several, by what they are.
CHANNELS = {"gray and alpha": 2, "RGB": 3, "RGBA": 4}
#: Kinds of images by the shipped model and the random one that code them.
KINDS = {
    ("photo", "photo-16", "random"): ("gray",),
    ("photo-rgb", "random-rgb"): (*CHANNELS, "gray"),
    ("photo-bayer", "random-bayer"): CFAS,
}


def kinds_of(model: str) -> tuple[str, ...]:
    return next(kinds for models, kinds in KINDS.items() if model in models)


def cases(rng, count: int, kinds: tuple[str, ...]):
    """Images and options of all depths, errors, shifts and layouts."""
    sizes = [(1, 1), (1, 40), (40, 1), (3, 16), (5, 17), (21, 50), (37, 24), (75, 33), (110, 17),
             (18, 150), (2, 3), (37, 66), (67, 131)]  # fmt: skip
    for k in range(count):
        depth = 8 + k % 9
        shift = int(rng.integers(0, 17 - depth)) if k % 4 == 3 else 0
        height, width = sizes[k % len(sizes)] if k % 2 else rng.integers(1, 60, 2)
        kind = kinds[k % len(kinds)]
        options = {"channels": CHANNELS.get(kind, 1)}
        if kind in CFAS:
            height, width, options = 2 * ((height + 1) // 2), 2 * ((width + 1) // 2), {"cfa": kind}
        elif kind != "gray" and k % 3 == 0:
            options["order"] = int(rng.integers(6)) if options["channels"] > 2 else 0
        texture = ("noise", "flat", "page", "smooth", "smooth")[k % 5]
        image = stacked(drawn(rng, texture, height, width, depth), kind, rng)
        images = np.stack([image, image[::-1]][: 1 + (k % 7 == 0)]) << shift
        yield images.astype(np.uint8 if depth + shift == 8 else np.uint16), {
            "depth": depth, "shift": shift, "near": int(rng.choice([0, 0, 1, 2, 5])),
            "strip_height": (None, 1, 7, 36, None)[rng.integers(5)],
            "tile_width": (None, 0, 0, 0, 1, 19)[rng.integers(6)], **options,
        }  # fmt: skip


def both_ways(program, codecs, rng, count: int) -> None:
    """So many images for each model."""
    wanted = []
    for name in program.models:
        for k, (images, options) in enumerate(cases(rng, count, kinds_of(name))):
            file = codecs[name].encode(images, **options)
            program.encode(name, images, **options, by_strips=k % 3 == 1)
            program.decode(name, file, by_strips=k % 3 == 2)
            wanted.append((file, codecs[name].decode(file), options))
    answers = program.answers()
    for (file, images, options), encoded, decoded in zip(wanted, answers[::2], answers[1::2],
                                                         strict=True):  # fmt: skip
        what = f"{images.shape}, {options}"
        assert encoded.status == SUCCESS and encoded.data == file, what
        assert decoded.status == SUCCESS and decoded.damaged == (), what
        assert np.array_equal(decoded.images(file), images), what


def test_both_are_the_references(program, codecs):
    both_ways(program, codecs, np.random.default_rng(1), 40)


def test_strips_of_many_blocks_are_the_references(program, codecs):
    """Lanes turn to their next rows, and eight payloads are read and written at once."""
    rng = np.random.default_rng(8)
    wanted = []
    for name, kind, height, width in (
        ("photo", "gray", 75, 301), ("photo", "gray", 130, 126), ("random", "gray", 70, 260),
        ("photo-rgb", "RGB", 41, 397), ("random-rgb", "RGBA", 37, 140),
        ("photo-bayer", "RGGB", 70, 300),
    ):  # fmt: skip
        for k, texture in enumerate(("smooth", "page", "noise", "flat")):
            drawing = drawn(rng, texture, height, width, 8)
            images = stacked(drawing, kind, rng)[None].astype(np.uint8)
            images = images[:, : height // 2 * 2, : width // 2 * 2]
            options = {"cfa": kind} if kind in CFAS else {"channels": CHANNELS.get(kind, 1)}
            options |= {"depth": 8, "near": k % 2, "tile_width": 0, "strip_height": 999}
            file = codecs[name].encode(images, **options)
            program.encode(name, images, **options)
            program.decode(name, file)
            wanted.append((file, codecs[name].decode(file)))
    answers = program.answers()
    for (file, images), encoded, decoded in zip(wanted, answers[::2], answers[1::2], strict=True):
        assert encoded.status == SUCCESS and encoded.data == file, images.shape
        assert decoded.status == SUCCESS and np.array_equal(decoded.images(file), images)


@pytest.mark.slow
def test_both_are_the_references_often(program, codecs):
    both_ways(program, codecs, np.random.default_rng(2), 700)


def test_a_32_bit_big_endian_machine_does_the_same(codecs, models, tmp_path):
    """Compiled for PowerPC and run by qemu, where both are installed."""
    few = {name: model for name, model in models.items() if name.startswith("random")}
    program = build(
        tmp_path / "lutgen", few, ("-O1", "-static"), "powerpc-linux-gnu-gcc", "qemu-ppc", ">"
    )
    both_ways(program, codecs, np.random.default_rng(7), 12)


def test_samples_out_of_range_are_refused(program):
    program.encode("random", np.full((1, 4, 4), 1024, np.uint16), depth=10)
    program.encode("random", np.full((1, 4, 4), 6, np.uint16), depth=10, shift=2)
    assert [answer.status for answer in program.answers()] == [2, 2]


def mutated(rng, file: bytes, sound: bool) -> bytes:
    """A file with some damage; if ``sound``, of one strip, whose checksum is made right again."""
    data = bytearray(file[:-4] if sound else file)
    kind = rng.integers(5)
    for _ in range(1 if kind else int(rng.integers(1, 5))):
        at = int(rng.integers(VERSION_2.size if sound else 0, len(data)))
        if kind == 4:
            end = min(len(data), at + int(rng.integers(1, 9)))
            data[at:end] = bytes(end - at)
        elif kind == 3:
            del data[at : at + int(rng.integers(1, 9))]
        elif kind == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        else:
            data[at] ^= 1 << int(rng.integers(8)) if kind else int(rng.integers(1, 256))
    if not sound:
        return bytes(data)
    header = bytes(data[: VERSION_2.size])
    checksum = crc32(data[VERSION_2.size :], crc32(bytes(4), crc32(header)))
    return bytes(data) + struct.pack("<I", checksum)


def reference(codec: PredictiveCodec, file: bytes):
    """Kind of status, damaged strips, and samples or None."""
    try:
        return SUCCESS, (), codec.decode(file)
    except DamagedStripsError as error:
        return DAMAGED_STRIPS, error.damaged, error.images
    except (CorruptStreamError, ModelMismatchError):
        return None, (), None


def victims(codecs, rng) -> tuple[list, list]:
    """Files of one strip, and of many, with their models: gray, colour and filter arrays."""
    image = drawn(rng, "smooth", 40, 30, 8)
    gray, deep = image.astype(np.uint8), drawn(rng, "smooth", 21, 20, 11).astype(np.uint16)
    rgb = stacked(image, "RGB", rng).astype(np.uint8)
    rgba = stacked(deep, "RGBA", rng).astype(np.uint16)
    # Wide enough for rows side by side: 16 columns for each channel.
    wide = drawn(rng, "smooth", 14, 130, 8)
    wide_rgb = stacked(wide[:, :50], "RGB", rng).astype(np.uint8)
    one = [
        ("photo", gray[:, :20], {"tile_width": 0}), ("photo", gray[:, :20], {"tile_width": 11}),
        ("random-rgb", rgb[:20, :17], {"channels": 3, "tile_width": 0}),
        ("photo-rgb", rgba[:14], {"channels": 4, "tile_width": 7, "depth": 11}),
        ("random-bayer", gray[:, :24], {"cfa": "GRBG", "tile_width": 0}),
        ("photo-rgb", wide_rgb, {"channels": 3, "tile_width": 0, "strip_height": 14}),
        ("photo-bayer", wide.astype(np.uint8), {"cfa": "BGGR", "tile_width": 0,
                                                "strip_height": 14}),
        # High enough for all lanes, too.
        ("photo", drawn(rng, "smooth", 36, 170, 8).astype(np.uint8),
         {"tile_width": 0, "strip_height": 36}),
    ]
    many = [
        ("photo", gray, {"strip_height": 8}),
        ("photo", deep, {"depth": 11, "near": 1, "strip_height": 9, "tile_width": 6}),
        ("random-rgb", rgba, {"channels": 4, "depth": 11, "near": 1, "strip_height": 6}),
        ("photo-rgb", rgb[:24], {"channels": 3, "strip_height": 5, "tile_width": 0}),
        ("photo-bayer", gray, {"cfa": "RGGB", "strip_height": 8, "tile_width": 10}),
        ("random-rgb", wide_rgb, {"channels": 3, "near": 1, "tile_width": 0, "strip_height": 5}),
        ("random-bayer", wide.astype(np.uint8), {"cfa": "GBRG", "tile_width": 0,
                                                 "strip_height": 6}),
    ]
    return tuple(
        [(name, codecs[name].encode(image, **{"depth": 8, **options}))
         for name, image, options in files if name in codecs]
        for files in (one, many)
    )  # fmt: skip


def stands_damage(program, codecs, rng, count: int) -> None:
    one, many = victims(codecs, rng)
    wanted = []
    for k in range(count):
        sound = k % 2 == 0
        files = one if sound else many
        name, file = files[k // 2 % len(files)]
        bad = mutated(rng, file, sound)
        program.decode(name, bad, by_strips=False)
        wanted.append((bad, reference(codecs[name], bad)))
    kinds = set()
    for (bad, (status, damaged, images)), answer in zip(wanted, program.answers(), strict=True):
        kinds.add(answer.status)
        if status is None:
            assert answer.status not in (SUCCESS, DAMAGED_STRIPS)
            continue
        assert (answer.status, answer.damaged) == (status, damaged)
        assert np.array_equal(answer.images(bad), images)
    assert {SUCCESS, DAMAGED_STRIPS} < kinds


def test_damage_is_the_references(program, codecs):
    stands_damage(program, codecs, np.random.default_rng(3), 600)


@pytest.mark.slow
def test_damage_is_the_references_often(program, codecs):
    stands_damage(program, codecs, np.random.default_rng(4), 20000)


def test_images_that_a_model_does_not_code_are_refused(program, codecs):
    """By both ways; a file whose header says so is as damaged as others for the reference."""
    image = np.arange(48, dtype=np.uint8)
    colour, gray = image.reshape(1, 4, 4, 3), image.reshape(1, 4, 12)
    for name, pixels, options in (
        ("random", colour, {"channels": 3, "order": 0}), ("random", gray, {"cfa": "RGGB"}),
        ("random-rgb", gray, {"cfa": "RGGB"}), ("random-bayer", gray, {}),
        ("random-bayer", colour, {"channels": 3, "order": 0}),
    ):  # fmt: skip
        program.encode(name, pixels, depth=8, **options)
    for name, channels in (("random", 3), ("random-rgb", 4 | 9 << 4), ("random-bayer", 4)):
        file = bytearray(codecs["random"].encode(gray, depth=8) + bytes(100))
        file[4:12] = bytes.fromhex(codecs[name].model.hash)[:8]
        file[18] = channels
        with pytest.raises(CorruptStreamError, match="images must be"):
            codecs[name].decode(bytes(file))
        program.decode(name, bytes(file))
    assert {answer.status for answer in program.answers()} == {OTHER_PIXELS}


@pytest.mark.parametrize(("channels", "order"), [(1, 1), (2, 1), (3, 6), (3, 8), (4, 12)])
def test_orders_out_of_range_are_refused(program, channels, order):
    image = np.zeros((1, 4, 4, channels), np.uint8)
    program.encode("random-rgb", image, depth=8, channels=channels, order=order)
    assert program.answers()[0].status == BAD_ARGUMENT


def test_every_cut_is_found(program, codecs):
    image = np.arange(400, dtype=np.uint8).reshape(1, 20, 20)
    for name, pixels, options in (("random", image, {}), ("random-bayer", image, {"cfa": "BGGR"}),
                                  ("random-rgb", image.reshape(1, 20, 10, 2), {"channels": 2})):
        file = codecs[name].encode(pixels, depth=8, strip_height=6, tile_width=0, **options)
        for size in range(len(file)):
            program.decode(name, file[:size])
    assert SUCCESS not in {answer.status for answer in program.answers()}


def test_fuzz_target_takes_a_corpus(program, codecs, tmp_path):
    """Files, some of which are damaged; more of them is a fuzzer's work."""
    rng = np.random.default_rng(5)
    files = []
    for name, file in victims(codecs, rng)[1]:
        files.append(bytearray(file))
        files[-1][4] = program.models.index(name)  # the target takes this model
    corpus = [b"", bytes(files[0][:20]), *map(bytes, files), *(
        mutated(rng, bytes(files[k % len(files)]), sound=False) for k in range(100)
    )]  # fmt: skip
    for k, data in enumerate(corpus):
        (tmp_path / str(k)).write_bytes(data)
    run = subprocess.run([build_fuzzer(program), *sorted(tmp_path.iterdir())], timeout=60,
                         capture_output=True, text=True)  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{len(corpus)} files\n", "")
