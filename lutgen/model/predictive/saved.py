"""What the models of profile ``predictive`` share: name, hash, and the way to a file and back."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from lutgen.files.archive import canonical_hash, write_archive
from lutgen.model.model import ModelError, load_parts

from .profile import PROFILE

__all__ = ["FORMAT_VERSION", "PredictiveFile"]

FORMAT_VERSION = 1


class PredictiveFile:
    """Base of a frozen dataclass that has a field ``training``, its training record, json.

    Attributes
    ----------
    kind:
        What the model file says that it is.
    """

    profile = PROFILE
    kind: ClassVar[str]
    training: Mapping

    @abstractmethod
    def parts(self) -> tuple[dict, dict[str, np.ndarray]]:
        """All that decoding depends on, as a model file has it: json and arrays."""

    @classmethod
    @abstractmethod
    def _from_file(cls, meta: dict, arrays: dict) -> Self:
        """The model of a file's json and arrays."""

    def _check_training(self) -> None:
        if not isinstance(self.training, Mapping):
            raise ModelError(
                f"training record must be a mapping, not a {type(self.training).__name__}"
            )

    @property
    def name(self) -> str:
        """Name under which it was trained, or ``predictive``."""
        return str(self.training.get("model", PROFILE))

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of all that decoding depends on; not of the training record."""
        return canonical_hash(*self.parts())

    def with_training(self, training: Mapping) -> Self:
        """The same model with another training record."""
        return replace(self, training=training)  # type: ignore[type-var]

    def save(self, path) -> None:
        """Write the model file."""
        meta, arrays = self.parts()
        meta = {"model": meta, "training": dict(self.training)}
        write_archive(path, self.kind, FORMAT_VERSION, meta, arrays)

    @classmethod
    def load(cls, path) -> Self:
        """Read a model file.

        Raises
        ------
        ModelError
            If the file is malformed in any way.
        OSError
            If it cannot be read.
        """
        return load_parts(path, cls.kind, FORMAT_VERSION, cls._from_file)
