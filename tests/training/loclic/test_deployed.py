"""Real bytes: the same symbols from any machine, whatever the size; errors of files."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from lutgen.cli import main
from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.lossy.interleaved import encode_interleaved
from lutgen.codec.lossy.model import LossyModelFile, load_tables
from lutgen.codec.lossy.residuals import ResidualReader
from lutgen.formats.colour import read_colour
from lutgen.training.loclic.deployed import DeployedCodec
from lutgen.training.loclic.export import export_codec
from lutgen.training.loclic.files import decode_image, encode_image, image_tensor
from lutgen.training.loclic.float_codec import FloatCodec
from lutgen.training.loclic.initial import begin_linear, begin_remainder
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.store import save_codec

TINY = CodecConfig(source="test", widths=(8, 8, 8), latent=16, slices=2)


def picture(height, width, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [128 + 90 * np.sin(x / (9 + k) + y / (14 - k) + k) for k in range(3)]
    return np.clip(np.stack(waves, 2) + rng.normal(0, 6, (height, width, 3)), 0, 255).astype(
        np.uint8
    )


#: The same with all channels of blocks of what is left.
WHOLE = replace(TINY, remainder=768)


def untrained(config=TINY):
    """A codec whose shared networks have weights that no version of torch changes."""
    torch.manual_seed(7)
    network = Codec(config).eval()
    rng = np.random.default_rng(7)
    with torch.no_grad():
        for part in (network.hyper_synthesis, network.entropy_model):
            for parameter in part.parameters():
                spread = 0.7 / max(1, parameter[0].numel()) ** 0.5
                values = rng.normal(0, spread, tuple(parameter.shape)).astype(np.float32)
                parameter.copy_(torch.from_numpy(values))
        network.prior.quantiles.copy_(torch.tensor([-10.0, 0.25, 10.0]).repeat(8, 1))
    return network


@pytest.fixture(scope="module")
def trained():
    """A codec that does something with images."""
    network = untrained()
    begin_linear(network, image_tensor(picture(64, 128)), 0.013)
    return network


@pytest.fixture(scope="module")
def whole():
    """The same codec with a remainder, trained and exported."""
    network, x = untrained(WHOLE), image_tensor(picture(64, 128))
    begin_linear(network, x, 0.013)
    begin_remainder(network, x, 0.013, 0.25)
    return network, export_codec(network, {}, [picture(64, 64, 1)])


@pytest.fixture(scope="module")
def model(trained):
    return export_codec(trained, {"note": "test"}, [picture(64, 64, 1)])


@pytest.fixture(scope="module")
def codec(model):
    return DeployedCodec(model)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (1, 1), (65, 130), (40, 200)])
def test_any_size(codec, height, width):
    image = picture(height, width)
    data = encode_image(codec, image)
    out = decode_image(codec, data)
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    # What a decoder gives is what the encoder believes it gives.
    again = decode_image(codec, data)
    assert np.array_equal(out, again)
    if height > 1:
        error = np.square(out.astype(float) - image).mean()
        assert error < np.square(image - image.mean()).mean() / 4


def test_steps_trade_size_for_quality(codec):
    image = picture(64, 128)
    found = []
    for step in (8, 16, 24):
        data = encode_image(codec, image, step)
        error = np.square(decode_image(codec, data).astype(float) - image).mean()
        found.append((len(data), error))
    assert found[0][0] > found[1][0] > found[2][0]
    assert found[0][1] <= found[1][1] < found[2][1]


def test_remainder(codec, whole):
    """What channels and transforms cannot tell is told behind them, as well as steps allow."""
    image = picture(70, 130, 4)
    more = DeployedCodec(whole[1])
    for step, factor in ((0, 0.25), (8, 0.5)):
        errors, sizes = [], []
        for one in (codec, more):
            data = encode_image(one, image, step)
            errors.append(np.square(decode_image(one, data).astype(float) - image).mean())
            sizes.append(len(data))
        # Of the pixels' variance of a step, a twelfth of its square; and of 8 bits.
        pixels = factor**2 * 18 / (0.013 * np.log(2)) / 12
        assert errors[1] < min(1.3 * pixels + 1 / 12, errors[0])
        assert sizes[1] > sizes[0]
    z = more.compress(image_tensor(image))
    assert more.decode_latent(z["strings"], z["shape"]).shape == (1, 16 + 768, 8, 12)
    assert codec.decode_latent(**codec.compress(image_tensor(image))).shape == (1, 16, 8, 12)


@pytest.mark.parametrize("kind", ["plain", "remainder"])
@pytest.mark.parametrize("step", [0.5, 1, 2])
def test_steps_of_training_are_those_of_files(trained, model, whole, kind, step):
    network, file = (trained, model) if kind == "plain" else whole
    floats = FloatCodec(network, file)
    x = image_tensor(picture(128, 192, 3))
    data = floats.compress(x, int(4096 * step), thrift=0)
    decoded = floats.decompress(**data, step=int(4096 * step))["x_hat"]
    with torch.no_grad():
        out = network(x, step=torch.full((1, 1, 1, 1), float(step)))
    # Values half-way between steps may go either way.
    assert (decoded - out["x_hat"]).abs().median() < 1e-5
    bits = -sum(v.log2().sum().item() for v in out["likelihoods"].values())
    assert bits == pytest.approx(8 * len(data["strings"][0]), rel=0.15)


def test_decoder_follows_the_encoder(codec):
    """Every class that the decoder computes is the encoder's, symbol by symbol."""
    x = image_tensor(picture(128, 192))
    sent = []

    class Sink:
        def code(self, classes, residuals):
            sent.append((classes, residuals))

    shape = codec.analyse(x, Sink())
    read = []
    original = ResidualReader.code

    def spy(self, classes):
        residuals = original(self, classes)
        read.append((classes, residuals))
        return residuals

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResidualReader, "code", spy)
        strings = codec.compress(x)["strings"]
        codec.decompress(strings, shape)
    assert len(sent) == len(read) == 1 + 2 * TINY.slices
    for a, b in zip(sent, read, strict=True):
        assert np.array_equal(a[0], b[0])
        assert np.array_equal(a[1], b[1])


