import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from lutgen.compare.bicubic import bicubic
from lutgen.errors import InputError
from lutgen.model.pyramid import pool, pyramid
from lutgen.training.baselines.baseline import BaselineError
from lutgen.training.baselines.commands import main
from lutgen.training.baselines.density import FLOOR, code_length, laplace_cdf, logistic_mixture_cdf
from lutgen.training.baselines.files import load
from lutgen.training.baselines.fit import FitConfig, fit
from lutgen.training.baselines.ic_mlp import ICMLP, ICMLPConfig
from lutgen.training.baselines.srec import SReC, SReCConfig
from lutgen.training.data.datasets import DatasetError, load_images


def _ic_mlp(levels):
    torch.manual_seed(levels)
    return ICMLP(ICMLPConfig(levels=levels, parameters=3000))


def _srec(levels):
    torch.manual_seed(levels)
    return SReC(SReCConfig(levels=levels, channels=6, blocks=1, components=4))


MODELS = {
    "ic-mlp 0": lambda: _ic_mlp(0),
    "ic-mlp 2": lambda: _ic_mlp(2),
    "srec 1": lambda: _srec(1),
    "srec 3": lambda: _srec(3),
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def _noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# Bicubic upsampling


def test_bicubic_keeps_a_ramp_in_place():
    """A pixel at position x has the value 8 x + 20: its pooled image lies at 2 i + 1/2."""
    low = np.tile((16 * np.arange(12) + 24).astype(np.uint8), (10, 1))
    high = bicubic(low, 20, 24)
    want = np.tile(8 * np.arange(24) + 20, (20, 1))
    np.testing.assert_array_equal(high[:, 4:-4], want[:, 4:-4])
    np.testing.assert_array_equal(bicubic(low.T.copy(), 24, 20), high.T)
    np.testing.assert_array_equal(pool(high)[:, 2:-2], low[:, 2:-2])


def test_bicubic_by_hand():
    """Keys' kernel at 1/4, 3/4, 5/4 and 7/4 of a pixel, twice: (111, 29, -9, -3) / 128."""
    low = np.zeros((5, 5), dtype=np.uint8)
    low[2, 2] = 255
    taps = np.array([-0.0234375, -0.0703125, 0.2265625, 0.8671875])
    taps = np.concatenate([[0], taps, taps[::-1], [0]])
    want = np.clip(np.floor(255 * np.outer(taps, taps) + 0.5), 0, 255)
    np.testing.assert_array_equal(bicubic(low, 10, 10), want)


def test_bicubic_shapes():
    low = _noise((2, 3, 4, 5))
    high = bicubic(low, 7, 9)
    assert high.shape == (2, 3, 7, 9) and high.dtype == np.uint8
    np.testing.assert_array_equal(high, bicubic(low, 8, 10)[..., :7, :9])
    np.testing.assert_array_equal(high[1, 2], bicubic(low[1, 2], 7, 9))
    np.testing.assert_array_equal(bicubic(np.full((1, 1), 7, np.uint8), 1, 2), [[7, 7]])
    with pytest.raises(ValueError, match=r"^pooled image of 6 x 9 must be 3 x 5, not 4 x 5$"):
        bicubic(low, 6, 9)
    with pytest.raises(ValueError, match=r"^pooled image must be uint8 of shape"):
        bicubic(low.astype(float), 8, 10)


# Densities


@pytest.mark.parametrize("mu", [0.0, 0.3, 99.5, 255.0])
@pytest.mark.parametrize("log_scale", [-4.0, 0.0, 6.0])
def test_density_is_one_and_has_a_floor(mu, log_scale):
    x = torch.arange(256.0)
    p = torch.exp2(
        -code_length(x, lambda t: laplace_cdf(t, torch.tensor(mu), torch.tensor(log_scale)))
    )
    assert p.sum() == pytest.approx(1, abs=1e-4) and p.min() >= FLOOR * (1 - 1e-4)

    def below(t):  # the textbook's
        t = (t - mu) / math.exp(log_scale)
        return 0.5 * math.exp(t) if t < 0 else 1 - 0.5 * math.exp(-t)

    edges = [0.0, *(below(v + 0.5) for v in range(255)), 1.0]
    want = (1 - 256 * FLOOR) * np.diff(edges) + FLOOR
    np.testing.assert_allclose(p, want, atol=1e-6)


def test_mixture_within_bounds():
    generator = torch.Generator().manual_seed(0)
    logits, mu, log_scale = torch.randn(3, 5, generator=generator)
    weights, x = torch.softmax(logits, dim=0), torch.arange(10.0, 21.0)
    bits = code_length(x, lambda t: logistic_mixture_cdf(t, weights, 255 * mu, log_scale), 10, 20)
    assert torch.exp2(-bits).sum() == pytest.approx(1, abs=1e-5)
    sure = code_length(x[:1], lambda t: logistic_mixture_cdf(t, weights, mu, log_scale), 10, 10)
    assert sure.item() == pytest.approx(0, abs=1e-6)


# Both codecs


@every_model
@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 7, 9), (1, 1, 1), (1, 2, 5)])
def test_probabilities_are_what_is_coded(make, shape):
    baseline = make()
    planes = pyramid(_noise(shape), baseline.config.levels)
    for plane, pmf, bits in zip(
        planes, baseline.pmfs(planes), baseline.code_lengths(planes), strict=True
    ):
        np.testing.assert_allclose(pmf.sum(axis=-1), 1, atol=2e-4)
        coded = np.take_along_axis(pmf, plane[..., None].astype(int), axis=-1)[..., 0]
        np.testing.assert_allclose(-np.log2(coded), bits, atol=1e-3)
        assert bits.shape == plane.shape and (coded >= FLOOR * (1 - 1e-3)).all()


