"""What a training run leaves while it goes on: a checkpoint and a log."""

import json
import os
from pathlib import Path

import torch

from lutgen.errors import InputError
from lutgen.training.run.parallel import rank
from lutgen.training.run.torch_file import read_torch

__all__ = ["Checkpoint", "Log"]


class Log:
    """Training log: one json object per line.

    A run that goes on cuts what a killed one wrote after its last checkpoint.

    Parameters
    ----------
    path:
        File, None for no log.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path if rank() == 0 else None
        self.lines: list[dict] = []

    def write(self, **values) -> None:
        """Add a line."""
        self.lines.append(values)
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(values) + "\n")

    def restore(self, lines: list[dict]) -> None:
        """Begin again with these lines."""
        self.lines = list(lines)
        if self._path is not None:
            text = "".join(json.dumps(line) + "\n" for line in lines)
            self._path.write_text(text)


class Checkpoint:
    """State of a run on disk, replaced as a whole.

    Parameters
    ----------
    path:
        File, None for none.
    identity:
        What the run is: a checkpoint of another one is an error.
    """

    def __init__(self, path: Path | None, identity: dict) -> None:
        self._path = path
        self._identity = json.loads(json.dumps(identity))

    def load(self) -> dict | None:
        """State that was saved, None if there is none.

        Raises
        ------
        InputError
            If the file is of another run, or no checkpoint.
        """
        if self._path is None or not self._path.exists():
            return None
        try:
            found = read_torch(self._path)
            identity, state = found["identity"], found["state"]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{self._path} must be a checkpoint of a training run: remove it, or name another"
            ) from error
        if identity != self._identity:
            differs = [k for k in self._identity if identity.get(k) != self._identity[k]]
            raise InputError(
                f"{self._path} must be of this run, but differs in {', '.join(differs) or 'all'}: "
                "remove it, or train as before"
            )
        return state

    def save(self, state: dict) -> None:
        """Write the state: either the old or the new file exists at any moment."""
        if self._path is None or rank():
            return
        part = self._path.with_name(self._path.name + ".part")
        torch.save({"identity": self._identity, "state": state}, part)
        os.replace(part, self._path)
