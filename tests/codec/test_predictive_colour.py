"""The codec of colour: every image comes back, and what is no such image or file is refused."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, check_strips
from lutgen.codec.predictive.damage import DamagedStripsError
from lutgen.codec.predictive.planes import ORDERS, best_order, from_rows, order_of, to_rows
from lutgen.files.archive import read_archive, write_archive
from lutgen.model.header import VERSION_2
from lutgen.model.model import ModelError
from lutgen.model.predictive.colour import COLOUR_KIND, ColourModel
from tests.models import colour_model, predictive_model

MODEL = colour_model()
CODEC = PredictiveCodec(MODEL, threads=1)


def picture(seed: int, shape=(14, 150), channels: int = 3) -> np.ndarray:
    """Channels that have much in common."""
    rng = np.random.default_rng(seed)
    light = rng.integers(-3, 4, shape).cumsum(axis=0).cumsum(axis=1)[..., None]
    return (light // 4 + rng.integers(0, 5, (*shape, channels)) + 100).astype(np.uint8)


@settings(max_examples=150, deadline=None)
@given(
    st.data(), st.integers(2, 4), st.sampled_from([8, 10, 12, 16]), st.integers(1, 12),
    st.integers(0, 12), st.sampled_from([0, 0, 0, 1, 5, 100]),
)  # fmt: skip
def test_images_come_back(data, channels, depth, strip_height, tile_width, near):
    sides = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    count = data.draw(st.sampled_from([(), (2,)]))
    kind, most = (np.uint8 if depth == 8 else np.uint16), (1 << depth) - 1
    image = data.draw(arrays(
        kind, (*count, *sides, channels), elements=st.integers(0, most), fill=st.just(most // 3)
    ))  # fmt: skip
    order = data.draw(st.integers(0, 5)) if channels > 2 else 0
    file = CODEC.encode(
        image, depth=depth, near=near, strip_height=strip_height, tile_width=tile_width,
        channels=channels, order=data.draw(st.sampled_from([None, order])),
    )  # fmt: skip
    found = CODEC.decode(file)
    wanted = image if count else image[None]
    assert found.dtype == image.dtype and found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= near
    check_strips(file, Frame.unpack(file))


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_wide_images_in_groups_of_rows(channels):
    """Rows of all planes side by side, in groups that do not end where a pixel's planes do."""
    image = picture(channels, (15, 200), channels)
    for options in ({}, {"strip_height": 5}, {"near": 3}):
        file = CODEC.encode(image, channels=channels, **options)
        assert not Frame.unpack(file).tile_width
        error = np.abs(CODEC.decode(file)[0].astype(int) - image).max()
        assert error <= options.get("near", 0)


def test_planes_help_each_other():
    """Channels that are alike take little beside one of them."""
    gray = picture(1)[..., :1]
    alike = len(CODEC.encode(np.repeat(gray, 3, axis=2), channels=3))
    alone = len(CODEC.encode(gray[..., 0]))
    assert alike < 1.5 * alone


def test_gray_is_coded_by_the_first_plane():
    image = picture(2)[..., 0]
    first = PredictiveCodec(MODEL.planes[0], threads=1)
    mine, its = CODEC.encode(image), first.encode(image)
    end = VERSION_2["model hash"].end
    assert mine[end:-4] == its[end:-4]  # all but the hash, and the checksum over it
    np.testing.assert_array_equal(CODEC.decode(mine)[0], image)


def test_shift_and_threads():
    image = picture(3, (20, 130)).astype(np.uint16) << 4
    image[0, 0] = 255 << 4
    many = PredictiveCodec(MODEL, threads=3)
    done = []
    file = many.encode(image, channels=3, strip_height=6, progress=done.append)
    assert file == CODEC.encode(image, channels=3, strip_height=6)
    assert Frame.unpack(file).shift == 4 and sum(done) == image.size
    np.testing.assert_array_equal(many.decode(file)[0], image)
    strips = list(CODEC.strips(file))
    np.testing.assert_array_equal(np.concatenate([s.samples for s in strips]), image)


