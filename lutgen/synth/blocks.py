"""Which block of an estimate a module belongs to."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from .yosys import SynthError

__all__ = ["REST", "check_paths", "owner_of", "path_parts"]

REST = "other"


def path_parts(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()


def _fits(module: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(module) >= len(pattern) and all(map(fnmatchcase, module, pattern))


def owner_of(module: tuple[str, ...], parts: Mapping[str, list[tuple[str, ...]]]) -> str:
    fits = [
        (len(pattern), name)
        for name, patterns in parts.items()
        for pattern in patterns
        if _fits(module, pattern)
    ]
    return max(fits, default=(0, REST), key=lambda fit: fit[0])[1]


def check_paths(parts: Mapping[str, list[tuple[str, ...]]], instances: Iterable[str]) -> None:
    known = [path_parts(path) for path in instances]
    for name, patterns in parts.items():
        for pattern in patterns:
            if not any(_fits(module, pattern) for module in known):
                raise SynthError(
                    f"block {name!r} must name instances of the design, not "
                    f"{'.'.join(pattern)!r}; the top holds "
                    f"{', '.join(sorted({m[0] for m in known if m})) or 'no instances'}"
                )
