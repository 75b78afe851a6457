"""The codec in C, if the installation has it: the same files and samples, in less time.

It is the C of `lutgen c` with the models that come with the package, compiled when lutgen was
installed and a C compiler was there (``setup.py``).  Other models, and all that is damaged, are for
the loops of the reference, which alone say what is wrong with a file.

`VARIABLE` chooses: ``c``, ``python``, or the path of a shared library that was built from what
`lutgen c` wrote, with models of one's own.  Unless it is set, what is there is taken.
"""

import ctypes
import os
from functools import cache
from importlib.util import find_spec

import numpy as np

from lutgen.errors import InputError

__all__ = ["VARIABLE", "NativeModel", "native_model"]

#: The environment variable.
VARIABLE = "LUTGEN_CODEC"
_MODULE = "lutgen.codec._native"
_SUCCESS = 0
_HASH_BYTES = 8
#: Of the interface that is called here, see ``lutgen.h``.
_MAJOR = 4


class _Frame(ctypes.Structure):
    """``struct lutgen_frame``."""

    _fields_ = [("model_hash", ctypes.c_uint8 * _HASH_BYTES)] + [
        (name, ctypes.c_uint32) for name in (
            "version", "width", "height", "channels", "order", "depth", "shift", "max_error",
            "strip_height", "tile_width", "levels", "coder", "images", "slabs",
        )
    ]  # fmt: skip


class _Strip(ctypes.Structure):
    """``struct lutgen_strip``."""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in (
            "number", "image", "top", "rows", "left", "columns",
        )),
        ("offset", ctypes.c_size_t), ("limit", ctypes.c_size_t), ("ends", ctypes.c_int),
    ]  # fmt: skip


class _Reader(ctypes.Structure):
    """``struct lutgen_reader``."""

    _fields_ = [
        ("file", ctypes.c_void_p), ("frame", _Frame), ("index", ctypes.c_size_t),
        ("next", ctypes.c_size_t), ("number", ctypes.c_uint32), ("indexed", ctypes.c_int),
    ]  # fmt: skip


class _Named(ctypes.Structure):
    """``struct lutgen_named_model``."""

    _fields_ = [("name", ctypes.c_char_p), ("model", ctypes.c_void_p)]


@cache
def _installed() -> str | None:
    """The library of the installation."""
    spec = find_spec(_MODULE)
    return None if spec is None else spec.origin


@cache
def _library(path: str):
    """The library of a file, and pointers to its models by their hashes."""
    try:
        calls = ctypes.CDLL(path)
        major = calls.lutgen_api_major()
    except (OSError, AttributeError) as error:
        raise InputError(
            f"codec in C must be a library of what `lutgen c` of this version writes, not {path!r}:"
            f" {error}"
        ) from None
    if major != _MAJOR:
        raise InputError(f"interface of the codec in C, {path!r}, must be {_MAJOR}, not {major}")
    for name in ("workspace_bytes", "strip_bound", "encoded_bound", "decoded_bytes"):
        getattr(calls, f"lutgen_{name}").restype = ctypes.c_size_t
    calls.lutgen_model_hash.restype = ctypes.POINTER(ctypes.c_uint8 * _HASH_BYTES)
    count = ctypes.c_size_t.in_dll(calls, "lutgen_models_count").value
    models = {}
    for named in (_Named * count).in_dll(calls, "lutgen_models"):
        pointer = ctypes.c_void_p(named.model)
        models[bytes(calls.lutgen_model_hash(pointer).contents)] = pointer
    return calls, models


