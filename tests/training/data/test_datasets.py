import builtins
import gzip
import struct
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from lutgen.formats.imageio import DEEP_GRAY
from lutgen.training.data.datasets import (
    DOWNLOADS,
    DatasetError,
    check_images,
    data_hash,
    load_images,
)

STACK = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)


def _idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + (
        array.tobytes()
    )


def _same(images, array=STACK):
    assert len(images) == len(array)
    for image, want in zip(images, array, strict=True):
        np.testing.assert_array_equal(image, want)
        assert image.dtype == np.uint8


def test_idx(tmp_path):
    (tmp_path / "a-idx3-ubyte").write_bytes(_idx(STACK))
    (tmp_path / "b.idx.gz").write_bytes(gzip.compress(_idx(STACK)))
    _same(load_images(tmp_path / "a-idx3-ubyte"))
    _same(load_images(tmp_path / "b.idx.gz"))


@pytest.mark.parametrize("content, message", [
    (b"", "file must be IDX of uint8 images, not one that begins b''"),
    (b"\0\0\x0d\x03" + bytes(16), "file must be IDX of uint8 images, not one that begins"),
    (_idx(STACK)[:-1], "IDX must have 30 bytes of pixels, not 29"),
    (_idx(STACK) + b"x", "IDX must have 30 bytes of pixels, not 31"),
    (_idx(STACK)[:9], "IDX must be whole, not damaged"),
    (b"\0\0\x08\x03" + b"\xff" * 12, "IDX must have at most 1073741824 pixels"),
])
def test_idx_damage(tmp_path, content, message):
    (tmp_path / "a.idx").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"a\.idx: {message}"):
        load_images(tmp_path / "a.idx")
    (tmp_path / "a.idx.gz").write_bytes(gzip.compress(content)[:-9])
    with pytest.raises(DatasetError, match=r"a\.idx\.gz"):
        load_images(tmp_path / "a.idx.gz")


def test_npz(tmp_path, monkeypatch):
    np.savez(tmp_path / "set.npz", train=STACK, val=STACK[:1], labels=np.arange(2))
    _same(load_images(tmp_path / "set.npz"))
    _same(load_images(tmp_path / "set.npz", split="val"), STACK[:1])
    _same(load_images(f"{tmp_path}/set.npz:val"), STACK[:1])
    with pytest.raises(DatasetError, match=r"must have the array 'test'; it has train, val$"):
        load_images(tmp_path / "set.npz", split="test")
    with pytest.raises(DatasetError, match=r"must have the array 'x'; it has train, val, labels$"):
        load_images(f"{tmp_path}/set.npz:x")
    with pytest.raises(DatasetError, match=r"set.npz:labels: npy must hold uint8 of shape"):
        load_images(f"{tmp_path}/set.npz:labels")
    monkeypatch.setenv("LUTGEN_DATA", str(tmp_path))
    _same(load_images("set"))
    _same(load_images("set:val"), STACK[:1])
    _same(load_images("set.npz:val"), STACK[:1])


def test_channels_are_not_taken_for_columns(tmp_path):
    colour = np.zeros((20, 30, 3), np.uint8)
    np.save(tmp_path / "a.npy", colour)
    np.savez(tmp_path / "a.npz", colour)
    (tmp_path / "a.idx").write_bytes(_idx(colour))
    shape = r"of shape .* not \(20, 30, 3\), which reads as one picture"
    for name, kind in (("a.npy", "a.npy: npy"), ("a.npz", "a.npz:arr_0: npy"), ("a.idx", "IDX")):
        with pytest.raises(DatasetError, match=f"{kind} {shape}"):
            load_images(tmp_path / name)


def test_one_reader_for_all_commands(tmp_path):
    """What encode refuses is no training image and is not measured."""
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 15\n\0\x0f")
    with pytest.raises(DatasetError, match="greatest value of a PGM must be 255, not 15"):
        load_images(tmp_path / "a.pgm")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png", "JPEG")
    with pytest.raises(DatasetError, match="image must be PNG, PGM, TIFF or npy, not JPEG"):
        load_images(tmp_path / "a.png")
    Image.new("L", (30, 30)).save(tmp_path / "a.png", transparency=0)
    with pytest.raises(DatasetError, match="not gray with transparency"):
        load_images(tmp_path / "a.png")
    Image.new("L", (30, 30)).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[-13] ^= 1  # checksum of the pixels
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DatasetError, match=r"a\.png: PNG must be whole.*checksum of chunk IDAT"):
        load_images(tmp_path / "a.png")


