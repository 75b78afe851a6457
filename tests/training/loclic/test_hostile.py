"""Small files that ask for much, and weights that are no numbers: refused before all else."""

import dataclasses
import json
import zipfile
import zlib

import numpy as np
import pytest
import torch

from lutgen.codec.lossy.loc_container import ImageTooLargeError, LocFile
from lutgen.codec.lossy.model import LossyModelFile
from lutgen.files.archive import write_archive
from lutgen.files.bounds import FREE_PIXELS, PIXELS_PER_BYTE
from lutgen.training.loclic import deployed, store
from lutgen.training.loclic.deployed import DeployedCodec
from lutgen.training.loclic.export import export_codec
from lutgen.training.loclic.files import decode_image
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.store import load_codec, save_codec
from lutgen.training.run.checkpoint import Checkpoint
from lutgen.training.run.torch_file import read_torch

TINY = CodecConfig(source="test", widths=(8, 8, 8), latent=16, slices=2)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return Codec(TINY).eval()


@pytest.fixture(scope="module")
def model(network):
    return export_codec(network, {})


@pytest.fixture
def no_network(monkeypatch):
    """Fails where a network is built."""

    def build(config):
        raise AssertionError("a network was built")

    for module in (deployed, store):
        monkeypatch.setattr(module, "Codec", build)


