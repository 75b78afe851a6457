import hashlib
import io
import json
import re
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.files.archive import ArchiveError, Limits, canonical_hash, read_archive, write_archive
from lutgen.files.bounds import FREE_BYTES

META = {"name": "täst", "list": [1, 2.5, None, True], "nested": {"b": 1, "a": -(1 << 63)}}
ARRAYS = {
    "z/last": np.arange(6, dtype=np.int16).reshape(2, 3),
    "a.first": np.array([0, (1 << 64) - 1], dtype=np.uint64),
    "scalar": np.array(-5, dtype=np.int8),
    "empty": np.zeros((0, 4), dtype=np.uint32),
}


def pack(meta=META, arrays=ARRAYS, kind="test", version=1):
    file = io.BytesIO()
    write_archive(file, kind, version, meta, arrays)
    return file.getvalue()


def seal(body, size=None, tail=b""):
    """Wrap a body with a correct hash, as a hostile writer would."""
    size = len(body) if size is None else size
    rest = struct.pack("<Q", size) + zlib.compress(body) + tail
    return b"LUTGEN\r\n" + hashlib.sha256(rest).digest() + rest


def body_of(head, blob=b""):
    text = head
    if not isinstance(head, bytes):
        text = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    return struct.pack("<I", len(text)) + text + blob


def head_of(*table, **changes):
    return {"arrays": list(table), "kind": "test", "meta": {}, "version": 1} | changes


def refuse(data, message, **options):
    with pytest.raises(ArchiveError, match=f"^archive: {message}"):
        read_archive(data, "test", 1, Limits(**options))


def test_round_trip(tmp_path):
    path = tmp_path / "a.bin"
    write_archive(path, "test", 1, META, ARRAYS)
    assert path.read_bytes() == pack()
    meta, arrays = read_archive(path, "test", 3)
    assert meta == META
    assert list(arrays) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].flags.writeable
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].shape == array.shape


def test_content_decides_the_bytes():
    meta = dict(reversed(META.items()))
    arrays = {
        name: array.astype(array.dtype.newbyteorder(">"), order="F")
        for name, array in reversed(ARRAYS.items())
    }
    assert pack(meta, arrays) == pack()
    assert canonical_hash(meta, arrays) == canonical_hash(META, ARRAYS)


def test_hash_is_stable_and_sees_everything():
    wanted = "27732fe23308020f4aa3336408f911a4897d0c0bd29482536134044e7b0d8fa7"
    arrays = {"a": np.array([[1, 2]], dtype=np.uint8)}
    assert canonical_hash({"k": 1}, arrays) == wanted
    for meta, other in (
        ({"k": 2}, arrays),
        ({"k": 1}, {"b": arrays["a"]}),
        ({"k": 1}, {"a": arrays["a"].T}),
        ({"k": 1}, {"a": arrays["a"].astype(np.int8)}),
        ({"k": 1}, {"a": arrays["a"] + np.uint8(1)}),
    ):
        assert canonical_hash(meta, other) != wanted


def deep(depth):
    value = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "Test"}, "kind must match [a-z][a-z0-9-]{0,31}, not 'Test'"),
        ({"version": 0}, "version must be a positive integer, not 0"),
        ({"version": True}, "version must be a positive integer, not True"),
        ({"meta": [1]}, "meta must be a dict, not an object"),
        ({"meta": {1: 2}}, "keys of meta must be str, not 1"),
        ({"meta": {"a": float("nan")}}, "numbers in meta must be finite, not nan"),
        ({"meta": {"a": 1 << 64}}, "integers in meta must have at most 64 bits, not more"),
        ({"meta": {"a": np.int64(1)}}, "values in meta must be json, not int64"),
        ({"meta": {"a": (1,)}}, "values in meta must be json, not tuple"),
        ({"meta": deep(16)}, "meta must be nested at most 16 deep, not more"),
        ({"meta": {"a": "x" * (1 << 20)}}, "json must be at most 1048576 bytes, not 1048713"),
        ({"arrays": {"a b": ARRAYS["empty"]}}, "array name must match [A-Za-z0-9_][A-Za-z0-9_./-]"),
        ({"arrays": {"a": np.zeros(1)}}, "dtype of array 'a' must be one of u1, u2, u4, u8, i1,"),
        ({"arrays": {"a": np.zeros(1, bool)}}, "dtype of array 'a' must be one of u1, u2"),
        ({"arrays": {"a": np.array([None])}}, "dtype of array 'a' must be one of u1, u2"),
        ({"arrays": {"a": np.zeros([1] * 9, "u1")}}, "array 'a' must have at most 8 dimensions"),
        ({"arrays": {str(k): [1] for k in range(1025)}}, "number of arrays must be at most 1024"),
        ({"arrays": {"a": np.zeros(64 << 20, "u1")}}, "body must be at most 67108864 bytes, not"),
    ],
)
def test_write_refuses(change, message):
    with pytest.raises(ArchiveError, match=f"^archive: {re.escape(message)}"):
        pack(**change)


