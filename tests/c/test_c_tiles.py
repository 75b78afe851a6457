"""The codec in C of models that code tiles gives the reference's bytes and samples."""

import numpy as np
import pytest

from lutgen.codec.coder import tans
from tests.c.compiled import BAD_ARGUMENT, OTHER_PIXELS, build
from tests.c.library import TILES
from tests.c.tile_cases import tiles_both_ways


def test_both_are_the_references(program, codecs):
    tiles_both_ways(program, codecs, np.random.default_rng(1), 14, TILES)


@pytest.mark.slow
def test_both_are_the_references_often(program, codecs):
    tiles_both_ways(program, codecs, np.random.default_rng(2), 100, TILES)


@pytest.mark.slow
def test_a_32_bit_big_endian_machine_does_the_same(codecs, models, tmp_path):
    """Compiled for PowerPC and run by qemu, where both are installed."""
    few = {name: models[name] for name in ("pyramid", "gic-dlc-4")}
    program = build(
        tmp_path / "lutgen", few, ("-O1", "-static"), ("powerpc-linux-gnu-gcc",), "qemu-ppc", ">"
    )
    tiles_both_ways(program, codecs, np.random.default_rng(7), 6, few)


def test_what_a_model_cannot_code_is_refused(program):
    image = np.zeros((1, 4, 4), np.uint8)
    program.encode_tiles("laplace", image, coder=tans(9))
    program.encode_tiles("pyramid-4", image, coder=tans(9))
    program.encode_tiles("digits", image, (65, 32))
    program.encode_tiles("pyramid", np.zeros((1, 9, 30), np.uint8), (20, 16))
    program.encode("digits", image, depth=8)
    program.encode_tiles("random", image)
    assert [answer.status for answer in program.answers()] == [BAD_ARGUMENT] * 6
    program.encode("digits", np.zeros((1, 4, 4, 3), np.uint8), depth=8, channels=3)
    assert program.answers()[0].status in {BAD_ARGUMENT, OTHER_PIXELS}