def _order(baseline, planes):
    """Number of each pixel in coding order, coarsest level first, and the same for all in parallel.

    Raster order for IC-MLP; for SReC one number for all pixels at the same place of their blocks.
    """
    out, start = [], 0
    for plane in planes[::-1]:
        _, height, width = plane.shape
        y, x = np.mgrid[:height, :width]
        raster = isinstance(baseline, ICMLP)
        out.append(start + (y * width + x if raster else 2 * (y % 2) + x % 2))
        start += plane[0].size
    return out[::-1]


@every_model
@pytest.mark.parametrize("side", [8, 7])
def test_no_probability_depends_on_what_comes_later(make, side):
    """Some pixels of a block change, its average does not, so coarser levels stay as they were."""
    baseline = make()
    levels = baseline.config.levels
    random = np.random.default_rng(1)
    image = random.integers(60, 190, (1, side, side), dtype=np.uint8)
    planes = pyramid(image, levels)
    order = _order(baseline, planes)
    # All in one stack, as sums in another order are not the same to the last bit.
    images = [image[0]]
    for _ in range(40):
        y, x = 2 * random.integers(side // 2, size=2)
        other = image[0].copy()
        block = other[y : y + 2, x : x + 2]
        block[:] = random.permutation(block.reshape(-1)).reshape(2, 2)
        images.append(other)
    images = np.stack(images)
    stacks = pyramid(images, levels)
    assert all((stack == plane).all() for stack, plane in zip(stacks[1:], planes[1:], strict=True))
    pmfs = baseline.pmfs(stacks)
    depends = 0
    for k in range(1, len(images)):
        differs = images[k] != images[0]
        first = order[0][differs].min(initial=1 << 30)
        for level, pmf in enumerate(pmfs):
            early = order[level] <= first
            np.testing.assert_allclose(pmf[k][early], pmf[0][early], atol=2e-6)
        depends += np.abs(pmfs[0][k] - pmfs[0][0]).max() > 1e-4
    assert depends > 20


def test_coarse_pixels_only_matter_to_themselves_and_finer_ones():
    baseline = _ic_mlp(2)
    planes = pyramid(_noise((1, 12, 12)), 2)
    changed = [plane.copy() for plane in planes]
    changed[1][0, 2, 3] ^= 0x55
    before, after = baseline.pmfs(planes), baseline.pmfs(changed)
    np.testing.assert_array_equal(before[2], after[2])
    np.testing.assert_array_equal(before[1][0, :2], after[1][0, :2])
    np.testing.assert_array_equal(before[1][0, 2, :4], after[1][0, 2, :4])
    assert (before[1][0, 2, 4] != after[1][0, 2, 4]).any()
    assert (before[0] != after[0]).any()


@every_model
def test_the_average_bounds_the_pixels(make):
    """An all-black coarse pixel leaves two values to SReC, all to IC-MLP."""
    baseline = make()
    levels = baseline.config.levels
    pmf = baseline.pmfs(pyramid(np.zeros((1, 8, 8), np.uint8), levels))[0]
    possible = (pmf > 0).sum(axis=-1)
    assert (possible == (256 if isinstance(baseline, ICMLP) else 2)).all()


@every_model
def test_bits_of_any_images(make):
    baseline = make()
    images = [_noise((8, 8)), _noise((5, 3)), _noise((8, 8), seed=1)]
    bits = baseline.bits(images)
    assert list(bits) == list(range(baseline.config.levels + 1))
    alone = [baseline.bits([image]) for image in images]
    for level, total in bits.items():
        assert total == pytest.approx(sum(one[level] for one in alone), rel=1e-5)
    assert baseline.bits(np.stack(images[::2])) == pytest.approx(baseline.bits(images[::2]))
    with pytest.raises(DatasetError, match="must be 8-bit gray"):
        baseline.bits([images[0].astype(float)])


def test_ic_mlp_is_as_large_as_the_lut_networks():
    baseline = ICMLP()
    for network in (baseline.arm, baseline.ups):
        count = sum(p.numel() for p in network.parameters())
        assert 0.9 * 2 * 1024 * 64 < count <= 2 * 1024 * 64
    assert ICMLP(ICMLPConfig(levels=0)).ups is None


def test_upsampling_is_whole_and_local():
    baseline = _ic_mlp(1)
    low = _noise((2, 4, 5))
    high = baseline.upsample(low, 7, 10)
    assert high.shape == (2, 7, 10) and high.dtype == np.uint8
    changed = low.copy()
    changed[1, 0, 0] ^= 0xFF
    differs = baseline.upsample(changed, 7, 10) != high
    assert not differs[0].any() and not differs[1, 6:].any() and not differs[1, :, 6:].any()
    assert differs.any()
    with pytest.raises(InputError, match="^levels must be above 0"):
        _ic_mlp(0).upsample(low, 7, 10)


def test_empty_windows_are_merged_without_a_difference():
    """The loss that training sees is the sum of the code lengths of `code_lengths`."""
    image = np.zeros((2, 12, 14), np.uint8)
    image[1, 4:9, 3:11] = _noise((5, 8))
    for make in MODELS.values():
        baseline = make()
        loss = baseline.phases()[-1].loss(image).item()
        assert loss == pytest.approx(sum(baseline.bits(image).values()), rel=1e-5)


def test_ups_loss_is_the_squared_error():
    baseline = _ic_mlp(2)
    image = _noise((2, 9, 8))
    loss = baseline.phases()[0].loss(image).item()
    planes = pyramid(image, 2)
    total = 0
    for high, low in zip(planes, planes[1:], strict=False):
        with torch.no_grad():
            blocks = baseline._blocks(low).numpy()
        for y, x in np.ndindex(high.shape[1:]):
            got = blocks[:, y // 2, x // 2, y % 2, x % 2]
            total += np.square(got.astype(float) - high[:, y, x]).sum()
    assert loss == pytest.approx(total * 72 / (72 + 20), rel=1e-5)


# Training


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda: _ic_mlp(2), lambda: _ic_mlp(0), lambda: _srec(2)])
def test_training_learns_and_repeats(make, images):
    lines, phases = [], []

    def train():
        return fit(
            make(), images[:40], FitConfig(steps=60, batch=4, rate=0.02, orientations=8),
            names=("glyphs",), log=lines.append, date="2000-01-01",
            progress=lambda phase, done, loss: phases.append(phase),
        )  # fmt: skip

    before = sum(make().bits(images[40:60]).values())
    trained = train()
    bits = trained.bits(images[40:60])
    assert sum(bits.values()) < 0.9 * before
    record = trained.record
    assert json.loads(json.dumps(record)) == record
    assert record["data"]["images"] == 40 and record["config"]["seconds"] is None
    names = [phase.name for phase in trained.phases()]
    assert [phase["phase"] for phase in record["phases"]] == list(dict.fromkeys(phases)) == names
    assert [(line["phase"], line["step"]) for line in lines] == [
        (name, step) for name in names for step in (50, 60)
    ]
    assert train().bits(images[40:60]) == bits