def test_read_names_the_file_and_leaves_io_errors_alone(tmp_path):
    path = tmp_path / "bad.lutgen"
    path.write_bytes(b"something else")
    with pytest.raises(ArchiveError, match=f"^{re.escape(str(path))}: magic must be"):
        read_archive(path, "test", 1)
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "none", "test", 1)


def test_read_refuses_damage():
    data = pack()
    refuse(b"", "magic must be")
    refuse(data[:20], "file must be at least 48 bytes, not 20")
    refuse(data[:-1], "SHA-256 must be .*; the file is damaged or cut short")
    refuse(data + b"x", "SHA-256 must be")
    refuse(data.replace(b"\r\n", b"\n", 1), "magic must be")
    refuse(pack(kind="other"), "kind must be 'test', not 'other'")
    refuse(pack(version=2), "version of test must be between 1 and 1, not 2; a newer file needs")
    with pytest.raises(ArchiveError, match="between 2 and 3, not 1; an older one must be made aga"):
        read_archive(data, "test", 3, oldest=2)
    with pytest.raises(ArchiveError, match="between 2 and 3, not 4; a newer file needs"):
        read_archive(pack(version=4), "test", 3, oldest=2)
    assert read_archive(pack(version=2), "test", 3, oldest=2)


def test_read_refuses_hostile_bodies():
    blob = bytes(8)
    good = body_of(head_of(["a", "u1", [8]]), blob)
    read_archive(seal(good), "test", 1)
    refuse(seal(good, tail=b"xy"), "file must end with the body, not with 2 more bytes")
    refuse(seal(good, size=len(good) - 1), "body must be exactly the .* declared, not more")
    refuse(seal(good, size=len(good) + 1), "body must be exactly the")
    refuse(seal(good, size=1 << 63), "body must be between 4 and 67108864 bytes")
    refuse(seal(good, size=0), "body must be between 4 and 67108864 bytes, not 0")
    refuse(seal(good + b"x"), "body must end with the last array, not with 1 more bytes")
    refuse(seal(struct.pack("<I", 1 << 31)), "json must be at most 0 bytes, not 2147483648")
    refuse(seal(good), "json must be at most 10 bytes", json=10)
    refuse(seal(good), "arrays must be a list of at most 0", arrays=0)
    refuse(seal(good), "shape of array 'a' must be at most 0 sizes", dims=0)
    refuse(seal(good), "body must be between 4 and 20 bytes", size=20)
    refuse(bytes(5000), "file must be at most 1172 bytes", size=100)
    rest = struct.pack("<Q", 10) + b"no zlib at all"
    data = b"LUTGEN\r\n" + hashlib.sha256(rest).digest() + rest
    refuse(data, "body must be a zlib stream")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"nonsense",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"9" * 10_000,
        b"NaN",
        b"1e999",
        b'{"a": 1}',
        b'{"a":1,"a":1}',
    ],
)
def test_read_refuses_json_garbage(text):
    refuse(seal(body_of(text)), "json must be")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (["a", "u1", [9]], "array 'a' must fit the 8 bytes left in the body, not need 9"),
        (["a", "u8", [1 << 20, 1 << 20]], "array 'a' must fit the 8 bytes"),
        (["a", "u1", [1 << 26, 1 << 26, 0]], "array 'a' must fit the 8 bytes"),
        (["a", "u1", [1 << 62]], "shape of array 'a' must be"),
        (["a", "u1", [-8]], "shape of array 'a' must be"),
        (["a", "u1", [True]], "shape of array 'a' must be"),
        (["a", "u1", [8.0]], "shape of array 'a' must be"),
        (["a", "u1", 8], "shape of array 'a' must be"),
        (["a", "f8", [1]], "dtype of array 'a' must be one of .*, not 'f8'"),
        (["a", "O", [1]], "dtype of array 'a' must be one of .*, not 'O'"),
        (["a", ["u1"], [8]], "dtype of array 'a' must be one of .*, not an object"),
        (["../a", "u1", [8]], "array name must match"),
        ([5, "u1", [8]], "array name must match .*, not 5"),
        (["a", "u1"], r"array entry must be \[name, dtype, shape\]"),
        ("abc", r"array entry must be \[name, dtype, shape\]"),
    ],
)
def test_read_refuses_array_entries(entry, message):
    refuse(seal(body_of(head_of(entry), bytes(8))), message)


