"""Misplaced markers and impossible sizes at the encoder's input."""

import numpy as np
import pytest
from amaranth.hdl import Module, Mux
from amaranth.lib import wiring

from lutgen.gateware.core.top import ENCODER_ERRORS, EncoderTop
from lutgen.sim import rtl_stream
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.words import files_of
from tests.gateware.tops import STALLS, pictures, tops

SIZE = (18, 10)
WIDTH, HEIGHT = SIZE
PIXELS = WIDTH * HEIGHT


def images(count: int = 3) -> np.ndarray:
    return pictures(*SIZE, count=count)


def files(*groups: np.ndarray) -> tuple[bytes, ...]:
    return tuple(tops("plain").file(group) for group in groups)


def encode(beats, *, stall="never", per_file: int = 1, **options):
    return tops("plain").encoder(
        images(), pixels=beats, per_file=per_file, stall=STALLS[stall], **options
    )


def joined(*parts) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.mark.parametrize(("size", "count"), [
    ((0, 10), 1), ((18, 0), 1), ((41, 10), 1), ((18, 65), 1), ((63, 10), 1), ((18, 10), 0),
])  # fmt: skip
def test_impossible_size(size, count):
    """All pixels are dropped; those without a start of frame are called misplaced."""
    result = encode(raster_beats(images()), size=size, per_file=count)
    assert result.errors == ("bad_marker", "bad_size")
    assert (result.files, result.rest) == ((), b"")


@pytest.mark.parametrize("stall", ["never", "random"])
@pytest.mark.parametrize("missing", [1, 5, WIDTH, PIXELS - 1, 3 * PIXELS])
def test_pixels_before_a_start_of_frame(missing, stall):
    """They are dropped."""
    before = raster_beats(np.zeros((1, 1, missing), np.uint8)) | {"user": np.zeros(missing, int)}
    result = encode(joined(before, raster_beats(images())), stall=stall)
    assert result.errors == ("bad_marker",)
    assert result.files == files(*images())


@pytest.mark.parametrize("per_file", [1, 3])
def test_frame_without_a_start(per_file):
    beats = raster_beats(images(4))
    beats["user"][PIXELS] = 0
    result = encode(beats, per_file=per_file)
    assert result.errors == ("bad_marker",)
    kept = images(4)[[0, 2, 3]]
    assert result.files == files(*np.split(kept, 3 // per_file))


@pytest.mark.parametrize("at", [1, WIDTH, PIXELS - 1, PIXELS + 50])
def test_early_start(at):
    """Geometry is counted: the marker is reported and otherwise ignored."""
    beats = raster_beats(images())
    beats["user"][at] = 1
    result = encode(beats)
    assert result.errors == ("bad_marker",)
    assert result.files == files(*images())


@pytest.mark.parametrize("at", [0, WIDTH - 2, WIDTH - 1, PIXELS - 1, 2 * PIXELS + 4])
def test_wrong_end_of_line(at):
    beats = raster_beats(images())
    beats["last"][at] ^= 1
    result = encode(beats)
    assert result.errors == ("bad_marker",)
    assert result.files == files(*images())


def test_short_frame():
    """It takes its missing pixels from the next frame, whose rest is dropped."""
    beats = raster_beats(images())
    flat = images().reshape(3, -1)
    cut = {name: np.delete(values, range(PIXELS - 7, PIXELS)) for name, values in beats.items()}
    result = encode(cut)
    assert result.errors == ("bad_marker",)
    first = np.concatenate([flat[0, :-7], flat[1, :7]]).reshape(1, HEIGHT, WIDTH)
    assert result.files == files(first, images()[2])


def test_long_frame():
    """What it has too much is dropped."""
    beats = raster_beats(images())
    longer = {name: np.insert(values, [PIXELS] * 9, 0) for name, values in beats.items()}
    result = encode(longer)
    assert result.errors == ("bad_marker",)
    assert result.files == files(*images())


def test_no_error_without_cause():
    assert encode(raster_beats(images())).errors == ()


def test_clear_error():
    top = tops("plain")
    beats = raster_beats(images())
    beats["last"][40] = 1
    result = rtl_stream(
        top.encoder_design, {"s_axis_video": beats}, {"m_axis_stream": ["data", "keep", "last"]},
        names="{stream}_t{signal}", watch=["error"], idle="idle", idle_clocks=64,
        config={"width": WIDTH, "height": HEIGHT, "images": 3, "clear_error": 1},
    )  # fmt: skip
    pulse = 1 << ENCODER_ERRORS.index("bad_marker")
    assert [value for _, value in result.changes["error"]] == [0, pulse, 0]
    found, rest = files_of(**result.outputs["m_axis_stream"], size=4)
    assert (found, rest) == (files(images()), b"")


class _Repaired(wiring.Component):
    """An encoder whose width is 0 until that has been reported."""

    def __init__(self) -> None:
        self._top = EncoderTop(tops("plain").config)
        ports = self._top.signature.members
        super().__init__({name: ports[name] for name in ports if name != "clear_error"})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.top = top = self._top
        for name, member in self.signature.members.items():
            inner, outer = getattr(top, name), getattr(self, name)
            if name == "width":
                bad = top.error[ENCODER_ERRORS.index("bad_size")]
                m.d.comb += inner.eq(Mux(bad, outer, 0))
            else:
                m.d.comb += (
                    inner.eq(outer) if member.flow is wiring.In else outer.eq(inner)
                )
        return m


@pytest.mark.slow
def test_next_frame_after_an_impossible_size():
    result = rtl_stream(
        _Repaired(), {"s_axis_video": raster_beats(images())},
        {"m_axis_stream": ["data", "keep", "last"]}, names="{stream}_t{signal}", idle="idle",
        idle_clocks=64, config={"width": WIDTH, "height": HEIGHT, "images": 2}, watch=["error"],
    )  # fmt: skip
    found, rest = files_of(**result.outputs["m_axis_stream"], size=4)
    assert (found, rest) == (files(images()[1:]), b"")
    assert result.status["error"] == 3
