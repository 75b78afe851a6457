"""Numpy's archives, checked before they are read: see `lutgen.files.bounds`."""

import math
import os
import zipfile

import numpy as np

from lutgen.errors import InputError
from lutgen.files.bounds import most_inflated

__all__ = ["check_npz"]

#: What a reader wants of a header, and what DEFLATE and ZIP put around a part.
_SPARE = 4096


def check_npz(path_or_file) -> None:
    """See that the arrays of an npz file are no larger than its bytes can make them.

    An open file is left at its beginning.

    Raises
    ------
    InputError
        If they are, or it is no such file.
    OSError
        If it cannot be read.
    """
    try:
        with zipfile.ZipFile(path_or_file) as parts:
            if hasattr(path_or_file, "seek"):
                size = path_or_file.seek(0, os.SEEK_END)
            else:
                size = os.stat(path_or_file).st_size
            entries = parts.infolist()
            # Entries may not share their bytes.
            if sum(e.compress_size for e in entries) > size:
                raise InputError("parts of the file must not overlap")
            for entry in entries:
                if entry.file_size > most_inflated(entry.compress_size) + _SPARE:
                    raise InputError(
                        f"{entry.filename} must not be larger than DEFLATE can make it"
                    )
                with parts.open(entry) as file:
                    _check_header(entry, file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(str(error)) from None
    finally:
        if hasattr(path_or_file, "seek"):
            path_or_file.seek(0)


def _check_header(entry: zipfile.ZipInfo, file) -> None:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)  # fmt: skip
    if read is None:
        raise InputError(f"{entry.filename} must be of npy version 1 or 2, not {version}")
    shape, _, dtype = read(file)
    if math.prod(shape) * dtype.itemsize > entry.file_size:
        raise InputError(
            f"{entry.filename} must have the {math.prod(shape) * dtype.itemsize} bytes of shape "
            f"{shape}, not {entry.file_size}"
        )
