"""The codec in C of profile predictive gives the reference's bytes and samples."""

import numpy as np
import pytest

from lutgen.codec.coder import RANS, tans
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.container import SLABS
from lutgen.model.cfa import CFAS
from tests.c.compiled import BAD_ARGUMENT, OTHER_PIXELS, SUCCESS, build
from tests.c.pictures import CHANNELS, drawn, stacked

#: Kinds of images by the shipped model and the random one that code them.
KINDS = {
    ("photo", "photo-16", "random"): ("gray",),
    ("photo-rgb", "random-rgb"): (*CHANNELS, "gray"),
    ("photo-bayer", "random-bayer"): CFAS,
}


#: Random models for the slowest tests, and all.
RANDOM = ("random", "random-rgb", "random-bayer")
PREDICTIVE = {name for names in KINDS for name in names}


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
        tile_width = (None, 0, 0, 0, 1, 19)[rng.integers(6)]
        columns = width // 2 if kind in CFAS else width
        if not tile_width:
            fitting = [slabs for slabs in SLABS if columns > slabs * (slabs - 1)]
            options["slabs"] = int(rng.choice(fitting))
        yield images.astype(np.uint8 if depth + shift == 8 else np.uint16), {
            "depth": depth, "shift": shift, "near": int(rng.choice([0, 0, 1, 2, 5])),
            "strip_height": (None, 1, 7, 36, None)[rng.integers(5)],
            "tile_width": tile_width, "coder": tans(8 + k % 5) if k % 3 == 2 else RANS, **options,
        }  # fmt: skip


def both_ways(program, codecs, rng, count: int) -> None:
    """So many images for each model."""
    wanted = []
    for name in sorted(PREDICTIVE & program.models.keys()):
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
    few = {name: models[name] for name in RANDOM}
    program = build(
        tmp_path / "lutgen", few, ("-O1", "-static"), "powerpc-linux-gnu-gcc", "qemu-ppc", ">"
    )
    both_ways(program, codecs, np.random.default_rng(7), 12)


def test_samples_out_of_range_are_refused(program):
    program.encode("random", np.full((1, 4, 4), 1024, np.uint16), depth=10)
    program.encode("random", np.full((1, 4, 4), 6, np.uint16), depth=10, shift=2)
    assert [answer.status for answer in program.answers()] == [2, 2]


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
