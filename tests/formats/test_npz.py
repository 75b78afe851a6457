"""Archives of numpy that ask for more than they have."""

import io
import zipfile

import numpy as np
import pytest

from lutgen.formats.npz import check_npz
from lutgen.training.data.datasets import DatasetError, load_images


def packed(header=None, data=b"", name="train.npy", compress=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compress) as parts:
        parts.writestr(name, (npy_header(*header) if header else b"") + data)
    return file.getvalue()


def npy_header(shape, kind="|u1"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"shape": shape, "fortran_order": False, "descr": kind}
    )
    return file.getvalue()


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_real_files_pass(tmp_path, write):
    write(tmp_path / "a.npz", train=np.zeros((50, 300, 300), np.uint8), other=np.arange(5))
    check_npz(tmp_path / "a.npz")
    file = io.BytesIO((tmp_path / "a.npz").read_bytes())
    check_npz(file)
    np.testing.assert_array_equal(np.load(file)["other"], np.arange(5))
    assert len(load_images(tmp_path / "a.npz")) == 50


@pytest.mark.parametrize(("data", "message"), [
    (packed(((1 << 40,),)), "must have the 1099511627776 bytes of shape"),
    (packed(((3, 1 << 20, 1 << 20), "<f8"), bytes(1000)), "must have the .* bytes of shape"),
    (packed(None, b"what"), "magic"),
    (b"no archive at all", "zip"),
])  # fmt: skip
def test_hostile_files(tmp_path, data, message):
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        check_npz(path)
    with pytest.raises(DatasetError, match=f"^{path}: npz must be whole, not damaged "):
        load_images(path)


def test_sizes_in_the_directory_are_not_trusted(tmp_path):
    data = bytearray(packed(((1 << 31,),), bytes(1000)))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (0xFFFFFF00).to_bytes(4, "little")  # uncompressed size
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="must not be larger than DEFLATE can make it"):
        check_npz(path)


def test_other_files_of_data(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy_header((1 << 14, 1 << 14)) + bytes(100))
    with pytest.raises(DatasetError, match="must have 268435456 bytes of pixels, not 100"):
        load_images(tmp_path / "a.npy")
    sides = (1000).to_bytes(4, "big") + (1000).to_bytes(4, "big")
    (tmp_path / "a.idx").write_bytes(b"\0\0\x08\x02" + sides)
    with pytest.raises(DatasetError, match="must be large enough for its 1000000 pixels"):
        load_images(tmp_path / "a.idx")