def native_model(model_hash: str) -> "NativeModel | None":
    """A model of the library by its hash, or None if that, or the library, is not there.

    Raises
    ------
    InputError
        If the environment variable wants what is not there.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "python":
        return None
    path = _installed() if wanted in ("", "c") else wanted
    if path is None:
        if wanted:
            raise InputError(
                f"{VARIABLE} must be python where lutgen was installed without a C compiler, "
                "not 'c': install it again with one"
            )
        return None
    calls, models = _library(path)
    pointer = models.get(bytes.fromhex(model_hash)[:_HASH_BYTES])
    return None if pointer is None else NativeModel(calls, pointer)


class NativeModel:
    """A model of the library.

    Its calls do not hold Python's lock; they return None for all but success.
    """

    def __init__(self, calls, pointer: ctypes.c_void_p) -> None:
        self._calls, self._model = calls, pointer

    def encode_strip(self, frame: dict, number: int, rows: np.ndarray) -> bytes | None:
        """A strip of a file, from its samples.

        Parameters
        ----------
        frame:
            Fields of ``struct lutgen_frame`` by name, the hash apart.
        number:
            Of the strip in the file.
        rows:
            uint8 or uint16 as in the image, (H, W) or (H, W, C), without gaps in a row.
        """
        c_frame = self._frame(frame)
        out = np.empty(self._calls.lutgen_strip_bound(ctypes.byref(c_frame)), np.uint8)
        used, stride = ctypes.c_size_t(), _stride(rows)
        workspace = self._workspace(c_frame)
        status = self._calls.lutgen_encode_strip(
            self._model, ctypes.byref(c_frame), ctypes.c_uint32(number), _pointer(rows), stride,
            *_buffer(out), ctypes.byref(used), *_buffer(workspace),
        )  # fmt: skip
        return out[: used.value].tobytes() if status == _SUCCESS else None

    def encode(self, frame: dict, images: np.ndarray) -> bytes | None:
        """A file of images without gaps.

        Parameters
        ----------
        frame:
            Fields of ``struct lutgen_frame`` by name; the hash and those that are 0 may be missing.
        images:
            uint8 or uint16, shape (N, H, W) or (N, H, W, C).
        """
        c_frame = self._frame(frame)
        out = np.empty(self._calls.lutgen_encoded_bound(ctypes.byref(c_frame)), np.uint8)
        used, workspace = ctypes.c_size_t(), self._workspace(c_frame)
        status = self._calls.lutgen_encode(
            self._model, ctypes.byref(c_frame), _pointer(images), *_buffer(out),
            ctypes.byref(used), *_buffer(workspace),
        )  # fmt: skip
        return out[: used.value].tobytes() if status == _SUCCESS else None

    def reader(self, data: bytes) -> "NativeReader | None":
        """A reader of a file's strips."""
        reader = _Reader()
        array = np.frombuffer(data, np.uint8)
        status = self._calls.lutgen_open(ctypes.byref(reader), self._model, *_buffer(array))
        return NativeReader(self, reader, array) if status == _SUCCESS else None

    def decode(self, data: bytes, shape: tuple[int, ...]) -> np.ndarray | None:
        """All images of a file of 8-bit samples, shape (N, H, W)."""
        reader = self.reader(data)
        if reader is None:
            return None
        images, array = np.empty(shape, dtype=np.uint8), np.frombuffer(data, np.uint8)
        workspace = self._workspace(reader.frame)
        status = self._calls.lutgen_decode(
            self._model, *_buffer(array), *_buffer(images), None, None, *_buffer(workspace)
        )  # fmt: skip
        return images if status == _SUCCESS else None

    def decode_strip(self, reader: _Reader, strip: _Strip, rows: np.ndarray) -> bool:
        """Decode a strip into samples without gaps in a row; whether it is sound."""
        workspace = self._workspace(reader.frame)
        status = self._calls.lutgen_decode_strip(
            self._model, ctypes.byref(reader), ctypes.byref(strip), _pointer(rows),
            _stride(rows), *_buffer(workspace),
        )  # fmt: skip
        return status == _SUCCESS

    def _frame(self, fields: dict) -> _Frame:
        frame = _Frame(**fields)
        frame.model_hash[:] = self._calls.lutgen_model_hash(self._model).contents
        return frame

    def _workspace(self, frame: _Frame) -> np.ndarray:
        size = self._calls.lutgen_workspace_bytes(self._model, ctypes.byref(frame))
        return np.empty(size, dtype=np.uint8)


class NativeReader:
    """Strips of a file that a model has opened."""

    def __init__(self, model: NativeModel, reader: _Reader, data: np.ndarray) -> None:
        self._model, self._reader, self._data = model, reader, data  # which stay where they are

    @property
    def frame(self) -> _Frame:
        """What its header says."""
        return self._reader.frame

    def decode(self, number: int, place: tuple[int, int, int], limits: tuple[int, int],
               rows: np.ndarray) -> bool:  # fmt: skip
        """Decode a strip; whether it is sound.  If not, ``rows`` may hold anything.

        Parameters
        ----------
        number:
            Of the strip.
        place:
            Its image, its first row and its first column.
        limits:
            Its first byte in the file, and the byte behind it.
        rows:
            Array without gaps in a row that receives the samples.
        """
        image, top, left = place
        strip = _Strip(number, image, top, len(rows), left, rows.shape[1], *limits, 1)
        return self._model.decode_strip(self._reader, strip, rows)


def _stride(rows: np.ndarray) -> ctypes.c_size_t:
    """Samples from a row to the next one."""
    return ctypes.c_size_t(rows.strides[0] // rows.itemsize)


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _buffer(array: np.ndarray) -> tuple[ctypes.c_void_p, ctypes.c_size_t]:
    """Address and bytes of an array, which must have a name until the call is over."""
    return _pointer(array), ctypes.c_size_t(array.nbytes)