def test_archives_that_are_damaged(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", STACK)
    whole = (tmp_path / "a.npz").read_bytes()
    for at in range(0, len(whole), 7):
        (tmp_path / "a.npz").write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        try:
            _same(load_images(tmp_path / "a.npz"))  # some bytes say nothing: dates, versions
        except DatasetError as error:
            assert str(error).startswith(f"{tmp_path}/a.npz")
    (tmp_path / "a.npz").write_bytes(whole[:-40])
    with pytest.raises(DatasetError, match=r"a\.npz: npz must be whole, not damaged"):
        load_images(tmp_path / "a.npz")


def test_list_of_arrays_of_different_sizes(tmp_path):
    arrays = [np.full((2, 3), 1, np.uint8), np.full((4, 2), 2, np.uint8)]
    np.savez(tmp_path / "list.npz", *arrays)
    _same(load_images(tmp_path / "list.npz"), arrays)


def test_no_pickle(tmp_path):
    evil = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "evil.npz", train=evil)
    np.save(tmp_path / "evil.npy", evil)
    for name in ("evil.npz", "evil.npy"):
        with pytest.raises(DatasetError, match="npy must hold uint8 of .*, not object of shape"):
            load_images(tmp_path / name)
    for name, message in (
        ("junk.npz", "npz must be whole, not damaged"),
        ("junk.npy", "image must be PNG, PGM, TIFF or npy, not a file that begins b'junk'"),
    ):
        (tmp_path / name).write_bytes(b"junk")
        with pytest.raises(DatasetError, match=message):
            load_images(tmp_path / name)


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", STACK)
    np.save(tmp_path / "b.npy", STACK[0])
    _same(load_images(tmp_path / "a.npy"))
    _same(load_images(tmp_path / "b.npy"), STACK[:1])


def test_pictures(tmp_path):
    Image.fromarray(STACK[0]).save(tmp_path / "a.png")
    Image.fromarray(STACK[1]).save(tmp_path / "b.pgm")
    (tmp_path / "notes.txt").write_text("x")
    _same(load_images(tmp_path))
    _same(load_images(tmp_path / "b.pgm"), STACK[1:])


@pytest.mark.parametrize("image, kind", [
    (Image.new("RGB", (3, 3)), r"colour \(RGB\)"),
    (Image.new("LA", (3, 3)), "gray with transparency"),
    (Image.new("P", (3, 3)), "palette"),
    (Image.new("1", (3, 3)), "1-bit gray"),
    (Image.fromarray(np.zeros((3, 3), np.uint16)), "16-bit gray"),
])
def test_pictures_that_are_not_8_bit_gray(tmp_path, image, kind):
    image.save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match=rf"a\.png: PNG must be 8-bit gray, not {kind}; .*conv"):
        load_images(tmp_path)


def test_deeper_images_where_a_codec_takes_them(tmp_path):
    deep = np.arange(2 * 9 * 8, dtype=np.uint16).reshape(2, 9, 8) * 99
    np.savez(tmp_path / "a.npz", val=deep, train=STACK)
    np.save(tmp_path / "a.npy", deep)
    Image.fromarray(deep[0]).save(tmp_path / "a.png")
    for name in ("a.npz", "a.npy"):
        found = load_images(tmp_path / name, split="val", limits=DEEP_GRAY)
        assert all(image.dtype == np.uint16 for image in found)
        np.testing.assert_array_equal(found, deep)
        with pytest.raises(DatasetError, match="must hold uint8 of shape .*, not uint16 of shape"):
            load_images(tmp_path / name, split="val")
    (found,) = load_images(tmp_path, limits=DEEP_GRAY)
    np.testing.assert_array_equal(found, deep[0])
    _same(load_images(tmp_path / "a.npz", limits=DEEP_GRAY))
    message = "^images must be gray of 8 or 16 bits, shape .*, not int64 of shape"
    with pytest.raises(DatasetError, match=message):
        check_images([deep.astype(np.int64)[0]], limits=DEEP_GRAY)