#: Of classes and values that a decoder computed once, and must compute everywhere.
GOLDEN = "fc440b8adb66e6cd"


def test_golden_stream():
    """Integer networks give the classes that they gave on the machine of this test's author."""
    codec = DeployedCodec(export_codec(untrained(), {}))
    rng = np.random.default_rng(11)
    z = rng.integers(-3, 4, (1, 8, 2, 3)).astype(np.float64)
    residuals = rng.integers(-2, 3, (2 * TINY.slices, 8 * 8 * 12)).astype(np.int64)
    digest = hashlib.sha256()
    calls = iter(residuals)

    def code(index, cells, scales, means):
        classes = codec._classes(scales, cells, 4096)
        digest.update(classes.astype("<i2").tobytes())
        values = next(calls)[: classes.size]
        return codec._placed(values, cells, means) * 4096 + means

    with torch.no_grad():
        y, *_ = codec._walk(torch.from_numpy(z * 4096), code)
    digest.update(y.numpy().astype("<i8").tobytes())
    assert digest.hexdigest()[:16] == GOLDEN


def test_threads_do_not_matter(codec):
    data = codec.compress(image_tensor(picture(128, 128)))
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 8):
            torch.set_num_threads(count)
            found.append(codec.decode_latent(data["strings"], data["shape"]))
    finally:
        torch.set_num_threads(threads)
    assert found[0].shape == (1, 16, 8, 8)
    assert all(torch.equal(y, found[0]) for y in found)


def test_integers_cost_little(trained, model, codec):
    image = picture(128, 192, 3)
    floats = FloatCodec(trained, model)
    data = encode_image(floats, image)
    assert abs(len(encode_image(codec, image)) / len(data) - 1) < 0.02
    assert decode_image(floats, data).shape == image.shape


def test_counting_saves(trained):
    """Tables of counted residuals beat those of the normal distribution on such images."""
    plain = DeployedCodec(export_codec(trained, {}))
    counted = DeployedCodec(export_codec(trained, {}, [picture(128, 128, k) for k in range(4)]))
    image = picture(128, 128, 9)
    assert len(encode_image(counted, image)) < len(encode_image(plain, image))


@pytest.mark.parametrize("bits", [8, 16])
def test_model_file(trained, tmp_path, bits):
    model = export_codec(trained, {"note": "test"}, bits=bits)
    model.write(tmp_path / "m.loclic")
    again = LossyModelFile.read(tmp_path / "m.loclic")
    assert again.hash == model.hash
    assert again.meta["training"] == {"note": "test"}
    tables, digest = load_tables(tmp_path / "m.loclic")
    assert (tables.classes, digest) == (66 + 8, model.hash)
    image = picture(64, 64)
    assert encode_image(DeployedCodec(again), image) == encode_image(DeployedCodec(model), image)
    with pytest.raises(ValueError, match="^weight bits must be 8 or 16, not 4$"):
        export_codec(trained, {}, bits=4)


