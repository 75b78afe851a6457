"""Files of torch, read with a bound: see `lutgen.files.bounds`."""

import os
import zipfile
from typing import Any

import torch

from lutgen.errors import InputError

__all__ = ["read_torch"]


def read_torch(path: str | os.PathLike[str]) -> Any:
    """Tensors, numbers, strings, lists and dicts that `torch.save` wrote; on the CPU.

    Nothing else is unpickled.  Memory is bounded by the file's size: its parts must be stored as
    they are, and no tensor may be larger than what is stored of it (a stride of zero makes any
    size of one number).

    Raises
    ------
    InputError
        If it is no such file.
    OSError
        If it cannot be read.
    """
    size = os.stat(path).st_size
    try:
        with zipfile.ZipFile(path) as parts:
            entries = parts.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} must be a file of torch: {error}") from None
    if any(e.compress_type != zipfile.ZIP_STORED for e in entries) or (
        sum(e.file_size for e in entries) > size
    ):
        raise InputError(f"{path} must be a file of torch, whose parts are not compressed")
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch raises many kinds
        text = str(error).split("\n", 1)[0]
        raise InputError(f"{path} must be a file of torch: {text}") from None
    stored, claimed = {}, 0
    todo = [data]
    while todo:
        value = todo.pop()
        if isinstance(value, torch.Tensor):
            if value.layout != torch.strided:
                raise InputError(f"{path} must hold dense tensors, not {value.layout}")
            storage = value.untyped_storage()
            stored[storage.data_ptr()] = storage.nbytes()
            claimed += value.numel() * value.element_size()
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple):
            todo += value
    if claimed > size or sum(stored.values()) > size:
        raise InputError(f"{path} must hold tensors of at most its own {size} bytes, not {claimed}")
    return data
