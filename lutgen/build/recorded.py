"""What the options of all builds share: how ``build.json`` keeps them, and what their top may be.

The command line takes its defaults from options, so that importing this must be quick.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Protocol, Self

from lutgen.errors import InputError
from lutgen.names import DEFAULT_NAME, build_name

__all__ = ["CORES", "TOPS", "PairOptions", "Recorded", "check_stream_width"]

CORES = ("encoder", "decoder")
TOPS = (*CORES, "codec")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What ``build.json`` keeps of a dataclass of options, and the way back."""

    def record(self) -> dict:
        """``parameters`` of ``build.json``."""
        found = asdict(self)
        if "tile" not in found:
            return found
        width, height = found["tile"]
        sizes = {"tile_width": width, "tile_height": height}
        parts = (sizes if name == "tile" else {name: found[name]} for name in found)
        return {name: value for part in parts for name, value in part.items()}

    @classmethod
    def of_record(cls, parameters: Mapping) -> Self:
        """Options from what `record` has made.

        Options that builds of the first versions do not name have their defaults; those of later
        versions are left out.

        Raises
        ------
        InputError
            If an option that every build has is missing, or one is outside its range.
        """
        known = {field.name: parameters.get(field.name, field.default) for field in fields(cls)}
        known["name"] = parameters.get("name", DEFAULT_NAME)
        always: dict[str, type] = {"top": str, "stream_bytes": int}
        if "tile" in known:
            sides = ("tile_width", "tile_height")
            always |= dict.fromkeys((*sides, "max_width", "max_height"), int)
            known["tile"] = tuple(parameters.get(side) for side in sides)
        for name, kind in always.items():
            if not isinstance(value := parameters.get(name), kind):
                raise InputError(f"parameter {name} must be of type {kind.__name__}, not {value!r}")
        return cls(**known)


class _Pair(Protocol):
    """What every class below `PairOptions` has, each at its own place in the order of its fields.
    """

    @property
    def top(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def stream_bytes(self) -> int: ...
    @property
    def registers(self) -> bool: ...
    @property
    def cores(self) -> int: ...
    @property
    def lanes(self) -> int | None: ...
    @property
    def encoder_lanes(self) -> int | None: ...
    @property
    def made(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, kw_only=True)
class PairOptions(Recorded):
    """Base of the options of an encoder, a decoder, or both.

    Parameters
    ----------
    top:
        ``encoder``, ``decoder``, or ``codec`` for both and a wrapper around them.
    name:
        What the names of modules, tables, IP and drivers begin with; by default
        ``lutgen_<hash of the model>``, so that builds of two models stand side by side.
    """

    # In the order of build.json, and before the options of a profile.
    top: str = "codec"
    name: str | None = None

    def _check_pair(self: _Pair) -> None:
        """Raises InputError if top, name, or an option of a core that is not made, is wrong."""
        if self.top not in TOPS:
            raise InputError(f"top must be one of {', '.join(TOPS)}, not {self.top!r}")
        check_stream_width(self.stream_bytes)
        if self.cores != 1:
            from lutgen.gateware.core.several import check_cores  # loads Amaranth

            check_cores(self.cores, self.stream_bytes)
        for what, value, core in (
            ("lanes", self.lanes, "decoder"), ("encoder lanes", self.encoder_lanes, "encoder"),
        ):  # fmt: skip
            if value is not None and core not in self.made:
                raise InputError(
                    f"{what} must be left out of a build without {core}, not {value!r}: "
                    f"choose top {core} or codec"
                )
        if self.name is not None:
            build_name(self.name, None)

    @property
    def made(self) -> tuple[str, ...]:
        """Cores of the build."""
        return CORES if self.top == "codec" else (self.top,)


def check_stream_width(count: int) -> None:
    """Raises InputError if a stream cannot have so many bytes."""
    if count not in (1, 2, 4, 8):
        raise InputError(f"stream width must be 1, 2, 4 or 8 bytes, not {count!r}")
