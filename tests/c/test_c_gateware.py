"""Damage is of the same kind for the codec in C, the reference, and decoders in hardware."""

import numpy as np
import pytest

from lutgen.build.codec import build as build_core
from lutgen.build.codec import load_build
from lutgen.build.options import BuildOptions, PredictiveOptions
from lutgen.model.shipped import shipped
from lutgen.sim.check.check import checked_build
from lutgen.sim.drive.words import file_beats
from lutgen.sim.fuzz.campaign import campaign
from lutgen.sim.fuzz.decoder import Case, Stream
from lutgen.sim.fuzz.native import Segment, beats_of, build_native, forgetful
from tests.c.compiled import DAMAGED_STRIPS, SUCCESS, build
from tests.c.damage import mutated, reference
from tests.c.seeds import seeds

#: Builds, of which the seeds are files but for those of another size, depth, tile or coder.
BUILDS = {
    "digits": BuildOptions(top="decoder", tile=(32, 32), max_width=300, max_height=300),
    "photo": PredictiveOptions(top="decoder", max_width=300, max_height=300),
}
#: Of C: no file at all, of another version or model, and a header that cannot be.
HEADER = (5, 6, 7, 8)
MUTATIONS = 150


def of_the_build(fuzz, data: bytes) -> bool:
    """Whether a decoder takes the header, so that more than that is to be told."""
    return not {"bad_header", "bad_model"} & set(fuzz.files.read(data).errors)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", BUILDS)
def test_damage_is_of_one_kind(name, codecs, tmp_path):
    build_core("zynq7045", shipped(name), BUILDS[name], out=tmp_path / "build", estimate=False)
    checked = checked_build(load_build(tmp_path / "build"))
    core = build_native(forgetful(checked.design("decoder")), "decoder")
    fuzz = campaign(checked, "decoder", 1)
    program = build(tmp_path / "c", {name: checked.model}, ("-O1",))
    rng = np.random.default_rng(7)
    # Seeds have the number of a model in place of its hash's first byte.
    number, first = list(codecs).index(name), bytes.fromhex(checked.model.hash)[:1]
    corpus = [data[:4] + first + data[5:] for data in seeds("file", codecs) if data[4] == number]
    mine = [data for data in corpus if of_the_build(fuzz, data)]
    assert mine
    corpus += [mutated(rng, mine[k % len(mine)], sound=False) for k in range(MUTATIONS)]
    good = fuzz.pool[0]
    cases = []
    for k, data in enumerate(corpus):
        program.decode(name, data)
        beats = [file_beats(part, 4) for part in (data, good.data)]
        start = {"fresh": 1, "reset": 1} if k == 0 else {}
        segment = Segment(np.concatenate([*map(beats_of, beats)]), count=True, **start)
        cases.append(
            Case(("corpus",), (segment,), (Stream("corpus", data, fuzz.files.read(data), good),))
        )
    kinds = set()
    outcomes = fuzz.outcomes(core, cases)
    for case, answer, some in zip(cases, program.answers(), outcomes, strict=True):
        # Samples and error bits are what they must be, and no error is one that software has not.
        fuzz.judge(case, some)
        assert fuzz.report.problems == []
        (stream,) = case.streams
        status, _, images = reference(codecs[name], stream.data)
        assert answer.status == status or (
            status is None and answer.status not in (SUCCESS, DAMAGED_STRIPS)
        )
        errors = {text for bit, text in enumerate(fuzz.files.errors) if some[0].error >> bit & 1}
        kinds.add((answer.status, *sorted(errors)))
        if not errors:
            assert answer.status == SUCCESS
            samples = answer.images(stream.data)
            assert np.array_equal(samples, images)
        elif answer.status in HEADER:
            assert errors in ({"bad_header"}, {"bad_model"})
        elif answer.status != SUCCESS and of_the_build(fuzz, stream.data):
            assert errors <= {"bad_packet", "bad_strip", "bad_tile"}
    assert {status for status, *_ in kinds} > {SUCCESS, DAMAGED_STRIPS}
    assert {error for _, *errors in kinds for error in errors} == set(fuzz.files.errors)