def test_pixels_of_an_image_that_its_bytes_did_not_pay_for():
    """A file of 244 bytes with a right CRC that took 130 GB."""
    side = 16384
    data = LocFile(b"12345678", side, side, 16, bytes(223)).pack()
    assert len(data) == 244
    message = (
        f"^image of {side} x {side} must have at most {FREE_PIXELS} pixels in a file of 244 bytes, "
        f"not {side * side}: if you trust the file .* --max-pixels {side * side}$"
    )
    with pytest.raises(ImageTooLargeError, match=message):
        LocFile.unpack(data)
    assert LocFile.unpack(data, side * side).width == side
    with pytest.raises(ImageTooLargeError, match=f"at most {side} pixels, not"):
        LocFile.unpack(data, side)
    # What is free, and what the bytes pay for.
    assert LocFile.unpack(LocFile(b"12345678", 1024, 1024, 16, b"").pack()).is_paid
    paid = LocFile(b"12345678", 4096, 2048, 16, bytes(4096 * 2048 // PIXELS_PER_BYTE))
    assert LocFile.unpack(paid.pack()) == paid


def test_a_reader_passes_the_limit_on(model):
    codec = DeployedCodec(model)
    data = LocFile(codec.hash, 5000, 5000, 16, bytes(100)).pack()
    with pytest.raises(ImageTooLargeError, match="--max-pixels 25000000"):
        decode_image(codec, data)
    with pytest.raises(ImageTooLargeError, match="at most 77 pixels"):
        decode_image(codec, data, 77)


@pytest.mark.parametrize(("changes", "message"), [
    ({"widths": [4096, 4096, 4096]}, "must be of shape"),
    ({"latent": 4096}, "array .* must be"),
    ({"latent": 4096, "slices": 2048}, "slices must be at most"),
    ({"hyper_width": 4096}, "must be"),
    ({"window": 1001}, "window must be an odd number of cells, at most 15, not 1001"),
])  # fmt: skip
def test_a_configuration_larger_than_the_arrays(network, model, no_network, tmp_path, changes,
                                                message):  # fmt: skip
    config = json.loads(json.dumps(dataclasses.asdict(TINY))) | changes
    with pytest.raises(ValueError, match=f"^model must hold the arrays.*{message}"):
        DeployedCodec(LossyModelFile(model.meta | {"config": config}, model.arrays))
    path = tmp_path / "t.pt"
    torch.save({
        "format": "lutgen-loclic-2", "config": config, "weights": network.state_dict(),
        "training": {},
    }, path)  # fmt: skip
    with pytest.raises(ValueError, match=f"{path} must be a trained LoC-LIC codec: .*{message}"):
        load_codec(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(network, model, no_network, tmp_path, bad):
    name = next(k for k in model.arrays if k.startswith("synthesis.") and k.endswith("weight"))
    values = model.arrays[name].view("<f4").copy()
    values.flat[3] = bad
    arrays = model.arrays | {name: values.view("<u4")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployed, "Codec", Codec)
        with pytest.raises(ValueError, match=f"weights {name} must be finite"):
            DeployedCodec(LossyModelFile(model.meta, arrays))
    weights = {k: v.clone() for k, v in network.state_dict().items()}
    weights[name].view(-1)[3] = bad
    path = tmp_path / "t.pt"
    torch.save({
        "format": "lutgen-loclic-2", "config": dataclasses.asdict(TINY), "weights": weights,
        "training": {},
    }, path)  # fmt: skip
    with pytest.raises(ValueError, match="must be a trained LoC-LIC codec: .*must be finite"):
        load_codec(path)


def test_files_of_networks_with_mistakes(network, model, no_network, tmp_path):
    """Version 1 had the same arrays but for one normalisation, and other attention."""
    path = tmp_path / "m.loclic"
    write_archive(path, "loclic", 1, dict(model.meta), model.arrays)
    with pytest.raises(ValueError, match=(
        f"^{path}: version of loclic must be between 2 and 2, not 1; an older one must be made "
        "again$"
    )):  # fmt: skip
        LossyModelFile.read(path)
    path = tmp_path / "t.pt"
    torch.save({
        "format": "lutgen-loclic-1", "config": dataclasses.asdict(TINY),
        "weights": network.state_dict(), "training": {},
    }, path)  # fmt: skip
    with pytest.raises(ValueError, match=(
        f"^{path} must be a trained LoC-LIC codec: format must be 'lutgen-loclic-2', not "
        "'lutgen-loclic-1', of an earlier lutgen: train again$"
    )):  # fmt: skip
        load_codec(path)


@pytest.mark.parametrize("name", ["scales.thresholds", "prior.medians"])
def test_arrays_beside_the_networks(model, no_network, name):
    arrays = model.arrays | {name: model.arrays[name][:-1]}
    with pytest.raises(ValueError, match="^model must hold the arrays of its configuration"):
        DeployedCodec(LossyModelFile(model.meta, arrays))


def test_a_file_of_torch_is_no_larger_than_itself(network, tmp_path):
    path = tmp_path / "t.pt"
    save_codec(path, network, {"note": "test"})
    assert load_codec(path)[1] == {"note": "test"}
    torch.save({"x": torch.zeros(1).expand(1 << 30)}, path)  # one number, a stride of zero
    with pytest.raises(ValueError, match=f"^{path} must hold tensors of at most its own .* bytes"):
        read_torch(path)
    torch.save({"x": [torch.zeros(1 << 16)] * 3}, tmp_path / "stored.pt")
    with zipfile.ZipFile(tmp_path / "stored.pt") as parts:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for entry in parts.infolist():
                packed.writestr(entry.filename, parts.read(entry))
    with pytest.raises(ValueError, match="whose parts are not compressed"):
        read_torch(path)
    path.write_bytes(zlib.compress(bytes(1000)))
    with pytest.raises(ValueError, match=f"^{path} must be a file of torch"):
        read_torch(path)


def test_a_hostile_checkpoint(tmp_path):
    path = tmp_path / "run.ckpt"
    torch.save({"identity": {}, "state": torch.zeros(1).expand(1 << 30)}, path)
    with pytest.raises(ValueError, match=f"^{path} must be a checkpoint of a training run"):
        Checkpoint(path, {}).load()
    Checkpoint(path, {"a": 1}).save({"x": torch.ones(3)})
    assert Checkpoint(path, {"a": 1}).load()["x"].tolist() == [1, 1, 1]