@pytest.mark.parametrize("number", range(len(ORDERS)))
def test_rows_of_planes_are_the_image(number):
    image = picture(4, (5, 7), 4)
    rows = to_rows(image, number)
    assert rows.shape == (20, 7)
    np.testing.assert_array_equal(rows[4 * 2 + 1], image[2, :, ORDERS[number][1]])
    np.testing.assert_array_equal(rows[3::4], image[..., 3])
    np.testing.assert_array_equal(from_rows(rows, 4, number), image)
    assert order_of(2, 0) == (0, 1)


def test_the_order_is_that_of_least_residuals():
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 100, (40, 50, 3)).astype(np.uint8)
    noise[..., 1] = noise[..., 2]  # green and blue are one, red is of its own
    smooth = noise.copy()
    smooth[..., 0] = 50  # red is the plain one
    assert best_order(noise) == 0
    assert ORDERS[best_order(smooth)][0] != 0  # what is plain says nothing about the others
    red = noise.copy()
    red[..., 1], red[..., 2] = noise[..., 0], rng.integers(0, 100, (40, 50))
    red[..., 0] = noise[..., 0] // 2 + red[..., 2] // 2
    assert ORDERS[best_order(red)][0] == 0  # it is between the two
    assert best_order(noise[:1]) == best_order(noise[:, :1]) == 0


