"""Each step of the predictive trainer on a small synthetic image, and whole runs."""

from dataclasses import replace

import numpy as np
import pytest

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.training.data.datasets import DatasetError
from lutgen.training.predictive.boost import boost
from lutgen.training.predictive.config import PredictiveConfig
from lutgen.training.predictive.draw import Drawn, draw, early_of, logarithm_of
from lutgen.training.predictive.likelihood import bits, slopes
from lutgen.training.predictive.linear import grow_predictor
from lutgen.training.predictive.measure import bpp_of_files
from lutgen.training.predictive.newton import refit_trees
from lutgen.training.predictive.run import train_predictive_model
from lutgen.training.predictive.scale import fit_scale, log_spread
from lutgen.training.predictive.tables import count_tokens, tables
from lutgen.training.predictive.train import first_model, train_predictive

SMALL = PredictiveConfig(
    samples=20_000, predictors=6, corrections=2, scales=3, classes=24, rounds=1
)


def texture(seed: int, shape=(160, 200), depth: int = 8) -> np.ndarray:
    """Waves in two directions, under noise that is stronger on the right."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    turn = np.where((y // 40 + x // 50) % 2, x + y / 3, y - x / 4)
    value = 0.5 + 0.3 * np.sin(turn / 5 + seed)
    noise = rng.normal(0, 0.005, shape) * (1 + 6 * (x > shape[1] // 2))
    top = (1 << depth) - 1
    kind = np.uint8 if depth == 8 else np.uint16
    return np.clip(np.rint((value + noise) * top), 0, top).astype(kind)


@pytest.fixture(scope="module")
def drawn():
    return draw(first_model().kernel, [(texture(1), 8)], 20_000, 0)


@pytest.mark.parametrize("of_scale", [True, False])
def test_slopes_are_those_of_the_code_length(of_scale):
    residual = np.linspace(-9, 9, 41).astype(np.float32)
    for spread in (-1.0, 0.5, 2.0):
        for k, r in enumerate(residual):
            one, at = np.array([r]), np.full(1, spread, dtype=np.float32)
            slope, curve = np.zeros(1, np.float32), np.zeros(1, np.float32)
            slopes(one, at, of_scale, slope, curve)
            step = np.float32(0.01)
            if of_scale:
                ends = [bits(one, at + s) for s in (-step, step)]
            else:  # the location moves by a share of the spread: the residual the other way
                move = step * np.float32(np.exp(spread))
                ends = [bits(one + s, at) for s in (move, -move)]
            wanted = (ends[1] - ends[0]) / (2 * step) * np.log(2)
            assert slope[0] == pytest.approx(wanted, abs=0.02), (k, spread)
            assert curve[0] > 0


def test_bits_do_not_depend_on_threads():
    import numba

    rng = np.random.default_rng(0)
    residual = rng.normal(0, 3, 30_001).astype(np.float32)
    spread = np.ones_like(residual)
    before = numba.get_num_threads()
    found = set()
    try:
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            numba.set_num_threads(threads)
            found.add(bits(residual, spread))
    finally:
        numba.set_num_threads(before)
    assert len(found) == 1


@pytest.mark.slow
def test_scale_shortens_the_code(drawn):
    model = first_model()
    cost = [
        bits(drawn.error, log_spread(logarithm_of(m.kernel, drawn.quantity)))
        for m in (model, replace(model, scale=fit_scale(drawn, model.scale, 0)))
    ]
    assert cost[1] < cost[0] - 0.01


@pytest.mark.slow
def test_predictor_beats_one_leaf(drawn):
    weight = np.ones(len(drawn.sample), dtype=np.float32)
    early = early_of(first_model(), drawn)
    error = []
    for leaves in (1, 6):
        predictor = grow_predictor(drawn.quantity, drawn.value, weight, early, leaves)
        assert predictor.leaves == leaves
        model = replace(first_model(), predictor=predictor)
        again = draw(model.kernel, [(texture(1), 8)], 20_000, 0)
        error.append(float((again.error**2).mean()))
    assert error[1] < 0.95 * error[0]


@pytest.mark.slow
def test_trees_lower_the_bits(drawn):
    told = []
    corrections, scales = boost(first_model(), drawn, SMALL, told.append)
    assert (len(corrections), len(scales)) == (2, 3)
    assert len(told) == 5 and told == sorted(told, reverse=True)
    assert told[-1] < told[0] - 0.05


@pytest.mark.slow
def test_tables_add_up(drawn):
    start = replace(first_model(), origin=100)
    model = replace(start, cumulative=np.tile(start.cumulative[:1], (60, 1)))
    count = count_tokens(model, drawn)
    assert count.sum() == len(drawn.sample)
    table = tables(model, count)
    assert (table[:, -1] == 1 << 14).all() and (np.diff(table, axis=1) >= 1).all()


def test_training_beats_its_start_and_files_come_back():
    image = texture(2)
    model = train_predictive([(image, 8)], SMALL)
    start = first_model()
    begun = replace(start, origin=model.origin, cumulative=model.cumulative)
    assert bpp_of_files(model, [image]) < bpp_of_files(begun, [image]) - 0.1
    codec = PredictiveCodec(model, threads=1)
    assert np.array_equal(codec.decode(codec.encode(image))[0], image)


class Stopped(Exception):
    pass


@pytest.mark.slow
def test_a_stopped_run_goes_on_with_the_same_result(tmp_path):
    images = [texture(k, (64, 80)) for k in range(4)]
    path = tmp_path / "run.ckpt"
    told = []
    whole = train_predictive_model(
        images, SMALL, date="2026-01-02", progress=lambda *now: told.append(now)
    )
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert len({total for *_, total in told}) == 1
    assert all(done < total for _, done, total in told[:-1]) and told[-1][1] == told[-1][2]
    names = list(dict.fromkeys(step for step, *_ in told))
    for name in names[::3]:
        def stop(step, done, total, name=name):
            if step == name:
                raise Stopped

        with pytest.raises(Stopped):
            train_predictive_model(images, SMALL, checkpoint=path, progress=stop)
    again = train_predictive_model(images, SMALL, checkpoint=path, date="2026-01-02")
    assert again.hash == whole.hash and again.training == whole.training
    with pytest.raises(ValueError, match=f"^{path} must be of this run, but differs in config"):
        train_predictive_model(images, replace(SMALL, seed=1), checkpoint=path)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="must be a checkpoint of the predictive trainer"):
        train_predictive_model(images, SMALL, checkpoint=path)


@pytest.mark.slow
def test_whole_images_are_held_out_and_of_one_its_last_rows():
    images = [texture(k, (48, 60), depth=12) for k in range(3)]
    figures = train_predictive_model(images, SMALL).training["metrics"]
    assert figures["split"] == "1 of 3 images"
    assert 0 < figures["train"] < 12 and 0 < figures["held_out"] < 12
    figures = train_predictive_model(images[:1], SMALL).training["metrics"]
    assert figures["split"] == "rows 43 to 47 of the only image"
    alone = train_predictive_model(images, replace(SMALL, held_out=0.0)).training["metrics"]
    assert {*alone} == {"final"}


@pytest.mark.parametrize("images", [
    [np.zeros((9, 7), np.uint8)], [np.zeros((1, 1), np.uint8), np.ones((1, 1), np.uint8)],
    [np.full((1, 30), 65535, np.uint16)], [np.zeros((2, 1), np.uint8)],
], ids=["black", "two pixels", "white row", "one column"])
def test_small_and_flat_images_train(images):
    model = train_predictive_model(images, SMALL)
    codec = PredictiveCodec(model, threads=1)
    for image in images:
        assert np.array_equal(codec.decode(codec.encode(image))[0], image)


def test_refusals():
    with pytest.raises(DatasetError, match="at least two pixels"):
        train_predictive_model([np.zeros((1, 1), np.uint8)], SMALL)
    with pytest.raises(DatasetError, match="^images must be at least one image, not none$"):
        train_predictive_model([], SMALL)
    for wrong, message in (
        ({"samples": 10}, "samples must be 10000 to 67108864, not 10"),
        ({"held_out": 1}, "held_out must be 0 to below 1, not 1"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"network": "dlc"}, "network must be trees or gradient, not 'dlc'"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            PredictiveConfig(**wrong)


def test_corrections_learn_nothing_from_plain_surroundings():
    """There the median predicts alone, so no correction has a part in what is left."""
    start = train_predictive([(texture(2), 8)], SMALL)
    y, x = np.mgrid[:120, :160]
    blocks = (40 * (y // 12 % 3) + 60 * (x // 17 % 3)).astype(np.uint8)
    own = draw(start.kernel, [(blocks, 8)], 10_000, 0)
    own = Drawn(*(part[own.plain] for part in own))
    assert len(own.sample) > 5_000 and np.abs(own.error).max() > 30
    model = refit_trees(start, own, prior=1)
    assert np.array_equal(model.corrections.values, start.corrections.values)
    assert not np.array_equal(model.scales.values, start.scales.values)


def test_training_further_keeps_the_structure_and_gains_elsewhere():
    """From waves of one angle to others, turned and noisier."""
    start = train_predictive([(texture(2), 8)], SMALL)
    own = [np.ascontiguousarray(texture(k, (64, 160)).T[:, ::-1] // 2) for k in range(4)]
    config = replace(SMALL, augment=False)
    model = train_predictive_model(own, config, start=start)
    for part in ("corrections", "scales"):
        before, after = getattr(start, part), getattr(model, part)
        assert np.array_equal(before.feature, after.feature)
        assert np.array_equal(before.threshold, after.threshold)
    assert (model.features, model.scale, model.origin) == (
        start.features, start.scale, start.origin
    )
    assert np.array_equal(model.predictor.child, start.predictor.child)
    figures = model.training["metrics"]
    assert figures["held_out"] < figures["held_out_before"] - 0.02
    assert model.training["from"]["hash"] == start.hash
    # The more the old numbers count for, the less they move.
    heavy = train_predictive_model(own, replace(config, prior=1 << 26, held_out=0.0), start=start)
    assert np.array_equal(heavy.predictor.coefficients, start.predictor.coefficients)
    assert np.array_equal(heavy.scales.values, start.scales.values)
