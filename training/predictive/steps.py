"""Results of the steps of a training run on disk: a run that was stopped goes on behind the last.

Everything else follows from images, configuration and these results, so the file is small.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lutgen.files.archive import write_archive
from lutgen.files.whole import write_file
from lutgen.training.run.archived import read_checkpoint

__all__ = ["Steps"]

_KIND, _VERSION = "predictive-checkpoint", 1


class Steps:
    """Results by the part of the run and the name of the step.

    Parameters
    ----------
    path:
        File, None for none; replaced as a whole after each step.
    identity:
        What the run is, json: a file of another one is an error.

    Raises
    ------
    InputError
        If the file is of another run, or no checkpoint.
    OSError
        If it cannot be read.
    """

    def __init__(self, path: Path | None = None, identity: Mapping | None = None) -> None:
        self._path = None if path is None else Path(path)
        self._identity = json.loads(json.dumps(identity))
        self._part = ""
        self._notes: dict[str, dict] = {}
        self._arrays: dict[str, np.ndarray] = {}
        if self._path is not None and self._path.exists():
            self._notes, self._arrays = read_checkpoint(
                self._path, _KIND, _VERSION, self._identity, "predictive"
            )

    def begin(self, part: str) -> None:
        """Go to a part of the run, whose names are its own."""
        self._part = part

    def close(self, name: str, note: dict) -> None:
        """Keep the result of this part, and forget those of its steps."""
        prefix = f"{self._part}/"
        self._arrays = {k: v for k, v in self._arrays.items() if not k.startswith(prefix)}
        self._notes = {k: v for k, v in self._notes.items() if not k.startswith(prefix)}
        self.put(name, note)

    def note(self, name: str) -> dict | None:
        """The json object that was kept for a step of this part."""
        return self._notes.get(f"{self._part}/{name}")

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays that were kept for a step of this part, by their names."""
        prefix = f"{self._part}/{name}/"
        return {k.removeprefix(prefix): v for k, v in self._arrays.items() if k.startswith(prefix)}

    def put(self, name: str, note: dict, arrays: Mapping[str, np.ndarray] | None = None) -> None:
        """Keep the result of a step of this part."""
        self._notes[f"{self._part}/{name}"] = json.loads(json.dumps(note))
        for key, value in (arrays or {}).items():
            self._arrays[f"{self._part}/{name}/{key}"] = value
        if self._path is None:
            return
        file = io.BytesIO()
        meta = {"identity": self._identity, "notes": self._notes}
        write_archive(file, _KIND, _VERSION, meta, self._arrays)
        write_file(self._path, file.getvalue())