@pytest.mark.parametrize(("array", "channels", "message"), [
    (np.zeros((2, 3), np.uint8), 3, "images must be uint8 or uint16, of shape (H, W, 3) or "
     "(N, H, W, 3), not uint8 of shape (2, 3)"),
    (np.zeros((2, 3, 4), np.uint8), 3, "images must be uint8 or uint16, of shape (H, W, 3) or "
     "(N, H, W, 3), not uint8 of shape (2, 3, 4)"),
    (np.zeros((2, 3, 3)), 3, "images must be uint8 or uint16, of shape (H, W, 3) or "
     "(N, H, W, 3), not float64 of shape (2, 3, 3)"),
    (np.zeros((2, 0, 3), np.uint8), 3, "images must have at least one pixel, not shape (2, 0, 3)"),
    (np.zeros((2, 3, 5), np.uint8), 5, "number of channels must be 1 to 4, not 5"),
])  # fmt: skip
def test_arrays_that_are_refused(array, channels, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        CODEC.encode(array, channels=channels)


def test_options_that_are_refused():
    with pytest.raises(ValueError, match="^order of 3 planes must be 0 to 5, not 6$"):
        CODEC.encode(picture(0), channels=3, order=6)
    with pytest.raises(ValueError, match="^order must be 0 to 5, not 8$"):
        CODEC.encode(picture(0, channels=4), channels=4, order=8)
    with pytest.raises(ValueError, match="^order of 2 planes must be 0 to 0, not 1$"):
        CODEC.encode(picture(0, channels=2), channels=2, order=1)
    with pytest.raises(ValueError, match="^images must be gray with the model predictive, not col"):
        PredictiveCodec(predictive_model()).encode(picture(0), channels=3)


@pytest.mark.parametrize(("value", "message"), [
    (0, "number of channels must be 1 to 4, not 0"),
    (5, "number of channels must be 1 to 4, not 5"),
    (0x63, "order of 3 planes must be 0 to 5, not 6"), (0x11, "order of 1 planes must be 0 to 0"),
])  # fmt: skip
def test_headers_that_break_a_rule(value, message):
    data = VERSION_2["channels"].put(CODEC.encode(picture(0), channels=3), value)
    with pytest.raises(CorruptStreamError, match=f"^stream header: {re.escape(message)}"):
        Frame.unpack(data)


def test_colour_in_a_file_of_a_gray_model():
    gray = PredictiveCodec(predictive_model(), threads=1)
    data = VERSION_2["channels"].put(gray.encode(picture(0)[..., 0]), 3)
    with pytest.raises(CorruptStreamError, match="^images must be gray with the model predictive"):
        gray.decode(data)


@pytest.mark.parametrize("layout", [{"strip_height": 4, "tile_width": 0},
                                    {"strip_height": 4, "tile_width": 5}])
def test_a_changed_byte_never_gives_another_image(layout):
    image = picture(6, (9, 8), 4)
    data = CODEC.encode(image, channels=4, **layout)
    frame = Frame.unpack(data)
    index = len(data) - 4 * frame.strips - 4
    for at in range(len(data)):
        for value in (1, 3, 16, 64, 128, 255):
            bad = data[:at] + bytes([data[at] ^ value]) + data[at + 1 :]
            try:
                found = CODEC.decode(bad)
            except (CorruptStreamError, ValueError):
                continue
            assert at >= index  # strips are found without it
            np.testing.assert_array_equal(found[0], image)
    for size in range(len(data)):
        with pytest.raises(CorruptStreamError):
            CODEC.decode(data[:size])


def test_damage_leaves_the_other_strips():
    image = picture(7, (12, 140))
    data = bytearray(CODEC.encode(image, channels=3, strip_height=4))
    data[40] ^= 1
    with pytest.raises(DamagedStripsError) as caught:
        CODEC.decode(bytes(data))
    assert caught.value.damaged == (0,)
    np.testing.assert_array_equal(caught.value.images[0, 4:], image[4:])
    assert not caught.value.images[0, :4].any()


@pytest.mark.parametrize("images", [1, 1 << 16, (1 << 32) - 1])
@pytest.mark.parametrize("tile", [0, 64])
def test_a_header_alone_allocates_nothing(images, tile):
    frame = Frame.unpack(CODEC.encode(picture(0), channels=3)).pack()
    for name, value in (("image width", 65535), ("image height", 65535), ("images", images),
                        ("tile width", tile)):  # fmt: skip
        frame = VERSION_2[name].put(frame, value)
    with pytest.raises(CorruptStreamError, match="must have at least .* but is cut short"):
        CODEC.decode(frame + bytes(5000))


# --- the model file


def test_the_model_comes_back(tmp_path):
    MODEL.save(tmp_path / "c.lutgen")
    found = ColourModel.load(tmp_path / "c.lutgen")
    assert found.hash == MODEL.hash and found.training == MODEL.training
    assert found.with_training({}).hash == MODEL.hash
    data = CODEC.encode(picture(8), channels=3)
    np.testing.assert_array_equal(PredictiveCodec(found).decode(data)[0], picture(8))
    assert [plane["features"] for plane in found.stats()["planes"]] == [
        len(plane.features) for plane in MODEL.planes
    ]


def test_models_that_are_refused(tmp_path):
    one, two, three = MODEL.planes
    for planes in ((one, two), (one, one, one), (one, three, two), (two, two, three)):
        with pytest.raises(ModelError, match="^planes must know 0, 1, 2 planes before them, not"):
            ColourModel(planes)
    path = tmp_path / "c.lutgen"
    MODEL.save(path)
    meta, arrays = read_archive(path, COLOUR_KIND, 1)
    for change in (
        {"planes": []}, {"planes": None}, {"planes": meta["model"]["planes"][:2]},
        {"planes": [3, 4, 5]},
    ):
        write_archive(path, COLOUR_KIND, 1, {**meta, "model": change}, arrays)
        with pytest.raises(ModelError, match="c.lutgen"):
            ColourModel.load(path)
    for name in ("1.predictor.coefficients", "2.cumulative", "0.scales.values"):
        write_archive(path, COLOUR_KIND, 1, meta, {k: a for k, a in arrays.items() if k != name})
        with pytest.raises(ModelError, match="c.lutgen"):
            ColourModel.load(path)
        write_archive(path, COLOUR_KIND, 1, meta, {**arrays, name: arrays[name][:, :-1]})
        with pytest.raises(ModelError, match="c.lutgen"):
            ColourModel.load(path)


def test_coefficients_of_reference_planes_follow_no_level():
    plane = MODEL.planes[1]
    wrong = plane.predictor.coefficients.copy()
    wrong[0, -3] += 1
    with pytest.raises(ValueError, match="^coefficients of a reference plane must add up to 0"):
        type(plane.predictor)(plane.predictor.feature, plane.predictor.threshold,
                              plane.predictor.child, wrong)  # fmt: skip
    own = predictive_model()
    with pytest.raises(ModelError, match="^terms of a model of 0 reference planes must be of"):
        type(own)(plane.features, own.scale, own.predictor, own.corrections, own.scales, own.origin,
                  own.cumulative)  # fmt: skip