def test_read_refuses_other_heads():
    refuse(seal(body_of([1])), "json must be an object with the keys")
    refuse(seal(body_of(head_of(extra=1))), "json must be an object with the keys")
    refuse(seal(body_of(head_of(arrays={}))), "arrays must be a list of at most 1024")
    refuse(seal(body_of(head_of(kind=[1]))), "kind must be 'test', not an object")
    refuse(seal(body_of(head_of(version="1"))), "version of test must be between 1 and 1, not '1'")
    refuse(seal(body_of(head_of(version=True))), "version of test must be between 1 and 1")
    refuse(seal(body_of(head_of(meta=[]))), "meta must be a dict")
    refuse(seal(body_of(head_of(meta=deep(30)))), "meta must be nested at most 16 deep")
    entries = ["b", "u1", [1]], ["a", "u1", [1]]
    refuse(seal(body_of(head_of(*entries), b"xx")), "array names must be sorted and unique")


def test_bombs_cost_no_memory():
    bomb = seal(bytes(200 << 20), size=1 << 10)
    huge = seal(body_of(head_of(["a", "u1", [1 << 26]]), bytes(8)))
    tracemalloc.start()
    try:
        refuse(bomb, "body must be exactly the 1024 bytes declared, not more")
        refuse(huge, "array 'a' must fit")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_fuzz_damaged_file(data):
    good = pack()
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] ^= data.draw(st.integers(1, 255))
    bad = bytes(bad[: data.draw(st.integers(0, len(bad)) | st.just(len(bad)))])
    if bad != good:
        with pytest.raises(ArchiveError):
            read_archive(bad, "test", 1)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_fuzz_sealed_body(data):
    good = pack()
    body = bytearray(zlib.decompress(good[48:]))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = bytes(body[: data.draw(st.integers(0, len(body)) | st.just(len(body)))])
    try:
        meta, arrays = read_archive(seal(body), "test", 1)
    except ArchiveError:
        return
    # What is accepted is canonical: writing it again gives the same body.
    assert zlib.decompress(pack(meta, arrays)[48:]) == body


def test_a_body_that_the_file_did_not_pay_for():
    """Bodies compress 1,000 times; no trained model compresses 16 times."""
    size = FREE_BYTES + 1
    bomb = seal(bytes(size))
    assert len(bomb) < size // 900
    tracemalloc.start()
    try:
        most = f"at most {FREE_BYTES} bytes in a file of {len(bomb)}"
        refuse(bomb, f"body must be {most}, not {size}")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    with pytest.raises(ArchiveError, match="it says too little for its size"):
        pack(arrays={"zeros": np.zeros(size, dtype=np.uint8)})
    pack(arrays={"zeros": np.zeros(size // 2, dtype=np.uint8)})
