"""The codec in C on other machines: cross-compiled by the clang of ziglang, run by qemu."""

import re
import shutil
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from lutgen.c.folder import write_folder
from lutgen.codec.any_profile import codec_of
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.samples import SignificantBits
from lutgen.model.shipped import SHIPPED, find_model
from tests.c.cases import both_ways, many_blocks
from tests.c.compiled import STRICT, SUCCESS, build
from tests.c.tile_cases import tiles_both_ways
from tests.codec import test_golden as golden

pytest.importorskip("ziglang", reason='no cross compiler here: pip install "lutgen[web]"')

CLANG = (sys.executable, "-m", "ziglang", "cc", "-target")


class Machine(NamedTuple):
    """What clang and qemu call it, and its byte order as `struct` writes it."""

    target: str
    emulator: str
    byte_order: str


#: One of 64 bits, one of 32 bits, one whose bytes are the other way round.
MACHINES = (
    Machine("aarch64-linux-musl", "qemu-aarch64", "<"),
    Machine("arm-linux-musleabihf", "qemu-arm", "<"),
    Machine("s390x-linux-musl", "qemu-s390x", ">"),
)
#: Models of the golden files, as tests/codec/test_golden.py builds them.
GOLDEN = {
    "tiny": golden.tile_model(),
    "gray": golden.predictive_model(),
    "colour": ColourModel(tuple(map(golden.predictive_model, range(3)))),
    "mosaic": ColourModel(tuple(map(golden.predictive_model, (0, 1, 2, 2)))),
}


@pytest.fixture(scope="module", params=MACHINES, ids=lambda machine: machine.emulator)
def program(request, tmp_path_factory):
    """All models that ship, and those of the golden files."""
    machine = request.param
    emulator = next(
        filter(None, map(shutil.which, (machine.emulator, f"{machine.emulator}-static"))), None
    )
    if emulator is None:
        pytest.skip(f"no {machine.emulator} here: apt install qemu-user")
    return build(
        tmp_path_factory.mktemp("c") / "lutgen",
        {**GOLDEN, **{name: find_model(name) for name in SHIPPED}},
        ("-O2", "-fsanitize=undefined", "-fsanitize-trap=undefined", "-static"),
        (*CLANG, machine.target), emulator, machine.byte_order,
    )  # fmt: skip


@pytest.fixture(scope="module")
def codecs(program):
    return {name: codec_of(model, threads=1) for name, model in program.models.items()}


@pytest.mark.exhaustive
def test_golden_files(program):
    """What was written once is written and read for ever, also there."""
    wanted = [(bytes.fromhex(data), None) for _, data in golden.TILES.values()]
    image = np.where(golden.RAMP < 40, 0, 255).astype(np.uint8)
    image[2, 3] = 7
    for (coder, _), (file, _) in zip(golden.TILES.values(), wanted, strict=True):
        program.encode_tiles("tiny", image[None], (4, 8), coder=coder)
        program.decode("tiny", file)
    cases = [
        *(("gray", *case) for case in golden.PREDICTIVE.values()),
        *(("colour", image, options | {"channels": image.shape[2]}, data)
          for image, options, data in golden.COLOUR.values()),
        *(("mosaic", golden.MOSAIC, *case) for case in golden.MOSAICS.values()),
    ]  # fmt: skip
    for model, image, options, data in cases:
        file, bits = bytes.fromhex(data), SignificantBits.of(image)
        stack = image if model == "gray" and image.ndim == 3 else image[None]
        program.encode(model, stack, depth=bits.depth, shift=bits.shift, **options)
        program.decode(model, file)
        wanted.append((file, None if options.get("near") else stack))
    answers = program.answers()
    for (file, images), encoded, decoded in zip(wanted, answers[::2], answers[1::2], strict=True):
        assert encoded.status == decoded.status == SUCCESS
        assert encoded.data == file
        if images is not None:
            assert np.array_equal(decoded.images(file), images)


@pytest.mark.exhaustive
def test_models_that_ship(program, codecs):
    both_ways(program, codecs, np.random.default_rng(3), 13)
    many_blocks(program, codecs, np.random.default_rng(8), ("smooth", "noise"))
    tiles_both_ways(program, codecs, np.random.default_rng(1), 6, ["digits"])


#: What a freestanding program must have: C compilers ask it for no less.
GIVEN = {"memcpy", "memmove", "memset", "memcmp"}
STRING_H = """#include <stddef.h>
void *memcpy(void *restrict, const void *restrict, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
"""


@pytest.mark.slow
@pytest.mark.parametrize("flags", [
    ("aarch64-freestanding-none",), ("thumb-freestanding-eabi", "-mcpu=cortex_m4"),
], ids=" ".join)  # fmt: skip
def test_nothing_is_asked_of_a_machine_without_a_system(tmp_path, flags):
    """But for helpers of the compiler's, such as a division of 64 bits on a Cortex-M."""
    if shutil.which("nm") is None:
        pytest.skip("needs nm")
    write_folder({name: find_model(name) for name in SHIPPED}, tmp_path / "lutgen")
    (tmp_path / "string.h").write_text(STRING_H)
    sources = sorted((tmp_path / "lutgen/src").glob("*.c"))
    subprocess.run(
        [*CLANG, *flags, "-ffreestanding", "-fno-unwind-tables", "-O2", *STRICT, f"-I{tmp_path}",
         f"-I{tmp_path}/lutgen/src", "-c", *sources],
        cwd=tmp_path, check=True, timeout=600,
    )  # fmt: skip
    symbols = subprocess.run(["nm", *tmp_path.glob("*.o")], capture_output=True, text=True,
                             check=True).stdout  # fmt: skip
    found = {kind: set(re.findall(rf"^[0-9a-f ]* {kind} (\S+)$", symbols, re.MULTILINE))
             for kind in "UTRD"}  # fmt: skip
    asked = found["U"] - found["T"] - found["R"] - found["D"]
    assert "lutgen_decode" in found["T"]
    assert {name for name in asked if not re.match("__aeabi_|__clzsi2", name)} == GIVEN
