"""The codec in C stands damage as the reference does; the fuzz targets take a corpus."""

import subprocess

import numpy as np
import pytest

from tests.c.compiled import DAMAGED_STRIPS, SUCCESS, TARGETS, build_fuzzer
from tests.c.damage import mutated, reference, tile_victims, victims
from tests.c.seeds import seeds


def stands_damage(program, codecs, rng, count: int) -> None:
    one, many = victims(codecs, rng)
    tiles = tile_victims(codecs, rng)
    wanted = []
    for k in range(count):
        sound = k % 4 == 0
        files = one if sound else tiles if k % 2 else many
        name, file = files[k // 4 % len(files)]
        bad = mutated(rng, file, sound)
        program.decode(name, bad, by_strips=k % 3 == 0 and files is tiles)
        wanted.append((bad, reference(codecs[name], bad)))
    kinds = set()
    for (bad, (status, damaged, images)), answer in zip(wanted, program.answers(), strict=True):
        kinds.add(answer.status)
        if status is None:
            assert answer.status not in (SUCCESS, DAMAGED_STRIPS)
            continue
        assert answer.status == status
        if damaged is not None:
            assert answer.damaged == damaged
            assert np.array_equal(answer.images(bad), images)
    assert {SUCCESS, DAMAGED_STRIPS} < kinds


def test_damage_is_the_references(program, codecs):
    stands_damage(program, codecs, np.random.default_rng(3), 900)


@pytest.mark.exhaustive
def test_damage_is_the_references_often(program, codecs):
    stands_damage(program, codecs, np.random.default_rng(4), 10000)


def test_a_damaged_tile_costs_its_strip(program, codecs):
    """Samples of the row of tiles become 0, all others are there."""
    rng = np.random.default_rng(6)
    images = rng.integers(0, 4, (2, 50, 70), dtype=np.uint8)
    file = bytearray(codecs["digits"].encode(images, tile=(16, 20)).data)
    file[-1] ^= 1  # of the last tile, in row 2 of image 1
    program.decode("digits", bytes(file))
    program.decode("digits", bytes(file), by_strips=True)
    images[1, 40:] = 0
    for answer in program.answers():
        assert (answer.status, answer.damaged) == (DAMAGED_STRIPS, (5,))
        assert np.array_equal(answer.images(bytes(file)), images)


def test_every_cut_of_tiles_is_found(program, codecs):
    rng = np.random.default_rng(8)
    for name, file in tile_victims(codecs, rng):
        for size in {*range(40), *range(len(file) - 40, len(file))} & {*range(len(file))}:
            program.decode(name, file[:size])
    assert not {SUCCESS, DAMAGED_STRIPS} & {answer.status for answer in program.answers()}


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz_targets_take_a_corpus(program, codecs, tmp_path, target):
    """Seeds and mutations of them; more is a fuzzer's work."""
    rng = np.random.default_rng(5)
    files = seeds(target, codecs)
    corpus = [b"", files[0][:20], *files, *(
        mutated(rng, files[k % len(files)], sound=False) for k in range(100)
    )]  # fmt: skip
    for k, data in enumerate(corpus):
        (tmp_path / str(k)).write_bytes(data)
    run = subprocess.run([build_fuzzer(program, target), *sorted(tmp_path.iterdir())], timeout=60,
                         capture_output=True, text=True)  # fmt: skip
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{len(corpus)} files\n", "")
