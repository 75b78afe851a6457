"""In what a measurement of a model differs from the build that a page is of."""

from collections.abc import Mapping

__all__ = ["conditions"]

#: What was measured by a program that does not say otherwise.
_DEFAULTS = {"cores": 1, "registers": False}


def conditions(record: Mapping, found: Mapping) -> list[str]:
    """Differences in words.

    Nothing is said of what only one of both knows, but that a measurement which names no coder is
    of rANS, and one which names no `_DEFAULTS` of those.
    """
    parameters = record["parameters"]
    built = {
        "target": record["target"]["name"],
        "lanes": parameters.get("lanes"),
        "encoder lanes": parameters.get("encoder_lanes"),
        "tile": _tile(parameters["tile_width"], parameters["tile_height"]),
        "coder": _coder(parameters.get("coder"), parameters.get("tans_bits")),
    }
    given = {
        "target": found.get("target"),
        "lanes": found.get("lanes"),
        "encoder lanes": found.get("encoder_lanes"),
        "tile": _tile(*found["tile"]) if "tile" in found else None,
        "coder": _given_coder(found),
    }
    for key, default in _DEFAULTS.items():
        built[key] = parameters.get(key, default)
        value = found.get(key, default)
        # An object under the same name holds the figures of each core.
        given[key] = default if isinstance(value, Mapping) else value
    return [
        f"{key}: measured with {_word(given[key])}, built with {_word(value)}"
        for key, value in built.items()
        if value is not None and given[key] is not None and given[key] != value
    ]


def _tile(width: int, height: int) -> str:
    return f"{width} × {height}"


def _coder(name: str | None, bits: int | None) -> str:
    return f"tANS of {bits} bits" if name == "tans" else "rANS"


def _given_coder(found: Mapping) -> str:
    """The coder as a measurement names it: in an object, by two keys, or not, which is rANS."""
    coder = found.get("coder")
    if isinstance(coder, Mapping):
        return _coder(coder.get("name"), coder.get("state_bits"))
    return _coder(coder, found.get("state_bits"))


def _word(value) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