def test_time_limit(images):
    trained = fit(_ic_mlp(2), images[:8], FitConfig(steps=10**6, batch=2, seconds=0.4))
    ups, arm = trained.record["phases"]
    assert 0.04 <= ups["cpu_seconds"] < 5 and 0.36 <= arm["cpu_seconds"] < 5


@pytest.mark.parametrize("values, message", [
    ({"steps": 0}, r"^steps must be a whole number from 1, not 0$"),
    ({"batch": 1.5}, r"^batch must be a whole number from 1, not 1.5$"),
    ({"rate": 0}, r"^rate must be above 0, not 0$"),
    ({"seconds": -1.0}, r"^seconds must be above 0, not -1.0$"),
    ({"schedule": "step"}, r"^schedule must be cosine or constant, not 'step'$"),
    ({"orientations": 3}, r"^orientations must be 1, 2, 4 or 8, not 3$"),
])
def test_fit_config(values, message):
    with pytest.raises(ValueError, match=message):
        FitConfig(**values)


@pytest.mark.parametrize("make, message", [
    (lambda: ICMLPConfig(levels=4), r"^levels must be 0 to 3, not 4$"),
    (lambda: ICMLPConfig(window=4), r"^window must be 3, 5 or 7, not 4$"),
    (lambda: ICMLPConfig(parameters=10), r"^parameters must be 1000 to 16777216, not 10$"),
    (lambda: SReCConfig(levels=0), r"^levels must be 1 to 3, not 0$"),
    (lambda: SReCConfig(components=1), r"^components must be 2 to 64, not 1$"),
])
def test_size_config(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name, bpp", [("ic-mlp-emnist", 2.297), ("srec-emnist", 1.917)])
def test_trained_weights(data, name, bpp):
    """The weights that benches use, on images they were not trained on; bpp is of all 1,000."""
    baseline = load(Path(__file__).parents[3] / "bench" / "models" / f"{name}.npz")
    images = load_images(data / "emnist_digits.npz", split="val")[:100]
    bits = sum(baseline.bits(images).values())
    assert bits / sum(image.size for image in images) == pytest.approx(bpp, rel=0.03)


# Files and the program


@every_model
def test_file(make, tmp_path):
    baseline = make()
    baseline.record = {"date": "2000-01-01"}
    baseline.save(tmp_path / "b.npz")
    again = load(tmp_path / "b.npz")
    assert type(again) is type(baseline) and again.config == baseline.config
    assert again.record == baseline.record
    image = _noise((1, 9, 8))
    assert again.bits(image) == baseline.bits(image)


def test_damaged_files(tmp_path):
    path = tmp_path / "b.npz"
    _srec(1).save(path)
    data = path.read_bytes()
    for wrong in (b"", b"no", data[: len(data) // 2], data[:300] + bytes(99) + data[399:]):
        path.write_bytes(wrong)
        with pytest.raises(BaselineError, match=r"b\.npz must be the weight file of a baseline"):
            load(path)
    np.savez(path, train=np.zeros(3))
    with pytest.raises(BaselineError, match=r"b\.npz must be the weight file of a baseline"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.npz")


@pytest.mark.parametrize("arguments, levels", [
    (["ic-mlp", "--levels", "1"], 2),
    (["srec", "--levels", "2", "--channels", "4"], 3),
])
def test_program(arguments, levels, tmp_path):
    out = tmp_path / "b.npz"
    more = ["--data", "glyphs:6", "--data", "glyphs:6:1", "--steps", "3", "--batch", "2"]
    result = CliRunner().invoke(main, [*arguments, *more, "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert "on training images after 3 steps" in result.output
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 3
    assert load(out).record["data"]["images"] == 12
    result = CliRunner().invoke(main, ["eval", str(out), "--data", "glyphs:5"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output)["glyphs:5"]
    assert figures["images"] == 5 and len(figures["levels"]) == levels
    assert figures["bpp"] == pytest.approx(sum(figures["levels"].values()))


def test_program_tells_what_is_wrong(tmp_path):
    out = str(tmp_path / "b.npz")
    for arguments, message in (
        (["ic-mlp", "--data", "glyphs:6", "--batch", "0", "-o", out], "batch must be a whole"),
        (["srec", "--data", "absent", "-o", out], "data must be an existing file"),
        (["eval", out, "--data", "glyphs:5"], "No such file"),
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 1 and message in result.output
