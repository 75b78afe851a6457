"""What a page has to know of a profile."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

from .blocks import Blocks
from .chain import Chain
from .kinds import Kind

__all__ = ["Files", "Sheet"]

#: What was measured by a program that does not say otherwise.
_DEFAULTS = {"cores": 1, "registers": False}


class Files(NamedTuple):
    """A row of the table of bits per pixel.

    ``plotted`` is its name in the plot, None if it is not there.
    """

    name: str
    note: str
    plotted: str | None = None


class Sheet(ABC):
    """A build, and how a page shows what differs from profile to profile.

    Parameters
    ----------
    record
        The build, as `lutgen.build.codec.load_build` gives it.
    """

    #: Measurements by the name of the option that reads them; no command measures others.
    kinds: Mapping[str, Kind]
    blocks: ClassVar[Blocks]
    #: What stands below the title of each core's diagram.
    captions: ClassVar[Mapping[str, str]]
    #: Rows of the table of bits per pixel by their names in the json, the one to know first on top.
    files: ClassVar[Mapping[str, Files]]

    def __init__(self, record: Mapping) -> None:
        self.record = record
        self.parameters, self.model = record["parameters"], record["model"]

    @property
    @abstractmethod
    def heading(self) -> str:
        """What the build is of, in large letters."""

    @property
    def raw_bits(self) -> int:
        """Bits of a sample of an image that is not compressed."""
        return 8

    @property
    def losses(self) -> str:
        """What files may lose, as an adjective."""
        return "lossless"

    @abstractmethod
    def facts(self) -> list[tuple[str, str]]:
        """Rows of the title block that every profile has its own of."""

    @property
    def remark(self) -> str:
        """What stands below the diagrams, or ""."""
        return ""

    @abstractmethod
    def chain(self, core: str) -> Chain:
        """The block diagram of ``encoder`` or ``decoder``."""

    @property
    def calculated(self) -> dict | None:
        """Clocks per pixel that follow from the structure alone, and the rate; None if none do.

        ``clocks``, ``mpx`` at the clock goal, and ``of``, the pictures that both are of.
        """
        return None

    def unmeasured(self) -> list[str]:
        """Sentences on what no command measures of this profile."""
        return []

    @abstractmethod
    def set_note(self, result: Mapping) -> str:
        """How images of a data set were coded, behind their number; or ""."""

    # Measurements.

    def command(self, name: str) -> str | None:
        """The command that measures the build, None if there is none."""
        if (kind := self.kinds.get(name)) is None:
            return None
        folder = Path(self.record["folder"])
        return kind.command.format(
            folder=shlex.quote(str(folder)),
            model=shlex.quote(str(folder / self.model["file"])),
            target=shlex.quote(self.record["target"]["name"]),
            **self.options(),
        )

    @abstractmethod
    def options(self) -> dict[str, str]:
        """Options that commands need for this build, "" where these are the defaults."""

    def built(self) -> dict:
        """What measurements may differ in, as the build has it; None for what it has not."""
        parameters = self.parameters
        return {
            "target": self.record["target"]["name"],
            "lanes": parameters.get("lanes"),
            "encoder lanes": parameters.get("encoder_lanes"),
            **self.built_files(),
            **{key: parameters.get(key, default) for key, default in _DEFAULTS.items()},
        }

    def given(self, found: Mapping) -> dict:
        """The same of a measurement; None for what it does not tell.

        One that names no `_DEFAULTS` is of those.
        """
        known = {
            "target": found.get("target"),
            "lanes": found.get("lanes"),
            "encoder lanes": found.get("encoder_lanes"),
            **self.given_files(found),
        }
        for key, default in _DEFAULTS.items():
            value = found.get(key, default)
            # An object under the same name holds the figures of each core.
            known[key] = default if isinstance(value, Mapping) else value
        return known

    @abstractmethod
    def built_files(self) -> dict:
        """Of `built`, what decides how files look."""

    @abstractmethod
    def given_files(self, found: Mapping) -> dict:
        """Of `given`, the same."""
