"""The codec in C of profile predictive gives the reference's bytes and samples."""

import numpy as np
import pytest

from lutgen.codec.container import CorruptStreamError
from tests.c.cases import both_ways, many_blocks
from tests.c.compiled import BAD_ARGUMENT, OTHER_PIXELS, SUCCESS, build

#: Random models for the slowest tests.
RANDOM = ("random", "random-rgb", "random-bayer")


def test_both_are_the_references(program, codecs):
    both_ways(program, codecs, np.random.default_rng(1), 40)


def test_strips_of_many_blocks_are_the_references(program, codecs):
    many_blocks(program, codecs, np.random.default_rng(8))


@pytest.mark.exhaustive
def test_both_are_the_references_often(program, codecs):
    both_ways(program, codecs, np.random.default_rng(2), 250)


@pytest.mark.slow
def test_a_32_bit_big_endian_machine_does_the_same(codecs, models, tmp_path):
    """Compiled for PowerPC and run by qemu, where both are installed."""
    few = {name: models[name] for name in RANDOM}
    program = build(
        tmp_path / "lutgen", few, ("-O1", "-static"), ("powerpc-linux-gnu-gcc",), "qemu-ppc", ">"
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
