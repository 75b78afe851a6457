"""Resets at every clock of a load: what comes after them is as if nothing had been before."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from lutgen.codec.coder import tans
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.tiles import DecoderIp, EncoderIp
from lutgen.model.model import Model
from lutgen.sim import Design
from lutgen.sim.cores.engine import symbol_beats
from lutgen.sim.drive.beats import filled, raster_beats
from lutgen.sim.drive.words import file_beats
from tests.gateware.reset_sweep import Sweep, sweep_resets
from tests.gateware.test_entropy_engine import decoder, encoder, sequences
from tests.gateware.tops import Tops, pictures, tops
from tests.tiers import all_exhaustive, all_slow, exhaustive_but_first, slow_but_first

SIZE = (18, 9)
RARE = (
    "two levels", "tans", "plain", "laplace", "seven", "lanes", "one level", "three levels",
    "seven with levels", "three with levels", "tans with levels", "two cores", "four cores",
    "two cores with levels",
)  # fmt: skip
#: Clocks from one reset to the next: every clock in the slow tests and the exhaustive ones.
QUICK = [("walker", 5)]
EVERY = all_slow([("walker", 1)], several=True)
EVERY += all_exhaustive([(name, 1) for name in RARE], several=True)
CORES = ("encoder", "decoder")


@cache
def deep(coder: str) -> Tops:
    """The embedded model: its pipeline is longer than what a core takes to clear itself."""
    config = CoreConfig(Model.default(), max_width=40, max_height=64)
    return Tops(dataclasses.replace(config, coder=tans(9)) if coder == "tans" else config)


def video_out(images: np.ndarray, cores: int) -> dict[str, np.ndarray]:
    """Beats that a decoder gives."""
    beats = raster_beats(images, cores)
    if cores == 1:
        return beats
    count = np.resize(filled(images.shape[2], cores), len(beats["data"])).astype(np.uint64)
    keep = (np.uint64(1) << count) - np.uint64(1)
    mask = (np.uint64(1) << (count * np.uint64(8))) - np.uint64(1)
    mask[count == 8] = np.uint64(0xFFFFFFFFFFFFFFFF)
    return beats | {"data": beats["data"].astype(np.uint64) & mask, "keep": keep}


def sweep_top(
    core: str, top: Tops, design: Design | None = None, *, size=SIZE, registers=None, **options
) -> Sweep:
    """Two files, then a third one after the reset.

    Without registers, which that would clear, the design is also reset before the two files.
    """
    options.setdefault("fresh", registers is None)
    width, height = size
    first, second = pictures(width, height, 2), pictures(width, height, 1, seed=1)
    config = {"clear_error": 0}
    if registers is not None:
        config = {}
    elif core == "encoder":
        config |= {"width": width, "height": height, "images": 1}
    elif top.config.model.levels:
        config["level"] = 0
    files = [file_beats([top.file(image[None]) for image in images], top.stream_bytes)
             for images in (first, second)]  # fmt: skip
    cores = top.cores
    if core == "encoder":
        return sweep_resets(
            design or top.encoder_design, {"s_axis_video": raster_beats(first, cores)},
            {"s_axis_video": raster_beats(second, cores)}, {"m_axis_stream": files[1]},
            beats_of_first=len(files[0]["data"]), config=config, **options,
        )  # fmt: skip
    return sweep_resets(
        design or top.decoder_design, {"s_axis_stream": files[0]}, {"s_axis_stream": files[1]},
        {"m_axis_video": video_out(second, cores)},
        beats_of_first=len(raster_beats(first, cores)["data"]), config=config, **options,
    )  # fmt: skip


@pytest.fixture
def assert_unharmed(record_property):
    """Asserts that no reset did harm; ``--junitxml`` has how many there were."""

    def check(sweep: Sweep, least: int) -> None:
        record_property("resets", sweep.rounds)
        assert sweep.failures == 0, f"first at clock {sweep.first_failure}: {sweep}"
        assert sweep.rounds >= least

    return check


@pytest.mark.parametrize("core", slow_but_first(CORES))
@pytest.mark.parametrize(("name", "step"), QUICK + EVERY)
def test_reset_by_the_port(name, step, core, assert_unharmed):
    top = tops(name)
    found = sweep_top(core, top, step=step)
    assert_unharmed(found, (found.first_output + 2) // step)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", exhaustive_but_first(["walker", "two levels", "tans"]))
@pytest.mark.parametrize("length", [1, 2, 3, 40])
def test_length_of_the_reset_and_stalls(name, length, core, assert_unharmed):
    assert_unharmed(sweep_top(core, tops(name), length=length, step=3, stalls=0.4), 300)


@pytest.mark.exhaustive
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("coder", ["rans", "tans"])
def test_pipeline_longer_than_clearing(coder, core, assert_unharmed):
    """Where the fault was found: files of one tile, in lanes that are otherwise idle."""
    assert_unharmed(sweep_top(core, deep(coder), size=(12, 8)), 1000)


def sweep_registers(core: str, top: Tops, *, restart: bool, **options) -> Sweep:
    """Software resets of a core behind registers."""
    registers = build_map(core, top.config)
    control, causes = registers["control"], registers["ier"]
    harm = sum(f.mask for f in causes.fields if not f.name.endswith("_done"))
    setup = [(causes.offset, harm), (registers["gie"].offset, 1)]
    if core == "encoder":
        setup += [(registers["width"].offset, SIZE[0]), (registers["height"].offset, SIZE[1]),
                  (registers["images"].offset, 1)]  # fmt: skip
    enable = control["enable"].mask
    setup.append((control.offset, enable))
    reset = enable | control["reset"].mask | (control["restart"].mask if restart else 0)
    return sweep_top(
        core, top, ip_design(core, top), registers=registers, error=["interrupt"], setup=setup,
        reset=(control.offset, reset), **options,
    )  # fmt: skip


@cache
def ip_design(core: str, top: Tops) -> Design:
    """A core behind registers."""
    ip = {"encoder": EncoderIp, "decoder": DecoderIp}[core]
    return Design.of(ip(top.config, stream_bytes=top.stream_bytes), f"lutgen_{core}")


@pytest.mark.parametrize("core", slow_but_first(reversed(CORES)))
@pytest.mark.parametrize(
    ("name", "step"), [
        ("walker", 7), *all_slow([("walker", 1)], several=True),
        *all_exhaustive([("two levels", 1)], several=True),
    ],
)  # fmt: skip
def test_software_reset(name, step, core, assert_unharmed):
    """With ``restart``: the ports are empty as after a reset by the port."""
    found = sweep_registers(core, tops(name), restart=True, step=step)
    assert_unharmed(found, (found.first_output + 2) // step)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("name", "step"), [
        ("walker", 13), ("walker", 1), *all_exhaustive([("two levels", 3)], several=True),
    ],
)  # fmt: skip
def test_software_reset_among_neighbours_that_go_on(name, step, core, assert_unharmed):
    """Without ``restart``: what was broken is dropped and ended, and no port breaks a rule."""
    top = tops(name)
    lanes = {"encoder": top.config.lanes_of_encoder, "decoder": top.config.decoder_lanes}[core]
    longest = 500 + 3 * lanes * top.tile[0] * top.tile[1] // 2  # a tile and all of its levels
    found = sweep_registers(core, top, restart=False, step=step, stalls=0.3, goes_on=longest)
    assert_unharmed(found, (found.first_output + 2) // step)
    if step > 3:  # where the ports are emptied too, they cannot know what to drop
        found = sweep_registers(
            core, top, restart=True, step=10 * step, stalls=0.3, goes_on=longest
        )
        assert found.failures


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("stalls", "step"), [(0.0, 3), pytest.param(0.0, 1, marks=pytest.mark.slow),
                         pytest.param(0.4, 1, marks=pytest.mark.slow)],
)  # fmt: skip
def test_entropy_engine(core, stalls, step, assert_unharmed):
    classes, symbols, payloads = sequences([100, 24, 300], 12)
    parts = slice(0, 2), slice(2, 3)
    if core == "decoder":
        loads = [
            {"s_axis_classes": ended(classes[p]), "s_axis_stream": file_beats(payloads[p], 4)}
            for p in parts
        ]  # fmt: skip
        outs = [ended(symbols[p]) for p in parts]
        design, name = decoder()._design, "m_axis_symbols"
    else:
        loads = [{"s_axis_symbols": symbol_beats(classes[p], symbols[p])} for p in parts]
        outs = [file_beats([payload[::-1] for payload in payloads[p]], 4) for p in parts]
        design, name = encoder()._design, "m_axis_stream"
    found = sweep_resets(
        design, *loads, {name: outs[1]}, beats_of_first=len(outs[0]["data"]), error=["error"],
        stalls=stalls, step=step,
    )  # fmt: skip
    assert_unharmed(found, 100 // step)


def ended(parts) -> dict[str, np.ndarray]:
    """Beats of sequences of numbers, each ended by TLAST."""
    last = [np.arange(len(part)) == len(part) - 1 for part in parts]
    return {"data": np.concatenate(parts), "last": np.concatenate(last).astype(np.int64)}