def test_damaged_pictures_and_empty_folders(tmp_path):
    with pytest.raises(DatasetError, match="folder must have PNG, PGM or TIFF files in it"):
        load_images(tmp_path)
    Image.new("L", (30, 30)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    for content in (b"", b"junk", whole[:45]):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(DatasetError, match=r"a\.png"):
            load_images(tmp_path)


def test_glyphs_by_name():
    assert len(load_images("glyphs:7")) == 7
    train, val = load_images("glyphs:7:2"), load_images("glyphs:7:2", split="val")
    assert not any((a == b).all() for a in train for b in val)
    for spec in ("glyphs:x", "glyphs:0", "glyphs:1:2:3", "glyphs:"):
        with pytest.raises(DatasetError, match=r"^glyphs must be given as glyphs:count:seed, not"):
            load_images(spec)


def test_pages_by_name():
    pages = load_images("pages:9")
    assert [p.shape for p in pages] == [(384, 384)] * 9 and pages[0].dtype == np.uint8
    assert not any((a == b).all() for a in pages for b in load_images("pages:2:1"))
    for spec in ("pages:x", "pages:0", "pages:1:2:3", "pages:1:-1", "pages:20000"):
        with pytest.raises(DatasetError, match=r"^pages must be given as pages:count:seed, not"):
            load_images(spec)


def test_unknown_names(tmp_path, monkeypatch):
    monkeypatch.delenv("LUTGEN_DATA", raising=False)
    with pytest.raises(DatasetError, match=r"^data must be an existing file or folder.*'nothing'$"):
        load_images("nothing")
    with pytest.raises(DatasetError, match=r"^split must be one of train, val, test, not 'dev'$"):
        load_images("glyphs", split="dev")
    (tmp_path / "a.bin").write_bytes(b"x")
    with pytest.raises(DatasetError, match="image must be PNG, PGM, TIFF or npy, not a file that"):
        load_images(tmp_path / "a.bin")


@pytest.mark.parametrize("name", DOWNLOADS)
def test_downloads_ask_torchvision_for_their_split(name, monkeypatch, tmp_path):
    """Without a network: which class is asked, with which arguments."""
    monkeypatch.delenv("LUTGEN_DATA", raising=False)
    asked = []

    def data_set(kind: str):
        def fetch(folder, **arguments):
            asked.append((kind, folder, arguments))
            return SimpleNamespace(data=STACK)

        return fetch

    kinds = ("EMNIST", "KMNIST", "FashionMNIST")
    fake = SimpleNamespace(datasets=SimpleNamespace(**{kind: data_set(kind) for kind in kinds}))
    monkeypatch.setitem(sys.modules, "torchvision", fake)
    found = load_images(name, split="val", cache=tmp_path)
    np.testing.assert_array_equal(np.stack(found), STACK)
    ((kind, folder, arguments),) = asked
    assert folder == str(tmp_path)
    assert arguments.pop("train") is False
    assert arguments.pop("download") is True
    assert kind.lower() == (name.split("-")[0] if "emnist" in name else name.replace("-", ""))
    assert arguments == ({"split": name.split("-")[1]} if "emnist" in name else {})


def test_download_without_torchvision(monkeypatch, tmp_path):
    monkeypatch.delenv("LUTGEN_DATA", raising=False)
    real = builtins.__import__

    def no_torchvision(name, *args, **kwargs):
        if name.startswith("torchvision"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_torchvision)
    with pytest.raises(DatasetError, match="^kmnist must be downloaded, which needs torchvision"):
        load_images("kmnist", cache=tmp_path)


def test_check_images():
    for images, message in (
        ([], "at least one image, not none"),
        ([STACK], "8-bit gray"),
        ([STACK[0].astype(np.int64)], "not int64 of shape"),
        ([[1, 2]], "not list of shape"),
        ([STACK[0][:0]], "must have pixels"),
    ):
        with pytest.raises(DatasetError, match=message):
            check_images(images)


def test_data_hash_sees_sizes_and_order():
    a, b = STACK[0], STACK[1]
    hashes = {data_hash(x) for x in ([a, b], [b, a], [a.reshape(5, 3), b], [a])}
    assert len(hashes) == 4
    assert data_hash([a.T]) == data_hash([np.ascontiguousarray(a.T)])


def test_real_data(data):
    images = load_images(data / "emnist_digits.npz")
    assert len(images) == 8000 and images[0].shape == (28, 28)
