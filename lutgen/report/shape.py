"""Shapes of json: what a file must hold to be shown, and what is wrong with one that does not."""

import math

__all__ = ["NUMBER", "POSITIVE", "Each", "Maybe", "Nullable", "misfit"]


class Each:
    """The shape of a mapping's values, whatever its keys."""

    def __init__(self, value) -> None:
        self.value = value


class Nullable(Each):
    """A shape, or null."""


class Maybe(Nullable):
    """A shape, or null, or nothing."""


class _Positive:
    """The shape of a number that others are divided by."""


NUMBER, POSITIVE = float, _Positive
#: Names of shapes in messages; others are objects.
_NAMES = {
    NUMBER: "a number", POSITIVE: "a number above 0", int: "a whole number", str: "text",
    bool: "true or false",
}  # fmt: skip


def misfit(value, shape, where: str = "") -> str:
    """What is wrong with a value, or "".

    Parameters
    ----------
    value
        What json was read as.
    shape
        `NUMBER`, `POSITIVE`, a type, a list of one shape for lists, a dict of shapes by key, or one
        of the classes above.
    where
        Path of the value in its file.
    """
    if isinstance(shape, Nullable):
        return "" if value is None else misfit(value, shape.value, where)
    if shape in (NUMBER, POSITIVE):
        good = isinstance(value, int | float) and not isinstance(value, bool)
        good = good and math.isfinite(value) and (shape is NUMBER or value > 0)
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
    elif isinstance(shape, Each):
        inside = [(_below(where, key), item, shape.value) for key, item in value.items()]
    elif isinstance(shape, dict):
        missing = [k for k, s in shape.items() if k not in value and not isinstance(s, Maybe)]
        if missing:
            return f"{_below(where, missing[0])} is missing"
        inside = [(_below(where, k), value.get(k), s) for k, s in shape.items()]
    else:
        inside = []
    return next((wrong for part in inside if (wrong := misfit(part[1], part[2], part[0]))), "")


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else str(key)