def test_model_errors(model):
    arrays = dict(model.arrays)
    for name in ("prior.medians", "functions.exp", "entropy_model.slices.0.merge"):
        kept = {k: v for k, v in arrays.items() if not k.startswith(name)}
        if len(kept) == len(arrays):
            continue
        with pytest.raises(ValueError, match="^model must hold the arrays of its configuration"):
            DeployedCodec(LossyModelFile(model.meta, kept))
    large = next(k for k in arrays if k.endswith(".shift"))
    with pytest.raises(ValueError, match="shifts must be within"):
        DeployedCodec(LossyModelFile(model.meta, arrays | {large: arrays[large] * 0 + 90}))


def test_stream_errors(trained, codec):
    data = encode_image(codec, picture(64, 64))
    with pytest.raises(CorruptStreamError, match="damaged"):
        decode_image(codec, data[:-1])
    other = DeployedCodec(export_codec(trained, {"note": "other"}))
    with pytest.raises(ModelMismatchError, match="must be decoded with the model of hash"):
        decode_image(other, data)
    rng = np.random.default_rng(0)
    strings = codec.compress(image_tensor(picture(64, 64)))["strings"]
    for _ in range(10):
        damaged = bytearray(strings[0])
        damaged[rng.integers(0, len(damaged))] ^= 1 << rng.integers(0, 8)
        try:
            codec.decompress([bytes(damaged)], (1, 1))
        except CorruptStreamError:
            pass
    with pytest.raises(ValueError, match=r"^image must be uint8 of shape \(H, W, 3\)"):
        encode_image(codec, picture(64, 64)[..., 0])


def command(*arguments):
    result = CliRunner().invoke(main, ["loclic", *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_commands(trained, tmp_path):
    save_codec(tmp_path / "t.pt", trained, {"note": "test"})
    Image.fromarray(picture(70, 90)).save(tmp_path / "in.png")
    status, stdout, stderr = command(
        "export", tmp_path / "t.pt", "--data", tmp_path / "in.png", "-o", tmp_path / "m.loclic"
    )
    assert (status, stdout) == (0, ""), stderr
    assert "tables of 1 pictures" in stderr
    options = ("--model", tmp_path / "m.loclic")
    status, stdout, stderr = command(
        "compress", tmp_path / "in.png", tmp_path / "x.loc", *options, "--step", 2,
        "--record", tmp_path / "r.npz",
    )  # fmt: skip
    assert (status, stdout) == (0, "")
    assert "90 x 70, 18900 -> " in stderr
    status, stdout, _ = command("decompress", tmp_path / "x.loc", tmp_path / "o.png", *options)
    assert status == 0
    assert read_colour(tmp_path / "o.png").shape == (70, 90, 3)
    with np.load(tmp_path / "r.npz") as record:
        assert record["classes"].shape == record["symbols"].shape
        tables = load_tables(tmp_path / "m.loclic")[0]
        payload = encode_interleaved(tables, record["classes"], record["symbols"])
        assert payload == record["payload"].tobytes()
    status, _, stderr = command("decompress", tmp_path / "in.png", tmp_path / "o.png", *options)
    assert status == 1
    assert "must begin with LOC" in stderr
    for ending in (".webp", ".jpg", ".gif", ""):  # which lose something, or say nothing
        out = tmp_path / f"lossy{ending}"
        status, _, stderr = command("decompress", tmp_path / "x.loc", out, *options)
        assert status == 2 and not out.exists()
        assert "must end in .png, .ppm, .bmp, .tif, .tiff, which lose nothing, not in " in stderr
    wanted = read_colour(tmp_path / "o.png")
    for ending in (".ppm", ".bmp", ".tif"):
        out = tmp_path / f"o{ending}"
        assert command("decompress", tmp_path / "x.loc", out, *options)[0] == 0
        np.testing.assert_array_equal(read_colour(out), wanted)
    # Standard input and output.
    data = (tmp_path / "in.png").read_bytes()
    coded = CliRunner().invoke(
        main, ["loclic", "compress", "-", "-", *map(str, options), "--step", "2"], input=data
    )
    assert coded.stdout_bytes == (tmp_path / "x.loc").read_bytes()
    decoded = CliRunner().invoke(
        main, ["loclic", "decompress", "-", "-", *map(str, options)], input=coded.stdout_bytes
    )
    assert decoded.stdout_bytes == (tmp_path / "o.png").read_bytes()
    status, _, stderr = command("compress", tmp_path / "in.png", tmp_path / "in.png", *options)
    assert status == 2
    assert "output must not be the input" in stderr
    assert read_colour(tmp_path / "in.png").shape == (70, 90, 3)
