"""Measurements of a build's model: json that other commands write, checked before it is shown."""

import json
import math
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lutgen.errors import InputError

__all__ = ["KINDS", "Kind", "read_measured"]


class _Each:
    """The shape of a mapping's values, whatever its keys."""

    def __init__(self, value) -> None:
        self.value = value


class _Maybe(_Each):
    """A shape, or null, or nothing."""


class _Positive:
    """The shape of a number that others are divided by."""


_NUMBER, _POSITIVE, _HEX = float, _Positive, str
#: Names of shapes in messages; others are objects.
_NAMES = {
    _NUMBER: "a number", _POSITIVE: "a number above 0", int: "a whole number", str: "text",
    bool: "true or false",
}  # fmt: skip
_CLOCKS = {
    "steady_clocks_per_pixel": _Maybe(_POSITIVE), "all_clocks_per_pixel": _POSITIVE,
    "latency_clocks": int, "first_image_clocks": int,
}  # fmt: skip
_CHECK = {"problems": [str], "clocks_per_pixel": _Maybe(_NUMBER)}
_BOTH = {"encode": _NUMBER, "decode": _NUMBER}
_ENERGY = {
    "nj_per_pixel": _POSITIVE, "half": _NUMBER, "double": _NUMBER, "blocks": _Each(_NUMBER),
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One kind of measurement.

    Attributes
    ----------
    writer
        The command that writes it, for messages.
    command
        The command that measures a build, with ``{folder}``, ``{model}`` and ``{target}``, and
        ``{tile}`` and ``{coder}``, options where these are not the default.
    shape
        What the page reads of it: types by key, a list of one for lists, `_Each` for any key.
    """

    writer: str
    command: str
    shape: object

    def measure(self, record: Mapping) -> str:
        """The command for a build."""
        folder, parameters = Path(record["folder"]), record["parameters"]
        tile = f"{parameters['tile_width']}x{parameters['tile_height']}"
        tans = parameters.get("coder") == "tans"
        return self.command.format(
            folder=shlex.quote(str(folder)),
            model=shlex.quote(str(folder / record["model"]["file"])),
            target=shlex.quote(record["target"]["name"]),
            tile="" if tile == "32x32" else f" --tile {tile}",
            coder=f" --coder tans --tans-bits {parameters['tans_bits']}" if tans else "",
        )


#: By the name of the option that reads it.
KINDS = {
    "sim": Kind(
        "lutgen sim --json", "lutgen sim --build {folder} --stall 0.3 --json > sim.json",
        {
            "ok": bool, "problems": [str], "mismatches": int, "checks": int, "images": int,
            "pixels": int, "changed_since_build": [str], "target": str, "model": _HEX,
            "parameters": dict, "stall": {"p": _NUMBER, "seed": int},
            "bad_files": _Maybe({"problems": [str], "errors": [str]}),
            "sizes": [{
                "width": int, "height": int, "images": int, "pixels": int,
                "encoder": _Maybe(_CHECK), "decoder": _Maybe(_CHECK),
            }],
        },
    ),
    "eval": Kind(
        "lutgen eval --json", "lutgen eval IMAGES --model {model}{tile}{coder} --json > eval.json",
        _Each({
            "images": int, "pixels": int, "tile": [int], "verified": bool,
            "model": {"hash": _HEX},
            "bpp": dict.fromkeys(("ideal", "payload", "file", "file_each"), _NUMBER),
            "speed": _BOTH,
            "baselines": _Maybe(_Each({
                "settings": str, "bpp": _Maybe(_NUMBER), "reason": _Maybe(str),
            })),
        }),
    ),
    "throughput": Kind(
        "python -m bench.throughput",
        "python -m bench.throughput --images IMAGES --model {model} --target {target}{coder} "
        "--out throughput.json",
        {
            "images": str, "count": int, "width": int, "height": int, "model_hash": _HEX,
            "target": str, "mismatches": int,
            "encode": _CLOCKS, "decode": _CLOCKS,
            "thumbnails": _Maybe(_Each({
                "width": int, "height": int, "first_image_clocks": int,
                "clocks_per_image": _NUMBER,
            })),
        },
    ),
    "energy": Kind(
        "python -m bench.energy",
        "python -m bench.energy --images IMAGES --model {model} --target {target} "
        "--out energy.json",
        {
            "images": str, "count": int, "width": int, "height": int, "skipped_images": int,
            "model_hash": _HEX, "target": str, "clock_mhz": _POSITIVE, "tool": str,
            "cores": _Each({
                "clocks_per_pixel": _POSITIVE,
                "window": {"pixels": int, "clocks": int},
                "energy": {"settled": _ENERGY, "unit_delay": _ENERGY},
            }),
            "coefficients": _Each({"pj": _NUMBER, "per": str, "source": str}),
            "published": _Each({"nj": _BOTH, "ns": _BOTH}),
            "png": {
                "cpu": _Maybe(str), "watts_assumed": _Maybe(_BOTH),
                "runs": [{
                    "files": str, "level": str, "ns_per_pixel": _BOTH,
                    "nj_per_pixel": _Maybe(_BOTH),
                }],
            },
        },
    ),
}  # fmt: skip


def read_measured(
    record: Mapping, files: Mapping[str, str | os.PathLike | None]
) -> dict[str, dict | None]:
    """Read what was measured of a build.

    Parameters
    ----------
    record
        The build, as `lutgen.build.codec.load_build` gives it.
    files
        File by kind, a key of `KINDS`; None for what was not measured.

    Returns
    -------
    dict
        Contents by kind, None where there is no file.

    Raises
    ------
    InputError
        A file is not what its command writes, or is of another model or, for ``sim``, of another
        build.
    OSError
        A file cannot be read.
    """
    found = {}
    for name, kind in KINDS.items():
        if (path := files.get(name)) is None:
            found[name] = None
            continue
        data = _load(path, kind)
        for given in _hashes(name, data):
            if given != record["model"]["hash"]:
                raise InputError(
                    f"{path} must be of the build's model {record['model']['hash'][:16]}, not of "
                    f"{given[:16]}: measure with `{kind.measure(record)}`"
                )
        if name == "sim":
            _check_build(path, kind, data, record)
        found[name] = data
    return found


def _load(path, kind: Kind):
    rule = f"{path} must be json that `{kind.writer}` writes"
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{rule}, not other text") from None
    if wrong := _misfit(data, kind.shape, ""):
        raise InputError(f"{rule}: {wrong}")
    if not data:
        raise InputError(f"{path} must hold a measurement of `{kind.writer}`, not nothing")
    return data


def _misfit(value, shape, where: str) -> str:
    """What is wrong with a value, or ""."""
    if isinstance(shape, _Maybe):
        return "" if value is None else _misfit(value, shape.value, where)
    if shape in (_NUMBER, _POSITIVE):
        good = isinstance(value, int | float) and not isinstance(value, bool)
        good = good and math.isfinite(value) and (shape is _NUMBER or value > 0)
    elif shape is int:
        good = isinstance(value, int) and not isinstance(value, bool)
    elif isinstance(shape, type):
        good = isinstance(value, shape)
    else:
        good = isinstance(value, list if isinstance(shape, list) else dict)
    if not good:
        name = _NAMES.get(shape, "an object") if isinstance(shape, type) else (
            "a list" if isinstance(shape, list) else "an object"
        )  # fmt: skip
        return f"{where or 'it'} must be {name}"
    if isinstance(shape, list):
        inside = [(f"{where}[{k}]", item, shape[0]) for k, item in enumerate(value)]
    elif isinstance(shape, _Each):
        inside = [(_below(where, key), item, shape.value) for key, item in value.items()]
    elif isinstance(shape, dict):
        missing = [k for k, s in shape.items() if k not in value and not isinstance(s, _Maybe)]
        if missing:
            return f"{_below(where, missing[0])} is missing"
        inside = [(_below(where, k), value.get(k), s) for k, s in shape.items()]
    else:
        inside = []
    return next((wrong for part in inside if (wrong := _misfit(part[1], part[2], part[0]))), "")


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else str(key)


def _hashes(name: str, data: Mapping) -> list[str]:
    if name == "eval":
        return [result["model"]["hash"] for result in data.values()]
    return [data["model" if name == "sim" else "model_hash"]]


def _check_build(path, kind: Kind, data: Mapping, record: Mapping) -> None:
    """A simulation proves the Verilog of one build, not of its neighbour."""
    given = {"target": data["target"], **data["parameters"]}
    built = {"target": record["target"]["name"], **record["parameters"]}
    for key in built | given:
        if given.get(key) != built.get(key):
            raise InputError(
                f"{path} must be of this build, with {key} {built.get(key)!r}, not "
                f"{given.get(key)!r}: simulate with `{kind.measure(record)}`"
            )
