"""Measurements of a build's model: json that other commands write, checked before it is shown."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lutgen.errors import InputError
from lutgen.files.digest import digest, proven_files

from .kinds import Kind
from .shape import misfit
from .sheet import Sheet
from .sheets import sheet_of

__all__ = ["read_measured"]


def read_measured(
    record: Mapping, files: Mapping[str, str | os.PathLike | None]
) -> dict[str, dict | None]:
    """Read what was measured of a build.

    Parameters
    ----------
    record
        The build, as `lutgen.build.codec.load_build` gives it.
    files
        File by kind, a key of `lutgen.report.sheet.Sheet.kinds`; None for what was not measured.

    Returns
    -------
    dict
        Contents by kind, of all kinds that the build has; None where there is no file.

    Raises
    ------
    InputError
        A file is of a kind that nothing measures of such a build, is not what its command writes,
        or is of another model or, for ``sim`` and ``prove``, of another build.
    OSError
        A file cannot be read.
    """
    sheet = sheet_of(record)
    for name, path in files.items():
        if path is not None and name not in sheet.kinds:
            raise InputError(
                f"--{name} must be left out: no command measures that of such a build of profile "
                f"{record['model']['profile']} yet, so {path} is of another"
            )
    found: dict[str, Any] = {}
    for name, kind in sheet.kinds.items():
        if (path := files.get(name)) is None:
            found[name] = None
            continue
        data = _load(path, kind)
        for given in kind.models(data):
            if given != record["model"]["hash"]:
                raise InputError(
                    f"{path} must be of the build's model {record['model']['hash'][:16]}, not of "
                    f"{given[:16]}: measure with `{sheet.command(name)}`"
                )
        if name == "sim":
            _check_build(path, data, sheet)
        if name == "prove":
            _check_files(path, data, sheet)
        found[name] = data
    return found


def _load(path, kind: Kind):
    rule = f"{path} must be json that `{kind.writer}` writes"
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{rule}, not other text") from None
    if wrong := misfit(data, kind.shape):
        raise InputError(f"{rule}: {wrong}")
    if not data:
        raise InputError(f"{path} must hold a measurement of `{kind.writer}`, not nothing")
    return data


def _check_build(path, data: Mapping, sheet: Sheet) -> None:
    """A simulation proves the Verilog of one build, not of its neighbour."""
    record = sheet.record
    given = {"target": data["target"], **data["parameters"]}
    built = {"target": record["target"]["name"], **record["parameters"]}
    for key in built | given:
        if given.get(key) != built.get(key):
            raise InputError(
                f"{path} must be of this build, with {key} {built.get(key)!r}, not "
                f"{given.get(key)!r}: simulate with `{sheet.command('sim')}`"
            )


def _check_files(path, data: Mapping, sheet: Sheet) -> None:
    """A proof is of files as they were: none that has changed since, nor another build's."""
    record = sheet.record
    found = digest(record["folder"], proven_files(record["files"]))
    if data["files_sha256"] != found:
        raise InputError(
            f"{path} must be of the Verilog and memories of this build as they are now, with the "
            f"hash {found[:16]}, not {data['files_sha256'][:16]}: prove again with "
            f"`{sheet.command('prove')}`"
        )
